package outbox

import (
	"context"
	"errors"
	"time"
)

// ErrReadOnly is returned where a store that is for reading is to change something.
var ErrReadOnly = errors.New("outbox: the store is open for reading only")

// Reader is the part of a [Store] that changes nothing.
type Reader interface {
	// Get is that of [Place].
	Get(ctx context.Context, key string) (Entry, error)
	// Page is that of [Store], as the next two are.
	Page(ctx context.Context, f Filter, after Entry, limit int) ([]Entry, error)
	// Stats counts what is there.
	Stats(ctx context.Context) (Stats, error)
	// Close gives the store up.
	Close() error
}

// ReadOnly returns a Store whose other methods return [ErrReadOnly]. It is for those who write a store.
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
