package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/durable"
	"github.com/qredo-go/qredo/internal/durable/durabletest"
	"github.com/qredo-go/qredo/sandbox/internal/store"
)

// kept is what a store has, as its caller sees it: the snapshot, and the records since.
type kept struct {
	snapshot string
	records  []string
}

// load opens a folder and reads it.
func load(dir string) (*store.Store, kept, error) {
	s, err := store.Open(dir)
	if err != nil {
		return nil, kept{}, err
	}
	var k kept
	err = s.Load(func(r io.Reader) error {
		text, err := io.ReadAll(r)
		k.snapshot = string(text)
		return err
	}, func(record []byte) error {
		k.records = append(k.records, string(record))
		return nil
	})
	if err != nil {
		_ = s.Close()
	}
	return s, k, err
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// open opens a folder until the test ends, with a first snapshot.
func open(t *testing.T, dir string) (*store.Store, kept) {
	t.Helper()
	s, k, err := load(dir)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	if k.snapshot == "" {
		require.NoError(t, s.Replace(text("first")))
	}
	return s, k
}

func add(t *testing.T, s *store.Store, records ...string) {
	t.Helper()
	for _, r := range records {
		require.NoError(t, s.Append([]byte(r)))
	}
	require.NoError(t, s.Sync())
}

func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	require.NoError(t, os.CopyFS(to, os.DirFS(dir)))
	return to
}

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var all []string
	for _, entry := range entries {
		all = append(all, entry.Name())
		info, err := entry.Info()
		require.NoError(t, err)
		assert.EqualValues(t, 0o600, info.Mode().Perm(), entry.Name())
	}
	return strings.Join(all, " ")
}

func TestStoreKeepsWhatWasAppended(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "with it")
	s, _ := open(t, dir)
	var want []string
	for i := range 300 {
		want = append(want, fmt.Sprintf(`{"n":%d,"text":%q}`, i, strings.Repeat("x", i)))
	}
	add(t, s, want...)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "closing again does nothing")
	require.ErrorIs(t, s.Append([]byte("late")), durable.ErrClosed)

	s, k := open(t, dir)
	assert.Equal(t, kept{"first", want}, k)
	finish, err := s.Fold()
	require.NoError(t, err)
	add(t, s, "after")
	assert.Equal(t, kept{"first", append(want, "after")}, must(t, copyOf(t, dir)), "as if it was killed before the snapshot is there")
	require.NoError(t, finish(text("second")))
	add(t, s, "later")
	assert.Equal(t, kept{"second", []string{"after", "later"}}, must(t, copyOf(t, dir)))
	assert.Equal(t, "journal-00000002.log lock snapshot-00000002.jsonl.gz", names(t, dir))

	require.NoError(t, s.Replace(text("third")))
	assert.Equal(t, kept{"third", nil}, must(t, copyOf(t, dir)))
	info, err := os.Stat(dir)
	require.NoError(t, err)
	assert.EqualValues(t, 0o700, info.Mode().Perm())
}

func must(t *testing.T, dir string) kept {
	t.Helper()
	s, k, err := load(dir)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	return k
}

// What was answered outlives a crash of the machine only if the names of the files do.
func TestTheFolderIsSynced(t *testing.T) {
	dir := t.TempDir()
	assert.True(t, durabletest.SyncsFolder(t, dir, func() { open(t, dir) }))
	above := t.TempDir()
	assert.True(t, durabletest.SyncsFolder(t, above, func() { open(t, filepath.Join(above, "made")) }), "the folder's own name")
	s, _ := open(t, t.TempDir())
	assert.NotNil(t, s)
}

func TestStoreIsForOneProgram(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	_, err := store.Open(dir)
	require.ErrorIs(t, err, durable.ErrInUse)
	require.ErrorContains(t, err, "another program has "+dir+" open")
	require.NoError(t, s.Close())
	_, err = store.Open(filepath.Join(dir, "lock"))
	require.Error(t, err, "it is no folder")
}

// One bit that flips, anywhere in what was acknowledged, is found, and the place is named.
func TestEachBitIsChecked(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	add(t, s, `{"of":"the first"}`)
	finish, err := s.Fold()
	require.NoError(t, err)
	_ = finish // it is killed before that
	add(t, s, `{"of":"the second"}`, `{"with":"it"}`)
	add(t, s, `{"of":"the last"}`)
	require.NoError(t, s.Close())
	all := must(t, dir)
	require.Len(t, all.records, 4)
	for _, name := range []string{"journal-00000001.log", "journal-00000002.log", "snapshot-00000001.jsonl.gz"} {
		path := filepath.Join(dir, name)
		right, err := os.ReadFile(path)
		require.NoError(t, err)
		for bit := range 8 * len(right) {
			damaged := bytes.Clone(right)
			damaged[bit/8] ^= 1 << (bit % 8)
			require.NoError(t, os.WriteFile(path, damaged, 0o600))
			s, k, err := load(dir)
			if err == nil && name == "snapshot-00000001.jsonl.gz" { // gzip has bits that say nothing of the text
				require.Equal(t, all, k)
				require.NoError(t, s.Close())
				continue
			}
			require.ErrorContains(t, err, path, "bit %d", bit)
		}
		require.NoError(t, os.WriteFile(path, right, 0o600))
	}
	for _, name := range []string{"journal-00000001.log", "snapshot-00000001.jsonl.gz"} {
		without := copyOf(t, dir)
		require.NoError(t, os.Remove(filepath.Join(without, name)))
		_, _, err := load(without)
		require.ErrorContains(t, err, name[:len(name)-len("-00000001.jsonl.gz")], name)
	}
}

// The power fails while several records are written, of which none was acknowledged: any part of them may be on the disk.
func TestTornEnds(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	add(t, s, "one", "two")
	path := filepath.Join(dir, "journal-00000001.log")
	synced, err := os.ReadFile(path)
	require.NoError(t, err)
	long := strings.Repeat("text ", 400)
	require.NoError(t, s.Append([]byte("three")))
	require.NoError(t, s.Append([]byte(long)))
	require.NoError(t, s.Append([]byte("five")))
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, s.Close())

	read := func(journal []byte) []string {
		t.Helper()
		require.NoError(t, os.WriteFile(path, journal, 0o600))
		k := must(t, dir)
		require.Equal(t, k, must(t, dir), "and stays so")
		require.GreaterOrEqual(t, len(k.records), 2)
		require.Equal(t, []string{"one", "two"}, k.records[:2])
		return k.records
	}
	edges := []int{len(synced), len(written) - 1, len(written)}
	for size := len(synced); size < len(written); size += 1 + 40*(size%9)/8 {
		edges = append(edges, size)
	}
	for _, size := range edges {
		records := read(written[:size])
		require.Equal(t, size == len(written), len(records) == 5, "%d bytes", size)
		zeros := append(bytes.Clone(written[:size]), make([]byte, 4096)...)
		require.Len(t, read(zeros), len(records), "%d bytes, and zeros", size)
	}
	// A block in the middle was never written, and what comes later was.
	hole := bytes.Clone(written)
	block := (len(synced)/512 + 1) * 512
	clear(hole[block : block+512])
	assert.Equal(t, []string{"one", "two", "three"}, read(hole))

	// What had been synced before something later was written is not torn, however it looks.
	s, _ = open(t, dir)
	add(t, s, long)
	add(t, s, "last")
	require.NoError(t, s.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	clear(whole[block : block+512])
	require.NoError(t, os.WriteFile(path, whole, 0o600))
	_, _, err = load(dir)
	require.ErrorContains(t, err, path+", byte ")
}

// failing is a file that fails when it is told to, after a part.
type failing struct {
	*os.File
	write, sync, truncate error
}

func (f *failing) WriteAt(b []byte, at int64) (int, error) {
	if f.write == nil {
		return f.File.WriteAt(b, at)
	}
	n, _ := f.File.WriteAt(b[:len(b)/2], at)
	return n, f.write
}

func (f *failing) Sync() error {
	if f.sync != nil {
		return f.sync
	}
	return f.File.Sync()
}

func (f *failing) Truncate(size int64) error {
	if f.truncate != nil {
		return f.truncate
	}
	return f.File.Truncate(size)
}

func TestWhatCannotBeWritten(t *testing.T) {
	full, gone := errors.New("no space left on device"), errors.New("input/output error")
	var f *failing
	dir := ""
	store.Through(t, func(path string, opened *os.File) store.File {
		if filepath.Dir(path) != dir {
			return opened // of a copy
		}
		f = &failing{File: opened}
		return f
	})
	t.Run("is not there, and what comes next is", func(t *testing.T) {
		dir = t.TempDir()
		s, _ := open(t, dir)
		add(t, s, "one")
		f.write = full
		require.ErrorIs(t, s.Append([]byte(strings.Repeat("not ", 99))), full)
		assert.Equal(t, []string{"one"}, must(t, copyOf(t, dir)).records)
		f.write = nil
		add(t, s, "two")
		assert.Equal(t, []string{"one", "two"}, must(t, copyOf(t, dir)).records)
	})
	t.Run("and not taken back is the last", func(t *testing.T) {
		dir = t.TempDir()
		s, _ := open(t, dir)
		add(t, s, "one")
		f.write, f.truncate = full, gone
		require.ErrorIs(t, s.Append([]byte("two")), full)
		f.write, f.truncate = nil, nil
		require.ErrorIs(t, s.Append([]byte("three")), gone)
		assert.Equal(t, []string{"one"}, must(t, copyOf(t, dir)).records)
	})
	t.Run("and not synced is the last", func(t *testing.T) {
		dir = t.TempDir()
		s, _ := open(t, dir)
		require.NoError(t, s.Append([]byte("one")))
		f.sync = gone
		require.ErrorIs(t, s.Sync(), gone)
		f.sync = nil
		require.ErrorIs(t, s.Sync(), gone, "a system that has said so once does not say it again")
		require.ErrorIs(t, s.Append([]byte("two")), gone)
		_, err := s.Fold()
		require.ErrorIs(t, err, gone)
		require.ErrorIs(t, s.Replace(text("second")), gone)
	})
	t.Run("as a snapshot leaves what is there", func(t *testing.T) {
		dir = t.TempDir()
		s, _ := open(t, dir)
		add(t, s, "one")
		finish, err := s.Fold()
		require.NoError(t, err)
		require.ErrorIs(t, finish(func(io.Writer) error { return full }), full)
		add(t, s, "two")
		require.ErrorIs(t, s.Replace(func(io.Writer) error { return full }), full)
		add(t, s, "three")
		assert.Equal(t, kept{"first", []string{"one", "two", "three"}}, must(t, copyOf(t, dir)))
		finish, err = s.Fold()
		require.NoError(t, err)
		require.NoError(t, finish(text("all")))
		assert.Equal(t, kept{"all", nil}, must(t, copyOf(t, dir)))
	})
}
