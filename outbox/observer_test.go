package outbox_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
)

type traceKey struct{}

// A trace that began where the payment was enqueued goes on in each attempt, also in another program.
func TestTheContextGoesWithTheEntry(t *testing.T) {
	inject := func(ctx context.Context) map[string]string {
		trace, _ := ctx.Value(traceKey{}).(string)
		return map[string]string{"trace": trace}
	}
	extract := func(ctx context.Context, carrier map[string]string) context.Context {
		return context.WithValue(ctx, traceKey{}, carrier["trace"])
	}
	inBubble(t, []reply{answerLost, works}, []any{qredo.TxPending, qredo.TxApproved}, false, func(t *testing.T, b *bench) {
		var (
			mu   sync.Mutex
			seen []string
		)
		see := func(ctx context.Context, what string) {
			mu.Lock()
			defer mu.Unlock()
			trace, _ := ctx.Value(traceKey{}).(string)
			seen = append(seen, what+" "+trace)
		}
		b.context = func(ctx context.Context, method string) { see(ctx, method) }
		observe := func(ctx context.Context, e outbox.Entry) { see(ctx, string(e.Steps[len(e.Steps)-1].Kind)) }
		b.box = b.newBox(t, outbox.WithContextCarrier(inject, extract), outbox.WithObserver(observe))
		_, err := b.box.Enqueue(context.WithValue(t.Context(), traceKey{}, "t1"), "key", transfer(5))
		require.NoError(t, err)
		stop := b.run(t)
		b.until(t, "key", ended)
		stop()
		assert.Equal(t, []string{"POST t1", "unknown t1", "POST t1", "sent t1", "GET t1", "status t1", "GET t1", "done t1"}, seen)
	})
}
