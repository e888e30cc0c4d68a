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
	resp := &Response{StatusCode: answer.StatusCode, Header: answer.Header, Attempts: x.attempts}
	resp.Body, err = io.ReadAll(io.LimitReader(answer.Body, h.maxResponse+1))
	if err != nil {
		return resp, fmt.Errorf("%w: %w", errCut, err)
	}
	if int64(len(resp.Body)) > h.maxResponse {
		resp.Body = resp.Body[:h.maxResponse]
		return resp, fmt.Errorf("the body is longer than the limit of %d bytes", h.maxResponse)
	}
	return resp, nil
}

// errCut marks an answer whose body did not come to its end.
var errCut = errors.New("the body is cut")

// refusingRedirects is a client that takes a redirect for an answer, because the URL is what is signed.
// It is a copy, taken at each use, so that what the caller changes in theirs counts.
func refusingRedirects(client *http.Client) *http.Client {
	refusing := *client
	refusing.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &refusing
}
