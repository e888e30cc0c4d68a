package inbox

import (
	"context"
	"iter"
	"log/slog"
	"time"
)

// Operator is what people can do with an inbox: look, and decide about movements that were set aside. [Operate] returns one.
type Operator struct {
	records Records
	clock   func() time.Time
}

// Operate returns an Operator for a store, for use in a program that does not run the inbox: it needs no client, and calls no
// service. Running programs notice its changes at their next look. The only option it uses is [WithClock].
func Operate(records Records, opts ...Option) (*Operator, error) {
	s := settings{clock: time.Now, log: slog.New(slog.DiscardHandler)}
	if records == nil {
		return nil, check(false, "operator", "needs a store")
	}
	for _, opt := range opts {
		if opt == nil {
			return nil, check(false, "option", "must not be nil")
		}
		if err := opt(&s); err != nil {
			return nil, err
		}
	}
	return &Operator{records, s.clock}, nil
}

// Get returns the entry with the given ID, or [ErrNotFound].
func (o *Operator) Get(ctx context.Context, id string) (Entry, error) { return o.records.Get(ctx, id) }

// List iterates over entries in the byte order of their IDs. The first error is yielded and ends the iteration.
func (o *Operator) List(ctx context.Context, f Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		const page = 500
		for after := ""; ; {
			list, err := o.records.Page(ctx, f, after, page)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for _, e := range list {
				if !yield(e, nil) {
					return
				}
			}
			if len(list) < page {
				return
			}
			after = list[len(list)-1].ID
		}
	}
}

// Retry hands over an entry again that was set aside or skipped, or is waiting for its next attempt, at the next look and with
// a full number of attempts. note should say who wants that, and why. It returns a [*StateError] if the entry is in another
// state, and [ErrNotFound] if there is none.
func (o *Operator) Retry(ctx context.Context, id, note string) (Entry, error) {
	return o.decide(ctx, id, note, StateReady, StateAside, StateSkipped, StateReady)
}

// Skip decides that an entry which is set aside or ready is never handed over. note should say who decided that, and why.
// Errors are as for [Operator.Retry]. [Inbox.Check] counts skipped entries.
func (o *Operator) Skip(ctx context.Context, id, note string) (Entry, error) {
	return o.decide(ctx, id, note, StateSkipped, StateAside, StateReady)
}

func (o *Operator) decide(ctx context.Context, id, note string, to State, from ...State) (Entry, error) {
	if err := check(note != "", "note", "must say who has decided, and why"); err != nil {
		return Entry{}, err
	}
	e, err := o.records.Get(ctx, id)
	if err != nil {
		return Entry{}, err
	}
	for _, state := range from {
		if e.State == state {
			return o.records.Update(ctx, id, state, o.clock().UTC().Truncate(time.Microsecond), Change{State: to, Error: clip(note)})
		}
	}
	return Entry{}, &StateError{ID: id, State: e.State}
}
