package outbox_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/outbox"
)

// serveSocket serves the outbox in a file of its own, and returns the file and what ends it.
func serveSocket(t *testing.T, file string) (store outbox.Store, end func()) {
	t.Helper()
	store, err := outbox.OpenStore(file)
	require.NoError(t, err)
	o, err := outbox.Operate(store)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- outbox.ServeSocket(ctx, o, file) }()
	for dialed := error(fs.ErrNotExist); dialed != nil; {
		select {
		case err := <-served:
			require.NoError(t, err, "it ended")
		case <-time.After(time.Millisecond):
			_, dialed = outbox.DialSocket(t.Context(), file)
		}
	}
	return store, func() {
		cancel()
		require.NoError(t, <-served)
		require.NoError(t, store.Close())
	}
}

func TestSocket(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.db")
	_, err := outbox.DialSocket(t.Context(), file)
	require.ErrorIs(t, err, fs.ErrNotExist)

	store, end := serveSocket(t, file)
	b := &bench{service: &service{}, store: store}
	b.box = b.newBox(t)
	b.put(t, "key", transfer(5), isUnknown)
	info, err := os.Stat(file + ".sock")
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm())

	o, err := outbox.DialSocket(t.Context(), file)
	require.NoError(t, err)
	e, err := o.Resolve(t.Context(), "key", "tx-1", "Bob")
	require.NoError(t, err)
	assert.Equal(t, outbox.StateSent, e.State)
	end()

	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1, "the file, and nothing else")
}

// TestSocketOfAProgramThatWasKilled: the socket that it left behind is in nobody's way.
func TestSocketOfAProgramThatWasKilled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.db")
	require.NoError(t, os.WriteFile(file+".sock", nil, 0o600))
	_, err := outbox.DialSocket(t.Context(), file)
	require.Error(t, err)
	_, end := serveSocket(t, file)
	end()
}

// TestSocketOfTheNextProgram: a program that ends late leaves its successor's socket alone.
func TestSocketOfTheNextProgram(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.db")
	_, end := serveSocket(t, file)
	require.NoError(t, os.Remove(file+".sock"))
	require.NoError(t, os.WriteFile(file+".sock", nil, 0o600))
	end()
	assert.FileExists(t, file+".sock")
}

func TestSocketThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	err := outbox.ServeSocket(t.Context(), nil, filepath.Join(dir, "no", "a.db"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "a.db.sock")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}
