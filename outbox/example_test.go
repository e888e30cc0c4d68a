package outbox_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/qredo-go/qredo"
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

// newPayment makes a company with two wallets, and a request that moves 0.4 BTC from one to the other.
func newPayment(srv *sandbox.Server) outbox.Transfer {
	ctx, client := context.Background(), srv.Client()
	company, err := client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Acme"})
	check(err)
	check(client.TrustedNetwork.Add(ctx, company.ID, qredo.TrustedPartyRequest{Address: "alice@example.com"}))
	check(srv.Accept("alice@example.com", company.ID))
	trusted, err := client.TrustedNetwork.List(ctx, company.ID)
	check(err)
	approvers := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{trusted[0].ID}}
	made, err := client.Funds.Create(ctx, company.ID, qredo.FundRequest{
		Name: "Treasury", CustodyGroupTx: approvers, CustodyGroupWithdraw: approvers,
		Wallets: []qredo.WalletRequest{{Name: "hot", Asset: "BTC"}, {Name: "cold", Asset: "BTC"}},
	})
	check(err)
	fund, err := client.Funds.Get(ctx, company.ID, made.ID)
	check(err)
	_, err = srv.Deposit(fund.Wallets[0].Address, 150_000_000)
	check(err)
	return outbox.Transfer{CompanyID: company.ID, TransferRequest: qredo.TransferRequest{
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
