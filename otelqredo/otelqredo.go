// Package otelqredo produces OpenTelemetry traces and metrics for package qredo and its sibling packages. Each takes one
// option:
//
//	client, err := qredo.NewClient(auth, qredo.WithEnvironment(environment), otelqredo.Client())
//	box, err := outbox.New(client, store, otelqredo.Outbox())
//	in, err := inbox.New(client, store, inbox.WithFunds(company, fund), otelqredo.Inbox())
//	desk, err := approver.New(client, coreClient, rules, otelqredo.Approver())
//
// Traces and metrics go to the providers set by [otel.SetTracerProvider] and [otel.SetMeterProvider], unless an [Option] says
// otherwise.
//
// # Traces
//
// A call is a span named after its operation, "GET /company/{company_id}". Each attempt is a child span that follows the
// semantic conventions for HTTP clients: http.request.method, url.template, url.full, server.address, server.port,
// http.request.resend_count (from the second attempt on), http.response.status_code and error.type. The call's span has
// qredo.outcome (done, not_done or unknown) and qredo.attempts, and an event qredo.wait for each pause. A call that is refused
// before it is sent has no span.
//
// Whatever runs indefinitely has no span of its own. These are traces of their own: each connection of a feed; each time that a
// feed loses its connection, catches up or falls behind; each look of an inbox; each movement that it hands over; and each time
// that an approver handles an action. They are linked to the span in whose context the feed, the inbox or the approver runs.
//
// An outbox payment stays in the trace of the request that enqueued it, even if another program sends it days later: "outbox
// enqueue", then "outbox send" for each attempt, with its calls, and "outbox settle" at its end. Looks at its transaction, of
// which there may be many, are separate traces ("outbox look") linked to it. A person's decision is "outbox resolve" or "outbox
// retry".
//
// # Metrics
//
// Durations are histograms in seconds. By the semantic conventions, one measurement for each attempt:
//
//	http.client.request.duration       s
//
// The package's own metrics:
//
//	qredo.client.call.duration         s          qredo.operation, qredo.outcome, error.type: with attempts and pauses
//	qredo.client.retries               {attempt}  qredo.operation: attempts after the first of a call
//	qredo.client.unknown_outcomes      {call}     qredo.operation: calls that may have been carried out
//	qredo.client.wait.duration         s          qredo.wait.reason (retry, rate_limit, stop, turn), qredo.operation
//	qredo.feed.connected               {feed}     qredo.operation: feeds that are connected
//	qredo.feed.changes                 {change}   qredo.operation, qredo.feed.status (connected, caught_up, lost, behind)
//	qredo.feed.catch_up.duration       s          qredo.operation: from connecting until nothing is missing
//	qredo.outbox.entries               {payment}  qredo.outbox.state
//	qredo.outbox.unknown               {payment}  payments whose outcome is unknown now
//	qredo.outbox.oldest_due.age        s          how long the payment that has waited longest for a worker has been due
//	qredo.outbox.changes               {change}   qredo.outbox.step
//	qredo.outbox.payment.duration      s          qredo.outbox.state: from enqueuing to the end
//	qredo.inbox.looks                  {look}     error.type
//	qredo.inbox.recorded               {movement} movements that looks have found, new or changed
//	qredo.inbox.handed                 {movement} qredo.inbox.state (done; ready, to be tried again; aside)
//	qredo.inbox.hand.duration          s          qredo.inbox.state: how long the handler took
//	qredo.inbox.lag                    s          from the movement, by the service's clock, until it was handed over
//	qredo.approver.decisions           {action}   qredo.approver.verdict, qredo.approver.rule, qredo.approver.shadow
//	qredo.approver.results             {action}   qredo.approver.outcome, qredo.approver.shadow
//	qredo.approver.unread              {message}  feed messages that were not understood
//	qredo.approver.handling.duration   s          qredo.approver.verdict, error.type
//
// With [WithName] all metrics except the client's also have qredo.name. An outbox's gauges describe its store: programs that
// share one report the same values, so take their maximum, not their sum.
//
// error.type is a status ("503"), or one of: outcome_unknown, bad_answer, canceled, timeout, dns, certificate, dial, read,
// write, and _OTHER.
//
// # What is left out
//
// No span or metric contains a key, a signature, a header, a body, an amount, an address, a reference, or the text of an error,
// which may quote the service or a handler. Identifiers of companies, funds, wallets, transactions, actions and payments are in
// spans, but never in metrics: they are not secret, and you need them to find a trace. [WithoutIDs] leaves them out of spans
// too. All values of a query are REDACTED.
package otelqredo

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/qredo-go/qredo"
)

// scope names this package in traces and metrics.
const scope = "github.com/qredo-go/qredo/otelqredo"

// Option changes where spans and metrics go, and what they contain.
type Option func(*config)

type config struct {
	tracers trace.TracerProvider
	meters  metric.MeterProvider
	name    string
	noIDs   bool

	tracer trace.Tracer
	meter  metric.Meter
	own    []attribute.KeyValue // the name, if there is one
}

// WithTracerProvider sets where spans go. Default: [otel.GetTracerProvider].
func WithTracerProvider(p trace.TracerProvider) Option { return func(c *config) { c.tracers = p } }

// WithMeterProvider sets where metrics go. Default: [otel.GetMeterProvider].
func WithMeterProvider(p metric.MeterProvider) Option { return func(c *config) { c.meters = p } }

// WithName tells apart several outboxes, inboxes or approvers in one program: their spans and metrics have the name as
// qredo.name. Default: none.
func WithName(name string) Option { return func(c *config) { c.name = name } }

// WithoutIDs leaves identifiers of companies, funds, wallets, transactions, actions and payments out of spans. That includes
// url.full, which the semantic conventions ask for.
func WithoutIDs() Option { return func(c *config) { c.noIDs = true } }

func newConfig(opts []Option) *config {
	c := &config{tracers: otel.GetTracerProvider(), meters: otel.GetMeterProvider()}
	for _, opt := range opts {
		if opt != nil {
			opt(c)
		}
	}
	c.tracer = c.tracers.Tracer(scope, trace.WithInstrumentationVersion(qredo.Version), trace.WithSchemaURL(semconv.SchemaURL))
	c.meter = c.meters.Meter(scope, metric.WithInstrumentationVersion(qredo.Version), metric.WithSchemaURL(semconv.SchemaURL))
	if c.name != "" {
		c.own = []attribute.KeyValue{attribute.String("qredo.name", c.name)}
	}
	return c
}

// with returns attributes including the name.
func (c *config) with(attrs ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(append(attrs, c.own...)...))
}

// id sets an identifier on a span.
func (c *config) id(span trace.Span, key string, id string) {
	if !c.noIDs && id != "" {
		span.SetAttributes(attribute.String(key, id))
	}
}

// start begins a span.
func (c *config) start(ctx context.Context, name string, kind trace.SpanKind, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	return c.tracer.Start(ctx, name, append(opts, trace.WithSpanKind(kind), trace.WithAttributes(c.own...))...)
}

// root begins a span in a trace of its own, linked to the one in whose context it begins.
func (c *config) root(ctx context.Context, name string, kind trace.SpanKind, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	if in := trace.SpanContextFromContext(ctx); in.IsValid() {
		opts = append(opts, trace.WithLinks(trace.Link{SpanContext: in}))
	}
	return c.start(ctx, name, kind, append(opts, trace.WithNewRoot())...)
}

// Inject returns the W3C traceparent, and tracestate, of a context, which [Outbox] keeps with each payment. A store that
// enqueues payments in your own transactions needs it too: postgres.WithContextCarrier(otelqredo.Inject).
func Inject(ctx context.Context) map[string]string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return nil
	}
	kept := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, kept) // and no baggage: it may contain anything, and is stored for good
	return kept
}

func extract(ctx context.Context, kept map[string]string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier(kept))
}

// words formats a value of the SDK as attribute values are written.
func words[T ~string](value T) string { return strings.ReplaceAll(string(value), " ", "_") }
