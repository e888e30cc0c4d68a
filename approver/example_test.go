package approver_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/demofund"
	"github.com/qredo-go/qredo/sandbox"
)

const exampleRules = `
rules:
  - name: small
    when: type == "ApproveTransfer" && asset == "BTC" && net_amount <= 5_000_000
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

// A shadow shows what a policy would do. Nothing is voted on.
func ExampleWithShadow() {
	srv, err := sandbox.Start()
	check(err)
	defer srv.Close()
	robot := askRobot(srv, 5_000_000, 50_000_000)
	rules, err := approver.ParseRules("rules.yaml", []byte(exampleRules))
	check(err)
	ctx, stop := context.WithCancel(context.Background())
	seen := 0
	a, err := approver.New(srv.Client(), robot, rules, approver.WithShadow(), approver.WithConcurrency(1),
		approver.WithObserver(func(e approver.Entry) {
			fmt.Printf("would %s: %s\n", e.Verdict, e.Reason)
			if seen++; seen == 2 {
				stop()
			}
		}))
	check(err)
	check(a.Run(ctx))
	actions, err := srv.Client().CoreClients.ListActions(context.Background(), robot)
	check(err)
	fmt.Println(actions[0].Status, actions[1].Status)
	// Output:
	// would approve: type == "ApproveTransfer" && asset == "BTC" && net_amount <= 5_000_000
	// would leave: no rule matches
	// pending pending
}

// Explain tells of one action what would be decided, and what each rule says about it.
func ExampleApprover_Explain() {
	srv, err := sandbox.Start()
	check(err)
	defer srv.Close()
	robot := askRobot(srv, 6_000_000)
	rules, err := approver.ParseRules("rules.yaml", []byte(`
rules:
  - name: large
    when: amount > 10_000_000
    then: leave
  - name: transfers
    when: type == "ApproveTransfer" && asset in ["BTC", "ETH"]
    then: approve
`))
	check(err)
	a, err := approver.New(srv.Client(), robot, rules)
	check(err)
	ctx := context.Background()
	actions, err := srv.Client().CoreClients.ListActions(ctx, robot)
	check(err)
	explained, err := a.Explain(ctx, actions[0].ID)
	check(err)
	fmt.Println("amount:", explained.Values["amount"])
	fmt.Print(explained)
	// Output:
	// amount: 6006000
	// approve: type == "ApproveTransfer" && asset in ["BTC", "ETH"]
	//   it moves amount 6006000, asset BTC
	//   rule "large" in line 3 does not match: amount > 10_000_000
	//   rule "transfers" in line 6 matches and decides: type == "ApproveTransfer" && asset in ["BTC", "ETH"]
}

// Each line of an audit log holds the one before. The log's head, kept elsewhere, shows that none was cut off.
func ExampleVerifyLog() {
	dir, err := os.MkdirTemp("", "approver")
	check(err)
	defer func() { check(os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "audit.jsonl")
	head := decideInShadow(path, 5_000_000, 50_000_000)

	log, err := os.ReadFile(path)
	check(err)
	fmt.Println("as written:", approver.VerifyLog(bytes.NewReader(log), approver.WithHead(head)))
	altered := bytes.Replace(log, []byte("leave"), []byte("approve"), 1)
	fmt.Println("altered:", approver.VerifyLog(bytes.NewReader(altered)))
	first, _, _ := bytes.Cut(log, []byte("\n"))
	fmt.Println("cut:", approver.VerifyLog(bytes.NewReader(append(first, '\n')), approver.WithHead(head)))
	// Output:
	// as written: <nil>
	// altered: approver: audit log: line 2 was altered: its hash is not that of its content
	// cut: approver: audit log: line 2 is missing: the log had 2 lines once
}

// decideInShadow writes an audit log of what would be decided about transfers.
func decideInShadow(path string, amounts ...qredo.Amount) approver.Head {
	srv, err := sandbox.Start()
	check(err)
	defer srv.Close()
	rules, err := approver.ParseRules("rules.yaml", []byte(exampleRules))
	check(err)
	log, err := approver.OpenAuditLog(path)
	check(err)
	ctx, stop := context.WithCancel(context.Background())
	watch := approver.WithObserver(func(e approver.Entry) {
		if e.Seq == int64(len(amounts)) {
			stop()
		}
	})
	a, err := approver.New(srv.Client(), askRobot(srv, amounts...), rules,
		approver.WithShadow(), approver.WithConcurrency(1), approver.WithAuditLog(log), watch)
	check(err)
	check(a.Run(ctx))
	head := log.Head()
	check(log.Close())
	return head
}

// askRobot makes a core client that approves for a wallet, and asks it for transfers.
func askRobot(srv *sandbox.Server, amounts ...qredo.Amount) qredo.CoreClientID {
	ctx, client := context.Background(), srv.Client()
	robot, err := client.CoreClients.Create(ctx, "robot")
	check(err)
	fund, err := demofund.New(ctx, srv, "Acme", []string{string(robot.ID)},
		qredo.WalletRequest{Name: "hot", Asset: "BTC"}, qredo.WalletRequest{Name: "cold", Asset: "BTC"})
	check(err)
	_, err = srv.Deposit(fund.Wallets[0].Address, 150_000_000)
	check(err)
	for _, amount := range amounts {
		_, err = client.Transfers.Create(ctx, fund.Company, qredo.TransferRequest{
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
