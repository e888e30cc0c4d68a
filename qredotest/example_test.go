package qredotest_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"testing"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qredotest"
)

// t stands for the test that a function of a test has.
var t qredotest.TestingT = &testing.T{}

// A program's interface of one method is satisfied by the fake.
func ExampleFakeWallets() {
	type wallets interface {
		Get(ctx context.Context, walletID qredo.WalletID, opts ...qredo.CallOption) (*qredo.Wallet, error)
	}
	fake := &qredotest.FakeWallets{
		T: t,
		GetFunc: func(_ context.Context, id qredo.WalletID, _ ...qredo.CallOption) (*qredo.Wallet, error) {
			return &qredo.Wallet{ID: id, Asset: "BTC", Balance: 5000}, nil
		},
	}
	var program wallets = fake
	wallet, err := program.Get(context.Background(), "hot")
	fmt.Println(wallet.Balance, err)
	fmt.Println(fake.GetCalls()[0].WalletID)
	// Output:
	// 5000 <nil>
	// hot
}

// A method that ranges over a ledger: two entries, and then the ledger moves.
func ExampleEachThen() {
	fake := &qredotest.FakeFunds{
		T: t,
		LedgerAllFunc: func(context.Context, qredo.CompanyID, qredo.FundID, qredo.LedgerOptions, ...qredo.CallOption) iter.Seq2[qredo.LedgerEntry, error] {
			return qredotest.EachThen(qredo.ErrLedgerMoved, qredo.LedgerEntry{TxID: "a"}, qredo.LedgerEntry{TxID: "b"})
		},
	}
	for entry, err := range fake.LedgerAll(context.Background(), "acme", "treasury", qredo.LedgerOptions{}) {
		fmt.Printf("%q %t\n", entry.TxID, errors.Is(err, qredo.ErrLedgerMoved))
	}
	// Output:
	// "a" false
	// "b" false
	// "" true
}

func ExampleFixtureOf() {
	f := qredotest.FixtureOf("POST /company/{company_id}/fund/{fund_id}/asset")
	fmt.Println(f.Call, f.Path)
	fmt.Println(string(f.Request))
	fmt.Println(f.Status, string(f.Response))
	fmt.Println(f.Value)
	// Output:
	// Funds.AddAssets /company/1va2cJ2pqdLSFAN5t1knBrnuMvw/fund/2qa7yEeeby3abP3E2Zs8IQ9Y7aJ/asset
	// {"assets":["BTC-TESTNET","ETH-TESTNET"]}
	// 200 {"wallets":["PQ6F7FXDNEXgzgv1XiPti6vj8RsnqDXyCUshN6toSWSp","6oBB92AezWtiAgufXjPAcc921toi7ap9UxDuxE2HEKZG"]}
	// [PQ6F7FXDNEXgzgv1XiPti6vj8RsnqDXyCUshN6toSWSp 6oBB92AezWtiAgufXjPAcc921toi7ap9UxDuxE2HEKZG]
}

// A list of the test's own, in the form that the service gives it.
func ExampleFixture_With() {
	holdings := qredotest.FixtureOf("Companies.ListHoldings")
	service := qredotest.NewService(t).On(holdings.Operation, holdings.With([]qredo.Holding{{Asset: "BTC", Amount: 5}}))
	fmt.Println(service.Client().Companies.ListHoldings(context.Background(), "acme"))
	// Output: [{BTC 5}] <nil>
}

// The answer to a payment is lost, and the client asks again: it is the same payment.
func ExampleService() {
	const transfer = "POST /company/{company_id}/transfer"
	sent := qredotest.FixtureOf(transfer).Answer()
	service := qredotest.NewService(t).On(transfer, qredotest.Lost(sent), sent)
	made, err := service.Client().Transfers.Create(context.Background(), "acme", qredotest.RequestOf[qredo.TransferRequest]("Transfers.Create"))
	fmt.Println(made.TxID, err)
	requests := service.Requests(transfer)
	fmt.Println(len(requests), string(requests[0].Body) == string(requests[1].Body))
	// Output:
	// 2r5yHUig43kiJfahqSIjOugM1yT <nil>
	// 2 true
}

// An answer is a transport of its own, where there is one operation.
func ExampleRefusal() {
	client := qredotest.NewService(t).Client(qredo.WithHTTPClient(&http.Client{Transport: qredotest.Refusal(404, "Not Found", "no such fund")}))
	_, err := client.Funds.Get(context.Background(), "acme", "treasury")
	fmt.Println(err)
	// Output: qredo: GET /company/acme/fund/treasury: 404 Not Found: Not Found (no such fund)
}
