package otelqredo

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// Approver traces and measures an approver's decisions. It replaces [approver.WithTrace]. The context of the policy has the
// action's span. Reasons, which are for people and may name amounts, are only in the audit log.
func Approver(opts ...Option) approver.Option {
	c := newConfig(opts)
	a := &actions{
		config:    c,
		decisions: c.counter("qredo.approver.decisions", "{action}", "Decisions."),
		results:   c.counter("qredo.approver.results", "{action}", "Actions by outcome."),
		unread:    c.counter("qredo.approver.unread", "{message}", "Messages of the feed that could not be parsed."),
		took:      c.histogram("qredo.approver.handling.duration", "Handling an action once.", ofCalls),
	}
	return approver.WithTrace(approver.Trace{Action: a.action, Entry: a.entry})
}

type actions struct {
	*config
	decisions, results, unread metric.Int64Counter
	took                       metric.Float64Histogram
}

func (a *actions) action(ctx context.Context, id qredo.ActionID) (context.Context, func(approver.Handled)) {
	began := time.Now()
	ctx, span := a.root(ctx, "approver action", trace.SpanKindConsumer)
	a.id(span, "qredo.action_id", string(id))
	return ctx, func(h approver.Handled) {
		defer span.End()
		verdict := attribute.String("qredo.approver.verdict", string(h.Verdict))
		attrs := []attribute.KeyValue{verdict}
		span.SetAttributes(attribute.Int("qredo.approver.attempt", h.Attempt), shadow(h.Shadow), verdict, rule(h.Rule),
			attribute.String("qredo.approver.outcome", string(h.Outcome)))
		switch {
		case errors.As(h.Err, new(*approver.ClaimedError)): // another replica handles it
			span.SetAttributes(attribute.Bool("qredo.approver.claimed", true))
			return
		case h.Err != nil:
			attrs = append(attrs, failed(span, h.Err)...)
		}
		a.took.Record(ctx, time.Since(began).Seconds(), a.with(attrs...))
	}
}

func shadow(is bool) attribute.KeyValue   { return attribute.Bool("qredo.approver.shadow", is) }
func rule(name string) attribute.KeyValue { return attribute.String("qredo.approver.rule", name) }

// entry counts what the audit log records.
func (a *actions) entry(e approver.Entry) {
	ctx, inShadow := context.Background(), shadow(e.Kind == approver.EntryShadow)
	switch {
	case e.Kind == approver.EntryUnread:
		a.unread.Add(ctx, 1, a.with())
	case e.Kind == approver.EntryResult, e.Kind == approver.EntryShadow && e.Outcome != "":
		a.results.Add(ctx, 1, a.with(attribute.String("qredo.approver.outcome", string(e.Outcome)), inShadow))
	case e.Kind == approver.EntryDecision, e.Kind == approver.EntryShadow:
		a.decisions.Add(ctx, 1, a.with(attribute.String("qredo.approver.verdict", string(e.Verdict)), rule(e.Rule), inShadow))
	}
}
