package storetest

import (
	"context"
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

var errHandler = errors.New("the handler's")

func testHand[Tx any](t *testing.T, s inbox.Store[Tx]) {
	record(t, s, Seen("a"), Seen("b"))
	_, err := s.Update(t.Context(), "a", inbox.StateReady, Now, inbox.Change{State: inbox.StateReady, Attempts: 2, Due: Now, Error: "not yet"})
	require.NoError(t, err)
	type key struct{}
	ctx, called := context.WithValue(t.Context(), key{}, "value"), 0
	hand := func(id string) error {
		return s.Hand(ctx, id, Now.Add(time.Hour), func(ctx context.Context, _ Tx, m inbox.Movement) error {
			called++
			assert.Equal(t, Movement(id), m)
			assert.Equal(t, "value", ctx.Value(key{}))
			return nil
		})
	}
	require.NoError(t, hand("a"))
	require.Equal(t, 1, called)
	done := get(t, s, "a")
	assert.Equal(t, inbox.Entry{
		ID: "a", Source: fund, Movement: Movement("a"), State: inbox.StateDone, Attempts: 2, Updated: Now.Add(time.Hour),
	}, done)
	require.ErrorIs(t, hand("a"), inbox.ErrNotReady)
	require.ErrorIs(t, hand("none"), inbox.ErrNotFound)
	require.Equal(t, 1, called)
	assert.Equal(t, done, get(t, s, "a"))
	assert.Equal(t, inbox.StateReady, get(t, s, "b").State)
	list, err := s.Next(ctx, fund, "", 10, 10)
	require.NoError(t, err)
	assert.Equal(t, []string{"b"}, idsOf(list))
	sums, err := s.Sums(ctx, fund)
	require.NoError(t, err)
	assert.Equal(t, inbox.Figure{Entries: 1, Amount: 5}, sums["wallet"].Done)
	require.NoError(t, hand("b"))
}

func testHandTogether[Tx any](t *testing.T, s inbox.Store[Tx]) {
	var (
		wg           sync.WaitGroup
		calls, wants [5]atomic.Int64
		handed       atomic.Int64
	)
	for i := range calls {
		record(t, s, Seen(fmt.Sprint(i), in(qredo.WalletID(fmt.Sprint(i)))))
	}
	for n := range 8 {
		for i := range calls {
			wg.Go(func() {
				err := s.Hand(t.Context(), fmt.Sprint(i), Now, func(context.Context, Tx, inbox.Movement) error {
					assert.Equal(t, int64(1), wants[i].Add(1), "one at a time")
					defer wants[i].Add(-1)
					calls[i].Add(1)
					if n%2 == 0 && calls[i].Load() < 3 {
						return errHandler // the next one comes
					}
					return nil
				})
				switch {
				case err == nil:
					handed.Add(1)
				case !errors.Is(err, errHandler):
					assert.ErrorIs(t, err, inbox.ErrNotReady)
				}
			})
		}
	}
	wg.Wait()
	assert.Equal(t, int64(len(calls)), handed.Load())
	for i := range calls {
		assert.LessOrEqual(t, calls[i].Load(), int64(3))
		assert.Equal(t, inbox.StateDone, get(t, s, fmt.Sprint(i)).State)
	}
}

func testHandFails[Tx any](t *testing.T, s inbox.Store[Tx]) {
	record(t, s, Seen("a"))
	before := get(t, s, "a")
	err := s.Hand(t.Context(), "a", Now.Add(time.Hour), func(context.Context, Tx, inbox.Movement) error { return fmt.Errorf("wrapped: %w", errHandler) })
	require.ErrorIs(t, err, errHandler)
	assert.Equal(t, before, get(t, s, "a"))
	require.PanicsWithValue(t, "the handler panics", func() {
		_ = s.Hand(t.Context(), "a", Now, func(context.Context, Tx, inbox.Movement) error { panic("the handler panics") })
	})
	assert.Equal(t, before, get(t, s, "a"))
	_, err = s.Update(t.Context(), "a", inbox.StateReady, Now, inbox.Change{State: inbox.StateReady, Attempts: 1})
	require.NoError(t, err, "nothing is kept from it")
	require.NoError(t, s.Hand(t.Context(), "a", Now, func(context.Context, Tx, inbox.Movement) error { return nil }))
}

func testHandNotReady[Tx any](t *testing.T, s inbox.Store[Tx]) {
	record(t, s, Seen("waits", status(qredo.TxPending)), Seen("void", status(qredo.TxRejected)), Seen("aside"), Seen("skipped"))
	become(t, s, "aside", inbox.StateAside)
	become(t, s, "skipped", inbox.StateSkipped)
	for _, id := range []string{"waits", "void", "aside", "skipped"} {
		err := s.Hand(t.Context(), id, Now, func(context.Context, Tx, inbox.Movement) error {
			assert.Fail(t, "it is called", id)
			return nil
		})
		require.ErrorIs(t, err, inbox.ErrNotReady, id)
	}
}

// testHandHolds changes an entry while it is handed over: the change waits, and sees that it is done.
func testHandHolds[Tx any](t *testing.T, s inbox.Store[Tx]) {
	record(t, s, Seen("a"), Seen("b"))
	source := lease(t, s, fund)
	started, updated, recorded := make(chan struct{}), make(chan error, 1), make(chan error, 1)
	var counts inbox.Recorded
	go func() {
		<-started
		_, err := s.Update(t.Context(), "a", inbox.StateReady, Now, inbox.Change{State: inbox.StateSkipped})
		updated <- err
	}()
	go func() {
		<-started
		var err error
		counts, err = s.Record(t.Context(), source, Now, []inbox.Sighting{Seen("a", status(qredo.TxChainRejected))})
		recorded <- err
	}()
	require.NoError(t, s.Hand(t.Context(), "a", Now, func(ctx context.Context, _ Tx, _ inbox.Movement) error {
		close(started)
		// Reads, and other entries, are not blocked.
		for range 3 {
			_, err := s.Get(ctx, "a")
			require.NoError(t, err)
			_, err = s.Update(ctx, "b", inbox.StateReady, Now, inbox.Change{State: inbox.StateReady})
			require.NoError(t, err)
		}
		brief, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		_, err := s.Update(brief, "a", inbox.StateReady, Now, inbox.Change{State: inbox.StateSkipped})
		require.Error(t, err)
		require.Error(t, brief.Err(), "it waits: %v", err)
		select {
		case err := <-updated:
			assert.Fail(t, "it was updated", "%v", err)
		case err := <-recorded:
			assert.Fail(t, "it was recorded", "%v", err)
		default:
		}
		return nil
	}))
	require.ErrorIs(t, <-updated, inbox.ErrNotReady)
	require.NoError(t, <-recorded)
	assert.Equal(t, inbox.Recorded{Changed: 1, Ready: 1}, counts)
	assert.Equal(t, inbox.StateDone, get(t, s, "a").State)
	assert.Equal(t, inbox.StateReady, get(t, s, "a!").State, "what was handed over is taken back")
}

func testClosed[Tx any](t *testing.T, s inbox.Store[Tx]) {
	record(t, s, Seen("a"))
	source := lease(t, s, fund)
	require.NoError(t, s.Close())
	for name, call := range calls(t, s, source, "a") {
		require.ErrorIs(t, call(t.Context()), inbox.ErrClosed, name)
	}
	require.NoError(t, s.Close(), "a second time")
}

func testClosedInFlight[Tx any](t *testing.T, s inbox.Store[Tx]) {
	record(t, s, Seen("a"))
	source := lease(t, s, fund)
	var wg, ready sync.WaitGroup
	for i := range 3 {
		for name, call := range calls(t, s, source, fmt.Sprint("a", i)) {
			ready.Add(1)
			wg.Go(func() {
				began := sync.OnceFunc(ready.Done)
				for {
					err := call(t.Context())
					began()
					switch {
					case errors.Is(err, inbox.ErrClosed):
						return
					case err == nil, errors.Is(err, inbox.ErrNotFound), errors.Is(err, inbox.ErrNotReady):
					default:
						assert.NoError(t, err, name)
						return
					}
				}
			})
		}
	}
	ready.Wait()
	require.NoError(t, s.Close())
	wg.Wait()
}

func testEnded[Tx any](t *testing.T, s inbox.Store[Tx]) {
	record(t, s, Seen("a"))
	source := lease(t, s, fund)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls(t, s, source, "a") {
		require.ErrorIs(t, call(ended), context.Canceled, name)
	}
	page, err := s.Page(t.Context(), inbox.Filter{}, "", 10)
	require.NoError(t, err)
	require.Len(t, page, 1)
	assert.Equal(t, inbox.StateReady, page[0].State)
	sources, err := s.Sources(t.Context())
	require.NoError(t, err)
	require.Len(t, sources, 1)
	assert.Equal(t, source.Until, sources[0].Until)
	from, err := s.Begin(t.Context(), Now.Add(time.Hour))
	require.NoError(t, err)
	assert.Equal(t, Now.Add(time.Hour), from, "none was stored before")
}
