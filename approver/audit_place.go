package approver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// realPath resolves a path to a log's first file, through links: the other files of the log are next to the target. It
// refuses a link with such files next to it, which an earlier version has put there, because they would no longer be
// found.
func realPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	at, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil || filepath.Join(folder, filepath.Base(path)) == at {
		return at, err
	}
	astray, err := logFiles(path)
	if err != nil {
		return "", err
	}
	astray = astray[1:]
	if _, err := os.Lstat(checkpointPath(path)); err == nil {
		astray = append(astray, checkpointPath(path))
	}
	if len(astray) > 0 {
		moves := make([]string, len(astray))
		for i, name := range astray {
			moves[i] = fmt.Sprintf("mv %s %s", name, at+strings.TrimPrefix(name, path))
		}
		return "", fmt.Errorf("it is a link to %s, and has files of a log beside it, which belong beside that one: if they are of the same log, %s", at, strings.Join(moves, "; "))
	}
	return at, nil
}

// unlessLinked refuses a file that has another hard link: opened by that name, its log would continue in other files.
func unlessLinked(file *os.File) error {
	info, err := file.Stat()
	if n := links(info); err == nil && n > 1 {
		return fmt.Errorf("it has %d names, and its log would go on beside the one by which it is opened: remove the other hard links", n)
	}
	return err
}

// inPlace verifies that readers of the log find what is written: that its files are still those at their paths, and have
// not changed size. It checks one of the full files each time, in turn.
func (l *AuditLog) inPlace() error {
	if l.special() {
		return nil
	}
	current := len(l.sizes)
	err := sameFile(l.file, l.files[current], l.size)
	if err == nil && current > 0 {
		err = sameFile(l.first, l.path, l.sizes[0])
	}
	if err != nil || current < 2 {
		return err
	}
	l.turn = l.turn%(current-1) + 1
	info, err := os.Stat(l.files[l.turn])
	if err != nil {
		return misplaced(l.files[l.turn], err)
	}
	return sameSize(l.files[l.turn], info, l.sizes[l.turn])
}

func sameFile(file *os.File, path string, size int64) error {
	open, err := file.Stat()
	if err != nil {
		return err
	}
	at, err := os.Lstat(path) // a link to its new place would leave the log's other files behind
	if err != nil || !os.SameFile(open, at) {
		return misplaced(path, err)
	}
	return sameSize(path, open, size)
}

func misplaced(path string, err error) error {
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%s was moved, removed or replaced while it was open, and nobody would find what is written to it: "+
		"put the file back that was there, see by qredo agent verify-log that all lines are there, and start again; the log begins new files itself", path)
}

func sameSize(path string, info os.FileInfo, size int64) error {
	if info.Size() == size {
		return nil
	}
	return fmt.Errorf("%s has %d bytes, and had %d when it was written last: something else has cut it or written to it. "+
		"Put the file back that was there, see by qredo agent verify-log that all lines are there, and start again", path, info.Size(), size)
}
