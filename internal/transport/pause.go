package transport

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/qredo-go/qredo/internal/backoff"
)

// pause decides whether to send again, and when.
func (l retryLink) pause(req *Request, res Result) (time.Duration, bool) {
	again := res.refusedForNow() || req.Repeatable && (res.passing() || !IsRead(req) && !res.Answer.InOwnWords())
	if !again || res.Attempts >= l.policy.MaxAttempts {
		return 0, false
	}
	pause := backoff.Below(backoff.Range{Min: l.policy.MinBackoff, Max: l.policy.MaxBackoff}.After(res.Attempts))
	if after, ok := retryAfter(res.Answer); ok {
		pause = max(pause, min(after, l.policy.MaxRetryAfter))
	}
	return pause, true
}

// endsWithin reports whether a pause would be cut short by the deadline of ctx.
func endsWithin(ctx context.Context, pause time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) < pause
}

const (
	maxRetryAfter = 24 * time.Hour // longer than any policy, and fits in a Duration
	stopUnsaid    = time.Second    // how long a client stops after a 429 without a time
)

// retryAfter parses how long the service asks to wait: seconds, or a date. A 429 always asks.
func retryAfter(answer *Answer) (time.Duration, bool) {
	if answer == nil {
		return 0, false
	}
	text := answer.Header.Get("Retry-After")
	if text != "" && strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.Atoi(text)
		if most := int(maxRetryAfter / time.Second); err != nil || seconds > most {
			seconds = most
		}
		return time.Duration(seconds) * time.Second, true
	}
	if at, err := http.ParseTime(text); err == nil {
		now := time.Now()
		if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
			now = date // by the service's clock
		}
		return min(max(0, at.Sub(now)), maxRetryAfter), true
	}
	return stopUnsaid, answer.StatusCode == http.StatusTooManyRequests
}

// budget limits the attempts beyond the first of each call.
type budget struct {
	spent atomic.Int64 // in half attempts
	most  int64
}

func newBudget(attempts int) *budget { return &budget{most: 2 * int64(attempts)} }

// take reports whether one more attempt is allowed.
func (b *budget) take() bool {
	for {
		spent := b.spent.Load()
		if spent+2 > b.most {
			return false
		}
		if b.spent.CompareAndSwap(spent, spent+2) {
			return true
		}
	}
}

// give returns half an attempt.
func (b *budget) give() {
	for {
		spent := b.spent.Load()
		if spent == 0 || b.spent.CompareAndSwap(spent, spent-1) {
			return
		}
	}
}
