package store_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox/internal/store"
)

// Killed while the first snapshot is written, also while a store of before is read into it, or when there was no room for it: the folder is as it was.
func TestTheFirstSnapshotIsBegunAgain(t *testing.T) {
	dir := t.TempDir()
	s, _, err := load(dir)
	require.NoError(t, err)
	full := errors.New("no space left on device")
	var killed string
	require.ErrorIs(t, s.Replace(func(io.Writer) error {
		killed = copyOf(t, dir)
		return full
	}), full)
	require.NoError(t, s.Close())
	for _, dir := range []string{killed, dir} {
		s, k := open(t, dir)
		assert.Equal(t, kept{}, k)
		add(t, s, "one")
		assert.Equal(t, kept{"first", []string{"one"}}, must(t, copyOf(t, dir)))
	}
}

// What was appended last may be torn by the power's failure also where another generation was to begin and did not.
func TestATornEndBeforeAGenerationThatDidNotBegin(t *testing.T) {
	full := errors.New("no space left on device")
	for name, begin := range map[string]func(s *store.Store) error{
		"replaced": func(s *store.Store) error { return s.Replace(func(io.Writer) error { return full }) },
		"folded": func(s *store.Store) error {
			store.Through(t, func(_ string, f *os.File) store.File { return &failing{File: f, sync: full} })
			_, err := s.Fold()
			store.Through(t, func(_ string, f *os.File) store.File { return f })
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s, _ := open(t, dir)
			add(t, s, "one")
			require.ErrorIs(t, begin(s), full)
			require.NoError(t, s.Append([]byte("two")))
			torn := copyOf(t, dir)
			path := filepath.Join(torn, "journal-00000001.log")
			journal, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, journal[:len(journal)-3], 0o600))
			assert.Equal(t, kept{"first", []string{"one"}}, must(t, torn))
		})
	}
	t.Run("killed", func(t *testing.T) {
		dir := t.TempDir()
		s, _ := open(t, dir)
		add(t, s, "one")
		require.NoError(t, s.Append([]byte("two")))
		var torn string
		require.NoError(t, s.Replace(func(w io.Writer) error {
			torn = copyOf(t, dir)
			return text("second")(w)
		}))
		path := filepath.Join(torn, "journal-00000001.log")
		journal, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, journal[:len(journal)-3], 0o600))
		assert.Equal(t, kept{"first", []string{"one"}}, must(t, torn))
	})
}
