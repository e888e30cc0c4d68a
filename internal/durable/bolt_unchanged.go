package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// inPlace makes sure that the file is still the one at its path, and has not become smaller. What is written to one that was
// removed is lost when the program ends, and who comes later takes the other one for it.
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
		return fmt.Errorf("%s was moved or removed, or replaced by another file, while it was open: put it back, or stop the program: %w", b.path, ErrDamaged)
	}
	b.size.CompareAndSwap(size, info.Size())
	return nil
}

// place is what a path means, whichever folder the program goes to.
func place(path string) string {
	if at, err := filepath.Abs(path); err == nil {
		return at
	}
	return path
}

// changed says that the file was written by something else than this program, which has it locked: mostly a copy that was
// restored over it. bbolt would go on in what it finds, and write over pages that are in use there.
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
		if m, ok := readMeta(page[:]); ok && m.txID >= newest.txID { // what cannot be read is not what was written
			newest = m
		}
	}
	return newest, nil
}

// unchanged makes sure that the last commit in the file is this program's, or the one that it has opened it with. It is for who
// writes: nobody else commits at that time.
func (b *Bolt) unchanged() error {
	newest, err := b.newest()
	if last := b.last.Load(); err == nil && *last != newest {
		return b.changed()
	}
	return err
}

// committed notes what a commit has written. It is an error if that is not there. Where the file was closed since, bbolt's word counts.
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
