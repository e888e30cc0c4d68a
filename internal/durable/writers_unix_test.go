//go:build unix

package durable_test

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/durable"
)

func TestFilesThatOthersCanWriteAreRefused(t *testing.T) {
	const keep, group = -1, 12345 // the file's group, which is not a user's own
	for name, c := range map[string]struct {
		file, folder os.FileMode
		group        int
		refused      string // the path; nothing if empty
	}{
		"one's own":                     {0o600, 0o700, keep, ""},
		"others can read":               {0o644, 0o755, keep, ""},
		"others can write":              {0o602, 0o700, keep, "file"},
		"all can write":                 {0o666, 0o755, keep, "file"},
		"the group can write":           {0o660, 0o755, group, "file"},
		"one's own group can write":     {0o664, 0o775, os.Geteuid(), ""},
		"the folder":                    {0o600, 0o777, keep, "folder"},
		"the folder, by its group":      {0o600, 0o770, group, "folder"},
		"the folder is as /tmp":         {0o600, 0o777 | os.ModeSticky, keep, ""},
		"in one as /tmp, all can write": {0o666, 0o777 | os.ModeSticky, keep, "file"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "folder")
			path := filepath.Join(folder, "file")
			require.NoError(t, os.Mkdir(folder, 0o700))
			require.NoError(t, os.WriteFile(path, nil, 0o600))
			for _, name := range []string{path, folder} {
				if err := os.Chown(name, -1, c.group); err != nil {
					t.Skip("only root can give a file to a group that it is not in: ", err)
				}
			}
			require.NoError(t, os.Chmod(path, c.file))
			require.NoError(t, os.Chmod(folder, c.folder))
			link := filepath.Join(t.TempDir(), "link")
			require.NoError(t, os.Symlink(path, link))
			for _, at := range []string{path, link} {
				err := durable.CheckWriters(at)
				if c.refused == "" {
					require.NoError(t, err)
					continue
				}
				var others *durable.OthersCanWriteError
				require.ErrorAs(t, err, &others)
				assert.Equal(t, map[string]string{"file": path, "folder": folder}[c.refused], others.Path)
				assert.ErrorContains(t, err, "chmod go-w "+others.Path)
			}
		})
	}
}

// Whoever owns a file, a folder on the way to it or a symbolic link can change what is found there.
func TestTheWayToAFileIsChecked(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files to others")
	}
	const other = 12345
	for name, c := range map[string]struct {
		change func(top string) error
		path   string // below the folder of the test; that of the file if empty
		refuse string // below it, too; nothing if empty
	}{
		"all is one's own":      {change: func(string) error { return nil }},
		"the file is another's": {change: func(top string) error { return os.Chown(top+"/a/b/file", other, -1) }, refuse: "/a/b/file"},
		"it is another's pipe": {change: func(top string) error {
			return errors.Join(syscall.Mkfifo(top+"/a/b/pipe", 0o600), os.Chown(top+"/a/b/pipe", other, -1))
		}, path: "/a/b/pipe", refuse: "/a/b/pipe"},
		"its folder is another's":  {change: func(top string) error { return os.Chown(top+"/a/b", other, -1) }, refuse: "/a/b"},
		"one above is another's":   {change: func(top string) error { return os.Chown(top+"/a", other, -1) }, refuse: "/a"},
		"one above can be written": {change: func(top string) error { return os.Chmod(top+"/a", 0o777) }, refuse: "/a"},
		"one above is as /tmp":     {change: func(top string) error { return os.Chmod(top+"/a", 0o777|os.ModeSticky) }},
		"another's, as /tmp": {change: func(top string) error {
			return errors.Join(os.Chmod(top+"/a", 0o777|os.ModeSticky), os.Chown(top+"/a", other, -1))
		}, refuse: "/a"},
		"a link":                  {change: func(top string) error { return os.Symlink(top+"/a/b", top+"/link") }, path: "/link/file"},
		"a link that is relative": {change: func(top string) error { return os.Symlink("a/../a/b/file", top+"/link") }, path: "/link"},
		"a link that is another's": {change: func(top string) error {
			return errors.Join(os.Symlink("a/b", top+"/link"), os.Lchown(top+"/link", other, -1))
		}, path: "/link/file", refuse: "/link"},
		"a link in a folder for all": {change: func(top string) error {
			return errors.Join(os.Mkdir(top+"/all", 0o700), os.Chmod(top+"/all", 0o777), os.Symlink(top+"/a/b", top+"/all/link"))
		}, path: "/all/link/file", refuse: "/all"},
		"a link through such a folder": {change: func(top string) error {
			return errors.Join(os.Mkdir(top+"/all", 0o700), os.Chmod(top+"/all", 0o777), os.Symlink(top+"/all/../a/b", top+"/link"))
		}, path: "/link/file", refuse: "/all"},
		"a way back": {change: func(top string) error {
			return errors.Join(os.Mkdir(top+"/c", 0o700), os.Symlink(top+"/a/b", top+"/c/link"), os.Chmod(top+"/a", 0o777))
		}, path: "/c/link/../b/file", refuse: "/a"},
		"what is not there": {change: func(top string) error { return os.Chown(top+"/a", other, -1) }, path: "/a/b/none", refuse: "/a"},
		"a link to itself":  {change: func(top string) error { return os.Symlink("link", top+"/link") }, path: "/link", refuse: "?"},
	} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			require.NoError(t, os.MkdirAll(top+"/a/b", 0o700))
			require.NoError(t, os.WriteFile(top+"/a/b/file", nil, 0o600))
			require.NoError(t, c.change(top))
			t.Chdir(top)
			for _, path := range []string{top + cmp.Or(c.path, "/a/b/file"), strings.TrimPrefix(cmp.Or(c.path, "/a/b/file"), "/")} {
				err := durable.CheckWriters(path)
				var others *durable.OthersCanWriteError
				switch c.refuse {
				case "":
					require.NoError(t, err)
				case "?":
					require.ErrorContains(t, err, "symbolic links")
				default:
					require.ErrorAs(t, err, &others)
					assert.Equal(t, top+c.refuse, others.Path)
				}
			}
		})
	}
}

func TestWhatIsNoFileOthersMayWrite(t *testing.T) {
	require.NoError(t, durable.CheckWriters(os.DevNull))
	require.NoError(t, durable.CheckWriters(filepath.Join(t.TempDir(), "none")))
	require.NoError(t, durable.CheckWriters(filepath.Join(t.TempDir(), "none", "none")))
}

func TestFilesThatOthersCanReadAreRefused(t *testing.T) {
	const keep, group = -1, 12345 // the file's group, which is not a user's own
	for name, c := range map[string]struct {
		mode  os.FileMode
		group int
		want  any
	}{
		"one's own":                {0o600, keep, nil},
		"others can read":          {0o604, keep, new(*durable.OthersCanReadError)},
		"the group can read":       {0o640, group, new(*durable.OthersCanReadError)},
		"one's own group can read": {0o640, os.Geteuid(), nil},
		"others can write":         {0o602, keep, new(*durable.OthersCanWriteError)},
	} {
		path := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		if err := os.Chown(path, -1, c.group); err != nil {
			t.Skip("only root can give a file to a group that it is not in: ", err)
		}
		require.NoError(t, os.Chmod(path, c.mode))
		link := filepath.Join(t.TempDir(), "link")
		require.NoError(t, os.Symlink(path, link))
		for _, at := range []string{path, link} {
			err := durable.CheckPrivate(at)
			if c.want == nil {
				require.NoError(t, err, name)
				continue
			}
			require.ErrorAs(t, err, c.want, name)
			require.ErrorContains(t, err, "chmod")
		}
	}
	require.NoError(t, durable.CheckPrivate(filepath.Join(t.TempDir(), "nothing")))
}
