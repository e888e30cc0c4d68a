package inbox_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/inbox"
)

// silentStore is a store that does not answer when it is asked for a lease: the program is stopped then.
type silentStore struct {
	*inbox.FileStore
	stop func()
}

func (s *silentStore) Lease(ctx context.Context, _, _ string, _ time.Duration) (inbox.Source, error) {
	s.stop()
	<-ctx.Done()
	return inbox.Source{}, ctx.Err()
}

// When an inbox is stopped, it waits a moment for a lease that is being granted, but no longer for a store that does not
// answer.
func TestStoppedWhileTheStoreIsSilent(t *testing.T) {
	s := newService(t, 1)
	files, err := inbox.OpenStore(file(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, files.Close()) })
	ctx, stop := context.WithCancel(t.Context())
	in, err := inbox.New(s.client, &silentStore{files, stop}, inbox.FromStart(), inbox.WithFunds(s.company, s.fund), inbox.WithLease(time.Hour))
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- in.Run(ctx, newBooks().take) }()
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(30 * time.Second): // a quarter of the lease is 15 minutes
		require.Fail(t, "it waits for the store")
	}
}
