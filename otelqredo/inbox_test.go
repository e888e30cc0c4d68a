package otelqredo_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/otelqredo"
)

// Each movement that is handed over is a trace, linked to the look that found it and to the program's; the handler is in it.
func TestInbox(t *testing.T) {
	w := clienttest.NewWorld(t)
	o := newTelemetry(t)
	store, err := inbox.OpenStore(filepath.Join(t.TempDir(), "inbox.db"))
	require.NoError(t, err)
	client := w.Srv.Client(otelqredo.Client(o.opts...))
	box, err := inbox.New(client, store, inbox.FromStart(), inbox.WithFunds(w.Company, w.Fund), inbox.WithBackoff(1, 1), otelqredo.Inbox(o.opts...))
	require.NoError(t, err)
	running, program := o.tracers.Tracer("test").Start(t.Context(), "the program")
	ctx, stop := context.WithCancel(running)
	defer stop()
	movements, failing := 0, errors.New("the ledger of Alice is locked")
	var handler trace.SpanContext
	require.NoError(t, box.Run(ctx, func(ctx context.Context, _ inbox.NoTx, m inbox.Movement) error {
		if m.Wallet != w.BTC {
			return nil
		}
		handler = trace.SpanContextFromContext(ctx)
		err := failing
		failing = nil
		if movements++; err == nil {
			stop()
		}
		return err
	}))
	program.End()
	require.Equal(t, 2, movements)
	require.NoError(t, store.Close())

	found := false
	for _, s := range o.spans("inbox hand") {
		assert.False(t, s.Parent.IsValid())
		require.Len(t, s.Links, 2)
		look := o.spans("inbox look")[0].SpanContext
		assert.Equal(t, look.SpanID(), s.Links[0].SpanContext.SpanID())
		assert.Equal(t, program.SpanContext().SpanID(), s.Links[1].SpanContext.SpanID())
		found = found || s.SpanContext.SpanID() == handler.SpanID()
		if attrs(s)["qredo.inbox.state"] == "ready" {
			assert.Equal(t, codes.Error, s.Status.Code)
		}
	}
	assert.True(t, found, "the handler's context has the span")
	read := o.metrics(t)
	assert.Equal(t, "1", read["qredo.inbox.handed {movement} qredo.inbox.state=ready"])
	assert.NotEmpty(t, read["qredo.inbox.handed {movement} qredo.inbox.state=done"])
	assert.Equal(t, read["qredo.inbox.handed {movement} qredo.inbox.state=done"], read["qredo.inbox.lag s "])
	assert.NotEmpty(t, read["qredo.inbox.looks {look} "])
	requireSilent(t, o, "Alice")
	ledger := o.spans("GET /company/{company_id}/fund/{fund_id}/ledger")
	assert.NotZero(t, in(ledger, o.spans("inbox look")[0].SpanContext), "the calls of a look are in its trace")
}
