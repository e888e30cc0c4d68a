package outbox

import (
	"context"
	"iter"
	"time"

	"github.com/qredo-go/qredo"
)

// Operator is what people can do with an outbox: look, decide, and clean up. An [Outbox] is one. [Operate] returns one that
// cannot send. The methods work like those of Outbox.
type Operator interface {
	// Get returns an entry.
	Get(ctx context.Context, key string) (Entry, error)
	// Page returns one page of a list.
	Page(ctx context.Context, f Filter, after Entry, limit int) ([]Entry, error)
	// List iterates over entries.
	List(ctx context.Context, f Filter) iter.Seq2[Entry, error]
	// Watch follows an entry to its end.
	Watch(ctx context.Context, key string) iter.Seq2[Entry, error]
	// Stats counts the entries.
	Stats(ctx context.Context) (Stats, error)
	// Resolve records what a person has found out.
	Resolve(ctx context.Context, key string, id qredo.TxID, note string) (Entry, error)
	// Retry has a worker work on an entry at once.
	Retry(ctx context.Context, key, note string) (Entry, error)
	// Prune removes entries that have ended.
	Prune(ctx context.Context, before time.Time, opts ...PruneOption) (int, error)
}

// Operate returns an Operator for a store, for use in a program that does not send: it needs no client, and calls no service.
// Sending programs notice its changes at their next poll. A wrong option is a [*qredo.ValidationError].
func Operate(store Store, opts ...Option) (Operator, error) {
	if store == nil {
		return nil, check(false, "operator", "needs a store")
	}
	o, err := open(store, opts)
	if err != nil {
		return nil, err
	}
	return struct{ Operator }{o}, nil // nobody gets access to the methods that need a client
}
