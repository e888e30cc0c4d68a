package qredo

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// RetryPolicy says how often and when a request is sent again. A field left zero has its default.
//
// What may be sent again is not a matter of policy. Reads may, and requests for transactions that carry a
// PartnerTxID, because the service makes one transaction for it however often it is sent. Any other write
// may only when it cannot have been carried out: the connection was refused, or the answer was 429.
type RetryPolicy struct {
	MaxAttempts   int           // of one call, the first included; 4
	MinBackoff    time.Duration // the first pause is at most this, each further one twice that; 200 ms
	MaxBackoff    time.Duration // and no pause is longer than this; 10 s
	MaxRetryAfter time.Duration // a Retry-After of the service is followed up to this; 60 s
	// Budget is how many more attempts than calls there may be while nothing succeeds, so that an outage
	// is not made worse; 100. Each success gives half an attempt back.
	Budget int
}

func (p RetryPolicy) withDefaults() (RetryPolicy, error) {
	if min(p.MinBackoff, p.MaxBackoff, p.MaxRetryAfter) < 0 || min(p.MaxAttempts, p.Budget) < 0 {
		return p, invalid("retry", "must have no field below zero, is %+v", p)
	}
	p.MaxAttempts = cmp.Or(p.MaxAttempts, 4)
	p.MinBackoff = cmp.Or(p.MinBackoff, 200*time.Millisecond)
	p.MaxBackoff = max(cmp.Or(p.MaxBackoff, 10*time.Second), p.MinBackoff)
	p.MaxRetryAfter = cmp.Or(p.MaxRetryAfter, time.Minute)
	p.Budget = cmp.Or(p.Budget, 100)
	return p, nil
}

// retryHandler sends a request again where that is safe and may help.
type retryHandler struct {
	policy RetryPolicy
	budget *retryBudget
	clock  *clock
	next   handler
}

func (h retryHandler) handle(x *exchange) (*Response, error) {
	corrected := false // the clock, for this call
	for {
		x.attempts++
		resp, err := h.next.handle(x)
		if err == nil {
			h.budget.give()
			return resp, nil
		}
		if ambiguous(resp, err) {
			x.unknown = true
		}
		if x.noRetry || x.req.Context().Err() != nil || errors.Is(err, errNotSent) {
			return resp, err
		}
		if !corrected && h.clock.correct(x, resp) {
			corrected = true // sent again at once: the request was refused for its stamp
			continue
		}
		pause, again := h.pause(x, resp, err)
		if !again || endsWithin(x.req.Context(), pause) || !h.budget.take() {
			return resp, err
		}
		if interrupted := wait(x.req.Context(), pause); interrupted != nil {
			return resp, fmt.Errorf("%w; the attempt before: %w", interrupted, err)
		}
	}
}

// pause decides whether to send again, and when.
func (h retryHandler) pause(x *exchange, resp *Response, err error) (time.Duration, bool) {
	refused := resp == nil && neverSent(err) || resp != nil && resp.StatusCode == http.StatusTooManyRequests
	again := refused || x.repeatable && passing(resp, err)
	if !again || x.attempts >= h.policy.MaxAttempts {
		return 0, false
	}
	longest := h.policy.MinBackoff
	for n := 1; n < x.attempts && longest < h.policy.MaxBackoff; n++ {
		longest *= 2
	}
	pause := rand.N(min(longest, h.policy.MaxBackoff)) + 1 //nolint:gosec // jitter keeps no secret
	if after, ok := retryAfter(resp); ok {
		pause = max(pause, min(after, h.policy.MaxRetryAfter))
	}
	return pause, true
}

// passing reports whether a failure may be gone the next time.
func passing(resp *Response, err error) bool {
	if resp == nil {
		return true
	}
	switch resp.StatusCode {
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return errors.Is(err, errCut)
}

// endsWithin reports whether a pause would be cut short by the deadline of ctx.
func endsWithin(ctx context.Context, pause time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) < pause
}

// ambiguous reports whether a request may have been carried out although it got no success for an answer.
func ambiguous(resp *Response, err error) bool {
	if resp == nil {
		return !neverSent(err)
	}
	switch status := resp.StatusCode; status {
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
	return errors.Is(err, errNotSent) || errors.As(err, &name) || errors.As(err, &certificate) ||
		errors.As(err, &notTLS) && notTLS.Conn != nil || // set only where the other side does not speak TLS at all
		errors.As(err, &op) && op.Op == "dial"
}

// errNotSent marks what failed in this program, before sending. Sending it again would not help.
var errNotSent = errors.New("not sent")

// retryAfter reads how long the service asks to wait: seconds, or a date. A 429 always asks.
func retryAfter(resp *Response) (time.Duration, bool) {
	if resp == nil {
		return 0, false
	}
	text := resp.Header.Get("Retry-After")
	if allDigits(text) {
		seconds, _ := strconv.Atoi(text) // the greatest int, if it is more than that
		return time.Duration(min(seconds, int(maxRetryAfter/time.Second))) * time.Second, true
	}
	if at, err := http.ParseTime(text); err == nil {
		now := time.Now()
		if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
			now = date // by the clock that the service reckons with
		}
		return min(max(0, at.Sub(now)), maxRetryAfter), true
	}
	return stopUnsaid, resp.StatusCode == http.StatusTooManyRequests
}

const maxRetryAfter = 24 * time.Hour // beyond any policy, and within a Duration

// retryBudget bounds the attempts that are not the first of their call.
type retryBudget struct {
	mu     sync.Mutex
	halves int // of an attempt
	most   int
}

func (b *retryBudget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.halves < 2 {
		return false
	}
	b.halves -= 2
	return true
}

func (b *retryBudget) give() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.halves = min(b.halves+1, b.most)
}
