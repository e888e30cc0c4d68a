package otelqredo_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"github.com/qredo-go/qredo/otelqredo"
)

// No test leaves a goroutine.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// telemetry keeps what is exported.
type telemetry struct {
	exported *tracetest.InMemoryExporter
	tracers  *sdktrace.TracerProvider
	reader   *sdkmetric.ManualReader
	opts     []otelqredo.Option
}

func newTelemetry(t *testing.T, opts ...otelqredo.Option) *telemetry {
	t.Helper()
	o := &telemetry{exported: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	o.tracers = sdktrace.NewTracerProvider(sdktrace.WithSyncer(o.exported))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(o.reader))
	o.opts = append([]otelqredo.Option{otelqredo.WithTracerProvider(o.tracers), otelqredo.WithMeterProvider(meters)}, opts...)
	t.Cleanup(func() {
		require.NoError(t, o.tracers.Shutdown(context.Background())) //nolint:usetesting // t.Context has ended
		require.NoError(t, meters.Shutdown(context.Background()))    //nolint:usetesting // the same
	})
	return o
}

// spans are those that have ended, by name, in the order of their ends.
func (o *telemetry) spans(name string) (found tracetest.SpanStubs) {
	for _, s := range o.exported.GetSpans() {
		if s.Name == name {
			found = append(found, s)
		}
	}
	return found
}

// span is the only one with a name.
func (o *telemetry) span(t *testing.T, name string) tracetest.SpanStub {
	t.Helper()
	found := o.spans(name)
	require.Len(t, found, 1, name)
	return found[0]
}

// attrs are a span's attributes, as text.
func attrs(s tracetest.SpanStub) map[string]string { return texts(s.Attributes) }

func texts(attrs []attribute.KeyValue) map[string]string {
	all := map[string]string{}
	for _, a := range attrs {
		all[string(a.Key)] = a.Value.Emit()
	}
	return all
}

// metrics are all series: counts, or the number of measurements, by name and attributes.
func (o *telemetry) metrics(t *testing.T) map[string]string {
	t.Helper()
	var read metricdata.ResourceMetrics
	require.NoError(t, o.reader.Collect(t.Context(), &read))
	all := map[string]string{}
	for _, scope := range read.ScopeMetrics {
		for _, m := range scope.Metrics {
			add := func(set attribute.Set, value any) {
				all[fmt.Sprint(m.Name, " ", m.Unit, " ", set.Encoded(attribute.DefaultEncoder()))] = fmt.Sprint(value)
			}
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					add(p.Attributes, p.Value)
				}
			case metricdata.Gauge[int64]:
				for _, p := range data.DataPoints {
					add(p.Attributes, p.Value)
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					add(p.Attributes, p.Value)
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					add(p.Attributes, p.Count)
				}
			default:
				require.Fail(t, "a metric of another kind", "%s %T", m.Name, data)
			}
		}
	}
	return all
}
