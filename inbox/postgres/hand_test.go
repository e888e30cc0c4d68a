package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/inbox/internal/storetest"
	"github.com/qredo-go/qredo/internal/pgtest"
)

// transaction is a transaction in which a movement is handed over, of either kind.
type transaction struct {
	exec             func(statement string, args ...any) error
	commit, rollback func() error
	open             func(statement string) error // leaves its rows open
}

// opened is a store of either kind.
type opened struct {
	inbox.Records
	hand func(ctx context.Context, id string, f func(context.Context, transaction, inbox.Movement) error) error
}

func pgxWay(t *testing.T, database string) opened {
	t.Helper()
	s := newStore(t, database)
	return opened{s, func(ctx context.Context, id string, f func(context.Context, transaction, inbox.Movement) error) error {
		return s.Hand(ctx, id, storetest.Now, func(ctx context.Context, tx pgx.Tx, m inbox.Movement) error {
			return f(ctx, transaction{
				func(statement string, args ...any) error { _, err := tx.Exec(ctx, statement, args...); return err },
				func() error { return tx.Commit(ctx) }, func() error { return tx.Rollback(ctx) },
				func(statement string) error { _, err := tx.Query(ctx, statement); return err },
			}, m)
		})
	}}
}

func sqlWay(t *testing.T, database string) opened {
	t.Helper()
	s := openDB(t, database)
	return opened{s, func(ctx context.Context, id string, f func(context.Context, transaction, inbox.Movement) error) error {
		return s.Hand(ctx, id, storetest.Now, func(ctx context.Context, tx *sql.Tx, m inbox.Movement) error {
			return f(ctx, transaction{
				func(statement string, args ...any) error {
					_, err := tx.ExecContext(ctx, statement, args...)
					return err
				},
				tx.Commit, tx.Rollback,
				func(statement string) error { _, err := tx.QueryContext(ctx, statement); return err }, //nolint:sqlclosecheck,rowserrcheck // that is it
			}, m)
		})
	}}
}

// record has a source report movements.
func record(t *testing.T, s inbox.Records, seen ...inbox.Sighting) inbox.Source {
	t.Helper()
	source, err := s.Lease(t.Context(), "fund:c:f", "a", time.Hour)
	require.NoError(t, err)
	_, err = s.Record(t.Context(), source, storetest.Now, seen)
	require.NoError(t, err)
	return source
}

const book = `INSERT INTO bookings (key) VALUES ($1)`

// kill ends the connection of a transaction.
const kill = `SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = 'killed'`

func testHandling(t *testing.T, database string, open func(*testing.T, string) opened) {
	errHandler := errors.New("the handler's")
	for name, c := range map[string]struct {
		f      func(t *testing.T, tx transaction, key, database string) error
		says   string // of an error
		booked bool   // although there is an error
		blamed bool   // the error is a HandlerError
		either bool   // depends on what is noticed first
		ended  bool   // and says that the handler has ended the transaction
	}{
		"booked": {f: func(_ *testing.T, tx transaction, key, _ string) error { return tx.exec(book, key) }},
		"its error": {f: func(t *testing.T, tx transaction, key, _ string) error {
			t.Helper()
			require.NoError(t, tx.exec(book, key))
			return errHandler
		}, says: errHandler.Error()},
		"an error of the database that it returns": {f: func(t *testing.T, tx transaction, key, _ string) error {
			t.Helper()
			require.NoError(t, tx.exec(book, key))
			return tx.exec(book, key)
		}, says: "23505"},
		"an error of the database that it does not return": {f: func(t *testing.T, tx transaction, _, _ string) error {
			t.Helper()
			require.Error(t, tx.exec(`SELECT 1/0`))
			return nil
		}, says: "25P02", blamed: true},
		"an error of the commit": {f: func(_ *testing.T, tx transaction, _, _ string) error {
			return tx.exec(`INSERT INTO later (key) VALUES ('a'), ('a')`)
		}, says: "could not be committed", blamed: true},
		"it commits": {f: func(t *testing.T, tx transaction, key, _ string) error {
			t.Helper()
			require.NoError(t, tx.exec(book, key))
			return tx.commit()
		}, says: "the handler has ended the transaction", blamed: true, ended: true, booked: true},
		"it commits and returns an error": {f: func(t *testing.T, tx transaction, key, _ string) error {
			t.Helper()
			require.NoError(t, tx.exec(book, key))
			require.NoError(t, tx.commit())
			return errHandler
		}, says: errHandler.Error(), booked: true, blamed: true, ended: true},
		"it rolls back and returns an error": {f: func(t *testing.T, tx transaction, key, _ string) error {
			t.Helper()
			require.NoError(t, tx.exec(book, key))
			require.NoError(t, tx.rollback())
			return errHandler
		}, says: errHandler.Error()},
		"it commits by a statement and returns an error": {f: func(t *testing.T, tx transaction, key, _ string) error {
			t.Helper()
			require.NoError(t, tx.exec(book, key))
			require.NoError(t, tx.exec(`COMMIT`))
			return errHandler
		}, says: errHandler.Error(), booked: true, blamed: true, ended: true},
		"it leaves rows open": {f: func(_ *testing.T, tx transaction, _, _ string) error {
			return tx.open(`SELECT generate_series(1, 100000)`)
		}, says: "conn", blamed: true},
		"it rolls back": {f: func(t *testing.T, tx transaction, key, _ string) error {
			t.Helper()
			require.NoError(t, tx.exec(book, key))
			return tx.rollback()
		}, says: "the handler has ended the transaction", blamed: true, ended: true},
		"it commits by a statement": {f: func(t *testing.T, tx transaction, key, _ string) error {
			t.Helper()
			require.NoError(t, tx.exec(book, key))
			return tx.exec(`COMMIT`)
		}, says: "the handler has ended the transaction", blamed: true, ended: true, booked: true},
		"it rolls back by a statement": {f: func(t *testing.T, tx transaction, key, _ string) error {
			t.Helper()
			require.NoError(t, tx.exec(book, key))
			return tx.exec(`ROLLBACK`)
		}, says: "the handler has ended the transaction", blamed: true, ended: true},
		"it begins another": {f: func(t *testing.T, tx transaction, key, _ string) error {
			t.Helper()
			require.NoError(t, tx.exec(`ROLLBACK`))
			require.NoError(t, tx.exec(`BEGIN`))
			return tx.exec(book, key)
		}, says: "the handler has ended the transaction", blamed: true, ended: true},
		"a savepoint": {f: func(t *testing.T, tx transaction, key, _ string) error {
			t.Helper()
			require.NoError(t, tx.exec(`SAVEPOINT one`))
			require.Error(t, tx.exec(`SELECT 1/0`))
			require.NoError(t, tx.exec(`ROLLBACK TO one`))
			return tx.exec(book, key)
		}},
		"read committed": {f: func(t *testing.T, tx transaction, key, database string) error {
			t.Helper()
			exec(t, database, `INSERT INTO bookings VALUES ('by another')`)
			return tx.exec(`INSERT INTO bookings SELECT $1 FROM bookings WHERE key = 'by another'
				AND current_setting('transaction_isolation') = 'read committed'`, key)
		}},
		"killed": {f: func(t *testing.T, tx transaction, key, database string) error {
			t.Helper()
			require.NoError(t, tx.exec(book, key))
			require.NoError(t, tx.exec(`SET LOCAL application_name = 'killed'`))
			exec(t, database, kill)
			return nil
		}, says: "a", either: true},
	} {
		t.Run(name, func(t *testing.T) {
			database := pgtest.With(pgtest.Schema(t, database), "default_transaction_isolation", "serializable")
			s := open(t, database)
			exec(t, database, `CREATE TABLE bookings (key TEXT PRIMARY KEY); CREATE TABLE later (key TEXT UNIQUE DEFERRABLE INITIALLY DEFERRED)`)
			record(t, s, storetest.Seen("a"))
			err := s.hand(t.Context(), "a", func(_ context.Context, tx transaction, m inbox.Movement) error {
				return c.f(t, tx, m.Key, database)
			})
			assertBooked(t, s, database, err == nil || c.booked, err == nil)
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.says)
			var blamed *inbox.HandlerError
			require.Equal(t, c.blamed, errors.As(err, &blamed) && !c.either, "%v", err)
			require.Equal(t, c.ended, c.blamed && blamed.Ended)
			// Nobody is blocked by it.
			exec(t, database, `TRUNCATE bookings`)
			require.NoError(t, s.hand(t.Context(), "a", func(_ context.Context, tx transaction, m inbox.Movement) error { return tx.exec(book, m.Key) }))
			assertBooked(t, s, database, true, true)
		})
	}
	t.Run("panic", func(t *testing.T) {
		database := pgtest.Schema(t, database)
		s := open(t, database)
		exec(t, database, `CREATE TABLE bookings (key TEXT PRIMARY KEY)`)
		record(t, s, storetest.Seen("a"))
		require.Panics(t, func() {
			_ = s.hand(t.Context(), "a", func(_ context.Context, tx transaction, m inbox.Movement) error {
				require.NoError(t, tx.exec(book, m.Key))
				panic("the handler panics")
			})
		})
		assertBooked(t, s, database, false, false)
	})
	t.Run("its context ends", func(t *testing.T) {
		database := pgtest.Schema(t, database)
		s := open(t, database)
		exec(t, database, `CREATE TABLE bookings (key TEXT PRIMARY KEY)`)
		record(t, s, storetest.Seen("a"))
		ctx, cancel := context.WithCancel(t.Context())
		err := s.hand(ctx, "a", func(_ context.Context, tx transaction, m inbox.Movement) error {
			require.NoError(t, tx.exec(book, m.Key))
			cancel()
			return nil
		})
		require.ErrorIs(t, err, context.Canceled)
		assertBooked(t, s, database, false, false)
	})
	t.Run("the commit's answer is lost", func(t *testing.T) { testLostCommit(t, pgtest.Schema(t, database), open) })
}

// assertBooked asserts what has become of the movement a.
func assertBooked(t *testing.T, s opened, database string, booked, done bool) {
	t.Helper()
	var bookings int
	require.NoError(t, connect(t, database).QueryRow(t.Context(), `SELECT count(*) FROM bookings WHERE key = 'a'`).Scan(&bookings))
	assert.Equal(t, booked, bookings == 1, "%d bookings", bookings)
	e, err := s.Get(t.Context(), "a")
	require.NoError(t, err)
	if done {
		assert.Equal(t, inbox.StateDone, e.State)
	} else {
		assert.Equal(t, inbox.StateReady, e.State)
	}
}
