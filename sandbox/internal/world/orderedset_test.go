package world

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whatever is put in and taken out, the set reads as one that is sorted each time would.
func TestOrderedSet(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var s orderedSet[int]
	want := map[int]bool{}
	for i := range 40_000 {
		x := random.IntN(8000)
		if i < 4000 {
			x = i // as numbers are given out
		}
		if random.IntN(5) < 2 && i > 4000 || i > 35_000 {
			s.remove(x)
			delete(want, x)
		} else {
			s.add(x)
			want[x] = true
		}
		if i%1999 > 0 {
			continue
		}
		sorted := slices.Sorted(maps.Keys(want))
		require.Len(t, sorted, s.size)
		for _, at := range []int{-1, 0, random.IntN(8000), 8000} {
			i, _ := slices.BinarySearch(sorted, at)
			require.Equal(t, sorted[i:], slices.AppendSeq([]int{}, s.from(at)), "from %d", at)
			before := slices.Clone(sorted[:i])
			slices.Reverse(before)
			require.Equal(t, before, slices.AppendSeq([]int{}, s.before(at)), "before %d", at)
		}
		for _, run := range s.runs {
			require.NotEmpty(t, run)
			require.LessOrEqual(t, len(run), runLength)
		}
	}
	for x := range want {
		s.remove(x)
	}
	assert.Empty(t, s.runs)
	for range s.before(3) {
		t.Error("nothing is left")
	}
	for range s.from(3) {
		t.Error("nothing is left")
	}
}
