// Package postgres lets several approvers work as one: replicas that take over from each other when one dies. They share
// decisions, limits and the handling of actions through a PostgreSQL database:
//
//	store, err := postgres.Open(ctx, "postgres://approver@db.example.com/bank?sslmode=verify-full")
//	…
//	a, err := approver.New(client, coreClientID, rules,
//		approver.WithStore(store), approver.WithCoordinator(store), approver.WithAuditLog(log), …)
//
// What is guaranteed, even if a replica or the server dies, is paused or cut off:
//
//   - An action is decided once. The decision and what it spends are stored in one transaction, and only if the action has no
//     decision yet; a replica that comes later, for example after a pause, carries out the stored decision.
//   - Limits hold for all replicas together, since that transaction locks their counters and checks them. Windows roll by the
//     clock of the server, so the replicas' clocks need not agree. It takes the same time however many payments a window holds.
//   - One replica handles an action at a time, by a lease in the database. When it dies, another takes over once the lease has
//     ended. The lease only saves work; the guarantees above hold without it.
//
// The tables qredo_approver, qredo_approver_decision, qredo_approver_spent and qredo_approver_claim are in the first schema of
// the connection's search path. Approvers that share them share limits; give others their own schema. Only approvers may change
// the tables, and nobody else should be able to: give them a role of their own.
//
// Give all replicas the same sealing key ([WithSealingKey]): then what somebody else writes to the tables is refused.
//
// # Lost data
//
// The tables have an epoch, drawn at random when they are created, and the transaction that stores a decision checks it. If the
// epoch is missing or different (the tables were emptied or recreated), the error is an [*approver.LostError],
// [approver.Approver.Run] ends, and no replica approves anything, even after a restart, until a person runs qredo agent
// accept-loss. A database restored to an earlier state, from a backup or by a failover to a server that lagged, still has the
// same epoch, but its decision numbers are lower than those that the audit logs and running programs have seen: that is the
// same error. If you use replication, make it synchronous.
package postgres

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver/internal/seals"
	"github.com/qredo-go/qredo/internal/pgstore"
)

// Store is an [approver.Store] and an [approver.Coordinator] in a PostgreSQL database.
type Store struct {
	pool     *pgxpool.Pool
	end      func()            // closes the pool, if it is the store's own
	names    *strings.Replacer // gives tables in statements their names
	lease    time.Duration
	now      func() time.Time // nil for the clock of the server
	accepted bool             // a loss was
	unsealed bool             // so was a store without seals
	epoch    string
	seals    seals.Seals

	tidyLock   int64 // of who drops what is not needed any more
	spentGone  atomic.Int64
	recordGone atomic.Int64
}

// check returns a [*qredo.ValidationError] unless something is as it must be.
func check(ok bool, field, rule string, args ...any) error {
	if ok {
		return nil
	}
	return &qredo.ValidationError{Field: field, Rule: fmt.Sprintf(rule, args...)}
}

// Open connects to a database, given as a URL or as keywords ("host=… dbname=…"), and creates the tables if there are none. A
// wrong option is a [*qredo.ValidationError].
//
// It refuses whatever might lose or change what limits have counted, and says what that is:
//
//   - a server with synchronous_commit or fsync off, or a read-only one, such as a standby;
//   - tables that do not belong to the current user or to a role that it is a member of, that have triggers, rules, row-level
//     security or child tables, or that are not crash-safe;
//   - tables without an epoch: an [*approver.LostError];
//   - tables without seals or with those of another key, if there is a sealing key, and sealed ones if there is none;
//   - a server on another machine if nothing says which TLS you want: set sslmode in the URL or the keywords, or PGSSLMODE.
//
// The pool has at least 8 connections, or the number in pool_max_conns. You may connect through a pooler such as PgBouncer: no
// statement is prepared unless default_query_exec_mode says so.
func Open(ctx context.Context, database string, opts ...Option) (*Store, error) {
	s, err := with(opts)
	if err != nil {
		return nil, err
	}
	const leastConns = 8
	if s.pool, err = pgstore.Connect(ctx, database, leastConns, true); err != nil {
		return nil, fmt.Errorf("approver: postgres: %w", err)
	}
	s.end = s.pool.Close
	return s.opened(ctx)
}

// New returns a store in the database of a pool, which stays the caller's to close, after the store. It makes the tables and
// refuses what [Open] refuses, but for the kind of connection. Each action that is being decided needs a connection for a moment, several
// times: a pool of 8 or more serves a replica.
func New(ctx context.Context, pool *pgxpool.Pool, opts ...Option) (*Store, error) {
	if pool == nil {
		return nil, check(false, "pool", "must not be nil")
	}
	s, err := with(opts)
	if err != nil {
		return nil, err
	}
	s.pool, s.end = pool, func() {}
	return s.opened(ctx)
}

// with makes a store without a database.
func with(opts []Option) (*Store, error) {
	s := &Store{lease: 10 * time.Second}
	for _, opt := range opts {
		if opt == nil {
			return nil, check(false, "option", "must not be nil")
		}
		if err := opt(s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// opened makes sure that the tables are there, and can be trusted.
func (s *Store) opened(ctx context.Context) (*Store, error) {
	if err := s.prepare(ctx); err != nil {
		s.end()
		return nil, fmt.Errorf("approver: postgres: %w", err)
	}
	return s, nil
}

// Close closes the connections that [Open] made, when the calls that are under way have ended. A pool that was given to [New] is left as it is.
func (s *Store) Close() error {
	s.end()
	return nil
}

// Sealed reports whether the store has a sealing key, so that it returns only decisions that a program with the key has stored.
func (s *Store) Sealed() bool { return s.seals.On() }

// Epoch implements [approver.Store].
func (s *Store) Epoch() string { return s.epoch }

func (s *Store) prepare(ctx context.Context) error {
	if err := pgstore.CheckDurable(ctx, queryIn(s.pool)); err != nil {
		return err
	}
	schema, err := pgstore.Schema(ctx, queryIn(s.pool))
	if err != nil {
		return err
	}
	var replace []string
	for name, table := range tables {
		replace = append(replace, "{"+name+"}", pgstore.Quoted(schema, table))
	}
	s.names, s.tidyLock = strings.NewReplacer(replace...), lockOf("tidy", schema)
	return s.transact(ctx, func(tx pgx.Tx) error { return s.begin(ctx, tx, schema) })
}

// queries is a pool, or a transaction.
type queries interface {
	Query(ctx context.Context, statement string, args ...any) (pgx.Rows, error)
}

func queryIn(in queries) pgstore.Query {
	return func(ctx context.Context, statement string, args []any, read func(pgstore.Rows) error) error {
		found, err := in.Query(ctx, statement, args...)
		if err != nil {
			return err
		}
		defer found.Close()
		return read(found)
	}
}

// transact runs a transaction, each statement of which sees what was committed before it.
func (s *Store) transact(ctx context.Context, do func(pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite}, do)
}
