package wire

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"strconv"
)

// pause is how many bytes are read between two checks whether the caller still waits.
const pause = 64 << 10

// deepest is how deeply lists and objects may be nested, as in encoding/json.
const deepest = 10_000

// decoder walks through a document, once. What it skips is JSON, exactly as [json.Valid] defines it: otherwise it stops.
type decoder struct {
	data  []byte
	pos   int
	depth int             // depth of lists and objects
	ctx   context.Context // of the caller
	pause int             // the position of the next check
	known int             // keys that named a field
	twice []string        // keys of open objects that have conflicting values
	texts []string        // texts met before, so that repeated ones share memory
}

const (
	fewTexts, manyTexts = 32, 512 // entries, in a short and in a long document
	shortDocument       = 1 << 10 // bytes: a shorter document hardly contains a text twice
	longDocument        = 8 << 10
	longestText         = 64 // longer texts hardly occur twice
)

// stopped is what a decoder panics with, up to stop, if the document is not JSON or nobody waits for it any more.
type stopped struct{ why error }

// stop returns what a decoder stopped for as an error.
func stop(err *error) {
	switch p := recover().(type) {
	case nil:
	case stopped:
		*err = p.why
	default:
		panic(p)
	}
}

// look checks whether somebody still waits.
func (d *decoder) look() {
	d.pause = d.pos + pause
	if err := d.ctx.Err(); err != nil {
		panic(stopped{err})
	}
}

// unexpected stops because the current position is not JSON.
func (d *decoder) unexpected() {
	problem := fmt.Sprintf("not JSON at byte %d: unexpected end of JSON input", len(d.data))
	if d.pos < len(d.data) {
		problem = fmt.Sprintf("not JSON at byte %d: invalid character %s", d.pos+1, strconv.QuoteRune(rune(d.data[d.pos])))
	}
	panic(stopped{&FieldError{Problem: problem}})
}

// checkJSON returns what is wrong with a document, or why nobody waits for it any more.
func checkJSON(ctx context.Context, data []byte) (err error) {
	defer stop(&err)
	d := decoder{data: data, ctx: ctx, pause: pause}
	d.skip()
	d.end()
	return nil
}

// end requires that only white space follows.
func (d *decoder) end() {
	if d.next(); d.pos < len(d.data) {
		d.unexpected()
	}
}

// next skips white space and returns the next byte; 0, which no value has, at the end.
func (d *decoder) next() byte {
	if d.pos < len(d.data) && d.data[d.pos] > ' ' {
		return d.data[d.pos]
	}
	return d.afterSpace()
}

func (d *decoder) afterSpace() byte {
	for ; d.pos < len(d.data); d.pos++ {
		switch c := d.data[d.pos]; c {
		case ' ', '\t', '\n', '\r':
			if d.pos >= d.pause {
				d.look()
			}
		default:
			return c
		}
	}
	return 0
}

// begin enters the list or object at the current position, and reports whether it has an element.
func (d *decoder) begin(end byte) bool {
	d.deeper(d.depth)
	d.pos++
	if d.next() == end {
		d.pos++
		return false
	}
	d.depth++
	return true
}

// more moves to the next element of a list or object and reports whether there is one.
func (d *decoder) more(end byte) bool {
	if d.pos >= d.pause {
		d.look()
	}
	c := d.next()
	if c != ',' && c != end {
		d.unexpected()
	}
	d.pos++
	if c == end {
		d.depth--
	}
	return c == ','
}

// deeper stops at the nesting limit.
func (d *decoder) deeper(depth int) {
	if depth >= deepest {
		panic(stopped{&FieldError{Problem: "not JSON: exceeded max depth"}})
	}
}

// key skips the key of an object and its colon, and returns what is between its quotes.
func (d *decoder) key() []byte {
	if d.next() != '"' {
		d.unexpected()
	}
	start := d.pos + 1
	d.skipText()
	key := d.data[start : d.pos-1]
	d.colon()
	return key
}

func (d *decoder) colon() {
	if d.next() != ':' {
		d.unexpected()
	}
	d.pos++
}

// skip skips the value at the current position and returns its bytes.
func (d *decoder) skip() []byte {
	c := d.next()
	start := d.pos
	if c == '{' || c == '[' {
		d.skipNested()
	} else {
		d.skipScalar(c)
	}
	return d.data[start:d.pos]
}

// skipNested skips the object or list at the current position.
func (d *decoder) skipNested() {
	var few [32]byte // as deep as responses are
	open := few[:0]  // the closing characters that lists and objects wait for
	for {
		if c := d.next(); c == '{' || c == '[' {
			d.deeper(d.depth + len(open))
			d.pos++
			end := c + 2 // their distance in ASCII
			if d.next() != end {
				if open = append(open, end); c == '{' {
					d.key()
				}
				continue
			}
			d.pos++
		} else {
			d.skipScalar(c)
		}
		for again := false; !again; { // what follows a value
			if len(open) == 0 {
				return
			}
			if d.pos >= d.pause {
				d.look()
			}
			end := open[len(open)-1]
			c := d.next()
			if c != ',' && c != end {
				d.unexpected()
			}
			d.pos++
			if again = c == ','; !again {
				open = open[:len(open)-1]
			} else if end == '}' {
				d.key()
			}
		}
	}
}

// skipScalar skips the text, number or word at the current position, which begins with c.
func (d *decoder) skipScalar(c byte) {
	switch c {
	case '"':
		d.skipText()
	case 't':
		d.word("true")
	case 'f':
		d.word("false")
	case 'n':
		d.word("null")
	default:
		d.number()
	}
}

func (d *decoder) word(word string) {
	if bytes.HasPrefix(d.data[d.pos:], []byte(word)) {
		d.pos += len(word)
		return
	}
	for i := 0; d.pos < len(d.data) && d.data[d.pos] == word[i]; i++ {
		d.pos++
	}
	d.unexpected()
}

func (d *decoder) number() {
	if d.at('-') {
		d.pos++
	}
	if d.at('0') {
		d.pos++
	} else {
		d.digits()
	}
	if d.at('.') {
		d.pos++
		d.digits()
	}
	if d.at('e') || d.at('E') {
		if d.pos++; d.at('+') || d.at('-') {
			d.pos++
		}
		d.digits()
	}
}

// at reports whether the current character is c.
func (d *decoder) at(c byte) bool { return d.pos < len(d.data) && d.data[d.pos] == c }

// digits skips one or more digits.
func (d *decoder) digits() {
	start := d.pos
	for d.pos < len(d.data) && '0' <= d.data[d.pos] && d.data[d.pos] <= '9' {
		if d.pos++; d.pos >= d.pause {
			d.look()
		}
	}
	if d.pos == start {
		d.unexpected()
	}
}

var seed = maphash.MakeSeed()

// share returns a text as a string, which may be an earlier one.
func (d *decoder) share(text []byte) string {
	if len(d.data) <= shortDocument || len(text) > longestText {
		return string(text)
	}
	if d.texts == nil {
		places := fewTexts
		if len(d.data) > longDocument {
			places = manyTexts
		}
		d.texts = make([]string, places)
	}
	place := &d.texts[maphash.Bytes(seed, text)%uint64(len(d.texts))]
	if *place != string(text) {
		*place = string(text)
	}
	return *place
}
