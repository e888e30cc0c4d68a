package transport

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
)

// Why there is no answer, or none that is whole.
var (
	ErrNotSent = errors.New("not sent")        // it failed in this program; sending it again would not help
	errCut     = errors.New("the body is cut") // the answer did not come to its end
)

// refused reports whether a request that failed cannot have been carried out, so that any may be sent again.
func (r Result) refused() bool {
	return r.Answer == nil && neverSent(r.Err) || r.Answer != nil && r.Answer.StatusCode == http.StatusTooManyRequests
}

// passing reports whether a failure may be gone the next time.
func (r Result) passing() bool {
	if r.Answer == nil {
		return true
	}
	switch r.Answer.StatusCode {
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return errors.Is(r.Err, errCut)
}

// ambiguous reports whether a request may have been carried out although it got no success for an answer.
func (r Result) ambiguous() bool {
	if r.Answer == nil {
		return !neverSent(r.Err)
	}
	switch status := r.Answer.StatusCode; status {
	case http.StatusSeeOther, http.StatusRequestTimeout: // 303 is how a form that was carried out is answered
		return true
	default:
		return status >= 200 && status <= 299 || status >= 500
	}
}

// neverSent reports whether a request failed before any of it can have reached the service. What goes wrong
// at a proxy is not counted, to be on the safe side.
func neverSent(err error) bool {
	var (
		op          *net.OpError
		name        *net.DNSError
		certificate *tls.CertificateVerificationError
		notTLS      tls.RecordHeaderError
	)
	return errors.Is(err, ErrNotSent) || errors.As(err, &name) || errors.As(err, &certificate) ||
		errors.As(err, &notTLS) && notTLS.Conn != nil || // set only where the other side does not speak TLS at all
		errors.As(err, &op) && op.Op == "dial"
}
