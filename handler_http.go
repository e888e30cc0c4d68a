package qredo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// httpHandler makes one attempt and reads the answer to its end, within a limit.
type httpHandler struct {
	client      *http.Client
	maxResponse int64
}

func (h httpHandler) handle(x *exchange) (*Response, error) {
	req := x.req
	if err := req.Context().Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", errNotSent, err)
	}
	if x.body != nil {
		req.ContentLength = int64(len(x.body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(x.body)), nil }
		req.Body, _ = req.GetBody()
	}
	answer, err := refusingRedirects(h.client).Do(req)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusSwitchingProtocols {
		// Nothing asked for it, and reading from what the connection has become would heed no context.
		return nil, errors.New("the answer is 101 Switching Protocols, which nobody asked for")
	}
	resp := &Response{StatusCode: answer.StatusCode, Header: answer.Header, Attempts: x.attempts}
	resp.Body, err = h.read(answer)
	return resp, err
}

// read reads an answer's body. What came of one that is cut or too long is returned with the error.
func (h httpHandler) read(answer *http.Response) ([]byte, error) {
	var body bytes.Buffer
	if n := answer.ContentLength; n > 0 && n <= min(h.maxResponse, promised) {
		body.Grow(int(n) + bytes.MinRead)
	}
	n, err := body.ReadFrom(io.LimitReader(answer.Body, h.maxResponse+1))
	switch {
	case err != nil:
		return body.Bytes(), fmt.Errorf("%w: %w", errCut, err)
	case n > h.maxResponse:
		return body.Bytes()[:h.maxResponse], fmt.Errorf("the body is longer than the limit of %d bytes", h.maxResponse)
	}
	return body.Bytes(), nil
}

// errCut marks an answer whose body did not come to its end.
var errCut = errors.New("the body is cut")

// promised is how many bytes of memory a Content-Length is given before the bytes have come.
const promised = 8 << 20

// refusingRedirects is a client that takes a redirect for an answer, because the URL is what is signed.
// It is a copy, taken at each use, so that what the caller changes in theirs counts.
func refusingRedirects(client *http.Client) *http.Client {
	refusing := *client
	refusing.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &refusing
}
