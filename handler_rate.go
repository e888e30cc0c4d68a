package qredo

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// rateHandler keeps the client's requests below a rate, and stops all of them for a while when the
// service says that they are too many. It waits before the request is stamped, so that a stamp is fresh
// when it is sent.
type rateHandler struct {
	limiter *rate.Limiter // nil if there is no limit of the client's own
	stop    *stop
	most    time.Duration // of a stop that the service asks for
	next    handler
}

// stop is until when no request is sent.
type stop struct {
	mu    sync.Mutex
	until time.Time
}

func (s *stop) left() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Until(s.until)
}

func (s *stop) extend(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if until := time.Now().Add(by); until.After(s.until) {
		s.until = until
	}
}

// stopUnsaid is how long a client stops after a 429 that does not say.
const stopUnsaid = time.Second

func (h rateHandler) handle(x *exchange) (*Response, error) {
	ctx := x.req.Context()
	for left := h.stop.left(); left > 0; left = h.stop.left() {
		if endsWithin(ctx, left) {
			return nil, fmt.Errorf("%w: the service asks to wait for %s, which is beyond the deadline", errNotSent, left)
		}
		if err := wait(ctx, left); err != nil {
			return nil, fmt.Errorf("%w while the service asks to wait: %w", errNotSent, err)
		}
	}
	if h.limiter != nil {
		if err := h.limiter.Wait(ctx); err != nil {
			return nil, fmt.Errorf("%w, by the client's rate limit: %w", errNotSent, err)
		}
	}
	resp, err := h.next.handle(x)
	if resp != nil && resp.StatusCode == http.StatusTooManyRequests {
		pause, _ := retryAfter(resp)
		h.stop.extend(min(pause, h.most))
	}
	return resp, err
}
