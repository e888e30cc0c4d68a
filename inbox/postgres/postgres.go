// Package postgres keeps an inbox in PostgreSQL, and hands each movement over in a transaction of the program's own database: what
// the program books there, and that the movement was handed over, are stored together or not at all.
//
//	store, err := postgres.New(ctx, pool)
//	...
//	in, err := inbox.New(client, store, inbox.WithFunds(company, fund))
//	...
//	err = in.Run(ctx, func(ctx context.Context, tx pgx.Tx, m inbox.Movement) error {
//		_, err := tx.Exec(ctx, `INSERT INTO bookings (key, wallet, amount) VALUES ($1, $2, $3)`, m.Key, m.Wallet, m.Amount)
//		return err
//	})
//
// Programs on several machines may follow the same funds: one of them has the lease of each.
//
// Entries are rows of the table qredo_inbox, funds and wallets are rows of qredo_inbox_source, both in the first schema of the
// connection's search path. They are for people to query; only the inbox may change them.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/internal/pgstore"
)

// Store is an [inbox.Store] in a PostgreSQL database. Tx is [pgx.Tx], or [*sql.Tx] of [OpenDB].
type Store[Tx any] struct {
	base
	begin func(context.Context) (begun[Tx], error)
	conns func() int // that the pool may have
}

var (
	_ inbox.Store[pgx.Tx]  = (*Store[pgx.Tx])(nil)
	_ inbox.Store[*sql.Tx] = (*Store[*sql.Tx])(nil)
)

// base is what stores are without their kind of transaction.
type base struct {
	db     *pgstore.Database
	schema string
}

// leastConns is how many connections a pool may have at least: each movement that is being handed over has one for itself.
const leastConns = 16

// Open connects to a database, named as a URL or by keywords ("host=... dbname=..."), and makes the tables or brings them to
// this version. The pool is the store's, and has 16 connections or more, or as many as pool_max_conns says.
//
// It refuses what might lose or change what was handed over, and says what:
//   - a server whose synchronous_commit or fsync is off: a crash of it could lose what was acknowledged. So could a failover to a
//     replica that is behind, which is not seen here: use synchronous replication;
//   - a database of another encoding than UTF8;
//   - tables that do not belong to the current user or a role that it is a member of, that have triggers, rules, row-level
//     security or heirs, or that are not kept in a crash;
//   - another machine than this one where nothing says which TLS is wanted: give sslmode in the URL or the keywords, or
//     PGSSLMODE. The default of the driver would send everything in plain text to whoever asks for it.
//
// A pooler such as PgBouncer may be between, also one that gives each transaction another connection. Statements are not
// prepared then, the program's neither.
func Open(ctx context.Context, database string) (*Store[pgx.Tx], error) {
	s, err := connect(ctx, database, (*base).own)
	if err == nil && s.conns() < 2 {
		return nil, errors.Join(fmt.Errorf("inbox: the pool must have two connections or more, pool_max_conns says %d", s.conns()), s.Close())
	}
	return s, err
}

// OpenReadOnly connects to a database as [Open] does, to look only: it makes and changes nothing, and SELECT on the tables is
// enough. Methods that change something return [inbox.ErrReadOnly]. It is an error where there is no inbox, or one of another
// version. Whether others could change the tables is not checked.
func OpenReadOnly(ctx context.Context, database string) (inbox.Records, error) {
	s, err := connect(ctx, database, (*base).look)
	if err != nil {
		return nil, err
	}
	return inbox.ReadOnly(s), nil
}

func connect(ctx context.Context, database string, begin func(*base, context.Context) error) (*Store[pgx.Tx], error) {
	for unprepared := false; ; unprepared = true {
		pool, err := pgstore.Connect(ctx, database, leastConns, unprepared)
		if err != nil {
			return nil, fmt.Errorf("inbox: %w", err)
		}
		s, err := opened(ctx, newStore(pool, true), begin)
		if err != nil || unprepared || !s.db.Pooled() {
			return s, err
		}
		if err := s.Close(); err != nil { // what the program prepares in it would be lost in the pooler
			return nil, err
		}
	}
}

// New returns a store in the database of a pool, which stays the caller's to close, after the store. It makes the tables and
// refuses what [Open] refuses, but for the kind of connection.
//
// Each movement that is being handed over has a connection of the pool. Two are kept for what else the store does and for what handlers do
// besides in the same pool, so that as many movements are handed over at once as the pool has connections, less two: pgxpool's default of 4
// gives two. For the 8 that are the inbox's default it needs 10, more where others use it too. One that has only one is refused.
//
// Through a pooler that gives each transaction another connection, the pool needs [pgx.QueryExecModeExec] for the statements of the program.
func New(ctx context.Context, pool *pgxpool.Pool) (*Store[pgx.Tx], error) {
	if pool == nil {
		return nil, &qredo.ValidationError{Field: "pool", Rule: "must not be nil"}
	}
	if n := pool.Config().MaxConns; n < 2 {
		return nil, &qredo.ValidationError{Field: "pool", Rule: fmt.Sprintf("must have two connections or more, has %d: see New", n)}
	}
	return opened(ctx, newStore(pool, false), (*base).own)
}

// MaxConcurrency is how many movements can be handed over at once: as many as the pool has connections, less two, but one at least.
func (s *Store[Tx]) MaxConcurrency() int { return max(1, s.conns()-2) }

// OpenDB is [New] for database/sql, through any driver that speaks to PostgreSQL.
func OpenDB(ctx context.Context, db *sql.DB) (*Store[*sql.Tx], error) {
	if db == nil {
		return nil, &qredo.ValidationError{Field: "db", Rule: "must not be nil"}
	}
	s := &Store[*sql.Tx]{base: base{db: pgstore.SQL(db, inbox.ErrClosed)}}
	s.conns = func() int {
		if n := db.Stats().MaxOpenConnections; n > 0 {
			return n
		}
		return math.MaxInt
	}
	if n := s.conns(); n < 2 {
		return nil, &qredo.ValidationError{Field: "db", Rule: fmt.Sprintf("must have two connections or more, has %d: see New", n)}
	}
	s.begin = func(ctx context.Context) (begun[*sql.Tx], error) {
		tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
		if err != nil {
			return begun[*sql.Tx]{}, err
		}
		return begun[*sql.Tx]{
			tx: tx, in: s.db.SQLTx(tx), commit: func(context.Context) error { return tx.Commit() },
			rollback: func(context.Context) error { return tx.Rollback() },
		}, nil
	}
	return opened(ctx, s, (*base).own)
}

func newStore(pool *pgxpool.Pool, own bool) *Store[pgx.Tx] {
	s := &Store[pgx.Tx]{base: base{db: pgstore.Pgx(pool, own, inbox.ErrClosed)}}
	s.conns = func() int { return int(pool.Config().MaxConns) }
	s.begin = func(ctx context.Context) (begun[pgx.Tx], error) {
		tx, err := pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite})
		if err != nil {
			return begun[pgx.Tx]{}, err
		}
		return begun[pgx.Tx]{tx: tx, in: s.db.PgxTx(tx), commit: tx.Commit, rollback: tx.Rollback}, nil
	}
	return s
}

// opened is a store that can be used.
func opened[Tx any](ctx context.Context, s *Store[Tx], begin func(*base, context.Context) error) (*Store[Tx], error) {
	err := s.db.FindPooler(ctx)
	if err == nil {
		err = s.findSchema(ctx)
	}
	if err == nil {
		err = begin(&s.base, ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("inbox: %w", err), s.Close())
	}
	return s, nil
}

// own makes sure that what is handed over can be trusted to the tables, which it makes if need be.
func (s *base) own(ctx context.Context) error {
	if err := pgstore.CheckDurable(ctx, s.db.Query); err != nil {
		return err
	}
	return s.migrate(ctx)
}

// Close gives the store up, and closes the connections that [Open] made. It waits for calls that are under way.
func (s *Store[Tx]) Close() error {
	s.db.Close()
	return nil
}
