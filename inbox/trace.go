package inbox

import "context"

// Trace follows an inbox at work. Its functions are called when something begins, and the functions that they return when it
// ends. Each of them may be nil. They are called by several goroutines at a time, and should be quick. Package otelqredo
// provides a Trace for OpenTelemetry.
type Trace struct {
	// Look is called when the inbox looks at a fund or wallet: source is [Source].ID. The look continues with the returned
	// context. At the end the returned function gets what was recorded, or why that failed.
	Look func(ctx context.Context, source string) (context.Context, func(Recorded, error))
	// Hand is called when an entry is handed over, and the handler gets the returned context. At the end the returned function
	// gets the entry as it is then: [StateDone] or, with an error, [StateReady] if it will be tried again, or [StateAside]. The
	// error is the handler's or the store's; [ErrNotReady] means that another program was faster.
	Hand func(ctx context.Context, e Entry) (context.Context, func(Entry, error))
}

// WithTrace follows what the inbox does with t: see [Trace]. If you give several, the last one counts.
func WithTrace(t Trace) Option {
	return func(s *settings) error { s.trace = t; return nil }
}

// traceLook reports a look, and returns the context to go on with.
func (s *settings) traceLook(ctx context.Context, source string) (context.Context, func(Recorded, error)) {
	end := func(Recorded, error) {}
	if s.trace.Look != nil {
		traced, looked := s.trace.Look(ctx, source)
		if ctx = traced; looked != nil {
			end = looked
		}
	}
	return ctx, end
}

// traceHand reports an entry that is handed over, and returns the context to go on with.
func (s *settings) traceHand(ctx context.Context, e Entry) (context.Context, func(Entry, error)) {
	end := func(Entry, error) {}
	if s.trace.Hand != nil {
		traced, handed := s.trace.Hand(ctx, e)
		if ctx = traced; handed != nil {
			end = handed
		}
	}
	return ctx, end
}
