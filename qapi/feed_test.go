package qapi_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox"
)

const approver = "alice@example.com"

// world is a sandbox with a Web3 wallet that one person approves for.
type world struct {
	t      *testing.T
	srv    *sandbox.Server
	client *qapi.Client
	wallet string
}

func newWorld(t *testing.T, opts ...qredo.Option) world {
	t.Helper()
	acme := startAcme()
	t.Cleanup(func() { require.NoError(t, acme.Close()) })
	return world{t, acme.Server, acme.QAPIClient(opts...), acme.wallet.Address}
}

func (w world) create() qredo.TxID {
	w.t.Helper()
	req := payment()
	req.From = w.wallet
	tx, err := w.client.Transactions.Create(w.t.Context(), req)
	require.NoError(w.t, err)
	require.Equal(w.t, qapi.StatusCreated, tx.Status)
	return tx.ID
}

func (w world) approve(id qredo.TxID) {
	w.t.Helper()
	require.NoError(w.t, w.srv.Approve(approver, string(id)))
}

// following is a feed that runs next to a test.
type following struct {
	t      *testing.T
	events chan qapi.TransactionEvent
	errs   chan error
	states chan qredo.FeedState
}

func (w world) follow(opts ...qredo.FeedOption) following {
	w.t.Helper()
	f := following{w.t, make(chan qapi.TransactionEvent, 1000), make(chan error, 1000), make(chan qredo.FeedState, 1000)}
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	w.t.Cleanup(func() { cancel(); <-done })
	opts = append([]qredo.FeedOption{
		qredo.WithBackoff(time.Millisecond, 5*time.Millisecond),
		qredo.WithFeedState(func(s qredo.FeedState) { f.states <- s }),
	}, opts...)
	go func() {
		defer close(done)
		for event, err := range w.client.Transactions.Feed(ctx, opts...) {
			if err != nil {
				f.errs <- err
				continue
			}
			f.events <- event
		}
	}()
	return f
}

const patience = 10 * time.Second

func (f following) until(status qredo.FeedStatus) {
	f.t.Helper()
	for {
		select {
		case s := <-f.states:
			if s.Status == status {
				return
			}
		case <-time.After(patience):
			require.Failf(f.t, "the feed is not", "%s", status)
		}
	}
}

func (f following) next(id qredo.TxID, status qapi.Status) qapi.TransactionEvent {
	f.t.Helper()
	select {
	case c := <-f.events:
		require.Equal(f.t, id, c.Transaction.ID)
		require.Equal(f.t, status, c.Status)
		require.NotEmpty(f.t, c.ID)
		require.False(f.t, c.Time.IsZero())
		return c
	case err := <-f.errs:
		require.NoError(f.t, err)
	case <-time.After(patience):
		require.Failf(f.t, "no event", "%s %s", id, status)
	}
	return qapi.TransactionEvent{}
}

func (f following) nothingMore() {
	f.t.Helper()
	assert.Empty(f.t, f.events)
	assert.Empty(f.t, f.errs)
}

func TestFeedTellsEachChangeOnce(t *testing.T) {
	w := newWorld(t)
	w.srv.DuplicateFeeds(true)
	f := w.follow()
	f.until(qredo.FeedCaughtUp)
	first := w.create()
	f.next(first, qapi.StatusCreated)
	w.approve(first)
	authorized := f.next(first, qapi.StatusAuthorized)
	assert.False(t, authorized.Transaction.Signed())
	assert.NotEmpty(t, authorized.Transaction.RawTx)
	assert.Equal(t, "0", authorized.Transaction.Nonce.String())
	signed := f.next(first, qapi.StatusApproved)
	assert.True(t, signed.Transaction.Signed())
	assert.Equal(t, "0", signed.Transaction.Nonce.String())
	assert.NotEqual(t, authorized.ID, signed.ID, "an event has an ID of its own")
	second := w.create()
	f.next(second, qapi.StatusCreated)
	require.NoError(t, w.srv.Reject(approver, string(second)))
	f.next(second, qapi.StatusRejected)
	third := w.create()
	f.next(third, qapi.StatusCreated) // had a copy of the others come, it would be before this
	require.NoError(t, w.srv.Advance(25*time.Hour))
	_, err := w.client.Account.Get(t.Context()) // whoever asks lets it expire
	require.NoError(t, err)
	f.next(third, qapi.StatusExpired)
	f.nothingMore()
}

func TestFeedFillsGaps(t *testing.T) {
	w := newWorld(t)
	early := w.create() // followed, since this client made it
	f := w.follow(qredo.WithPing(20 * time.Millisecond))
	f.next(early, qapi.StatusCreated)
	f.until(qredo.FeedCaughtUp)
	require.Equal(t, 1, w.srv.FreezeFeeds())
	late := w.create()
	w.approve(early)
	w.approve(late)
	f.until(qredo.FeedLost)
	f.until(qredo.FeedCaughtUp)
	got := map[string]int{}
	for range 5 {
		select {
		case c := <-f.events:
			got[fmt.Sprint(c.Transaction.ID, " ", c.Status)]++
			assert.True(t, c.Transaction.Signed(), "the transaction is as it is now")
		case <-time.After(patience):
			require.Fail(t, "events are missing", "%v", got)
		}
	}
	assert.Equal(t, map[string]int{
		string(early) + " authorized": 1, string(early) + " approved": 1,
		string(late) + " created": 1, string(late) + " authorized": 1, string(late) + " approved": 1,
	}, got)
	f.nothingMore()
}

// A program that was not running continues with the keys that it has stored: it learns what ended in the meantime, and
// gets each event once.
func TestFeedGoesOn(t *testing.T) {
	w := newWorld(t)
	f := w.follow()
	f.until(qredo.FeedCaughtUp)
	ended, open := w.create(), w.create()
	keys := []string{f.next(ended, qapi.StatusCreated).Key(), f.next(open, qapi.StatusCreated).Key()}
	w.approve(ended)
	keys = append(keys, f.next(ended, qapi.StatusAuthorized).Key(), f.next(ended, qapi.StatusApproved).Key())
	require.Equal(t, []string{string(ended) + ":created", string(open) + ":created", string(ended) + ":authorized", string(ended) + ":approved"}, keys)
	w.approve(open)

	w.client = w.srv.QAPIClient() // another run, which has made nothing
	f = w.follow(qredo.WithKnown(keys...))
	f.until(qredo.FeedCaughtUp)
	f.next(open, qapi.StatusAuthorized)
	f.next(open, qapi.StatusApproved)
	late := w.create()
	f.next(late, qapi.StatusCreated)
	f.nothingMore()

	for _, opts := range [][]qredo.FeedOption{{qredo.WithKnown("7")}, {qredo.WithKnown(":created")}} {
		for _, err := range w.client.Transactions.Feed(t.Context(), opts...) {
			requireInvalid(t, err, "known")
		}
	}
	for _, err := range w.client.Transactions.Feed(t.Context(), qredo.WithSince(qredo.Unix(1_700_000_000))) {
		requireInvalid(t, err, "since")
	}
}

// While connections are cut all the time, nothing is lost and nothing comes twice.
func TestFeedUnderCuts(t *testing.T) {
	w := newWorld(t)
	f := w.follow()
	f.until(qredo.FeedConnected)
	const transactions = 40
	want := map[string]bool{}
	for i := range transactions {
		id := w.create()
		if i%3 == 0 {
			w.srv.DropFeeds()
		}
		w.approve(id)
		if i%4 == 0 {
			w.srv.DropFeeds()
		}
		want[string(id)+" created"], want[string(id)+" authorized"], want[string(id)+" approved"] = true, true, true
	}
	got := map[string]bool{}
	for len(got) < len(want) {
		select {
		case c := <-f.events:
			key := fmt.Sprint(c.Transaction.ID, " ", c.Status)
			require.False(t, got[key], "%s came twice", key)
			got[key] = true
		case <-time.After(patience):
			require.Failf(t, "events are missing", "%d of %d came", len(got), len(want))
		}
	}
	assert.Equal(t, want, got)
	f.nothingMore()
}

func TestFeedIsSigned(t *testing.T) {
	var upgrades atomic.Int32
	w := newWorld(t, qredo.WithHTTPClient(&http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
		if req.Header.Get("Upgrade") != "" {
			upgrades.Add(1)
			assert.NotEmpty(t, req.Header.Get("qredo-api-sig"))
		}
		return http.DefaultTransport.RoundTrip(req)
	})}))
	f := w.follow()
	f.until(qredo.FeedCaughtUp)
	assert.Equal(t, int32(1), upgrades.Load())

	auth, err := qredo.NewHMACAuth("nobody", secret)
	require.NoError(t, err)
	stranger, err := qapi.NewClient(auth, qredo.WithBaseURL(w.srv.QAPIBaseURL()))
	require.NoError(t, err)
	for _, err := range stranger.Transactions.Feed(t.Context()) {
		require.ErrorIs(t, err, qredo.ErrUnauthorized)
		break
	}
	for _, err := range stranger.Transactions.Feed(t.Context(), qredo.WithPing(0)) {
		requireInvalid(t, err, "ping")
	}
}

// What was reset is not asked for for ever.
func TestFeedForgetsWhatIsGone(t *testing.T) {
	w := newWorld(t)
	id := w.create()
	f := w.follow()
	f.next(id, qapi.StatusCreated)
	f.until(qredo.FeedCaughtUp)
	require.NoError(t, w.srv.Reset()) // cuts the feeds
	f.until(qredo.FeedLost)
	f.until(qredo.FeedCaughtUp)
	f.nothingMore()
}
