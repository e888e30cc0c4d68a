package postgres

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"

	"github.com/qredo-go/qredo/internal/pgstore"
	"github.com/qredo-go/qredo/outbox"
)

// EnqueueTx stores a payment in a transaction of yours, which must be one in the store's database. It is [outbox.Outbox.Enqueue]
// otherwise. Workers see the payment when you commit; if you roll back, to a savepoint too, it was never there. What else your
// program writes in the transaction, such as the booking of the payment, happens together with it or not at all.
//
// Workers are woken when you commit. A program wakes them ten times a second at most: what is enqueued in the tenth after a
// transaction that takes long, or is rolled back, may wait for their next poll.
//
// Another transaction that enqueues the same key waits until yours has ended. An error of the database leaves your transaction
// unusable: roll it back. Where it is serializable or of repeatable reads, that may be a serialization failure, after which you
// do all of it again.
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
