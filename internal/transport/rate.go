package transport

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/qredo-go/qredo/internal/backoff"
)

// rateLink keeps the client's requests below a rate, and pauses all of them when the service says that there are too
// many. It waits before the request is stamped, so that timestamps are fresh.
type rateLink struct {
	limiter *rate.Limiter
	stop    *stop
	most    time.Duration // of a pause that the service asks for
	trace   Trace
	next    Link
}

// stop is the time until which no request is sent.
type stop struct{ until atomic.Pointer[time.Time] }

// wait waits until requests may be sent again.
func (s *stop) wait(ctx context.Context) error {
	for until := s.until.Load(); until != nil; until = s.until.Load() {
		left := time.Until(*until)
		switch {
		case left <= 0:
			return nil
		case endsWithin(ctx, left):
			return fmt.Errorf("%w: the service asks to wait for %s, which is beyond the deadline", ErrNotSent, left)
		}
		if err := backoff.Wait(ctx, left); err != nil {
			return fmt.Errorf("%w while the service asks to wait: %w", ErrNotSent, err)
		}
	}
	return nil
}

func (s *stop) extend(by time.Duration) {
	until := time.Now().Add(by)
	for {
		before := s.until.Load()
		if before != nil && !until.After(*before) || s.until.CompareAndSwap(before, &until) {
			return
		}
	}
}

func (l rateLink) Send(req *Request) Result {
	ctx := req.HTTP.Context()
	if l.stop.until.Load() != nil {
		began := time.Now()
		err := l.stop.wait(ctx)
		l.trace.since(ctx, WhyStop, began)
		if err != nil {
			return Result{Err: err}
		}
	}
	if l.limiter != nil {
		began := time.Now()
		err := l.limiter.Wait(ctx)
		l.trace.since(ctx, WhyRate, began)
		if err != nil {
			return Result{Err: fmt.Errorf("%w, by the client's rate limit: %w", ErrNotSent, err)}
		}
	}
	res := l.next.Send(req)
	if res.Answer != nil && res.Answer.StatusCode == http.StatusTooManyRequests {
		pause, _ := retryAfter(res.Answer)
		l.stop.extend(min(pause, l.most))
	}
	return res
}
