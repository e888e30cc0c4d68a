package transport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
)

// httpLink makes one attempt and reads the answer to its end, within a limit.
type httpLink struct {
	client    *http.Client
	maxAnswer int64
	http2     *atomic.Bool // the last answer came over HTTP/2
}

func (l httpLink) Send(req *Request) Result {
	if err := req.HTTP.Context().Err(); err != nil {
		return Result{Err: fmt.Errorf("%w: %w", ErrNotSent, err)}
	}
	answer, err := refusingRedirects(l.client).Do(l.sentOnce(req))
	if err != nil {
		return Result{Err: err, Attempts: 1}
	}
	defer answer.Body.Close()
	l.http2.Store(answer.ProtoMajor == 2)
	if answer.StatusCode == http.StatusSwitchingProtocols {
		// Nothing asked for it, and reading from what the connection has become would heed no context.
		return Result{Err: errors.New("the answer is 101 Switching Protocols, which nobody asked for"), Attempts: 1}
	}
	body, err := l.read(answer, req.Shorten)
	if err == nil && len(body) == 0 && answer.ContentLength < 0 && answer.Close && answer.TransferEncoding == nil {
		err = fmt.Errorf("%w, or empty: it ends with the connection", errCut)
	}
	return Result{
		Answer: &Answer{StatusCode: answer.StatusCode, Header: answer.Header, Body: body},
		Err:    err, OK: err == nil && answer.StatusCode >= 200 && answer.StatusCode <= 299, Attempts: 1,
	}
}

// sentOnce makes a request of net/http that it does not send again by itself: sending again needs another stamp, and
// is for the retry link to decide. net/http repeats what has no body, or one that it can get anew.
func (l httpLink) sentOnce(req *Request) *http.Request {
	once := req.HTTP.WithContext(req.HTTP.Context()) // a shallow copy
	switch once.Method {
	case http.MethodPut, http.MethodPost, http.MethodPatch:
		// Without a body, HTTP/1 does not repeat these, and would send a body of unknown length in pieces.
		if len(req.Body) == 0 && !l.http2.Load() {
			return once
		}
	}
	once.Body, once.ContentLength = io.NopCloser(bytes.NewReader(req.Body)), int64(len(req.Body))
	return once
}

// promised is how many bytes of memory a Content-Length is given before the bytes have come.
const promised = 8 << 20

// read reads an answer's body. What came of one that is cut or too long is returned with the error.
func (l httpLink) read(answer *http.Response, shorten func(io.Reader, int64) ([]byte, error)) ([]byte, error) {
	var body bytes.Buffer
	if n := answer.ContentLength; n > 0 && n <= min(l.maxAnswer, promised) {
		body.Grow(int(n) + bytes.MinRead)
	}
	n, err := body.ReadFrom(io.LimitReader(answer.Body, l.maxAnswer+1))
	switch {
	case err != nil:
		return body.Bytes(), fmt.Errorf("%w: %w", errCut, err)
	case n > l.maxAnswer && shorten != nil && answer.StatusCode == http.StatusOK:
		rest := &remembering{Reader: answer.Body}
		short, err := shorten(io.MultiReader(bytes.NewReader(body.Bytes()), rest), l.maxAnswer)
		if rest.err != nil || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.Join(errCut, err, rest.err) // as a shorter one, it may come whole the next time
		}
		if err != nil {
			return body.Bytes()[:l.maxAnswer], fmt.Errorf("the body is longer than the limit of %d bytes, and cannot be shortened: %w", l.maxAnswer, err)
		}
		return short, nil
	case n > l.maxAnswer:
		return body.Bytes()[:l.maxAnswer], fmt.Errorf("the body is longer than the limit of %d bytes", l.maxAnswer)
	}
	return body.Bytes(), nil
}

// remembering keeps why a body could not be read to its end.
type remembering struct {
	io.Reader
	err error
}

func (r *remembering) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// refusingRedirects is a client that takes a redirect for an answer, because the URL is what is signed.
// It is a copy, taken at each use, so that what the caller changes in theirs counts.
func refusingRedirects(client *http.Client) *http.Client {
	refusing := *client
	refusing.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &refusing
}
