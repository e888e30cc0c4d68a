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

// httpLink makes one attempt and reads the answer to its end, within a limit.
type httpLink struct {
	client    *http.Client
	maxAnswer int64
	http2     *atomic.Bool  // the last answer came over HTTP/2
	answers   *atomic.Int64 // so many have begun
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
			// Nobody was answered meanwhile: the connections that wait may be as dead as this one, and the next attempt gets a new one.
			l.client.CloseIdleConnections()
		}
		return Result{Err: err, Attempts: 1}
	}
	defer answer.Body.Close()
	l.answers.Add(1)
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

// ownConnections reports whether the connections are not those of the whole program.
func (l httpLink) ownConnections() bool {
	own, ok := l.client.Transport.(*http.Transport)
	return ok && http.RoundTripper(own) != http.DefaultTransport
}

// exchange has net/http send a request, which it does not send again by itself: sending again needs another stamp, and
// is for the retry link to decide. net/http repeats what has no body, or one that it can get anew.
func (l httpLink) exchange(req *Request) (*http.Response, error) {
	once := struct { // shallow copies, in one piece of memory
		client http.Client
		http.Request
	}{refusingRedirects(l.client), *req.HTTP}
	post := once.Method == http.MethodPost || once.Method == http.MethodPut || once.Method == http.MethodPatch
	switch {
	case len(req.Body) > 0 || post && l.http2.Load():
		once.Body, once.ContentLength = io.NopCloser(bytes.NewReader(req.Body)), int64(len(req.Body))
	case post:
		// Without a body, HTTP/1 does not repeat these, and would send a body of unknown length in pieces.
	default:
		// net/http would begin a goroutine and a timer for each request, to see whether the body is empty. It takes the encoding's
		// word for it, and sends the same bytes.
		once.Body, once.TransferEncoding = noBody{}, identity
	}
	return once.client.Do(&once.Request)
}

// identity is a body as it is; not to be changed.
var identity = []string{"identity"}

// noBody is a body that is empty, and that net/http does not know to be: it would send [http.NoBody] again.
type noBody struct{}

func (noBody) Read([]byte) (int, error)         { return 0, io.EOF }
func (noBody) WriteTo(io.Writer) (int64, error) { return 0, nil } // else it gets a buffer to be copied through
func (noBody) Close() error                     { return nil }

// promised is how many bytes of memory a Content-Length is given before the bytes have come.
const promised = 8 << 20

// read reads an answer's body. What came of one that is cut or too long is returned with the error.
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
			err = errors.Join(errCut, err, rest.err) // as a shorter one, it may come whole the next time
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
func refusingRedirects(client *http.Client) http.Client {
	refusing := *client
	refusing.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return refusing
}
