// Command payouts: a program debits its customer and has a payment made. If it dies between the two, the customer has paid and nobody was paid, or
// the other way round.
//
// So payouts are booked and enqueued in one transaction of PostgreSQL: both are there, or neither.
//
// It starts a sandbox and, as a process of its own, a teller that debits customers in PostgreSQL and enqueues the payments in
// the same transactions. The teller is killed after its first statement and started again, killed after its second, and so
// on, until it has nothing left to do. Then the customers' books are held against the sandbox's.
//
// The database is named by the first argument, as a URL or by keywords; the tables are made in a schema of its own, and
// dropped at the end:
//
//	go run ./examples/payouts "host=127.0.0.1 user=postgres dbname=postgres"
//
// It exits with 0 only if the books are equal.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/demofund"
	"github.com/qredo-go/qredo/sandbox"
)

const (
	asset    = qredo.AssetCode("BTC-TESTNET")
	approver = "alice@example.com"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	var err error
	switch {
	case isTeller():
		err = tell(ctx)
	case len(os.Args) != 2:
		err = errors.New(`name a PostgreSQL database, such as "host=127.0.0.1 user=postgres dbname=postgres"`)
	default:
		err = run(ctx, os.Args[1], os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "payouts:", err)
		os.Exit(1) // nothing is left to clean up
	}
}

const schema = "qredo_payouts_example"

func run(ctx context.Context, database string, out io.Writer) (err error) {
	folder, err := os.MkdirTemp("", "payouts")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	srv, err := sandbox.Start(sandbox.WithKeyDir(folder))
	if err != nil {
		return err
	}
	defer srv.Close()
	config, err := pgxpool.ParseConfig(database)
	if err != nil {
		return errors.New("the database's URL or keywords cannot be parsed (they are not repeated here, because they may contain a password)")
	}
	config.ConnConfig.RuntimeParams["search_path"] = schema
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	defer pool.Close()
	e := example{srv: srv, pool: pool, database: database, folder: folder, out: out}
	defer func() {
		_, dropped := pool.Exec(context.WithoutCancel(ctx), `DROP SCHEMA IF EXISTS `+schema+` CASCADE`)
		err = errors.Join(err, dropped)
	}()
	for _, step := range []func(context.Context) error{e.openBank, e.openBooks, e.killAndPay, e.compare} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// example is the world that the teller lives in.
type example struct {
	srv              *sandbox.Server
	pool             *pgxpool.Pool
	database, folder string
	out              io.Writer
	company          qredo.CompanyID
	from, to         qredo.Wallet
}

// openBank makes a company with two wallets, one of them with money.
func (e *example) openBank(ctx context.Context) error {
	fund, err := demofund.New(ctx, e.srv, "Acme", []string{approver},
		qredo.WalletRequest{Name: "Treasury", Asset: asset}, qredo.WalletRequest{Name: "Customers' bank", Asset: asset})
	if err != nil {
		return err
	}
	e.company, e.from, e.to = fund.Company, fund.Wallets[0], fund.Wallets[1]
	_, err = e.srv.Deposit(e.from.Address, 1_000_000)
	return err
}

// openBooks makes the tables with the customers' money.
func (e *example) openBooks(ctx context.Context) error {
	_, err := e.pool.Exec(ctx, `
		DROP SCHEMA IF EXISTS `+schema+` CASCADE;
		CREATE SCHEMA `+schema+`;
		CREATE TABLE customers (name text PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0));
		CREATE TABLE payouts (number text PRIMARY KEY, customer text NOT NULL REFERENCES customers, amount bigint NOT NULL, state text NOT NULL DEFAULT 'booked');
		INSERT INTO customers VALUES ('ann', `+strconv.Itoa(opening)+`), ('ben', `+strconv.Itoa(opening)+`)`)
	return err
}

// killAndPay starts tellers that each survive one more statement than the last, until one has done everything. Somebody
// approves what they have sent.
func (e *example) killAndPay(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	approved := make(chan error, 1)
	go func() { approved <- e.approveAll(ctx) }()
	for lives := 1; ; lives++ {
		err := e.teller(ctx, lives).Run()
		killed := (*exec.ExitError)(nil)
		switch {
		case err == nil:
			fmt.Fprintf(e.out, "%d tellers were killed, each after one more statement; the next has done all.\n", lives-1)
			stop()
			return <-approved
		case !errors.As(err, &killed) || killed.Exited():
			return errors.Join(err, ctx.Err())
		}
	}
}

// teller is a process that knows where the service is, what pays whom, the database, and how long it lives.
func (e *example) teller(ctx context.Context, lives int) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	cmd := exec.CommandContext(ctx, self) //nolint:gosec // this program itself
	cmd.Env = append(os.Environ(),
		"QREDO_API_KEY_FILE="+filepath.Join(e.folder, "apikey"), "QREDO_PRIVATE_KEY_FILE="+filepath.Join(e.folder, "private.pem"),
		"QREDO_BASE_URL="+e.srv.BaseURL(), "PGOPTIONS=-csearch_path="+schema, "TELLER_DATABASE="+e.database,
		"TELLER_COMPANY="+string(e.company), "TELLER_FROM="+string(e.from.ID), "TELLER_TO="+string(e.to.ID), "TELLER_LIVES="+strconv.Itoa(lives))
	cmd.Stdout, cmd.Stderr = e.out, os.Stderr
	return cmd
}

// approveAll approves everything until ctx ends.
func (e *example) approveAll(ctx context.Context) error {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		pending, err := e.srv.Pending(approver)
		for _, p := range pending {
			err = errors.Join(err, e.srv.Approve(approver, string(p.ActionID)))
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// compare compares the customers' books with the sandbox's.
func (e *example) compare(ctx context.Context) error {
	var balances, paid, refused int64
	err := e.pool.QueryRow(ctx, `SELECT (SELECT sum(balance) FROM customers),
		(SELECT sum(amount) FROM payouts WHERE state = 'done'), (SELECT count(*) FROM payouts WHERE state = 'refused')`).Scan(&balances, &paid, &refused)
	if err != nil {
		return err
	}
	wallet, err := e.srv.Client().Wallets.Get(ctx, e.to.ID)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.out, "Customers were paid %d satoshi by the books, %d by the sandbox, and have %d left. %d payout was refused for want of money.\n",
		paid, int64(wallet.Balance), balances, refused)
	if int64(wallet.Balance) != paid || balances+paid != 2*opening || refused != 1 {
		return errors.New("the books are not equal")
	}
	return nil
}
