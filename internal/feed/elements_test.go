package feed_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// pendingOf is an element of a list of actions.
func pendingOf(id string) string {
	return fmt.Sprintf(`{"id":%q,"coreClientID":%q,"type":"ApproveTransfer","status":"pending","timestamp":1700000000,"expireTime":4000000000}`, id, clienttest.CoreID)
}

// actions is a core client's feed whose connections deliver nothing, and its list.
type actions struct {
	list  atomic.Pointer[[]string]
	drops chan struct{} // each ends a connection
}

func (a *actions) follow(t *testing.T, list ...string) *clienttest.Follower[qredo.Action] {
	t.Helper()
	a.list.Store(&list)
	a.drops = make(chan struct{})
	client := clienttest.ServePipes(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !strings.HasSuffix(req.URL.Path, "/feed") {
			fmt.Fprintf(w, `{"actions":[%s]}`, strings.Join(*a.list.Load(), ","))
			return
		}
		if ws, err := clienttest.AcceptWebSocket(w, req, nil); err == nil {
			select {
			case <-ws.CloseRead(req.Context()).Done():
			case <-a.drops:
			}
			_ = ws.CloseNow()
		}
	}), qredo.WithRetry(clienttest.Once))
	return clienttest.Follow(t, func(ctx context.Context, opts ...qredo.FeedOption) iter.Seq2[qredo.Action, error] {
		return client.CoreClients.Feed(ctx, clienttest.CoreID, opts...)
	})
}

// An element of a list that cannot be read, or does not belong to the core client, is reported, and does not hold up the
// others.
func TestOneElementThatCannotBeRead(t *testing.T) {
	for name, tc := range map[string]struct{ spoil, with, says string }{
		"an expiry that is a date":   {`4000000000`, `"2027-01-01"`, "action bad: actions[1]: expireTime: "},
		"an expiry that is too late": {`4000000000`, `1e20`, "action bad: actions[1]: expireTime: "},
		"a moment that is text":      {`1700000000`, `"x"`, "action bad: actions[1]: timestamp: "},
		"another's":                  {clienttest.CoreID, "another", "action bad: actions[1]: asked for " + clienttest.CoreID + ", the answer is about another"},
		"an amount beyond 64 bits":   {`}`, `,"details":{"amount":1e25}}`, "action bad: actions[1]: details.amount: "},
		"an ID that is none":         {`"bad"`, `{}`, "actions[1]: id: is not text"},
		"no ID":                      {`"id":"bad",`, ``, "actions[1]: id: is missing"},
		"a status that is none":      {`"pending"`, `[7]`, "action bad: actions[1]: status: "},
		"no object":                  {pendingOf("bad"), `"bad"`, "actions[1]: is not an object"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := strings.Replace(pendingOf("bad"), tc.spoil, tc.with, 1)
			require.NotEqual(t, pendingOf("bad"), bad)
			var a actions
			f := a.follow(t, pendingOf("first"), bad, pendingOf("last"))
			assert.EqualValues(t, "first", f.Next(t).ID)
			assert.EqualValues(t, "last", f.Next(t).ID)
			err := f.Failure(t)
			require.ErrorIs(t, err, qredo.ErrBadAnswer)
			require.ErrorContains(t, err, tc.says)
			f.Reaches(t, qredo.FeedCaughtUp)

			a.drops <- struct{}{}
			f.Reaches(t, qredo.FeedCaughtUp)
			f.RequireQuiet(t) // it was reported
		})
	}
}

// An element is yielded once it can be read, and a reported one is forgotten when the list no longer has it.
func TestAnElementThatIsMended(t *testing.T) {
	var a actions
	bad := strings.Replace(pendingOf("a"), "1700000000", "1.5", 1)
	f := a.follow(t, bad, bad)
	require.ErrorContains(t, f.Failure(t), "action a: actions[0]: timestamp: 1.5 is not a whole number")
	f.Reaches(t, qredo.FeedCaughtUp)
	for range 2 {
		a.list.Store(&[]string{pendingOf("a")})
		a.drops <- struct{}{}
		f.Reaches(t, qredo.FeedCaughtUp)
		a.list.Store(&[]string{pendingOf("b"), bad})
		a.drops <- struct{}{}
		require.ErrorContains(t, f.Failure(t), "action a: actions[1]: ")
		f.Reaches(t, qredo.FeedCaughtUp)
	}
	assert.EqualValues(t, "a", f.Next(t).ID)
	assert.EqualValues(t, "b", f.Next(t).ID)
	f.RequireQuiet(t)
}

// Ended elements are not asked for: it does not matter that one cannot be read.
func TestAnElementThatHasEnded(t *testing.T) {
	var a actions
	ended := strings.NewReplacer("pending", "expired", "4000000000", "1e20").Replace(pendingOf("ended"))
	f := a.follow(t, ended, pendingOf("a"))
	assert.EqualValues(t, "a", f.Next(t).ID)
	f.Reaches(t, qredo.FeedCaughtUp)
	f.RequireQuiet(t)
}

// A list that is all of another's is read again soon: the core client's own has not come.
func TestAListOfAnother(t *testing.T) {
	var a actions
	f := a.follow(t, strings.ReplaceAll(pendingOf("a"), clienttest.CoreID, "another"))
	require.ErrorIs(t, f.Failure(t), qredo.ErrBadAnswer)
	require.ErrorContains(t, f.Reaches(t, qredo.FeedBehind).Err, "the answer is about another")
	a.list.Store(&[]string{pendingOf("b")})
	assert.EqualValues(t, "b", f.Next(t).ID)
	f.Reaches(t, qredo.FeedCaughtUp)
	f.RequireQuiet(t)
}

// A quote whose figures cannot be read is listed all the same: the feed of the hub tells no more of it.
func TestAQuoteWhoseFiguresCannotBeRead(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		client := clienttest.ServePipes(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if req.URL.Path != "/liquidityhub/feed" {
				fmt.Fprint(w, `{"items":[{"tx_id":"a","expires":"2027-01-01"},{"tx_id":"b","send_amount":1e25},{"tx_id":"c"}]}`)
				return
			}
			if ws, err := clienttest.AcceptWebSocket(w, req, nil); err == nil {
				<-ws.CloseRead(req.Context()).Done()
				_ = ws.CloseNow()
			}
		}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var given []qredo.TxID
		for event, err := range client.Swaps.Feed(ctx) {
			require.NoError(t, err)
			given = append(given, event.TxID)
		}
		require.Equal(t, []qredo.TxID{"a", "b", "c"}, given)
	})
}
