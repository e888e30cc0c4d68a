package outbox_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/qredo-go/qredo/internal/durable/durabletest"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/internal/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openFile(t *testing.T) outbox.Store {
	t.Helper()
	return openFileStore(t)
}

func openFileStore(t *testing.T) *outbox.FileStore {
	t.Helper()
	store, err := outbox.OpenStore(filepath.Join(t.TempDir(), "outbox.db"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, store.Close()) })
	return store
}

func TestFile(t *testing.T) {
	storetest.Run(t, openFile, func(t *testing.T, s outbox.Store, key string, change func(data []byte) []byte) {
		t.Helper()
		require.NoError(t, s.(*outbox.FileStore).Damage(key, change)) //nolint:forcetypeassert // openFile's
	})
}

func TestFileIsForOneProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	store, err := outbox.OpenStore(path)
	require.NoError(t, err)
	_, err = outbox.OpenStore(path)
	require.ErrorContains(t, err, "another program has "+path+" open")
	require.NoError(t, store.Close())
	_, err = outbox.OpenStore(filepath.Join(path, "below a file"))
	require.ErrorContains(t, err, path)
}

// A file whose name is not on the disk is lost in a crash of the machine, and with it what was enqueued.
func TestTheFolderOfANewFileIsSynced(t *testing.T) {
	folder := t.TempDir()
	assert.True(t, durabletest.SyncsFolder(t, folder, func() {
		store, err := outbox.OpenStore(filepath.Join(folder, "outbox.db"))
		require.NoError(t, err)
		require.NoError(t, store.Close())
	}))
}

func TestFileForgetsLeasesWhenItIsOpenedAgain(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "outbox.db")
	store, err := outbox.OpenStore(path)
	require.NoError(t, err)
	_, _, err = store.Add(ctx, storetest.Entry("a"))
	require.NoError(t, err)
	claims, err := store.Claim(ctx, outbox.Want{Now: storetest.Start, Until: storetest.Start.Add(time.Hour), Limit: 1})
	require.NoError(t, err)
	require.Len(t, claims, 1)
	claims[0].Entry.Sending, claims[0].Entry.Attempts = true, 1
	require.NoError(t, store.Begin(ctx, claims[0]))
	require.NoError(t, store.Close())
	store, err = outbox.OpenStore(path)
	require.NoError(t, err)
	again, err := store.Claim(ctx, outbox.Want{Lane: outbox.LaneRetry, Now: storetest.Start, Until: storetest.Start.Add(time.Hour), Limit: 1})
	require.NoError(t, err)
	require.Len(t, again, 1)
	assert.Equal(t, claims[0].Entry, again[0].Entry)
	require.NoError(t, store.Close())
}
