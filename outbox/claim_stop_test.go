package outbox_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/outbox"
)

// claiming is a store that is told to stop while a claim is running, as a database is: the claim takes effect, but the
// caller, whose context has ended, does not learn of it.
type claiming struct {
	outbox.Store
	meanwhile func()
}

func (s *claiming) Claim(ctx context.Context, want outbox.Want) ([]outbox.Claim, error) {
	claims, err := s.Store.Claim(ctx, want)
	if len(claims) > 0 && s.meanwhile != nil {
		s.meanwhile()
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return claims, err
}

// TestStoppedWhileItClaims: a program that is stopped while it takes work gives it back, so that the next one need not wait for a lease
// to end.
func TestStoppedWhileItClaims(t *testing.T) {
	inBubble(t, nil, nil, false, func(t *testing.T, b *bench) {
		b.enqueue(t, "key", transfer(5))
		ctx, stop := context.WithCancel(t.Context())
		store := b.store
		b.store = &claiming{store, stop}
		box := b.newBox(t, outbox.WithLease(time.Hour))
		b.store = store
		require.NoError(t, box.Run(ctx))
		now := time.Now()
		claims, err := b.store.Claim(t.Context(), outbox.Want{Now: now, Until: now.Add(time.Minute), Limit: 1})
		require.NoError(t, err)
		assert.Len(t, claims, 1, "it is nobody's")
		assert.Empty(t, b.sent())
	})
}
