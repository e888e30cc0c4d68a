package otelqredo

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/qredo-go/qredo/inbox"
)

// Inbox traces and measures an inbox's looks and the movements that it hands over. It replaces [inbox.WithTrace]. The handler's
// context has the movement's span, which is linked to the look that last found something in its fund or wallet.
func Inbox(opts ...Option) inbox.Option {
	c := newConfig(opts)
	m := &movements{
		config:   c,
		looks:    c.counter("qredo.inbox.looks", "{look}", "Looks at a fund or wallet."),
		recorded: c.counter("qredo.inbox.recorded", "{movement}", "Movements that were found, new or changed."),
		handed:   c.counter("qredo.inbox.handed", "{movement}", "Calls of the handler."),
		took:     c.histogram("qredo.inbox.hand.duration", "Calls of the handler.", ofCalls),
		lag:      c.histogram("qredo.inbox.lag", "From when something moved until it was handed over.", ofPayments),
	}
	return inbox.WithTrace(inbox.Trace{Look: m.look, Hand: m.hand})
}

type movements struct {
	*config
	looks, recorded, handed metric.Int64Counter
	took, lag               metric.Float64Histogram

	found sync.Map // the span context of the last look that found something, by source
}

func (m *movements) look(ctx context.Context, source string) (context.Context, func(inbox.Recorded, error)) {
	ctx, span := m.root(ctx, "inbox look", trace.SpanKindInternal)
	m.id(span, "qredo.inbox.source", source)
	return ctx, func(r inbox.Recorded, err error) {
		m.looks.Add(ctx, 1, m.with(failed(span, err)...))
		span.SetAttributes(attribute.Int("qredo.inbox.new", r.New), attribute.Int("qredo.inbox.changed", r.Changed))
		if n := r.New + r.Changed; n > 0 {
			m.recorded.Add(ctx, int64(n), m.with())
			m.found.Store(source, span.SpanContext())
		}
		span.End()
	}
}

func (m *movements) hand(ctx context.Context, e inbox.Entry) (context.Context, func(inbox.Entry, error)) {
	var opts []trace.SpanStartOption
	if found, ok := m.found.Load(e.Source); ok {
		opts = append(opts, trace.WithLinks(trace.Link{SpanContext: found.(trace.SpanContext)}))
	}
	began := time.Now()
	ctx, span := m.root(ctx, "inbox hand", trace.SpanKindConsumer, opts...)
	m.id(span, "qredo.inbox.key", e.ID)
	m.id(span, "qredo.tx_id", string(e.Movement.TxID))
	span.SetAttributes(attribute.Bool("qredo.inbox.reversal", e.Movement.Reversal), attribute.Int("qredo.inbox.attempt", e.Attempts+1))
	return ctx, func(after inbox.Entry, err error) {
		defer span.End()
		switch {
		case errors.Is(err, inbox.ErrNotReady): // another program was faster, and reports it
			return
		case after.Attempts == e.Attempts && errors.Is(err, context.Canceled): // the program stops
			failed(span, err)
			return
		}
		state := attribute.String("qredo.inbox.state", string(after.State))
		span.SetAttributes(state)
		if err != nil {
			fail(span, "handler")
		}
		m.handed.Add(ctx, 1, m.with(state))
		m.took.Record(ctx, time.Since(began).Seconds(), m.with(state))
		if after.State == inbox.StateDone && e.Movement.Moved {
			m.lag.Record(ctx, max(0, time.Since(e.Movement.Time).Seconds()), m.with())
		}
	}
}
