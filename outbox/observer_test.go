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

// A trace sees what is enqueued and worked on; what it adds to the context is passed on, and is kept with the entry.
func TestTrace(t *testing.T) {
	in := func(ctx context.Context) string { at, _ := ctx.Value(traceKey{}).(string); return at }
	inject := func(ctx context.Context) map[string]string { return map[string]string{"trace": in(ctx)} }
	extract := func(ctx context.Context, carrier map[string]string) context.Context {
		return context.WithValue(ctx, traceKey{}, carrier["trace"])
	}
	other := func(context.Context) map[string]string { return map[string]string{"other": "o"} }
	same := func(ctx context.Context, _ map[string]string) context.Context { return ctx }
	inBubble(t, []reply{answerLost, works}, []any{qredo.TxPending, qredo.TxApproved}, false, func(t *testing.T, b *bench) {
		var (
			mu   sync.Mutex
			told []string
		)
		note := func(ctx context.Context, what string) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, what+" in "+in(ctx))
		}
		b.context = note
		b.box = b.newBox(t, outbox.WithContextCarrier(other, same), outbox.WithContextCarrier(inject, extract), outbox.WithTrace(outbox.Trace{
			Enqueue: func(ctx context.Context, key string, _ outbox.Request) (context.Context, func(outbox.Entry, error)) {
				note(ctx, key)
				return context.WithValue(ctx, traceKey{}, in(ctx)+"/enqueue"), func(e outbox.Entry, err error) { note(ctx, string(e.State)); assert.NoError(t, err) }
			},
			Work: func(ctx context.Context, e outbox.Entry) (context.Context, func(outbox.Entry)) {
				note(ctx, "work")
				return context.WithValue(ctx, traceKey{}, "work"), func(after outbox.Entry) {
					note(ctx, "worked: "+string(after.State))
					assert.GreaterOrEqual(t, after.Version, e.Version)
				}
			},
			Change: func(ctx context.Context, e outbox.Entry) { note(ctx, "changed: "+string(e.Steps[len(e.Steps)-1].Kind)) },
		}))
		e, err := b.box.Enqueue(context.WithValue(t.Context(), traceKey{}, "t1"), "key", transfer(5))
		require.NoError(t, err)
		assert.Equal(t, map[string]string{"trace": "t1/enqueue", "other": "o"}, e.Carrier)
		stop := b.run(t)
		b.until(t, "key", ended)
		stop()
		assert.Equal(t, []string{
			"key in t1", "pending in t1",
			"work in t1/enqueue", "POST in work", "changed: unknown in work", "worked: pending in t1/enqueue",
			"work in t1/enqueue", "POST in work", "changed: sent in work", "worked: sent in t1/enqueue",
			"work in t1/enqueue", "GET in work", "changed: status in work", "worked: sent in t1/enqueue",
			"work in t1/enqueue", "GET in work", "changed: done in work", "worked: done in t1/enqueue",
		}, told)
	})
}
