package transport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// httpLink makes one attempt and reads the answer to its end, within a limit.
type httpLink struct {
	client    *http.Client
	maxAnswer int64
}

func (l httpLink) Send(req *Request) Result {
	if err := req.HTTP.Context().Err(); err != nil {
		return Result{Err: fmt.Errorf("%w: %w", ErrNotSent, err)}
	}
	attempt := req.HTTP
	if req.Body != nil {
		attempt = attempt.WithContext(attempt.Context()) // a shallow copy
		attempt.ContentLength = int64(len(req.Body))
		attempt.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(req.Body)), nil }
		attempt.Body, _ = attempt.GetBody()
	}
	answer, err := refusingRedirects(l.client).Do(attempt)
	if err != nil {
		return Result{Err: err}
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusSwitchingProtocols {
		// Nothing asked for it, and reading from what the connection has become would heed no context.
		return Result{Err: errors.New("the answer is 101 Switching Protocols, which nobody asked for")}
	}
	body, err := l.read(answer)
	return Result{
		Answer: &Answer{StatusCode: answer.StatusCode, Header: answer.Header, Body: body},
		Err:    err, OK: err == nil && answer.StatusCode >= 200 && answer.StatusCode <= 299,
	}
}

// promised is how many bytes of memory a Content-Length is given before the bytes have come.
const promised = 8 << 20

// read reads an answer's body. What came of one that is cut or too long is returned with the error.
func (l httpLink) read(answer *http.Response) ([]byte, error) {
	var body bytes.Buffer
	if n := answer.ContentLength; n > 0 && n <= min(l.maxAnswer, promised) {
		body.Grow(int(n) + bytes.MinRead)
	}
	n, err := body.ReadFrom(io.LimitReader(answer.Body, l.maxAnswer+1))
	switch {
	case err != nil:
		return body.Bytes(), fmt.Errorf("%w: %w", errCut, err)
	case n > l.maxAnswer:
		return body.Bytes()[:l.maxAnswer], fmt.Errorf("the body is longer than the limit of %d bytes", l.maxAnswer)
	}
	return body.Bytes(), nil
}

// refusingRedirects is a client that takes a redirect for an answer, because the URL is what is signed.
// It is a copy, taken at each use, so that what the caller changes in theirs counts.
func refusingRedirects(client *http.Client) *http.Client {
	refusing := *client
	refusing.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &refusing
}
