package outbox_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
)

// slowToStore takes its time to store what became of an entry.
type slowToStore struct{ outbox.Store }

func (s slowToStore) Release(ctx context.Context, c outbox.Claim) error {
	<-time.After(100 * time.Millisecond)
	return s.Store.Release(ctx, c)
}

// TestABacklogIsNotPolled: a slot that gets free is filled at once, and is free as soon as the service has answered.
func TestABacklogIsNotPolled(t *testing.T) {
	inBubble(t, []reply{works}, []any{qredo.TxPending}, false, func(t *testing.T, b *bench) {
		b.store = slowToStore{b.store}
		b.box = b.newBox(t, outbox.WithConcurrency(8), outbox.WithPollInterval(10*time.Second))
		const payments = 200
		for i := range payments {
			b.enqueue(t, "payment "+strings.Repeat("x", i), transfer(qredo.Amount(i+1)))
		}
		began := time.Now()
		stop := b.run(t)
		for b.transactions() < payments {
			<-time.After(time.Millisecond)
		}
		took := time.Since(began)
		stop()
		assert.Less(t, took, time.Second, "8 slots and 100 ms a payment would take 2.5 s, polling 25 s")
	})
}
