package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
)

// payments are what the payer has to pay, each under a key of its own.
var payments = []struct {
	key    string
	amount qredo.Amount // satoshi
}{{"salary-ann", 30_000}, {"salary-ben", 20_000}, {"salary-cid", 10_000}}

func isPayer() bool { return os.Getenv("PAYER_OUTBOX") != "" }

// pay is the payer: it enqueues all payments, whether or not an earlier run has done so, and works until all of them have
// ended.
func pay(ctx context.Context, out io.Writer) error {
	client, err := qredo.ClientFromEnv()
	if err != nil {
		return err
	}
	store, err := outbox.OpenStore(os.Getenv("PAYER_OUTBOX"))
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // in any case, what was stored is on the disk
	box, err := outbox.New(client, store, outbox.WithPollInterval(100*time.Millisecond))
	if err != nil {
		return err
	}
	for _, p := range payments {
		entry, err := box.Enqueue(ctx, p.key, outbox.Transfer{
			CompanyID: qredo.CompanyID(os.Getenv("PAYER_COMPANY")),
			TransferRequest: qredo.TransferRequest{
				WalletID: qredo.WalletID(os.Getenv("PAYER_FROM")), Counterparty: os.Getenv("PAYER_TO"),
				Expires: qredo.TimeOf(time.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: asset, Amount: p.amount},
			},
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: %s, attempts so far: %d\n", entry.Key, entry.State, entry.Attempts)
	}

	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error)
	go func() { ended <- box.Run(ctx) }()
	err = report(ctx, box, out)
	stop()
	if runErr := <-ended; err == nil {
		err = runErr
	}
	return err
}

// report waits for the end of each payment and prints what became of it.
func report(ctx context.Context, box *outbox.Outbox, out io.Writer) error {
	for _, p := range payments {
		for entry, err := range box.Watch(ctx, p.key) {
			if err != nil {
				return err
			}
			if !entry.State.Ended() {
				continue
			}
			fmt.Fprintf(out, "\n%s: %s\n", entry.Key, entry.State)
			for _, s := range entry.Steps {
				fmt.Fprintf(out, "  %-8s %s\n", s.Kind, s.Note)
			}
			if entry.State != outbox.StateDone {
				return fmt.Errorf("%s: %s", entry.Key, entry.Reason)
			}
		}
	}
	return nil
}
