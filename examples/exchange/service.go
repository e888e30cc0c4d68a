package main

import (
	"bytes"
	"context"
	_ "embed" // for the tables
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	approvals "github.com/qredo-go/qredo/approver/postgres"
	"github.com/qredo-go/qredo/inbox"
	movements "github.com/qredo-go/qredo/inbox/postgres"
	"github.com/qredo-go/qredo/outbox"
	payments "github.com/qredo-go/qredo/outbox/postgres"
)

//go:embed tables.sql
var tables string

// ErrNotEnough is a withdrawal of more than a customer has.
var ErrNotEnough = errors.New("the customer does not have enough")

// ErrOther is a withdrawal whose number another one has.
var ErrOther = errors.New("the number belongs to another withdrawal")

// Config is what a service needs.
type Config struct {
	Client   *qredo.Client
	Database string // of customers, payments, movements and approvals
	Folder   string // of the approver's audit log
	Officer  string // e-mail of who approves what no rule does
	Log      *slog.Logger
	Metrics  *Metrics
	Every    time.Duration // how often to look at what waits; a second or more in production
	Lease    time.Duration // how long it takes until another service goes on with what one was at when it ended; a minute in production
}

// Service keeps customers' money.
type Service struct {
	config   Config
	custody  *Custody
	pool     *pgxpool.Pool
	payments *payments.Store
	box      *outbox.Outbox
	in       *inbox.Inbox[pgx.Tx]
	approver *approver.Approver
	closers  []func() error
}

// Open sets everything up that is not, and opens the books.
func Open(ctx context.Context, c Config) (_ *Service, err error) {
	s := &Service{config: c}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.custody, err = SetUp(ctx, c.Client, c.Officer); err != nil {
		return nil, err
	}
	database, err := pgxpool.ParseConfig(c.Database)
	if err != nil {
		return nil, errors.New("the database's URL or keywords cannot be parsed") // the error may repeat a password
	}
	database.MaxConns = 20 // the inbox hands over eight movements at once
	if s.pool, err = pgxpool.NewWithConfig(ctx, database); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, func() error { s.pool.Close(); return nil })
	if _, err := s.pool.Exec(ctx, tables); err != nil {
		return nil, err
	}
	return s, errors.Join(s.openOutbox(ctx), s.openInbox(ctx), s.openApprover(ctx))
}

func (s *Service) openOutbox(ctx context.Context) (err error) {
	if s.payments, err = payments.New(ctx, s.pool); err != nil {
		return err
	}
	s.closers = append(s.closers, s.payments.Close)
	s.box, err = outbox.New(s.config.Client, s.payments,
		outbox.WithPollInterval(s.config.Every), outbox.WithLease(s.config.Lease), outbox.WithLogger(s.config.Log), outbox.WithObserver(s.config.Metrics.Payment))
	return err
}

func (s *Service) openInbox(ctx context.Context) error {
	store, err := movements.New(ctx, s.pool)
	if err != nil {
		return err
	}
	s.closers = append(s.closers, store.Close)
	s.in, err = inbox.New(s.config.Client, store, inbox.WithFunds(s.custody.Company, s.custody.Fund), inbox.FromStart(),
		inbox.WithPolling(s.config.Every, 10*s.config.Every), inbox.WithLease(s.config.Lease), inbox.WithLogger(s.config.Log), inbox.WithObserver(s.config.Metrics.Movement))
	return err
}

func (s *Service) openApprover(ctx context.Context) error {
	store, err := approvals.Open(ctx, s.config.Database, approvals.WithLease(s.config.Lease))
	if err != nil {
		return err
	}
	s.closers = append(s.closers, store.Close)
	log, err := approver.OpenAuditLog(filepath.Join(s.config.Folder, "audit.jsonl"))
	if err != nil {
		return err
	}
	s.closers = append(s.closers, log.Close)
	rules, err := approver.ParseRules("rules.yaml", bytes.Replace(ruleFile, []byte("FUND"), []byte(s.custody.Fund), 1))
	if err != nil {
		return err
	}
	s.approver, err = approver.New(s.config.Client, s.custody.Approver, policy{rules, s}, approver.WithStore(store), approver.WithCoordinator(store),
		approver.WithAuditLog(log), approver.WithLogger(s.config.Log), approver.WithObserver(s.config.Metrics.Vote))
	return err
}

// Close ends what Open has opened.
func (s *Service) Close() {
	for i := len(s.closers) - 1; i >= 0; i-- {
		if err := s.closers[i](); err != nil {
			s.config.Log.Error("close", "err", err)
		}
	}
}

// Run pays, credits, approves, settles and reconciles until ctx ends, or one of them cannot go on.
func (s *Service) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	work := []func(context.Context) error{
		s.box.Run, s.approver.Run, s.settle,
		func(ctx context.Context) error { return s.in.Run(ctx, s.book) },
	}
	errs := make([]error, len(work))
	var all sync.WaitGroup
	for i, run := range work {
		all.Go(func() {
			defer stop()
			errs[i] = run(ctx)
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// OpenAccount returns the address that a customer pays in at.
func (s *Service) OpenAccount(ctx context.Context, customer string) (address string, err error) {
	wallet, _, err := s.config.Client.Wallets.Ensure(ctx, s.custody.Company, s.custody.Fund, qredo.WalletRequest{Name: customer, Asset: asset})
	if err != nil {
		return "", err
	}
	_, err = s.pool.Exec(ctx, `INSERT INTO customers (name, wallet) VALUES ($1, $2) ON CONFLICT DO NOTHING`, customer, string(wallet.ID))
	return wallet.Address, err
}

// book books a movement in a customer's wallet. From then on, a withdrawal is no longer held.
func (s *Service) book(ctx context.Context, tx pgx.Tx, m inbox.Movement) error {
	booked, err := tx.Exec(ctx, `INSERT INTO bookings (key, customer, kind, amount) SELECT $1, name, $2, $3 FROM customers WHERE wallet = $4`,
		m.Key, string(m.Kind), int64(m.Amount), string(m.Wallet))
	if err != nil {
		return err
	}
	if booked.RowsAffected() != 1 { // OpenAccount is about to record whose it is
		return fmt.Errorf("wallet %s belongs to nobody", m.Wallet)
	}
	state := "done"
	if m.Reversal {
		state = "refused by the chain"
	}
	_, err = tx.Exec(ctx, `UPDATE withdrawals SET state = $1 FROM customers c WHERE number = $2 AND c.name = customer AND c.wallet = $3 AND ($4 < 0) != $5`,
		state, m.Reference, string(m.Wallet), int64(m.Amount), m.Reversal)
	return err
}

// Balance is what a customer has.
type Balance struct{ Booked, Held qredo.Amount }

// Balance returns what is booked for a customer, and how much of it is held for withdrawals that are not done.
func (s *Service) Balance(ctx context.Context, customer string) (b Balance, err error) {
	err = s.pool.QueryRow(ctx, balance, customer).Scan(&b.Booked, &b.Held)
	return b, err
}

const balance = `SELECT (SELECT coalesce(sum(amount), 0)::bigint FROM bookings WHERE customer = $1),
	(SELECT coalesce(sum(cost), 0)::bigint FROM withdrawals WHERE customer = $1 AND state = 'held')`

// Withdraw has an amount paid to an address. The number is the caller's: asked for twice, it is one withdrawal. The customer's money is held, and
// the payment is stored, in one transaction: both are so when Withdraw returns, or neither.
func (s *Service) Withdraw(ctx context.Context, number, customer, address string, amount qredo.Amount) error {
	fees, err := s.config.Client.Assets.GetFees(ctx, qredo.FeesRequest{Type: qredo.FeeWithdraw, Asset: asset, Amount: amount})
	if err != nil {
		return err
	}
	if _, _, err := s.config.Client.Funds.EnsureWhitelisted(ctx, s.custody.Company, s.custody.Fund, qredo.WhitelistEntry{Asset: asset, Address: address}); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var wallet string
		if err := tx.QueryRow(ctx, `SELECT wallet FROM customers WHERE name = $1 FOR UPDATE`, customer).Scan(&wallet); err != nil {
			return err
		}
		var has Balance
		if err := tx.QueryRow(ctx, balance, customer).Scan(&has.Booked, &has.Held); err != nil {
			return err
		}
		added, err := tx.Exec(ctx, `INSERT INTO withdrawals (number, customer, address, amount, cost) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
			number, customer, address, int64(amount), int64(fees.AmountToSend))
		switch {
		case err != nil:
			return err
		case added.RowsAffected() == 0: // it was already requested
			var same bool
			err := tx.QueryRow(ctx, `SELECT customer = $2 AND address = $3 AND amount = $4 FROM withdrawals WHERE number = $1`, number, customer, address, int64(amount)).Scan(&same)
			if err == nil && !same {
				return ErrOther
			}
			return err
		case has.Booked-has.Held < fees.AmountToSend:
			return ErrNotEnough
		}
		_, err = s.payments.EnqueueTx(ctx, tx, number, outbox.Withdrawal{
			CompanyID: s.custody.Company,
			WithdrawalRequest: qredo.WithdrawalRequest{
				WalletID: qredo.WalletID(wallet), Address: address, Reference: number,
				Expires: qredo.TimeOf(time.Now().Add(24 * time.Hour)), Send: qredo.AssetAmount{Asset: asset, Amount: amount},
			},
		})
		return err
	})
}

// Held returns the numbers of withdrawals that are not done.
func (s *Service) Held(ctx context.Context) ([]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT number FROM withdrawals WHERE state = 'held' ORDER BY number`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// settle releases what is held for withdrawals that failed. The inbox books those that are done.
func (s *Service) settle(ctx context.Context) error {
	again := time.NewTicker(s.config.Every)
	defer again.Stop()
	for {
		if err := s.settleOnce(ctx); err != nil && ctx.Err() == nil {
			s.config.Log.Error("settle", "err", err)
		}
		if wrong, err := s.Reconcile(ctx); (err != nil || wrong != "") && ctx.Err() == nil {
			s.config.Log.Warn("not reconciled", "wrong", wrong, "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		}
	}
}

func (s *Service) settleOnce(ctx context.Context) error {
	held, err := s.Held(ctx)
	for _, number := range held {
		entry, unknown := s.box.Get(ctx, number)
		if unknown == nil && entry.State.Ended() && entry.State != outbox.StateDone {
			_, unknown = s.pool.Exec(ctx, `UPDATE withdrawals SET state = $1 WHERE number = $2 AND state = 'held'`, string(entry.State), number)
		}
		err = errors.Join(err, unknown)
	}
	return err
}
