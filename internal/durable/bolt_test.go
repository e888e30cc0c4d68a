package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"
)

var (
	bucket = []byte("bucket")
	nested = []byte("nested")
)

// fill makes a file with branches, leaves, pages that belong together, a bucket in a bucket, and free pages.
func fill(t *testing.T, path string) {
	t.Helper()
	b, err := OpenBolt(path)
	require.NoError(t, err)
	require.NoError(t, b.Update(func(tx *bolt.Tx) error {
		top, err := tx.CreateBucket(bucket)
		require.NoError(t, err)
		for i := range 3000 {
			require.NoError(t, top.Put(fmt.Appendf(nil, "key %05d", i), fmt.Appendf(nil, "value %0100d", i)))
		}
		in, err := top.CreateBucket(nested)
		require.NoError(t, err)
		for i := range 300 {
			require.NoError(t, in.Put(fmt.Appendf(nil, "key %05d", i), make([]byte, 50)))
		}
		return top.Put([]byte("large"), make([]byte, 20_000))
	}))
	require.NoError(t, b.Update(func(tx *bolt.Tx) error {
		for i := range 1000 {
			require.NoError(t, tx.Bucket(bucket).Delete(fmt.Appendf(nil, "key %05d", 2*i)))
		}
		return nil
	}))
	require.NoError(t, b.Close())
}

// use reads all of a file and changes something in it. It returns the first error.
func use(b *Bolt) error {
	err := b.View(func(tx *bolt.Tx) error {
		var all func(*bolt.Bucket) error
		all = func(in *bolt.Bucket) error {
			return in.ForEach(func(key, value []byte) error {
				if value == nil {
					return all(in.Bucket(key))
				}
				_ = string(value)
				return nil
			})
		}
		return tx.ForEach(func(_ []byte, in *bolt.Bucket) error { return all(in) })
	})
	for i := range 20 {
		err = errors.Join(err, b.Update(func(tx *bolt.Tx) error {
			key := fmt.Appendf(nil, "key %05d", i*131)
			return errors.Join(tx.Bucket(bucket).Delete(key), tx.Bucket(bucket).Put(append(key, 'x'), make([]byte, 1000)))
		}))
	}
	return err
}

func assertNamed(t *testing.T, err error, path string) {
	t.Helper()
	require.ErrorIs(t, err, ErrDamaged)
	require.ErrorContains(t, err, path)
}

func TestBoltThatChangesWhileItIsOpen(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, path string){
		"cut to nothing": func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 0)) },
		"cut to a half":  func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 64<<10)) },
		"moved":          func(t *testing.T, path string) { require.NoError(t, os.Rename(path, path+".old")) },
		"its folder moved": func(t *testing.T, path string) {
			require.NoError(t, os.Rename(filepath.Dir(path), filepath.Dir(path)+".old"))
		},
		"removed": func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) },
		"replaced": func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path+".new", nil, 0o600))
			require.NoError(t, os.Rename(path+".new", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "folder", "file.db")
			require.NoError(t, os.Mkdir(filepath.Dir(path), 0o700))
			fill(t, path)
			b, err := OpenBolt(path)
			require.NoError(t, err)
			change(t, path)
			assertNamed(t, use(b), path)
			assertNamed(t, b.Update(func(*bolt.Tx) error { return nil }), path)
			require.NoError(t, b.Close())
			require.ErrorIs(t, use(b), ErrClosed)
		})
	}

	// A cut that comes when a transaction has begun is a fault where it reads.
	path := filepath.Join(t.TempDir(), "file.db")
	fill(t, path)
	b, err := OpenBolt(path)
	require.NoError(t, err)
	err = b.View(func(tx *bolt.Tx) error {
		require.NoError(t, os.Truncate(path, 16<<10))
		return tx.Bucket(bucket).ForEach(func(_, _ []byte) error { return nil })
	})
	assertNamed(t, err, path)
	require.NoError(t, b.Close())
}

func TestBoltForOneProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.db")
	b, err := OpenBolt(path)
	require.NoError(t, err)
	for _, open := range []func(string) (*Bolt, error){OpenBolt, ReadBolt} {
		_, err := open(path)
		require.ErrorIs(t, err, ErrInUse)
		require.ErrorContains(t, err, "another program has "+path+" open")
	}
	require.NoError(t, b.Close())
	first, err := ReadBolt(path)
	require.NoError(t, err)
	second, err := ReadBolt(path)
	require.NoError(t, err)
	_, err = OpenBolt(path)
	require.ErrorIs(t, err, ErrInUse)
	require.Error(t, first.Update(func(*bolt.Tx) error { return nil }))
	require.NoError(t, first.Close())
	require.NoError(t, second.Close())
}

// TestBoltAfterAPanic gives up a file on which bbolt has panicked, without its locks.
func TestBoltAfterAPanic(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.db")
	fill(t, path)
	b, err := OpenBolt(path)
	require.NoError(t, err)
	assertNamed(t, b.View(func(*bolt.Tx) error { panic("of a reader") }), path)
	assertNamed(t, b.Update(func(*bolt.Tx) error { panic("of a change") }), path)
	require.NoError(t, use(b), "both are undone")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			assert.ErrorContains(t, b.intact(func() error { panic("of bbolt") }), "of bbolt") //nolint:testifylint // require ends only the test's own goroutine
			assert.ErrorIs(t, use(b), ErrDamaged)
		})
	}
	wg.Wait()
	require.NoError(t, b.Close())
	b, err = OpenBolt(path)
	require.NoError(t, err)
	require.NoError(t, use(b))
	require.NoError(t, b.Close())
	require.NoError(t, b.Close(), "a second time")
}

var errRefused = errors.New("refused")

func TestBoltUpdatesShareCommits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.db")
	fill(t, path)
	b, err := OpenBolt(path)
	require.NoError(t, err)
	commits := map[int]bool{}
	var (
		wg sync.WaitGroup
		mu sync.Mutex
		n  atomic.Int64
	)
	for i := range 16 {
		wg.Go(func() {
			for k := range 50 {
				last := 0
				err := b.Update(func(tx *bolt.Tx) error {
					last = tx.ID()
					if err := tx.Bucket(bucket).Put(fmt.Appendf(nil, "of %d %d", i, k), []byte("1")); err != nil || k%10 != 9 {
						return err
					}
					return errRefused
				})
				if k%10 == 9 {
					assert.ErrorIs(t, err, errRefused) //nolint:testifylint // as above
					continue
				}
				assert.NoError(t, err) //nolint:testifylint // as above
				n.Add(1)
				mu.Lock()
				commits[last] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	assert.Less(t, len(commits), int(n.Load()))
	require.NoError(t, b.View(func(tx *bolt.Tx) error {
		for i := range 16 {
			for k := range 50 {
				value := tx.Bucket(bucket).Get(fmt.Appendf(nil, "of %d %d", i, k))
				assert.Equal(t, k%10 != 9, value != nil)
			}
		}
		return nil
	}))
	require.NoError(t, b.Close())
}

func TestBoltIsClosedWhileItWorks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.db")
	fill(t, path)
	b, err := OpenBolt(path)
	require.NoError(t, err)
	var wg, ready sync.WaitGroup
	for range 8 {
		ready.Add(1)
		wg.Go(func() {
			began := sync.OnceFunc(ready.Done)
			for {
				err := use(b)
				began()
				if err != nil {
					assert.ErrorIs(t, err, ErrClosed) //nolint:testifylint // as above
					assert.NotErrorIs(t, err, ErrDamaged)
					return
				}
			}
		})
	}
	ready.Wait()
	require.NoError(t, b.Close())
	wg.Wait()
}

// TestBoltIsMadeAtOnce has many open a file that is not there: each finds none or a whole one.
func TestBoltIsMadeAtOnce(t *testing.T) {
	for range 2 {
		path := filepath.Join(t.TempDir(), "file.db")
		var (
			wg   sync.WaitGroup
			open atomic.Pointer[Bolt]
		)
		for range 4 {
			wg.Go(func() {
				b, err := OpenBolt(path)
				if err != nil {
					assert.ErrorIs(t, err, ErrInUse)
					return
				}
				assert.Nil(t, open.Swap(b))
			})
		}
		wg.Wait()
		require.NotNil(t, open.Load())
		require.NoError(t, open.Load().Close())
		left, err := os.ReadDir(filepath.Dir(path))
		require.NoError(t, err)
		assert.Len(t, left, 1)
	}
}
