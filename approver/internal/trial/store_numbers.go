package trial

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/approver"
)

func requireLast(t *testing.T, s approver.Store, want int64) {
	t.Helper()
	last, err := s.LastSeq(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, last)
}

// numbered has decisions that get a number, and what gets none.
func numbered(t *testing.T, s approver.Store, clock *Clock) {
	requireLast(t, s, 0)
	first, err := s.Reserve(t.Context(), record(1), nil)
	require.NoError(t, err)
	require.EqualValues(t, 1, first.Seq)
	again, err := s.Reserve(t.Context(), record(1), nil)
	require.NoError(t, err)
	require.Equal(t, first, again, "it keeps its number")
	requireLast(t, s, 1)

	spend := approver.Spend{Counter: "c", Amount: 2, Window: time.Hour, MaxAmount: 1}
	_, err = s.Reserve(t.Context(), record(2), []approver.Spend{spend})
	require.ErrorAs(t, err, new(*approver.OverLimitError))
	requireLast(t, s, 1)

	spend.Amount = 1
	second, err := s.Reserve(t.Context(), record(2), []approver.Spend{spend})
	require.NoError(t, err)
	require.Greater(t, second.Seq, first.Seq)
	requireLast(t, s, second.Seq)
	require.NoError(t, s.Finish(t.Context(), second.ActionID, approver.OutcomeSent))
	kept, found, err := s.Lookup(t.Context(), second.ActionID)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, second.Seq, kept.Seq)

	clock.Forward(1000 * time.Hour) // decisions are dropped, the last number is not
	requireLast(t, s, second.Seq)
	third, err := s.Reserve(t.Context(), record(3), nil)
	require.NoError(t, err)
	require.Greater(t, third.Seq, second.Seq)
	clock.Forward(1000 * time.Hour)
	requireLast(t, s, third.Seq)
}

// numberedAtOnce has each decision's number above all that were known before it began.
func numberedAtOnce(t *testing.T, s approver.Store, _ *Clock) {
	var mu sync.Mutex
	seen, largest := map[int64]bool{}, int64(0)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			mu.Lock()
			rec := record(i)
			rec.Seq = largest
			mu.Unlock()
			stands, err := s.Reserve(t.Context(), rec, nil)
			if assert.NoError(t, err) {
				mu.Lock()
				defer mu.Unlock()
				assert.Greater(t, stands.Seq, rec.Seq)
				assert.False(t, seen[stands.Seq], "two decisions have the number %d", stands.Seq)
				seen[stands.Seq], largest = true, max(largest, stands.Seq)
			}
		})
	}
	all.Wait()
	requireLast(t, s, largest)
}

// behind asks a store that has not come to where its caller has seen it.
func behind(t *testing.T, s approver.Store, _ *Clock) {
	first, err := s.Reserve(t.Context(), record(1), nil)
	require.NoError(t, err)
	spend := approver.Spend{Counter: "c", Amount: 1, Window: time.Hour, MaxAmount: 1}
	for n := range 2 { // one that is decided, and a new one
		rec := record(n + 1)
		rec.Seq = first.Seq + 1
		_, err = s.Reserve(t.Context(), rec, []approver.Spend{spend})
		var lost *approver.LostError
		require.ErrorAs(t, err, &lost)
		require.Equal(t, approver.LostError{Before: s.Epoch(), Now: s.Epoch(), Known: first.Seq + 1, Last: first.Seq}, *lost)
	}
	_, found, err := s.Lookup(t.Context(), record(2).ActionID)
	require.NoError(t, err)
	require.False(t, found)
	requireUsed(t, s, spend, 0, 0)
	requireLast(t, s, first.Seq)

	rec := record(2)
	rec.Seq = first.Seq
	_, err = s.Reserve(t.Context(), rec, []approver.Spend{spend})
	require.NoError(t, err)
}
