package transport

import (
	"context"
	"time"
)

// Attempt is what an observer learns about one attempt.
type Attempt struct {
	Operation  string
	Number     int // of its call, from 1
	StatusCode int // 0 if no answer came
	Took       time.Duration
	OK         bool
	MaybeDone  bool
	Err        error
}

// observeLink reports each attempt to an observer.
type observeLink struct {
	observe func(ctx context.Context, attempt Attempt)
	next    Link
}

func (l observeLink) Send(req *Request) Result {
	start := time.Now()
	res := l.next.Send(req)
	l.observe(req.HTTP.Context(), seen(req, res, time.Since(start)))
	return res
}
