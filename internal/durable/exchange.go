package durable

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	bolterrors "go.etcd.io/bbolt/errors"
)

// ErrChanged says that a file is not what it was when it was looked at.
var ErrChanged = errors.New("another program has changed it")

// Exchange is Replace for a file whose content is still what it was; else it changes nothing, and is ErrChanged. Of several programs
// that exchange one content, one does. Where files are not locked, as on Windows, two may if they do so within the same instant.
func Exchange(path string, was, data []byte) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrChanged
	}
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // which also unlocks it; nothing was written to it
	locked, err := lock(file, true)
	if errors.Is(err, bolterrors.ErrTimeout) {
		err = ErrInUse
	}
	if err != nil {
		return err
	}
	now, err := io.ReadAll(io.LimitReader(file, int64(len(was))+1))
	if err != nil {
		return err
	}
	opened, err := file.Stat()
	if err != nil {
		return err
	}
	if at, err := os.Stat(path); err != nil || !os.SameFile(opened, at) || !bytes.Equal(was, now) { // the locked file may have been replaced just before
		return ErrChanged
	}
	if !locked { // such a system may refuse to replace an open file
		if err := file.Close(); err != nil {
			return err
		}
	}
	return Replace(path, data)
}

// Follow returns where a file is, or is to be made, that a path leads to by symbolic links. So what is replaced is the file, and
// not the link to it.
func Follow(path string) (string, error) {
	for at := path; ; {
		found, err := filepath.EvalSymlinks(at)
		if !errors.Is(err, fs.ErrNotExist) {
			return found, err // even if links form a circle
		}
		target, err := os.Readlink(at)
		if err != nil { // nothing exists, not even a link
			return at, nil //nolint:nilerr // the file is made there
		}
		if !filepath.IsAbs(target) {
			folder, err := filepath.EvalSymlinks(filepath.Dir(at))
			if err != nil {
				return "", fmt.Errorf("%s: %w", at, err)
			}
			target = filepath.Join(folder, target)
		}
		at = target
	}
}
