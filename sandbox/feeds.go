package sandbox

import (
	"time"

	"github.com/qredo-go/qredo/sandbox/internal/serve"
)

// FeedConnection is a connected feed.
type FeedConnection struct {
	ID       uint64     `json:"id"`
	URL      string     `json:"url"`
	Key      string     `json:"key"` // the end of the API key, or of its name
	Account  string     `json:"account"`
	Since    time.Time  `json:"since"`
	Messages int        `json:"messages"` // number of messages sent
	LastAt   *time.Time `json:"last_at"`  // nil before the first
	Last     string     `json:"last"`     // the first 2 KiB of the last one
	State    string     `json:"state"`    // "open" or "frozen"
}

// FeedList lists the connected feeds, and what applies to all of them.
type FeedList struct {
	Feeds             []FeedConnection `json:"feeds"` // oldest first
	DelayMilliseconds int64            `json:"delay_ms"`
	Duplicate         bool             `json:"duplicate"`
}

// Feeds returns the connected feeds.
func (s *Sandbox) Feeds() (FeedList, error) {
	open, delay, duplicate := s.feeds.List()
	out := FeedList{Feeds: make([]FeedConnection, len(open)), DelayMilliseconds: delay.Milliseconds(), Duplicate: duplicate}
	for i, f := range open {
		c := FeedConnection{ID: f.ID, URL: f.URL, Key: f.Key, Account: f.Account, Since: milliseconds(f.Since), Messages: f.Messages, Last: f.Last, State: "open"}
		if f.Messages > 0 {
			at := milliseconds(f.LastAt)
			c.LastAt = &at
		}
		if f.Frozen {
			c.State = "frozen"
		}
		out.Feeds[i] = c
	}
	return out, nil
}

func milliseconds(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// DropFeeds closes all feed connections and returns how many there were.
func (s *Sandbox) DropFeeds() int { return s.feeds.Drop() }

// DropFeed closes one feed connection, given its ID in [Sandbox.Feeds]. It returns [qredo.ErrNotFound] if it is no longer
// connected.
func (s *Sandbox) DropFeed(id uint64) error { return foundFeed(s.feeds.DropOne(id)) }

// FreezeFeeds stops all data on the existing feed connections but leaves them open, like a network that silently loses a
// connection. It returns how many there were. Later connections are not frozen.
func (s *Sandbox) FreezeFeeds() int { return s.feeds.Freeze() }

// FreezeFeed freezes one feed connection, as [Sandbox.FreezeFeeds] does for all.
func (s *Sandbox) FreezeFeed(id uint64) error { return foundFeed(s.feeds.FreezeOne(id)) }

func foundFeed(found bool) error {
	if !found {
		return serve.NotFound("feed that is connected")
	}
	return nil
}

// DelayFeeds delays each feed message by the given time.
func (s *Sandbox) DelayFeeds(by time.Duration) { s.feeds.Delay(by) }

// DuplicateFeeds makes feeds send each message twice, or stops that.
func (s *Sandbox) DuplicateFeeds(on bool) { s.feeds.Duplicate(on) }

// feedRequest names a feed, or all of them if it is empty.
type feedRequest struct {
	ID uint64 `json:"id,omitzero"`
}

// of applies something to the named feed, or to all, and returns how many.
func (r feedRequest) of(all func() int, one func(id uint64) error) (connections, error) {
	if r.ID == 0 {
		return connections{all()}, nil
	}
	return connections{1}, one(r.ID)
}
