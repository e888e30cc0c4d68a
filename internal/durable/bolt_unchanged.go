package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// inPlace verifies that the file is still the one at its path, and has not shrunk. Writes to a removed file are lost when
// the program ends, and the next program would open the other file.
func (b *Bolt) inPlace() error {
	size := b.size.Load()
	info, err := b.file.Stat()
	switch {
	case errors.Is(err, os.ErrClosed):
		return b.closedError()
	case err != nil:
		return err
	case info.Size() < size:
		return fmt.Errorf("%s was cut while it was open, from %d bytes to %d: restore it from a copy: %w", b.path, size, info.Size(), ErrDamaged)
	}
	at, err := os.Stat(b.place)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err != nil || !os.SameFile(info, at):
		return fmt.Errorf("%s was moved, removed or replaced by another file while it was open: put it back, or stop the program: %w", b.path, ErrDamaged)
	}
	b.size.CompareAndSwap(size, info.Size())
	return nil
}

// place makes a path independent of the current folder.
func place(path string) string {
	if at, err := filepath.Abs(path); err == nil {
		return at
	}
	return path
}

// changed is the error for a file that was written by something other than this program, which has it locked: usually a
// backup that was restored over it. bbolt would continue with the new content, and overwrite pages that are in use.
func (b *Bolt) changed() error {
	return fmt.Errorf("%s was written by something else while it was open, as by a copy that was restored over it: "+
		"stop the program, see which state the file is to have, and start again: %w", b.path, ErrDamaged)
}

// newest reads the meta of the last commit.
func (b *Bolt) newest() (boltMeta, error) {
	var newest boltMeta
	for _, at := range []int64{0, b.pages} {
		var page [headSize + 64]byte
		if _, err := b.file.ReadAt(page[:], at); errors.Is(err, os.ErrClosed) {
			return newest, b.closedError()
		}
		if m, ok := readMeta(page[:]); ok && m.txID >= newest.txID { // an unreadable meta is not the one that was written
			newest = m
		}
	}
	return newest, nil
}

// unchanged verifies that the last commit in the file is this program's, or the one with which it opened the file. It is
// for writers: nobody else commits at that time.
func (b *Bolt) unchanged() error {
	newest, err := b.newest()
	if last := b.last.Load(); err == nil && *last != newest {
		return b.changed()
	}
	return err
}

// committed records what a commit has written, or returns an error if it is not there. If the file has been closed since,
// bbolt's result counts.
func (b *Bolt) committed(id uint64, failed error) error {
	newest, err := b.newest()
	switch {
	case errors.Is(err, ErrClosed):
		return failed
	case err == nil && newest.txID == id:
		b.last.Store(&newest)
	case err == nil && failed == nil:
		err = b.changed()
	}
	return errors.Join(failed, err)
}
