package approver

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sizesIn are the sizes of all files in a folder and below, but for checkpoints.
func sizesIn(t *testing.T, folder string) map[string]int64 {
	t.Helper()
	sizes := map[string]int64{}
	require.NoError(t, filepath.Walk(folder, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() && filepath.Ext(path) != ".head" {
			sizes[path] = info.Size()
		}
		return err
	}))
	return sizes
}

// Lines must not be written where nobody finds them: votes would be sent of which nothing tells.
func TestALogThatIsMovedOrChangedTakesNothingMore(t *testing.T) {
	const few, many = 3, 25 // of which the latter make three files
	for name, c := range map[string]struct {
		lines  int
		change func(path string) error
		says   string
	}{
		"removed":         {few, os.Remove, "was moved, removed or replaced"},
		"moved":           {few, func(path string) error { return os.Rename(path, path+".1") }, "was moved, removed or replaced"},
		"its folder":      {few, func(path string) error { return os.Rename(filepath.Dir(path), filepath.Dir(path)+".1") }, "was moved, removed or replaced"},
		"cut":             {few, func(path string) error { return os.Truncate(path, 0) }, "has 0 bytes"},
		"cut by a byte":   {few, func(path string) error { return os.Truncate(path, sizeOf(path)-1) }, "something else has cut it"},
		"written to":      {few, func(path string) error { return appendTo(path, "{}\n") }, "or written to it"},
		"replaced":        {few, replaceByCopy, "was moved, removed or replaced"},
		"moved, and link": {few, moveAndLink, "was moved, removed or replaced"},
		"the last of several moved": {many, func(path string) error {
			return os.Rename(path+"."+fileNumber(20), path+".away")
		}, "was moved, removed or replaced"},
		"the first of several replaced": {many, replaceByCopy, "was moved, removed or replaced"},
		"the first of several cut":      {many, func(path string) error { return os.Truncate(path, 10) }, "has 10 bytes"},
		"one between removed":           {many, func(path string) error { return os.Remove(path + "." + fileNumber(11)) }, "was moved, removed or replaced"},
		"one between written to":        {many, func(path string) error { return appendTo(path+"."+fileNumber(11), "{}\n") }, "or written to it"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, "logs", "audit.jsonl")
			require.NoError(t, os.Mkdir(filepath.Dir(path), 0o700))
			l, err := OpenAuditLog(path, WithClock(atNoon), WithRotation(4000))
			require.NoError(t, err)
			defer func() { assert.NoError(t, l.Close()) }()
			line := Entry{Kind: EntryDecision, ActionID: "action", Reason: strings.Repeat("r", 200)}
			for range c.lines {
				_, err := l.append(line, false)
				require.NoError(t, err)
			}
			require.Len(t, l.files, (c.lines-1)/9+1, "what the cases are about")
			require.NoError(t, c.change(path))
			sizes := sizesIn(t, folder)
			for _, durable := range []bool{true, false} {
				_, err := l.append(line, durable)
				require.ErrorContains(t, err, c.says)
				require.ErrorContains(t, err, path)
				require.ErrorContains(t, err, "start again")
			}
			assert.Equal(t, sizes, sizesIn(t, folder), "nothing is written, nor cut")
		})
	}
}

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

func appendTo(path, text string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, text...), 0o600)
}

func replaceByCopy(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".copy", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".copy", path)
}

func moveAndLink(path string) error {
	if err := os.Rename(path, path+".1"); err != nil {
		return err
	}
	return os.Symlink(path+".1", path)
}

// A log is moved after it was looked at, and before the line is on the disk: what the line is about must not be done.
func TestALogThatIsMovedWhileALineIsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	move := false
	l, err := OpenAuditLog(path, WithClock(func() time.Time {
		if move {
			require.NoError(t, os.Rename(path, path+".1"))
		}
		return noon
	}))
	require.NoError(t, err)
	defer func() { assert.NoError(t, l.Close()) }()
	_, err = l.append(Entry{Kind: EntryDecision}, true)
	require.NoError(t, err)
	move = true
	_, err = l.append(Entry{Kind: EntryDecision}, true)
	require.ErrorContains(t, err, "was moved")
}

// A log goes on beside the file, whichever way that is reached.
func TestALogThatIsOpenedByALinkIsOne(t *testing.T) {
	for name, link := range map[string]func(t *testing.T, path string) string{
		"of the file": func(t *testing.T, path string) string {
			t.Helper()
			at := filepath.Join(t.TempDir(), "link.jsonl")
			require.NoError(t, os.Symlink(path, at)) // which leads nowhere yet
			return at
		},
		"of a link": func(t *testing.T, path string) string {
			t.Helper()
			first, at := filepath.Join(t.TempDir(), "first"), filepath.Join(t.TempDir(), "second")
			require.NoError(t, os.Symlink(path, first))
			require.NoError(t, os.Symlink(first, at))
			return at
		},
		"of the folder": func(t *testing.T, path string) string {
			t.Helper()
			at := filepath.Join(t.TempDir(), "folder")
			require.NoError(t, os.Symlink(filepath.Dir(path), at))
			return filepath.Join(at, filepath.Base(path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "audit.jsonl")
			at := link(t, path)
			var head Head
			for range 3 {
				for _, by := range []string{at, path} {
					head = writeLines(t, by, 7)
				}
			}
			require.EqualValues(t, 42, head.Seq)
			for _, by := range []string{at, path} {
				require.NoError(t, verifyFiles(by, WithHead(head)))
			}
			files, err := logFiles(path)
			require.NoError(t, err)
			require.Greater(t, len(files), 3)
			require.Len(t, sizesIn(t, filepath.Dir(path)), len(files))
			require.FileExists(t, checkpointPath(path))
			if name != "of the folder" {
				require.Empty(t, sizesIn(t, filepath.Dir(at)))
			}
		})
	}
}

// An earlier version has put what came after the first file beside the link.
func TestFilesBesideALinkAreRefused(t *testing.T) {
	path, at := filepath.Join(t.TempDir(), "audit.jsonl"), filepath.Join(t.TempDir(), "link.jsonl")
	require.NoError(t, os.Symlink(path, at))
	writeLines(t, path, 5)
	for _, end := range []string{"." + fileNumber(6), ".head"} {
		require.NoError(t, os.WriteFile(at+end, nil, 0o600))
		_, err := OpenAuditLog(at)
		require.ErrorContains(t, err, "mv "+at+end+" "+path+end)
		_, err = AuditFiles(at)
		require.ErrorContains(t, err, "mv "+at+end+" "+path+end)
		require.NoError(t, os.Remove(at+end))
	}
	require.NoError(t, verifyFiles(at))
}

func TestALogWithHardLinksIsRefused(t *testing.T) {
	path, other := filepath.Join(t.TempDir(), "audit.jsonl"), filepath.Join(t.TempDir(), "other.jsonl")
	writeLines(t, path, 5)
	if err := os.Link(path, other); err != nil {
		t.Skip("the file system has no hard links: ", err)
	}
	for _, by := range []string{path, other} {
		_, err := OpenAuditLog(by)
		require.ErrorContains(t, err, "remove the other hard links")
	}
	require.NoError(t, os.Remove(other))
	writeLines(t, path, 5)
}
