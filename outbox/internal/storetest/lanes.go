package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/outbox"
)

func testLaneNew(t *testing.T, s outbox.Store) {
	for i, key := range []string{"d", "c", "b", "a"} {
		e := Entry(key)
		e.Due = Start.Add(time.Duration(i) * time.Hour)
		add(t, s, e)
	}
	assert.Equal(t, []string{"d", "c"}, claimed(claim(t, s, outbox.LaneNew, -time.Hour, 2)), "due is only their order")
	assert.Equal(t, []string{"b", "a"}, claimed(claim(t, s, outbox.LaneNew, -time.Hour, 10)))
}

func testClaimDue(t *testing.T, s outbox.Store) {
	for _, l := range []outbox.Lane{outbox.LaneRetry, outbox.LaneFollow} {
		for i, key := range []string{"d", "c", "b", "a"} {
			e := lane(l, fmt.Sprint(key, l))
			e.Due = Start.Add(time.Duration(i) * time.Second)
			add(t, s, e)
		}
		early := lane(l, fmt.Sprint("before all ", l))
		early.Due = time.Time{}
		add(t, s, early)
		first := claim(t, s, l, 0, 1)
		require.Len(t, first, 1)
		assert.Equal(t, early, first[0].Entry)
		assert.Empty(t, claim(t, s, l, -time.Microsecond, 10))
		assert.Equal(t, []string{fmt.Sprint("d", l)}, claimed(claim(t, s, l, time.Second-time.Microsecond, 10)))
		rest := claimed(claim(t, s, l, time.Hour, 3))
		assert.Equal(t, []string{fmt.Sprint("before all ", l), fmt.Sprint("d", l), fmt.Sprint("c", l)}, rest, "the leases of two are over")
		assert.Len(t, claim(t, s, l, time.Hour, 10), 2)
		assert.Empty(t, claim(t, s, l, time.Hour, 10))
	}
}

func testLanes(t *testing.T, s outbox.Store) {
	lanes := []outbox.Lane{outbox.LaneNew, outbox.LaneRetry, outbox.LaneFollow}
	for i, l := range lanes {
		for n := range 2 {
			add(t, s, lane(l, fmt.Sprint("lane ", i, " ", n)))
		}
	}
	for i, l := range lanes {
		assert.Equal(t, []string{fmt.Sprint("lane ", i, " 0"), fmt.Sprint("lane ", i, " 1")}, claimed(claim(t, s, l, 0, 10)))
	}
	// From lane to lane, as an entry does.
	c := claim(t, s, outbox.LaneNew, time.Minute, 1)[0]
	key := c.Entry.Key
	release(t, s, c, func(e *outbox.Entry) { e.Attempts = 1 })
	assert.NotContains(t, claimed(claim(t, s, outbox.LaneNew, time.Minute, 10)), key)
	for _, c := range claim(t, s, outbox.LaneRetry, time.Minute, 10) {
		if c.Entry.Key == key {
			release(t, s, c, func(e *outbox.Entry) { e.State, e.TxID = outbox.StateSent, "tx" })
		}
	}
	list := claim(t, s, outbox.LaneFollow, time.Minute, 10)
	assert.Contains(t, claimed(list), key)
	for _, c := range list {
		if c.Entry.Key == key {
			release(t, s, c, func(e *outbox.Entry) { e.State = outbox.StateDone })
		}
	}
	for _, l := range lanes {
		assert.NotContains(t, claimed(claim(t, s, l, time.Hour, 10)), key)
	}
}

func testNotClaimed(t *testing.T, s outbox.Store) {
	out := []outbox.State{outbox.StateHeld, outbox.StateDone, outbox.StateFailed, outbox.StateRejected, outbox.StateExpired}
	for _, state := range out {
		add(t, s, Entry(string(state)))
		e := lane(outbox.LaneFollow, "from the start "+string(state))
		e.State = state
		add(t, s, e)
	}
	claims := claim(t, s, outbox.LaneNew, 0, 100)
	require.Len(t, claims, len(out))
	for _, c := range claims {
		release(t, s, c, func(e *outbox.Entry) { e.State = outbox.State(e.Key) })
	}
	for _, l := range []outbox.Lane{outbox.LaneNew, outbox.LaneRetry, outbox.LaneFollow} {
		assert.Empty(t, claim(t, s, l, 10*time.Hour, 10))
	}
}

// testBeyond has entries that were postponed by a clock that was hours ahead.
func testBeyond(t *testing.T, s outbox.Store) {
	ctx := t.Context()
	want := outbox.Want{Lane: outbox.LaneRetry, Now: Start, Until: Start.Add(time.Minute), Beyond: Start.Add(time.Hour), Limit: 10}
	stored, kept := lane(outbox.LaneRetry, "stored"), lane(outbox.LaneRetry, "not so far")
	stored.Due, kept.Due = want.Beyond.Add(time.Microsecond), want.Beyond
	add(t, s, stored, kept, lane(outbox.LaneRetry, "released"), lane(outbox.LaneRetry, "postponed"))
	claims, err := s.Claim(ctx, want)
	require.NoError(t, err)
	require.Equal(t, []string{"postponed", "released", "stored"}, sorted(claimed(claims)))
	for _, c := range claims {
		c.Entry.Due = Start.Add(6 * time.Hour)
		if c.Entry.Key == "postponed" {
			require.NoError(t, s.Postpone(ctx, c))
		} else {
			require.NoError(t, s.Release(ctx, c))
		}
	}
	want.Now, want.Until, want.Beyond = Start.Add(2*time.Minute), Start.Add(3*time.Minute), Start.Add(7*time.Hour)
	claims, err = s.Claim(ctx, want)
	require.NoError(t, err)
	assert.Empty(t, claims, "all are put off for less than that")
	want.Beyond = Start.Add(2 * time.Hour)
	claims, err = s.Claim(ctx, want)
	require.NoError(t, err)
	assert.Equal(t, []string{"postponed", "released", "stored"}, sorted(claimed(claims)))
	want.Lane = outbox.LaneFollow
	claims, err = s.Claim(ctx, want)
	require.NoError(t, err)
	assert.Empty(t, claims)
}

// testClaimOnce has leases that end at the same time: even so, a claim has an entry once.
func testClaimOnce(t *testing.T, s outbox.Store) {
	add(t, s, Entry("a"), Entry("b"))
	for range 2 {
		list, err := s.Claim(t.Context(), outbox.Want{Now: Start, Until: Start, Beyond: Start.Add(time.Hour), Limit: 10})
		require.NoError(t, err)
		assert.Equal(t, []string{"a", "b"}, claimed(list))
	}
}

func testClaimTogether(t *testing.T, s outbox.Store) {
	const entries, workers = 100, 8
	for i := range entries {
		add(t, s, Entry(fmt.Sprint("key-", i)))
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		seen = map[string]int{}
	)
	for range workers {
		wg.Go(func() {
			for {
				list, err := s.Claim(t.Context(), outbox.Want{Now: Start, Until: Start.Add(time.Hour), Beyond: Start.Add(time.Hour), Limit: 3})
				if !assert.NoError(t, err) || len(list) == 0 { //nolint:testifylint // as above
					return
				}
				for _, c := range list {
					mu.Lock()
					seen[c.Entry.Key]++
					mu.Unlock()
					c.Entry.State = outbox.StateDone
					assert.NoError(t, s.Release(t.Context(), c))
				}
			}
		})
	}
	wg.Wait()
	assert.Len(t, seen, entries)
	for key, n := range seen {
		assert.Equal(t, 1, n, key)
	}
}
