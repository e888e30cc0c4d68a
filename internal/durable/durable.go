// Package durable brings files to the disk, and the names that lead to them: what its functions have done when they
// return without an error outlives a crash of the machine, as far as the disk keeps its word.
package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// syncFile can be replaced by tests.
var syncFile = (*os.File).Sync

// SyncFolder brings the names in a folder to the disk, where the system can: those that were made, changed or removed.
// A file that is on the disk is lost all the same if its name is not.
func SyncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = syncFile(folder)
	if runtime.GOOS == "windows" || errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil // not every system or file system can do this with a folder
	}
	return errors.Join(err, folder.Close())
}

// MkdirAll makes a folder that only its owner can use, and those above it that are not there.
func MkdirAll(dir string) error {
	var changed []string // the folders that get a new entry, the last one first
	for path := filepath.Clean(dir); ; {
		above := filepath.Dir(path)
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) || above == path {
			break
		}
		changed = append(changed, above)
		path = above
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, folder := range slices.Backward(changed) {
		if err := SyncFolder(folder); err != nil {
			return err
		}
	}
	return nil
}

// Create writes a new file that only its owner can read. One that exists stays as it is, and is fs.ErrExist.
func Create(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := write(file, data); err != nil {
		return errors.Join(err, os.Remove(path)) // half a file would be taken for a whole one
	}
	return SyncFolder(filepath.Dir(path))
}

// CreateWhole is Create for a file that is never seen, nor found after a crash, with a part of its content.
func CreateWhole(path string, data []byte) error {
	made, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	err = write(made, data)
	if err == nil {
		err = link(made.Name(), path)
	}
	return errors.Join(err, os.Remove(made.Name()), SyncFolder(filepath.Dir(path)))
}

// link gives a finished file a second name, which must be new. If the file system has no links, it copies the file.
func link(from, path string) error {
	err := os.Link(from, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return Create(path, data)
}

// Replace writes a file that only its owner can read: all of it or, after an error or a crash, what was there.
func Replace(path string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	err = write(file, data)
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return SyncFolder(filepath.Dir(path))
}

// RemoveUnfinished removes what killed programs have left next to a file in [Replace]. No other program may be writing
// it.
func RemoveUnfinished(path string) error {
	dir := filepath.Dir(path)
	files, err := os.ReadDir(dir)
	for _, f := range files {
		if strings.HasPrefix(f.Name(), "."+filepath.Base(path)+"-") {
			err = errors.Join(err, os.Remove(filepath.Join(dir, f.Name())))
		}
	}
	return err
}

// write fills a new file and closes it.
func write(file *os.File, data []byte) error {
	_, err := file.Write(data)
	if err == nil {
		err = syncFile(file)
	}
	return errors.Join(err, file.Close())
}

// Rename gives a file that is open, and has been written, the name that it is to be found by. What has that name is
// replaced, but not by a file that cannot be brought to the disk.
func Rename(file *os.File, path string) error {
	if err := syncFile(file); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(path))
}
