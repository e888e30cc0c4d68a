package wire

import (
	"context"
	"fmt"
	"strconv"
)

// pause is how many bytes are read between two looks at whether the caller still waits.
const pause = 64 << 10

// deepest is how deep lists and objects may lie within each other, as in encoding/json.
const deepest = 10_000

// scanner tells whether a document is JSON, exactly as [json.Valid] does, and can be stopped while it does so.
type scanner struct {
	data  []byte
	pos   int
	open  []byte          // the ends that lists and objects wait for
	ctx   context.Context // of whoever waits for it
	pause int             // the byte to look at it the next time
}

// checkJSON returns what is wrong with a document, or why nobody waits for it any more.
func checkJSON(ctx context.Context, data []byte) error {
	var few [32]byte // as deep as answers are
	s := scanner{data: data, open: few[:0], ctx: ctx, pause: pause}
	return s.document()
}

func (s *scanner) document() error {
	for {
		if err := s.value(); err != nil {
			return err
		}
		for { // what follows a value
			if s.pos >= s.pause {
				if err := s.look(); err != nil {
					return err
				}
			}
			c, more := s.next()
			if len(s.open) == 0 {
				if more {
					return s.unexpected()
				}
				return nil
			}
			end := s.open[len(s.open)-1]
			if !more || c != ',' && c != end {
				return s.unexpected()
			}
			s.pos++
			if c == ',' {
				if end == '}' {
					if err := s.key(); err != nil {
						return err
					}
				}
				break
			}
			s.open = s.open[:len(s.open)-1]
		}
	}
}

// look asks whether somebody still waits.
func (s *scanner) look() error {
	s.pause = s.pos + pause
	return s.ctx.Err()
}

// next steps over white space and returns the byte that comes then, if one does.
func (s *scanner) next() (c byte, more bool) {
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c, true
		}
	}
	return 0, false
}

// unexpected is what is wrong at the current position.
func (s *scanner) unexpected() error {
	if s.pos >= len(s.data) {
		return &FieldError{Problem: fmt.Sprintf("not JSON at byte %d: unexpected end of JSON input", len(s.data))}
	}
	return &FieldError{Problem: fmt.Sprintf("not JSON at byte %d: invalid character %s", s.pos+1, strconv.QuoteRune(rune(s.data[s.pos])))}
}

// value steps over a value, or into the first one within lists and objects.
func (s *scanner) value() error {
	for {
		c, more := s.next()
		if !more {
			return s.unexpected()
		}
		switch c {
		case '"':
			return s.text()
		case 't':
			return s.word("true")
		case 'f':
			return s.word("false")
		case 'n':
			return s.word("null")
		case '{', '[':
			if len(s.open) == deepest {
				return &FieldError{Problem: "not JSON: exceeded max depth"}
			}
			s.pos++
			end := c + 2 // as ASCII has them
			if c, more := s.next(); more && c == end {
				s.pos++
				return nil
			}
			s.open = append(s.open, end)
			if c == '{' {
				if err := s.key(); err != nil {
					return err
				}
			}
		default:
			return s.number()
		}
	}
}

// key steps over a key and its colon.
func (s *scanner) key() error {
	if c, more := s.next(); !more || c != '"' {
		return s.unexpected()
	}
	if err := s.text(); err != nil {
		return err
	}
	if c, more := s.next(); !more || c != ':' {
		return s.unexpected()
	}
	s.pos++
	return nil
}

func (s *scanner) word(word string) error {
	for i := range len(word) {
		if s.pos >= len(s.data) || s.data[s.pos] != word[i] {
			return s.unexpected()
		}
		s.pos++
	}
	return nil
}

func (s *scanner) text() error {
	s.pos++
	for {
		data := s.data[:min(len(s.data), max(s.pause, s.pos))]
		for s.pos < len(data) {
			c := data[s.pos]
			if c == '"' {
				s.pos++
				return nil
			}
			if c == '\\' {
				if err := s.escape(); err != nil {
					return err
				}
				continue
			}
			if c < ' ' {
				return s.unexpected()
			}
			s.pos++
		}
		if s.pos >= len(s.data) {
			return s.unexpected()
		}
		if err := s.look(); err != nil {
			return err
		}
	}
}

func (s *scanner) escape() error {
	s.pos++
	if s.pos >= len(s.data) {
		return s.unexpected()
	}
	switch s.data[s.pos] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos++
		return nil
	case 'u':
		s.pos++
		for range 4 {
			if s.pos >= len(s.data) || !isHex(s.data[s.pos]) {
				return s.unexpected()
			}
			s.pos++
		}
		return nil
	default:
		return s.unexpected()
	}
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func (s *scanner) number() error {
	if s.data[s.pos] == '-' {
		s.pos++
	}
	if s.pos < len(s.data) && s.data[s.pos] == '0' {
		s.pos++
	} else if err := s.digits(); err != nil {
		return err
	}
	if s.pos < len(s.data) && s.data[s.pos] == '.' {
		s.pos++
		if err := s.digits(); err != nil {
			return err
		}
	}
	if s.pos < len(s.data) && (s.data[s.pos] == 'e' || s.data[s.pos] == 'E') {
		s.pos++
		if s.pos < len(s.data) && (s.data[s.pos] == '+' || s.data[s.pos] == '-') {
			s.pos++
		}
		return s.digits()
	}
	return nil
}

// digits steps over one digit or more.
func (s *scanner) digits() error {
	start := s.pos
	for s.pos < len(s.data) && '0' <= s.data[s.pos] && s.data[s.pos] <= '9' {
		if s.pos++; s.pos >= s.pause {
			if err := s.look(); err != nil {
				return err
			}
		}
	}
	if s.pos == start {
		return s.unexpected()
	}
	return nil
}
