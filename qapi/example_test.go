package qapi_test

import (
	"context"
	"fmt"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox"
)

// What an account has, and a Web3 transaction that is signed in custody.
func Example() {
	srv, err := sandbox.Start() // in place of the service
	check(err)
	defer srv.Close()
	ctx := context.Background()
	address := newWallet(srv) // for ETH; Alice approves

	client, err := qapi.NewClient(srv.HMACAuth(), qredo.WithBaseURL(srv.QAPIBaseURL()))
	check(err)
	balances, err := client.Balance.Get(ctx)
	check(err)
	ether := balances["ETH"].Asset("ETH") // counts in gwei
	fmt.Println(ether.Format(balances["ETH"].Available), "ETH")

	value, err := qapi.ParseBigInt("1500000000000000000") // wei
	check(err)
	created, err := client.Transactions.Create(ctx, qapi.TransactionRequest{
		From: address, To: "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
		Value: value, GasLimit: qapi.NewBigInt(21_000), GasPrice: qapi.NewBigInt(30_000_000_000),
	})
	check(err)
	check(srv.Approve("alice@example.com", string(created.ID))) // as Alice does in the app

	signed, err := client.Transactions.Wait(ctx, created.ID)
	check(err)
	raw, err := signed.SignedBytes() // for a node of the chain
	check(err)
	fmt.Println(created.Status, "then signed:", len(raw) > 0)
	// Output:
	// 10 ETH
	// created then signed: true
}

// newWallet makes a wallet with 10 ETH in it, with the Partner API, and returns its address.
func newWallet(srv *sandbox.Server) string {
	ctx, client := context.Background(), srv.Client()
	company, err := client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Acme"})
	check(err)
	check(client.TrustedNetwork.Add(ctx, company.ID, qredo.TrustedPartyRequest{Address: "alice@example.com"}))
	check(srv.Accept("alice@example.com", company.ID))
	trusted, err := client.TrustedNetwork.List(ctx, company.ID)
	check(err)
	approvers := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{trusted[0].ID}}
	fund, err := client.Funds.Create(ctx, company.ID, qredo.FundRequest{
		Name: "Web3", CustodyGroupTx: approvers, CustodyGroupWithdraw: approvers, Wallets: []qredo.WalletRequest{{Asset: "ETH"}},
	})
	check(err)
	addresses, err := client.Funds.DepositAddresses(ctx, company.ID, fund.ID)
	check(err)
	_, err = srv.Deposit(addresses[0].Address, 10_000_000_000)
	check(err)
	return addresses[0].Address
}

// check ends the example if something went wrong.
func check(err error) {
	if err != nil {
		panic(err)
	}
}
