package otelqredo

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/qredo-go/qredo"
)

// feeds records the states of feeds.
type feeds struct {
	*config
	connected metric.Int64UpDownCounter
	changes   metric.Int64Counter
	catchUp   metric.Float64Histogram
}

func newFeeds(c *config) *feeds {
	return &feeds{
		config:    c,
		connected: must(c.meter.Int64UpDownCounter("qredo.feed.connected", metric.WithUnit("{feed}"), metric.WithDescription("Feeds that have a connection."))),
		changes:   c.counter("qredo.feed.changes", "{change}", "Changes of feeds' connections; a lasting state is repeated once a minute."),
		catchUp:   c.histogram("qredo.feed.catch_up.duration", "Time from a feed's connection until it has caught up.", ofCalls),
	}
}

// feed follows one feed while it is ranged over.
func (f *feeds) feed(ctx context.Context, t qredo.Traced) func(qredo.FeedState) {
	var (
		op    = operationAttr(t)
		up    bool
		since time.Time // when it was connected; zero once it has caught up
	)
	count := func(change int64) { f.connected.Add(ctx, change, f.with(op)) }
	return func(s qredo.FeedState) {
		now := time.Now()
		if s.Status != "" {
			f.changes.Add(ctx, 1, f.with(op, attribute.String("qredo.feed.status", words(s.Status))))
		}
		switch s.Status {
		case qredo.FeedConnected:
			if since = now; !up {
				count(1)
			}
			up = true
			return // the connection has a span of its own
		case qredo.FeedCaughtUp:
			if since.IsZero() {
				return
			}
			f.catchUp.Record(ctx, now.Sub(since).Seconds(), f.with(op))
			f.tell(ctx, "feed caught up", op, since, now, nil)
			since = time.Time{}
			return
		case qredo.FeedBehind:
			f.tell(ctx, "feed behind", op, now, now, s.Err)
			return
		case qredo.FeedLost:
			f.tell(ctx, "feed lost", op, now, now, s.Err)
		default: // nobody ranges over it any more
		}
		if up {
			count(-1)
		}
		up, since = false, time.Time{}
	}
}

func (f *feeds) tell(ctx context.Context, name string, op attribute.KeyValue, from, to time.Time, err error) {
	_, span := f.root(ctx, name, trace.SpanKindInternal, trace.WithTimestamp(from), trace.WithAttributes(op))
	failed(span, err)
	span.End(trace.WithTimestamp(to))
}
