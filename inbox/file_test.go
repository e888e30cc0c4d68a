package inbox_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/inbox/internal/storetest"
	"github.com/qredo-go/qredo/internal/durable/durabletest"
)

func openFile(t *testing.T) inbox.Store[inbox.NoTx] {
	t.Helper()
	return openPath(t, filepath.Join(t.TempDir(), "inbox.db"))
}

func openPath(t *testing.T, path string) *inbox.FileStore {
	t.Helper()
	store, err := inbox.OpenStore(path)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, store.Close()) })
	return store
}

func TestFile(t *testing.T) { storetest.Run(t, openFile) }

func TestFileIsForOneProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "inbox.db")
	store := openPath(t, path)
	_, err := inbox.OpenStore(path)
	require.ErrorContains(t, err, "another program has "+path+" open")
	require.NoError(t, store.Close())
	_, err = inbox.OpenStore(filepath.Join(path, "below a file"))
	require.ErrorContains(t, err, path)
}

// A file whose name is not on the disk is lost in a crash of the machine, and with it what was handed over.
func TestTheFolderOfANewFileIsSynced(t *testing.T) {
	folder := t.TempDir()
	assert.True(t, durabletest.SyncsFolder(t, folder, func() {
		store, err := inbox.OpenStore(filepath.Join(folder, "inbox.db"))
		require.NoError(t, err)
		require.NoError(t, store.Close())
	}))
}

// record has a source report movements.
func record(t *testing.T, store inbox.Records, seen ...inbox.Sighting) inbox.Source {
	t.Helper()
	s, err := store.Lease(t.Context(), "fund:c:f", "a", time.Hour)
	require.NoError(t, err)
	_, err = store.Record(t.Context(), s, storetest.Now, seen)
	require.NoError(t, err)
	return s
}

// handed hands over a movement to a handler that does nothing.
func handed(context.Context, inbox.NoTx, inbox.Movement) error { return nil }

// What the next program finds: everything but the leases, which were the one before's.
func TestFileOpenedAgain(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "inbox.db")
	store := openPath(t, path)
	_, err := store.Begin(ctx, storetest.Now)
	require.NoError(t, err)
	s := record(t, store, storetest.Seen("a"), storetest.Seen("b"), storetest.Seen("c", func(s *inbox.Sighting) { s.Alias = "c2" }))
	s.Reading = inbox.Reading{Whole: true, Before: map[qredo.WalletID]qredo.Amount{"wallet": 7}}
	require.NoError(t, store.Progress(ctx, s))
	require.NoError(t, store.Hand(ctx, "a", storetest.Now, handed))
	entries, err := store.Page(ctx, inbox.Filter{}, "", 10)
	require.NoError(t, err)
	require.NoError(t, store.Close())

	store = openPath(t, path)
	from, err := store.Begin(ctx, storetest.Now.Add(time.Hour))
	require.NoError(t, err)
	assert.Equal(t, storetest.Now, from)
	again, err := store.Page(ctx, inbox.Filter{}, "", 10)
	require.NoError(t, err)
	assert.Equal(t, entries, again)
	assert.Equal(t, inbox.StateDone, again[0].State)
	require.NoError(t, store.Progress(ctx, s), "nobody else has had the lease")
	other, err := store.Lease(ctx, s.ID, "b", time.Hour)
	require.NoError(t, err)
	assert.Greater(t, other.Token, s.Token)
	assert.Equal(t, s.Reading, other.Reading)
	assert.Equal(t, int64(3), other.Rows)
	require.ErrorIs(t, store.Progress(ctx, s), inbox.ErrLeaseLost)
	require.ErrorIs(t, store.Hand(ctx, "a", storetest.Now, handed), inbox.ErrNotReady)
	counts, err := store.Record(ctx, other, storetest.Now, []inbox.Sighting{storetest.Seen("c2"), storetest.Seen("a")})
	require.NoError(t, err)
	assert.Zero(t, counts)
}

// A file that cannot be written does not record what was handed over: the error says so, and it is handed over again.
func TestFileThatCannotStoreWhatWasHandedOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "inbox.db")
	store := openPath(t, path)
	record(t, store, storetest.Seen("a"))
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	err = store.Hand(t.Context(), "a", storetest.Now, func(context.Context, inbox.NoTx, inbox.Movement) error {
		return os.Truncate(path, int64(len(whole)/2))
	})
	require.ErrorContains(t, err, "a was handed over, and will be again")
	require.ErrorContains(t, err, path+" was cut while it was open")
	require.NoError(t, store.Close())
	require.NoError(t, os.WriteFile(path, whole, 0o600))
	called := 0
	require.NoError(t, openPath(t, path).Hand(t.Context(), "a", storetest.Now, func(_ context.Context, _ inbox.NoTx, m inbox.Movement) error {
		called++
		assert.Equal(t, "a", m.Key)
		return nil
	}))
	assert.Equal(t, 1, called)
}

// A context that ends while a movement is handed over does not have it handed over again.
func TestFileStoresWhatWasHandedOverAsTheProgramEnds(t *testing.T) {
	store := openFile(t)
	record(t, store, storetest.Seen("a"))
	ctx, cancel := context.WithCancel(t.Context())
	closed := make(chan error, 1)
	require.NoError(t, store.Hand(ctx, "a", storetest.Now, func(context.Context, inbox.NoTx, inbox.Movement) error {
		cancel()
		go func() { closed <- store.Close() }()
		for { // until the store is closed for others
			err := store.Hand(t.Context(), "b", storetest.Now, handed)
			if err == inbox.ErrClosed { //nolint:errorlint // that one
				for range 100 {
					_, err := store.Get(t.Context(), "a")
					require.NoError(t, err, "the file is open until what is handed over is stored")
				}
				return nil
			}
			require.ErrorIs(t, err, inbox.ErrNotFound)
		}
	}))
	require.NoError(t, <-closed)
}

func TestFileReadOnly(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "inbox.db")
	_, err := inbox.OpenStoreReadOnly(path)
	require.ErrorContains(t, err, path)
	assert.NoFileExists(t, path)
	store := openPath(t, path)
	s := record(t, store, storetest.Seen("a"), storetest.Seen("b"), storetest.Seen("w", func(s *inbox.Sighting) {
		s.Movement.Status, s.Movement.Moved = qredo.TxPending, false
	}))
	_, err = inbox.OpenStoreReadOnly(path)
	require.ErrorContains(t, err, "another program has "+path+" open")
	look := func(r inbox.Records) (all []any) {
		t.Helper()
		page, err := r.Page(ctx, inbox.Filter{}, "", 10)
		require.NoError(t, err)
		e, err := r.Get(ctx, "a")
		require.NoError(t, err)
		list, err := r.Next(ctx, s.ID, "", 10, 10)
		require.NoError(t, err)
		n, oldest, err := r.Waiting(ctx, s.ID)
		require.NoError(t, err)
		sums, err := r.Sums(ctx, s.ID)
		require.NoError(t, err)
		sources, err := r.Sources(ctx)
		require.NoError(t, err)
		sources[0].Until = time.Time{}
		return []any{page, e, list, n, oldest, sums, sources}
	}
	want := look(store)
	require.NoError(t, store.Close())
	reader, err := inbox.OpenStoreReadOnly(path)
	require.NoError(t, err)
	assert.Equal(t, want, look(reader))
	second, err := inbox.OpenStoreReadOnly(path)
	require.NoError(t, err)
	assert.Equal(t, want, look(second))

	for name, change := range map[string]func() error{
		"Begin":    func() error { _, err := reader.Begin(ctx, storetest.Now); return err },
		"Lease":    func() error { _, err := reader.Lease(ctx, s.ID, "a", time.Hour); return err },
		"Release":  func() error { return reader.Release(ctx, s) },
		"Progress": func() error { return reader.Progress(ctx, s) },
		"Record":   func() error { _, err := reader.Record(ctx, s, storetest.Now, nil); return err },
		"Update": func() error {
			_, err := reader.Update(ctx, "a", inbox.StateReady, storetest.Now, inbox.Change{State: inbox.StateDone})
			return err
		},
	} {
		require.ErrorIs(t, change(), inbox.ErrReadOnly, name)
	}

	// It keeps no program from the file.
	store = openPath(t, path)
	_, err = reader.Get(ctx, "a")
	require.ErrorContains(t, err, "another program has "+path+" open")
	require.NoError(t, store.Close())
	require.NoError(t, reader.Close())
	_, err = reader.Get(ctx, "a")
	require.ErrorIs(t, err, inbox.ErrClosed)
}
