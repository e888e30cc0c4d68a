package outbox

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Store keeps entries. What a method has stored when it returns survives the end of the program and, as
// far as the disk keeps its word, of the machine. [OpenStore] is one, package postgres another; [Records] has what
// they keep. A Store is safe for concurrent use.
type Store interface {
	Place
	// Page returns up to limit entries that match a filter, in the order of their keys' bytes, or of their changes where
	// the filter asks for times of change. It begins after an entry, which is the last of the page before.
	Page(ctx context.Context, f Filter, after Entry, limit int) ([]Entry, error)
	// Claim leases entries that are due and leased to nobody, those first that have been due for longest.
	Claim(ctx context.Context, w Want) ([]Claim, error)
	// Take leases one entry, due or not, ended or not. It returns ErrNotFound, or ErrBusy if it is leased at now.
	Take(ctx context.Context, key string, now, until time.Time) (Claim, error)
	// Begin stores that an attempt to send begins: Sending, Attempts and APIKey of the claim's entry. It keeps the lease.
	// It stores nothing and returns ErrClaimLost when another claim was made since, as the next two do; that a lease is over
	// does not matter as long as nobody has claimed.
	Begin(ctx context.Context, c Claim) error
	// Release stores a claim's entry and ends the lease. It returns ErrTxIDTaken, stores nothing, and keeps the lease if
	// another entry has the TxID.
	Release(ctx context.Context, c Claim) error
	// Postpone ends the lease of an entry that has not changed but for Due. A store may forget Due when it is closed.
	Postpone(ctx context.Context, c Claim) error
	// Remove forgets those of some entries that have ended.
	Remove(ctx context.Context, keys []string) error
	// Stats counts what is there.
	Stats(ctx context.Context) (Stats, error)
	// Close gives the store up. Methods called after it return ErrClosed.
	Close() error
}

// Place is where entries are added: a store, or a transaction in one.
type Place interface {
	// Add stores an entry. If there is one with its key, that one is returned, and added is false. Where another entry has
	// the PartnerTxID that the caller has brought, the error is ErrPartnerTxIDTaken.
	Add(ctx context.Context, e Entry) (stored Entry, added bool, err error)
	// Get returns the entry with a key, or ErrNotFound. One that cannot be read any more is as Records.Damaged has it.
	Get(ctx context.Context, key string) (Entry, error)
}

// Waker is a store that notices what other programs, or transactions of the caller's, have added. Without, it is noticed
// at the next poll.
type Waker interface {
	// Wake calls wake soon after something was added, until ctx ends.
	Wake(ctx context.Context, wake func())
}

// Lane is one of three queues. An entry that waits for a worker is in one of them.
type Lane int

// The lanes, in the order of their rank.
const (
	LaneNew    Lane = iota // neither sent nor put off: always due
	LaneRetry              // sent, and not known to be made; or put off before it was sent
	LaneFollow             // there is a transaction
)

// Lane returns the queue of an entry. It has a meaning for StatePending and StateSent only.
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
	Now, Until time.Time // the lease, which a store keeps with both: one from the future was made by a wrong clock, and is none
	// Beyond is later than anything is put off to: what is due after it was put off by a wrong clock, and is due.
	Beyond time.Time
	Limit  int
}

// Claim is an entry and the right to change it.
type Claim struct {
	Entry Entry
	Token int64 // grows with each claim of the entry
}

// Filter selects entries. Each field that is set narrows it. With one of the times, entries come in the order of their
// last change: ask again with the last one's Updated to see what has changed since, and some time before it where several
// programs share a store, since their clocks differ and a change is seen when it is committed. Updated may be ahead, by a clock
// that was: ask for no later time than now.
type Filter struct {
	States        []State   // any of these
	Unknown       bool      // only those whose outcome is unknown
	UpdatedSince  time.Time // at this time or later
	UpdatedBefore time.Time
}

// Match reports whether an entry is selected.
func (f Filter) Match(e Entry) bool {
	return (len(f.States) == 0 || slices.Contains(f.States, e.State)) && (!f.Unknown || e.Unknown) &&
		!e.Updated.Before(f.UpdatedSince) && (f.UpdatedBefore.IsZero() || e.Updated.Before(f.UpdatedBefore))
}

// ByChange reports whether entries are to come in the order of their changes.
func (f Filter) ByChange() bool { return !f.UpdatedSince.IsZero() || !f.UpdatedBefore.IsZero() }

// Stats is what a store holds.
type Stats struct {
	States    map[State]int `json:"states"`
	Unknown   int           `json:"unknown"`             // of pending and held entries
	OldestDue time.Time     `json:"oldest_due,omitzero"` // since when the one that has waited for a worker for longest is due; may be in the future
}

// What stores and outboxes return.
var (
	ErrNotFound         = errors.New("outbox: no entry has this key")
	ErrBusy             = errors.New("outbox: a worker has the entry at the moment")
	ErrClaimLost        = errors.New("outbox: another worker has claimed the entry")
	ErrTxIDTaken        = errors.New("outbox: the transaction belongs to another entry")
	ErrPartnerTxIDTaken = errors.New("outbox: the PartnerTxID belongs to another entry")
	ErrClosed           = errors.New("outbox: the store is closed")
)

// KeyConflictError is a key that was used with another request before.
type KeyConflictError struct {
	Stored Entry // what the key belongs to
}

// Error names the key, and nothing of the request that it belongs to.
func (e *KeyConflictError) Error() string {
	return "outbox: the key belongs to another request: " + e.Stored.Key
}
