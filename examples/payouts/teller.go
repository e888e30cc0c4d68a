package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/postgres"
)

// payouts are what customers have asked for, each under a number of its own.
var payouts = []struct {
	number, customer string
	amount           qredo.Amount // satoshi
}{{"payout-1", "ann", 30_000}, {"payout-2", "ben", 20_000}, {"payout-3", "ann", 10_000}, {"payout-4", "ben", 900_000}}

// opening is each customer's balance at first. The last payout is more than Ben has left.
const opening = 100_000

func isTeller() bool { return os.Getenv("TELLER_DATABASE") != "" }

// teller books payouts, and has them paid.
type teller struct {
	pool  *pgxpool.Pool
	store *postgres.Store
	box   *outbox.Outbox
	lives int // how many statements it survives
}

// tell is the teller: it books and enqueues what customers have asked for, whether or not an earlier run has done so, and
// works until all of it has ended and is settled.
func tell(ctx context.Context) error {
	client, err := qredo.ClientFromEnv()
	if err != nil {
		return err
	}
	t := &teller{}
	if t.lives, err = strconv.Atoi(os.Getenv("TELLER_LIVES")); err != nil {
		return err
	}
	if t.pool, err = pgxpool.New(ctx, os.Getenv("TELLER_DATABASE")); err != nil {
		return err
	}
	defer t.pool.Close()
	if t.store, err = postgres.New(ctx, t.pool); err != nil {
		return err
	}
	defer func() { _ = t.store.Close() }() // in any case, what was stored is on the disk
	if t.box, err = outbox.New(client, t.store, outbox.WithPollInterval(50*time.Millisecond), outbox.WithLease(time.Second)); err != nil {
		return err
	}
	for i := range payouts {
		if err := t.book(ctx, i); err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error)
	go func() { ended <- t.box.Run(ctx) }()
	for _, p := range payouts {
		if err = t.settle(ctx, p.number); err != nil {
			break
		}
	}
	stop()
	return errors.Join(err, <-ended)
}

// step counts a statement, after which this teller may die: at once, as from a power cut.
func (t *teller) step() error {
	if t.lives--; t.lives > 0 {
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

// book debits a customer and enqueues the payment in one transaction: either both are stored, or neither.
func (t *teller) book(ctx context.Context, i int) error {
	p := payouts[i]
	err := pgx.BeginFunc(ctx, t.pool, func(tx pgx.Tx) error {
		if err := t.step(); err != nil {
			return err
		}
		made, err := tx.Exec(ctx, `INSERT INTO payouts (number, customer, amount) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, p.number, p.customer, int64(p.amount))
		if err != nil || made.RowsAffected() == 0 { // it was already booked
			return err
		}
		if err := t.step(); err != nil {
			return err
		}
		debited, err := tx.Exec(ctx, `UPDATE customers SET balance = balance - $1 WHERE name = $2 AND balance >= $1`, int64(p.amount), p.customer)
		if err != nil {
			return err
		}
		if debited.RowsAffected() == 0 {
			_, err := tx.Exec(ctx, `UPDATE payouts SET state = 'refused' WHERE number = $1`, p.number)
			return err
		}
		if err := t.step(); err != nil {
			return err
		}
		_, err = t.store.EnqueueTx(ctx, tx, p.number, outbox.Transfer{
			CompanyID: qredo.CompanyID(os.Getenv("TELLER_COMPANY")),
			TransferRequest: qredo.TransferRequest{
				WalletID: qredo.WalletID(os.Getenv("TELLER_FROM")), Counterparty: os.Getenv("TELLER_TO"), Reference: p.number,
				Expires: qredo.TimeOf(time.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: asset, Amount: p.amount},
			},
		})
		return errors.Join(err, t.step())
	})
	return errors.Join(err, t.step())
}

// settle waits for the end of a payment and books the outcome, once: a failed payment is credited back.
func (t *teller) settle(ctx context.Context, number string) error {
	for entry, err := range t.box.Watch(ctx, number) {
		switch {
		case errors.Is(err, outbox.ErrNotFound): // refused: nothing was enqueued
			return nil
		case err != nil:
			return err
		case !entry.State.Ended():
			continue
		}
		err = pgx.BeginFunc(ctx, t.pool, func(tx pgx.Tx) error {
			settled, err := tx.Exec(ctx, `UPDATE payouts SET state = $1 WHERE number = $2 AND state = 'booked'`, string(entry.State), number)
			if err != nil || settled.RowsAffected() == 0 { // it was already settled
				return err
			}
			if err := t.step(); err != nil {
				return err
			}
			if entry.State == outbox.StateDone {
				return nil
			}
			_, err = tx.Exec(ctx, `UPDATE customers SET balance = balance + payouts.amount FROM payouts WHERE number = $1 AND name = customer`, number)
			return errors.Join(err, t.step())
		})
		return errors.Join(err, t.step())
	}
	return fmt.Errorf("%s has not ended", number)
}
