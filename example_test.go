package qredo_test

import (
	"context"
	"fmt"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// A company with a fund, a wallet in it, and a deposit to that wallet.
func Example() {
	srv, err := sandbox.Start() // in place of the service
	check(err)
	defer srv.Close()
	ctx := context.Background()
	client, err := qredo.NewClient(srv.Auth(), qredo.WithBaseURL(srv.BaseURL()))
	check(err)

	company, err := client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Acme"})
	check(err)
	fund, err := client.Funds.Create(ctx, company.ID, qredo.FundRequest{
		Name:    "Client assets",
		Wallets: []qredo.WalletRequest{{Name: "Treasury", Asset: "BTC-TESTNET"}},
	})
	check(err)
	addresses, err := client.Funds.ListDepositAddresses(ctx, company.ID, fund.ID)
	check(err)
	_, err = srv.Deposit(addresses[0].Address, 150_000_000) // as if it had come over the chain
	check(err)

	holdings, err := client.Companies.ListHoldings(ctx, company.ID)
	check(err)
	for _, h := range holdings {
		fmt.Println(h.Amount, "satoshi of", h.Asset)
	}
	// Output: 150000000 satoshi of BTC-TESTNET
}
