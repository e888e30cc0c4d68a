package wire_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/wire"
)

// Whatever the order of a list, its earliest are kept, whole seconds of them, and the second that they end before is known:
// from there on it is gone on, until all has come once.
func TestEarliest(t *testing.T) {
	type element struct{ at, n int64 }
	var all []element
	for n := range int64(500) {
		all = append(all, element{1000 + n/3, n})
	}
	oldest := slices.Clone(all)
	newest := slices.Clone(all)
	slices.Reverse(newest)
	mixed := slices.Clone(all)
	rand.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	for order, list := range map[string][]element{"oldest first": oldest, "newest first": newest, "none": mixed} {
		got, passes, last := []string{}, 0, int64(0)
		for from, more := int64(wire.Whenever), true; more; passes++ {
			kept := wire.Earliest{From: from, Most: 3000}
			for _, e := range list {
				kept.Take(e.at, fmt.Appendf(nil, "%d", e.n))
			}
			part, err := kept.List()
			require.NoError(t, err)
			require.Less(t, len(part), 3000)
			numbers := strings.Split(strings.Trim(string(part), "[]"), ",")
			require.Greater(t, len(numbers), 30, order)
			got = append(got, numbers...)
			if from, more = kept.Cut(); more {
				require.Greater(t, from, last)
				last = from
			}
		}
		require.Len(t, got, 500, order)
		seen := map[string]bool{}
		for _, n := range got {
			seen[n] = true
		}
		require.Len(t, seen, 500, order)
		require.Greater(t, passes, 5, order)
	}

	kept := wire.Earliest{Most: 3000}
	for range 100 {
		kept.Take(7, []byte(`1`))
	}
	_, err := kept.List()
	require.ErrorContains(t, err, "what one second has of the body is longer than the limit of 3000 bytes")
	none, err := (&wire.Earliest{Most: 3000}).List()
	require.NoError(t, err)
	require.Equal(t, "[]", string(none))
}
