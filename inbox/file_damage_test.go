package inbox_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/inbox/internal/storetest"
)

// changed changes a file that no program has open.
func changed(t *testing.T, path string, change func(*bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(change))
	require.NoError(t, db.Close())
}

// filled is a file with something in each table.
func filled(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "inbox.db")
	store := openPath(t, path)
	_, err := store.Begin(t.Context(), storetest.Now)
	require.NoError(t, err)
	record(t, store, storetest.Seen("a", func(s *inbox.Sighting) { s.Alias = "a2" }), storetest.Seen("b"))
	require.NoError(t, store.Close())
	return path
}

// Any row that is changed, missing or under another key is noticed when the file is opened: otherwise a movement would be
// handed over twice, or never.
func TestFileWithDamage(t *testing.T) {
	for name, damage := range map[string]func(b *bolt.Bucket, key, value []byte) error{
		"a bit of a value": func(b *bolt.Bucket, key, value []byte) error {
			value[len(value)/2] ^= 1
			return b.Put(key, value)
		},
		"a bit of a key": func(b *bolt.Bucket, key, value []byte) error {
			other := bytes.Clone(key)
			other[len(other)/2] ^= 1
			return errorsOf(b.Delete(key), b.Put(other, value))
		},
		"a row that is gone":  func(b *bolt.Bucket, key, _ []byte) error { return b.Delete(key) },
		"a value that is cut": func(b *bolt.Bucket, key, _ []byte) error { return b.Put(key, nil) },
	} {
		for _, table := range []string{"inbox", "entries", "aliases", "ready", "states", "moved", "sources"} {
			t.Run(name+" of "+table, func(t *testing.T) {
				path := filled(t)
				changed(t, path, func(tx *bolt.Tx) error {
					b := tx.Bucket([]byte(table))
					key, value := b.Cursor().Last()
					require.NotNil(t, key)
					return damage(b, bytes.Clone(key), bytes.Clone(value))
				})
				_, err := inbox.OpenStore(path)
				require.ErrorContains(t, err, path)
				require.ErrorContains(t, err, "restore the file from a copy")
			})
		}
	}
	t.Run("nothing", func(t *testing.T) {
		path := filled(t)
		changed(t, path, func(*bolt.Tx) error { return nil })
		page, err := openPath(t, path).Page(t.Context(), inbox.Filter{}, "", 10)
		require.NoError(t, err)
		assert.Len(t, page, 2)
	})
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// What is damaged while the file is open, or is only read, is an error of the call.
func TestFileWithDamageThatIsRead(t *testing.T) {
	path := filled(t)
	changed(t, path, func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte("entries"))
		return b.Put([]byte("a"), bytes.Replace(b.Get([]byte("a")), []byte(`"amount":5`), []byte(`"amount":7`), 1))
	})
	reader, err := inbox.OpenStoreReadOnly(path)
	require.NoError(t, err)
	_, err = reader.Get(t.Context(), "a")
	require.ErrorContains(t, err, `what is stored under "a" was changed: restore the file from a copy`)
	_, err = reader.Next(t.Context(), "fund:c:f", "", 10, 10)
	require.ErrorContains(t, err, path)
	_, err = reader.Get(t.Context(), "b")
	require.NoError(t, err)
}

func TestFileOfSomethingElse(t *testing.T) {
	for name, c := range map[string]struct {
		change func(tx *bolt.Tx) error
		says   string
	}{
		"another program's": {func(tx *bolt.Tx) error {
			_, err := tx.CreateBucket([]byte("outbox"))
			return errorsOf(tx.DeleteBucket([]byte("inbox")), err)
		}, `is not an inbox: it has the bucket "aliases"`},
		"without a table": {func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("moved")) }, "it has no moved"},
		"not filled": {func(tx *bolt.Tx) error {
			return tx.ForEach(func(name []byte, _ *bolt.Bucket) error { return tx.DeleteBucket(name) })
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := filled(t)
			changed(t, path, c.change)
			_, err := inbox.OpenStoreReadOnly(path)
			require.ErrorContains(t, err, path)
			if c.says == "" {
				openPath(t, path)
				return
			}
			for _, err := range []error{err, second(inbox.OpenStore(path))} {
				require.ErrorContains(t, err, path)
				require.ErrorContains(t, err, c.says)
			}
		})
	}
	t.Run("a later version's", func(t *testing.T) {
		path := filled(t)
		inbox.SetFileVersion(t, path, "2")
		_, err := inbox.OpenStore(path)
		require.ErrorContains(t, err, path+" was made by a later version of this package")
		_, err = inbox.OpenStoreReadOnly(path)
		require.ErrorContains(t, err, "use that version")
	})
	t.Run("cut", func(t *testing.T) {
		path := filled(t)
		whole, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, whole[:len(whole)/4], 0o600))
		_, err = inbox.OpenStore(path)
		require.ErrorContains(t, err, path)
	})
}

func second(_ *inbox.FileStore, err error) error { return err }
