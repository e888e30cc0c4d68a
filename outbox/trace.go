package outbox

import (
	"context"
	"maps"
)

// Trace follows an outbox at work. Its functions are called when something begins, and the functions that they return when it
// ends. Each of them may be nil. They are called by several goroutines at a time, and should be quick. Package otelqredo
// provides a Trace for OpenTelemetry.
type Trace struct {
	// Enqueue is called by [Outbox.Enqueue], which continues with the returned context: what [WithContextCarrier] keeps with
	// the entry comes from it too. A store that takes payments in your own transactions does not call it.
	Enqueue func(ctx context.Context, key string, req Request) (context.Context, func(Entry, error))
	// Work is called when a worker works on an entry: it sends a pending entry, or ends it if it is too late, and looks at the
	// transaction of a sent one. The context has what [WithContextCarrier] has kept, and the worker continues with the returned
	// one. At the end the returned function gets the entry as it is then, stored or not.
	Work func(ctx context.Context, e Entry) (context.Context, func(Entry))
	// Change is called in the same way as the observer of [WithObserver], with the context of the work, or of the person's call
	// with what WithContextCarrier has kept.
	Change func(ctx context.Context, e Entry)
}

// WithTrace follows what the outbox does with t: see [Trace]. If you give several, the last one counts.
func WithTrace(t Trace) Option {
	return func(o *Outbox) error { o.trace = t; return nil }
}

// traceEnqueue reports an entry that is about to be stored, and returns the context to go on with.
func (o *Outbox) traceEnqueue(ctx context.Context, key string, req Request) (context.Context, func(Entry, error)) {
	end := func(Entry, error) {}
	if o.trace.Enqueue != nil {
		traced, stored := o.trace.Enqueue(ctx, key, req)
		if ctx = traced; stored != nil {
			end = stored
		}
	}
	return ctx, end
}

// traceWork reports an entry that a worker starts on, and returns the context to go on with.
func (o *Outbox) traceWork(ctx context.Context, e Entry) (context.Context, func(Entry)) {
	end := func(Entry) {}
	if o.trace.Work != nil {
		traced, worked := o.trace.Work(ctx, e)
		if ctx = traced; worked != nil {
			end = worked
		}
	}
	return ctx, end
}

// merged combines two functions that derive a context.
func merged(before, inject func(context.Context) map[string]string) func(context.Context) map[string]string {
	return func(ctx context.Context) map[string]string {
		kept := inject(ctx)
		if first := before(ctx); len(first) > 0 {
			first = maps.Clone(first)
			maps.Copy(first, kept)
			return first
		}
		return kept
	}
}
