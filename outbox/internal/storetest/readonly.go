package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/outbox"
)

// RefusesChanges checks that a store that is for reading changes nothing.
func RefusesChanges(t *testing.T, reader outbox.Store) {
	t.Helper()
	ctx := t.Context()
	_, _, err := reader.Add(ctx, Entry("c"))
	require.ErrorIs(t, err, outbox.ErrReadOnly)
	_, err = reader.Claim(ctx, outbox.Want{Limit: 1})
	require.ErrorIs(t, err, outbox.ErrReadOnly)
	_, err = reader.Take(ctx, "a", time.Now(), time.Now())
	require.ErrorIs(t, err, outbox.ErrReadOnly)
	for _, change := range []func() error{
		func() error { return reader.Begin(ctx, outbox.Claim{}) },
		func() error { return reader.Release(ctx, outbox.Claim{}) },
		func() error { return reader.Postpone(ctx, outbox.Claim{}) },
		func() error { return reader.Remove(ctx, []string{"a"}) },
	} {
		require.ErrorIs(t, change(), outbox.ErrReadOnly)
	}
}
