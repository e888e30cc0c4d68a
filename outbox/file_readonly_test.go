package outbox_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/internal/storetest"
)

func TestReadOnly(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "outbox.db")
	_, err := outbox.OpenStoreReadOnly(path)
	require.ErrorContains(t, err, path)
	assert.NoFileExists(t, path)
	store, err := outbox.OpenStore(path)
	require.NoError(t, err)
	unknown := storetest.Entry("b")
	unknown.Unknown, unknown.Attempts = true, 1
	for _, e := range []outbox.Entry{storetest.Entry("a"), unknown} {
		_, _, err = store.Add(ctx, e)
		require.NoError(t, err)
	}
	_, err = outbox.OpenStoreReadOnly(path)
	require.ErrorContains(t, err, "another program has "+path+" open")
	require.NoError(t, store.Close())

	reader, err := outbox.OpenStoreReadOnly(path)
	require.NoError(t, err)
	second, err := outbox.OpenStoreReadOnly(path)
	require.NoError(t, err)
	for _, r := range []outbox.Store{reader, second} {
		e, err := r.Get(ctx, "b")
		require.NoError(t, err)
		assert.Equal(t, unknown, e)
		_, err = r.Get(ctx, "none")
		require.ErrorIs(t, err, outbox.ErrNotFound)
		page, err := r.Page(ctx, outbox.Filter{Unknown: true}, outbox.Entry{}, 10)
		require.NoError(t, err)
		assert.Equal(t, []outbox.Entry{unknown}, page)
		stats, err := r.Stats(ctx)
		require.NoError(t, err)
		assert.Equal(t, outbox.Stats{States: map[outbox.State]int{outbox.StatePending: 2}, Unknown: 1, OldestDue: storetest.Start.UTC()}, stats)
	}
	storetest.RefusesChanges(t, reader)

	// It keeps no program from the file.
	store, err = outbox.OpenStore(path)
	require.NoError(t, err)
	_, err = reader.Get(ctx, "a")
	require.ErrorContains(t, err, "another program has "+path+" open")
	require.NoError(t, store.Close())
	_, err = reader.Get(ctx, "a")
	require.NoError(t, err)
	require.NoError(t, reader.Close())
	storetest.RefusesChanges(t, reader)
	_, err = reader.Get(ctx, "a")
	require.ErrorIs(t, err, outbox.ErrClosed)
}

// withBuckets makes a bbolt file with buckets.
func withBuckets(t *testing.T, names ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.db")
	changed(t, path, func(tx *bolt.Tx) error {
		for _, name := range names {
			_, err := tx.CreateBucket([]byte(name))
			require.NoError(t, err)
		}
		return nil
	})
	return path
}

// withForm changes the version that a file says it is of.
func withForm(t *testing.T, path, version string) {
	t.Helper()
	changed(t, path, func(tx *bolt.Tx) error { return tx.Bucket([]byte("outbox")).Put([]byte("version"), []byte(version)) })
}

func changed(t *testing.T, path string, change func(*bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(change))
	require.NoError(t, db.Close())
}
