package transport

import (
	"context"
	"net/http"
	"time"
)

// Trace is notified of attempts and pauses as they happen. Functions may be nil.
type Trace struct {
	// Attempt is called before an attempt, of a number from 1, is signed. The attempt goes on with the context that it returns,
	// and ends with a call of the function.
	Attempt func(req *Request, number int) (context.Context, func(Attempt))
	// Wait is called after a pause.
	Wait func(ctx context.Context, why Why, took time.Duration)
}

// Why says what a call waited for.
type Why string

// The reasons why a call waits.
const (
	WhyRetry Why = "retry"      // the pause before the next attempt
	WhyRate  Why = "rate limit" // the client's own
	WhyStop  Why = "stop"       // the service has answered 429, to this call or another
	WhyTurn  Why = "turn"       // the request before it
)

// shortestWait is the shortest wait worth reporting.
const shortestWait = time.Millisecond

// since reports a pause that began at a time.
func (t Trace) since(ctx context.Context, why Why, began time.Time) {
	if t.Wait == nil {
		return
	}
	if took := time.Since(began); took >= shortestWait {
		t.Wait(ctx, why, took)
	}
}

// traceLink reports each attempt: what is sent, not the wait before. It sees the request before authentication, as
// logLink does.
type traceLink struct {
	trace Trace
	next  Link
}

func (l traceLink) Send(req *Request) Result {
	ctx, end := l.trace.Attempt(req, req.attempt+1)
	traced := *req
	traced.HTTP = req.HTTP.WithContext(ctx)
	start := time.Now()
	res := l.next.Send(&traced)
	if end != nil {
		end(seen(req, res, time.Since(start)))
	}
	return res
}

// StatusCode is that of the answer; 0 if none came.
func (r Result) StatusCode() int {
	switch {
	case r.Answer != nil:
		return r.Answer.StatusCode
	case r.Conn != nil:
		return http.StatusSwitchingProtocols
	}
	return 0
}

// seen is what is reported about an attempt.
func seen(req *Request, res Result, took time.Duration) Attempt {
	a := Attempt{Operation: req.Operation, Number: req.attempt + 1, StatusCode: res.StatusCode(), Took: took, OK: res.OK, Err: res.Err}
	a.MaybeDone = !res.OK && !IsRead(req) && res.ambiguous(req)
	return a
}
