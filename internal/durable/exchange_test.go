package durable

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestExchangeWritesOverNothingElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.ErrorIs(t, Exchange(path, []byte("one"), []byte("two")), ErrChanged, "it was removed")
	require.NoFileExists(t, path)
	for _, now := range []string{"one!", "on", "", "One"} {
		require.NoError(t, os.WriteFile(path, []byte(now), 0o600))
		require.ErrorIs(t, Exchange(path, []byte("one"), []byte("two")), ErrChanged, now)
		requireFile(t, path, now)
	}
	require.NoError(t, os.WriteFile(path, []byte("one"), 0o600))
	require.NoError(t, Exchange(path, []byte("one"), []byte("two")))
	requireFile(t, path, "two")
	require.NoError(t, Exchange(path, []byte("two"), nil))
	requireFile(t, path, "")
	require.NoError(t, Exchange(path, nil, []byte("three")))
	requireFile(t, path, "three")
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, left, 1)
}

func TestOfThoseThatExchangeOneContentOneDoes(t *testing.T) {
	if file, err := os.Open(t.TempDir()); assert.NoError(t, err) {
		locked, err := lock(file, true)
		require.NoError(t, errors.Join(err, file.Close()))
		if !locked {
			t.Skip("files are not locked here")
		}
	}
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte("0"), 0o600))
	for round := range 20 {
		var done atomic.Int32
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				err := Exchange(path, []byte(strconv.Itoa(round)), []byte(strconv.Itoa(round+1)))
				if err == nil {
					done.Add(1)
				} else {
					assert.ErrorIs(t, err, ErrChanged)
				}
			})
		}
		group.Wait()
		require.EqualValues(t, 1, done.Load())
		requireFile(t, path, strconv.Itoa(round+1))
	}
}

func TestExchangeOfAFileThatIsInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte("one"), 0o600))
	other, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	locked, err := lock(other, true)
	require.NoError(t, err)
	if !locked {
		t.Skip("files are not locked here")
	}
	require.ErrorIs(t, Exchange(path, []byte("one"), []byte("two")), ErrInUse)
	requireFile(t, path, "one")
}

func TestFollow(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	at := func(names ...string) string { return filepath.Join(append([]string{dir}, names...)...) }
	require.NoError(t, os.MkdirAll(at("volume", "deep"), 0o700))
	require.NoError(t, os.WriteFile(at("volume", "file"), nil, 0o600))
	for name, target := range map[string]string{
		"to a file": at("volume", "file"), "to nothing": at("volume", "new"), "by a name": "volume/new", "to a link": "to nothing",
		"to a folder": at("volume", "deep"), "to a folder that is missing": at("none", "new"), "round": "and round", "and round": "round",
	} {
		if err := os.Symlink(target, at(name)); err != nil {
			t.Skip("no symbolic links here: ", err)
		}
	}
	require.NoError(t, os.Symlink("../file", at("volume", "deep", "up")))
	require.NoError(t, os.Symlink("../new", at("volume", "deep", "up to nothing")))
	for path, want := range map[string]string{
		at("volume", "file"): at("volume", "file"), at("volume", "new"): at("volume", "new"), at("none", "new"): at("none", "new"),
		at("to a file"): at("volume", "file"), at("to nothing"): at("volume", "new"), at("by a name"): at("volume", "new"), at("to a link"): at("volume", "new"),
		at("to a folder that is missing"): at("none", "new"),
		at("to a folder", "up"):           at("volume", "file"), at("to a folder", "up to nothing"): at("volume", "new"),
	} {
		found, err := Follow(path)
		require.NoError(t, err, path)
		require.Equal(t, want, found, path)
	}
	_, err = Follow(at("round"))
	require.Error(t, err)
}
