package outbox

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Store keeps entries. What a method has stored when it returns survives the end of the program and, as
// far as the disk keeps its word, of the machine. [OpenStore] is one, package postgres another.
// A Store is safe for concurrent use.
type Store interface {
	// Add stores an entry. If there is one with its key, that one is returned, and added is false.
	Add(ctx context.Context, e Entry) (stored Entry, added bool, err error)
	// Get returns the entry with a key, or ErrNotFound.
	Get(ctx context.Context, key string) (Entry, error)
	// Page returns up to limit entries that match a filter, in the order of their keys' bytes, beginning
	// after a key.
	Page(ctx context.Context, f Filter, after string, limit int) ([]Entry, error)
	// Claim leases up to limit entries that have not ended, are due at now, and are leased to nobody at
	// now, those first that have been due for longest. The lease lasts until the given time.
	Claim(ctx context.Context, now, until time.Time, limit int) ([]Claim, error)
	// Take leases one entry, due or not. It returns ErrNotFound, or ErrBusy if it is leased at now.
	Take(ctx context.Context, key string, now, until time.Time) (Claim, error)
	// Save stores a claim's entry and keeps the lease. It stores nothing and returns ErrClaimLost when
	// another claim was made since; that a lease is over does not matter as long as nobody has claimed.
	Save(ctx context.Context, c Claim) error
	// Release is Save, and ends the lease.
	Release(ctx context.Context, c Claim) error
	// Close gives the store up. Methods called after it return ErrClosed.
	Close() error
}

// Claim is an entry and the right to change it.
type Claim struct {
	Entry Entry
	Token int64 // grows with each claim of the entry
}

// Filter selects entries. Each field that is set narrows it.
type Filter struct {
	States  []State // any of these
	Unknown bool    // only those whose outcome is unknown
}

// Match reports whether an entry is selected.
func (f Filter) Match(e Entry) bool {
	return (len(f.States) == 0 || slices.Contains(f.States, e.State)) && (!f.Unknown || e.Unknown)
}

// What stores and outboxes return.
var (
	ErrNotFound  = errors.New("outbox: no entry has this key")
	ErrBusy      = errors.New("outbox: a worker has the entry at the moment")
	ErrClaimLost = errors.New("outbox: another worker has claimed the entry")
	ErrClosed    = errors.New("outbox: the store is closed")
)

// KeyConflictError is a key that was used with another request before.
type KeyConflictError struct {
	Stored Entry // what the key belongs to
}

// Error names the key, and nothing of the request that it belongs to.
func (e *KeyConflictError) Error() string {
	return "outbox: the key belongs to another request: " + e.Stored.Key
}
