package feed

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Recent remembers a fixed number of the last keys that it was given.
type Recent[K comparable] struct {
	Most int // Default: RecentKeys.
	has  map[K]bool
	keys []K // in a ring
	next int
}

// RecentKeys is how many keys are remembered where nothing else is said.
const RecentKeys = 8192

// Has reports whether a key is remembered.
func (r *Recent[K]) Has(key K) bool { return r.has[key] }

// Add remembers a key and reports whether it was new.
func (r *Recent[K]) Add(key K) bool {
	if r.has[key] {
		return false
	}
	if r.has == nil {
		r.has = map[K]bool{}
	}
	most := cmp.Or(r.Most, RecentKeys)
	if len(r.keys) < most {
		r.keys = append(r.keys, key)
	} else {
		delete(r.has, r.keys[r.next])
		r.keys[r.next] = key
		r.next = (r.next + 1) % most
	}
	r.has[key] = true
	return true
}

// Open is what a consumer has of things that are open until they end: all that are open, since a service may tell
// of these again and again, and of the ended the most recent.
type Open[ID, Status comparable] struct {
	Now     func() time.Time
	until   map[ID]time.Time // until when it can be open
	opened  Recent[ID]       // of the ended ones
	ended   Recent[ending[ID, Status]]
	sweepAt int // how many open ones trigger a look at the clock
}

type ending[ID, Status comparable] struct {
	id     ID
	status Status
}

// Opened reports whether the consumer has not been told that something is open.
func (o *Open[ID, Status]) Opened(id ID, until time.Time) bool {
	if _, known := o.until[id]; known || o.opened.Has(id) {
		return false
	}
	if o.until == nil {
		o.until = map[ID]time.Time{}
	}
	o.until[id] = until
	if len(o.until) > max(o.sweepAt, RecentKeys) {
		o.forget(func(id ID) bool { return o.Now().After(o.until[id]) })
		o.sweepAt = 2 * len(o.until)
	}
	return true
}

// Ended reports whether the consumer has not been told that something has ended so.
func (o *Open[ID, Status]) Ended(id ID, status Status) bool {
	delete(o.until, id)
	o.opened.Add(id)
	return o.ended.Add(ending[ID, Status]{id, status})
}

// Keep forgets what is not open any more.
func (o *Open[ID, Status]) Keep(open []ID) {
	still := make(map[ID]bool, len(open))
	for _, id := range open {
		still[id] = true
	}
	o.forget(func(id ID) bool { return !still[id] })
}

// forget moves things to the ended ones, of which only the most recent are kept.
func (o *Open[ID, Status]) forget(ended func(ID) bool) {
	for id := range o.until {
		if ended(id) {
			delete(o.until, id)
			o.opened.Add(id)
		}
	}
}

// Listed is what a consumer has of a list that changes: all that is on it, and the most recent changes.
type Listed[ID cmp.Ordered, E comparable] struct {
	on     map[ID]bool
	recent Recent[E]
	since  map[ID]bool // what has changed since reading the list began
}

// Read begins to read the list. Anything reported from then on is newer than what the list will have.
func (l *Listed[ID, E]) Read() { l.since = map[ID]bool{} }

// Added reports whether the consumer has not been told by an event that something is on the list.
func (l *Listed[ID, E]) Added(id ID, event E) bool {
	l.changed(id)
	return l.add(id, event)
}

// Left reports whether the consumer has not been told by an event that something has left the list.
func (l *Listed[ID, E]) Left(id ID, event E) bool {
	l.changed(id)
	delete(l.on, id)
	return l.recent.Add(event)
}

func (l *Listed[ID, E]) changed(id ID) {
	if l.since != nil {
		l.since[id] = true
	}
}

func (l *Listed[ID, E]) add(id ID, event E) bool {
	if l.on[id] || !l.recent.Add(event) {
		return false
	}
	if l.on == nil {
		l.on = map[ID]bool{}
	}
	l.on[id] = true
	return true
}

// Compare holds the list that was read against what the consumer has, and returns what is new: first the events that
// something is on it, as added makes them, then that something has left, as left does, in order.
func (l *Listed[ID, E]) Compare(list []ID, added, left func(ID) E) []E {
	var events []E
	gone := maps.Clone(l.on)
	for _, id := range list {
		delete(gone, id)
		if event := added(id); !l.since[id] && l.add(id, event) {
			events = append(events, event)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(gone)) {
		if event := left(id); !l.since[id] {
			delete(l.on, id)
			if l.recent.Add(event) {
				events = append(events, event)
			}
		}
	}
	l.since = nil
	return events
}

// Cursor is how far a consumer has one history.
type Cursor[K comparable] struct {
	Latest time.Time        // of what the consumer has, or when the feed began
	Now    func() time.Time // what is later has a wrong time, by which the cursor does not go
	swept  time.Time        // the value of Latest when old entries were last removed from known
	known  map[K]entry
}

type entry struct {
	at  time.Time
	old bool // it existed before, and was not delivered
}

// Overlap is how far before its latest entry a history is read again, since entries need not come in the
// order of their times, and the service may leave out the very second that it is asked for.
const Overlap = 5 * time.Minute

// Add reports whether an entry of a history is neither given nor old, and remembers that it is given.
func (c *Cursor[K]) Add(key K, at time.Time) bool {
	if _, known := c.known[key]; known {
		return false
	}
	c.remember(key, entry{at: at})
	return true
}

// Tell is Add for what is told as new: it is given although it is thought to be old.
func (c *Cursor[K]) Tell(key K, at time.Time) bool {
	if e, known := c.known[key]; known && !e.old {
		return false
	}
	c.remember(key, entry{at: at})
	return true
}

// Pass remembers that an entry is old, if it is not known.
func (c *Cursor[K]) Pass(key K, at time.Time) {
	if _, known := c.known[key]; !known {
		c.remember(key, entry{at, true})
	}
}

func (c *Cursor[K]) remember(key K, e entry) {
	if c.known == nil {
		c.known = map[K]entry{}
	}
	c.known[key] = e
	if e.at.After(c.Latest) && !e.at.After(c.Now()) {
		c.Latest = e.at
	}
	if c.Latest.Sub(c.swept) >= Overlap {
		c.swept = c.Latest
		maps.DeleteFunc(c.known, func(_ K, e entry) bool { return e.at.Before(c.Latest.Add(-Overlap)) })
	}
}

// Since is from when on the history is to be read, so that nothing is missed. The zero Time stands for all of it.
func (c *Cursor[K]) Since() time.Time {
	if c.Latest.IsZero() {
		return time.Time{}
	}
	return c.Latest.Add(-Overlap)
}
