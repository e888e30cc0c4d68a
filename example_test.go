package qredo_test

import (
	"context"
	"fmt"

	"os"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/demofund"
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

// acmeSandbox is what most examples begin with: a sandbox with a company in it, whose fund has two wallets for BTC,
// hot and cold, and two for ETH. There are 1.5 BTC in hot and 10 ETH in each for ETH. Alice approves.
type acmeSandbox struct {
	*sandbox.Server
	company                 qredo.CompanyID
	fund                    qredo.FundID
	hot, cold, ether, other qredo.WalletID
}

func startAcme(opts ...sandbox.Option) *acmeSandbox {
	srv, err := sandbox.Start(opts...)
	check(err)
	fund, err := demofund.New(context.Background(), srv, "Acme", []string{"alice@example.com"},
		qredo.WalletRequest{Name: "hot", Asset: "BTC"}, qredo.WalletRequest{Name: "cold", Asset: "BTC"},
		qredo.WalletRequest{Name: "ether", Asset: "ETH"}, qredo.WalletRequest{Name: "other", Asset: "ETH"})
	check(err)
	for wallet, amount := range map[int]qredo.Amount{0: 150_000_000, 2: 10_000_000_000, 3: 10_000_000_000} {
		_, err := srv.Deposit(fund.Wallets[wallet].Address, amount)
		check(err)
	}
	w := fund.Wallets
	return &acmeSandbox{srv, fund.Company, fund.ID, w[0].ID, w[1].ID, w[2].ID, w[3].ID}
}

// transfer is a request that moves BTC from hot to cold, if it is approved within the hour.
func (a *acmeSandbox) transfer(amount qredo.Amount, partner qredo.PartnerTxID) qredo.TransferRequest {
	return qredo.TransferRequest{
		WalletID: a.hot, Counterparty: string(a.cold), PartnerTxID: partner,
		Expires: qredo.TimeOf(a.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: "BTC", Amount: amount},
	}
}

// hireRobot makes a core client, and asks it to approve a transfer of 0.01 BTC.
func (a *acmeSandbox) hireRobot() qredo.CoreClientID {
	robot, err := a.Client().CoreClients.Create(context.Background(), "robot")
	check(err)
	a.askForApproval(robot.ID)
	return robot.ID
}

// askForApproval makes a fund that a core client approves for, and asks for a transfer of 0.01 BTC out of it.
func (a *acmeSandbox) askForApproval(robot qredo.CoreClientID) {
	ctx, client := context.Background(), a.Client()
	check(client.TrustedNetwork.Add(ctx, a.company, qredo.TrustedPartyRequest{Address: string(robot)}))
	group := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{qredo.TrustedEntityID(robot)}}
	created, err := client.Funds.Create(ctx, a.company, qredo.FundRequest{
		Name: "Small change", CustodyGroupTx: group, CustodyGroupWithdraw: group, Wallets: []qredo.WalletRequest{{Asset: "BTC"}},
	})
	check(err)
	fund, err := client.Funds.Get(ctx, a.company, created.ID)
	check(err)
	_, err = a.Deposit(fund.Wallets[0].Address, 2_000_000)
	check(err)
	_, err = client.Transfers.Create(ctx, a.company, qredo.TransferRequest{
		WalletID: fund.Wallets[0].ID, Counterparty: string(a.cold),
		Expires: qredo.TimeOf(a.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: "BTC", Amount: 1_000_000},
	})
	check(err)
}

// connectWallet makes a core client, as an exchange has one, and a dedicated wallet that is connected to it.
func (a *acmeSandbox) connectWallet() (wallet qredo.WalletID, address string) {
	ctx, client := context.Background(), a.Client()
	desk, err := client.CoreClients.Create(ctx, "desk")
	check(err)
	made, err := client.Funds.AddWallets(ctx, a.company, a.fund, []qredo.WalletRequest{
		{Name: "at the desk", Asset: "BTC", Type: qredo.WalletDedicated, Connect: []qredo.ConnectRequest{{CounterpartyID: string(desk.ID)}}},
	})
	check(err)
	actions, err := client.CoreClients.ListActions(ctx, desk.ID)
	check(err)
	check(client.CoreClients.Approve(ctx, desk.ID, actions[0].ID))
	got, err := client.Wallets.Get(ctx, made[0])
	check(err)
	return got.ID, got.Address
}

// tempDir makes a folder, and says how to remove it.
func tempDir() (dir string, remove func()) {
	dir, err := os.MkdirTemp("", "example")
	check(err)
	return dir, func() { check(os.RemoveAll(dir)) }
}

// check ends the example if something went wrong.
func check(err error) {
	if err != nil {
		panic(err)
	}
}
