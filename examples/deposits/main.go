// Command deposits: money arrives, and the program that is to credit it to a customer may die at any moment. A deposit that is credited twice
// is given away; one that is forgotten is the customer's loss.
//
// So fifty customers, each with a wallet of their own, are credited by package inbox with what arrives there: each deposit once.
//
// It starts a sandbox and, as a process of its own, a teller that follows the fund by package inbox. While deposits arrive, the
// teller is killed twice in the middle of a credit, and started again. Then the customers' balances are held against the sandbox's.
//
// With a PostgreSQL database as its argument, the teller credits in the transaction in which the deposit is handed over. The tables are made
// in a schema of their own, and dropped at the end:
//
//	go run ./examples/deposits "host=127.0.0.1 user=postgres dbname=postgres"
//
// Without, it keeps inbox and balances in files: what was handed over may come again after a crash, and is known by its key.
//
// It exits with 0 only if all balances are equal.
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

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/demofund"
	"github.com/qredo-go/qredo/sandbox"
)

const (
	asset     = qredo.AssetCode("BTC-TESTNET")
	approver  = "alice@example.com"
	customers = 50
	deposits  = 200
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	var err error
	switch {
	case isTeller():
		err = tell(ctx)
	case len(os.Args) > 2:
		err = errors.New(`name one PostgreSQL database, such as "host=127.0.0.1 user=postgres dbname=postgres", or none`)
	default:
		database := ""
		if len(os.Args) == 2 {
			database = os.Args[1]
		}
		err = run(ctx, database, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "deposits:", err)
		os.Exit(1) // nothing is left to clean up
	}
}

func run(ctx context.Context, database string, out io.Writer) (err error) {
	folder, err := os.MkdirTemp("", "deposits")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	srv, err := sandbox.Start(sandbox.WithKeyDir(folder))
	if err != nil {
		return err
	}
	defer srv.Close()
	requests := make([]qredo.WalletRequest, customers)
	for i := range requests {
		requests[i] = qredo.WalletRequest{Name: fmt.Sprintf("Customer %d", i+1), Asset: asset}
	}
	fund, err := demofund.New(ctx, srv, "Acme", []string{approver}, requests...)
	if err != nil {
		return err
	}
	e := example{srv: srv, fund: fund, database: database, folder: folder, out: out}
	books, err := openBooks(ctx, database, folder)
	if err != nil {
		return err
	}
	if err := books.make(ctx); err != nil {
		return errors.Join(err, books.close())
	}
	defer func() { err = errors.Join(err, books.drop(context.WithoutCancel(ctx)), books.close()) }()
	if err := e.pay(ctx); err != nil {
		return err
	}
	return e.compare(ctx, books)
}

// example is the world that the teller lives in.
type example struct {
	srv              *sandbox.Server
	fund             *demofund.Fund
	database, folder string
	out              io.Writer
}

// pay has deposits arrive, and somebody move money between two customers, while tellers work. The first two are killed.
// When nothing more will come, it closes the standard input of the current teller.
func (e *example) pay(ctx context.Context) error {
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = reader.Close() }()
	paid := make(chan error, 1)
	go func() { paid <- errors.Join(e.arrive(ctx), writer.Close()) }()
	for lives := 1; ; lives++ {
		teller := e.teller(ctx, lives)
		teller.Stdin = reader
		err := teller.Run()
		killed := (*exec.ExitError)(nil)
		switch {
		case err == nil:
			fmt.Fprintf(e.out, "%d tellers were killed in the middle of a credit; the next has done the rest.\n", lives-1)
			return <-paid
		case !errors.As(err, &killed) || killed.Exited():
			return errors.Join(err, ctx.Err())
		}
	}
}

// arrive pays customers, some of them twice in one transaction on the chain.
func (e *example) arrive(ctx context.Context) error {
	for n := range deposits {
		wallet := e.fund.Wallets[17*n%customers]
		chain := ""
		for range 1 + n%20/19 {
			d, err := e.srv.DepositBy(chain, wallet.Address, qredo.Amount(1000+n))
			if err != nil {
				return err
			}
			chain = d.ChainTxID
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	// One customer pays another, which is not a deposit: both are customers of the same house, which keeps the money.
	from, to := e.fund.Wallets[0], e.fund.Wallets[1]
	if _, err := e.srv.Deposit(from.Address, 50_000); err != nil {
		return err
	}
	made, err := e.srv.Client().Transfers.Create(ctx, e.fund.Company, qredo.TransferRequest{
		WalletID: from.ID, Counterparty: string(to.ID), Reference: "lunch", Expires: qredo.TimeOf(time.Now().Add(time.Hour)),
		Send: qredo.AssetAmount{Asset: asset, Amount: 20_000},
	})
	if err != nil {
		return err
	}
	return e.srv.Approve(approver, string(made.TxID))
}

// teller is a process that knows where the service is, what to follow, where its books are, and whether it is to die.
func (e *example) teller(ctx context.Context, lives int) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	credits := 30 // after which it dies
	if lives > 2 {
		credits = 0
	}
	cmd := exec.CommandContext(ctx, self) //nolint:gosec // this program itself
	cmd.Env = append(os.Environ(),
		"QREDO_API_KEY_FILE="+filepath.Join(e.folder, "apikey"), "QREDO_PRIVATE_KEY_FILE="+filepath.Join(e.folder, "private.pem"),
		"QREDO_BASE_URL="+e.srv.BaseURL(), "TELLER_FOLDER="+e.folder, "TELLER_DATABASE="+e.database,
		"TELLER_COMPANY="+string(e.fund.Company), "TELLER_FUND="+string(e.fund.ID), "TELLER_CREDITS="+strconv.Itoa(credits))
	cmd.Stdout, cmd.Stderr = e.out, os.Stderr
	return cmd
}

// compare compares the customers' balances with their wallets'.
func (e *example) compare(ctx context.Context, books books) error {
	credited, err := books.balances(ctx)
	if err != nil {
		return err
	}
	fund, err := e.srv.Client().Funds.Get(ctx, e.fund.Company, e.fund.ID)
	if err != nil {
		return err
	}
	var total qredo.Amount
	for _, w := range fund.Wallets {
		if credited[w.ID] != w.Balance {
			return fmt.Errorf("%s has %d satoshi by the books and %d by the sandbox", w.Name, int64(credited[w.ID]), int64(w.Balance))
		}
		total += w.Balance
	}
	fmt.Fprintf(e.out, "%d customers have %d satoshi together, by the books and by the sandbox, each to the unit.\n", len(fund.Wallets), int64(total))
	return nil
}
