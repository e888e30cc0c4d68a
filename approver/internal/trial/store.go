package trial

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// Start is what the clocks of these tests start from.
var Start = time.Date(2026, 3, 4, 12, 30, 0, 0, time.UTC)

// record is a decision about action n.
func record(n int) approver.Record {
	return approver.Record{
		ActionID: qredo.ActionID(fmt.Sprint("action-", n)), Digest: "d", PolicyHash: "p", Verdict: approver.Approve, Rule: "r",
		Reason: "because", Decided: Start, Expires: Start.Add(time.Hour), Token: fmt.Sprint("token-", n),
	}
}

// TestStore checks that a store does what [approver.Store] says. Each call of open gives an empty one.
func TestStore(t *testing.T, open func(t *testing.T, now func() time.Time) approver.Store) {
	for name, test := range map[string]func(*testing.T, approver.Store, *Clock){
		"the first decision stands":       firstStands,
		"a decision is finished":          finishes,
		"limits at their boundaries":      boundaries,
		"windows roll":                    windowsRoll,
		"a clock that was ahead":          clockAhead,
		"sums do not wrap":                noWrap,
		"sums as they were counted":       asCounted,
		"sums beyond 64 bits":             beyond64Bits,
		"all limits or none":              allOrNone,
		"limits hold at once":             atOnce,
		"windows of one counter":          twoWindows,
		"a window that was shorter":       windowShortened,
		"replicas with other windows":     rulesAtOnce,
		"one of many decides":             oneDecides,
		"decisions outlive their actions": outlive,
		"spends that cannot be counted":   uncountable,
		"decisions have numbers":          numbered,
		"numbers of many at once":         numberedAtOnce,
		"a store that has lost decisions": behind,
	} {
		t.Run(name, func(t *testing.T) {
			clock := NewClock(Start)
			test(t, open(t, clock.Now), clock)
		})
	}
}

func firstStands(t *testing.T, s approver.Store, _ *Clock) {
	_, found, err := s.Lookup(t.Context(), "action-1")
	require.NoError(t, err)
	assert.False(t, found)

	first := record(1)
	stands, err := s.Reserve(t.Context(), first, nil)
	require.NoError(t, err)
	first.Seq = 1
	assert.Equal(t, first, stands)

	second := first
	second.Token, second.Verdict, second.Seq = "another", approver.Reject, 0
	spend := approver.Spend{Counter: "c", Amount: 5, Window: time.Hour, MaxAmount: 1}
	stands, err = s.Reserve(t.Context(), second, []approver.Spend{spend})
	require.NoError(t, err, "limits do not matter any more")
	assert.Equal(t, first, stands)

	stands, found, err = s.Lookup(t.Context(), "action-1")
	require.NoError(t, err)
	assert.True(t, found)
	assert.Equal(t, first, stands)
	requireUsed(t, s, spend, 0, 0)
}

func finishes(t *testing.T, s approver.Store, _ *Clock) {
	require.Error(t, s.Finish(t.Context(), "action-1", approver.OutcomeSent))
	rec := record(1)
	_, err := s.Reserve(t.Context(), rec, nil)
	require.NoError(t, err)
	require.NoError(t, s.Finish(t.Context(), "action-1", approver.OutcomeSent))
	rec.Outcome, rec.Seq = approver.OutcomeSent, 1
	stands, found, err := s.Lookup(t.Context(), "action-1")
	require.NoError(t, err)
	assert.True(t, found)
	assert.Equal(t, rec, stands)
}

func requireUsed(t *testing.T, s approver.Store, spend approver.Spend, amount, count int64) {
	t.Helper()
	used, err := s.Usage(t.Context(), []approver.Spend{spend})
	require.NoError(t, err)
	require.Equal(t, []approver.Usage{{Amount: amount, Count: count}}, used)
}

func boundaries(t *testing.T, s approver.Store, _ *Clock) {
	for i, c := range []struct {
		spend approver.Spend
		used  approver.Usage // if the action does not fit
		fits  bool
	}{
		{approver.Spend{Counter: "sum", Amount: 60, MaxAmount: 100}, approver.Usage{}, true},
		{approver.Spend{Counter: "sum", Amount: 41, MaxAmount: 100}, approver.Usage{Amount: 60, Count: 1}, false},
		{approver.Spend{Counter: "sum", Amount: 40, MaxAmount: 100}, approver.Usage{}, true},
		{approver.Spend{Counter: "sum", Amount: 1, MaxAmount: 100}, approver.Usage{Amount: 100, Count: 2}, false},
		{approver.Spend{Counter: "sum", Amount: 1, MaxAmount: 99}, approver.Usage{Amount: 100, Count: 2}, false},
		{approver.Spend{Counter: "sum", Amount: 1, MaxAmount: 101}, approver.Usage{}, true},
		{approver.Spend{Counter: "another", Amount: 100, MaxAmount: 100}, approver.Usage{}, true},
		{approver.Spend{Counter: "a third", Amount: 101, MaxAmount: 100}, approver.Usage{}, false},
		{approver.Spend{Counter: "a third", Amount: -1, MaxAmount: 100}, approver.Usage{}, false},
		{approver.Spend{Counter: "a third", Amount: -1}, approver.Usage{}, false},
		{approver.Spend{Counter: "count", MaxCount: 2}, approver.Usage{}, true},
		{approver.Spend{Counter: "count", MaxCount: 2}, approver.Usage{}, true},
		{approver.Spend{Counter: "count", MaxCount: 2}, approver.Usage{Count: 2}, false},
		{approver.Spend{Counter: "count", MaxCount: 3}, approver.Usage{}, true},
		{approver.Spend{Counter: "both", Amount: 5, MaxAmount: 10, MaxCount: 1}, approver.Usage{}, true},
		{approver.Spend{Counter: "both", Amount: 5, MaxAmount: 10, MaxCount: 1}, approver.Usage{Amount: 5, Count: 1}, false},
		// Beyond what a float holds exactly.
		{approver.Spend{Counter: "large", Amount: 1<<53 + 1, MaxAmount: 1<<54 + 1}, approver.Usage{}, true},
		{approver.Spend{Counter: "large", Amount: 1<<53 + 1, MaxAmount: 1<<54 + 1}, approver.Usage{Amount: 1<<53 + 1, Count: 1}, false},
		{approver.Spend{Counter: "large", Amount: 1 << 53, MaxAmount: 1<<54 + 1}, approver.Usage{}, true},
		{approver.Spend{Counter: "halves", Amount: 1<<32 - 1, MaxAmount: 1<<33 - 2}, approver.Usage{}, true},
		{approver.Spend{Counter: "halves", Amount: 1 << 32, MaxAmount: 1<<33 - 2}, approver.Usage{Amount: 1<<32 - 1, Count: 1}, false},
		{approver.Spend{Counter: "halves", Amount: 1<<32 - 1, MaxAmount: 1<<33 - 2}, approver.Usage{}, true},
		{approver.Spend{Counter: "carry", Amount: 1<<32 - 1, MaxAmount: 1<<33 - 3}, approver.Usage{}, true},
		{approver.Spend{Counter: "carry", Amount: 1<<32 - 1, MaxAmount: 1<<33 - 3}, approver.Usage{Amount: 1<<32 - 1, Count: 1}, false},
	} {
		c.spend.Window = time.Hour
		rec := record(i)
		stands, err := s.Reserve(t.Context(), rec, []approver.Spend{c.spend})
		if c.fits {
			require.NoError(t, err, c)
			rec.Seq = stands.Seq
			require.Equal(t, rec, stands, c)
			continue
		}
		var over *approver.OverLimitError
		require.ErrorAs(t, err, &over, c)
		require.Equal(t, approver.OverLimitError{Spend: c.spend, Used: c.used}, *over)
		_, found, err := s.Lookup(t.Context(), rec.ActionID)
		require.NoError(t, err)
		require.False(t, found)
	}
}

func windowsRoll(t *testing.T, s approver.Store, clock *Clock) {
	spend := approver.Spend{Counter: "c", Amount: 60, Window: time.Hour, MaxAmount: 100}
	_, err := s.Reserve(t.Context(), record(1), []approver.Spend{spend})
	require.NoError(t, err)
	clock.Forward(30 * time.Minute)
	less := spend
	less.Amount = 40
	_, err = s.Reserve(t.Context(), record(2), []approver.Spend{less})
	require.NoError(t, err)

	clock.Forward(30*time.Minute - time.Microsecond) // the first still counts
	requireUsed(t, s, spend, 100, 2)
	_, err = s.Reserve(t.Context(), record(3), []approver.Spend{spend})
	require.Error(t, err)

	clock.Forward(time.Microsecond) // an hour after the first
	requireUsed(t, s, spend, 40, 1)
	_, err = s.Reserve(t.Context(), record(3), []approver.Spend{spend})
	require.NoError(t, err)
	requireUsed(t, s, spend, 100, 2)

	clock.Forward(-time.Hour) // a clock that is set back makes nothing forgotten
	_, err = s.Reserve(t.Context(), record(4), []approver.Spend{spend})
	require.Error(t, err)
	clock.Forward(3 * time.Hour)
	_, err = s.Reserve(t.Context(), record(4), []approver.Spend{spend})
	require.NoError(t, err)
	requireUsed(t, s, spend, 60, 1)
}

// A clock is ahead by a window while something else is spent, and is set right again: what was spent before still
// counts. Were it forgotten, the limit would let its amount pass once more.
func clockAhead(t *testing.T, s approver.Store, clock *Clock) {
	spend := approver.Spend{Counter: "c", Amount: 60, Window: time.Hour, MaxAmount: 100}
	_, err := s.Reserve(t.Context(), record(1), []approver.Spend{spend})
	require.NoError(t, err)

	clock.Forward(2*time.Hour - time.Microsecond)
	less := spend
	less.Amount = 40
	_, err = s.Reserve(t.Context(), record(2), []approver.Spend{less})
	require.NoError(t, err)

	clock.Forward(-time.Hour)
	_, err = s.Reserve(t.Context(), record(3), []approver.Spend{spend})
	var over *approver.OverLimitError
	require.ErrorAs(t, err, &over)
	assert.Equal(t, approver.Usage{Amount: 100, Count: 2}, over.Used)
}

func noWrap(t *testing.T, s approver.Store, _ *Clock) {
	spend := approver.Spend{Counter: "c", Amount: math.MaxInt64, Window: time.Hour, MaxAmount: math.MaxInt64}
	_, err := s.Reserve(t.Context(), record(1), []approver.Spend{spend})
	require.NoError(t, err)
	for i, amount := range []int64{1, math.MaxInt64 / 2, math.MaxInt64} {
		spend.Amount = amount
		_, err = s.Reserve(t.Context(), record(i+2), []approver.Spend{spend})
		var over *approver.OverLimitError
		require.ErrorAs(t, err, &over)
		assert.Equal(t, approver.Usage{Amount: math.MaxInt64, Count: 1}, over.Used)
	}
	spend.MaxAmount, spend.Amount = 0, math.MaxInt64 // what is not limited is counted all the same
	_, err = s.Reserve(t.Context(), record(9), []approver.Spend{spend})
	require.NoError(t, err)
	requireUsed(t, s, spend, math.MaxInt64, 2)
}

// beyond64Bits has a window that holds more than fits, and then little again.
func beyond64Bits(t *testing.T, s approver.Store, clock *Clock) {
	spend := approver.Spend{Counter: "c", Window: time.Hour}
	for i := range 5 {
		spend.Amount = math.MaxInt64 - int64(i)
		_, err := s.Reserve(t.Context(), record(i), []approver.Spend{spend})
		require.NoError(t, err)
	}
	requireUsed(t, s, spend, math.MaxInt64, 5)
	clock.Forward(30 * time.Minute)
	spend.Amount = 7
	_, err := s.Reserve(t.Context(), record(5), []approver.Spend{spend})
	require.NoError(t, err)
	requireUsed(t, s, spend, math.MaxInt64, 6)
	clock.Forward(30 * time.Minute)
	requireUsed(t, s, spend, 7, 1)
}

// asCounted holds sums against entries that are added up one by one, while the clock goes forward, back and not at all.
func asCounted(t *testing.T, s approver.Store, clock *Clock) {
	type entry struct {
		at     time.Time
		amount int64
	}
	chance, entries, windows := rand.New(rand.NewPCG(7, 7)), []entry(nil), []time.Duration{time.Second, time.Minute, time.Hour} //nolint:gosec // a test's
	for i := range 300 {
		switch chance.IntN(4) {
		case 0:
			clock.Forward(time.Duration(chance.IntN(1200)) * time.Second)
		case 1:
			clock.Forward(time.Duration(chance.IntN(1_000_000)) * time.Microsecond)
		case 2:
			clock.Forward(-time.Duration(chance.IntN(60)) * time.Second)
		}
		now := clock.Now()
		e := entry{now, chance.Int64N(1 << 40)}
		if n := len(entries); n > 0 && e.at.Before(entries[n-1].at) {
			e.at = entries[n-1].at
		}
		entries = append(entries, e)
		spends, want := make([]approver.Spend, len(windows)), make([]approver.Usage, len(windows))
		for j, window := range windows {
			spends[j] = approver.Spend{Counter: "c", Amount: e.amount, Window: window}
			for _, e := range entries {
				if now.Sub(e.at) < window {
					want[j].Amount, want[j].Count = want[j].Amount+e.amount, want[j].Count+1
				}
			}
		}
		_, err := s.Reserve(t.Context(), record(i), spends)
		require.NoError(t, err)
		used, err := s.Usage(t.Context(), spends)
		require.NoError(t, err)
		require.Equal(t, want, used, "after %d", i)
	}
}

func allOrNone(t *testing.T, s approver.Store, _ *Clock) {
	wide := approver.Spend{Counter: "wide", Amount: 10, Window: time.Hour, MaxAmount: 100}
	narrow := approver.Spend{Counter: "narrow", Amount: 10, Window: time.Hour, MaxAmount: 9}
	_, err := s.Reserve(t.Context(), record(1), []approver.Spend{wide, narrow})
	var over *approver.OverLimitError
	require.ErrorAs(t, err, &over)
	assert.Equal(t, narrow, over.Spend)
	requireUsed(t, s, wide, 0, 0)
	_, err = s.Reserve(t.Context(), record(1), []approver.Spend{wide})
	require.NoError(t, err)
	requireUsed(t, s, wide, 10, 1)
}

func atOnce(t *testing.T, s approver.Store, _ *Clock) {
	spend := approver.Spend{Counter: "c", Amount: 7, Window: time.Hour, MaxAmount: 100}
	var fit atomic.Int64
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			if _, err := s.Reserve(t.Context(), record(i), []approver.Spend{spend}); err == nil {
				fit.Add(1)
			}
		})
	}
	all.Wait()
	assert.EqualValues(t, 14, fit.Load())
	requireUsed(t, s, spend, 98, 14)
}

func twoWindows(t *testing.T, s approver.Store, clock *Clock) {
	short := approver.Spend{Counter: "c", Amount: 10, Window: time.Minute, MaxAmount: 10}
	long := approver.Spend{Counter: "c", Amount: 10, Window: time.Hour, MaxAmount: 25}
	for i := range 2 {
		_, err := s.Reserve(t.Context(), record(i), []approver.Spend{short, long})
		require.NoError(t, err)
		clock.Forward(10 * time.Minute)
	}
	requireUsed(t, s, long, 20, 2) // once for each action
	_, err := s.Reserve(t.Context(), record(2), []approver.Spend{short, long})
	var over *approver.OverLimitError
	require.ErrorAs(t, err, &over)
	assert.Equal(t, long, over.Spend)
}

func oneDecides(t *testing.T, s approver.Store, _ *Clock) {
	tokens := make([]string, 20)
	spend := approver.Spend{Counter: "c", Amount: 1, Window: time.Hour, MaxAmount: 100}
	var all sync.WaitGroup
	for i := range tokens {
		all.Go(func() {
			rec := record(1)
			rec.Token = fmt.Sprint("of ", i)
			stands, err := s.Reserve(t.Context(), rec, []approver.Spend{spend})
			if assert.NoError(t, err) {
				tokens[i] = stands.Token
			}
		})
	}
	all.Wait()
	for _, token := range tokens {
		require.Equal(t, tokens[0], token)
	}
	requireUsed(t, s, spend, 1, 1)
}

func outlive(t *testing.T, s approver.Store, clock *Clock) {
	_, err := s.Reserve(t.Context(), record(1), nil)
	require.NoError(t, err)
	endless := record(2)
	endless.Expires = time.Time{}
	_, err = s.Reserve(t.Context(), endless, nil)
	require.NoError(t, err)
	clock.Forward(24 * time.Hour) // the action expired 23 hours ago
	_, err = s.Reserve(t.Context(), record(3), nil)
	require.NoError(t, err)
	for _, id := range []qredo.ActionID{"action-1", "action-2"} {
		_, found, err := s.Lookup(t.Context(), id)
		require.NoError(t, err)
		require.True(t, found, id)
	}
}
