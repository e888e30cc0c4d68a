package otelqredo

import (
	"context"
	"runtime"
	"strings"
	"time"
	"weak"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/qredo-go/qredo/outbox"
)

// Outbox traces and measures an outbox's payments, and keeps their traces with them. It replaces [outbox.WithTrace]; you can
// still give your own [outbox.WithContextCarrier] and [outbox.WithObserver]. The store is asked for its counts whenever metrics
// are read.
//
// A payment that was stored without a trace, by an earlier version or by a store's EnqueueTx without [Inject], is sent in
// traces of its own.
func Outbox(opts ...Option) outbox.Option {
	return func(o *outbox.Outbox) error {
		c := newConfig(opts)
		b := &payments{
			config:  c,
			changes: c.counter("qredo.outbox.changes", "{change}", "Changes of payments that were stored."),
			took:    c.histogram("qredo.outbox.payment.duration", "Time from when a payment was enqueued until its end.", ofPayments),
		}
		b.gauge(o)
		if err := outbox.WithContextCarrier(Inject, extract)(o); err != nil {
			return err
		}
		return outbox.WithTrace(outbox.Trace{Enqueue: b.enqueue, Work: b.work, Change: b.change})(o)
	}
}

type payments struct {
	*config
	changes metric.Int64Counter
	took    metric.Float64Histogram
}

// gauge reports the store's contents for as long as the outbox is in use.
func (b *payments) gauge(o *outbox.Outbox) {
	entries := must(b.meter.Int64ObservableGauge("qredo.outbox.entries", metric.WithUnit("{payment}"), metric.WithDescription("Payments in the store.")))
	unknown := must(b.meter.Int64ObservableGauge("qredo.outbox.unknown", metric.WithUnit("{payment}"), metric.WithDescription("Payments whose outcome is unknown.")))
	age := must(b.meter.Float64ObservableGauge("qredo.outbox.oldest_due.age", metric.WithUnit("s"),
		metric.WithDescription("How long the payment that has waited longest for a worker has been due.")))
	inUse := weak.Make(o)
	registered, err := b.meter.RegisterCallback(func(ctx context.Context, to metric.Observer) error {
		o := inUse.Value()
		if o == nil {
			return nil
		}
		stats, err := o.Stats(ctx)
		if err != nil {
			return nil //nolint:nilerr // the store is closed, or whoever needs it logs its failure: the missing gauge shows it
		}
		for _, state := range states {
			to.ObserveInt64(entries, int64(stats.States[state]), b.with(attribute.String("qredo.outbox.state", string(state))))
		}
		to.ObserveInt64(unknown, int64(stats.Unknown), b.with())
		waits := 0.0
		if !stats.OldestDue.IsZero() {
			waits = max(0, time.Since(stats.OldestDue).Seconds())
		}
		to.ObserveFloat64(age, waits, b.with())
		return nil
	}, entries, unknown, age)
	if err != nil {
		otel.Handle(err)
		return
	}
	runtime.AddCleanup(o, func(r metric.Registration) { _ = r.Unregister() }, registered)
}

// states are all states that an entry can have, so that none is missing from the counts.
var states = [...]outbox.State{
	outbox.StatePending, outbox.StateSent, outbox.StateHeld, outbox.StateDone, outbox.StateFailed, outbox.StateRejected, outbox.StateExpired,
}

func (b *payments) enqueue(ctx context.Context, key string, _ outbox.Request) (context.Context, func(outbox.Entry, error)) {
	ctx, span := b.start(ctx, "outbox enqueue", trace.SpanKindProducer)
	b.id(span, "qredo.outbox.key", key)
	return ctx, func(e outbox.Entry, err error) {
		failed(span, err)
		if err == nil {
			known := !strings.Contains(e.Carrier["traceparent"], span.SpanContext().SpanID().String())
			span.SetAttributes(attribute.Bool("qredo.outbox.known", known))
			if first := trace.SpanContextFromContext(extract(context.Background(), e.Carrier)); known && first.IsValid() {
				span.AddLink(trace.Link{SpanContext: first})
			}
			b.about(span, e)
		}
		span.End()
	}
}

// about says how far an entry has come.
func (b *payments) about(span trace.Span, e outbox.Entry) {
	span.SetAttributes(attribute.String("qredo.outbox.state", string(e.State)))
	b.id(span, "qredo.outbox.key", e.Key)
	b.id(span, "qredo.partner_tx_id", string(e.PartnerTxID))
	b.id(span, "qredo.tx_id", string(e.TxID))
}

type paymentKey struct{}

// work is a worker's turn with an entry. The context has the payment's trace.
func (b *payments) work(ctx context.Context, e outbox.Entry) (context.Context, func(outbox.Entry)) {
	payment := ctx
	name, begin, kind := "outbox look", b.root, trace.SpanKindInternal
	if e.State == outbox.StatePending {
		name, kind = "outbox send", trace.SpanKindConsumer
		if trace.SpanContextFromContext(ctx).IsRemote() { // otherwise it is the worker's, which never ends
			begin = b.start
		}
	}
	ctx, span := begin(ctx, name, kind)
	if e.State == outbox.StatePending {
		payment = ctx
	}
	return context.WithValue(ctx, paymentKey{}, payment), func(after outbox.Entry) {
		b.about(span, after)
		if e.State == outbox.StatePending {
			span.SetAttributes(attribute.Int("qredo.outbox.attempt", after.Attempts))
		}
		switch {
		case after.Unknown:
			span.SetAttributes(attribute.String("qredo.outcome", "unknown"))
			fail(span, "outcome_unknown")
		case after.State == outbox.StateHeld:
			fail(span, "held")
		case after.Misses > e.Misses:
			fail(span, "delayed")
		}
		span.End()
	}
}

// change is a stored change of an entry.
func (b *payments) change(ctx context.Context, e outbox.Entry) {
	last := e.Steps[len(e.Steps)-1]
	b.changes.Add(ctx, 1, b.with(attribute.String("qredo.outbox.step", string(last.Kind))))
	payment, worked := ctx.Value(paymentKey{}).(context.Context)
	switch {
	case worked:
		ctx = payment
	case last.Kind == outbox.StepRetried:
		b.instant(ctx, "outbox retry", e)
	default:
		b.instant(ctx, "outbox resolve", e)
	}
	if !e.State.Ended() {
		return
	}
	b.took.Record(ctx, e.Updated.Sub(e.Created).Seconds(), b.with(attribute.String("qredo.outbox.state", string(e.State))))
	b.instant(ctx, "outbox settle", e)
}

// instant is a span without duration, in the payment's trace.
func (b *payments) instant(ctx context.Context, name string, e outbox.Entry) {
	begin := b.start
	if in := trace.SpanContextFromContext(ctx); !in.IsRemote() && ctx.Value(paymentKey{}) == nil {
		begin = b.root
	}
	_, span := begin(ctx, name, trace.SpanKindInternal)
	b.about(span, e)
	if e.State == outbox.StateFailed || e.State == outbox.StateExpired {
		fail(span, string(e.State))
	}
	span.End()
}
