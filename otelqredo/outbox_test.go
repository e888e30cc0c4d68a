package otelqredo_test

import (
	"context"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/otelqredo"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/sandbox"
)

func payment(w *clienttest.World) outbox.Transfer {
	return outbox.Transfer{CompanyID: w.Company, TransferRequest: w.Transfer(1234567)}
}

// run has an outbox work until stop is called.
func run(t *testing.T, box *outbox.Outbox) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- box.Run(ctx) }()
	return func() {
		cancel()
		require.NoError(t, <-ended)
	}
}

// until watches an entry until something is true of it.
func until(t *testing.T, box *outbox.Outbox, key string, is func(outbox.Entry) bool) {
	t.Helper()
	for e, err := range box.Watch(t.Context(), key) {
		require.NoError(t, err)
		if is(e) {
			return
		}
	}
	require.Fail(t, "it has ended otherwise")
}

func open(t *testing.T, path string) outbox.Store {
	t.Helper()
	store, err := outbox.OpenStore(path)
	require.NoError(t, err)
	return store
}

// in counts those spans of a name that are in a trace.
func in(spans tracetest.SpanStubs, of trace.SpanContext) (n int) {
	for _, s := range spans {
		if s.SpanContext.TraceID() == of.TraceID() {
			n++
		}
	}
	return n
}

// A payment's trace begins where it is enqueued, and goes on in another program, which has only the store: over an answer that is
// lost, to its end.
func TestAPaymentIsOneTraceInTwoPrograms(t *testing.T) {
	w := clienttest.NewWorld(t)
	path := filepath.Join(t.TempDir(), "payments.db")

	first := newTelemetry(t)
	store := open(t, path)
	box, err := outbox.New(w.Client, store, otelqredo.Outbox(first.opts...))
	require.NoError(t, err)
	ctx, request := first.tracers.Tracer("test").Start(t.Context(), "POST /invoices/17/pay")
	_, err = box.Enqueue(ctx, "invoice-17", payment(w))
	require.NoError(t, err)
	request.End()
	again, other := first.tracers.Tracer("test").Start(t.Context(), "the same once more")
	_, err = box.Enqueue(again, "invoice-17", payment(w))
	require.NoError(t, err)
	other.End()
	require.NoError(t, store.Close())

	enqueued := first.spans("outbox enqueue")
	require.Len(t, enqueued, 2)
	assert.Equal(t, request.SpanContext().SpanID(), enqueued[0].Parent.SpanID())
	assert.Equal(t, trace.SpanKindProducer, enqueued[0].SpanKind)
	assert.Equal(t, "false", attrs(enqueued[0])["qredo.outbox.known"])
	assert.Equal(t, "true", attrs(enqueued[1])["qredo.outbox.known"])
	require.Len(t, enqueued[1].Links, 1)
	assert.Equal(t, enqueued[0].SpanContext.SpanID(), enqueued[1].Links[0].SpanContext.SpanID())

	second := newTelemetry(t)
	lost := false
	client := w.Through(loseFirst(&lost), qredo.WithRetry(clienttest.Once), otelqredo.Client(second.opts...))
	store = open(t, path)
	box, err = outbox.New(client, store, outbox.WithPollInterval(5*time.Millisecond), outbox.WithBackoff(time.Millisecond, time.Millisecond), otelqredo.Outbox(second.opts...))
	require.NoError(t, err)
	stop := run(t, box)
	until(t, box, "invoice-17", func(e outbox.Entry) bool {
		if e.State == outbox.StateSent && e.TxStatus == "" {
			w.Approve(t, e.TxID)
		}
		return e.State == outbox.StateDone
	})
	stop()

	of := request.SpanContext()
	sends := second.spans("outbox send")
	require.Len(t, sends, 2)
	for _, s := range sends {
		assert.Equal(t, enqueued[0].SpanContext.SpanID(), s.Parent.SpanID())
		assert.True(t, s.Parent.IsRemote())
	}
	assert.Equal(t, "outcome_unknown", attrs(sends[0])["error.type"])
	assert.Equal(t, codes.Error, sends[0].Status.Code)
	assert.Equal(t, codes.Unset, sends[1].Status.Code)
	assert.Equal(t, "sent", attrs(sends[1])["qredo.outbox.state"])
	const post = "POST /company/{company_id}/transfer"
	assert.Equal(t, 4, in(second.spans(post), of), "two calls of an attempt each")
	settle := second.span(t, "outbox settle")
	assert.Equal(t, 1, in(second.spans("outbox settle"), of))
	assert.Equal(t, "done", attrs(settle)["qredo.outbox.state"])
	looks := second.spans("outbox look")
	require.NotEmpty(t, looks)
	assert.Zero(t, in(looks, of), "there may be many of them")
	require.Len(t, looks[0].Links, 1)
	assert.Equal(t, of.TraceID(), looks[0].Links[0].SpanContext.TraceID())

	read := second.metrics(t)
	assert.Equal(t, "1", read["qredo.outbox.payment.duration s qredo.outbox.state=done"])
	assert.Equal(t, "1", read["qredo.outbox.changes {change} qredo.outbox.step=unknown"])
	assert.Equal(t, "1", read["qredo.outbox.entries {payment} qredo.outbox.state=done"])
	assert.Equal(t, "0", read["qredo.outbox.entries {payment} qredo.outbox.state=held"])
	assert.Equal(t, "0", read["qredo.outbox.unknown {payment} "])
	require.NoError(t, store.Close())
	assert.NotContains(t, second.metrics(t), "qredo.outbox.unknown {payment} ", "the store is closed")
}

// loseFirst loses the first answer to a transfer.
func loseFirst(lost *bool) func(*http.Request, http.RoundTripper) (*http.Response, error) {
	return func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		if req.Method == "POST" && !*lost {
			*lost = true
			return clienttest.LoseAnswer(req, next)
		}
		return next.RoundTrip(req)
	}
}

// A payment that was enqueued without a trace is sent in a trace of its own, and a person's decision is reported.
func TestAPaymentWithoutATrace(t *testing.T) {
	w := clienttest.NewWorld(t)
	require.NoError(t, w.Srv.SetFaults(1, sandbox.FaultRule{Kind: sandbox.FaultDropAnswer, Operation: "POST /company/{company_id}/transfer", Rate: 1}))
	path := filepath.Join(t.TempDir(), "payments.db")
	store := open(t, path)
	before, err := outbox.New(w.Client, store) // without this package
	require.NoError(t, err)
	_, err = before.Enqueue(t.Context(), "invoice-17", payment(w))
	require.NoError(t, err)
	require.NoError(t, store.Close())

	o := newTelemetry(t, otelqredo.WithName("payouts"))
	store = open(t, path)
	box, err := outbox.New(w.Srv.Client(qredo.WithRetry(clienttest.Once)), store, otelqredo.Outbox(o.opts...))
	require.NoError(t, err)
	stop := run(t, box)
	until(t, box, "invoice-17", func(e outbox.Entry) bool { return e.Unknown })
	stop()
	send := o.spans("outbox send")[0]
	assert.False(t, send.Parent.IsValid())
	assert.Equal(t, "payouts", attrs(send)["qredo.name"])
	assert.Equal(t, "1", o.metrics(t)["qredo.outbox.unknown {payment} qredo.name=payouts"])

	_, err = box.Retry(t.Context(), "invoice-17", "Alice wants to know")
	require.NoError(t, err)
	assert.Equal(t, "pending", attrs(o.span(t, "outbox retry"))["qredo.outbox.state"])
	pending := w.Pending(t, w.Robot)
	require.NotEmpty(t, pending)
	_, err = box.Resolve(t.Context(), "invoice-17", "made", "Alice sees it in the app")
	require.NoError(t, err)
	assert.Equal(t, "sent", attrs(o.span(t, "outbox resolve"))["qredo.outbox.state"])
	requireSilent(t, o, "Alice")
	require.NoError(t, store.Close())
}
