// Command exchange: customers pay in and out all day, while programs, connections and people fail. A deposit must be credited once, a withdrawal paid
// once and only from what the customer has, nobody must be able to have a payment approved that the books do not know, and whether all of this holds
// must be known every minute, not at the end of the year.
//
// So this is the back end of an exchange as it would be in production: setup.go makes company, fund and approver where they are missing; service.go opens
// accounts, credits what package inbox hands over, and books a withdrawal and its payment in one transaction; approval.go approves what the books
// have; metrics.go counts, and reconciles books and wallets. This file is not of it: it starts a sandbox, plays customers, chain and a compliance officer
// for it, loses a tenth of all answers, stops the service in the middle and starts another, and exits with 0 only if all is right at the end.
//
// The database is named by the first argument, as a URL or by keywords; the tables are made in a schema of its own, and dropped at the
// end. Without PostgreSQL there is no transaction that is the program's and the outbox's:
//
//	go run ./examples/exchange "host=127.0.0.1 user=postgres dbname=postgres"
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

const (
	officer = "alice@example.com"
	payee   = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
	payouts = 20
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	err := errors.New(`name a PostgreSQL database, such as "host=127.0.0.1 user=postgres dbname=postgres"`)
	if len(os.Args) == 2 {
		err = run(ctx, os.Args[1], os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "exchange:", err)
		os.Exit(1) // nothing is left to clean up
	}
}

// day is a day of the exchange.
type day struct {
	srv  *sandbox.Server
	open func(context.Context) (*Service, error)
	out  io.Writer
}

func run(ctx context.Context, database string, out io.Writer) (err error) {
	srv, err := sandbox.Start()
	if err != nil {
		return err
	}
	defer srv.Close()
	if _, err := srv.CreateUser(sandbox.User{Email: officer}); err != nil {
		return err
	}
	database, drop, err := schemaIn(ctx, database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, drop(context.WithoutCancel(ctx))) }()
	folder, err := os.MkdirTemp("", "exchange")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	metrics := NewMetrics()
	d := day{srv: srv, out: out, open: func(ctx context.Context) (*Service, error) {
		return Open(ctx, Config{
			Client:   srv.Client(qredo.WithObserver(metrics.Call), qredo.WithRetry(qredo.RetryPolicy{MaxBackoff: 50 * time.Millisecond})),
			Database: database, Folder: folder, Officer: officer, Log: slog.New(slog.DiscardHandler), Metrics: metrics, Every: 50 * time.Millisecond, Lease: 2 * time.Second,
		})
	}}
	if err := d.work(ctx); err != nil {
		return err
	}
	fmt.Fprintln(out, "Metrics:", metrics)
	return nil
}

// work is what happens on this day.
func (d day) work(ctx context.Context) error {
	if _, err := d.open(ctx); !errors.Is(err, qredo.ErrNotAccepted) {
		return fmt.Errorf("the officer has not accepted, but Open returned: %w", err)
	}
	companies, err := d.srv.Client().Companies.List(ctx)
	if err != nil {
		return err
	}
	if err := d.srv.Accept(officer, companies[0].ID); err != nil {
		return err
	}
	if err := d.srv.SetFaults(1, sandbox.FaultRule{Kind: sandbox.FaultDropAnswer, Rate: 0.1}); err != nil {
		return err
	}
	for _, half := range []func(context.Context, *Service) error{d.morning, d.afternoon} {
		if err := d.during(ctx, half); err != nil {
			return err
		}
	}
	return nil
}

// during runs a service until a function returns.
func (d day) during(ctx context.Context, do func(context.Context, *Service) error) error {
	s, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(running) }()
	err = do(ctx, s)
	stop()
	return errors.Join(err, <-ended)
}

func (d day) morning(ctx context.Context, s *Service) error {
	for _, customer := range []string{"ann", "ben"} {
		address, err := s.OpenAccount(ctx, customer)
		if err != nil {
			return err
		}
		for range 4 {
			if _, err := d.srv.Deposit(address, 250_000); err != nil {
				return err
			}
		}
		err = until(ctx, func() (string, error) {
			b, err := s.Balance(ctx, customer)
			if err != nil || b.Booked == 1_000_000 {
				return "", err
			}
			return fmt.Sprintf("%s has %d", customer, b.Booked), nil
		})
		if err != nil {
			return err
		}
	}
	for i := range payouts {
		if err := s.Withdraw(ctx, fmt.Sprint("payout-", i), []string{"ann", "ben"}[i%2], payee, 10_000); err != nil {
			return err
		}
	}
	fmt.Fprintf(d.out, "Ann and Ben have paid in, and asked for %d payouts. The service is stopped before they are done.\n", payouts)
	return nil
}

func (d day) afternoon(ctx context.Context, s *Service) error {
	if err := s.Withdraw(ctx, "payout-0", "ann", payee, 10_000); err != nil { // if you do not know the outcome, ask again: it is the same withdrawal
		return err
	}
	if err := s.Withdraw(ctx, "payout-0", "ben", payee, 10_000); !errors.Is(err, ErrOther) {
		return fmt.Errorf("the number belongs to Ann, but the error is: %w", err)
	}
	if err := s.Withdraw(ctx, "too-much", "ben", payee, 900_000); !errors.Is(err, ErrNotEnough) {
		return fmt.Errorf("paying Ben more than there is: the error is %w", err)
	}
	err := errors.Join(s.Withdraw(ctx, "house", "ben", payee, 600_000), s.Withdraw(ctx, "castle", "ann", payee, 800_000))
	if err != nil {
		return err
	}
	// Somebody with the API key, but without access to the books, wants Ann's money.
	ann, err := s.OpenAccount(ctx, "ann")
	if err != nil {
		return err
	}
	stolen, err := d.steal(ctx, s, ann)
	if err != nil {
		return err
	}
	err = until(ctx, func() (string, error) {
		waiting, err := d.srv.Pending(officer)
		for _, w := range waiting { // the small pending ones are left to the approver
			switch vote := d.srv.Reject; {
			case w.Reference == "house":
				vote = d.srv.Approve
				fallthrough
			case w.Reference == "castle", w.TxID == stolen:
				err = errors.Join(err, vote(officer, string(w.ActionID)))
			}
		}
		if err != nil {
			return "", err
		}
		held, err := s.Held(ctx)
		if err != nil || len(held) == 0 {
			return "", err
		}
		return fmt.Sprint("not done: ", held), nil
	})
	if err != nil {
		return err
	}
	if err := until(ctx, func() (string, error) { return s.Reconcile(ctx) }); err != nil {
		return err
	}
	tx, err := s.config.Client.Transfers.GetWithdrawal(ctx, s.custody.Company, stolen)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "%d payouts are made, Ben has a house and Ann no castle, and what the books do not know is %s.\n", payouts, tx.Status)
	left := qredo.Amount(1_000_000 - payouts/2*10_010)
	for customer, want := range map[string]qredo.Amount{"ann": left, "ben": left - 600_600} {
		b, err := s.Balance(ctx, customer)
		if err != nil {
			return err
		}
		fmt.Fprintf(d.out, "%s has %d satoshi, of which %d are held.\n", customer, b.Booked, b.Held)
		if b.Booked != want || b.Held != 0 {
			return fmt.Errorf("%s should have %d", customer, want)
		}
	}
	if tx.Status != qredo.TxCustodyRejected {
		return errors.New("money was stolen")
	}
	return nil
}

// steal requests a withdrawal that is not in the books, under the number of one that is.
func (d day) steal(ctx context.Context, s *Service, address string) (qredo.TxID, error) {
	fund, err := s.config.Client.Funds.Get(ctx, s.custody.Company, s.custody.Fund)
	if err != nil {
		return "", err
	}
	for _, w := range fund.Wallets {
		if w.Address == address {
			sent, err := s.config.Client.Transfers.Withdraw(ctx, s.custody.Company, qredo.WithdrawalRequest{
				WalletID: w.ID, Address: payee, Reference: "payout-0", Expires: qredo.TimeOf(d.srv.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: asset, Amount: 90_000},
			})
			if err != nil {
				return "", err
			}
			return sent.TxID, nil
		}
	}
	return "", errors.New("no wallet has that address")
}

func until(ctx context.Context, look func() (still string, err error)) error {
	return qredo.Poll(ctx, look, qredo.WithPollInterval(20*time.Millisecond))
}

// schemaIn makes a schema, and returns the database's name with the schema first in its search path.
func schemaIn(ctx context.Context, database string) (name string, drop func(context.Context) error, err error) {
	const schema = "qredo_exchange_example"
	name = database + " search_path=" + schema
	if at, err := url.Parse(database); err == nil && strings.Contains(database, "://") {
		query := at.Query()
		query.Set("search_path", schema)
		at.RawQuery = query.Encode()
		name = at.String()
	}
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return "", nil, errors.New("the database cannot be reached (its URL is not repeated here, because it may contain a password)")
	}
	if _, err := conn.Exec(ctx, `DROP SCHEMA IF EXISTS `+schema+` CASCADE; CREATE SCHEMA `+schema); err != nil {
		return "", nil, errors.Join(err, conn.Close(ctx))
	}
	return name, func(ctx context.Context) error {
		_, err := conn.Exec(ctx, `DROP SCHEMA `+schema+` CASCADE`)
		return errors.Join(err, conn.Close(ctx))
	}, nil
}
