package requestlog

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"strings"
)

// Packed is a record as the log keeps it: what it holds is in one piece, in which the garbage collector has nothing to
// look for. Thousands of them would otherwise cost each request more than writing them does.
type Packed struct {
	meta Record // without what is in data
	data []byte
}

// Pack makes the form that is kept of a record. The record can be used for another request then.
func (r *Record) Pack(number uint64) *Packed {
	p := &Packed{meta: *r, data: make([]byte, 0, r.size())}
	p.meta.ID = number
	p.meta.Method = strings.Clone(r.Method) // it would keep the whole line that it is a part of
	p.meta.URL, p.meta.Proto, p.meta.IDs, p.meta.Header, p.meta.AnswerHeader, p.meta.Handled = "", "", nil, nil, nil, nil
	p.meta.Body.Bytes, p.meta.AnswerBody.Bytes = nil, nil
	p.text(r.URL)
	p.text(r.Proto)
	p.count(len(r.IDs))
	for name, id := range r.IDs {
		p.text(name)
		p.text(id)
	}
	p.count(lines(r.Header))
	for name, values := range r.Header {
		for _, value := range values {
			p.text(name)
			p.text(value)
		}
	}
	p.count(len(r.AnswerHeader))
	for _, h := range r.AnswerHeader {
		p.text(h.Name)
		p.text(h.Value)
	}
	p.bytes(r.Body.Bytes)
	p.bytes(r.AnswerBody.Bytes)
	if r.Handled == nil {
		p.count(0)
		return p
	}
	p.count(1)
	p.count(r.Handled.Status)
	p.count(r.Handled.Body.Size)
	p.bytes(r.Handled.Body.Bytes)
	return p
}

// Bytes is about how much memory it takes.
func (p *Packed) Bytes() int {
	const itself = 400
	return itself + len(p.meta.Method) + cap(p.data)
}

func lines(h http.Header) (n int) {
	for _, values := range h {
		n += len(values)
	}
	return n
}

// size is how much data a record makes, at most.
func (r *Record) size() int {
	const number = 5 // bytes of a length, at most
	n := 12*number + len(r.URL) + len(r.Proto) + len(r.Body.Bytes) + len(r.AnswerBody.Bytes)
	for name, id := range r.IDs {
		n += 2*number + len(name) + len(id)
	}
	for name, values := range r.Header {
		for _, value := range values {
			n += 2*number + len(name) + len(value)
		}
	}
	for _, h := range r.AnswerHeader {
		n += 2*number + len(h.Name) + len(h.Value)
	}
	if r.Handled != nil {
		n += len(r.Handled.Body.Bytes)
	}
	return n
}

func (p *Packed) count(n int)    { p.data = binary.AppendUvarint(p.data, uint64(n)) } //nolint:gosec // not negative
func (p *Packed) text(s string)  { p.count(len(s)); p.data = append(p.data, s...) }
func (p *Packed) bytes(b []byte) { p.count(len(b)); p.data = append(p.data, b...) }

// Has reports whether a text stands in what is kept of the request and its answer.
func (p *Packed) Has(text string) bool { return bytes.Contains(p.data, []byte(text)) }

// Brief is what of a record can be told without reading it: its ID, times, method, operation, statuses.
func (p *Packed) Brief() Record { return p.meta }

// Record is the record as it was.
func (p *Packed) Record() *Record {
	r, data := p.meta, p.data
	count := func() int {
		n, used := binary.Uvarint(data)
		data = data[used:]
		return int(n) //nolint:gosec // as it was written
	}
	bytes := func() []byte {
		n := count()
		b := data[:n:n]
		data = data[n:]
		return b
	}
	text := func() string { return string(bytes()) }
	r.URL, r.Proto = text(), text()
	r.IDs = map[string]string{}
	for range count() {
		name := text()
		r.IDs[name] = text()
	}
	r.Header = http.Header{}
	for range count() {
		name := text()
		r.Header[name] = append(r.Header[name], text())
	}
	for range count() {
		name := text()
		r.AnswerHeader = append(r.AnswerHeader, Header{name, text()})
	}
	r.Body.Bytes, r.AnswerBody.Bytes = bytes(), bytes()
	if count() == 1 {
		r.Handled = &Handled{Status: count()}
		r.Handled.Body.Size = count()
		r.Handled.Body.Bytes = bytes()
	}
	return &r
}
