package qredo_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"errors"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/agentcrypto"
	"github.com/qredo-go/qredo/sandbox"
)

func ExampleCompaniesService_Create() {
	srv, err := sandbox.Start()
	check(err)
	defer srv.Close()
	ctx, client := context.Background(), srv.Client()

	made, err := client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Acme", Country: "FR", Ref: "customer-17"})
	check(err)
	company, err := client.Companies.Get(ctx, made.ID)
	check(err)
	fmt.Println(company.Name, company.Country, company.Ref)
	// Output: Acme FR customer-17
}

func ExampleCompaniesService_ListHoldings() {
	acme := startAcme() // a sandbox with a company whose fund has four wallets
	defer acme.Close()

	holdings, err := acme.Client().Companies.ListHoldings(context.Background(), acme.company)
	check(err)
	for _, h := range holdings { // over all funds, in base units
		fmt.Println(h.Asset, h.Amount)
	}
	// Output:
	// BTC 150000000
	// ETH 20000000000
}

// People accept in the app before they can be named as approvers.
func ExampleTrustedNetworkService_Add() {
	acme := startAcme() // a sandbox with a company that trusts Alice
	defer acme.Close()
	ctx, client := context.Background(), acme.Client()

	_, err := acme.CreateUser(sandbox.User{Email: "bob@example.com"}) // Bob has the app
	check(err)
	check(client.TrustedNetwork.Add(ctx, acme.company, qredo.TrustedPartyRequest{Address: "bob@example.com"}))
	check(acme.Accept("bob@example.com", acme.company)) // as Bob does in the app

	trusted, err := client.TrustedNetwork.List(ctx, acme.company)
	check(err)
	for _, party := range trusted {
		fmt.Println(party.Type, party.Address)
	}
	// Unordered output:
	// user alice@example.com
	// user bob@example.com
}

// A fund names who approves what leaves its wallets.
func ExampleFundsService_Create() {
	acme := startAcme() // a sandbox with a company that trusts Alice
	defer acme.Close()
	ctx, client := context.Background(), acme.Client()

	trusted, err := client.TrustedNetwork.List(ctx, acme.company)
	check(err)
	approvers := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{trusted[0].ID}}
	made, err := client.Funds.Create(ctx, acme.company, qredo.FundRequest{
		Name: "Payouts", CustodyGroupTx: approvers, CustodyGroupWithdraw: approvers,
		Wallets: []qredo.WalletRequest{{Name: "Euro", Asset: "USDC"}},
	})
	check(err)
	fund, err := client.Funds.Get(ctx, acme.company, made.ID)
	check(err)
	fmt.Println(fund.Name, "has", len(fund.Wallets), "wallet;", fund.PolicyWithdraw.Threshold, "must approve")
	// Output: Payouts has 1 wallet; 1 must approve
}

// The pages of the ledger are fetched as the loop needs them.
func ExampleFundsService_LedgerAll() {
	acme := startAcme() // a sandbox with a company and its fund, which has had deposits
	defer acme.Close()
	ctx, client := context.Background(), acme.Client()

	for entry, err := range client.Funds.LedgerAll(ctx, acme.company, acme.fund, qredo.LedgerOptions{Asset: "BTC"}) {
		check(err)
		fmt.Println(entry.Type, entry.Amount, entry.Asset)
	}
	// Output: deposit 150000000 BTC
}

func ExampleWalletsService_GetMaxAmount() {
	acme := startAcme() // a sandbox with a wallet that has 1.5 BTC
	defer acme.Close()
	ctx, client := context.Background(), acme.Client()

	most, err := client.Wallets.GetMaxAmount(ctx, acme.hot, qredo.MaxAmountOptions{Type: qredo.MaxWithdraw})
	check(err)
	fmt.Println(most.NetAmount, "can be sent,", most.Fees, "are the fees")
	// Output: 149850149 can be sent, 149851 are the fees
}

func ExampleWalletsService_ListHistory() {
	acme := startAcme() // a sandbox with a wallet that has 1.5 BTC
	defer acme.Close()
	ctx, client := context.Background(), acme.Client()

	sent, err := client.Transfers.Create(ctx, acme.company, acme.transfer(40_000_000, "payout-1"))
	check(err)
	check(acme.Approve("alice@example.com", string(sent.TxID))) // as Alice does in the app

	history, err := client.Wallets.ListHistory(ctx, acme.hot, qredo.HistoryOptions{})
	check(err)
	for _, moved := range history { // what left the wallet is negative
		fmt.Println(moved.Amount)
	}
	// Unordered output:
	// 150000000
	// -40040000
}

// With a PartnerTxID of your own, sending a request again cannot pay twice.
func ExampleTransfersService_Create() {
	acme := startAcme() // a sandbox with two wallets, hot and cold
	defer acme.Close()
	ctx, client := context.Background(), acme.Client()

	request := qredo.TransferRequest{
		WalletID: acme.hot, Counterparty: string(acme.cold), PartnerTxID: "payout-2041",
		Expires: qredo.TimeOf(time.Now().Add(time.Hour)), // until when it can be approved
		Send:    qredo.AssetAmount{Asset: "BTC", Amount: 40_000_000},
	}
	first, err := client.Transfers.Create(ctx, acme.company, request)
	check(err)
	second, err := client.Transfers.Create(ctx, acme.company, request)
	check(err)
	fmt.Println(first.Status, second.Status, first.TxID == second.TxID)
	// Output: new existing true
}

func ExampleTransfersService_Wait() {
	acme := startAcme() // a sandbox
	defer acme.Close()
	ctx, client := context.Background(), acme.Client()

	sent, err := client.Transfers.Create(ctx, acme.company, acme.transfer(40_000_000, "payout-1"))
	check(err)
	check(acme.Approve("alice@example.com", string(sent.TxID))) // as Alice does in the app

	ctx, cancel := context.WithTimeout(ctx, time.Minute) // Wait looks until ctx ends
	defer cancel()
	tx, err := client.Transfers.Wait(ctx, acme.company, sent.TxID, qredo.WithPollInterval(5*time.Second))
	check(err)
	fmt.Println(tx.Status, tx.ApprovedCount, "of", tx.ThresholdRequired)
	// Output: approved 1 of 1
}

// An address has to be on the fund's whitelist first.
func ExampleTransfersService_Withdraw() {
	acme := startAcme() // a sandbox
	defer acme.Close()
	ctx, client := context.Background(), acme.Client()

	const address = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
	check(client.Funds.AddToWhitelist(ctx, acme.company, acme.fund, qredo.WhitelistEntry{Asset: "BTC", Address: address, Name: "exchange"}))
	sent, err := client.Transfers.Withdraw(ctx, acme.company, qredo.WithdrawalRequest{
		WalletID: acme.hot, Address: address, PartnerTxID: "withdrawal-7",
		Expires: qredo.TimeOf(time.Now().Add(time.Hour)),
		Send:    qredo.AssetAmount{Asset: "BTC", Amount: 40_000_000},
	})
	check(err)
	check(acme.Approve("alice@example.com", string(sent.TxID))) // as Alice does in the app
	tx, err := client.Transfers.WaitWithdrawal(ctx, acme.company, sent.TxID)
	check(err)
	fmt.Println(tx.Status)
	// Output: approved
}

// A swap is offered by one side and taken by the other; here one company plays both.
func ExampleSwapsService_Make() {
	acme := startAcme() // a sandbox with two wallets for BTC and two for ETH
	defer acme.Close()
	ctx, client := context.Background(), acme.Client()

	offer, err := client.Swaps.Make(ctx, acme.company, qredo.SwapRequest{
		SendWalletID: acme.hot, ReceiveWalletID: acme.ether, Reference: "quote 5", Expires: qredo.TimeOf(time.Now().Add(time.Hour)),
		Send: qredo.AssetAmount{Asset: "BTC", Amount: 10_000_000}, Receive: qredo.AssetAmount{Asset: "ETH", Amount: 2_000_000_000},
	})
	check(err)
	check(acme.Approve("alice@example.com", string(offer.TxID))) // for the maker
	taken, err := client.Swaps.Take(ctx, acme.company, qredo.TakeRequest{
		SwapID: offer.TxID, SendWalletID: acme.other, ReceiveWalletID: acme.cold, Reference: "quote 5",
	})
	check(err)
	check(acme.Approve("alice@example.com", string(taken.TxID))) // for the taker

	tx, err := client.Swaps.WaitMake(ctx, acme.company, offer.TxID)
	check(err)
	fmt.Println(tx.Status)
	// Output: taker_approved
}

// A core client is a program that approves. It looks at the details before it does.
func ExampleCoreClientsService_Approve() {
	acme := startAcme() // a sandbox
	defer acme.Close()
	ctx, client := context.Background(), acme.Client()
	robot := acme.hireRobot() // a core client that approves for a fund, with a transfer that waits for it

	actions, err := client.CoreClients.ListActions(ctx, robot)
	check(err)
	for _, pending := range actions {
		action, err := client.CoreClients.GetAction(ctx, robot, pending.ID) // with its details
		check(err)
		if action.Details.Amount > 5_000_000 {
			check(client.CoreClients.Reject(ctx, robot, action.ID))
			continue
		}
		check(client.CoreClients.Approve(ctx, robot, action.ID))
		fmt.Println("approved", action.Type, action.Details.Amount)
	}
	// Output: approved ApproveTransfer 1001000
}

// A signing agent holds its own keys: it signs what an action would do, and by that approves it.
func ExampleSigningAgentService_Approve() {
	acme := startAcme() // a sandbox
	defer acme.Close()
	ctx := context.Background()
	key, err := agentcrypto.NewKey([]byte("48 random bytes, which nobody but the agent has."))
	check(err)
	registration, err := acme.Client().CoreClients.Register(ctx, qredo.AgentRequest{
		Name: "vault", BLSPublicKey: hex.EncodeToString(key.PublicKey().Bytes()), ECPublicKey: hex.EncodeToString(key.ECPublicKey()),
	})
	check(err)
	auth, err := proofAuth(registration)
	check(err)
	agent, err := qredo.NewClient(auth, qredo.WithBaseURL(acme.BaseURL()))
	check(err)
	sign := func(text string) string {
		message, err := hex.DecodeString(text)
		check(err)
		return hex.EncodeToString(key.Sign(message))
	}
	_, err = agent.SigningAgent.Finish(ctx, sign(registration.IDDocument))
	check(err)

	acme.askForApproval(registration.ID) // a transfer that waits for the agent
	for action, err := range agent.SigningAgent.Feed(ctx) {
		check(err)
		messages, err := agent.SigningAgent.GetMessages(ctx, action.ID)
		check(err)
		signatures := make([]string, len(messages))
		for i, message := range messages {
			signatures[i] = sign(message)
		}
		check(agent.SigningAgent.Approve(ctx, action.ID, signatures))
		fmt.Println("approved", action.Type)
		break
	}
	// Output: approved ApproveTransfer
}

// proofAuth makes the proofs of an agent without a PIN from the secret that it received once.
func proofAuth(registration *qredo.AgentRegistration) (*qredo.ProofAuth, error) {
	id, err := hex.DecodeString(registration.ClientID)
	check(err)
	given, err := hex.DecodeString(string(registration.ClientSecret))
	check(err)
	secret, err := agentcrypto.ParseClientSecret(given)
	check(err)
	token, err := secret.Token(id, 0)
	check(err)
	prover, err := agentcrypto.NewProver(id, token, 0)
	check(err)
	return qredo.NewProofAuth(func(_, _ string, _ []byte, now time.Time) (string, error) { return prover.Header(now), nil })
}

// What people write becomes base units, exactly or not at all.
func ExampleAsset_Parse() {
	btc := qredo.Asset{Code: "BTC", Scale: 100_000_000} // as Assets.Find gives it

	amount, err := btc.Parse("0.4")
	fmt.Println(int64(amount), "satoshi", err)

	_, err = btc.Parse("0.000000001")
	fmt.Println(err)
	// Output:
	// 40000000 satoshi <nil>
	// qredo: amount: 0.000000001 has more than the 8 decimals of BTC
}

func ExampleAsset_Format() {
	btc := qredo.Asset{Code: "BTC", UnitCode: "BTC", Scale: 100_000_000}

	fmt.Println(btc.Format(150_000_000), btc.UnitCode)
	fmt.Println(btc.Format(-1), btc.UnitCode)
	// Output:
	// 1.5 BTC
	// -0.00000001 BTC
}

// The list of assets does not change often: look the asset up once and keep it.
func ExampleAssetsService_Find() {
	acme := startAcme() // a sandbox
	defer acme.Close()
	ctx, client := context.Background(), acme.Client()

	ether, err := client.Assets.Find(ctx, "ETH")
	check(err)
	fmt.Println(ether.Name, "counts", ether.Scale, "to the", ether.UnitCode)

	_, err = client.Assets.Find(ctx, "NONE")
	fmt.Println(errors.Is(err, qredo.ErrNotFound))
	// Output:
	// Ethereum counts 1000000000 to the ETH
	// true
}

// Ask what a transfer costs: the service sets the rates and may change them. The fee comes on top of the amount that
// arrives.
func ExampleAssetsService_GetFees() {
	acme := startAcme() // a sandbox
	defer acme.Close()
	ctx, client := context.Background(), acme.Client()

	fees, err := client.Assets.GetFees(ctx, qredo.FeesRequest{Type: qredo.FeeTransferOut, Asset: "BTC", Amount: 40_000_000})
	check(err)
	fmt.Println(fees.NetAmount, "arrive,", fees.AmountToSend, "leave the wallet")
	// Output: 40000000 arrive, 40040000 leave the wallet
}
