package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
)

func testBegin(t *testing.T, r inbox.Records) {
	for _, from := range []time.Time{Now, Now.Add(time.Hour), Now.Add(-time.Hour), {}} {
		stored, err := r.Begin(t.Context(), from)
		require.NoError(t, err)
		assert.Equal(t, Now, stored)
	}
}

func testLease(t *testing.T, r inbox.Records) {
	ctx := t.Context()
	before := time.Now()
	first, err := r.Lease(ctx, fund, "a", time.Hour)
	require.NoError(t, err)
	assert.Equal(t, fund, first.ID)
	assert.Equal(t, "a", first.Holder)
	assert.Positive(t, first.Token)
	assert.WithinRange(t, first.Until, before.Add(time.Hour-time.Minute), time.Now().Add(time.Hour+time.Minute))
	sources, err := r.Sources(ctx)
	require.NoError(t, err)
	assert.Equal(t, []inbox.Source{first}, sources, "it is returned as it is stored")

	again, err := r.Lease(ctx, fund, "a", 2*time.Hour)
	require.NoError(t, err)
	assert.Equal(t, first.Token, again.Token)
	assert.Greater(t, again.Until.Sub(first.Until), 50*time.Minute, "it is renewed")

	_, err = r.Lease(ctx, fund, "b", time.Hour)
	leased := (*inbox.LeasedError)(nil)
	require.ErrorAs(t, err, &leased)
	assert.Equal(t, fund, leased.Source)
	assert.Equal(t, "a", leased.Holder)
	assert.Greater(t, leased.For, 90*time.Minute)
	assert.LessOrEqual(t, leased.For, 2*time.Hour)

	other, err := r.Lease(ctx, "wallet:w", "b", time.Hour)
	require.NoError(t, err, "another source")
	assert.Equal(t, "b", other.Holder)
	after, err := r.Lease(ctx, fund, "a", time.Hour)
	require.NoError(t, err)
	assert.Equal(t, first.Token, after.Token, "who was refused has changed nothing")
}

func testLeaseOver(t *testing.T, r inbox.Records) {
	ctx := t.Context()
	first, err := r.Lease(ctx, fund, "a", 50*time.Millisecond)
	require.NoError(t, err)
	var second inbox.Source
	refused := 0
	for {
		second, err = r.Lease(ctx, fund, "b", time.Hour)
		if err == nil {
			break
		}
		leased := (*inbox.LeasedError)(nil)
		require.ErrorAs(t, err, &leased)
		require.Positive(t, leased.For)
		require.LessOrEqual(t, leased.For, 50*time.Millisecond)
		refused++
	}
	assert.Equal(t, "b", second.Holder)
	assert.Greater(t, second.Token, first.Token)

	for _, short := range []time.Duration{time.Microsecond, 0, -time.Hour} {
		over, err := r.Lease(ctx, "wallet:w", "a", short)
		require.NoError(t, err)
		require.Eventually(t, func() bool { return time.Now().After(over.Until.Add(time.Millisecond)) }, time.Minute, time.Millisecond)
		require.NoError(t, r.Progress(ctx, over), "it is over, but nobody else has it")
		same, err := r.Lease(ctx, "wallet:w", "a", short)
		require.NoError(t, err)
		assert.Equal(t, over.Token, same.Token, "the holder is the same")
		require.Eventually(t, func() bool { return time.Now().After(same.Until.Add(time.Millisecond)) }, time.Minute, time.Millisecond)
		next, err := r.Lease(ctx, "wallet:w", "b", short)
		require.NoError(t, err)
		assert.Greater(t, next.Token, over.Token)
		require.ErrorIs(t, r.Progress(ctx, over), inbox.ErrLeaseLost)
		require.Eventually(t, func() bool { return time.Now().After(next.Until.Add(time.Millisecond)) }, time.Minute, time.Millisecond)
	}
}

func testRelease(t *testing.T, r inbox.Records) {
	ctx := t.Context()
	require.NoError(t, r.Release(ctx, inbox.Source{ID: fund, Token: 1}), "there is none")
	first := lease(t, r, fund)
	require.NoError(t, r.Release(ctx, first))
	require.NoError(t, r.Release(ctx, first), "a second time")
	sources, err := r.Sources(ctx)
	require.NoError(t, err)
	require.Len(t, sources, 1)
	assert.False(t, sources[0].Until.After(time.Now()))
	require.NoError(t, r.Progress(ctx, first), "nobody else has had it")

	second, err := r.Lease(ctx, fund, "b", time.Hour)
	require.NoError(t, err)
	assert.Greater(t, second.Token, first.Token)
	require.NoError(t, r.Release(ctx, first), "it is not its lease")
	_, err = r.Lease(ctx, fund, "c", time.Hour)
	leased := (*inbox.LeasedError)(nil)
	require.ErrorAs(t, err, &leased)
	assert.Equal(t, "b", leased.Holder)
}

// testLeaseTogether has many ask for a source: only one has it at a time.
func testLeaseTogether(t *testing.T, r inbox.Records) {
	var (
		wg     sync.WaitGroup
		got    atomic.Int64
		tokens sync.Map
	)
	for i := range 8 {
		wg.Go(func() {
			_, err := r.Lease(t.Context(), fund, fmt.Sprint("holder-", i), time.Hour)
			if err == nil {
				got.Add(1)
				return
			}
			assert.ErrorAs(t, err, new(*inbox.LeasedError))
		})
		wg.Go(func() {
			for {
				s, err := r.Lease(t.Context(), "wallet:w", fmt.Sprint("holder-", i), time.Hour)
				if errors.As(err, new(*inbox.LeasedError)) {
					continue
				}
				if assert.NoError(t, err) {
					_, twice := tokens.LoadOrStore(s.Token, i)
					assert.False(t, twice, "two have the token %d", s.Token)
					assert.NoError(t, r.Release(t.Context(), s))
				}
				return
			}
		})
	}
	wg.Wait()
	assert.Equal(t, int64(1), got.Load())
}

func testProgress(t *testing.T, r inbox.Records) {
	ctx := t.Context()
	record(t, r, Seen("a"), Seen("b"))
	s := lease(t, r, fund)
	require.Equal(t, int64(2), s.Rows)
	for _, reading := range []inbox.Reading{
		{
			Latest: Now, Oldest: true, Whole: true, Skipped: 3, Missed: 4,
			Before: map[qredo.WalletID]qredo.Amount{"": -1, "wallet": 9_223_372_036_854_775_807, "☃": -9_223_372_036_854_775_808},
		},
		{Latest: Now.Add(time.Hour), Skipped: 1},
		{Before: map[qredo.WalletID]qredo.Amount{}},
		{},
	} {
		change := s
		change.Reading, change.Rows, change.Holder = reading, 77, "another"
		for range 2 {
			require.NoError(t, r.Progress(ctx, change))
			got := lease(t, r, fund)
			assert.Equal(t, reading, got.Reading)
			assert.Equal(t, int64(2), got.Rows, "that is counted by Record")
			assert.Equal(t, s.Holder, got.Holder)
			assert.Equal(t, s.Token, got.Token)
		}
	}
}

func testLeaseLost(t *testing.T, r inbox.Records) {
	ctx := t.Context()
	unknown := inbox.Source{ID: "wallet:none", Holder: "a", Token: 1}
	require.ErrorIs(t, r.Progress(ctx, unknown), inbox.ErrLeaseLost)
	_, err := r.Record(ctx, unknown, Now, []inbox.Sighting{Seen("lost")})
	require.ErrorIs(t, err, inbox.ErrLeaseLost)
	_, err = r.Record(ctx, inbox.Source{ID: "wallet:none"}, Now, []inbox.Sighting{Seen("lost")})
	require.ErrorIs(t, err, inbox.ErrLeaseLost, "without a token")

	slow := lease(t, r, fund)
	_, err = r.Record(ctx, slow, Now, []inbox.Sighting{Seen("a", status(qredo.TxPending))})
	require.NoError(t, err)
	require.NoError(t, r.Release(ctx, slow))
	quick, err := r.Lease(ctx, fund, "quick", time.Hour)
	require.NoError(t, err)
	slow.Skipped = 7
	require.ErrorIs(t, r.Progress(ctx, slow), inbox.ErrLeaseLost)
	for _, seen := range [][]inbox.Sighting{{Seen("lost")}, {Seen("a")}, {Seen("a", status(qredo.TxPending))}, nil} {
		counts, err := r.Record(ctx, slow, Now, seen)
		require.ErrorIs(t, err, inbox.ErrLeaseLost)
		assert.Zero(t, counts)
	}
	none(t, r, "lost")
	assert.Equal(t, inbox.StateWaiting, get(t, r, "a").State)
	sources, err := r.Sources(ctx)
	require.NoError(t, err)
	quick.Rows = 1
	assert.Equal(t, []inbox.Source{quick}, sources)
}
