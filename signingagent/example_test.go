package signingagent_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/demofund"
	"github.com/qredo-go/qredo/sandbox"
	"github.com/qredo-go/qredo/signingagent"
)

// A company has a fund whose custody group is an agent. The agent approves small transfers, and leaves others to people.
func Example() {
	srv, err := sandbox.Start() // in place of the service
	check(err)
	defer srv.Close()
	client, ctx := srv.Client(), context.Background()
	dir, err := os.MkdirTemp("", "agent")
	check(err)
	defer func() { check(os.RemoveAll(dir)) }()

	store := signingagent.NewFileStore(filepath.Join(dir, "agent.json"), signingagent.Passphrase("PAEBYi3sBZEw8PMKQwQZ"))
	_, err = signingagent.Register(ctx, client, store, "payouts", signingagent.WithPIN(4711)) // once
	check(err)
	agent, err := signingagent.Open(ctx, store, signingagent.WithClient(client), signingagent.WithPIN(4711)) // at each start
	check(err)
	fund, err := demofund.New(ctx, srv, "Acme", []string{string(agent.ID())}, qredo.WalletRequest{Name: "from", Asset: "BTC"}, qredo.WalletRequest{Name: "to", Asset: "BTC"})
	check(err)
	from, to := fund.Wallets[0], fund.Wallets[1]
	_, err = srv.Deposit(from.Address, 100_000_000)
	check(err)

	rules, err := approver.ParseRules("rules.yaml", fmt.Appendf(nil, `
rules:
  - name: small
    when: type == "ApproveTransfer" && wallet == %q && asset == "BTC" && net_amount <= "0.05 BTC"
    then: approve
    limits: [{per: wallet, window: 24h, max_amount: 0.5 BTC}]
`, from.ID))
	check(err)
	ctx, stop := context.WithCancel(ctx)
	results := 0
	a, err := agent.NewApprover(rules, approver.WithConcurrency(1), approver.WithObserver(func(e approver.Entry) {
		if e.Kind == approver.EntryResult {
			fmt.Println(e.Verdict, e.Outcome)
			if results++; results == 2 {
				stop()
			}
		}
	}))
	check(err)
	for _, amount := range []qredo.Amount{5_000_000, 50_000_000} {
		_, err := client.Transfers.Create(ctx, fund.Company, qredo.TransferRequest{
			WalletID: from.ID, Counterparty: string(to.ID), Expires: qredo.TimeOf(srv.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: "BTC", Amount: amount},
		})
		check(err)
	}
	check(a.Run(ctx)) // until ctx ends
	// Output:
	// approve sent
	// leave left
}

// The agent of the old program is taken over with its ID, so that custody groups stay as they are. A key seals it now, which may be
// in an HSM.
func ExampleImport() {
	dir, err := os.MkdirTemp("", "agent")
	check(err)
	defer func() { check(os.RemoveAll(dir)) }()
	srv, err := sandbox.Start()
	check(err)
	defer srv.Close()
	ctx := context.Background()
	old := signingagent.OpenOldStore(filepath.Join(dir, "ccstore.db"))
	before, err := signingagent.Register(ctx, srv.Client(), old, "payouts") // as the old program has
	check(err)

	_, key, err := ed25519.GenerateKey(nil)
	check(err)
	store := signingagent.NewFileStore(filepath.Join(dir, "agent.json"), signingagent.SignerKey(key))
	_, err = signingagent.Import(ctx, old, store)
	check(err)
	agent, err := signingagent.Open(ctx, store, signingagent.WithClient(srv.Client()))
	check(err)
	fmt.Println(agent.Name(), agent.ID() == before.ID())
	// Output: payouts true
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
