package transport

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"regexp"

	"github.com/qredo-go/qredo/internal/wire"
)

// Why there is no complete response.
var (
	ErrNotSent = errors.New("not sent")        // it failed in this program; sending it again would not help
	errCut     = errors.New("the body is cut") // the response is incomplete
)

// ambiguous reports whether a request may have been carried out although it got no successful response. Only the service
// itself can rule that out: in its own words, or by not having been reached.
func (r Result) ambiguous(req *Request) bool {
	if r.Answer == nil {
		return !neverSent(r.Err)
	}
	switch status := r.Answer.StatusCode; {
	case status < 400 || status > 499 || status == http.StatusRequestTimeout, !r.Answer.InOwnWords():
		return true
	// An intermediary may have sent a copy of the request before. Then "it exists already", "it is gone" and "it is not
	// pending any more" are about this very request.
	case status == http.StatusConflict, r.staleNonce():
		return true
	case status == http.StatusNotFound:
		return req.HTTP.Method == http.MethodDelete || req.Decides && req.HTTP.Method == http.MethodPut
	case status == http.StatusBadRequest:
		return req.Decides
	}
	return false
}

// staleNonce reports whether a response refuses a nonce.
func (r Result) staleNonce() bool {
	return r.nonce && r.Answer != nil && r.Answer.StatusCode == http.StatusUnauthorized && bytes.Contains(bytes.ToLower(r.Answer.Body), []byte("nonce"))
}

// refusedForNow reports whether a failed request certainly was not carried out and may be accepted the next time, so that
// even a write may be sent again.
func (r Result) refusedForNow() bool {
	if r.Answer == nil {
		return neverSent(r.Err)
	}
	return r.Answer.StatusCode == http.StatusTooManyRequests && r.Answer.InOwnWords()
}

// passing reports whether a failure may be temporary.
func (r Result) passing() bool {
	if r.Answer == nil || r.staleNonce() {
		return true
	}
	switch r.Answer.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return errors.Is(r.Err, errCut)
}

// IsRead reports whether a request only asks.
func IsRead(req *Request) bool {
	return req.HTTP.Method == http.MethodGet || req.HTTP.Method == http.MethodHead
}

// InOwnWords reports whether an unsuccessful response comes from the service, and is new: it is an object with the
// service's code and message. A response of an intermediary is not one, and a cached one has an age. It reads only a
// limited part of the body: the service does not need more, and reading on would hold up a call whose context has ended.
func (a *Answer) InOwnWords() bool {
	var words struct {
		Code json.RawMessage `json:"code"`
		Msg  string          `json:"msg"`
	}
	const longest = 1 << 20 // bytes
	if len(a.Body) > longest || a.Header.Get("Age") != "" || wire.Unmarshal(a.Body, &words) != nil {
		return false
	}
	code, err := wire.ParseInt(words.Code)
	return err == nil && code > 0 && words.Msg != ""
}

// NeverSent reports whether what net/http says of a request tells that nobody has looked at it.
func NeverSent(err error) bool { return neverSent(err) }

// neverSent reports whether none of a failed request can have reached the service, or the service did not process it.
// Failures at a proxy do not count, to be on the safe side.
func neverSent(err error) bool {
	var (
		op          *net.OpError
		name        *net.DNSError
		certificate *tls.CertificateVerificationError
		notTLS      tls.RecordHeaderError
		request     *url.Error
	)
	return errors.Is(err, ErrNotSent) || errors.As(err, &name) || errors.As(err, &certificate) ||
		errors.As(err, &notTLS) && notTLS.Conn != nil || // set only if the peer does not use TLS at all
		errors.As(err, &op) && op.Op == "dial" ||
		errors.As(err, &request) && unprocessed.MatchString(request.Err.Error())
}

// unprocessed matches errors of net/http that mean that the peer did not process a request over HTTP/2: it refused the
// stream or went away before (RFC 9113, 6.8 and 8.7). They have no types.
var unprocessed = regexp.MustCompile(`^(?:http2: Transport: cannot retry err \[)?` +
	`(?:stream error: stream ID \d+; REFUSED_STREAM; received from peer|http2: Transport received Server's graceful shutdown GOAWAY)`)
