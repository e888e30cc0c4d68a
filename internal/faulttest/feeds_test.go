package faulttest

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// How often the feed of TestFeedsLoseNothing is broken. Every eleventh time it is frozen, which is noticed
// by its pings only.
const (
	drops     = 100
	freezes   = 10
	feedPing  = 100 * time.Millisecond
	longest   = 10 * time.Second // that any break may take to be caught up with
	settledBy = 5 * time.Minute  // that the whole may take
)

// TestFeedsLoseNothing lets a core client watch its feed while thousands of transfers ask for its approval,
// every message comes twice, and the connection is dropped 100 times and frozen 10 times. Half of the
// actions are approved once they are seen; the others stay pending, and come again with each connection.
func TestFeedsLoseNothing(t *testing.T) {
	running := goleak.IgnoreCurrent()
	before := heap()
	f := watchBrokenFeed(t, size(10_000, 2_000))
	goleak.VerifyNone(t, running)
	after := heap()
	t.Logf("%d actions, each once; %d drops, %d freezes; %s in all, slowest recovery %s; heap %+d KiB",
		f.actions, f.dropped, f.frozen, f.took.Round(time.Millisecond), f.slowest.Round(time.Millisecond), (after-before)>>10)
	assert.Equal(t, []int{drops, freezes}, []int{f.dropped, f.frozen})
	assert.Less(t, f.slowest, longest)
	assert.Less(t, after-before, int64(4<<20), "bytes more on the heap than before")
}

// heap is the size of the heap in use.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what had a finalizer is freed the second time
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// feedFigures is how a run went.
type feedFigures struct {
	actions, dropped, frozen int
	took, slowest            time.Duration
}

// watched is a core client and what its feed has given.
type watched struct {
	srv    *sandbox.Server
	bank   *bank
	robot  *qredo.CoreClient
	states chan qredo.FeedStatus

	mu    sync.Mutex
	times map[qredo.ActionID]int
}

func watchBrokenFeed(t *testing.T, actions int) feedFigures {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), settledBy)
	defer cancel()
	w := openWatched(t)
	defer func() { require.NoError(t, w.srv.Close()) }()
	start := time.Now()

	feedCtx, endFeed := context.WithCancel(ctx)
	defer endFeed()
	var feed, rest sync.WaitGroup
	toApprove := make(chan qredo.ActionID, actions)
	feed.Go(func() { w.consume(feedCtx, t, toApprove) })
	for range 4 {
		rest.Go(func() {
			for id := range toApprove {
				assert.NoError(t, w.bank.client.CoreClients.Approve(ctx, w.robot.ID, id))
			}
		})
	}
	var made atomic.Int64
	for range 8 {
		rest.Go(func() {
			for made.Add(1) <= int64(actions) {
				_, err := w.bank.client.Transfers.Create(ctx, w.bank.company, w.transfer())
				assert.NoError(t, err)
			}
		})
	}
	figures := w.breakFeeds(ctx, t, actions, &made)
	require.Eventually(t, func() bool { return w.seen() >= actions }, settledBy, 5*time.Millisecond)
	w.breakOnce(ctx, t, w.srv.DropFeeds) // once more, with everything there: whatever arrives now is a repetition
	endFeed()
	feed.Wait()
	close(toApprove)
	rest.Wait()
	figures.took, figures.actions = time.Since(start), actions
	w.requireEachOnce(ctx, t, actions)
	return figures
}

func openWatched(t *testing.T) *watched {
	t.Helper()
	srv, err := sandbox.Start()
	require.NoError(t, err)
	srv.DuplicateFeeds(true)
	ctx, client := t.Context(), srv.Client()
	robot, err := client.CoreClients.Create(ctx, "robot")
	require.NoError(t, err)
	company, err := client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Desk"})
	require.NoError(t, err)
	require.NoError(t, client.TrustedNetwork.Add(ctx, company.ID, qredo.TrustedPartyRequest{Address: string(robot.ID)}))
	group := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{qredo.TrustedEntityID(robot.ID)}}
	made, err := client.Funds.Create(ctx, company.ID, qredo.FundRequest{
		Name: "Fund", CustodyGroupTx: group, CustodyGroupWithdraw: group,
		Wallets: []qredo.WalletRequest{{Name: "from", Asset: asset}, {Name: "to", Asset: asset}},
	})
	require.NoError(t, err)
	fund, err := client.Funds.Get(ctx, company.ID, made.ID)
	require.NoError(t, err)
	_, err = srv.Deposit(fund.Wallets[0].Address, funds)
	require.NoError(t, err)
	return &watched{
		srv: srv, robot: robot, states: make(chan qredo.FeedStatus, 1000), times: map[qredo.ActionID]int{},
		bank: &bank{client: client, company: company.ID, fund: made.ID, from: fund.Wallets[0], to: fund.Wallets[1]},
	}
}

func (w *watched) transfer() qredo.TransferRequest {
	return qredo.TransferRequest{
		WalletID: w.bank.from.ID, Counterparty: string(w.bank.to.ID), Expires: qredo.TimeOf(w.srv.Now().Add(time.Hour)),
		Send: qredo.AssetAmount{Asset: asset, Amount: 1000},
	}
}

func (w *watched) consume(ctx context.Context, t *testing.T, toApprove chan<- qredo.ActionID) {
	options := []qredo.FeedOption{
		qredo.WithPing(feedPing), qredo.WithBackoff(time.Millisecond, 20*time.Millisecond),
		qredo.WithFeedState(func(s qredo.FeedState) { w.states <- s.Status }),
	}
	for action, err := range w.bank.client.CoreClients.Feed(ctx, w.robot.ID, options...) {
		if err != nil || action.Status != qredo.ApprovalPending {
			t.Errorf("the feed gave %+v, %v", action, err)
			return
		}
		w.mu.Lock()
		w.times[action.ID]++
		seen := len(w.times)
		w.mu.Unlock()
		if seen%2 == 0 {
			toApprove <- action.ID
		}
	}
}

// seen is how many actions the feed has given.
func (w *watched) seen() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.times)
}

// breakFeeds breaks the connection at even distances while the actions are made.
func (w *watched) breakFeeds(ctx context.Context, t *testing.T, actions int, made *atomic.Int64) (f feedFigures) {
	t.Helper()
	require.True(t, w.reaches(ctx, qredo.FeedCaughtUp, settledBy))
	for i := 1; i <= drops+freezes; i++ {
		due := int64(actions * i / (drops + freezes + 1))
		require.Eventually(t, func() bool { return made.Load() >= due }, settledBy, time.Millisecond)
		start := time.Now()
		if i%(drops/freezes+1) == 0 {
			w.breakOnce(ctx, t, w.srv.FreezeFeeds)
			f.frozen++
		} else {
			w.breakOnce(ctx, t, w.srv.DropFeeds)
			f.dropped++
		}
		f.slowest = max(f.slowest, time.Since(start))
	}
	return f
}

// breakOnce breaks the connection and waits until the feed has caught up. On a busy machine a connection may end by
// itself in the meantime, because the answer to a ping was late: then there is none to break.
func (w *watched) breakOnce(ctx context.Context, t *testing.T, how func() int) {
	t.Helper()
	for how() == 0 || !w.reaches(ctx, qredo.FeedLost, 10*feedPing) {
		require.NoError(t, ctx.Err())
	}
	require.True(t, w.reaches(ctx, qredo.FeedCaughtUp, settledBy))
}

// reaches waits for the feed to get into a state.
func (w *watched) reaches(ctx context.Context, want qredo.FeedStatus, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		select {
		case got := <-w.states:
			if got == want {
				return true
			}
		case <-ctx.Done():
			return false
		}
	}
}

func (w *watched) requireEachOnce(ctx context.Context, t *testing.T, actions int) {
	t.Helper()
	require.Len(t, w.times, actions)
	for id, times := range w.times {
		require.Equal(t, 1, times, "action %s", id)
		_, err := w.bank.client.CoreClients.GetAction(ctx, w.robot.ID, id)
		require.NoError(t, err)
	}
	pending, err := w.bank.client.CoreClients.ListActions(ctx, w.robot.ID)
	require.NoError(t, err)
	require.NotEmpty(t, pending, "half of them are left")
	for _, action := range pending {
		require.Contains(t, w.times, action.ID)
	}
}
