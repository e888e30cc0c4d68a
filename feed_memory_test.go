package qredo

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// These tests are inside the package, because what a feed remembers cannot be seen from outside.

// many keys are far more than any feed remembers.
const many = 300_000

func TestRecent(t *testing.T) {
	var r recent[int]
	for range 2 {
		for key := range recentKeys {
			r.add(key)
		}
	}
	require.Len(t, r.has, recentKeys)
	for key := range recentKeys {
		require.False(t, r.add(key), "known")
	}
	require.True(t, r.add(recentKeys), "new")
	require.True(t, r.add(0), "the oldest was forgotten for it")
	require.False(t, r.add(2), "the others were not")
	require.False(t, r.add(recentKeys))
	for key := range many {
		r.add(-key - 1)
	}
	require.Len(t, r.has, recentKeys)
	require.Len(t, r.keys, recentKeys)
	for key := many - recentKeys; key < many; key++ {
		require.False(t, r.add(-key-1), "the last are known")
	}
}

func pendingAction(id string, expires time.Time) Action {
	return Action{ID: ActionID(id), Status: ApprovalPending, Expires: TimeOf(expires)}
}

func TestKnownActions(t *testing.T) {
	now := time.Unix(1700000000, 0)
	later := now.Add(time.Hour)
	k := knownActions{now: func() time.Time { return now }}
	add := func(id string, status ApprovalStatus) bool {
		return k.add(Action{ID: ActionID(id), Status: status, Expires: TimeOf(later)})
	}
	require.True(t, add("a", ApprovalPending))
	require.False(t, add("a", ApprovalPending), "it comes again with each connection")
	require.True(t, add("a", ApprovalApproved), "another status is another event")
	require.False(t, add("a", ApprovalApproved))
	require.False(t, add("a", ApprovalPending), "a message that was delayed")
	require.True(t, add("b", ApprovalRejected), "one that ended before it was seen")
	require.False(t, add("b", ApprovalPending), "is not asked for any more")

	require.True(t, add("c", ApprovalPending))
	require.True(t, add("d", ApprovalPending))
	k.keep([]Action{pendingAction("d", later), pendingAction("e", later)})
	require.Equal(t, map[ActionID]time.Time{"d": later}, k.pending, "c has ended")
	require.False(t, add("c", ApprovalPending), "and stays known")
	require.False(t, add("d", ApprovalPending))
	require.True(t, add("e", ApprovalPending))
	require.True(t, add("c", ApprovalExpired), "how it ended is news")
}

// What is pending is remembered for as long as it can be, however much it is.
func TestKnownActionsKeepsAllThatIsPending(t *testing.T) {
	now := time.Unix(1700000000, 0)
	k := knownActions{now: func() time.Time { return now }}
	for i := range 5 * recentKeys {
		require.True(t, k.add(pendingAction(strconv.Itoa(i), now.Add(time.Hour))))
	}
	for i := range 5 * recentKeys {
		require.False(t, k.add(pendingAction(strconv.Itoa(i), now.Add(time.Hour))))
	}
}

// Many actions over hours, each pending for some minutes, in several ways to end. Nothing is given
// twice while it may come again.
func TestKnownActionsForgets(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(k *knownActions, a Action){
		"they are said to end": func(k *knownActions, a Action) { a.Status = ApprovalApproved; k.add(a) },
		"they expire":          func(*knownActions, Action) {},
		"without an expiry":    nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Unix(1700000000, 0)
			k := knownActions{now: func() time.Time { return now }}
			most := 0
			for i := range many {
				a := pendingAction(strconv.Itoa(i), now.Add(5*time.Minute))
				if end == nil {
					a.Expires = Time{}
				}
				if !k.add(a) || k.add(a) {
					require.Fail(t, "not once", "action %d", i)
				}
				if end != nil {
					end(&k, a)
				}
				most = max(most, len(k.pending)+len(k.ended.has))
				if i%100 == 0 {
					now = now.Add(5 * time.Second) // 20 a second: 6,000 can be pending
				}
			}
			assert.Less(t, most, 8*recentKeys)
		})
	}
}

// Each connection tells what is still pending.
func TestKnownActionsForgetsWithEachConnection(t *testing.T) {
	t.Parallel()
	now := time.Unix(1700000000, 0)
	k := knownActions{now: func() time.Time { return now }}
	for i := range many {
		a := pendingAction(strconv.Itoa(i), now.Add(24*time.Hour))
		k.add(a)
		if i%10_000 == 0 {
			k.keep([]Action{a})
			require.Len(t, k.pending, 1)
		}
	}
	assert.LessOrEqual(t, len(k.ended.has), recentKeys)
}

func TestKnownQuotes(t *testing.T) {
	k := knownQuotes{listed: map[TxID]bool{}}
	add := func(id TxID, status TxStatus) bool { return k.add(SwapEvent{id, status}) }
	require.True(t, add("a", TxTakerPending))
	require.False(t, add("a", TxTakerPending))
	require.True(t, add("a", TxTakerApproved))
	require.False(t, add("a", TxTakerApproved))
	require.False(t, add("a", TxTakerPending), "a message that was delayed")
	require.True(t, add("b", TxExpired), "one that was never seen listed")
	require.True(t, add("c", TxTakerPending))
	require.True(t, add("d", TxTakerPending))

	events := k.compare([]HubQuote{{TxID: "d"}, {TxID: "e"}})
	require.Equal(t, []SwapEvent{{"d", TxTakerPending}, {"e", TxTakerPending}, {"c", TxUnlisted}}, events)
	var fresh []SwapEvent
	for _, e := range events {
		if k.add(e) {
			fresh = append(fresh, e)
		}
	}
	require.Equal(t, []SwapEvent{{"e", TxTakerPending}, {"c", TxUnlisted}}, fresh)
	require.Equal(t, map[TxID]bool{"d": true, "e": true}, k.listed)
	for _, e := range k.compare([]HubQuote{{TxID: "d"}, {TxID: "e"}}) {
		require.False(t, k.add(e), "nothing happened since")
	}
}

// Many quotes that come and go, whether their end is told or found out.
func TestKnownQuotesForgets(t *testing.T) {
	t.Parallel()
	k := knownQuotes{listed: map[TxID]bool{}}
	most := 0
	for i := range many {
		id := TxID(strconv.Itoa(i))
		fresh := k.add(SwapEvent{id, TxTakerPending})
		if i%2 == 0 {
			fresh = k.add(SwapEvent{id, TxTakerApproved}) && fresh
		}
		if !fresh {
			require.Fail(t, "lost", "quote %d", i)
		}
		if i%10_000 == 0 {
			for _, e := range k.compare(nil) {
				k.add(e)
			}
			require.Empty(t, k.listed)
		}
		most = max(most, len(k.listed)+len(k.recent.has))
	}
	assert.LessOrEqual(t, most, recentKeys+5_000)
}

func movementAt(seconds int64, chain string) WalletEvent {
	return WalletEvent{WalletID: "w", Status: TxApproved, ChainTxID: chain, Amount: 1, Time: Unix(seconds)}
}

func TestWalletHistories(t *testing.T) {
	h := walletHistories{of: map[WalletID]*walletCursor{}}
	require.True(t, h.add(movementAt(1000, "a")))
	require.False(t, h.add(movementAt(1000, "a")))
	require.True(t, h.add(movementAt(1000, "b")), "in the same second")
	for name, change := range map[string]func(*WalletEvent){
		"wallet": func(e *WalletEvent) { e.WalletID = "other" }, "transaction": func(e *WalletEvent) { e.TxID = "t" },
		"amount": func(e *WalletEvent) { e.Amount = -1 }, "status": func(e *WalletEvent) { e.Status = TxPending },
	} {
		e := movementAt(1000, "a")
		change(&e)
		require.True(t, h.add(e), "another %s is another movement", name)
		require.False(t, h.add(e))
	}
	require.True(t, h.add(movementAt(990, "late")), "entries need not come in order")
	require.False(t, h.add(movementAt(990, "late")))
	require.True(t, h.add(movementAt(1290, "c")))
	require.False(t, h.add(movementAt(1000, "b")), "within the overlap all is known")
	require.True(t, h.add(movementAt(1301, "d")))
	require.Len(t, h.of["w"].known, 2, "and what is older is forgotten, since it is not asked for again")
	require.Equal(t, int64(1301), h.of["w"].latest.Unix())
}

// Many movements, ten a second.
func TestWalletHistoriesForget(t *testing.T) {
	t.Parallel()
	h := walletHistories{of: map[WalletID]*walletCursor{}}
	most := 0
	for i := range many {
		e := movementAt(int64(1000+i/10), strconv.Itoa(i))
		if !h.add(e) || h.add(e) {
			require.Fail(t, "not once", "movement %d", i)
		}
		most = max(most, len(h.of["w"].known))
	}
	assert.LessOrEqual(t, most, 10*601+1, "those of the last ten minutes")
}

func TestFeedOptionsRefused(t *testing.T) {
	for field, opt := range map[string]FeedOption{
		"ping": WithPing(0), "backoff": WithBackoff(0, time.Second), "feed state": WithFeedState(nil),
	} {
		_, err := newFeedOptions([]FeedOption{nil, opt})
		require.ErrorContains(t, err, field)
	}
	_, err := newFeedOptions([]FeedOption{WithBackoff(time.Second, time.Millisecond)})
	require.ErrorContains(t, err, "backoff")
	o, err := newFeedOptions(nil)
	require.NoError(t, err)
	require.Equal(t, []time.Duration{30 * time.Second, 250 * time.Millisecond, 30 * time.Second, 0}, []time.Duration{o.ping, o.backoffMin, o.backoffMax, o.giveUp})
}
