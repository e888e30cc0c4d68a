package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var errDisk = errors.New("the disk fails")

// synced is what a call of Sync found: a file's content, or the names in a folder.
type synced struct {
	folder bool
	what   string
}

// watch records what is synced while a test runs, and makes the n-th sync fail, counting from 1.
func watch(t *testing.T, fails int) *[]synced {
	t.Helper()
	var seen []synced
	before := syncFile
	t.Cleanup(func() { syncFile = before })
	syncFile = func(file *os.File) error {
		seen = append(seen, look(t, file.Name()))
		if len(seen) == fails {
			return &fs.PathError{Op: "sync", Path: file.Name(), Err: errDisk}
		}
		return before(file)
	}
	return &seen
}

func look(t *testing.T, path string) synced {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		return synced{false, string(data)}
	}
	var names []string
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(path, e.Name()))
		require.NoError(t, err)
		names = append(names, e.Name()+": "+string(data))
	}
	return synced{true, strings.Join(names, ", ")}
}

func requireFile(t *testing.T, path, want string) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, want, string(data))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
}

func requireAlone(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var have []string
	for _, e := range entries {
		have = append(have, e.Name())
	}
	assert.Equal(t, names, have)
}

func TestMkdirAllSyncsWhatGotANewName(t *testing.T) {
	dir := t.TempDir()
	var synced []string
	before := syncFile
	t.Cleanup(func() { syncFile = before })
	syncFile = func(folder *os.File) error {
		synced = append(synced, folder.Name())
		return before(folder)
	}
	path := filepath.Join(dir, "a", "b", "c")
	require.NoError(t, MkdirAll(path))
	assert.Equal(t, []string{dir, filepath.Join(dir, "a"), filepath.Join(dir, "a", "b")}, synced)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.ModeDir|0o700, info.Mode())

	require.NoError(t, MkdirAll(path), "it is there already")
	assert.Len(t, synced, 3)
	t.Chdir(dir)
	require.NoError(t, MkdirAll("d"))
	assert.Equal(t, ".", synced[3])
	require.NoError(t, os.WriteFile("file", nil, 0o600))
	require.Error(t, MkdirAll(filepath.Join("file", "e")))
	assert.Len(t, synced, 4)
	syncFile = func(*os.File) error { return errDisk }
	require.ErrorIs(t, MkdirAll("f"), errDisk)
}

func TestCreateSyncsTheFileAndThenItsName(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	seen := watch(t, 0)
	require.NoError(t, Create(path, []byte("secret")))
	assert.Equal(t, []synced{{false, "secret"}, {true, "key: secret"}}, *seen)
	requireFile(t, path, "secret")

	require.ErrorIs(t, Create(path, []byte("another")), fs.ErrExist)
	requireFile(t, path, "secret")
	require.ErrorIs(t, Create(filepath.Join(dir, "none", "key"), nil), fs.ErrNotExist)
}

func TestCreateThatFailsLeavesNoHalfFile(t *testing.T) {
	dir := t.TempDir()
	watch(t, 1)
	require.ErrorIs(t, Create(filepath.Join(dir, "key"), []byte("secret")), errDisk)
	requireAlone(t, dir)
}

func TestReplaceSyncsWhatItWritesBeforeItHasTheName(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o600))
	seen := watch(t, 0)
	require.NoError(t, Replace(path, []byte("new")))
	assert.Equal(t, []synced{{false, "new"}, {true, "state: new"}}, *seen)
	requireFile(t, path, "new")
	requireAlone(t, dir, "state")

	require.NoError(t, Replace(filepath.Join(dir, "first"), []byte("made")))
	requireFile(t, filepath.Join(dir, "first"), "made")
	require.NoError(t, os.Chmod(path, 0o644)) // wider than it is to be
	require.NoError(t, Replace(path, nil))
	requireFile(t, path, "")
}

func TestReplaceThatFailsLeavesWhatWasThere(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o600))
	watch(t, 1)
	require.ErrorIs(t, Replace(path, []byte("new")), errDisk)
	requireFile(t, path, "old")
	requireAlone(t, dir, "state")

	folder := filepath.Join(dir, "folder")
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "in it"), 0o700))
	require.Error(t, Replace(folder, []byte("new")), "a folder is not replaced by a file")
	requireAlone(t, dir, "folder", "state")
	require.ErrorIs(t, Replace(filepath.Join(dir, "none", "state"), nil), fs.ErrNotExist)
}

func TestRenameSyncsBeforeAndAfter(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "export")
	part, err := os.Create(path + ".part")
	require.NoError(t, err)
	defer func() { assert.NoError(t, part.Close()) }()
	_, err = part.WriteString("entries")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o600))
	seen := watch(t, 0)
	require.NoError(t, Rename(part, path))
	assert.Equal(t, []synced{{false, "entries"}, {true, "export: entries"}}, *seen)
	requireAlone(t, dir, "export")
}

func TestRenameThatFailsReplacesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "export")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o600))
	part, err := os.Create(path + ".part")
	require.NoError(t, err)
	defer func() { assert.NoError(t, part.Close()) }()
	watch(t, 1)
	require.ErrorIs(t, Rename(part, path), errDisk)
	requireFile(t, path, "old")
	requireAlone(t, dir, "export", "export.part")
}

// A folder that cannot be synced is an error: the name may be gone after a crash.
func TestAFolderThatIsNotSyncedIsAnError(t *testing.T) {
	for name, do := range map[string]func(path string) error{
		"Create":  func(path string) error { return Create(path, nil) },
		"Replace": func(path string) error { return Replace(path, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			watch(t, 2)
			require.ErrorIs(t, do(filepath.Join(t.TempDir(), "file")), errDisk)
		})
	}
	watch(t, 1)
	require.ErrorIs(t, SyncFolder(t.TempDir()), errDisk)
	require.ErrorIs(t, SyncFolder(filepath.Join(t.TempDir(), "none")), fs.ErrNotExist)
}

// A file system that cannot sync folders says so, and is taken as it is.
func TestAFolderThatCannotBeSynced(t *testing.T) {
	before := syncFile
	t.Cleanup(func() { syncFile = before })
	for _, err := range []error{syscall.EINVAL, syscall.ENOTSUP, syscall.ENOSYS} {
		syncFile = func(file *os.File) error { return &fs.PathError{Op: "sync", Path: file.Name(), Err: err} }
		require.NoError(t, SyncFolder(t.TempDir()), "%v", err)
	}
}

// A name leads to the whole file or to nothing, and never to another file than before.
func TestCreateWholeSyncsWhatItWritesBeforeItHasTheName(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	seen := watch(t, 0)
	require.NoError(t, CreateWhole(path, []byte("first")))
	require.Len(t, *seen, 2)
	assert.Equal(t, synced{false, "first"}, (*seen)[0])
	assert.Equal(t, synced{true, "file: first"}, (*seen)[1])
	require.ErrorIs(t, CreateWhole(path, []byte("second")), fs.ErrExist)
	requireFile(t, path, "first")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 1)
}

func TestCreateWholeThatFailsLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	watch(t, 1)
	require.ErrorIs(t, CreateWhole(filepath.Join(dir, "file"), []byte("text")), errDisk)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

// What a program leaves that is killed while it replaces a file is found by the file's name, and nothing else is.
func TestRemoveUnfinished(t *testing.T) {
	dir := t.TempDir()
	left := []string{"a.json", ".a.json-1x", ".b.json-1", "a.json-1"}
	for _, name := range append(left, ".a.json-123456") {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	require.NoError(t, RemoveUnfinished(filepath.Join(dir, "a.json")))
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	assert.ElementsMatch(t, []string{"a.json", ".b.json-1", "a.json-1"}, names)
}
