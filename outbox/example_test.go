package outbox_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/demofund"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/sandbox"
)

// A payment is stored, sent and followed until it is done. Storing it again, as a program does that was
// killed in between, pays nothing twice.
func Example() {
	srv, err := sandbox.Start() // in place of the service
	check(err)
	defer srv.Close()
	payment := newPayment(srv)
	dir, err := os.MkdirTemp("", "outbox")
	check(err)
	defer func() { check(os.RemoveAll(dir)) }()

	store, err := outbox.OpenStore(filepath.Join(dir, "payments.db"))
	check(err)
	defer func() { check(store.Close()) }()
	box, err := outbox.New(srv.Client(), store, outbox.WithPollInterval(10*time.Millisecond))
	check(err)
	ctx, stop := context.WithCancel(context.Background())
	for range 2 {
		_, err = box.Enqueue(ctx, "invoice-17", payment) // on the disk when it returns
		check(err)
	}
	ended := make(chan error)
	go func() { ended <- box.Run(ctx) }() // sends, finds out, follows

	for entry, err := range box.Watch(ctx, "invoice-17") {
		check(err)
		if entry.State == outbox.StateSent {
			_ = srv.Approve("alice@example.com", string(entry.TxID)) // as Alice does in the app
		}
		if entry.State.Ended() {
			fmt.Println(entry.Key, entry.State)
		}
	}
	stop()
	check(<-ended)
	// Output: invoice-17 done
}

// The service makes a transfer and its answers are lost. Until one arrives, nothing can tell the outbox whether the money
// is moving. A person can look for payments with an unknown outcome, find out, and record the result.
func ExampleOutbox_Resolve() {
	srv, err := sandbox.Start()
	check(err)
	defer srv.Close()
	payment := newPayment(srv)
	check(srv.SetFaults(1, sandbox.FaultRule{Kind: sandbox.FaultDropAnswer, Operation: "POST /company/{company_id}/transfer", Rate: 1}))
	dir, err := os.MkdirTemp("", "outbox")
	check(err)
	defer func() { check(os.RemoveAll(dir)) }()
	store, err := outbox.OpenStore(filepath.Join(dir, "payments.db"))
	check(err)
	defer func() { check(store.Close()) }()
	box, err := outbox.New(srv.Client(qredo.WithRetry(qredo.RetryPolicy{MaxAttempts: 1})), store)
	check(err)
	ctx := context.Background()
	_, err = box.Enqueue(ctx, "invoice-17", payment)
	check(err)
	running, stop := context.WithCancel(ctx)
	ended := make(chan error)
	go func() { ended <- box.Run(running) }()
	for entry, err := range box.Watch(ctx, "invoice-17") {
		check(err)
		if entry.Unknown {
			break
		}
	}
	stop()
	check(<-ended)

	for entry, err := range box.List(ctx, outbox.Filter{Unknown: true}) {
		check(err)
		fmt.Println(entry.Key, "is", entry.State, "and its outcome unknown")
		asked, err := srv.Pending("alice@example.com") // Alice is asked to approve it in the app, so it was made
		check(err)
		entry, err = box.Resolve(ctx, entry.Key, asked[0].TxID, "Alice sees it in the app")
		check(err)
		fmt.Println(entry.Key, "is", entry.State)
	}
	// Output:
	// invoice-17 is pending and its outcome unknown
	// invoice-17 is sent
}

// newPayment makes a company with two wallets, and a request that moves 0.4 BTC from one to the other.
func newPayment(srv *sandbox.Server) outbox.Transfer {
	fund, err := demofund.New(context.Background(), srv, "Acme", []string{"alice@example.com"},
		qredo.WalletRequest{Name: "hot", Asset: "BTC"}, qredo.WalletRequest{Name: "cold", Asset: "BTC"})
	check(err)
	_, err = srv.Deposit(fund.Wallets[0].Address, 150_000_000)
	check(err)
	return outbox.Transfer{CompanyID: fund.Company, TransferRequest: qredo.TransferRequest{
		WalletID: fund.Wallets[0].ID, Counterparty: string(fund.Wallets[1].ID),
		Expires: qredo.TimeOf(srv.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: "BTC", Amount: 40_000_000},
	}}
}

// check ends the example if something went wrong.
func check(err error) {
	if err != nil {
		panic(err)
	}
}
