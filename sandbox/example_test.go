package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/demofund"
	"github.com/qredo-go/qredo/sandbox"
)

const exchangeAddress = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"

// mustDo ends an example if something went wrong.
func mustDo(err error) {
	if err != nil {
		panic(err)
	}
}

// newTreasury makes a company with a wallet for BTC whose withdrawals Alice approves.
func newTreasury(srv *sandbox.Server) (qredo.CompanyID, qredo.Wallet) {
	ctx := context.Background()
	fund, err := demofund.New(ctx, srv, "Acme", []string{"alice@example.com"}, qredo.WalletRequest{Name: "hot", Asset: "BTC"})
	mustDo(err)
	mustDo(srv.Client().Funds.AddToWhitelist(ctx, fund.Company, fund.ID, qredo.WhitelistEntry{Asset: "BTC", Address: exchangeAddress}))
	return fund.Company, fund.Wallets[0]
}

// exampleWithdrawal is a request for a withdrawal that can be approved for an hour.
func exampleWithdrawal(srv *sandbox.Server, from qredo.WalletID) qredo.WithdrawalRequest {
	return qredo.WithdrawalRequest{
		WalletID: from, Address: exchangeAddress, PartnerTxID: "payout-1",
		Expires: qredo.TimeOf(srv.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: "BTC", Amount: 40_000_000},
	}
}

// A test starts a sandbox, uses its client, and plays the people and the chain.
func ExampleStart() {
	srv, err := sandbox.Start()
	mustDo(err)
	defer srv.Close()
	ctx, client := context.Background(), srv.Client()
	company, wallet := newTreasury(srv) // a company whose withdrawals Alice approves

	_, err = srv.Deposit(wallet.Address, 150_000_000) // as if it had come over the chain
	mustDo(err)
	sent, err := client.Transfers.Withdraw(ctx, company, exampleWithdrawal(srv, wallet.ID))
	mustDo(err)
	mustDo(srv.Approve("alice@example.com", string(sent.TxID))) // as Alice does in the app

	tx, err := client.Transfers.WaitWithdrawal(ctx, company, sent.TxID)
	mustDo(err)
	fmt.Println(tx.Status)
	// Output: approved
}

// Time passes when a test says so.
func ExampleSandbox_Advance() {
	srv, err := sandbox.Start()
	mustDo(err)
	defer srv.Close()
	ctx, client := context.Background(), srv.Client()
	company, wallet := newTreasury(srv)
	_, err = srv.Deposit(wallet.Address, 150_000_000)
	mustDo(err)
	sent, err := client.Transfers.Withdraw(ctx, company, exampleWithdrawal(srv, wallet.ID))
	mustDo(err)

	mustDo(srv.Advance(2 * time.Hour)) // nobody approves
	_, err = client.Transfers.WaitWithdrawal(ctx, company, sent.TxID)
	var ended *qredo.TxError
	if errors.As(err, &ended) {
		fmt.Println(ended.Status)
	}
	// Output: expired
}

// The answer is lost on its way, after the withdrawal was made. The client sends the request again, and is
// told of the withdrawal that is there: no second one is made.
func ExampleSandbox_SetFaults() {
	srv, err := sandbox.Start()
	mustDo(err)
	defer srv.Close()
	company, wallet := newTreasury(srv)
	_, err = srv.Deposit(wallet.Address, 150_000_000)
	mustDo(err)

	mustDo(srv.SetFaults(1, sandbox.FaultRule{
		Kind: sandbox.FaultDropAnswer, Operation: "POST /company/{company_id}/withdraw", Rate: 1, Times: 1,
	}))
	sent, err := srv.Client().Transfers.Withdraw(context.Background(), company, exampleWithdrawal(srv, wallet.ID))
	mustDo(err)
	pending, err := srv.Pending("alice@example.com")
	mustDo(err)
	fmt.Println(sent.Status, "and asked for", len(pending), "approval")
	// Output: existing and asked for 1 approval
}

// A program in another process makes the same calls over HTTP.
func ExampleControl() {
	srv, err := sandbox.Start() // in another process
	mustDo(err)
	defer srv.Close()
	_, wallet := newTreasury(srv)

	ctx := context.Background()
	control, err := sandbox.NewControl(srv.URL()) // all it needs is the URL
	mustDo(err)
	deposit, err := control.Deposit(ctx, wallet.Address, 150_000_000)
	mustDo(err)
	state, err := control.State(ctx)
	mustDo(err)
	fmt.Println(deposit.Amount, state.Totals["BTC"].Balances)
	// Output: 150000000 150000000
}

// A sandbox with a store goes on where the last one ended.
func ExampleWithStore() {
	dir, err := os.MkdirTemp("", "sandbox")
	mustDo(err)
	defer func() { mustDo(os.RemoveAll(dir)) }()

	first, err := sandbox.Start(sandbox.WithStore(dir))
	mustDo(err)
	_, wallet := newTreasury(first)
	_, err = first.Deposit(wallet.Address, 150_000_000)
	mustDo(err)
	mustDo(first.Close())

	second, err := sandbox.Start(sandbox.WithStore(dir))
	mustDo(err)
	defer second.Close()
	kept, err := second.Client().Wallets.Get(context.Background(), wallet.ID)
	mustDo(err)
	fmt.Println(kept.Balance)
	// Output: 150000000
}

// Two runs with the same seed, clock and requests have the same identifiers and addresses.
func ExampleWithSeed() {
	clock := func() time.Time { return time.Date(2023, 11, 1, 12, 0, 0, 0, time.UTC) }
	var addresses []string
	for range 2 {
		srv, err := sandbox.Start(sandbox.WithSeed(7), sandbox.WithClock(clock))
		mustDo(err)
		_, wallet := newTreasury(srv)
		addresses = append(addresses, wallet.Address)
		mustDo(srv.Close())
	}
	fmt.Println(addresses[0] == addresses[1])
	// Output: true
}

// What somebody is asked to approve says what leaves, what arrives, and what is left then.
func ExampleSandbox_Approvals() {
	srv, err := sandbox.Start()
	mustDo(err)
	defer srv.Close()
	company, wallet := newTreasury(srv)
	_, err = srv.Deposit(wallet.Address, 150_000_000)
	mustDo(err)
	_, err = srv.Client().Transfers.Withdraw(context.Background(), company, exampleWithdrawal(srv, wallet.ID))
	mustDo(err)

	waiting, err := srv.Approvals("alice@example.com", sandbox.ApprovalFilter{State: "waiting"})
	mustDo(err)
	for _, a := range waiting.Approvals {
		fmt.Println(a.Title, "of", a.Arrives.Whole, a.Asset, "from", a.Place.Name, "to", a.Payee.Address)
		fmt.Println(a.Leaves.Whole, "leaves;", a.BalanceAfter.Whole, "stays;", a.Approved, "of", a.Threshold, "have approved")
	}
	// Output:
	// Withdrawal of 0.4 BTC from hot to bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq
	// 0.4004 leaves; 1.0996 stays; 0 of 1 have approved
}
