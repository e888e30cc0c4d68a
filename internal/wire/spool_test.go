package wire_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/wire"
)

// Whatever the order of a list, its elements come in time order, and those of the same second as they came.
func TestSpool(t *testing.T) {
	type element struct{ at, n int64 }
	var oldest []element
	for n := range int64(500) {
		oldest = append(oldest, element{n/3 - 50, n})
	}
	newest := slices.Clone(oldest)
	slices.Reverse(newest)
	mixed := slices.Clone(oldest)
	r := rand.New(rand.NewPCG(1, 1))
	r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	late := append(slices.Clone(oldest[1:]), oldest[0])
	var s wire.Spool
	for order, list := range map[string][]element{"oldest first": oldest, "newest first": newest, "none": mixed, "one comes late": late} {
		for range 2 { // as after an answer that was cut
			require.NoError(t, s.Begin())
			for _, e := range list {
				s.Add(e.at, fmt.Appendf(nil, "%d%s", e.n, strings.Repeat("x", int(e.n))))
			}
		}
		require.NoError(t, s.End())
		require.Equal(t, 500, s.Len())
		var got []string
		for e, err := range s.All() {
			require.NoError(t, err)
			got = append(got, string(e))
		}
		var want []string
		sorted := slices.Clone(list)
		slices.SortStableFunc(sorted, func(a, b element) int { return int(a.at - b.at) })
		for _, e := range sorted {
			want = append(want, fmt.Sprintf("%d%s", e.n, strings.Repeat("x", int(e.n))))
		}
		require.Equal(t, want, got, order)
		for _, err := range s.All() {
			require.NoError(t, err)
			break
		}
	}
	require.NoError(t, s.Close())
	for _, err := range s.All() {
		require.ErrorIs(t, err, os.ErrClosed)
	}
}

func TestSpoolWithoutAPlace(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	var s wire.Spool
	require.ErrorIs(t, s.Begin(), os.ErrNotExist)
	require.NoError(t, s.Close())
}
