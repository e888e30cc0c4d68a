package inbox_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/sandbox"
)

// losing is a store that, on request, loses the answer that it has recorded something new.
type losing struct {
	*inbox.FileStore
	lose atomic.Bool
}

func (l *losing) Record(ctx context.Context, s inbox.Source, now time.Time, seen []inbox.Sighting) (inbox.Recorded, error) {
	counts, err := l.FileStore.Record(ctx, s, now, seen)
	if err == nil && counts.New > 0 && l.lose.CompareAndSwap(true, false) {
		return inbox.Recorded{}, errors.New("the connection is lost")
	}
	return counts, err
}

// What a store has recorded although its answer was lost counts as found.
func TestAnswersOfTheStoreAreLost(t *testing.T) {
	both(t, func(t *testing.T, order sandbox.Option) {
		s := newService(t, 1, order)
		files, err := inbox.OpenStore(file(t))
		require.NoError(t, err)
		t.Cleanup(func() { _ = files.Close() })
		store, mine := &losing{FileStore: files}, newBooks()
		in, err := inbox.New(s.client, store, inbox.FromStart(), inbox.WithFunds(s.company, s.fund), inbox.WithPolling(time.Millisecond, 2*time.Millisecond))
		require.NoError(t, err)
		run(t, in, mine.take)
		for n := range 3 {
			store.lose.Store(true)
			s.deposit(s.wallets[0], 10)
			mine.wait(t, n+1)
			require.False(t, store.lose.Load())
		}
		assert.Empty(t, settled(t, in).Missed)
		sources, err := store.Sources(t.Context())
		require.NoError(t, err)
		require.Len(t, sources, 1)
		assert.Equal(t, []int64{3, 0, 0}, []int64{sources[0].Rows, sources[0].Skipped, sources[0].Missed})
	})
}
