package approver_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/sandbox"
)

const exampleRules = `
rules:
  - name: small
    when: type == "ApproveTransfer" && asset == "BTC" && amount <= 5_000_000
    then: approve
    limits:
      - {per: wallet, window: 24h, max_amount: 8_000_000}
`

// The rule approves small transfers, up to a sum a day. Everything else is left to humans.
func Example() {
	srv, err := sandbox.Start() // in place of the service
	check(err)
	defer srv.Close()
	robot := askRobot(srv, 5_000_000, 50_000_000, 5_000_000) // a core client that is asked for three transfers
	dir, err := os.MkdirTemp("", "approver")
	check(err)
	defer func() { check(os.RemoveAll(dir)) }()

	rules, err := approver.ParseRules("rules.yaml", []byte(exampleRules)) // or LoadRules
	check(err)
	store, err := approver.OpenStore(filepath.Join(dir, "approver.db"))
	check(err)
	defer func() { check(store.Close()) }()
	log, err := approver.OpenAuditLog(filepath.Join(dir, "audit.jsonl"))
	check(err)
	defer func() { check(log.Close()) }()

	ctx, stop := context.WithCancel(context.Background())
	results := 0
	watch := approver.WithObserver(func(e approver.Entry) {
		if e.Kind == approver.EntryDecision {
			fmt.Printf("%s by rule %q\n", e.Verdict, e.Rule)
		}
		if e.Kind == approver.EntryResult {
			if results++; results == 3 {
				stop()
			}
		}
	})
	a, err := approver.New(srv.Client(), robot, rules, approver.WithStore(store), approver.WithAuditLog(log), approver.WithConcurrency(1), watch)
	check(err)
	check(a.Run(ctx)) // until ctx ends
	// Output:
	// approve by rule "small"
	// leave by rule ""
	// leave by rule "small"
}

// askRobot makes a core client that approves for a wallet, and asks it for transfers.
func askRobot(srv *sandbox.Server, amounts ...qredo.Amount) qredo.CoreClientID {
	ctx, client := context.Background(), srv.Client()
	company, err := client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Acme"})
	check(err)
	robot, err := client.CoreClients.Create(ctx, "robot")
	check(err)
	check(client.TrustedNetwork.Add(ctx, company.ID, qredo.TrustedPartyRequest{Address: string(robot.ID)}))
	group := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{qredo.TrustedEntityID(robot.ID)}}
	made, err := client.Funds.Create(ctx, company.ID, qredo.FundRequest{
		Name: "Treasury", CustodyGroupTx: group, CustodyGroupWithdraw: group,
		Wallets: []qredo.WalletRequest{{Name: "hot", Asset: "BTC"}, {Name: "cold", Asset: "BTC"}},
	})
	check(err)
	fund, err := client.Funds.Get(ctx, company.ID, made.ID)
	check(err)
	_, err = srv.Deposit(fund.Wallets[0].Address, 150_000_000)
	check(err)
	for _, amount := range amounts {
		_, err = client.Transfers.Create(ctx, company.ID, qredo.TransferRequest{
			WalletID: fund.Wallets[0].ID, Counterparty: string(fund.Wallets[1].ID),
			Expires: qredo.TimeOf(srv.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: "BTC", Amount: amount},
		})
		check(err)
	}
	return robot.ID
}

// check ends the example if something went wrong.
func check(err error) {
	if err != nil {
		panic(err)
	}
}
