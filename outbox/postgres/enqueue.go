package postgres

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"

	"github.com/qredo-go/qredo/internal/pgstore"
	"github.com/qredo-go/qredo/outbox"
)

// EnqueueTx stores a payment in your own transaction, which must be in the store's database. Otherwise it works like
// [outbox.Outbox.Enqueue]. Workers see the payment when you commit; if you roll back, even to a savepoint, it was never there.
// Whatever else your program writes in the transaction, such as the booking of the payment, is committed together with it or
// not at all.
//
// Workers are woken when you commit. A program wakes them at most ten times a second: a payment enqueued less than a tenth of a
// second after a transaction that takes long, or is rolled back, may wait until their next poll.
//
// If another transaction enqueues the same key, it waits until yours has ended. A database error leaves your transaction
// unusable: roll it back. With isolation level serializable or repeatable read it may be a serialization failure, after which
// you repeat the whole transaction.
func (s *Store) EnqueueTx(ctx context.Context, tx pgx.Tx, key string, req outbox.Request) (outbox.Entry, error) {
	return s.enqueue(ctx, s.db.PgxTx(tx), key, req)
}

// EnqueueSQLTx is [Store.EnqueueTx] for database/sql.
func (s *Store) EnqueueSQLTx(ctx context.Context, tx *sql.Tx, key string, req outbox.Request) (outbox.Entry, error) {
	return s.enqueue(ctx, s.db.SQLTx(tx), key, req)
}

func (s *Store) enqueue(ctx context.Context, in pgstore.Tx, key string, req outbox.Request) (outbox.Entry, error) {
	if !s.db.Enter() {
		return outbox.Entry{}, outbox.ErrClosed
	}
	defer s.db.Leave()
	var carrier map[string]string
	if s.inject != nil {
		carrier = s.inject(ctx)
	}
	e, _, err := outbox.EnqueueIn(ctx, place{s, in, s.told.next()}, key, req, s.clock(), carrier)
	return e, err
}
