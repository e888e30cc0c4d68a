package postgres

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/pgstore"
	"github.com/qredo-go/qredo/outbox"
)

// batch is a batch that a combiner carries out in a test, which answers it.
type batch struct {
	changes []change
	ctx     context.Context
	answer  chan []error
}

func newCombiner() (*combiner, chan batch) {
	batches := make(chan batch)
	return &combiner{calls: &pgstore.Calls{}, apply: func(ctx context.Context, changes []change) []error {
		b := batch{changes, ctx, make(chan []error)}
		batches <- b
		return <-b.answer
	}}, batches
}

// ask asks for a change, and returns where the answer comes.
func ask(ctx context.Context, c *combiner, token int64) <-chan error {
	answer := make(chan error, 1)
	go func() { answer <- c.do(ctx, change{Token: token}) }()
	synctest.Wait()
	return answer
}

func TestCombiner(t *testing.T) {
	for name, test := range map[string]func(t *testing.T, c *combiner, batches <-chan batch){
		"what comes while one runs goes together": func(t *testing.T, c *combiner, batches <-chan batch) {
			first := ask(t.Context(), c, 1)
			one := <-batches
			require.Len(t, one.changes, 1)
			second, third := ask(t.Context(), c, 2), ask(t.Context(), c, 3)
			one.answer <- []error{nil}
			require.NoError(t, <-first)
			two := <-batches
			require.Len(t, two.changes, 2)
			assert.Equal(t, int64(2), two.changes[0].Token)
			assert.Equal(t, int64(3), two.changes[1].Token)
			two.answer <- []error{nil, outbox.ErrTxIDTaken}
			require.NoError(t, <-second)
			require.ErrorIs(t, <-third, outbox.ErrTxIDTaken, "each has its own answer")
			again := ask(t.Context(), c, 4) // after a rest
			last := <-batches
			last.answer <- []error{errors.New("down")}
			require.ErrorContains(t, <-again, "down")
		},
		"who gives up is left out, and delays nobody": func(t *testing.T, c *combiner, batches <-chan batch) {
			first := ask(t.Context(), c, 1)
			one := <-batches
			ctx, giveUp := context.WithCancel(t.Context())
			second, third := ask(ctx, c, 2), ask(t.Context(), c, 3)
			giveUp()
			require.ErrorIs(t, <-second, context.Canceled)
			one.answer <- []error{nil}
			require.NoError(t, <-first)
			two := <-batches
			require.Len(t, two.changes, 1)
			assert.Equal(t, int64(3), two.changes[0].Token)
			two.answer <- []error{nil}
			require.NoError(t, <-third)
		},
		"who begins and gives up does not end it for others": func(t *testing.T, c *combiner, batches <-chan batch) {
			first := ask(t.Context(), c, 1)
			one := <-batches
			ctx, giveUp := context.WithTimeout(t.Context(), time.Second)
			defer giveUp()
			longer, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			second, third := ask(ctx, c, 2), ask(longer, c, 3)
			one.answer <- []error{nil}
			require.NoError(t, <-first)
			two := <-batches
			require.Len(t, two.changes, 2)
			require.ErrorIs(t, <-second, context.DeadlineExceeded)
			require.NoError(t, two.ctx.Err())
			began := time.Now()
			<-two.ctx.Done()
			assert.Equal(t, 9*time.Second, time.Since(began), "nobody waits any longer")
			two.answer <- []error{context.DeadlineExceeded, context.DeadlineExceeded}
			require.ErrorIs(t, <-third, context.DeadlineExceeded)
		},
		"a batch has its bounds": func(t *testing.T, c *combiner, batches <-chan batch) {
			first := ask(t.Context(), c, 0)
			one := <-batches
			for i := range keptBatch + 1 {
				ask(t.Context(), c, int64(i))
			}
			one.answer <- []error{nil}
			require.NoError(t, <-first)
			for _, n := range []int{keptBatch, 1} {
				b := <-batches
				require.Len(t, b.changes, n)
				b.answer <- make([]error, n)
			}
		},
		"it is closed when the last one has ended": func(t *testing.T, c *combiner, batches <-chan batch) {
			first := ask(t.Context(), c, 1)
			one := <-batches
			closed := make(chan struct{})
			go func() {
				c.calls.End()
				close(closed)
			}()
			synctest.Wait()
			require.ErrorIs(t, <-ask(t.Context(), c, 2), outbox.ErrClosed)
			select {
			case <-closed:
				require.Fail(t, "it waits for nobody")
			default:
			}
			one.answer <- []error{nil}
			require.NoError(t, <-first)
			<-closed
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, batches := newCombiner()
				test(t, c, batches)
				synctest.Wait()
			})
		})
	}
}
