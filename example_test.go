package qredo_test

import (
	"context"
	"encoding/json"
	"errors"
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

// What the service said when it refused.
func ExampleError() {
	acme := startAcme() // a sandbox
	defer acme.Close()

	_, err := acme.Client().Wallets.Get(context.Background(), "unknown")
	var answer *qredo.Error
	if errors.As(err, &answer) {
		fmt.Println(answer.Method, answer.Path, answer.StatusCode, answer.Reason)
	}
	// Output: GET /wallet/unknown 404 no such wallet
}

// errors.Is distinguishes the kinds of refusals.
func ExampleError_Is() {
	acme := startAcme() // a sandbox with the company Acme
	defer acme.Close()

	err := acme.Client().TrustedNetwork.Add(context.Background(), acme.company, qredo.TrustedPartyRequest{Address: "bob@example.com"})
	switch {
	case errors.Is(err, qredo.ErrNotFound):
		fmt.Println("Bob has no account yet")
	case errors.Is(err, qredo.ErrUnauthorized):
		fmt.Println("the key or the signature is wrong")
	default:
		check(err)
	}
	// Output: Bob has no account yet
}

// What cannot be right is not sent.
func ExampleValidationError() {
	acme := startAcme() // a sandbox
	defer acme.Close()

	request := acme.transfer(0, "payout-1")
	_, err := acme.Client().Transfers.Create(context.Background(), acme.company, request)
	var refused *qredo.ValidationError
	if errors.As(err, &refused) {
		fmt.Println(refused.Field, "-", refused.Rule)
	}
	// Output: send.amount - must be more than zero base units, is 0
}

// A transaction that was rejected has moved nothing.
func ExampleTxError() {
	acme := startAcme() // a sandbox
	defer acme.Close()
	ctx, client := context.Background(), acme.Client()

	sent, err := client.Transfers.Create(ctx, acme.company, acme.transfer(40_000_000, "payout-1"))
	check(err)
	check(acme.Reject("alice@example.com", string(sent.TxID))) // as Alice does in the app

	_, err = client.Transfers.Wait(ctx, acme.company, sent.TxID)
	var ended *qredo.TxError
	if errors.As(err, &ended) {
		fmt.Println(ended.Status)
	}
	// Output: custody_rejected
}

// Every answer is lost, so it is unknown whether the transfer was made: repeating it with the same PartnerTxID finds out.
func ExampleUnknownOutcomeError() {
	acme := startAcme() // a sandbox
	defer acme.Close()
	ctx, client := context.Background(), acme.Client(qredo.WithRetry(qredo.RetryPolicy{MinBackoff: time.Millisecond}))
	check(acme.SetFaults(1, sandbox.FaultRule{Kind: sandbox.FaultDropAnswer, Rate: 1}))

	request := acme.transfer(40_000_000, "payout-1")
	_, err := client.Transfers.Create(ctx, acme.company, request)
	var unknown *qredo.UnknownOutcomeError
	fmt.Println(errors.As(err, &unknown))

	check(acme.SetFaults(1)) // the network is back
	request.PartnerTxID = unknown.PartnerTxID
	sent, err := client.Transfers.Create(ctx, acme.company, request)
	check(err)
	fmt.Println(sent.Status)
	// Output:
	// true
	// existing
}

// A sum to send, from what somebody has written. Nothing and less is refused.
func ExampleAsset_AssetAmount() {
	btc := qredo.Asset{Code: "BTC", Scale: 100_000_000} // as Assets.Find gives it

	send, err := btc.AssetAmount("0.5")
	check(err)
	fmt.Println(send.Amount, "base units are", send.In(btc))

	_, err = btc.AssetAmount("0")
	fmt.Println(err)
	// Output:
	// 50000000 base units are 0.5 BTC
	// qredo: amount: must be more than zero, is 0
}

func ExampleAsset_ParsePositive() {
	btc := qredo.Asset{Code: "BTC", Scale: 100_000_000}

	amount, err := btc.ParsePositive("0.4")
	fmt.Println(int64(amount), err)

	_, err = btc.ParsePositive("-0.4")
	fmt.Println(err)
	// Output:
	// 40000000 <nil>
	// qredo: amount: must be more than zero, is -0.4
}

// Two times of the same moment are equal, and a time is read back as it was sent.
func ExampleTimeOf() {
	moment := time.Date(2030, 1, 2, 3, 4, 5, 678_000_000, time.FixedZone("CET", 3600))

	expires := qredo.TimeOf(moment)
	fmt.Println(expires.Format(time.RFC3339), expires == qredo.Unix(moment.Unix()))
	// Output: 2030-01-02T02:04:05Z true
}

// An answer that was kept as it came is read with the client's own tolerance.
func ExampleUnmarshal() {
	acme := startAcme() // a sandbox
	defer acme.Close()
	ctx := context.Background()

	var kept qredo.Response
	_, err := acme.Client().Assets.List(ctx, qredo.WithResponse(&kept))
	check(err)

	var answer struct {
		Assets []struct {
			Code  string `json:"code"`
			Scale int64  `json:"scale"`
		} `json:"assets"`
	}
	check(qredo.Unmarshal(kept.Body, &answer))
	fmt.Println(answer.Assets[0].Code, answer.Assets[0].Scale)
	// Output: BTC 100000000
}

// A submission can be kept as JSON: with its key the same request is sent again.
func ExampleSubmission() {
	kept, err := json.Marshal(qredo.Submission{TxID: "2r5yHUig43kiJfahqSIjOugM1yT", Status: qredo.SubmissionNew, PartnerTxID: "order-1"})
	check(err)
	fmt.Println(string(kept))

	var sent qredo.Submission
	check(json.Unmarshal(kept, &sent))
	fmt.Println(sent.PartnerTxID)
	// Output:
	// {"tx_id":"2r5yHUig43kiJfahqSIjOugM1yT","status":"new","partner_txID":"order-1"}
	// order-1
}

// A signing agent is given its secret once. It is written only where it is meant to be.
func ExampleAgentRegistration_MarshalJSONWithSecret() {
	given := qredo.AgentRegistration{ID: "agent", ClientSecret: "s3cret"} // as CoreClients.Register gives it

	kept, err := given.MarshalJSONWithSecret() // into a file that only the agent can read
	check(err)
	var back qredo.AgentRegistration
	check(json.Unmarshal(kept, &back))
	fmt.Println(string(back.ClientSecret) == "s3cret", back.ClientSecret)
	// Output: true [redacted]
}
