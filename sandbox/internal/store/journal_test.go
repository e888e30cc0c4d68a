package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/durable/durabletest"
	"github.com/qredo-go/qredo/sandbox/internal/store"
)

var errBad = errors.New("it is bad")

func open(t *testing.T, dir string) *store.Journal {
	t.Helper()
	j, err := store.Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, j.Close()) })
	return j
}

func add(t *testing.T, j *store.Journal, texts ...string) {
	t.Helper()
	var records [][]byte
	for _, text := range texts {
		records = append(records, []byte(text))
	}
	require.NoError(t, j.Append(records...))
}

func replay(t *testing.T, j *store.Journal) []string {
	t.Helper()
	var records []string
	require.NoError(t, j.Replay(func(record []byte) error {
		records = append(records, string(record))
		return nil
	}))
	return records
}

func TestJournalThatIsCut(t *testing.T) {
	dir := t.TempDir()
	j, err := store.Open(dir)
	require.NoError(t, err)
	for range 200 {
		require.NoError(t, j.Append([]byte(strings.Repeat("x", 1000))))
	}
	require.NoError(t, j.Close())
	path := filepath.Join(dir, "journal.db")
	info, err := os.Stat(path)
	require.NoError(t, err)
	for _, size := range []int64{info.Size() * 3 / 8, info.Size() / 4, 0} {
		require.NoError(t, os.Truncate(path, size))
		_, err = store.Open(dir)
		require.ErrorContains(t, err, path)
	}
}

func TestJournalKeepsTheOrder(t *testing.T) {
	j := open(t, t.TempDir())
	assert.Empty(t, replay(t, j))
	want := []string{}
	for i := range 300 { // past the first byte of a key
		batch := []string{"event " + string(rune('a'+i%26)), "", strings.Repeat("x", i)}
		add(t, j, batch...)
		want = append(want, batch...)
	}
	add(t, j)
	assert.Equal(t, want, replay(t, j), "in their order")
	assert.Equal(t, want, replay(t, j), "reading takes nothing")

	stop, seen := errors.New("enough"), 0
	require.ErrorIs(t, j.Replay(func([]byte) error {
		if seen++; seen == 2 {
			return stop
		}
		return nil
	}), stop)
	assert.Equal(t, 2, seen)

	require.NoError(t, j.Reset())
	assert.Empty(t, replay(t, j))
	add(t, j, "after")
	assert.Equal(t, []string{"after"}, replay(t, j))
	require.NoError(t, j.Close())
	require.NoError(t, j.Close(), "closing again does nothing")
}

// What was answered outlives a crash of the machine only if the name of the journal's file does.
func TestTheFolderOfANewJournalIsSynced(t *testing.T) {
	dir := t.TempDir()
	assert.True(t, durabletest.SyncsFolder(t, dir, func() { open(t, dir) }))
	above := t.TempDir()
	assert.True(t, durabletest.SyncsFolder(t, above, func() { open(t, filepath.Join(above, "made")) }), "the folder's own name")
}

func TestJournalIsThereWhenItIsOpenedAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "with it")
	j := open(t, dir)
	add(t, j, "a", "b")
	require.NoError(t, j.Reset())
	add(t, j, "c", "d")
	require.NoError(t, j.Close())
	j = open(t, dir)
	add(t, j, "e")
	assert.Equal(t, []string{"c", "d", "e"}, replay(t, j))
	for path, mode := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "journal.db"): 0o600} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode().Perm(), path)
	}
}

func TestJournalTellsWhichEventCannotBeRead(t *testing.T) {
	j := open(t, t.TempDir())
	add(t, j, "a", "b", "worse", "c")
	var seen []string
	err := j.Replay(func(record []byte) error {
		if string(record) == "worse" {
			return errBad
		}
		seen = append(seen, string(record))
		return nil
	})
	require.ErrorIs(t, err, errBad)
	require.ErrorContains(t, err, "event 3")
	assert.Equal(t, []string{"a", "b"}, seen)
}

func TestJournalFilesThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "journal.db")
	j := open(t, dir)
	_, err := store.Open(dir)
	require.ErrorContains(t, err, path, "another has it")
	require.NoError(t, j.Close())
	require.Error(t, j.Append([]byte("a")), "it is closed")
	require.Error(t, j.Reset())
	require.Error(t, j.Replay(func([]byte) error { return nil }))
	_, err = store.Open(path)
	require.ErrorContains(t, err, path, "it is no folder")

	require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("no journal\n", 1000)), 0o600))
	_, err = store.Open(dir)
	require.ErrorContains(t, err, path)
}
