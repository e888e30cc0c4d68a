package wire

import (
	"cmp"
	"fmt"
	"io"
	"iter"
)

// Long reads a list that is longer than is to be held, of elements that have times: into a temporary file or, where there can be none, the
// earliest of them.
type Long struct {
	Answer any                                 // what the list is the only part of
	Read   func(element []byte) (int64, error) // an element's second; what is wrong with one is wrong with all
	List   string                              // the list's name
	From   int64                               // seconds: where the earliest are kept, none of before

	// Next is the second from which on there is more than was kept, 0 where all was.
	Next int64
	// NoRoom: the file had no room for the last answer, which has failed for that. Asked for again, the earliest are kept in its place.
	NoRoom bool

	spool   Spool
	used    bool
	without bool // no such file can be created here, or there is no space
}

// Shorten returns what is left of a response to be decoded at once: nothing, except for the earliest.
func (l *Long) Shorten(body io.Reader, most int64) ([]byte, error) {
	l.Next, l.NoRoom, l.used = 0, false, false
	if l.without = l.without || l.spool.Begin() != nil; l.without {
		return l.earliest(body, most)
	}
	n, wrong := 0, error(nil)
	rest, err := ShortenList(body, most, l.List, func(element []byte) bool {
		at, err := l.Read(element)
		if err != nil && wrong == nil {
			wrong = fmt.Errorf("[%d]: %w", n, err)
		}
		l.spool.Add(at, element) // From is for answers of which the earliest are kept: here, each is
		n++
		return false
	})
	if err = cmp.Or(err, wrong); err == nil {
		err = l.spool.End()
		l.NoRoom, l.without = err != nil, err != nil
	}
	l.used = err == nil
	return rest, err
}

// earliest keeps the earliest elements of a response.
func (l *Long) earliest(body io.Reader, most int64) ([]byte, error) {
	kept := Earliest{From: l.From, Most: most}
	rest, err := ShortenList(body, most, l.List, func(element []byte) bool {
		at, _ := l.Read(element) // an element that cannot be parsed has no time; it is kept, and reported later
		kept.Take(at, element)
		return false
	})
	if err != nil {
		return nil, err
	}
	if err := UnmarshalAnswer(rest, l.Answer); err != nil {
		return nil, err
	}
	list, err := kept.List()
	if cut, ok := kept.Cut(); ok {
		l.Next = cut
	}
	return append(append([]byte(`{"history":`), list...), '}'), err
}

// All gives what was read into the file.
func (l *Long) All() iter.Seq2[[]byte, error] {
	if !l.used {
		return func(func([]byte, error) bool) {}
	}
	return l.spool.All()
}

// Close gives the file back.
func (l *Long) Close() error { return l.spool.Close() }
