package approver

import (
	"context"

	"github.com/qredo-go/qredo"
)

// Trace follows an approver at work. Each of its functions may be nil. Package otelqredo provides a Trace for OpenTelemetry.
type Trace struct {
	// Action is called each time that an action is handled, including retries. Everything requested and sent for it uses the
	// returned context, and so does the policy. The returned function, if not nil, is called at the end. Action is called by
	// several goroutines at a time, and should be quick.
	Action func(ctx context.Context, id qredo.ActionID) (context.Context, func(Handled))
	// Entry is called in the same way as the observer of [WithObserver].
	Entry func(Entry)
}

// Handled is the result of handling an action once.
type Handled struct {
	Verdict Verdict // empty if it was not decided
	Rule    string  // the rule that decided
	Outcome Outcome // what became of the action; empty if not known yet, or in shadow while it is open
	Shadow  bool    // nothing was done
	Attempt int     // from 1
	Err     error   // why something is left to do
}

// WithTrace follows what the approver does with t: see [Trace]. If you give several, the last one counts.
func WithTrace(t Trace) Option {
	return option(func(a *Approver) error { a.trace = t; return nil })
}

// traced tells of a task that is handled once.
func (r *run) traced(ctx context.Context, t *task) (err error) {
	if r.trace.Action != nil {
		traced, end := r.trace.Action(ctx, t.id)
		if ctx = traced; end != nil {
			attempt := t.attempts + 1
			t.outcome = ""
			defer func() {
				end(Handled{Verdict: t.rec.Verdict, Rule: t.rec.Rule, Outcome: t.outcome, Shadow: t.in.shadow, Attempt: attempt, Err: err})
			}()
		}
	}
	return r.handle(ctx, t)
}

// both is an observer that tells two, or one if the other is nil.
func both(f, g func(Entry)) func(Entry) {
	switch {
	case f == nil:
		return g
	case g == nil:
		return f
	}
	return func(e Entry) { f(e); g(e) }
}
