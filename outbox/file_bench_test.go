package outbox_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/internal/storetest"
)

// BenchmarkFile measures a file with a given number of entries: half have ended, half are sent and wait. Run it with
// TMPDIR on the disk that the file will be on.
func BenchmarkFile(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "outbox.db")
			s, err := outbox.OpenStore(path)
			require.NoError(b, err)
			fill(b, s, n)
			for _, workers := range []int{1, 8, 64} {
				b.Run(fmt.Sprintf("Add/%d", workers), func(b *testing.B) { benchmarkAdd(b, s, workers) })
				b.Run(fmt.Sprintf("ClaimBeginRelease/%d", workers), func(b *testing.B) { benchmarkSend(b, s, workers) })
				b.Run(fmt.Sprintf("ClaimPostpone/%d", workers), func(b *testing.B) { benchmarkPostpone(b, s, workers) })
			}
			b.Run("PageUnknown", func(b *testing.B) { benchmarkPage(b, s, outbox.Filter{Unknown: true}, 0) })
			b.Run("PageByChange100", func(b *testing.B) {
				benchmarkPage(b, s, outbox.Filter{UpdatedSince: storetest.Start.Add(time.Duration(n-100) * time.Millisecond)}, 100)
			})
			b.Run("PageByState100", func(b *testing.B) {
				benchmarkPage(b, s, outbox.Filter{States: []outbox.State{outbox.StateDone}}, 100)
			})
			b.Run("Stats", func(b *testing.B) {
				for b.Loop() {
					_, err := s.Stats(b.Context())
					require.NoError(b, err)
				}
			})
			require.NoError(b, s.Close())
			b.Run("OpenStore", func(b *testing.B) {
				for b.Loop() {
					s, err := outbox.OpenStore(path)
					require.NoError(b, err)
					require.NoError(b, s.Close())
				}
			})
		})
	}
}

// fill stores n entries. Their keys are in no order, as those of an application are not.
func fill(b *testing.B, s *outbox.FileStore, n int) {
	b.Helper()
	var part []outbox.Entry
	for i := range n {
		e := storetest.Entry(fmt.Sprintf("invoice-%08x", uint32(i)*2_654_435_761))
		e.Updated = storetest.Start.Add(time.Duration(i) * time.Millisecond)
		e.Attempts, e.TxID, e.State, e.Due = 1, qredo.TxID("tx-"+e.Key), outbox.StateDone, storetest.Start.Add(24*time.Hour)
		if i%2 == 0 {
			e.State = outbox.StateSent
		}
		if part = append(part, e); len(part) == 1_000 || i == n-1 {
			slices.SortFunc(part, func(a, b outbox.Entry) int { return -a.Updated.Compare(b.Updated) })
			require.NoError(b, s.Fill(part))
			part = part[:0]
		}
	}
}

// together runs do b.N times, by several workers.
func together(b *testing.B, workers int, do func(worker int)) {
	b.Helper()
	var (
		wg   sync.WaitGroup
		done atomic.Int64
	)
	b.ResetTimer()
	for w := range workers {
		wg.Go(func() {
			for done.Add(1) <= int64(b.N) {
				do(w)
			}
		})
	}
	wg.Wait()
}

var benchKeys atomic.Int64

func freshEntry() outbox.Entry {
	e := storetest.Entry(fmt.Sprintf("new-%x", uint32(benchKeys.Add(1))*2_654_435_761))
	e.Updated = storetest.Start.Add(-time.Hour)
	return e
}

func benchmarkAdd(b *testing.B, s *outbox.FileStore, workers int) {
	b.Helper()
	together(b, workers, func(int) {
		_, added, err := s.Add(b.Context(), freshEntry())
		if err != nil || !added {
			b.Error(err, added)
		}
	})
}

// benchmarkSend makes the store do what a worker's attempt needs.
func benchmarkSend(b *testing.B, s *outbox.FileStore, workers int) {
	b.Helper()
	now := storetest.Start
	for range workers {
		e := freshEntry()
		e.Attempts = 1
		_, _, err := s.Add(b.Context(), e)
		require.NoError(b, err)
	}
	together(b, workers, func(int) {
		claims, err := s.Claim(b.Context(), outbox.Want{Lane: outbox.LaneRetry, Now: now, Until: now.Add(time.Minute), Beyond: now.Add(48 * time.Hour), Limit: 1})
		if err != nil || len(claims) != 1 {
			b.Error(err, len(claims))
			return
		}
		c := claims[0]
		c.Entry.Sending, c.Entry.Attempts = true, c.Entry.Attempts+1
		err = s.Begin(b.Context(), c)
		c.Entry.Sending, c.Entry.Version = false, c.Entry.Version+1
		c.Entry.Updated = c.Entry.Updated.Add(time.Millisecond)
		if err != nil || s.Release(b.Context(), c) != nil {
			b.Error(err)
		}
	})
}

func benchmarkPostpone(b *testing.B, s *outbox.FileStore, workers int) {
	b.Helper()
	now := storetest.Start
	together(b, workers, func(int) {
		claims, err := s.Claim(b.Context(), outbox.Want{Lane: outbox.LaneFollow, Now: now.Add(25 * time.Hour), Until: now.Add(26 * time.Hour), Beyond: now.Add(48 * time.Hour), Limit: 1})
		if err != nil || len(claims) != 1 || s.Postpone(b.Context(), claims[0]) != nil {
			b.Error(err, len(claims))
		}
	})
}

func benchmarkPage(b *testing.B, s *outbox.FileStore, f outbox.Filter, want int) {
	b.Helper()
	for b.Loop() {
		page, err := s.Page(b.Context(), f, outbox.Entry{}, 100)
		require.NoError(b, err)
		require.Len(b, page, want)
	}
}
