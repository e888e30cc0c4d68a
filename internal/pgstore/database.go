package pgstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/puddle/v2"

	"github.com/qredo-go/qredo/internal/backoff"
)

// Runner runs statements: a database, or a transaction in one.
type Runner interface {
	// Query runs one statement, and has read read its rows.
	Query(ctx context.Context, statement string, args []any, read func(Rows) error) error
}

// Database runs the statements of a store, in which names of tables are replaced. Its calls are the store's.
type Database struct {
	Calls
	driver connector
	closed error // of calls after the end
	names  *strings.Replacer

	pgx        bool        // the driver is pgx
	pooled     bool        // there is a pooler in between
	unprepared atomic.Bool // statements are not prepared
}

// Pgx returns the database of a pool, which it closes if it is its own. closed is the error of calls after the store was closed.
func Pgx(pool *pgxpool.Pool, own bool, closed error) *Database {
	return newDatabase(pgxDatabase{pgxRunner{pool}, pool, own}, closed)
}

// SQL returns a database of database/sql, which stays the caller's.
func SQL(db *sql.DB, closed error) *Database {
	return newDatabase(sqlDatabase{sqlRunner{db}, db}, closed)
}

func newDatabase(d connector, closed error) *Database {
	return &Database{driver: d, closed: closed, names: strings.NewReplacer()}
}

// Name gives what stands in statements for tables their names.
func (d *Database) Name(names *strings.Replacer) { d.names = names }

// Named is a statement with the tables' names.
func (d *Database) Named(statement string) string { return d.names.Replace(statement) }

// Query runs a statement on its own, and again where the server has undone it.
func (d *Database) Query(ctx context.Context, statement string, args []any, read func(Rows) error) error {
	return d.Call(ctx, func() error { return d.driver.Query(ctx, d.Named(statement), d.args(args), read) })
}

// Transact runs a transaction, each statement of which sees what was committed before it.
func (d *Database) Transact(ctx context.Context, do func(Tx) error) error {
	return d.driver.transact(ctx, func(in execer) error { return do(Tx{d, in}) })
}

// tries limits how many times something is tried that the server has rolled back because of concurrent transactions.
const tries = 12

// Call does something, and again where the server has undone it, or has shown that statements cannot be prepared. It is an error if
// the store is closed.
func (d *Database) Call(ctx context.Context, do func() error) error {
	if !d.Enter() {
		return d.closed
	}
	defer d.Leave()
	pauses := backoff.Range{Min: 2 * time.Millisecond, Max: 200 * time.Millisecond}
	for try := 1; ; try++ {
		plain := d.unprepared.Load()
		err := do()
		switch {
		case Undone(err) && try < tries && backoff.Wait(ctx, backoff.Below(pauses.After(try))) == nil:
		case unprepared(err) && d.pgx && !plain:
			d.unprepared.Store(true)
		default:
			return d.Known(err)
		}
	}
}

// Known makes the store's own error of those that drivers return when a pool is closed.
func (d *Database) Known(err error) error {
	if errors.Is(err, puddle.ErrClosedPool) || err != nil && err.Error() == "sql: database is closed" {
		return d.closed
	}
	return err
}

// args are the arguments of a statement, and how to send it.
func (d *Database) args(args []any) []any {
	if d.unprepared.Load() {
		return append([]any{pgx.QueryExecModeExec}, args...)
	}
	return args
}

// Conn lends one connection, or returns ErrNoConn. One of its own is not among those that others use, and closed afterwards.
func (d *Database) Conn(ctx context.Context, own bool, use func(*pgx.Conn) error) error {
	return d.driver.conn(ctx, own, use)
}

// FindPooler detects whether the server is reached through a pooler such as PgBouncer: then its process differs from the
// one that the connection was told of. With a pooler, prepared statements may be missing or exist already, and LISTEN
// does not work.
func (d *Database) FindPooler(ctx context.Context) error {
	err := d.Conn(ctx, false, func(c *pgx.Conn) error {
		var process uint32
		err := c.QueryRow(ctx, `SELECT pg_backend_pid()`, pgx.QueryExecModeExec).Scan(&process)
		d.pgx, d.pooled = true, process != c.PgConn().PID()
		return err
	})
	d.unprepared.Store(d.pooled)
	if errors.Is(err, ErrNoConn) {
		return nil
	}
	return err
}

// Pooled reports whether there is a pooler between.
func (d *Database) Pooled() bool { return d.pooled }

// Listens reports whether notifications come.
func (d *Database) Listens() bool { return d.pgx && !d.pooled }

// OverlookPooler has it not know that there is a pooler, for tests.
func (d *Database) OverlookPooler() { d.unprepared.Store(false) }

// Close waits for calls that are under way, and closes the pool if it is its own.
func (d *Database) Close() {
	d.End()
	d.driver.close()
}

// Tx is a transaction in a database, whose statements are as the database's.
type Tx struct {
	d  *Database
	in execer
}

// PgxTx is a transaction of the caller's.
func (d *Database) PgxTx(tx pgx.Tx) Tx { return Tx{d, pgxRunner{tx}} }

// SQLTx is a transaction of the caller's.
func (d *Database) SQLTx(tx *sql.Tx) Tx { return Tx{d, sqlRunner{tx}} }

// Query runs a statement.
func (t Tx) Query(ctx context.Context, statement string, args []any, read func(Rows) error) error {
	_, viaSQL := t.in.(sqlRunner)
	if _, ours := t.d.driver.(sqlDatabase); viaSQL == ours { // otherwise the drivers may differ
		args = t.d.args(args)
	}
	err := t.in.Query(ctx, t.d.Named(statement), args, read)
	if unprepared(err) {
		t.d.unprepared.Store(t.d.pgx) // this transaction is lost; the next one is not
	}
	return err
}

// Exec runs statements without arguments.
func (t Tx) Exec(ctx context.Context, statements string) error {
	return t.in.exec(ctx, t.d.Named(statements))
}

// State returns the SQLSTATE of an error, or nothing. Drivers give it by a method.
func State(err error) string {
	var e interface{ SQLState() string }
	if errors.As(err, &e) {
		return e.SQLState()
	}
	return ""
}

// Undone reports whether the server has rolled back a statement because of concurrent ones.
func Undone(err error) bool {
	state := State(err)
	return state == "40001" || state == "40P01" // a serialization failure, a deadlock
}

// unprepared reports whether a prepared statement already existed, or did not exist: a pooler gave its connection to
// others.
func unprepared(err error) bool {
	state := State(err)
	return state == "42P05" || state == "26000"
}
