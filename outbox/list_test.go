package outbox_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
)

func TestPrune(t *testing.T) {
	inBubble(t, []reply{works}, []any{qredo.TxApproved, qredo.TxPending}, false, func(t *testing.T, b *bench) {
		b.enqueue(t, "done", transfer(5))
		stop := b.run(t)
		b.until(t, "done", ended)
		b.enqueue(t, "waits", transfer(6))
		b.until(t, "waits", func(e outbox.Entry) bool { return e.State == outbox.StateSent })
		stop()
		<-time.After(time.Hour)

		removed, err := b.box.Prune(t.Context(), time.Now().Add(-2*time.Hour))
		require.NoError(t, err)
		assert.Zero(t, removed, "none of them ended before that")

		removed, err = b.box.Prune(t.Context(), time.Now(), outbox.WithArchive(full{}))
		require.Error(t, err)
		assert.Zero(t, removed, "what could not be archived stays")
		_, err = b.box.Get(t.Context(), "done")
		require.NoError(t, err)

		var archive bytes.Buffer
		removed, err = b.box.Prune(t.Context(), time.Now(), outbox.WithArchive(&archive))
		require.NoError(t, err)
		assert.Equal(t, 1, removed)
		var kept outbox.Entry
		require.NoError(t, json.Unmarshal(archive.Bytes(), &kept))
		assert.Equal(t, "done", kept.Key)
		assert.Equal(t, 1, strings.Count(archive.String(), "\n"))
		_, err = b.box.Get(t.Context(), "done")
		require.ErrorIs(t, err, outbox.ErrNotFound)
		_, err = b.box.Get(t.Context(), "waits")
		require.NoError(t, err)
		stats, err := b.box.Stats(t.Context())
		require.NoError(t, err)
		assert.Equal(t, map[outbox.State]int{outbox.StateSent: 1}, stats.States)
		assert.Zero(t, stats.Unknown)
		assert.False(t, stats.OldestDue.IsZero())
	})
}

// full is a disk that is.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestEnqueueAfterPruning: the service still knows the payment, by the PartnerTxID that follows from its key.
func TestEnqueueAfterPruning(t *testing.T) {
	inBubble(t, []reply{works}, approved, false, func(t *testing.T, b *bench) {
		first := b.enqueue(t, "key", transfer(5))
		stop := b.run(t)
		b.until(t, "key", ended)
		<-time.After(time.Minute)
		removed, err := b.box.Prune(t.Context(), time.Now())
		require.NoError(t, err)
		assert.Equal(t, 1, removed)
		assert.Equal(t, first.PartnerTxID, b.enqueue(t, "key", transfer(5)).PartnerTxID)
		b.until(t, "key", ended)
		stop()
		assert.Len(t, b.sent(), 2)
		assert.Len(t, b.made, 1)
	})
}

func TestListInTheOrderOfChange(t *testing.T) {
	inBubble(t, []reply{works}, approved, false, func(t *testing.T, b *bench) {
		for _, key := range []string{"c", "a", "b"} {
			b.enqueue(t, key, transfer(5))
			<-time.After(time.Second)
		}
		since := time.Now().Add(-2500 * time.Millisecond)
		var keys []string
		for e, err := range b.box.List(t.Context(), outbox.Filter{UpdatedSince: since}) {
			require.NoError(t, err)
			keys = append(keys, e.Key)
		}
		assert.Equal(t, []string{"a", "b"}, keys)
		keys = nil
		for e, err := range b.box.List(t.Context(), outbox.Filter{UpdatedBefore: since}) {
			require.NoError(t, err)
			keys = append(keys, e.Key)
		}
		assert.Equal(t, []string{"c"}, keys)
	})
}
