package postgres

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
)

// Option changes how a store works.
type Option func(*Store) error

// WithClock sets the clock for what [Store.EnqueueTx] stores. Default: [time.Now].
func WithClock(now func() time.Time) Option {
	return func(s *Store) error { s.clock = now; return check(now != nil, "clock", "must not be nil") }
}

// WithSealingKey seals each entry with a secret key of at least 16 bytes: anything that somebody without the key has changed in
// or added to the tables is not sent. All programs that share the tables need the same key from the start, and the store cannot
// be opened with another. See [outbox.NewRecords]. Default: no key; entries are protected only against accidents.
func WithSealingKey(key []byte) Option {
	return func(s *Store) error {
		s.records = outbox.NewRecords(key)
		return check(len(key) >= 16, "sealing key", "must have 16 bytes or more, has %d", len(key))
	}
}

// WithContextCarrier keeps part of your context with each entry that [Store.EnqueueTx] stores: give the same inject to
// [outbox.WithContextCarrier]. If you give it several times, everything is kept.
func WithContextCarrier(inject func(context.Context) map[string]string) Option {
	return func(s *Store) error {
		if before := s.inject; before != nil && inject != nil {
			s.inject = func(ctx context.Context) map[string]string {
				kept := map[string]string{}
				maps.Copy(kept, before(ctx))
				maps.Copy(kept, inject(ctx))
				return kept
			}
			return nil
		}
		s.inject = inject
		return check(inject != nil, "context carrier", "must not be nil")
	}
}

func check(ok bool, field, rule string, args ...any) error {
	if ok {
		return nil
	}
	return &qredo.ValidationError{Field: field, Rule: fmt.Sprintf(rule, args...)}
}
