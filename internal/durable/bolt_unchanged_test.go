package durable

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"
)

func put(key string) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error { return tx.Bucket(bucket).Put([]byte(key), []byte("value")) }
}

// A backup is restored over a file that is open: what was stored since is gone from it, and bbolt knows only its own
// freelist.
func TestBoltThatIsRestoredInPlace(t *testing.T) {
	for name, look := range map[string]func(*Bolt) error{
		"who writes": func(b *Bolt) error { return b.Update(put("b")) },
		"who reads":  func(b *Bolt) error { return b.View(func(*bolt.Tx) error { return nil }) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file.db")
			fill(t, path)
			b, err := OpenBolt(path)
			require.NoError(t, err)
			before, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, b.Update(put("a")))
			require.NoError(t, os.WriteFile(path, before, 0o600))
			restored, err := os.ReadFile(path)
			require.NoError(t, err)
			for range 2 {
				err := look(b)
				assertNamed(t, err, path)
				require.ErrorContains(t, err, "restored over it")
			}
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, restored, after, "nothing is written over it")
			require.NoError(t, b.Close())
		})
	}
}

// A backup with the same number of changes, one of them different.
func TestBoltThatIsReplacedInPlaceByAnother(t *testing.T) {
	path, other := filepath.Join(t.TempDir(), "file.db"), filepath.Join(t.TempDir(), "other.db")
	fill(t, path)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(other, data, 0o600))
	b, err := OpenBolt(path)
	require.NoError(t, err)
	require.NoError(t, b.Update(put("key 00001")))
	o, err := OpenBolt(other)
	require.NoError(t, err)
	require.NoError(t, o.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucket).Put([]byte("key 02999"), make([]byte, 9000)) }))
	require.NoError(t, o.Close())
	data, err = os.ReadFile(other)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	assertNamed(t, b.Update(put("b")), path)
	require.NoError(t, b.Close())
}

// It happens when a change has just been brought to the disk.
func TestBoltThatIsRestoredWhileItIsChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.db")
	fill(t, path)
	b, err := OpenBolt(path)
	require.NoError(t, err)
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, b.Update(put("a")))
	require.NoError(t, b.Update(put("b")))
	assertNamed(t, b.Update(func(tx *bolt.Tx) error {
		tx.OnCommit(func() { require.NoError(t, os.WriteFile(path, before, 0o600)) })
		return nil
	}), path)
	assertNamed(t, b.Update(put("c")), path)
	require.NoError(t, b.Close())
}

// It happens when a change has found the file as it was left, and has not begun.
func TestBoltThatIsWrittenJustBeforeAChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.db")
	fill(t, path)
	b, err := OpenBolt(path)
	require.NoError(t, err)
	other, err := b.db.Begin(true) // the change waits for its end
	require.NoError(t, err)
	updated := make(chan error, 1)
	go func() { updated <- b.Update(put("a")) }()
	for stacks := make([]byte, 1<<20); len(updated) == 0 && !bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("beginRWTx")); {
		runtime.Gosched()
	}
	require.NoError(t, put("b")(other))
	require.NoError(t, other.Commit())
	assertNamed(t, <-updated, path)
	require.NoError(t, b.Close())
}
