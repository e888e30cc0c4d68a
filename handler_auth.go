package qredo

import (
	"fmt"
	"maps"
	"net/http"
	"time"
)

// authHandler stamps and signs one attempt: its final URL and exact body bytes.
type authHandler struct {
	auth  Authenticator
	clock *clock
	next  handler
}

func (h authHandler) handle(x *exchange) (*Response, error) {
	signed, err := x.authenticate(h.auth, h.clock.now())
	if err != nil {
		return nil, err
	}
	attempt := *x
	attempt.req = signed
	return h.next.handle(&attempt)
}

// authenticate returns the request of an exchange, stamped and signed. The exchange notes the stamp and what
// is secret.
func (x *exchange) authenticate(auth Authenticator, now time.Time) (*http.Request, error) {
	x.stamped = now
	signed := x.req.WithContext(x.req.Context()) // a shallow copy: only the header is changed
	signed.Header = maps.Clone(x.req.Header)
	if err := auth.Authenticate(signed, x.body, now); err != nil {
		return nil, fmt.Errorf("%w: authenticating: %w", errNotSent, err)
	}
	const shortest = 8 // of what can be hidden without spoiling the rest
	for key, values := range signed.Header {
		for i, value := range values {
			before := x.req.Header[key]
			if stamp := allDigits(value) && len(value) < 16; !stamp && len(value) >= shortest && (i >= len(before) || before[i] != value) {
				x.secrets = append(x.secrets, value)
			}
		}
	}
	return signed, nil
}
