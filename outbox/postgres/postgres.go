// Package postgres keeps an outbox in PostgreSQL, so that programs on several machines can share it, and you can store a
// payment in your own transaction, together with its booking.
//
//	store, err := postgres.Open(ctx, "postgres://app@db.example.com/bank?sslmode=verify-full")
//	...
//	tx, err := pool.Begin(ctx)
//	...  // book the payment
//	_, err = store.EnqueueTx(ctx, tx, "invoice-17", outbox.Transfer{CompanyID: company, TransferRequest: request})
//	...
//	err = tx.Commit(ctx)
//
// Each program opens the same database and runs a worker. A worker claims entries that nobody else has (FOR UPDATE SKIP LOCKED)
// for the length of its lease. Claims are numbered, and a write under an older number than the latest is refused.
//
// Entries are rows of the table qredo_outbox; those waiting for a worker also have a row in qredo_outbox_work. Both tables are
// in the first schema of the connection's search path. You may query them, but only the outbox may change them.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/qredo-go/qredo/internal/pgstore"
	"github.com/qredo-go/qredo/outbox"
)

// Store is an [outbox.Store] in a PostgreSQL database.
type Store struct {
	db      *pgstore.Database
	clock   func() time.Time
	inject  func(context.Context) map[string]string
	records outbox.Records
	schema  string

	open                        context.Context //nolint:containedctx // ends when the store is closed
	end                         context.CancelFunc
	begins, postpones, releases combiner
	fronts                      fronts
	told                        told
}

// leastConns is the minimum size of a pool, so that workers do not wait for each other's connections.
const leastConns = 16

// Open connects to a database, given as a URL or as keywords ("host=... dbname=..."), and creates the tables or migrates them
// to this version.
//
// It refuses whatever might lose or change payments, and says what that is:
//
//   - a server with synchronous_commit or fsync off, since its crash could lose what was acknowledged. So could a failover to a
//     replica that is behind, which cannot be detected here: use synchronous replication;
//   - a database with an encoding other than UTF8;
//   - tables that do not belong to the current user or to a role that it is a member of, that have triggers, rules, row-level
//     security or child tables, or that are not crash-safe;
//   - a server on another machine if nothing says which TLS you want: set sslmode in the URL or the keywords, or PGSSLMODE. The
//     driver's default would send everything in plain text to a server that asks for it;
//   - a sealing key different from that of the programs before: see [WithSealingKey].
//
// The pool has at least 16 connections, or the number in pool_max_conns.
//
// You may connect through a pooler such as PgBouncer, even one that gives each transaction another connection. Statements are
// then not prepared, and the server does not tell workers about new payments: they find them at their next poll. PgBouncer
// refuses settings in the URL that it does not know, such as search_path: set them for the role (ALTER ROLE ... SET), or
// configure PgBouncer to ignore them.
func Open(ctx context.Context, database string, opts ...Option) (*Store, error) {
	pool, err := connect(ctx, database)
	if err != nil {
		return nil, err
	}
	return open(ctx, pgstore.Pgx(pool, true, outbox.ErrClosed), (*Store).own, opts)
}

// OpenReadOnly connects to a database as [Open] does, but only to read: it creates and changes nothing, and needs only SELECT
// on the tables. Methods that change something return [outbox.ErrReadOnly]. It returns an error if there is no outbox, or one
// of another version. It does not check whether others could change the tables.
func OpenReadOnly(ctx context.Context, database string, opts ...Option) (outbox.Store, error) {
	pool, err := connect(ctx, database)
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, pgstore.Pgx(pool, true, outbox.ErrClosed), (*Store).look, opts)
	if err != nil {
		return nil, err
	}
	return outbox.ReadOnly(s), nil
}

// connect returns a pool for a database that is named by a URL or by keywords.
func connect(ctx context.Context, database string) (*pgxpool.Pool, error) {
	pool, err := pgstore.Connect(ctx, database, leastConns, false)
	if err != nil {
		return nil, fmt.Errorf("outbox: %w", err)
	}
	return pool, nil
}

// New returns a store in the database of a pool, which you close yourself, after the store. It creates the tables and refuses
// what [Open] refuses, except for the kind of connection. A worker takes one connection of its own from the pool, in addition
// to the pool's size.
func New(ctx context.Context, pool *pgxpool.Pool, opts ...Option) (*Store, error) {
	if pool == nil {
		return nil, check(false, "pool", "must not be nil")
	}
	return open(ctx, pgstore.Pgx(pool, false, outbox.ErrClosed), (*Store).own, opts)
}

// OpenDB is [New] for database/sql, with any PostgreSQL driver. The server tells workers about new payments only with package
// stdlib of pgx, and only if more than one connection may be open; otherwise they find them at their next poll.
func OpenDB(ctx context.Context, db *sql.DB, opts ...Option) (*Store, error) {
	if db == nil {
		return nil, check(false, "db", "must not be nil")
	}
	return open(ctx, pgstore.SQL(db, outbox.ErrClosed), (*Store).own, opts)
}

func open(ctx context.Context, db *pgstore.Database, begin func(*Store, context.Context) error, opts []Option) (*Store, error) {
	s := &Store{db: db, clock: time.Now, records: outbox.NewRecords(nil)}
	s.open, s.end = context.WithCancel(context.WithoutCancel(ctx))
	for c, statement := range map[*combiner]string{&s.begins: beginStatement, &s.postpones: postponeStatement, &s.releases: releaseStatement} {
		c.calls, c.apply = &s.db.Calls, s.batch(statement)
	}
	if err := s.prepare(ctx, begin, opts); err != nil {
		return nil, errors.Join(fmt.Errorf("outbox: %w", err), s.Close())
	}
	return s, nil
}

func (s *Store) prepare(ctx context.Context, begin func(*Store, context.Context) error, opts []Option) error {
	for _, opt := range opts {
		if opt == nil {
			return check(false, "option", "must not be nil")
		}
		if err := opt(s); err != nil {
			return err
		}
	}
	if err := s.db.FindPooler(ctx); err != nil {
		return err
	}
	if err := s.findSchema(ctx); err != nil {
		return err
	}
	return begin(s, ctx)
}

// own checks that the tables are safe for payments, and creates them if need be.
func (s *Store) own(ctx context.Context) error {
	if err := s.checkDurable(ctx); err != nil {
		return err
	}
	return s.migrate(ctx)
}

// Close closes the store, and the connections that [Open] made. It waits for calls in progress.
func (s *Store) Close() error {
	s.end()
	s.db.Close()
	return nil
}

const (
	// wrongClock is how far ahead of our own clock a lease may start.
	wrongClock = time.Minute
	// late is how long before now a payment may be due when it is first seen.
	late = time.Second
)
