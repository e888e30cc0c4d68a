package outbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
)

func TestResolve(t *testing.T) {
	// doubtful leaves an entry whose outcome is unknown, with no worker.
	doubtful := func(t *testing.T, b *bench) {
		t.Helper()
		b.enqueue(t, "key", transfer(5))
		stop := b.run(t)
		b.until(t, "key", unknown)
		stop()
	}
	script := []reply{answerLost, noMoney}
	t.Run("a transaction was made", func(t *testing.T) {
		inBubble(t, script, approved, false, func(t *testing.T, b *bench) {
			doubtful(t, b)
			e, err := b.box.Resolve(t.Context(), "key", "tx-found", "Ann saw it in the app")
			require.NoError(t, err)
			assert.Equal(t, outbox.StateSent, e.State)
			assert.False(t, e.Unknown)
			stop := b.run(t)
			e = b.until(t, "key", ended)
			stop()
			assert.Equal(t, outbox.StateDone, e.State)
			assert.Equal(t, qredo.TxID("tx-found"), e.TxID)
			assert.Equal(t, "enqueued unknown resolved status done", kinds(e))
			assert.Equal(t, "Ann saw it in the app", e.Steps[2].Note)
		})
	})
	t.Run("none was made", func(t *testing.T) {
		inBubble(t, script, approved, false, func(t *testing.T, b *bench) {
			doubtful(t, b)
			ahead := b.newBox(t, outbox.WithClock(func() time.Time { return time.Now().Add(24 * time.Hour) }))
			for _, box := range []*outbox.Outbox{b.box, ahead} { // by the client's clock
				_, err := box.Resolve(t.Context(), "key", "", "Ann did not see it in the app")
				requireInvalid(t, err, "tx_id") // it has not expired
			}
			<-time.After(2 * time.Hour)
			_, err := b.box.Resolve(t.Context(), "key", "", "")
			requireInvalid(t, err, "note")
			e, err := b.box.Resolve(t.Context(), "key", "", "Ann did not see it in the app")
			require.NoError(t, err)
			assert.Equal(t, outbox.StateFailed, e.State)
			assert.False(t, e.Unknown)
			assert.Equal(t, "no transaction was made: Ann did not see it in the app", e.Reason)
			got, err := b.box.Get(t.Context(), "key")
			require.NoError(t, err)
			assert.Equal(t, e, got)
			_, err = b.box.Resolve(t.Context(), "key", "tx", "again")
			requireInvalid(t, err, "key")
		})
	})
	t.Run("not what is known", func(t *testing.T) {
		inBubble(t, script, approved, false, func(t *testing.T, b *bench) {
			_, err := b.box.Resolve(t.Context(), "key", "tx", "note")
			require.ErrorIs(t, err, outbox.ErrNotFound)
			before := b.enqueue(t, "key", transfer(5))
			_, err = b.box.Resolve(t.Context(), "key", "tx", "note")
			requireInvalid(t, err, "key")
			after, err := b.box.Get(t.Context(), "key")
			require.NoError(t, err)
			assert.Equal(t, before, after)
			leaveSending(t, b, time.Minute)
			_, err = b.box.Resolve(t.Context(), "key", "tx", "note")
			require.ErrorIs(t, err, outbox.ErrBusy)
			<-time.After(2 * time.Minute)
			e, err := b.box.Resolve(t.Context(), "key", "tx", "note")
			require.NoError(t, err)
			assert.False(t, e.Sending, "nobody sends it any more")
		})
	})
}

// held brings an entry to where its transaction turns out to be another payment's.
func (b *bench) held(t *testing.T) outbox.Entry {
	t.Helper()
	b.enqueue(t, "key", transfer(5))
	stop := b.run(t)
	defer stop()
	return b.until(t, "key", func(e outbox.Entry) bool { return e.State == outbox.StateHeld })
}

func TestResolveWhatIsHeld(t *testing.T) {
	const other = details(`{"asset":"BTC","netAmount":7}`)
	t.Run("by its transaction", func(t *testing.T) {
		inBubble(t, []reply{works}, []any{other}, false, func(t *testing.T, b *bench) {
			e := b.held(t)
			// What the person names is not compared again: they have looked.
			assert.Empty(t, e.TxID)
			_, err := b.box.Resolve(t.Context(), "key", qredo.TxID("tx-"+e.PartnerTxID), "Ann: the fee was taken from it")
			require.NoError(t, err)
			stop := b.run(t)
			e = b.until(t, "key", ended)
			stop()
			assert.Equal(t, outbox.StateDone, e.State)
			assert.Empty(t, e.Reason)
			assert.Equal(t, "enqueued sent held resolved status done", kinds(e))
		})
	})
	t.Run("by saying that there is none, once it cannot be made any more", func(t *testing.T) {
		inBubble(t, []reply{works}, []any{other}, false, func(t *testing.T, b *bench) {
			b.held(t)
			_, err := b.box.Resolve(t.Context(), "key", "", "Ann: not in the ledger")
			requireInvalid(t, err, "tx_id")
			<-time.After(time.Hour)
			e, err := b.box.Resolve(t.Context(), "key", "", "Ann: not in the ledger")
			require.NoError(t, err)
			assert.Equal(t, outbox.StateFailed, e.State)
			assert.False(t, e.Unknown)
		})
	})
	t.Run("by trying again", func(t *testing.T) {
		inBubble(t, []reply{works}, []any{other, qredo.TxApproved}, false, func(t *testing.T, b *bench) {
			b.held(t)
			_, err := b.box.Retry(t.Context(), "key", "")
			requireInvalid(t, err, "note")
			e, err := b.box.Retry(t.Context(), "key", "Ann: the proxy is mended")
			require.NoError(t, err)
			assert.Equal(t, outbox.StatePending, e.State)
			assert.True(t, e.Unknown, "a person who has it tried again does not say how it was")
			assert.Empty(t, e.TxID)
			stop := b.run(t)
			e = b.until(t, "key", ended)
			stop()
			assert.Equal(t, outbox.StateDone, e.State)
			assert.Len(t, b.sent(), 2)
			assert.Equal(t, b.sent()[0].partner, b.sent()[1].partner)
			_, err = b.box.Retry(t.Context(), "key", "Ann: once more")
			requireInvalid(t, err, "key")
		})
	})
	t.Run("not by another entry's transaction", func(t *testing.T) {
		inBubble(t, []reply{works}, []any{other, qredo.TxApproved}, false, func(t *testing.T, b *bench) {
			b.held(t)
			b.enqueue(t, "other", transfer(8))
			stop := b.run(t)
			done := b.until(t, "other", ended)
			stop()
			_, err := b.box.Resolve(t.Context(), "key", done.TxID, "Ann: this one")
			require.ErrorIs(t, err, outbox.ErrTxIDTaken)
			e, err := b.box.Get(t.Context(), "key")
			require.NoError(t, err)
			assert.Equal(t, outbox.StateHeld, e.State)
		})
	})
}

// TestRetryIsAtOnce: what rests for minutes is turned to when a person says so.
func TestRetryIsAtOnce(t *testing.T) {
	inBubble(t, []reply{down}, approved, true, func(t *testing.T, b *bench) {
		b.enqueue(t, "key", transfer(5))
		<-time.After(30 * time.Minute)
		before := len(b.sent())
		began := time.Now()
		_, err := b.box.Retry(t.Context(), "key", "Ann: the line is mended")
		require.NoError(t, err)
		b.until(t, "key", func(e outbox.Entry) bool { return e.Misses == 1 })
		assert.Len(t, b.sent(), before+1)
		assert.Less(t, time.Since(began), time.Second)
	})
}
