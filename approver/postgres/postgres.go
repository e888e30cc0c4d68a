// Package postgres lets several approvers work as one: replicas, of which another goes on when one dies. They
// share decisions, limits and who handles what in a PostgreSQL database:
//
//	store, err := postgres.Open(ctx, "postgres://approver@db.example.com/bank?sslmode=verify-full")
//	…
//	a, err := approver.New(client, coreClientID, rules,
//		approver.WithStore(store), approver.WithCoordinator(store), approver.WithAuditLog(log), …)
//
// What holds, whenever a replica or the server dies, is paused or cut off:
//
//   - An action is decided once. The decision and what it spends are stored in one transaction, and only if the action has
//     no decision; whoever comes later, as a replica that was paused does, carries out the one that stands.
//   - Limits hold for all replicas together, since that transaction locks their counters and checks them. Windows roll by the clock of the
//     server, so that the replicas' clocks need not agree. It takes the same time however many payments a window holds.
//   - One replica handles an action at a time, by a lease in the database. When it dies another takes over once the
//     lease has ended. The lease saves work; what is above holds without it too.
//
// The tables qredo_approver, qredo_approver_decision, qredo_approver_spent and qredo_approver_claim are in the first schema of
// the connection's search path. Approvers that share them share limits; give others a schema of their own. Only approvers may change
// them, and nobody else should be able to: use a role of their own.
//
// # Memory that is lost
//
// The tables have an epoch, drawn when they are made, and the transaction that stores a decision checks it. When it is gone or another
// (the tables were emptied, or made anew), the error is an [*approver.LostError], [approver.Approver.Run] ends, and no replica
// approves anything, also after a restart, until a person runs qredo agent accept-loss. A database that was put back to an earlier
// state, by a backup or by a failover to a server that lagged, has the epoch of then, and smaller numbers of decisions than the audit
// logs, and the programs that run, have seen: that is the same error. Use synchronous replication, if any.
package postgres

import (
	"context"
	"crypto/rand"
	_ "embed" // for the tables
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/pgstore"
)

// Store is an [approver.Store] and an [approver.Coordinator] in a PostgreSQL database.
type Store struct {
	pool     *pgxpool.Pool
	names    *strings.Replacer // gives tables in statements their names
	lease    time.Duration
	now      func() time.Time // nil for the clock of the server
	accepted bool             // a loss was
	epoch    string

	tidyLock   int64 // of who drops what is not needed any more
	spentGone  atomic.Int64
	recordGone atomic.Int64
}

// Option changes how a [Store] works.
type Option func(*Store) error

// WithLease sets for how long a replica has an action without a sign of life. Default: 10 s. That
// is how long it takes until another goes on after a replica has died.
func WithLease(d time.Duration) Option {
	return func(s *Store) error {
		s.lease = d
		return check(d >= 10*time.Millisecond, "lease", "must be at least 10ms, is %s", d)
	}
}

// WithClock makes windows roll by the caller's clock. Default: that of the server. It is for
// tests: with several replicas their clocks would have to agree.
func WithClock(now func() time.Time) Option {
	return func(s *Store) error { s.now = now; return check(now != nil, "clock", "must not be nil") }
}

// WithLossAccepted gives the store another epoch if its own is gone: a person has accepted that limits begin anew. Audit logs
// must be told too: see [approver.AcceptLoss].
func WithLossAccepted() Option {
	return func(s *Store) error { s.accepted = true; return nil }
}

// check returns a [*qredo.ValidationError] unless something is as it must be.
func check(ok bool, field, rule string, args ...any) error {
	if ok {
		return nil
	}
	return &qredo.ValidationError{Field: field, Rule: fmt.Sprintf(rule, args...)}
}

// Open connects to a database, named as a URL or by keywords ("host=… dbname=…"), and makes the tables if there are none. A
// wrong option is a [*qredo.ValidationError].
//
// It refuses what might lose or change what limits have counted, and says what:
//   - a server whose synchronous_commit or fsync is off, or that only reads, such as a standby;
//   - tables that do not belong to the current user or a role that it is a member of, that have triggers, rules, row-level
//     security or heirs, or that are not kept in a crash;
//   - tables without an epoch: an [*approver.LostError];
//   - another machine than this one where nothing says which TLS is wanted: give sslmode in the URL or the keywords, or
//     PGSSLMODE.
//
// The pool has 8 connections or more, or as many as pool_max_conns says. A pooler such as PgBouncer may be between: no statement
// is prepared unless default_query_exec_mode says so.
func Open(ctx context.Context, database string, opts ...Option) (*Store, error) {
	s := &Store{lease: 10 * time.Second}
	for _, opt := range opts {
		if opt == nil {
			return nil, check(false, "option", "must not be nil")
		}
		if err := opt(s); err != nil {
			return nil, err
		}
	}
	const leastConns = 8
	var err error
	if s.pool, err = pgstore.Connect(ctx, database, leastConns, true); err != nil {
		return nil, fmt.Errorf("approver: postgres: %w", err)
	}
	if err := s.prepare(ctx); err != nil {
		s.pool.Close()
		return nil, fmt.Errorf("approver: postgres: %w", err)
	}
	return s, nil
}

// Close closes the connections. It waits for calls that are under way.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

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

// tables are the names of the tables, by what statements call them.
var tables = map[string]string{
	"epoch": "qredo_approver", "decisions": "qredo_approver_decision", "spent": "qredo_approver_spent", "claims": "qredo_approver_claim",
}

//go:embed tables.sql
var makeTables string

// numberDecisions is how version 2 of the tables differs from version 1.
const numberDecisions = `
	ALTER TABLE {decisions} ADD COLUMN seq bigint GENERATED ALWAYS AS IDENTITY;
	CREATE UNIQUE INDEX qredo_approver_decision_seq ON {decisions} (seq);
	UPDATE {epoch} SET version = 2`

const (
	version = 2
	// makeLock keeps programs that start together from making the tables together.
	makeLock = 0x61707072 // any number of our own
)

// begin makes the tables with an epoch, or reads the epoch of those that are there.
func (s *Store) begin(ctx context.Context, tx pgx.Tx, schema string) error {
	if _, err := tx.Exec(ctx, fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d)`, makeLock)); err != nil {
		return err
	}
	names := make([]string, 0, len(tables))
	for _, table := range tables {
		names = append(names, table)
	}
	there := func() (int, error) {
		return pgstore.CheckTables(ctx, queryIn(tx), schema, names, nil, "limits could be let pass there, or be forgotten")
	}
	found, err := there()
	if err == nil && found == 0 {
		if _, err = tx.Exec(ctx, s.names.Replace(makeTables)); err == nil {
			err = s.draw(ctx, tx)
		}
		if err == nil {
			found, err = there()
		}
	}
	switch {
	case err != nil:
		return err
	case found < len(tables):
		return fmt.Errorf("schema %s has only %d of the approver's %d tables", schema, found, len(tables))
	}
	of := 0
	switch err := tx.QueryRow(ctx, s.names.Replace(`SELECT version, epoch FROM {epoch}`)).Scan(&of, &s.epoch); {
	case errors.Is(err, pgx.ErrNoRows) && s.accepted:
		return s.draw(ctx, tx)
	case errors.Is(err, pgx.ErrNoRows):
		return &approver.LostError{}
	case err != nil:
		return err
	case of > version:
		return fmt.Errorf("the tables have version %d, this program knows %d: it is too old", of, version)
	case of < version:
		_, err = tx.Exec(ctx, s.names.Replace(numberDecisions))
		return err
	}
	return nil
}

// draw gives the tables an epoch.
func (s *Store) draw(ctx context.Context, tx pgx.Tx) error {
	s.epoch = rand.Text()
	_, err := tx.Exec(ctx, s.names.Replace(`INSERT INTO {epoch} (version, epoch) VALUES ($1::int, $2::text)`), version, s.epoch)
	return err
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
