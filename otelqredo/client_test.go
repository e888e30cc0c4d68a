package otelqredo_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/otelqredo"
)

const company = "GET /company/{company_id}"

// answering gives one answer after the other.
func answering(statuses ...int) clienttest.RoundTrip {
	return func(req *http.Request) (*http.Response, error) {
		status := statuses[0]
		statuses = statuses[1:]
		return clienttest.Answer(req, status, `{"company_id":"c","companies":[],"code":503,"msg":"down"}`), nil
	}
}

// A call that fails twice is one trace: the call, and below it an attempt for each request that was sent.
func TestACallWithTwoFailuresIsOneTrace(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		o := newTelemetry(t)
		below := otelhttp.NewTransport(answering(503, 503, 200), otelhttp.WithTracerProvider(o.tracers))
		client := clienttest.NewQuickClient(t, below, qredo.WithRetry(qredo.RetryPolicy{MinBackoff: time.Second}), otelqredo.Client(o.opts...))
		_, err := client.Companies.Get(t.Context(), "c")
		require.NoError(t, err)

		spans := o.spans(company)
		require.Len(t, spans, 4)
		call, attempts := spans[3], spans[:3]
		assert.False(t, call.Parent.IsValid())
		assert.Equal(t, trace.SpanKindInternal, call.SpanKind)
		assert.Equal(t, codes.Unset, call.Status.Code)
		assert.Equal(t, map[string]string{
			"qredo.operation": company, "qredo.outcome": "done", "qredo.attempts": "3", "http.response.status_code": "200",
		}, attrs(call))
		require.Len(t, call.Events, 2)
		assert.Equal(t, "qredo.wait", call.Events[0].Name)
		assert.Equal(t, "retry", texts(call.Events[0].Attributes)["qredo.wait.reason"])
		want := map[string]string{
			"http.request.method": "GET", "url.template": "/company/{company_id}", "url.full": clienttest.BaseURL + "/company/c",
			"server.address": "sandbox-api.qredo.network", "server.port": "443",
			"http.response.status_code": "503", "error.type": "503", "qredo.outcome": "not_done",
		}
		for i, attempt := range attempts {
			switch i {
			case 1:
				want["http.request.resend_count"] = "1"
			case 2:
				want["http.request.resend_count"], want["http.response.status_code"], want["qredo.outcome"] = "2", "200", "done"
				delete(want, "error.type")
			}
			assert.Equal(t, want, attrs(attempt), i)
			assert.Equal(t, trace.SpanKindClient, attempt.SpanKind)
			assert.Equal(t, call.SpanContext.SpanID(), attempt.Parent.SpanID())
			assert.Equal(t, call.SpanContext.TraceID(), attempt.SpanContext.TraceID())
		}
		assert.Equal(t, codes.Error, attempts[1].Status.Code)
		transport := o.spans("HTTP GET")
		require.Len(t, transport, 3)
		assert.Equal(t, attempts[2].SpanContext.SpanID(), transport[2].Parent.SpanID(), "what the transport begins is below the attempt")

		http := "http.request.method=GET,http.response.status_code="
		at := "server.address=sandbox-api.qredo.network,server.port=443,url.template=/company/{company_id}"
		op := "qredo.operation=" + company
		assert.Equal(t, map[string]string{
			"http.client.request.duration s error.type=503," + http + "503," + at: "2",
			"http.client.request.duration s " + http + "200," + at:                "1",
			"qredo.client.call.duration s " + op + ",qredo.outcome=done":          "1",
			"qredo.client.retries {attempt} " + op:                                "2",
			"qredo.client.wait.duration s " + op + ",qredo.wait.reason=retry":     "2",
		}, o.metrics(t))
	})
}

// The boundaries are those of the semantic conventions.
func TestBoundaries(t *testing.T) {
	o := newTelemetry(t)
	_, err := clienttest.NewQuickClient(t, answering(200), otelqredo.Client(o.opts...)).Companies.Get(t.Context(), "c")
	require.NoError(t, err)
	var read metricdata.ResourceMetrics
	require.NoError(t, o.reader.Collect(t.Context(), &read))
	for _, m := range read.ScopeMetrics[0].Metrics {
		if m.Name == "http.client.request.duration" {
			bounds := m.Data.(metricdata.Histogram[float64]).DataPoints[0].Bounds
			assert.Equal(t, []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}, bounds)
			return
		}
	}
	assert.Fail(t, "it is not measured")
}

// How calls end that do not succeed.
func TestFailures(t *testing.T) {
	for name, test := range map[string]struct {
		transport clienttest.RoundTrip
		outcome   string
		call      string // error.type
		attempt   string
	}{
		"refused":            {clienttest.AnswerWith(400, `{"code":400,"msg":"no"}`), "not_done", "400", "400"},
		"a fault":            {clienttest.FailingWith(500), "unknown", "outcome_unknown", "500"},
		"the answer is lost": {clienttest.Failing(clienttest.ErrReset), "unknown", "outcome_unknown", "read"},
		"a timeout":          {clienttest.Failing(clienttest.ErrTimeout), "unknown", "outcome_unknown", "timeout"},
		"not reached":        {clienttest.Failing(clienttest.ErrRefused), "not_done", "dial", "dial"},
		"no such host":       {clienttest.Failing(clienttest.ErrNoName), "not_done", "dns", "dns"},
		"cut":                {clienttest.CutAfter(200, `{"tx_id":`), "unknown", "outcome_unknown", "_OTHER"},
		"not understood":     {clienttest.AnswerWith(200, `[]`), "unknown", "outcome_unknown", ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := newTelemetry(t)
			client := clienttest.NewClient(t, test.transport, otelqredo.Client(o.opts...))
			_, err := client.Transfers.Create(t.Context(), clienttest.CompanyID, clienttest.GoodTransfer())
			require.Error(t, err)
			const transfer = "POST /company/{company_id}/transfer"
			spans := o.spans(transfer)
			require.Len(t, spans, 2)
			assert.Equal(t, test.attempt, attrs(spans[0])["error.type"], "attempt")
			call := spans[1]
			assert.Equal(t, test.outcome, attrs(call)["qredo.outcome"])
			assert.Equal(t, test.call, attrs(call)["error.type"])
			assert.Equal(t, codes.Error, call.Status.Code)
			unknown := ""
			if test.outcome == "unknown" {
				unknown = "1"
			}
			assert.Equal(t, unknown, o.metrics(t)["qredo.client.unknown_outcomes {call} qredo.operation="+transfer])
		})
	}
}

func TestACallThatIsCanceled(t *testing.T) {
	o := newTelemetry(t)
	ctx, cancel := context.WithCancel(t.Context())
	client := clienttest.NewQuickClient(t, clienttest.RoundTrip(func(*http.Request) (*http.Response, error) {
		cancel()
		return nil, context.Canceled
	}), otelqredo.Client(o.opts...))
	_, err := client.Companies.Get(ctx, "c")
	require.ErrorIs(t, err, context.Canceled)
	spans := o.spans(company)
	require.Len(t, spans, 2)
	for _, s := range spans {
		assert.Equal(t, "canceled", attrs(s)["error.type"])
		assert.Equal(t, codes.Error, s.Status.Code)
	}
}

// Names have no IDs in them, whoever makes the call, and queries have no values.
func TestNames(t *testing.T) {
	for name, test := range map[string]struct {
		method, path string
		opts         []qredo.CallOption
		span         string
		full         string
	}{
		"without an operation":   {"GET", "/thing/17?q=Alice%20Smith&limit=5&x", nil, "GET", "/thing/17?q=REDACTED&limit=REDACTED&REDACTED"},
		"with an operation":      {"GET", "/thing/17", []qredo.CallOption{qredo.WithOperation("GET /thing/{thing_id}")}, "GET /thing/{thing_id}", "/thing/17"},
		"a method of one's own":  {"BREW", "/thing/17", nil, "HTTP", "/thing/17"},
		"an operation in words":  {"GET", "/thing/17", []qredo.CallOption{qredo.WithOperation("thing 17")}, "GET", "/thing/17"},
		"a method in small caps": {"get", "/thing", nil, "GET", "/thing"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newTelemetry(t)
			client := clienttest.NewQuickClient(t, answering(200), otelqredo.Client(o.opts...))
			require.NoError(t, client.Do(t.Context(), test.method, test.path, nil, nil, test.opts...))
			spans := o.spans(test.span)
			require.Len(t, spans, 2)
			assert.Equal(t, clienttest.BaseURL+test.full, attrs(spans[0])["url.full"])
			for series := range o.metrics(t) {
				assert.NotContains(t, series, "17")
			}
		})
	}
}

// The search of companies has its text in the query.
func TestWhatIsSearchedForIsNotTold(t *testing.T) {
	o := newTelemetry(t)
	client := clienttest.NewQuickClient(t, answering(200), otelqredo.Client(o.opts...))
	_, _ = client.Companies.Search(t.Context(), "Smith") // the result does not matter
	spans := o.exported.GetSpans()
	require.NotEmpty(t, spans)
	requireSilent(t, o, "Smith")
	assert.Contains(t, attrs(spans[0])["url.full"], "=REDACTED")
}

func TestWithoutIDs(t *testing.T) {
	o := newTelemetry(t, otelqredo.WithoutIDs())
	client := clienttest.NewQuickClient(t, answering(200), otelqredo.Client(o.opts...))
	_, _ = client.Companies.Get(t.Context(), clienttest.CompanyID) // the answer is about another one
	require.Len(t, o.spans(company), 2)
	requireSilent(t, o, clienttest.CompanyID)
}

// A feed has a trace for each connection and each loss, and none that never ends.
func TestFeed(t *testing.T) {
	o := newTelemetry(t)
	service := clienttest.ServeFeed(t, func(ctx context.Context, ws *websocket.Conn, connection int) {
		if connection > 1 {
			<-ctx.Done()
		}
		_ = ws.CloseNow()
	})
	client, err := qredo.NewClient(clienttest.NewAuth(t), qredo.WithBaseURL(service.Server.URL), otelqredo.Client(o.opts...))
	require.NoError(t, err)
	running, run := o.tracers.Tracer("test").Start(t.Context(), "the program")
	ctx, stop := context.WithCancel(running)
	defer stop()
	caughtUp := 0
	const name = "GET /coreclient/{client_id}/feed"
	state := qredo.WithFeedState(func(s qredo.FeedState) {
		if s.Status == qredo.FeedCaughtUp && service.Connections.Load() > 1 {
			caughtUp++
			assert.Equal(t, "1", o.metrics(t)["qredo.feed.connected {feed} qredo.operation="+name])
			stop()
		}
	})
	for _, err := range client.CoreClients.Feed(ctx, clienttest.CoreID, state, qredo.WithBackoff(time.Millisecond, time.Millisecond)) {
		require.Fail(t, "nothing is given", "%v", err)
	}
	run.End()
	require.Equal(t, 1, caughtUp)

	connections := 0
	for _, s := range o.spans(name) {
		if s.SpanKind != trace.SpanKindInternal || attrs(s)["http.response.status_code"] != "101" {
			continue
		}
		connections++
		assert.NotEqual(t, run.SpanContext().TraceID(), s.SpanContext.TraceID())
		require.Len(t, s.Links, 1)
		assert.Equal(t, run.SpanContext().SpanID(), s.Links[0].SpanContext.SpanID())
	}
	assert.Equal(t, 2, connections)
	lost := o.span(t, "feed lost")
	assert.Equal(t, codes.Error, lost.Status.Code)
	assert.NotEmpty(t, o.spans("feed caught up"))
	read := o.metrics(t)
	assert.Equal(t, "0", read["qredo.feed.connected {feed} qredo.operation="+name], "it has ended")
	assert.Equal(t, "2", read["qredo.feed.changes {change} qredo.feed.status=connected,qredo.operation="+name])
	assert.Equal(t, "1", read["qredo.feed.changes {change} qredo.feed.status=lost,qredo.operation="+name])
	for series := range read {
		assert.False(t, strings.Contains(series, clienttest.CoreID), series)
	}
}
