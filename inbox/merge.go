package inbox

import (
	"errors"
	"time"
)

// MergeAll returns what a store has to write when a source has reported movements, each merged with the changes made by those
// before it, and the counts of that. find returns the stored entry with the given name as its ID, or otherwise as its alias, or
// nil. Each name belongs to one entry as long as every entry came into the store through MergeAll, and no two calls run at the
// same time. It is for implementing a store.
func MergeAll(seen []Sighting, source string, now time.Time, find func(name string) (*Entry, error)) (write []Entry, counts Recorded, err error) {
	m := merging{find: find, written: map[string]int{}, aliases: map[string]string{}}
	for _, s := range seen {
		s.Movement.Time = micro(s.Movement.Time)
		old, err := m.old(s)
		if err != nil {
			return nil, Recorded{}, err
		}
		some, more := Merge(old, s, source, micro(now))
		m.add(some)
		counts.New += more.New
		counts.Changed += more.Changed
		counts.Ready += more.Ready
	}
	return m.write, counts, nil
}

// merging is a call of MergeAll.
type merging struct {
	find    func(name string) (*Entry, error)
	write   []Entry
	written map[string]int    // the index in write, by ID
	aliases map[string]string // to IDs, for what is in write
}

// old returns the entry that a sighting is about.
func (m *merging) old(s Sighting) (*Entry, error) {
	if s.ID == "" {
		return nil, errors.New("inbox: a movement without a key cannot be stored")
	}
	old, err := m.named(s.ID)
	if old == nil && err == nil && s.Alias != "" {
		old, err = m.named(s.Alias)
	}
	return old, err
}

func (m *merging) named(name string) (*Entry, error) {
	if e := m.of(name); e != nil {
		return e, nil
	}
	e, err := m.find(name)
	switch {
	case err != nil:
		return nil, err
	case e == nil:
		return m.of(m.aliases[name]), nil
	}
	if now := m.of(e.ID); now != nil {
		return now, nil
	}
	return e, nil
}

// of returns a copy of what is to be written under an ID.
func (m *merging) of(id string) *Entry {
	at, ok := m.written[id]
	if !ok {
		return nil
	}
	e := m.write[at]
	return &e
}

func (m *merging) add(some []Entry) {
	for _, e := range some {
		if at, ok := m.written[e.ID]; ok {
			m.write[at] = e
			continue
		}
		m.written[e.ID] = len(m.write)
		m.write = append(m.write, e)
		if e.Alias != "" {
			m.aliases[e.Alias] = e.ID
		}
	}
}

// micro is a time in the precision that stores keep.
func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
