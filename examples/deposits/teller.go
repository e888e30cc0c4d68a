package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/inbox/postgres"
)

func isTeller() bool { return os.Getenv("TELLER_COMPANY") != "" }

// tell is the teller: it credits customers with what arrives in their wallets, until nothing more will come.
func tell(ctx context.Context) error {
	client, err := qredo.ClientFromEnv()
	if err != nil {
		return err
	}
	credits, err := strconv.Atoi(os.Getenv("TELLER_CREDITS"))
	if err != nil {
		return err
	}
	books, err := openBooks(ctx, os.Getenv("TELLER_DATABASE"), os.Getenv("TELLER_FOLDER"))
	if err != nil {
		return err
	}
	defer func() { _ = books.close() }() // in any case, what was credited is on the disk
	ctx, done := context.WithCancel(ctx)
	defer done()
	t := &teller{done: done}
	t.left.Store(int64(credits))
	return books.follow(ctx, client, t)
}

// teller counts what it credits.
type teller struct {
	left atomic.Int64 // credits left until it dies; never if it started with 0
	done func()
}

var options = []inbox.Option{
	inbox.FromStart(), inbox.WithPolling(10*time.Millisecond, 100*time.Millisecond), inbox.WithLease(time.Second),
	inbox.WithFunds(qredo.CompanyID(os.Getenv("TELLER_COMPANY")), qredo.FundID(os.Getenv("TELLER_FUND"))),
}

// credited is called in the middle of a credit, when this teller may die: at once, as from a power cut.
func (t *teller) credited() error {
	if t.left.Add(-1) != 0 {
		return nil
	}
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		return err
	}
	select {} // until the kill arrives
}

// end ends the teller when nothing more will come, and the movements that were handed over to this and earlier tellers
// add up to the wallets' balances.
func (t *teller) end(ctx context.Context, check func(context.Context) (*inbox.Report, error)) {
	defer t.done()
	_, _ = io.Copy(io.Discard, os.Stdin)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		if report, err := check(ctx); err == nil && len(report.Wrong()) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}

// books are the customers' balances.
type books interface {
	make(ctx context.Context) error
	drop(ctx context.Context) error
	// follow credits until ctx ends.
	follow(ctx context.Context, client *qredo.Client, t *teller) error
	balances(ctx context.Context) (map[qredo.WalletID]qredo.Amount, error)
	close() error
}

func openBooks(ctx context.Context, database, folder string) (books, error) {
	if database == "" {
		return fileBooks{folder}, nil
	}
	config, err := pgxpool.ParseConfig(database)
	if err != nil {
		return nil, errors.New("the database's URL or keywords cannot be parsed (they are not repeated here, because they may contain a password)")
	}
	config.ConnConfig.RuntimeParams["search_path"] = schema
	pool, err := pgxpool.NewWithConfig(ctx, config)
	return databaseBooks{pool}, err
}

const schema = "qredo_deposits_example"

// databaseBooks credit in the transaction in which a movement is handed over: either both are stored, or neither.
type databaseBooks struct{ pool *pgxpool.Pool }

func (b databaseBooks) make(ctx context.Context) error {
	_, err := b.pool.Exec(ctx, `
		DROP SCHEMA IF EXISTS `+schema+` CASCADE;
		CREATE SCHEMA `+schema+`;
		CREATE TABLE credits (number bigint GENERATED ALWAYS AS IDENTITY, wallet text NOT NULL, amount bigint NOT NULL)`)
	return err
}

func (b databaseBooks) follow(ctx context.Context, client *qredo.Client, t *teller) (err error) {
	store, err := postgres.New(ctx, b.pool)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	in, err := inbox.New(client, store, options...)
	if err != nil {
		return err
	}
	go t.end(ctx, in.Check)
	return in.Run(ctx, func(ctx context.Context, tx pgx.Tx, m inbox.Movement) error {
		if _, err := tx.Exec(ctx, `INSERT INTO credits (wallet, amount) VALUES ($1, $2)`, string(m.Wallet), int64(m.Amount)); err != nil {
			return err
		}
		return t.credited()
	})
}

func (b databaseBooks) balances(ctx context.Context) (map[qredo.WalletID]qredo.Amount, error) {
	found, err := b.pool.Query(ctx, `SELECT wallet, sum(amount)::bigint FROM credits GROUP BY wallet`)
	if err != nil {
		return nil, err
	}
	has := map[qredo.WalletID]qredo.Amount{}
	var wallet string
	var amount int64
	_, err = pgx.ForEachRow(found, []any{&wallet, &amount}, func() error { has[qredo.WalletID(wallet)] = qredo.Amount(amount); return nil })
	return has, err
}

func (b databaseBooks) drop(ctx context.Context) error {
	_, err := b.pool.Exec(ctx, `DROP SCHEMA IF EXISTS `+schema+` CASCADE`)
	return err
}

func (b databaseBooks) close() error { b.pool.Close(); return nil }
