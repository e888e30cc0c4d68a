package storetest

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/outbox"
)

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

func testLease(t *testing.T, s outbox.Store) {
	for _, l := range []outbox.Lane{outbox.LaneNew, outbox.LaneRetry, outbox.LaneFollow} {
		e := lane(l, fmt.Sprint("lane ", int(l)))
		add(t, s, e)
		first := claimOne(t, s, l, 0)
		assert.Empty(t, claim(t, s, l, 0, 10))
		assert.Empty(t, claim(t, s, l, time.Minute-time.Microsecond, 10))
		second := claimOne(t, s, l, time.Minute)
		assert.Equal(t, e, second.Entry)
		assert.Greater(t, second.Token, first.Token)
	}
}

// testLeaseFromTheFuture has a clock that is ahead for a moment: what was leased by it must not stay blocked until that
// time.
func testLeaseFromTheFuture(t *testing.T, s outbox.Store) {
	add(t, s, lane(outbox.LaneRetry, "a"))
	wrong := claimOne(t, s, outbox.LaneRetry, 6*time.Hour)
	right := claimOne(t, s, outbox.LaneRetry, 0)
	require.ErrorIs(t, s.Begin(t.Context(), wrong), outbox.ErrClaimLost)
	assert.Empty(t, claim(t, s, outbox.LaneRetry, -30*time.Second, 10), "clocks may differ a little")
	assert.Empty(t, claim(t, s, outbox.LaneRetry, 30*time.Second, 10))
	require.NoError(t, s.Release(t.Context(), right))

	_, err := s.Take(t.Context(), "a", Start.Add(6*time.Hour), Start.Add(7*time.Hour))
	require.NoError(t, err)
	_, err = s.Take(t.Context(), "a", Start.Add(6*time.Hour-30*time.Second), Start.Add(7*time.Hour))
	require.ErrorIs(t, err, outbox.ErrBusy)
	_, err = s.Take(t.Context(), "a", Start, Start.Add(time.Hour))
	require.NoError(t, err)
	_, err = s.Take(t.Context(), "a", Start, Start.Add(time.Hour))
	require.ErrorIs(t, err, outbox.ErrBusy)
}

func testFencing(t *testing.T, s outbox.Store) {
	ctx := t.Context()
	add(t, s, lane(outbox.LaneRetry, "a"))
	slow := claimOne(t, s, outbox.LaneRetry, 0)
	quick := claimOne(t, s, outbox.LaneRetry, time.Minute)
	slow.Entry.Reason = "slow"
	require.ErrorIs(t, s.Begin(ctx, slow), outbox.ErrClaimLost)
	require.ErrorIs(t, s.Release(ctx, slow), outbox.ErrClaimLost)
	require.ErrorIs(t, s.Postpone(ctx, slow), outbox.ErrClaimLost)
	assert.Empty(t, claim(t, s, outbox.LaneRetry, time.Minute, 10), "the other's lease is as it was")
	release(t, s, quick, func(e *outbox.Entry) { e.Reason = "quick" })
	for _, lost := range []outbox.Claim{slow, quick} {
		require.ErrorIs(t, s.Begin(ctx, lost), outbox.ErrClaimLost, "also when nobody has it")
		require.ErrorIs(t, s.Release(ctx, lost), outbox.ErrClaimLost)
		require.ErrorIs(t, s.Postpone(ctx, lost), outbox.ErrClaimLost)
	}
	assert.Equal(t, "quick", get(t, s, "a").Reason)
	require.ErrorIs(t, s.Release(ctx, outbox.Claim{Entry: Entry("none"), Token: 1}), outbox.ErrClaimLost)
}

func testOverdue(t *testing.T, s outbox.Store) {
	add(t, s, Entry("a"))
	slow := claimOne(t, s, outbox.LaneNew, 0)
	assert.Empty(t, claim(t, s, outbox.LaneFollow, 2*time.Minute, 10), "a look at another lane long after its end")
	require.NoError(t, s.Begin(t.Context(), slow))
	slow.Entry.Due = Start.Add(time.Hour)
	slow.Entry.Attempts++
	require.NoError(t, s.Release(t.Context(), slow))
	assert.Equal(t, slow.Entry, get(t, s, "a"))
}

func testBegin(t *testing.T, s outbox.Store) {
	add(t, s, Entry("a"))
	c := claimOne(t, s, outbox.LaneNew, 0)
	begun := c.Entry
	for range 3 {
		c.Entry.Attempts++
		c.Entry.Sending, c.Entry.APIKey = true, "digest"
		require.NoError(t, s.Begin(t.Context(), c))
		begun.Sending, begun.Attempts, begun.APIKey = true, c.Entry.Attempts, "digest"
		assert.Equal(t, begun, get(t, s, "a"))
		for _, l := range []outbox.Lane{outbox.LaneNew, outbox.LaneRetry} {
			assert.Empty(t, claim(t, s, l, 0, 10))
		}
	}
	assert.Equal(t, []string{"a"}, page(t, s, outbox.Filter{}, outbox.Entry{}, 10))
	assert.Equal(t, []string{"a"}, page(t, s, states(outbox.StatePending), outbox.Entry{}, 10))
	assert.Empty(t, claim(t, s, outbox.LaneNew, time.Hour, 10), "it may have been sent")
	again := claimOne(t, s, outbox.LaneRetry, time.Hour)
	assert.Equal(t, begun, again.Entry)
	after := release(t, s, again, func(e *outbox.Entry) { e.Sending, e.Due = false, Start.Add(2*time.Hour) })
	assert.Equal(t, after, get(t, s, "a"))
	assert.Empty(t, claim(t, s, outbox.LaneRetry, time.Hour, 10), "it is due later")
	assert.Equal(t, after, claimOne(t, s, outbox.LaneRetry, 2*time.Hour).Entry)
}

func testPostpone(t *testing.T, s outbox.Store) {
	for _, l := range []outbox.Lane{outbox.LaneRetry, outbox.LaneFollow} {
		key := fmt.Sprint("lane ", int(l))
		stored := lane(l, key)
		add(t, s, stored)
		for _, due := range []time.Duration{10 * time.Second, 5 * time.Minute} {
			c := claimOne(t, s, l, 0)
			c.Entry.Due, c.Entry.Reason = Start.Add(due), "not stored"
			require.NoError(t, s.Postpone(t.Context(), c))
			require.ErrorIs(t, s.Postpone(t.Context(), c), outbox.ErrClaimLost)
			assert.Empty(t, claim(t, s, l, due-time.Microsecond, 10))
			got := get(t, s, key)
			assert.Empty(t, got.Reason)
			assert.Equal(t, stored.Version, got.Version)
			assert.Equal(t, stored.Updated, got.Updated)
			c = claimOne(t, s, l, due)
			c.Entry.Due = Start
			require.NoError(t, s.Postpone(t.Context(), c), "also to where it was")
		}
	}
	add(t, s, Entry("new"))
	c := claimOne(t, s, outbox.LaneNew, 0)
	require.NoError(t, s.Postpone(t.Context(), c))
	assert.Equal(t, Entry("new"), claimOne(t, s, outbox.LaneNew, 0).Entry)
}

func testTake(t *testing.T, s outbox.Store) {
	e := lane(outbox.LaneRetry, "a")
	e.Due = Start.Add(time.Hour)
	add(t, s, e)
	ctx := t.Context()
	_, err := s.Take(ctx, "none", Start, Start.Add(time.Minute))
	require.ErrorIs(t, err, outbox.ErrNotFound)
	c, err := s.Take(ctx, "a", Start, Start.Add(time.Minute))
	require.NoError(t, err)
	assert.Equal(t, e, c.Entry)
	_, err = s.Take(ctx, "a", Start, Start.Add(time.Minute))
	require.ErrorIs(t, err, outbox.ErrBusy)
	later, err := s.Take(ctx, "a", Start.Add(time.Minute), Start.Add(3*time.Hour))
	require.NoError(t, err)
	assert.Greater(t, later.Token, c.Token)
	require.ErrorIs(t, s.Release(ctx, c), outbox.ErrClaimLost)
	assert.Empty(t, claim(t, s, outbox.LaneRetry, 2*time.Hour, 1))
	require.NoError(t, s.Release(ctx, later))
	claims := claim(t, s, outbox.LaneRetry, 2*time.Hour, 1)
	require.Len(t, claims, 1)
	_, err = s.Take(ctx, "a", Start.Add(2*time.Hour), Start.Add(3*time.Hour))
	require.ErrorIs(t, err, outbox.ErrBusy)
}

func testTakeHeld(t *testing.T, s outbox.Store) {
	ctx := t.Context()
	for _, state := range []outbox.State{outbox.StateHeld, outbox.StateDone} {
		e := lane(outbox.LaneRetry, string(state))
		e.State = state
		add(t, s, e)
		for range 2 {
			c, err := s.Take(ctx, e.Key, Start, Start.Add(time.Minute))
			require.NoError(t, err)
			assert.Equal(t, e, c.Entry)
			_, err = s.Take(ctx, e.Key, Start, Start.Add(time.Minute))
			require.ErrorIs(t, err, outbox.ErrBusy)
			require.NoError(t, s.Postpone(ctx, c))
			require.ErrorIs(t, s.Postpone(ctx, c), outbox.ErrClaimLost)
			assert.Empty(t, claim(t, s, outbox.LaneRetry, time.Hour, 10))
		}
		_, err := s.Take(ctx, e.Key, Start, Start.Add(time.Minute))
		require.NoError(t, err)
		c, err := s.Take(ctx, e.Key, Start.Add(time.Minute), Start.Add(2*time.Minute))
		require.NoError(t, err, "the lease before is over")
		back := release(t, s, c, func(e *outbox.Entry) { e.State = outbox.StatePending })
		again := claimOne(t, s, outbox.LaneRetry, 0)
		assert.Equal(t, back, again.Entry)
		release(t, s, again, func(e *outbox.Entry) { e.State = outbox.StateDone })
	}
}

// testSaveAgainstClaim has workers with expired leases take an entry from each other at once. Only the last one to claim
// may store, so that no change is lost.
func testSaveAgainstClaim(t *testing.T, s outbox.Store) {
	add(t, s, lane(outbox.LaneRetry, "a"))
	var (
		wg     sync.WaitGroup
		stored atomic.Int64
	)
	for range 8 {
		wg.Go(func() {
			for range 50 {
				list, err := s.Claim(t.Context(), outbox.Want{Lane: outbox.LaneRetry, Now: Start, Until: Start, Beyond: Start.Add(time.Hour), Limit: 1})
				if !assert.NoError(t, err) || len(list) == 0 { //nolint:testifylint // as above
					continue
				}
				list[0].Entry.Attempts++
				if s.Begin(t.Context(), list[0]) == nil {
					stored.Add(1)
				}
			}
		})
	}
	wg.Wait()
	assert.Equal(t, int(stored.Load())+1, get(t, s, "a").Attempts)
	assert.Positive(t, stored.Load())
}
