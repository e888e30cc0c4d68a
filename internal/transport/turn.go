package transport

import (
	"fmt"
	"time"
)

// turnLink makes requests wait for each other, from the timestamp to the response.
type turnLink struct {
	turn  chan struct{}
	trace Trace
	next  Link
}

func (l turnLink) Send(req *Request) Result {
	ctx, began := req.HTTP.Context(), time.Now()
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return Result{Err: fmt.Errorf("%w, waiting for the request before it: %w", ErrNotSent, ctx.Err())}
	}
	l.trace.since(ctx, WhyTurn, began)
	return l.next.Send(req)
}
