package wire

import (
	"context"
	"unicode/utf16"
	"unicode/utf8"
)

// decoder walks a document that checkJSON has accepted, so it need not doubt the syntax.
type decoder struct {
	data  []byte
	pos   int
	ctx   context.Context // of whoever waits for it
	pause int             // the byte to look at it the next time
	known int             // keys that named a field
	twice []string        // keys of open objects that have two values
	texts []string        // texts met before, so that those that come again share their memory
}

const (
	fewTexts, manyTexts = 32, 512 // places for them, in a short and in a long document
	shortDocument       = 1 << 10 // bytes: in one no longer than this, hardly a text comes twice
	longDocument        = 8 << 10
	longestText         = 64 // longer ones hardly come twice
)

// stopped is what a decoder panics with, down to unmarshal, once nobody waits for it any more.
type stopped struct{ why error }

// look asks whether somebody still waits.
func (d *decoder) look() {
	d.pause = d.pos + pause
	if err := d.ctx.Err(); err != nil {
		panic(stopped{err})
	}
}

// key reads the key of an object at the current position, and its colon.
func (d *decoder) key() string {
	d.next()
	key := d.quoted()
	d.next()
	d.pos++
	return key
}

// share returns a text as a string, which may be one that was made before.
func (d *decoder) share(text []byte) string {
	if len(text) > longestText {
		return string(text)
	}
	if d.texts == nil {
		places := fewTexts
		if len(d.data) > longDocument {
			places = manyTexts
		}
		d.texts = make([]string, places)
	}
	hash := uint64(14695981039346656037) // FNV-1a
	for _, c := range text {
		hash = (hash ^ uint64(c)) * 1099511628211
	}
	place := &d.texts[hash%uint64(len(d.texts))]
	if *place != string(text) {
		*place = string(text)
	}
	return *place
}

// more steps to the next element of a list or object and tells whether there is one.
func (d *decoder) more(end byte) bool {
	if d.pos >= d.pause {
		d.look()
	}
	c := d.next()
	if c == ',' {
		d.pos++
		c = d.next()
	}
	if c == end {
		d.pos++
		return false
	}
	return true
}

// next steps over white space and returns the byte that comes then.
func (d *decoder) next() byte {
	for {
		switch c := d.data[d.pos]; c {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return c
		}
	}
}

// skip steps over the value at the current position and returns its bytes.
func (d *decoder) skip() []byte {
	c := d.next()
	start := d.pos
	switch c {
	case '"':
		d.skipQuoted()
	case '{', '[':
		d.skipNested()
	default:
		for d.pos < len(d.data) && !endsScalar(d.data[d.pos]) {
			if d.pos++; d.pos >= d.pause {
				d.look()
			}
		}
	}
	return d.data[start:d.pos]
}

// endsScalar reports whether a number or word ends before c.
func endsScalar(c byte) bool { return c <= ' ' || c == ',' || c == ']' || c == '}' }

// skipNested steps over the object or list at the current position.
func (d *decoder) skipNested() {
	for depth := 0; ; {
		if d.pos >= d.pause {
			d.look()
		}
		for end := min(len(d.data), d.pause); d.pos < end; {
			switch d.data[d.pos] {
			case '"':
				d.skipQuoted()
				continue
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			}
			d.pos++
			if depth == 0 {
				return
			}
		}
	}
}

// skipQuoted steps over the string at the current position and tells whether it has escapes.
func (d *decoder) skipQuoted() (escaped bool) {
	for d.pos++; ; {
		for end := min(len(d.data), max(d.pause, d.pos+1)); d.pos < end; d.pos++ {
			switch d.data[d.pos] {
			case '"':
				d.pos++
				return escaped
			case '\\':
				escaped = true
				d.pos++
			}
		}
		d.look()
	}
}

// unquote reads what stands between the quotes of a text, as encoding/json does: what is no UTF-8, and half of a pair,
// becomes U+FFFD.
func (d *decoder) unquote(text []byte) string {
	out := make([]byte, 0, len(text))
	for next := pause; len(text) > 0; {
		if len(out) > next {
			next = len(out) + pause
			d.look()
		}
		if text[0] != '\\' {
			r, size := utf8.DecodeRune(text)
			out, text = utf8.AppendRune(out, r), text[size:]
			continue
		}
		c := text[1]
		text = text[2:]
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := hexRune(text)
			text = text[4:]
			if utf16.IsSurrogate(r) {
				if len(text) >= 6 && text[0] == '\\' && text[1] == 'u' {
					if pair := utf16.DecodeRune(r, hexRune(text[2:])); pair != utf8.RuneError {
						r, text = pair, text[6:]
					}
				}
			}
			out = utf8.AppendRune(out, r)
			continue
		}
		out = append(out, c)
	}
	return string(out)
}

// hexRune reads the four digits that text begins with.
func hexRune(text []byte) (r rune) {
	for _, c := range text[:4] {
		switch {
		case c <= '9':
			c -= '0'
		case c <= 'F':
			c -= 'A' - 10
		default:
			c -= 'a' - 10
		}
		r = r<<4 | rune(c)
	}
	return r
}
