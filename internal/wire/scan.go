package wire

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"strconv"
)

// pause is how many bytes are read between two looks at whether the caller still waits.
const pause = 64 << 10

// deepest is how deep lists and objects may lie within each other, as in encoding/json.
const deepest = 10_000

// decoder walks a document, once. What it steps over is JSON, exactly as [json.Valid] has it: where it is not, it stops.
type decoder struct {
	data  []byte
	pos   int
	depth int             // lists and objects that it is in
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

// stopped is what a decoder panics with, down to stop, where the document is no JSON or nobody waits for it any more.
type stopped struct{ why error }

// stop makes what a decoder stopped for an error.
func stop(err *error) {
	switch p := recover().(type) {
	case nil:
	case stopped:
		*err = p.why
	default:
		panic(p)
	}
}

// look asks whether somebody still waits.
func (d *decoder) look() {
	d.pause = d.pos + pause
	if err := d.ctx.Err(); err != nil {
		panic(stopped{err})
	}
}

// unexpected stops at what is no JSON at the current position.
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

// end is where nothing but white space may follow.
func (d *decoder) end() {
	if d.next(); d.pos < len(d.data) {
		d.unexpected()
	}
}

// next steps over white space and returns the byte that comes then; 0, which no value has, at the end.
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

// begin steps into the list or object at the current position, to its first element, and tells whether there is one.
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

// more steps to the next element of a list or object and tells whether there is one.
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

// deeper stops where no further list or object may begin.
func (d *decoder) deeper(depth int) {
	if depth >= deepest {
		panic(stopped{&FieldError{Problem: "not JSON: exceeded max depth"}})
	}
}

// key steps over the key of an object and its colon, and returns what stands between its quotes.
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

// skip steps over the value at the current position and returns its bytes.
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

// skipNested steps over the object or list at the current position.
func (d *decoder) skipNested() {
	var few [32]byte // as deep as answers are
	open := few[:0]  // the ends that lists and objects wait for
	for {
		if c := d.next(); c == '{' || c == '[' {
			d.deeper(d.depth + len(open))
			d.pos++
			end := c + 2 // as ASCII has them
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

// skipScalar steps over the text, number or word at the current position, which begins with c.
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

// at tells whether the current position has c.
func (d *decoder) at(c byte) bool { return d.pos < len(d.data) && d.data[d.pos] == c }

// digits steps over one digit or more.
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

// share returns a text as a string, which may be one that was made before.
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
