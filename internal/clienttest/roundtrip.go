package clienttest

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Failing is a transport that fails, or gives an answer without a body that says so.
func Failing(err error) RoundTrip {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// FailingWith answers with a status and headers, in the service's words.
func FailingWith(status int, headers ...string) RoundTrip {
	return func(req *http.Request) (*http.Response, error) {
		resp := Answer(req, status, fmt.Sprintf(`{"code":%d,"msg":%s}`, status, Quoted(cmp.Or(http.StatusText(status), "no such status"))))
		for i := 0; i < len(headers); i += 2 {
			resp.Header.Set(headers[i], headers[i+1])
		}
		return resp, nil
	}
}

// PageWith answers with a status and a page, as something on the way does.
func PageWith(status int) RoundTrip { return AnswerWith(status, HTML502) }

// CutAfter answers with a body that does not come to its end.
func CutAfter(status int, start string) RoundTrip {
	return func(req *http.Request) (*http.Response, error) {
		resp := Answer(req, status, "")
		resp.ContentLength = 1000
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(start), failedReader{io.ErrUnexpectedEOF}))
		return resp, nil
	}
}

type failedReader struct{ err error }

func (r failedReader) Read([]byte) (int, error) { return 0, r.err }

// timeout is the error of a transport that took too long.
type timeout struct{}

func (timeout) Error() string { return "i/o timeout" }

func (timeout) Timeout() bool { return true }

func (timeout) Temporary() bool { return true }

// How a request fails on its way: those of dialling before anything is sent.
var (
	ErrRefused = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	ErrNoName  = &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "sandbox-api.qredo.network", IsNotFound: true}}
	ErrTLS     = &tls.CertificateVerificationError{Err: errors.New("unknown authority")}
	ErrTimeout = &url.Error{Op: "Post", URL: BaseURL, Err: timeout{}}
	ErrWriting = &net.OpError{Op: "write", Net: "tcp", Err: errors.New("broken pipe")}
	ErrProxy   = &net.OpError{Op: "proxyconnect", Net: "tcp", Err: errors.New("connection refused")}
	ErrReset   = &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer")}
)

// Noting notes when each request comes, and passes it on.
func Noting(times *[]time.Time, next RoundTrip) RoundTrip {
	return func(req *http.Request) (*http.Response, error) {
		*times = append(*times, time.Now())
		return next(req)
	}
}

// NotingDials notes when each connection of a feed is asked for, and passes all requests on.
func NotingDials(times *[]time.Time, next RoundTrip) RoundTrip {
	dials := Noting(times, next)
	return func(req *http.Request) (*http.Response, error) {
		if strings.HasSuffix(req.URL.Path, "/feed") {
			return dials(req)
		}
		return next(req) // lists are read in the meantime
	}
}

// Pauses are the times between requests.
func Pauses(times []time.Time) []time.Duration {
	var out []time.Duration
	for i := 1; i < len(times); i++ {
		out = append(out, times[i].Sub(times[i-1]))
	}
	return out
}
