package qapi_test

import (
	"context"
	"fmt"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/demofund"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox"
)

// What an account has, and a Web3 transaction that is signed in custody.
func Example() {
	acme := startAcme() // a sandbox, in place of the service, with a wallet for ETH; Alice approves
	defer acme.Close()
	ctx, client := context.Background(), acme.QAPIClient()

	balances, err := client.Balance.Get(ctx)
	check(err)
	ether := balances["ETH"].Asset("ETH") // counts in gwei
	fmt.Println(ether.Format(balances["ETH"].Available), "ETH")

	value, err := qapi.ParseBigInt("1500000000000000000") // wei
	check(err)
	created, err := client.Transactions.Create(ctx, qapi.TransactionRequest{
		From: acme.wallet.Address, To: "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
		Value: value, GasLimit: qapi.NewBigInt(21_000), GasPrice: qapi.NewBigInt(30_000_000_000),
	})
	check(err)
	check(acme.Approve("alice@example.com", string(created.ID))) // as Alice does in the app

	signed, err := client.Transactions.Wait(ctx, created.ID)
	check(err)
	raw, err := signed.SignedBytes() // for a node of the chain
	check(err)
	fmt.Println(created.Status, "then signed:", len(raw) > 0)
	// Output:
	// 10 ETH
	// created then signed: true
}

// An API key and its secret, which is base64, make an authenticator.
func ExampleNewClient() {
	srv, err := sandbox.Start(sandbox.WithHMACKey("my-key", "c2VjcmV0IG9mIGEga2V5"))
	check(err)
	defer srv.Close()

	auth, err := qredo.NewHMACAuth("my-key", "c2VjcmV0IG9mIGEga2V5") // or qredo.HMACAuthFromEnv
	check(err)
	client, err := qapi.NewClient(auth, qredo.WithBaseURL(srv.QAPIBaseURL()))
	check(err)
	funds, err := client.Funds.List(context.Background(), qapi.FundsOptions{})
	check(err)
	fmt.Println(auth, len(funds))
	// Output: qredo.HMACAuth(redacted) 0
}

func ExampleAccountService_Get() {
	acme := startAcme() // a sandbox with a company that trusts Alice
	defer acme.Close()

	account, err := acme.QAPIClient().Account.Get(context.Background())
	check(err)
	fmt.Println(account.Name, "is an organization:", account.IsOrganization())
	for _, member := range account.Members {
		fmt.Println(member.Email)
	}
	// Output:
	// Sandbox is an organization: true
	// alice@example.com
}

// What each fund holds and did.
func ExampleFundsService_ListLedger() {
	acme := startAcme() // a sandbox with a fund whose wallet for ETH has got 10 ETH
	defer acme.Close()
	ctx, client := context.Background(), acme.QAPIClient()

	funds, err := client.Funds.List(ctx, qapi.FundsOptions{})
	check(err)
	for _, listed := range funds {
		fund, err := client.Funds.Get(ctx, listed.ID)
		check(err)
		for _, w := range fund.Wallets {
			fmt.Println(fund.Name, w.Name, w.Balance, w.Asset) // in base units, which are gwei
		}
		ledger, err := client.Funds.ListLedger(ctx, fund.ID)
		check(err)
		for _, entry := range ledger.Entries {
			amount, err := entry.Amount.BaseUnits() // which the sandbox's figures count: see Figure
			check(err)
			fmt.Println(entry.Type, amount, entry.Asset)
		}
	}
	// Output:
	// Treasury hot 10000000000 ETH
	// deposit 10000000000 ETH
}

func ExampleWalletsService_ListHistory() {
	acme := startAcme() // a sandbox with a wallet for ETH that has got 10 ETH
	defer acme.Close()

	history, err := acme.QAPIClient().Wallets.ListHistory(context.Background(), acme.wallet.ID)
	check(err)
	for _, entry := range history {
		fmt.Println(entry.Amount, entry.Asset, entry.Status)
	}
	// Output: 10000000000 ETH approved
}

func ExampleTrustedPartiesService_List() {
	acme := startAcme(sandbox.WithPersonalAccount()) // a sandbox with a company that trusts Alice
	defer acme.Close()

	trusted, err := acme.QAPIClient().TrustedParties.List(context.Background())
	check(err)
	for _, party := range trusted {
		fmt.Println(party.Email, "pending:", party.Pending)
	}
	// Output: alice@example.com pending: false
}

// The service's document has figures of whole units, the sandbox's are base units. The caller says which they are.
func ExampleFigure() {
	btc := qapi.AssetBalance{Scale: 100_000_000}.Asset("BTC")

	fmt.Println(qapi.Figure("0.001156").WholeUnits(btc))
	fmt.Println(qapi.Figure("115600").BaseUnits())
	_, err := qapi.Figure("0.001156").BaseUnits()
	fmt.Println(err)
	// Output:
	// 115600 <nil>
	// 115600 <nil>
	// qredo: figure: 0.001156 has a fraction, so it is not in base units but in whole units
}

// acmeSandbox is a sandbox with a company whose fund has a wallet with 10 ETH in it. Alice approves.
type acmeSandbox struct {
	*sandbox.Server
	wallet qredo.Wallet
}

func startAcme(opts ...sandbox.Option) *acmeSandbox {
	srv, err := sandbox.Start(opts...)
	check(err)
	fund, err := demofund.New(context.Background(), srv, "Acme", []string{"alice@example.com"}, qredo.WalletRequest{Name: "hot", Asset: "ETH"})
	check(err)
	_, err = srv.Deposit(fund.Wallets[0].Address, 10_000_000_000)
	check(err)
	return &acmeSandbox{srv, fund.Wallets[0]}
}

// check ends the example if something went wrong.
func check(err error) {
	if err != nil {
		panic(err)
	}
}
