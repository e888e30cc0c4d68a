package transport

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"
)

// Authenticator sets the headers that authenticate one attempt whose body is exactly body.
type Authenticator interface {
	Authenticate(req *http.Request, body []byte, now time.Time) error
}

// authLink stamps and signs one attempt: its final URL and exact body bytes.
type authLink struct {
	auth  Authenticator
	turn  chan struct{}
	clock *Clock
	next  Link
}

// shortest is how long a header value is at least that can be hidden without spoiling the rest.
const shortest = 8

func (l authLink) Send(req *Request) Result {
	if l.turn != nil { // from the stamp to the answer
		select {
		case l.turn <- struct{}{}:
			defer func() { <-l.turn }()
		case <-req.HTTP.Context().Done():
			return Result{Err: fmt.Errorf("%w, waiting for the request before it: %w", ErrNotSent, req.HTTP.Context().Err())}
		}
	}
	now := l.clock.Now()
	if req.offset != nil {
		now = l.clock.Source().Add(*req.offset)
	}
	signed := *req
	signed.HTTP = req.HTTP.WithContext(req.HTTP.Context()) // a shallow copy
	signed.HTTP.Header = maps.Clone(req.HTTP.Header)
	if err := l.auth.Authenticate(signed.HTTP, req.Body, now); err != nil {
		return Result{Err: fmt.Errorf("%w: authenticating: %w", ErrNotSent, err)}
	}
	res := l.next.Send(&signed)
	res.nonce = len(signed.HTTP.Header["X-Nonce"]) > 0
	for key, values := range signed.HTTP.Header {
		for i, value := range values {
			before := req.HTTP.Header[key]
			stamp := len(value) < 16 && strings.Trim(value, "0123456789") == ""
			if !stamp && len(value) >= shortest && (i >= len(before) || before[i] != value) {
				res.secrets = append(res.secrets, formsOf(value)...)
			}
		}
	}
	if res.Answer != nil && res.Answer.StatusCode == http.StatusUnauthorized {
		res.refuteStamp(now, l.clock)
	}
	return res
}
