// Package postgres keeps an inbox in PostgreSQL, and hands each movement over in a transaction of your own database: what you
// book there and the record that the movement was handed over are stored together or not at all.
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
// Programs on several machines may follow the same funds: for each fund, one of them holds the lease.
//
// Entries are rows of the table qredo_inbox; funds and wallets are rows of qredo_inbox_source. Both are in the first schema of
// the connection's search path. You may query them, but only the inbox may change them.
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

// Store is an [inbox.Store] in a PostgreSQL database. Tx is [pgx.Tx] or, with [OpenDB], [*sql.Tx].
type Store[Tx any] struct {
	base
	begin func(context.Context) (begun[Tx], error)
	conns func() int // of the pool, at most
}

var (
	_ inbox.Store[pgx.Tx]  = (*Store[pgx.Tx])(nil)
	_ inbox.Store[*sql.Tx] = (*Store[*sql.Tx])(nil)
)

// base is what all stores share, whatever their kind of transaction.
type base struct {
	db     *pgstore.Database
	schema string
}

// leastConns is the minimum size of a pool: each movement that is being handed over uses a connection of its own.
const leastConns = 16

// Open connects to a database, given as a URL or as keywords ("host=... dbname=..."), and creates the tables or migrates them
// to this version. The pool belongs to the store, and has at least 16 connections, or the number in pool_max_conns.
//
// It refuses whatever might lose or change what was handed over, and says what that is:
//
//   - a server with synchronous_commit or fsync off, since its crash could lose what was acknowledged. So could a failover to a
//     replica that is behind, which cannot be detected here: use synchronous replication;
//   - a database with an encoding other than UTF8;
//   - tables that do not belong to the current user or to a role that it is a member of, that have triggers, rules, row-level
//     security or child tables, or that are not crash-safe;
//   - a server on another machine if nothing says which TLS you want: set sslmode in the URL or the keywords, or PGSSLMODE. The
//     driver's default would send everything in plain text to a server that asks for it.
//
// You may connect through a pooler such as PgBouncer, even one that gives each transaction another connection. Statements are
// then not prepared, including your program's.
func Open(ctx context.Context, database string) (*Store[pgx.Tx], error) {
	s, err := connect(ctx, database, (*base).own)
	if err == nil && s.conns() < 2 {
		return nil, errors.Join(fmt.Errorf("inbox: the pool must have two connections or more, pool_max_conns says %d", s.conns()), s.Close())
	}
	return s, err
}

// OpenReadOnly connects to a database as [Open] does, but only to read: it creates and changes nothing, and needs only SELECT
// on the tables. Methods that change something return [inbox.ErrReadOnly]. It returns an error if there is no inbox, or one of
// another version. It does not check whether others could change the tables.
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
		if err := s.Close(); err != nil { // the pooler would lose statements that the program prepares
			return nil, err
		}
	}
}

// New returns a store in the database of a pool, which you close yourself, after the store. It creates the tables and refuses
// what [Open] refuses, except for the kind of connection.
//
// Each movement that is being handed over uses a connection of the pool. Two are reserved for the store's other work and for
// whatever else handlers do with the same pool, so the number of movements handed over at once is at most the number of
// connections less two: with pgxpool's default of 4 that is two. For the inbox's default of 8 the pool needs 10 connections, or
// more if others use it too. A pool with only one connection is refused.
//
// Through a pooler that gives each transaction another connection, the pool needs [pgx.QueryExecModeExec] for your program's
// statements.
func New(ctx context.Context, pool *pgxpool.Pool) (*Store[pgx.Tx], error) {
	if pool == nil {
		return nil, &qredo.ValidationError{Field: "pool", Rule: "must not be nil"}
	}
	if n := pool.Config().MaxConns; n < 2 {
		return nil, &qredo.ValidationError{Field: "pool", Rule: fmt.Sprintf("must have two connections or more, has %d: see New", n)}
	}
	return opened(ctx, newStore(pool, false), (*base).own)
}

// MaxConcurrency is how many movements can be handed over at once: the number of the pool's connections less two, but at least
// one.
func (s *Store[Tx]) MaxConcurrency() int { return max(1, s.conns()-2) }

// OpenDB is [New] for database/sql, with any PostgreSQL driver.
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

// own checks that the tables are safe for movements, and creates them if need be.
func (s *base) own(ctx context.Context) error {
	if err := pgstore.CheckDurable(ctx, s.db.Query); err != nil {
		return err
	}
	return s.migrate(ctx)
}

// Close closes the store, and the connections that [Open] made. It waits for calls in progress.
func (s *Store[Tx]) Close() error {
	s.db.Close()
	return nil
}
