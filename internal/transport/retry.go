package transport

import (
	"errors"
	"time"

	"github.com/qredo-go/qredo/internal/backoff"
)

// Policy says how often and when a request is sent again.
type Policy struct {
	MaxAttempts   int
	MinBackoff    time.Duration
	MaxBackoff    time.Duration
	MaxRetryAfter time.Duration
	Budget        int
}

// retryLink sends a request again if that is safe and may help.
type retryLink struct {
	policy Policy
	budget *budget
	trace  Trace
	next   Link
}

func (l retryLink) Send(req *Request) Result {
	var before Result // what the attempts so far have left
	for {
		attempt := req
		if before.Attempts > 0 {
			again := *req
			again.attempt, attempt = before.Attempts, &again
		}
		res := l.next.Send(attempt)
		res.Attempts = before.Attempts + max(res.Attempts, 1)
		if before.Attempts > 0 {
			res.follow(before)
		}
		if res.OK {
			if l.budget.spent.Load() > 0 {
				l.budget.give()
			}
			return res
		}
		res.MaybeDone = before.MaybeDone || res.ambiguous(req)
		ctx := req.HTTP.Context()
		if req.Once || ctx.Err() != nil || errors.Is(res.Err, ErrNotSent) {
			return res
		}
		pause, again := l.pause(req, res)
		if !again || endsWithin(ctx, pause) || !l.budget.take() {
			return res
		}
		began := time.Now()
		res.Interrupted = backoff.Wait(ctx, pause)
		l.trace.since(ctx, WhyRetry, began)
		if res.Interrupted != nil {
			return res
		}
		before = res
	}
}
