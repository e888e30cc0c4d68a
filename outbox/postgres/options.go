package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
)

// Option changes how a store works.
type Option func(*Store) error

// WithClock sets where the time of what [Store.EnqueueTx] stores comes from. Default: [time.Now].
func WithClock(now func() time.Time) Option {
	return func(s *Store) error { s.clock = now; return check(now != nil, "clock", "must not be nil") }
}

// WithSealingKey has each entry sealed with a secret key of 16 bytes or more: what somebody without it has changed or added in
// the tables is not sent. All programs that share the tables need the same from the start, and the store cannot be opened with
// another. See [outbox.NewRecords]. Default: entries are sealed against accidents, with no key.
func WithSealingKey(key []byte) Option {
	return func(s *Store) error {
		s.records = outbox.NewRecords(key)
		return check(len(key) >= 16, "sealing key", "must have 16 bytes or more, has %d", len(key))
	}
}

// WithContextCarrier keeps something of the caller's context with each entry that [Store.EnqueueTx] stores: see
// [outbox.WithContextCarrier], which is given the same inject.
func WithContextCarrier(inject func(context.Context) map[string]string) Option {
	return func(s *Store) error {
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
