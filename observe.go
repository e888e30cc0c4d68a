package qredo

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/qredo-go/qredo/internal/transport"
)

// Attempt describes how one attempt of a call ended or, with Ended set, how the whole call did.
type Attempt struct {
	Operation  string // as in [Error]
	Number     int    // number of the attempt in its call, from 1; with Ended, how many there were
	StatusCode int    // 0 if no answer came
	Took       time.Duration
	Outcome    Outcome
	Err        error // why there is no complete answer; with Ended, what the call returns
	Ended      bool
}

// Outcome is how an attempt or a call ended.
type Outcome string

// The outcomes. The outcome of a request that changes nothing is never unknown.
const (
	OutcomeDone    Outcome = "done"
	OutcomeNotDone Outcome = "not done"
	OutcomeUnknown Outcome = "unknown" // it may have been carried out
)

// WithObserver calls f after each attempt of each call, and once more when the call has ended, for metrics and logs. f runs in
// the goroutine that makes the call, with the call's context, and sees no header or body. Durations include the wait for
// [WithRateLimit]. Use [WithFeedState] to observe feeds, and [WithTrace] to see when something begins.
func WithObserver(f func(ctx context.Context, attempt Attempt)) Option {
	return func(c *Client) error {
		c.observe = f
		c.config.Observe = func(ctx context.Context, a transport.Attempt) { f(ctx, ofTransport(a)) }
		return checkGiven("observer", f != nil)
	}
}

func ofTransport(a transport.Attempt) Attempt {
	return Attempt{
		Operation: a.Operation, Number: a.Number, StatusCode: a.StatusCode, Took: a.Took, Err: a.Err, Outcome: outcome(a.OK, a.MaybeDone),
	}
}

func outcome(ok, maybeDone bool) Outcome {
	switch {
	case ok:
		return OutcomeDone
	case maybeDone:
		return OutcomeUnknown
	}
	return OutcomeNotDone
}

// Trace follows calls and feeds while they run. Its functions are called when something begins, and the functions that they
// return when it ends. Each of them may be nil. They are called by the goroutine that makes the call, several at a time, and
// should be quick. They see no header or body. Package otelqredo provides a Trace for OpenTelemetry.
type Trace struct {
	// Call is called when a call that will be sent begins; it is not called for one that is refused beforehand with a
	// [*ValidationError]. The call continues with the returned context, down to the HTTP client's transport, which can so start
	// whatever is part of the call. Connecting a feed is a call too, which ends once it is connected, with status 101.
	Call func(context.Context, Traced) (context.Context, func(Attempt))
	// Attempt is called before each attempt, after it has waited for its turn. The attempt continues with the returned context.
	// An attempt that is not sent, because its context has ended, may or may not be reported.
	Attempt func(context.Context, Traced) (context.Context, func(Attempt))
	// Wait is called after a call has waited for a millisecond or more.
	Wait func(context.Context, Wait)
	// Feed is called when you start to range over a feed. The function that it returns is called when the feed's state changes,
	// and with a zero FeedState when the range ends.
	Feed func(context.Context, Traced) func(FeedState)
}

// Traced describes something that begins, for a [Trace].
type Traced struct {
	Operation string // as in [Error]
	// Template is the path of the operation with its placeholders, "/company/{company_id}", so there are few different ones. It
	// is empty for a path that only you know: give [Client.Do] a [WithOperation], such as "GET /thing/{thing_id}". A [Feed] has
	// none.
	Template string
	Method   string
	URL      *url.URL // complete, with IDs, and search terms in its query; do not change it
	Number   int      // number of the attempt, from 1; 0 for a call or feed
}

// Wait is a pause of a call.
type Wait struct {
	For  WaitReason
	Took time.Duration
}

// WaitReason says why a call waits.
type WaitReason string

// The reasons for which calls wait.
const (
	WaitRetry     WaitReason = WaitReason(transport.WhyRetry) // the pause of [WithRetry] before the next attempt
	WaitRateLimit WaitReason = WaitReason(transport.WhyRate)  // its turn by [WithRateLimit]
	WaitStop      WaitReason = WaitReason(transport.WhyStop)  // the time that a 429 asked for, of this call or another
	WaitTurn      WaitReason = WaitReason(transport.WhyTurn)  // the request before it: see [WithNonce]
)

// WithTrace follows what the client does with t: see [Trace]. If you give several, the last one counts.
func WithTrace(t Trace) Option {
	return func(c *Client) error {
		c.trace, c.config.Trace = t, transport.Trace{}
		if t.Attempt != nil {
			c.config.Trace.Attempt = func(req *transport.Request, number int) (context.Context, func(transport.Attempt)) {
				ctx, end := t.Attempt(req.HTTP.Context(), traced(req, number))
				if end == nil {
					return ctx, nil
				}
				return ctx, func(a transport.Attempt) { end(ofTransport(a)) }
			}
		}
		if t.Wait != nil {
			c.config.Trace.Wait = func(ctx context.Context, why transport.Why, took time.Duration) {
				t.Wait(ctx, Wait{WaitReason(why), took})
			}
		}
		return nil
	}
}

func traced(req *transport.Request, number int) Traced {
	return Traced{Operation: req.Operation, Template: req.Template, Method: req.HTTP.Method, URL: req.HTTP.URL, Number: number}
}

// named returns an operation's name and template. For an operation unknown to this package it returns the caller's
// name, and a template if there is one.
func (op operation) named(name string) (operation, template string) {
	switch {
	case !op.unknown:
		return op.name, op.path
	case name == "":
		return op.method + " " + op.path, ""
	}
	if _, path, _ := strings.Cut(name, " "); strings.HasPrefix(path, "/") {
		template = path
	}
	return name, template
}

// begin reports that a call begins, and returns the function to call when it has ended; nil if nobody observes.
func (c *Client) begin(req *transport.Request) func(res transport.Result, maybeDone bool, err error) {
	if c.observe == nil && c.trace.Call == nil {
		return nil
	}
	ctx, end := req.HTTP.Context(), c.traceCall(req)
	start := time.Now()
	return func(res transport.Result, maybeDone bool, err error) {
		ended := endOfCall(req, res, time.Since(start), maybeDone, err)
		if c.observe != nil {
			c.observe(ctx, ended)
		}
		if end != nil {
			end(ended)
		}
	}
}

// traceCall reports the start of a call to the trace, and returns the context to go on with.
func (c *Client) traceCall(req *transport.Request) (end func(Attempt)) {
	if c.trace.Call == nil {
		return nil
	}
	ctx, end := c.trace.Call(req.HTTP.Context(), traced(req, 0))
	req.HTTP = req.HTTP.WithContext(ctx)
	return end
}

// traceFeed returns the function that reports a feed's states to the trace.
func (c *Client) traceFeed(ctx context.Context, template, path string) func(FeedState) {
	none := func(FeedState) {}
	if c.trace.Feed == nil {
		return none
	}
	at, err := url.Parse(c.feedURL(path))
	if err != nil {
		return none // it cannot be dialled either
	}
	tell := c.trace.Feed(ctx, Traced{Operation: feedOperation(template, path), Template: template, Method: http.MethodGet, URL: at})
	if tell == nil {
		return none
	}
	return tell
}

// endOfCall is what is reported when a call has ended.
func endOfCall(req *transport.Request, res transport.Result, took time.Duration, maybeDone bool, err error) Attempt {
	end := Attempt{Operation: req.Operation, Number: res.Attempts, Took: took, Err: err, Ended: true, StatusCode: res.StatusCode()}
	end.Outcome = outcome(err == nil, maybeDone && !transport.IsRead(req))
	return end
}
