package outbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
)

// leaveSending brings an entry to where a program that was killed while it sent has left it.
func leaveSending(t *testing.T, b *bench, lease time.Duration) outbox.Claim {
	t.Helper()
	claims, err := b.store.Claim(t.Context(), outbox.Want{Now: time.Now(), Until: time.Now().Add(lease), Limit: 1})
	require.NoError(t, err)
	require.Len(t, claims, 1)
	claims[0].Entry.Sending = true
	claims[0].Entry.Attempts++
	require.NoError(t, b.store.Begin(t.Context(), claims[0]))
	return claims[0]
}

func TestAnAttemptThatWasNotSurvivedIsUnknown(t *testing.T) {
	inBubble(t, []reply{noMoney, noMoney, works}, approved, false, func(t *testing.T, b *bench) {
		b.enqueue(t, "key", transfer(5))
		leaveSending(t, b, 24*time.Hour)
		require.NoError(t, b.store.Close())
		b.open(t)
		stop := b.run(t)
		e := b.until(t, "key", ended)
		stop()
		assert.Equal(t, outbox.StateDone, e.State, "it was refused twice, but after an attempt that may have been carried out")
		assert.Equal(t, "enqueued unknown unknown*2 sent status done", kinds(e))
		assert.Equal(t, 4, e.Attempts)
	})
}

func TestAnAttemptThatWasNotSurvivedIsUnknownAfterTheExpiryToo(t *testing.T) {
	inBubble(t, []reply{works}, approved, false, func(t *testing.T, b *bench) {
		b.enqueue(t, "key", transfer(5))
		leaveSending(t, b, 24*time.Hour)
		require.NoError(t, b.store.Close())
		b.open(t)
		<-time.After(2 * time.Hour)
		stop := b.run(t)
		assert.Equal(t, outbox.StateDone, b.until(t, "key", ended).State)
		stop()
	})
}

// TestARepeatAfterTheExpiryNamesTheTransaction: an answer that does not is none.
func TestARepeatAfterTheExpiryNamesTheTransaction(t *testing.T) {
	inBubble(t, []reply{answerLost}, approved, false, func(t *testing.T, b *bench) {
		b.enqueue(t, "key", transfer(5))
		stop := b.run(t)
		b.until(t, "key", unknown)
		stop()
		<-time.After(2 * time.Hour)
		b.script = []reply{noTxID, works}
		stop = b.run(t)
		e := b.until(t, "key", ended)
		stop()
		assert.Equal(t, outbox.StateDone, e.State)
		assert.NotEmpty(t, e.TxID)
		assert.Equal(t, 1, b.transactions())
	})
}

// TestWhatIsKnownIsNotListedAsUnknown: operators look at unknown entries, and record what happened. An entry whose
// transaction is known is not one of them, even while it waits for approval.
func TestWhatIsKnownIsNotListedAsUnknown(t *testing.T) {
	inBubble(t, []reply{answerLost, works}, []any{qredo.TxPending, qredo.TxPending, qredo.TxApproved}, true, func(t *testing.T, b *bench) {
		b.enqueue(t, "key", transfer(5))
		b.until(t, "key", unknown)
		e := b.until(t, "key", func(e outbox.Entry) bool { return e.State == outbox.StateSent })
		assert.False(t, e.Unknown)
		for e, err := range b.box.List(t.Context(), outbox.Filter{Unknown: true}) {
			require.NoError(t, err)
			assert.Fail(t, "listed as unknown", e.Key)
		}
		assert.Equal(t, outbox.StateDone, b.until(t, "key", ended).State)
	})
}

// TestAWorkerThatWasTooSlow: another one has taken the entry since. What the slow one then learns, were it
// a refusal, must not end the entry.
func TestAWorkerThatWasTooSlow(t *testing.T) {
	inBubble(t, []reply{noMoney, works}, approved, false, func(t *testing.T, b *bench) {
		b.enqueue(t, "key", transfer(5))
		slow := leaveSending(t, b, time.Minute)
		<-time.After(2 * time.Minute)
		stop := b.run(t)
		b.until(t, "key", unknown)
		slow.Entry.State, slow.Entry.Sending = outbox.StateFailed, false
		require.ErrorIs(t, b.store.Release(t.Context(), slow), outbox.ErrClaimLost)
		e := b.until(t, "key", ended)
		stop()
		assert.Equal(t, outbox.StateDone, e.State)
		assert.Equal(t, "enqueued unknown unknown sent status done", kinds(e))
	})
}

func TestACallEndsBeforeItsLease(t *testing.T) {
	inBubble(t, []reply{works}, approved, true, func(t *testing.T, b *bench) {
		b.block = make(chan struct{})
		began := time.Now()
		b.enqueue(t, "key", transfer(5))
		e := b.until(t, "key", unknown)
		assert.Less(t, time.Since(began), 2*time.Minute)
		assert.Contains(t, e.Steps[1].Note, "deadline exceeded")
		close(b.block)
		assert.Equal(t, outbox.StateDone, b.until(t, "key", ended).State)
	})
}

func TestStopping(t *testing.T) {
	t.Run("lets a request end", func(t *testing.T) {
		inBubble(t, []reply{works}, approved, false, func(t *testing.T, b *bench) {
			b.block = make(chan struct{})
			b.store = &failing{Store: b.store}
			b.box = b.newBox(t)
			b.enqueue(t, "key", transfer(5))
			b.enqueue(t, "late", transferAt(5, time.Now().Add(time.Hour)))
			stop := b.run(t)
			synctest.Wait()
			time.AfterFunc(3*time.Second, func() { close(b.block) })
			stop()
			e, err := b.box.Get(t.Context(), "key")
			require.NoError(t, err)
			assert.Equal(t, outbox.StateSent, e.State)
			b.enqueue(t, "after", transfer(5))
			synctest.Wait()
			assert.Len(t, b.sent(), 2)
		})
	})
	t.Run("but not for long", func(t *testing.T) {
		inBubble(t, []reply{works}, approved, false, func(t *testing.T, b *bench) {
			b.block = make(chan struct{})
			b.enqueue(t, "key", transfer(5))
			stop := b.run(t)
			synctest.Wait()
			began := time.Now()
			stop()
			assert.InDelta(t, 5*time.Second, time.Since(began), float64(time.Second))
			e, err := b.box.Get(t.Context(), "key")
			require.NoError(t, err)
			assert.True(t, e.Unknown, "its request was on the way")
			assert.False(t, e.Sending)
		})
	})
	t.Run("before it began", func(t *testing.T) {
		inBubble(t, []reply{works}, approved, false, func(t *testing.T, b *bench) {
			b.enqueue(t, "key", transfer(5))
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			require.NoError(t, b.box.Run(ctx))
			assert.Empty(t, b.sent())
		})
	})
}

// TestWorkersTogether: an outbox works on eight entries at once, two workers of it on sixteen, each entry
// sent once.
func TestWorkersTogether(t *testing.T) {
	for workers := range 3 {
		t.Run(fmt.Sprint(workers+1), func(t *testing.T) {
			inBubble(t, []reply{works}, []any{qredo.TxPending, qredo.TxApproved}, false, func(t *testing.T, b *bench) {
				var now, most atomic.Int64
				slow := roundTripper(func(r *http.Request) (*http.Response, error) {
					if n := now.Add(1); n > most.Load() {
						most.Store(n)
					}
					defer now.Add(-1)
					<-time.After(time.Second)
					return b.RoundTrip(r)
				})
				client, err := qredo.NewClient(anyone{}, qredo.WithBaseURL("http://127.0.0.1/p"), qredo.WithHTTPClient(&http.Client{Transport: slow}))
				require.NoError(t, err)
				b.box, err = outbox.New(client, b.store)
				require.NoError(t, err)
				for i := range 100 {
					b.enqueue(t, fmt.Sprint(i), transfer(5))
				}
				var stops []func()
				for range workers + 1 {
					stops = append(stops, b.run(t))
				}
				for i := range 100 {
					assert.Equal(t, outbox.StateDone, b.until(t, fmt.Sprint(i), ended).State)
				}
				for _, stop := range stops {
					stop()
				}
				assert.Equal(t, int64(8*(workers+1)), most.Load())
				assert.Len(t, b.sent(), 100)
			})
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// failing is a store that fails when told to.
type failing struct {
	outbox.Store
	claim, save, release atomic.Bool
}

var errDisk = errors.New("disk full")

func (f *failing) Claim(ctx context.Context, w outbox.Want) ([]outbox.Claim, error) {
	if f.claim.Load() {
		return nil, errDisk
	}
	return f.Store.Claim(ctx, w)
}

func (f *failing) Begin(ctx context.Context, c outbox.Claim) error {
	if f.save.Load() {
		return errDisk
	}
	return f.Store.Begin(ctx, c)
}

func (f *failing) Release(ctx context.Context, c outbox.Claim) error {
	if f.release.Load() {
		return errDisk
	}
	if ctx.Err() != nil { // as a database says it
		return ctx.Err()
	}
	return f.Store.Release(ctx, c)
}

func TestAStoreThatFails(t *testing.T) {
	inBubble(t, []reply{works}, approved, false, func(t *testing.T, b *bench) {
		store := &failing{Store: b.store}
		b.store = store
		var log bytes.Buffer
		client, err := qredo.NewClient(anyone{}, qredo.WithBaseURL("http://127.0.0.1/p"), qredo.WithHTTPClient(&http.Client{Transport: b.service}))
		require.NoError(t, err)
		b.box, err = outbox.New(client, store, outbox.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		require.NoError(t, err)
		b.enqueue(t, "key", transfer(5))

		store.claim.Store(true)
		stop := b.run(t)
		<-time.After(time.Hour / 4)
		store.claim.Store(false)
		store.save.Store(true)
		<-time.After(time.Hour / 4)
		assert.Empty(t, b.sent(), "nothing is sent of which no trace would be left")

		store.save.Store(false)
		store.release.Store(true)
		<-time.After(10 * time.Minute)
		store.release.Store(false)
		e := b.until(t, "key", ended)
		stop()
		assert.Equal(t, outbox.StateDone, e.State)
		assert.Equal(t, "enqueued unknown sent status done", kinds(e), "its success could not be stored at first")
		assert.Greater(t, e.Attempts, 2)
		assert.Equal(t, 1, b.transactions())
		assert.Contains(t, log.String(), "claiming work from the store failed")
		assert.Contains(t, log.String(), "could not be stored")
		assert.Contains(t, log.String(), "has ended")
	})
}

func TestStepsAreBounded(t *testing.T) {
	inBubble(t, nil, approved, false, func(t *testing.T, b *bench) {
		b.script = []reply{answerLost}
		for i := range 150 {
			b.script = append(b.script, reply{status: 500, body: fmt.Sprintf(`{"code":500,"msg":"fault %d"}`, i)})
		}
		b.script = append(b.script, works)
		b.box = b.newBox(t, outbox.WithBackoff(time.Second, time.Second))
		b.enqueue(t, "key", transfer(5))
		stop := b.run(t)
		e := b.until(t, "key", ended)
		stop()
		assert.Len(t, e.Steps, 100)
		assert.Equal(t, outbox.StepEnqueued, e.Steps[0].Kind)
		assert.Equal(t, outbox.StepKind("done"), e.Steps[99].Kind)
		assert.Equal(t, 152, e.Attempts)
	})
}
