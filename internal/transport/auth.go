package transport

import (
	"fmt"
	"maps"
	"net/http"
	"time"
)

// Authenticator sets the headers that authenticate one attempt whose body is exactly body.
type Authenticator interface {
	Authenticate(req *http.Request, body []byte, now time.Time) error
}

// authLink stamps and signs one attempt: its final URL and exact body bytes.
type authLink struct {
	auth  Authenticator
	clock *Clock
	next  Link
}

func (l authLink) Send(req *Request) Result {
	now := l.clock.Now()
	if req.offset != nil {
		now = l.clock.Source().Add(*req.offset)
	}
	signed := struct { // shallow copies, in one allocation
		Request
		http http.Request
	}{*req, *req.HTTP}
	signed.HTTP, signed.http.Header = &signed.http, maps.Clone(req.HTTP.Header)
	if err := l.auth.Authenticate(signed.HTTP, req.Body, now); err != nil {
		return Result{Err: fmt.Errorf("%w: authenticating: %w", ErrNotSent, err)}
	}
	res := l.next.Send(&signed.Request)
	res.nonce = len(signed.HTTP.Header["X-Nonce"]) > 0
	res.stamp = stamp{req.HTTP.Header, signed.HTTP.Header}
	if res.Answer != nil && res.Answer.StatusCode == http.StatusUnauthorized {
		res.refuteStamp(now, l.clock)
	}
	return res
}
