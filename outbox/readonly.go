package outbox

import (
	"context"
	"errors"
	"time"
)

// ErrReadOnly is returned if a read-only store is asked to change something.
var ErrReadOnly = errors.New("outbox: the store is open for reading only")

// Reader is the part of a [Store] that changes nothing.
type Reader interface {
	// Get works like that of [Place].
	Get(ctx context.Context, key string) (Entry, error)
	// Page works like that of [Store], as do the next two.
	Page(ctx context.Context, f Filter, after Entry, limit int) ([]Entry, error)
	// Stats counts entries.
	Stats(ctx context.Context) (Stats, error)
	// Close closes the store.
	Close() error
}

// ReadOnly returns a Store whose other methods return [ErrReadOnly]. It is for implementing a store.
func ReadOnly(r Reader) Store { return readOnly{r} }

type readOnly struct{ Reader }

func (readOnly) Add(context.Context, Entry) (Entry, bool, error) { return Entry{}, false, ErrReadOnly }

func (readOnly) Claim(context.Context, Want) ([]Claim, error) { return nil, ErrReadOnly }

func (readOnly) Take(context.Context, string, time.Time, time.Time) (Claim, error) {
	return Claim{}, ErrReadOnly
}

func (readOnly) Begin(context.Context, Claim) error { return ErrReadOnly }

func (readOnly) Release(context.Context, Claim) error { return ErrReadOnly }

func (readOnly) Postpone(context.Context, Claim) error { return ErrReadOnly }

func (readOnly) Remove(context.Context, []string) error { return ErrReadOnly }
