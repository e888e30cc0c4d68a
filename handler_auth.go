package qredo

import (
	"fmt"
	"maps"
	"time"
)

// authHandler stamps and signs one attempt: its final URL and exact body bytes.
type authHandler struct {
	auth  Authenticator
	clock *clock
	next  handler
}

func (h authHandler) handle(x *exchange) (*Response, error) {
	attempt, err := x.authenticate(h.auth, h.clock.now())
	if err != nil {
		return nil, err
	}
	return h.next.handle(attempt)
}

// authenticate returns the exchange with a request that is stamped and signed, and notes what is secret
// about it.
func (x *exchange) authenticate(auth Authenticator, now time.Time) (*exchange, error) {
	x.stamped = now
	attempt := *x
	attempt.req = x.req.WithContext(x.req.Context()) // a shallow copy: only the header is changed
	attempt.req.Header = maps.Clone(x.req.Header)
	if err := auth.Authenticate(attempt.req, x.body, now); err != nil {
		return nil, fmt.Errorf("%w: authenticating: %w", errNotSent, err)
	}
	const shortest = 16 // of what is worth hiding; a timestamp is shorter
	for key, values := range attempt.req.Header {
		for i, value := range values {
			before := x.req.Header[key]
			if len(value) >= shortest && (i >= len(before) || before[i] != value) {
				x.secrets = append(x.secrets, value)
			}
		}
	}
	return &attempt, nil
}
