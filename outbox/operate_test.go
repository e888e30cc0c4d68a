package outbox_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
)

// TestOperateNeedsNoClient: people decide while another program sends, which continues with their decisions.
func TestOperateNeedsNoClient(t *testing.T) {
	inBubble(t, []reply{answerLost, page502}, approved, true, func(t *testing.T, b *bench) {
		o, err := outbox.Operate(b.store)
		require.NoError(t, err)
		b.enqueue(t, "key", transfer(5))
		b.until(t, "key", unknown)
		e, err := o.Get(t.Context(), "key")
		require.NoError(t, err)
		assert.True(t, e.Unknown)
		stats, err := o.Stats(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 1, stats.Unknown)
		page, err := o.Page(t.Context(), outbox.Filter{Unknown: true}, outbox.Entry{}, 5)
		require.NoError(t, err)
		assert.Len(t, page, 1)

		_, err = o.Resolve(t.Context(), "key", "tx-"+qredo.TxID(e.PartnerTxID), "Bob: the app shows it")
		require.NoError(t, err)
		for e, err = range o.Watch(t.Context(), "key") {
			require.NoError(t, err)
		}
		assert.Equal(t, outbox.StateDone, e.State)
		removed, err := o.Prune(t.Context(), e.Updated.Add(1))
		require.NoError(t, err)
		assert.Equal(t, 1, removed)
	})
}

func TestOperateCannotSend(t *testing.T) {
	inBubble(t, []reply{works}, approved, false, func(t *testing.T, b *bench) {
		o, err := outbox.Operate(b.store)
		require.NoError(t, err)
		_, runs := o.(interface{ Run(context.Context) error })
		assert.False(t, runs)
		_, err = outbox.Operate(nil)
		require.ErrorAs(t, err, new(*qredo.ValidationError))
		_, err = outbox.Operate(b.store, outbox.WithLease(0))
		require.ErrorAs(t, err, new(*qredo.ValidationError))
	})
}
