package otelqredo

import (
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
)

// Histogram boundaries, in seconds.
var (
	ofCalls    = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120}
	ofPayments = []float64{1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 72 * 3600}
)

// must returns an instrument. If it cannot be created, OpenTelemetry's error handler is told, and the instrument measures
// nothing.
func must[I any](instrument I, err error) I {
	if err != nil {
		otel.Handle(err)
	}
	return instrument
}

func (c *config) histogram(name, about string, boundaries []float64) metric.Float64Histogram {
	return must(c.meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(about), metric.WithExplicitBucketBoundaries(boundaries...)))
}

func (c *config) counter(name, unit, about string) metric.Int64Counter {
	return must(c.meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(about)))
}
