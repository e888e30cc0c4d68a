package pgstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// connector is a database, reached by pgx or by database/sql.
type connector interface {
	Runner
	// transact runs a transaction in which each statement sees what was committed before it.
	transact(ctx context.Context, do func(execer) error) error
	// conn lends one connection, or returns ErrNoConn. A dedicated one is not shared with others, and closed afterwards.
	conn(ctx context.Context, own bool, use func(*pgx.Conn) error) error
	close()
}

// execer is a transaction in it.
type execer interface {
	Runner
	// exec runs statements without arguments.
	exec(ctx context.Context, statements string) error
}

// ErrNoConn says that the driver is not pgx, or that there is no connection to spare.
var ErrNoConn = errors.New("no connection of pgx")

// pgxRunner runs statements by pgx: in a pool, or in a transaction.
type pgxRunner struct {
	in interface {
		Query(ctx context.Context, statement string, args ...any) (pgx.Rows, error)
		Exec(ctx context.Context, statement string, args ...any) (pgconn.CommandTag, error)
	}
}

// Query runs a statement.
func (p pgxRunner) Query(ctx context.Context, statement string, args []any, read func(Rows) error) error {
	found, err := p.in.Query(ctx, statement, args...)
	if err != nil {
		return err
	}
	defer found.Close()
	return read(found)
}

func (p pgxRunner) exec(ctx context.Context, statements string) error {
	_, err := p.in.Exec(ctx, statements)
	return err
}

type pgxDatabase struct {
	pgxRunner
	pool *pgxpool.Pool
	own  bool
}

func (d pgxDatabase) transact(ctx context.Context, do func(execer) error) error {
	return pgx.BeginTxFunc(ctx, d.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite}, func(tx pgx.Tx) error {
		return do(pgxRunner{tx})
	})
}

func (d pgxDatabase) conn(ctx context.Context, own bool, use func(*pgx.Conn) error) error {
	c, err := d.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	if !own {
		defer c.Release()
		return use(c.Conn())
	}
	conn := c.Hijack()
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return use(conn)
}

func (d pgxDatabase) close() {
	if d.own {
		d.pool.Close()
	}
}

// sqlRunner runs statements by database/sql.
type sqlRunner struct {
	in interface {
		QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error)
		ExecContext(ctx context.Context, statement string, args ...any) (sql.Result, error)
	}
}

// Query runs a statement.
func (q sqlRunner) Query(ctx context.Context, statement string, args []any, read func(Rows) error) error {
	found, err := q.in.QueryContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	err = read(found)
	return errors.Join(err, found.Close())
}

func (q sqlRunner) exec(ctx context.Context, statements string) error {
	_, err := q.in.ExecContext(ctx, statements)
	return err
}

type sqlDatabase struct {
	sqlRunner
	db *sql.DB
}

func (d sqlDatabase) transact(ctx context.Context, do func(execer) error) error {
	tx, err := d.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	if err := do(sqlRunner{tx}); err != nil {
		_ = tx.Rollback() // the earlier error says what is wrong
		return err
	}
	return tx.Commit()
}

func (d sqlDatabase) conn(ctx context.Context, own bool, use func(*pgx.Conn) error) error {
	if own && d.db.Stats().MaxOpenConnections == 1 {
		return ErrNoConn // nobody else would get one
	}
	c, err := d.db.Conn(ctx)
	if err != nil {
		return err
	}
	used := ErrNoConn
	_ = c.Raw(func(raw any) error {
		if c, ok := raw.(interface{ Conn() *pgx.Conn }); ok { // as pgx's package stdlib has it
			used = use(c.Conn())
		}
		if own {
			return driver.ErrBadConn // so that it is closed
		}
		return nil
	})
	_ = c.Close()
	return used
}

func (d sqlDatabase) close() {} // it belongs to the caller
