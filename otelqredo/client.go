package otelqredo

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
	"go.opentelemetry.io/otel/trace"

	"github.com/qredo-go/qredo"
)

// Client traces and measures a client's calls and feeds. It replaces [qredo.WithTrace]. A transport that traces as well, such
// as that of package otelhttp, adds its spans below the attempts and measures http.client.request.duration a second time: use
// only one of them.
func Client(opts ...Option) qredo.Option {
	c := newConfig(opts)
	t := &client{
		config:   c,
		requests: must(httpconv.NewClientRequestDuration(c.meter)),
		calls:    c.histogram("qredo.client.call.duration", "Duration of calls, with all attempts and pauses.", ofCalls),
		retries:  c.counter("qredo.client.retries", "{attempt}", "Attempts that were not the first of their call."),
		unknown:  c.counter("qredo.client.unknown_outcomes", "{call}", "Calls that may have been carried out, although no response confirms it."),
		waits:    c.histogram("qredo.client.wait.duration", "Pauses of calls.", ofCalls),
		feeds:    newFeeds(c),
	}
	return qredo.WithTrace(qredo.Trace{Call: t.call, Attempt: t.attempt, Wait: t.wait, Feed: t.feeds.feed})
}

type client struct {
	*config
	requests httpconv.ClientRequestDuration
	calls    metric.Float64Histogram
	retries  metric.Int64Counter
	unknown  metric.Int64Counter
	waits    metric.Float64Histogram
	feeds    *feeds
}

// operation is what spans are named after: nothing that contains IDs.
func operation(t qredo.Traced) string {
	if t.Template == "" {
		return spanMethod(t.Method)
	}
	return t.Method + " " + t.Template
}

// method is a method as in the semantic conventions: only known ones.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace, "QUERY":
		return m
	}
	return semconv.HTTPRequestMethodOther.Value.AsString()
}

func spanMethod(m string) string {
	if method(m) != m {
		return "HTTP"
	}
	return m
}

func operationAttr(t qredo.Traced) attribute.KeyValue {
	return attribute.String("qredo.operation", operation(t))
}

type operationKey struct{}

func (c *client) call(ctx context.Context, t qredo.Traced) (context.Context, func(qredo.Attempt)) {
	begin := c.start
	if strings.HasPrefix(t.URL.Scheme, "ws") { // a connection of a feed, which may be ranged over for ever
		begin = c.root
	}
	op := operationAttr(t)
	ctx, span := begin(ctx, operation(t), trace.SpanKindInternal, trace.WithAttributes(op))
	ctx = context.WithValue(ctx, operationKey{}, op)
	return ctx, func(a qredo.Attempt) {
		outcome := attribute.String("qredo.outcome", words(a.Outcome))
		attrs := []attribute.KeyValue{op, outcome}
		if a.Outcome == qredo.OutcomeUnknown { // whatever the last attempt returned
			attrs = append(attrs, fail(span, "outcome_unknown"))
		} else {
			attrs = append(attrs, failed(span, a.Err)...)
		}
		span.SetAttributes(outcome, attribute.Int("qredo.attempts", a.Number))
		if a.StatusCode != 0 {
			span.SetAttributes(semconv.HTTPResponseStatusCode(a.StatusCode))
		}
		c.calls.Record(ctx, a.Took.Seconds(), c.with(attrs...))
		if a.Outcome == qredo.OutcomeUnknown {
			c.unknown.Add(ctx, 1, c.with(op))
		}
		span.End()
	}
}

func (c *client) attempt(ctx context.Context, t qredo.Traced) (context.Context, func(qredo.Attempt)) {
	attrs := []attribute.KeyValue{semconv.HTTPRequestMethodKey.String(method(t.Method)), semconv.ServerAddress(t.URL.Hostname()), semconv.ServerPort(port(t.URL))}
	if t.Template != "" {
		attrs = append(attrs, semconv.URLTemplate(t.Template))
	}
	ctx, span := c.start(ctx, operation(t), trace.SpanKindClient, trace.WithAttributes(attrs...))
	if method(t.Method) != t.Method {
		span.SetAttributes(semconv.HTTPRequestMethodOriginal(t.Method))
	}
	c.id(span, string(semconv.URLFullKey), redacted(t.URL))
	if t.Number > 1 {
		span.SetAttributes(semconv.HTTPRequestResendCount(t.Number - 1))
		c.retries.Add(ctx, 1, c.with(operationAttr(t)))
	}
	return ctx, func(a qredo.Attempt) {
		span.SetAttributes(attribute.String("qredo.outcome", words(a.Outcome)))
		ended := attrs[:len(attrs):len(attrs)]
		if a.StatusCode != 0 {
			ended = append(ended, semconv.HTTPResponseStatusCode(a.StatusCode))
			span.SetAttributes(semconv.HTTPResponseStatusCode(a.StatusCode))
		}
		switch {
		case a.StatusCode >= http.StatusBadRequest:
			ended = append(ended, fail(span, strconv.Itoa(a.StatusCode)))
		default:
			ended = append(ended, failed(span, a.Err)...)
		}
		c.requests.RecordSet(ctx, a.Took.Seconds(), attribute.NewSet(ended...))
		span.End()
	}
}

func (c *client) wait(ctx context.Context, w qredo.Wait) {
	reason := attribute.String("qredo.wait.reason", words(w.For))
	trace.SpanFromContext(ctx).AddEvent("qredo.wait", trace.WithAttributes(reason, attribute.Float64("qredo.wait.duration", w.Took.Seconds())))
	attrs := []attribute.KeyValue{reason}
	if op, ok := ctx.Value(operationKey{}).(attribute.KeyValue); ok {
		attrs = append(attrs, op)
	}
	c.waits.Record(ctx, w.Took.Seconds(), c.with(attrs...))
}

// port is the port of a URL.
func port(u *url.URL) int {
	if n, err := strconv.Atoi(u.Port()); err == nil {
		return n
	}
	if strings.HasSuffix(u.Scheme, "s") {
		return 443
	}
	return 80
}

// redacted is a URL without the values of its query, which contain what was searched for.
func redacted(u *url.URL) string {
	shown := *u
	if u.RawQuery != "" {
		parts := strings.Split(u.RawQuery, "&")
		for i, part := range parts {
			if name, _, named := strings.Cut(part, "="); named {
				parts[i] = name + "=REDACTED"
			} else {
				parts[i] = "REDACTED"
			}
		}
		shown.RawQuery = strings.Join(parts, "&")
	}
	return shown.String()
}
