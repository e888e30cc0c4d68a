package wire

// decoder walks a document that json.Valid has accepted, so it need not doubt the syntax.
type decoder struct {
	data  []byte
	pos   int
	known int      // keys that named a field
	texts []string // texts met before, so that those that come again share their memory
}

const (
	fewTexts, manyTexts = 32, 512 // places for them, in a short and in a long document
	shortDocument       = 1 << 10 // bytes: in one no longer than this, hardly a text comes twice
	longDocument        = 8 << 10
	longestText         = 64 // longer ones hardly come twice
)

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
			d.pos++
		}
	}
	return d.data[start:d.pos]
}

// endsScalar reports whether a number or word ends before c.
func endsScalar(c byte) bool { return c <= ' ' || c == ',' || c == ']' || c == '}' }

// skipNested steps over the object or list at the current position.
func (d *decoder) skipNested() {
	for depth := 0; ; {
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

// skipQuoted steps over the string at the current position and tells whether it has escapes.
func (d *decoder) skipQuoted() (escaped bool) {
	for d.pos++; d.data[d.pos] != '"'; d.pos++ {
		if d.data[d.pos] == '\\' {
			escaped = true
			d.pos++
		}
	}
	d.pos++
	return escaped
}
