package outbox

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Store keeps entries. When a method returns, what it has stored survives the end of the program and, provided the disk is
// reliable, a crash of the machine. [OpenStore] returns one, and so does package postgres; [Records] defines what they keep. A
// Store is safe for concurrent use.
type Store interface {
	Place
	// Page returns up to limit entries that match a filter, in the byte order of their keys or, if the filter has a time, in
	// the order of their changes. It starts after the given entry, the last one of the previous page.
	Page(ctx context.Context, f Filter, after Entry, limit int) ([]Entry, error)
	// Claim leases due entries that nobody has leased, beginning with those that have been due longest.
	Claim(ctx context.Context, w Want) ([]Claim, error)
	// Take leases one entry, whether or not it is due or has ended. It returns ErrNotFound, or ErrBusy if it is leased at the
	// time now.
	Take(ctx context.Context, key string, now, until time.Time) (Claim, error)
	// Begin records that an attempt to send begins: it stores Sending, Attempts and APIKey of the claim's entry, and keeps the
	// lease. If another claim was made since, it stores nothing and returns ErrClaimLost, as do the next two methods. An
	// expired lease does not matter as long as nobody else has claimed the entry.
	Begin(ctx context.Context, c Claim) error
	// Release stores a claim's entry and ends the lease. If another entry has the TxID, it returns ErrTxIDTaken, stores
	// nothing, and keeps the lease.
	Release(ctx context.Context, c Claim) error
	// Postpone ends the lease of an entry in which only Due has changed. A store may forget Due when it is closed.
	Postpone(ctx context.Context, c Claim) error
	// Remove removes those of the given entries that have ended.
	Remove(ctx context.Context, keys []string) error
	// Stats counts entries.
	Stats(ctx context.Context) (Stats, error)
	// Close closes the store. Methods called afterwards return ErrClosed.
	Close() error
}

// Place is where entries are added: a store, or a transaction in one.
type Place interface {
	// Add stores an entry. If there already is one with its key, it returns that one, and added is false. If another entry has
	// a PartnerTxID that came with the request, the error is ErrPartnerTxIDTaken.
	Add(ctx context.Context, e Entry) (stored Entry, added bool, err error)
	// Get returns the entry with the given key, or ErrNotFound. For one that cannot be read any more it returns
	// Records.Damaged.
	Get(ctx context.Context, key string) (Entry, error)
}

// Waker is a store that notices when other programs, or your own transactions, add entries. Without it, they are noticed at the
// next poll.
type Waker interface {
	// Wake calls wake soon after something was added, until ctx ends.
	Wake(ctx context.Context, wake func())
}

// Lane is one of three queues. Each entry that waits for a worker is in one of them.
type Lane int

// The lanes, in order of priority.
const (
	LaneNew    Lane = iota // neither sent nor postponed: always due
	LaneRetry              // sent, without a known transaction; or postponed before it was sent
	LaneFollow             // there is a transaction
)

// Lane returns the queue of an entry. It is only meaningful for StatePending and StateSent.
func (e *Entry) Lane() Lane {
	switch {
	case e.State != StatePending:
		return LaneFollow
	case e.Attempts > 0, e.Misses > 0:
		return LaneRetry
	}
	return LaneNew
}

// Want is what a worker asks a store for.
type Want struct {
	Lane       Lane
	Now, Until time.Time // of the lease; a store keeps both: a lease from the future is a wrong clock's, and void
	// Beyond is later than any entry is postponed to: an entry due after it was postponed by a wrong clock, and is due now.
	Beyond time.Time
	Limit  int
}

// Claim is an entry and the right to change it.
type Claim struct {
	Entry Entry
	Token int64 // increases with each claim of the entry
}

// Filter selects entries. Each field that is set narrows the selection. If one of the times is set, entries come in the order
// of their last change: to see what has changed since, ask again with the Updated of the last one. If several programs share a
// store, ask from a little earlier, since their clocks differ and a change is visible only once it is committed. Updated may be
// in the future if a clock was ahead: never ask from later than now.
type Filter struct {
	States        []State   // any of these
	Unknown       bool      // only entries whose outcome is unknown
	UpdatedSince  time.Time // at or after this time
	UpdatedBefore time.Time
}

// Match reports whether the filter selects an entry.
func (f Filter) Match(e Entry) bool {
	return (len(f.States) == 0 || slices.Contains(f.States, e.State)) && (!f.Unknown || e.Unknown) &&
		!e.Updated.Before(f.UpdatedSince) && (f.UpdatedBefore.IsZero() || e.Updated.Before(f.UpdatedBefore))
}

// ByChange reports whether entries should come in the order of their changes.
func (f Filter) ByChange() bool { return !f.UpdatedSince.IsZero() || !f.UpdatedBefore.IsZero() }

// Stats are the counts of a store.
type Stats struct {
	States    map[State]int `json:"states"`
	Unknown   int           `json:"unknown"`             // of pending and held entries
	OldestDue time.Time     `json:"oldest_due,omitzero"` // when the longest-waiting entry became due; maybe in the future
}

// Errors that stores and outboxes return.
var (
	ErrNotFound         = errors.New("outbox: no entry has this key")
	ErrBusy             = errors.New("outbox: a worker has the entry at the moment")
	ErrClaimLost        = errors.New("outbox: another worker has claimed the entry")
	ErrTxIDTaken        = errors.New("outbox: the transaction belongs to another entry")
	ErrPartnerTxIDTaken = errors.New("outbox: the PartnerTxID belongs to another entry")
	ErrClosed           = errors.New("outbox: the store is closed")
)

// KeyConflictError means that a key was already used for a different request.
type KeyConflictError struct {
	Stored Entry // the entry that has the key
}

// Error names the key, and nothing of the stored request.
func (e *KeyConflictError) Error() string {
	return "outbox: the key belongs to another request: " + e.Stored.Key
}
