package outbox

import (
	"bytes"
	"math"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// page returns up to limit entries that match a filter.
func (t fileTx) page(f Filter, after Entry, limit int) (page []Entry) {
	switch {
	case limit <= 0:
	case f.ByChange():
		return t.pageByChange(f, after, limit)
	case len(f.States) == 0 && !f.Unknown:
		cursor := t.Bucket(entriesBucket).Cursor()
		key, value := cursor.Seek([]byte(after.Key))
		if key != nil && string(key) == after.Key {
			key, value = cursor.Next()
		}
		for ; key != nil && len(page) < limit; key, value = cursor.Next() {
			page = append(page, t.decode(string(key), value))
		}
	default:
		m := t.merge(statesBucket, f, []byte(after.Key))
		for key, c, ok := m.next(); ok && len(page) < limit; key, c, ok = m.next() {
			if string(key) != after.Key {
				page = t.collect(page, f, c, string(key))
			}
		}
	}
	return page
}

func (t fileTx) pageByChange(f Filter, after Entry, limit int) (page []Entry) {
	from := timeBytes(math.MinInt64)
	if !f.UpdatedSince.IsZero() {
		from = timeBytes(micros(f.UpdatedSince))
	}
	last := append(timeBytes(micros(after.Updated)), after.Key...)
	if after.Key != "" && bytes.Compare(last, from) > 0 {
		from = last
	}
	m := t.merge(changesBucket, f, from)
	for at, c, ok := m.next(); ok && len(page) < limit; at, c, ok = m.next() {
		if len(at) < 8 || after.Key != "" && bytes.Equal(at, last) {
			continue
		}
		if !f.UpdatedBefore.IsZero() && bytesTime(at) > micros(f.UpdatedBefore) {
			break
		}
		page = t.collect(page, f, c, string(at[8:]))
	}
	return page
}

// collect adds the entry that an index points to, if it matches the index and the filter.
func (t fileTx) collect(page []Entry, f Filter, c class, key string) []Entry {
	e := t.decode(key, t.Bucket(entriesBucket).Get([]byte(key)))
	if is, _ := classOf(e.State, e.Unknown); is != c && e.Request != nil || !f.Match(e) {
		return page
	}
	return append(page, e)
}

// classMerge merges the index entries of several classes into one order.
type classMerge struct{ parts []classRange }

type classRange struct {
	class  class
	cursor *bolt.Cursor
	rest   []byte // of the current key, after the class
}

// merge returns the classes that a filter selects, starting at a place in the index.
func (t fileTx) merge(bucket []byte, f Filter, from []byte) *classMerge {
	m := &classMerge{}
	for c := range classes {
		if f.Unknown && !c.unknown() || len(f.States) > 0 && !slices.Contains(f.States, c.state()) {
			continue
		}
		p := classRange{class: c, cursor: t.Bucket(bucket).Cursor()}
		if key, _ := p.cursor.Seek(c.key(from)); p.is(key) {
			m.parts = append(m.parts, p)
		}
	}
	return m
}

// is notes the current key of a part. It returns false at the end.
func (p *classRange) is(key []byte) bool {
	if len(key) == 0 || class(key[0]) != p.class {
		return false
	}
	p.rest = key[1:]
	return true
}

func (m *classMerge) next() (rest []byte, c class, ok bool) {
	if len(m.parts) == 0 {
		return nil, 0, false
	}
	first := 0
	for i := range m.parts {
		if bytes.Compare(m.parts[i].rest, m.parts[first].rest) < 0 {
			first = i
		}
	}
	p := &m.parts[first]
	rest, c = p.rest, p.class
	if key, _ := p.cursor.Next(); !p.is(key) {
		m.parts = slices.Delete(m.parts, first, first+1)
	}
	return rest, c, true
}

// stats counts the entries. It does not fill in how long entries have been due.
func (t fileTx) stats() Stats {
	s := Stats{States: map[State]int{}}
	for c := range classes {
		n := t.counted(c)
		if n != 0 {
			s.States[c.state()] += n
		}
		if c.unknown() && (c.state() == StatePending || c.state() == StateHeld) {
			s.Unknown += n
		}
	}
	return s
}
