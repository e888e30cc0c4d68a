package serve

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// FeedInfo is what can be told of a feed that is connected.
type FeedInfo struct {
	ID       uint64
	URL, Key string // as they can be shown
	Account  string
	Since    time.Time
	Messages int
	LastAt   time.Time
	Last     string // the beginning of the last message
	Frozen   bool
}

const mostShown = 2 << 10 // bytes of a message

// sent notes a message that was sent.
func (f *Feeds) sent(conn *gatedConn, message []byte, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	conn.about.Messages++
	conn.about.LastAt = at
	conn.about.Last = strings.ToValidUTF8(string(message[:min(len(message), mostShown)]), "")
}

// List are the feeds that are connected, oldest first, and what is done to all.
func (f *Feeds) List() (open []FeedInfo, delay time.Duration, duplicate bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for conn := range f.open {
		open = append(open, conn.about)
	}
	slices.SortFunc(open, func(a, b FeedInfo) int { return cmp.Compare(a.ID, b.ID) })
	return open, f.delay, f.duplicate
}

// Drop cuts all feed connections and returns how many there were.
func (f *Feeds) Drop() int { return f.each(func(c *gatedConn) { _ = c.Close() }) }

// Freeze lets no more bytes through the feed connections that there are, and leaves them open. It returns how many
// there were.
func (f *Feeds) Freeze() int { return f.each((*gatedConn).freeze) }

// DropOne cuts the connection with an ID, and FreezeOne freezes it. They report whether there is one.
func (f *Feeds) DropOne(id uint64) bool { return f.one(id, func(c *gatedConn) { _ = c.Close() }) }

// FreezeOne freezes the connection with an ID.
func (f *Feeds) FreezeOne(id uint64) bool { return f.one(id, (*gatedConn).freeze) }

func (f *Feeds) one(id uint64, do func(*gatedConn)) (found bool) {
	f.each(func(c *gatedConn) {
		if c.about.ID == id {
			found = true
			do(c)
		}
	})
	return found
}

// Delay lets each feed message wait for so long before it is sent.
func (f *Feeds) Delay(by time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.delay = by
	f.notify()
}

// Duplicate sends each feed message twice, or no longer.
func (f *Feeds) Duplicate(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.duplicate = on
	f.notify()
}
