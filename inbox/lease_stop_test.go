package inbox_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/inbox"
)

// leasing is a store that is told to stop while it leases, as a database is: the lease takes effect, but the caller,
// whose context has ended, does not learn of it.
type leasing struct {
	*inbox.FileStore
	meanwhile func()
	leased    int
	released  []inbox.Source
}

func (l *leasing) Lease(ctx context.Context, source, holder string, lease time.Duration) (inbox.Source, error) {
	s, err := l.FileStore.Lease(ctx, source, holder, lease)
	if err == nil {
		l.leased++
		l.meanwhile()
	}
	if ctx.Err() != nil {
		return inbox.Source{}, ctx.Err()
	}
	return s, err
}

func (l *leasing) Release(ctx context.Context, s inbox.Source) error {
	l.released = append(l.released, s)
	return l.FileStore.Release(ctx, s)
}

// TestStoppedWhileItLeases: a program that is stopped while it takes a source gives it back, so that the next one need not wait for a lease to end.
func TestStoppedWhileItLeases(t *testing.T) {
	s := newService(t, 1)
	files, err := inbox.OpenStore(file(t))
	require.NoError(t, err)
	t.Cleanup(func() { _ = files.Close() })
	ctx, stop := context.WithCancel(t.Context())
	store, mine := &leasing{FileStore: files, meanwhile: stop}, newBooks()
	in, err := inbox.New(s.client, store, inbox.FromStart(), inbox.WithFunds(s.company, s.fund), inbox.WithLease(time.Hour))
	require.NoError(t, err)
	s.deposit(s.wallets[0], 10)
	require.NoError(t, in.Run(ctx, mine.take))
	assert.Equal(t, 1, store.leased)
	assert.Len(t, store.released, 1)
	sources, err := files.Sources(t.Context())
	require.NoError(t, err)
	require.Len(t, sources, 1)
	_, err = files.Lease(t.Context(), sources[0].ID, "another", time.Minute)
	require.NoError(t, err, "it is nobody's")
	assert.Empty(t, mine.amounts(s.wallets[0]))
}
