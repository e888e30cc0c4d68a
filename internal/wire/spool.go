package wire

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"runtime"
	"slices"
)

// Spool keeps the elements of a list that is too long to be held in a temporary file, whole, and gives them in the order of their times. Only
// this program can read the file, which ends with it where the system can: elsewhere, Close removes it.
type Spool struct {
	file     *os.File
	write    *bufio.Writer
	elements int
	bytes    int64
	last     int64 // the time of the latest
	mixed    bool  // they were not in time order
}

// head precedes each element in the file: its time, and its length in bytes.
const head = 8 + 4

// Begin makes an empty spool, also of one that has been used. An error says that there can be none here.
func (s *Spool) Begin() (err error) {
	if s.file == nil {
		if s.file, err = os.CreateTemp("", "qredo-list-*"); err != nil {
			return err
		}
		if runtime.GOOS != "windows" {
			_ = os.Remove(s.file.Name())
		}
		s.write = bufio.NewWriterSize(s.file, 64<<10)
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	s.write.Reset(s.file)
	*s = Spool{file: s.file, write: s.write}
	return s.file.Truncate(0)
}

// Add keeps an element. What cannot be written is told by End.
func (s *Spool) Add(at int64, element []byte) {
	var h [head]byte
	binary.LittleEndian.PutUint64(h[:], uint64(at))            //nolint:gosec // two's complement
	binary.LittleEndian.PutUint32(h[8:], uint32(len(element))) //nolint:gosec // no longer than an answer
	_, _ = s.write.Write(h[:])                                 // a bufio.Writer remembers its error
	_, _ = s.write.Write(element)                              // as above
	s.mixed = s.mixed || s.elements > 0 && at < s.last
	s.last = max(s.last, at)
	if s.elements == 0 {
		s.last = at
	}
	s.elements++
	s.bytes += head + int64(len(element))
}

// End brings what was added to the file.
func (s *Spool) End() error {
	if err := s.write.Flush(); err != nil {
		return fmt.Errorf("a temporary file: %w", err)
	}
	return nil
}

// Len is how many elements there are.
func (s *Spool) Len() int { return s.elements }

// All gives the elements, those of an earlier second first, and those of one second as they came. An element is the caller's until it
// asks for the next. Where they came in another order, so much is held of each as says where it is.
func (s *Spool) All() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var err error
		if s.mixed {
			err = s.sorted(yield)
		} else {
			err = s.walk(func(_, _ int64, in *bufio.Reader, element []byte) (bool, error) {
				if _, err := io.ReadFull(in, element); err != nil {
					return false, err
				}
				return yield(element, nil), nil
			})
		}
		if err != nil {
			yield(nil, fmt.Errorf("a temporary file: %w", err))
		}
	}
}

// walk goes through the file, and has each element read or skipped: one that is not read to its end is skipped by the
// next call.
func (s *Spool) walk(visit func(at, place int64, in *bufio.Reader, element []byte) (bool, error)) error {
	in := bufio.NewReaderSize(io.NewSectionReader(s.file, 0, s.bytes), 64<<10)
	var element []byte
	for place := int64(0); place < s.bytes; {
		var h [head]byte
		if _, err := io.ReadFull(in, h[:]); err != nil {
			return err
		}
		at, size := int64(binary.LittleEndian.Uint64(h[:])), int(binary.LittleEndian.Uint32(h[8:])) //nolint:gosec // as they were written
		element = slices.Grow(element[:0], size)[:size]
		more, err := visit(at, place, in, element)
		if err != nil || !more {
			return err
		}
		place += head + int64(size)
	}
	return nil
}

// sorted yields the elements by an index.
func (s *Spool) sorted(yield func([]byte, error) bool) error {
	type element struct{ at, place int64 }
	index := make([]element, 0, s.elements)
	if err := s.walk(func(at, place int64, in *bufio.Reader, e []byte) (bool, error) {
		index = append(index, element{at, place})
		_, err := in.Discard(len(e))
		return true, err
	}); err != nil {
		return err
	}
	slices.SortFunc(index, func(a, b element) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.place, b.place)) })
	var read []byte
	for _, e := range index {
		var h [head]byte
		if _, err := s.file.ReadAt(h[:], e.place); err != nil {
			return err
		}
		size := int(binary.LittleEndian.Uint32(h[8:]))
		read = slices.Grow(read[:0], size)[:size]
		if _, err := s.file.ReadAt(read, e.place+head); err != nil {
			return err
		}
		if !yield(read, nil) {
			return nil
		}
	}
	return nil
}

// Close gives the file back. A spool that was never begun needs none.
func (s *Spool) Close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if runtime.GOOS == "windows" {
		err = errors.Join(err, os.Remove(s.file.Name()))
	}
	return err
}
