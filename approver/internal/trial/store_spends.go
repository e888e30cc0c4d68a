package trial

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// uncountable has spends that a store would count wrongly: they are refused, and nothing is stored.
func uncountable(t *testing.T, s approver.Store, _ *Clock) {
	right := approver.Spend{Counter: "c", Amount: 60, Window: time.Hour, MaxAmount: 100, MaxCount: 5}
	with := func(change func(*approver.Spend)) approver.Spend {
		changed := right
		change(&changed)
		return changed
	}
	of := func(change func(*approver.Spend)) []approver.Spend { return []approver.Spend{with(change)} }
	for name, spends := range map[string][]approver.Spend{
		"no counter":                  of(func(s *approver.Spend) { s.Counter = "" }),
		"no window":                   of(func(s *approver.Spend) { s.Window = 0 }),
		"a negative window":           of(func(s *approver.Spend) { s.Window = -time.Hour }),
		"a window that is rounded":    of(func(s *approver.Spend) { s.Window = 999 * time.Nanosecond }),
		"a window that is too long":   of(func(s *approver.Spend) { s.Window = 366*24*time.Hour + 1 }),
		"a window whose double wraps": of(func(s *approver.Spend) { s.Window = math.MaxInt64/2 + 1 }),
		"the longest window":          of(func(s *approver.Spend) { s.Window = math.MaxInt64 }),
		"a negative amount's limit":   of(func(s *approver.Spend) { s.MaxAmount = -1 }),
		"a negative count's limit":    of(func(s *approver.Spend) { s.MaxCount = -1 }),
		"limits at the least":         of(func(s *approver.Spend) { s.MaxAmount, s.MaxCount = math.MinInt64, math.MinInt64 }),
		"twice, which does not fit":   {right, right},
		"twice with other limits":     {right, with(func(s *approver.Spend) { s.MaxAmount = 1000 })},
		"two amounts":                 {right, with(func(s *approver.Spend) { s.Amount = 1; s.Window = time.Minute })},
		"the second of several":       {right, with(func(s *approver.Spend) { s.Counter = "d" }), with(func(s *approver.Spend) { s.Counter = "d"; s.Amount = 1 })},
	} {
		backward := slices.Clone(spends)
		slices.Reverse(backward)
		for _, order := range [][]approver.Spend{spends, backward} {
			_, err := s.Reserve(t.Context(), record(1), order)
			var invalid *qredo.ValidationError
			require.ErrorAs(t, err, &invalid, name)
			assert.Equal(t, "spends", invalid.Field)
			_, err = s.Usage(t.Context(), order)
			require.ErrorAs(t, err, &invalid, name)
		}
	}
	_, found, err := s.Lookup(t.Context(), record(1).ActionID)
	require.NoError(t, err)
	require.False(t, found)
	requireUsed(t, s, right, 0, 0)
	requireLast(t, s, 0)

	for i, window := range []time.Duration{366 * 24 * time.Hour, time.Millisecond} { // the longest and the shortest
		_, err = s.Reserve(t.Context(), record(i), of(func(s *approver.Spend) { s.Window = window; s.Amount = 1 }))
		require.NoError(t, err)
	}
	requireUsed(t, s, right, 2, 2)
}
