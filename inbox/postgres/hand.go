package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/internal/pgstore"
)

// begun is a transaction in which an entry is handed over.
type begun[Tx any] struct {
	tx               Tx
	in               pgstore.Tx
	commit, rollback func(context.Context) error
}

// Hand hands over an entry in a transaction, which also marks it done. The transaction is READ COMMITTED, whatever your default
// is. Other calls that want the entry wait. If the transaction cannot be committed although f has returned nil, for example
// because of a constraint or rows that were not closed, that is an [*inbox.HandlerError]. f must not end the transaction
// itself: if it commits, whatever it returns, or rolls back and returns nil, it is such an error too, with Ended set.
//
// An error from the commit itself may leave open whether everything is stored, and says so; if it is, another call returns
// [inbox.ErrNotReady].
func (s *Store[Tx]) Hand(ctx context.Context, id string, now time.Time, f func(ctx context.Context, tx Tx, m inbox.Movement) error) error {
	var called bool
	var handed error
	err := s.db.Call(ctx, func() error {
		transaction, err := s.hand(ctx, id, now, func(ctx context.Context, tx Tx, m inbox.Movement) error {
			called = true
			return f(ctx, tx, m)
		})
		if called { // it is not called again, whatever the error
			handed = s.committed(ctx, id, transaction, err)
			return nil
		}
		return err
	})
	if called {
		return s.db.Known(handed)
	}
	return err
}

// hand returns the number of the transaction in which it called f, if the transaction was not to be committed.
func (s *Store[Tx]) hand(ctx context.Context, id string, now time.Time, f func(ctx context.Context, tx Tx, m inbox.Movement) error) (transaction string, err error) {
	t, err := s.begin(ctx)
	if err != nil {
		return "", err
	}
	ended := false
	defer func() {
		if ended {
			return
		}
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoing)
		defer cancel()
		_ = t.rollback(undo) // the earlier error says what is wrong, and the server rolls back if the connection is lost
	}()
	type locked struct{ state, movement, transaction string }
	found, err := collect(ctx, t.in, func(r pgstore.Rows) (l locked, err error) { return l, r.Scan(&l.state, &l.movement, &l.transaction) },
		`SELECT state, movement::text, pg_catalog.txid_current()::text FROM {entries} WHERE id = $1 FOR UPDATE`, id)
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", inbox.ErrNotFound
	case found[0].state != string(inbox.StateReady):
		return "", inbox.ErrNotReady
	}
	m, err := movement(found[0].movement)
	if err != nil {
		return "", fmt.Errorf("inbox: the entry %s: %w", id, err)
	}
	transaction = found[0].transaction
	if err := f(ctx, t.tx, m); err != nil {
		return transaction, err
	}
	done, err := collect(ctx, t.in, pgstore.Column[string], `
		UPDATE {entries} SET state = 'done', due = NULL, error = '', updated = $2::timestamptz, version = version + 1
		WHERE id = $1 AND state = 'ready' AND pg_catalog.txid_current()::text = $3 RETURNING id`, id, micro(now), transaction)
	switch {
	case ctx.Err() != nil: // then the driver may have rolled back, and not the handler
		return transaction, ctx.Err()
	case errors.Is(err, pgx.ErrTxClosed), errors.Is(err, sql.ErrTxDone), err == nil && len(done) == 0:
		return "", handlerEnded(id)
	case err != nil:
		return transaction, blame(err, fmt.Errorf("inbox: %s: %w", id, err))
	}
	err = t.commit(ctx)
	ended = true
	switch {
	case err == nil:
		return "", nil
	case pgstore.State(err) != "", errors.Is(err, pgx.ErrTxCommitRollback), errors.Is(err, sql.ErrTxDone):
		return "", blame(err, fmt.Errorf("inbox: %s could not be committed: %w", id, err))
	}
	return "", fmt.Errorf("inbox: whether %s was committed is unknown, the next attempt will determine it: %w", id, err)
}

// undoing is how long a rollback may take, including finding out what became of a transaction.
const undoing = 10 * time.Second

func handlerEnded(id string) error {
	return &inbox.HandlerError{Ended: true, Err: fmt.Errorf("inbox: the handler has ended the transaction in which %s was handed over, or changed "+
		"the entry: what it wrote may be stored, and the movement is not done: leave commit and rollback to the inbox, and return an error for the latter", id)}
}

// committed finds out whether a handler has committed a transaction that the store has rolled back, and returns that as
// the error.
func (s *Store[Tx]) committed(ctx context.Context, id, transaction string, err error) error {
	if err == nil || transaction == "" {
		return err
	}
	ask, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoing)
	defer cancel()
	status, failed := collect(ask, s.db, pgstore.Column[*string], `SELECT pg_catalog.txid_status($1::text::bigint)`, transaction)
	if failed == nil && len(status) == 1 && status[0] != nil && *status[0] == "committed" {
		return errors.Join(handlerEnded(id), err)
	}
	return err // if this cannot be determined either, the next attempt finds the entry as it is
}

// blame makes an error the handler's if the server says what is wrong with the transaction, or if the handler left its
// connection in a state in which nothing can be sent, such as with open rows. Errors of the server, of the connection and
// of other transactions are the store's.
func blame(cause, err error) error {
	state := pgstore.State(cause)
	left := errors.Is(cause, driver.ErrBadConn) || strings.Contains(cause.Error(), "conn busy") || strings.Contains(cause.Error(), "conn closed") // pgx has no type for these two
	if state == "" && !left {
		return err
	}
	for _, class := range []string{"08", "40", "53", "57", "58", "XX"} {
		if strings.HasPrefix(state, class) {
			return err
		}
	}
	return &inbox.HandlerError{Err: err}
}
