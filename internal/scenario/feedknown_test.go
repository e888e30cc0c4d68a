package scenario_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// A program that was away goes on with the keys that it has kept: each change of a quote once, also that it has left the
// hub meanwhile.
func TestHubFeedGoesOn(t *testing.T) {
	w := clienttest.NewWorld(t)
	stays, cancelled := w.Offer(t), w.Offer(t)
	f := clienttest.Follow(t, w.Client.Swaps.Feed)
	var keys []string
	for range 2 {
		keys = append(keys, f.Next(t).Key())
	}
	require.ElementsMatch(t, []string{string(stays) + ":taker_pending", string(cancelled) + ":taker_pending"}, keys)
	f.RequireQuiet(t)
	require.NoError(t, w.Client.Swaps.CancelMake(t.Context(), w.Company, cancelled))
	added := w.Offer(t)
	for range 2 { // at the second time it has all
		f = clienttest.Follow(t, w.Client.Swaps.Feed, qredo.WithKnown(keys...))
		f.Reaches(t, qredo.FeedCaughtUp)
		for range len(f.Events) {
			keys = append(keys, f.Next(t).Key())
		}
		require.Equal(t, []string{string(added) + ":taker_pending", string(cancelled) + ":unlisted"}, keys[2:])
		f.RequireQuiet(t)
	}
	f = clienttest.Follow(t, w.Client.Swaps.Feed, qredo.WithKnown(append(keys[2:], keys[:2]...)...), qredo.WithKnown("taken:taker_approved", "taken:taker_pending"))
	f.Reaches(t, qredo.FeedCaughtUp)
	next := w.Offer(t)
	require.Equal(t, next, f.Next(t).TxID, "in whatever order they are kept")
	f.RequireQuiet(t)
}

// Over two runs of a program, each movement is reported once, even in the second that both runs cover, and even if two
// deposits are identical.
func TestWalletFeedGoesOn(t *testing.T) {
	now := time.Now()
	w := clienttest.NewWorld(t)
	begin := qredo.WithSince(qredo.TimeOf(now))
	f := clienttest.Follow(t, w.Client.Wallets.Feed, begin)
	f.Reaches(t, qredo.FeedCaughtUp)
	w.Deposit(t, w.Dedicated, 5)
	var keys []string
	for given := qredo.Amount(0); given != 5; {
		event := f.Next(t)
		keys, given = append(keys, event.Key()), event.Amount
	}
	f.RequireQuiet(t)
	w.Deposit(t, w.Dedicated, 6)
	f = clienttest.Follow(t, w.Client.Wallets.Feed, begin, qredo.WithKnown(keys...))
	f.Reaches(t, qredo.FeedCaughtUp)
	require.Equal(t, qredo.Amount(6), f.Next(t).Amount)
	require.Equal(t, w.Deposit(t, w.Dedicated, 7), f.Next(t).ChainTxID)
	f.RequireQuiet(t)

	twins := w.DepositTwice(t, w.Dedicated, 8)
	begin = qredo.WithSince(qredo.TimeOf(now.Add(-time.Hour)))
	history, err := w.Client.Wallets.ListHistory(t.Context(), w.Dedicated, qredo.HistoryOptions{})
	require.NoError(t, err)
	keys = nil
	for _, e := range history {
		keys = append(keys, e.Key())
	}
	require.Equal(t, keys[len(keys)-1], keys[len(keys)-2])
	for known, want := range map[int]int{0: 2, 1: 1, 2: 0} {
		f = clienttest.Follow(t, w.Client.Wallets.Feed, begin, qredo.WithKnown(keys[:len(keys)-2+known]...))
		f.Reaches(t, qredo.FeedCaughtUp)
		for range want {
			require.Equal(t, twins, f.Next(t).ChainTxID)
		}
		f.RequireQuiet(t)
	}
}

func TestActionFeedGoesOn(t *testing.T) {
	w := clienttest.NewWorld(t)
	old := w.ActionOf(t, w.Send(t, 1000))
	f := clienttest.Follow(t, w.RobotFeed(w.Client))
	first := f.Next(t)
	require.Equal(t, string(old)+":pending", first.Key())
	f.RequireQuiet(t)
	f = clienttest.Follow(t, w.RobotFeed(w.Client), qredo.WithKnown(first.Key()))
	f.Reaches(t, qredo.FeedCaughtUp)
	require.Equal(t, w.ActionOf(t, w.Send(t, 1000)), f.Next(t).ID)
	f.RequireQuiet(t)
}
