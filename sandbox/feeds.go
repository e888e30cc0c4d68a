package sandbox

import "time"

// DropFeeds cuts all feed connections and returns how many there were.
func (s *Sandbox) DropFeeds() int { return s.feeds.Drop() }

// FreezeFeeds lets no more bytes through the feed connections that there are, and leaves them open: what
// a network does that loses a connection without a word. It returns how many there were. Connections made
// later are not frozen.
func (s *Sandbox) FreezeFeeds() int { return s.feeds.Freeze() }

// DelayFeeds lets each feed message wait for so long before it is sent.
func (s *Sandbox) DelayFeeds(by time.Duration) { s.feeds.Delay(by) }

// DuplicateFeeds sends each feed message twice, or no longer.
func (s *Sandbox) DuplicateFeeds(on bool) { s.feeds.Duplicate(on) }
