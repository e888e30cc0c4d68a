package approver_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/internal/trial"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// A message of the feed that is not understood may have been about an action: there is a line that says so.
func TestAMessageThatIsNotUnderstoodIsInTheAuditLog(t *testing.T) {
	server := clienttest.ServeFeed(t, func(ctx context.Context, ws *websocket.Conn, _ int) {
		_ = ws.Write(ctx, websocket.MessageText, []byte("hello"))
		<-ctx.Done()
	})
	entries := make(chan approver.Entry, 10)
	a, err := approver.New(server.Client, clienttest.CoreID, rulesAt(t, approveAll, at(noon)),
		approver.WithObserver(func(e approver.Entry) { entries <- e }))
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	e := clienttest.Receive(t, entries, "entry")
	stop()
	require.NoError(t, <-ended)
	assert.Equal(t, approver.EntryUnread, e.Kind)
	assert.Contains(t, e.Reason, "not JSON")
	assert.Empty(t, e.ActionID)
}

// An element of the list that is not understood has such a line too, and does not keep the others from being decided.
func TestAnElementThatIsNotUnderstoodHoldsUpNoOther(t *testing.T) {
	world := trial.NewWorld(t, 1, 1)
	world.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/feed"):
			w.WriteHeader(http.StatusBadGateway) // what comes, comes from the list
		case strings.HasSuffix(r.URL.Path, "/actions"):
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, r)
			_, _ = w.Write([]byte(strings.Replace(answer.Body.String(), "[", `[{"id":"bad","status":"pending","expireTime":"2027-01-01"},`, 1)))
		default:
			next.ServeHTTP(w, r)
		}
	})
	tx, err := world.Transfer(t.Context(), 0, 0, 1, "")
	require.NoError(t, err)
	entries := make(chan approver.Entry, 10)
	a, err := approver.New(world.Client, world.Core, rulesAt(t, approveAll, at(noon)),
		approver.WithObserver(func(e approver.Entry) { entries <- e }))
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	unread := false
	for {
		e := clienttest.Receive(t, entries, "entry")
		if e.Kind == approver.EntryUnread {
			assert.Contains(t, e.Reason, "action bad: actions[0]: expireTime: ")
			unread = true
		}
		if e.Kind == approver.EntryResult {
			assert.Equal(t, approver.OutcomeSent, e.Outcome)
			assert.Equal(t, world.Action(t, tx).ID, e.ActionID)
			break
		}
	}
	if !unread {
		assert.Equal(t, approver.EntryUnread, clienttest.Receive(t, entries, "entry").Kind)
	}
	stop()
	require.NoError(t, <-ended)
}
