package transport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// httpLink makes one attempt and reads the whole response, up to a limit.
type httpLink struct {
	client    *http.Client
	maxAnswer int64
	http2     *atomic.Bool  // the last response came over HTTP/2
	answers   *atomic.Int64 // number of attempts that have begun
}

func (l httpLink) Send(req *Request) Result {
	if err := req.HTTP.Context().Err(); err != nil {
		return Result{Err: fmt.Errorf("%w: %w", ErrNotSent, err)}
	}
	before := l.answers.Load()
	answer, err := l.exchange(req)
	if err != nil {
		slow, ok := errors.AsType[net.Error](err)
		if ok && slow.Timeout() && req.HTTP.Context().Err() == nil && l.answers.Load() == before && l.ownConnections() {
			// Nobody got a response in the meantime: idle connections may be as dead as this one, and the next attempt
			// gets a new one.
			l.client.CloseIdleConnections()
		}
		return Result{Err: err, Attempts: 1}
	}
	defer answer.Body.Close()
	l.answers.Add(1)
	l.http2.Store(answer.ProtoMajor == 2)
	if answer.StatusCode == http.StatusSwitchingProtocols {
		// Nothing asked for it, and reading from the switched connection would ignore the context.
		return Result{Err: errors.New("the answer is 101 Switching Protocols, which was not requested"), Attempts: 1}
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

// ownConnections reports whether the connections are not shared by the whole program.
func (l httpLink) ownConnections() bool {
	own, ok := l.client.Transport.(*http.Transport)
	return ok && http.RoundTripper(own) != http.DefaultTransport
}

// exchange has net/http send a request, without net/http's own retries: sending again needs a new timestamp, and is for
// the retry link to decide. net/http retries requests without a body, or with a body that it can get again.
func (l httpLink) exchange(req *Request) (*http.Response, error) {
	once := struct { // shallow copies, in one allocation
		client http.Client
		http.Request
	}{refusingRedirects(l.client), *req.HTTP}
	post := once.Method == http.MethodPost || once.Method == http.MethodPut || once.Method == http.MethodPatch
	switch {
	case len(req.Body) > 0 || post && l.http2.Load():
		once.Body, once.ContentLength = io.NopCloser(bytes.NewReader(req.Body)), int64(len(req.Body))
	case post:
		// Without a body, HTTP/1 does not retry these, and would send a body of unknown length in chunks.
	default:
		// net/http would start a goroutine and a timer for each request, to see whether the body is empty. It trusts the
		// encoding, and sends the same bytes.
		once.Body, once.TransferEncoding = noBody{}, identity
	}
	return once.client.Do(&once.Request)
}

// identity is an unencoded body; it must not be changed.
var identity = []string{"identity"}

// noBody is an empty body that net/http does not recognise as such: it would retry requests with [http.NoBody].
type noBody struct{}

func (noBody) Read([]byte) (int, error)         { return 0, io.EOF }
func (noBody) WriteTo(io.Writer) (int64, error) { return 0, nil } // otherwise it gets a buffer to be copied through
func (noBody) Close() error                     { return nil }

// promised is how many bytes of memory a Content-Length gets before the bytes have arrived.
const promised = 8 << 20

// read reads a response's body. If it is truncated or too long, it returns what it has read with the error.
func (l httpLink) read(answer *http.Response, shorten Shorten) ([]byte, error) {
	whole, shortens := l.maxAnswer, shorten.Do != nil && answer.StatusCode == http.StatusOK
	if shortens && shorten.From > 0 {
		whole = min(whole, shorten.From)
	}
	var (
		body []byte
		err  error
	)
	most := io.LimitReader(answer.Body, whole+1)
	if n := answer.ContentLength; n > 0 && n <= min(whole, promised) {
		buffer := bytes.NewBuffer(make([]byte, 0, int(n)+bytes.MinRead))
		_, err = buffer.ReadFrom(most)
		body = buffer.Bytes()
	} else {
		body, err = io.ReadAll(most)
	}
	tooLong := int64(len(body)) > whole
	switch {
	case err != nil:
		return body, fmt.Errorf("%w: %w", errCut, err)
	case tooLong && shortens:
		rest := &remembering{Reader: answer.Body}
		short, err := shorten.Do(io.MultiReader(bytes.NewReader(body), rest), l.maxAnswer)
		if rest.err != nil || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.Join(errCut, err, rest.err) // like a short one, it may arrive whole the next time
		}
		if err != nil {
			return body[:whole], fmt.Errorf("the body is longer than the limit of %d bytes, and cannot be shortened: %w", whole, err)
		}
		return short, nil
	case tooLong:
		return body[:whole], fmt.Errorf("the body is longer than the limit of %d bytes", whole)
	}
	return body, nil
}

// remembering keeps the reason why a body could not be read to its end.
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

// refusingRedirects is a client that returns a redirect as a response, because the URL is signed. It is copied at each
// use, so that changes by the caller take effect.
func refusingRedirects(client *http.Client) http.Client {
	refusing := *client
	refusing.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return refusing
}
