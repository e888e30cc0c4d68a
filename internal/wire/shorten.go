package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Shorten reads an object with lists, however long it is, and returns it with only those elements that are to be kept.
// Objects next to the lists are left out. The limit in bytes applies to what is kept, and to each element. keep may
// retain an element.
func Shorten(r io.Reader, most int64, keep func(element []byte) bool) ([]byte, error) {
	return shorten(r, most, func(string) bool { return true }, keep)
}

// ShortenList is Shorten for a single list, in any spelling of its name. Other lists are left out; a duplicate key is an error.
func ShortenList(r io.Reader, most int64, name string, keep func(element []byte) bool) ([]byte, error) {
	wanted, found := fold(nil, []byte(name)), 0
	short, err := shorten(r, most, func(key string) bool {
		is := bytes.Equal(fold(nil, []byte(key)), wanted)
		if is {
			found++
		}
		return is
	}, keep)
	if err == nil && found > 1 {
		err = &FieldError{Field: name, Problem: "duplicate key"}
	}
	return short, err
}

func shorten(r io.Reader, most int64, list func(key string) bool, keep func(element []byte) bool) ([]byte, error) {
	in := &metered{r: r, most: most}
	dec := json.NewDecoder(in)
	dec.UseNumber()
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.Join(errors.New("the body is not an object"), err)
	}
	var out bytes.Buffer
	separator := byte('{')
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, in.whole(err)
		}
		value, err := dec.Token()
		if err != nil {
			return nil, in.whole(err)
		}
		var kept []byte
		switch value {
		case json.Delim('{'):
			if err := skipObject(dec); err != nil {
				return nil, in.whole(err)
			}
			continue
		case json.Delim('['):
			name, _ := key.(string)
			if !list(name) {
				if _, err := in.elements(dec, func([]byte) bool { return false }); err != nil {
					return nil, in.whole(err)
				}
				continue
			}
			kept, err = in.elements(dec, keep)
		default:
			kept, err = json.Marshal(value)
		}
		if err != nil {
			return nil, in.whole(err)
		}
		out.WriteByte(separator)
		separator = ','
		name, err := json.Marshal(key)
		if err != nil {
			return nil, err
		}
		out.Write(append(name, ':'))
		out.Write(kept)
	}
	// More also returns false at the end of a truncated body.
	if _, err := dec.Token(); err != nil {
		return nil, in.whole(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.Join(errors.New("the body goes on after its object"), err)
	}
	if separator == '{' {
		out.WriteByte('{')
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// whole distinguishes the end of a truncated body from that of a complete one. Some versions of encoding/json report it
// as a syntax error at the position where the body ends.
func (m *metered) whole(err error) error {
	var syntax *json.SyntaxError
	if errors.Is(err, io.EOF) || m.ended && errors.As(err, &syntax) && syntax.Offset >= m.read {
		return io.ErrUnexpectedEOF
	}
	return err
}

// elements reads a list after its opening bracket.
func (m *metered) elements(dec *json.Decoder, keep func([]byte) bool) ([]byte, error) {
	list := []byte{'['}
	for dec.More() {
		m.done = dec.InputOffset()
		var element json.RawMessage
		if err := dec.Decode(&element); err != nil {
			return nil, err
		}
		if !keep(element) {
			continue
		}
		if len(list) > 1 {
			list = append(list, ',')
		}
		if list = append(list, element...); int64(len(list)) > m.most {
			return nil, fmt.Errorf("what is kept of the body is longer than the limit of %d bytes", m.most)
		}
	}
	_, err := dec.Token()
	return append(list, ']'), err
}

// skipObject skips an object after its opening brace.
func skipObject(dec *json.Decoder) error {
	for open := 1; open > 0; {
		t, err := dec.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			open++
		case json.Delim('}'), json.Delim(']'):
			open--
		}
	}
	return nil
}

// metered fails if more is read than one element may have.
type metered struct {
	r          io.Reader
	most       int64
	read, done int64
	ended      bool
}

func (m *metered) Read(p []byte) (int, error) {
	if m.read-m.done > m.most {
		return 0, fmt.Errorf("an element of the body is longer than the limit of %d bytes", m.most)
	}
	n, err := m.r.Read(p)
	m.read += int64(n)
	m.ended = errors.Is(err, io.EOF)
	return n, err
}
