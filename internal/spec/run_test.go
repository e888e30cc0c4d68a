package spec

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// TestSpecEveryOperation does with the client, against the sandbox, all that the API can do. An operation
// counts when a method names it and it was called with success; each request and answer is held against
// the document on its way.
func TestSpecEveryOperation(t *testing.T) {
	checker := Partner.New()
	r := newRun(t, checker)
	r.assets()
	r.company()
	r.trustedNetwork()
	r.fund()
	r.moneyArrives()
	r.transfers()
	r.wallets()
	r.swaps()
	r.sweeps()
	r.signatures()
	r.signingAgent()

	for _, violation := range checker.Violations() {
		t.Error(violation)
	}
	methods, called, done := methodsOf(t), checker.Called(), 0
	for _, op := range Partner.Operations() {
		if assert.NotZero(t, called[op], "%s was not called", op) && len(methods[op.String()]) > 0 {
			done++
		}
	}
	assert.Equal(t, len(publishedStatuses), done)
	t.Logf("%d/%d operations", done, len(publishedStatuses))
	fmt.Fprintf(os.Stdout, "%d/%d operations\n", done, len(publishedStatuses))
}

// run is a company that is run by two core clients: the robot approves, the desk is a counterparty.
type run struct {
	*testing.T
	srv    *sandbox.Server
	http   *http.Client
	client *qredo.Client

	robot, desk *qredo.CoreClient
	companyID   qredo.CompanyID
	fundID      qredo.FundID
	btc, eth    qredo.WalletID // of the fund
	other       qredo.WalletID // of the fund too, for BTC, with custody groups of its own
}

const (
	address = "tb1qvault"
	coin    = qredo.Amount(100_000_000)
)

func newRun(t *testing.T, checker *Checker, opts ...sandbox.Option) *run {
	srv, err := sandbox.Start(opts...)
	require.NoError(t, err)
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		require.NoError(t, srv.Close())
	})
	client := &http.Client{Transport: checker.Transport(transport)}
	return &run{T: t, srv: srv, http: client, client: srv.Client(qredo.WithHTTPClient(client))}
}

func (r *run) expires() qredo.Time { return qredo.TimeOf(r.srv.Now().Add(time.Hour)) }

// must returns what a method returned, and ends the test if that is an error.
func must[T any](v T, err error) func(t *run) T {
	return func(t *run) T {
		t.Helper()
		require.NoError(t, err)
		return v
	}
}

// filled is must for lists: only one with something in it shows the form of its elements.
func filled[T any](list []T, err error) func(t *run) []T {
	return func(t *run) []T {
		t.Helper()
		require.NoError(t, err)
		require.NotEmpty(t, list)
		return list
	}
}

func (r *run) ok(err error) {
	r.Helper()
	require.NoError(r, err)
}

func (r *run) assets() {
	ctx := r.Context()
	filled(r.client.Assets.List(ctx))(r)
	for _, kind := range []qredo.FeeType{qredo.FeeWithdraw, qredo.FeeTransferOut, qredo.FeeSwap} {
		must(r.client.Assets.GetFees(ctx, qredo.FeesRequest{Type: kind, Asset: "BTC", Amount: 2800}))(r)
	}
}

func (r *run) company() {
	ctx, companies := r.Context(), r.client.Companies
	req := qredo.CompanyRequest{Name: "Acme", City: "Oslo", Country: "NO", Domain: "acme.example", Ref: "1"}
	r.companyID = must(companies.Create(ctx, req))(r).ID
	must(companies.Update(ctx, r.companyID, qredo.CompanyUpdate{Country: "USA"}))(r)
	must(companies.Get(ctx, r.companyID))(r)
	filled(companies.Search(ctx, "ac"))(r)
	filled(companies.List(ctx))(r)
}

func (r *run) trustedNetwork() {
	ctx, network := r.Context(), r.client.TrustedNetwork
	r.robot = must(r.client.CoreClients.Create(ctx, "robot"))(r)
	r.desk = must(r.client.CoreClients.Create(ctx, "desk"))(r)
	filled(r.client.CoreClients.List(ctx))(r)
	must(r.srv.CreateUser(sandbox.User{Email: "ann@acme.example", FirstName: "Ann", LastName: "Lee"}))(r)
	for _, who := range []string{string(r.robot.ID), "ann@acme.example"} {
		r.ok(network.Add(ctx, r.companyID, qredo.TrustedPartyRequest{Address: who}))
	}
	r.ok(r.srv.Accept("ann@acme.example", r.companyID))
	for _, party := range filled(network.List(ctx, r.companyID))(r) {
		if party.Type == qredo.TrustedPartyUser {
			r.ok(network.Remove(ctx, r.companyID, party.ID))
			r.ok(network.Add(ctx, r.companyID, qredo.TrustedPartyRequest{Address: party.Address}))
			r.ok(r.srv.Accept(party.Address, r.companyID))
		}
	}
}

// approvers is a custody group of the robot, with a user who need not be asked.
func (r *run) approvers() *qredo.CustodyGroup {
	group := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{qredo.TrustedEntityID(r.robot.ID)}}
	for _, party := range filled(r.client.TrustedNetwork.List(r.Context(), r.companyID))(r) {
		if party.Type == qredo.TrustedPartyUser {
			group.Members = append(group.Members, party.ID)
		}
	}
	return group
}

func (r *run) fund() {
	ctx, funds, group := r.Context(), r.client.Funds, r.approvers()
	made := must(funds.Create(ctx, r.companyID, qredo.FundRequest{
		Name: "Treasury", Description: "all of it", CustodyGroupWithdraw: group, CustodyGroupTx: group,
		Wallets: []qredo.WalletRequest{{Name: "main", Asset: "BTC"}},
	}))(r)
	r.fundID = made.ID
	r.eth = filled(funds.AddAssets(ctx, r.companyID, r.fundID, []qredo.AssetCode{"ETH"}))(r)[0]
	r.other = filled(funds.AddWallets(ctx, r.companyID, r.fundID, []qredo.WalletRequest{
		{Name: "other", Asset: "BTC", CustodyGroupWithdraw: group, CustodyGroupTx: group},
	}))(r)[0]
	filled(funds.Search(ctx, r.companyID, "treas"))(r)
	entry := qredo.WhitelistEntry{Asset: "BTC", Address: address, Name: "vault"}
	r.ok(funds.AddToWhitelist(ctx, r.companyID, r.fundID, entry))
	filled(funds.ListWhitelist(ctx, r.companyID, r.fundID, qredo.WhitelistOptions{Address: address, Asset: "BTC"}))(r)
	fund := must(funds.Get(ctx, r.companyID, r.fundID))(r)
	require.Len(r, fund.Wallets, 3)
	require.NotEmpty(r, fund.Members)
	r.btc = fund.Wallets[0].ID
}

func (r *run) moneyArrives() {
	ctx, funds := r.Context(), r.client.Funds
	for _, a := range filled(funds.ListDepositAddresses(ctx, r.companyID, r.fundID))(r) {
		must(r.srv.Deposit(a.Address, 10*coin))(r)
	}
	page := must(funds.ListLedger(ctx, r.companyID, r.fundID, qredo.LedgerOptions{
		Asset: "BTC", WalletID: r.btc, Direction: qredo.DirectionIn, Offset: 0, Limit: 10,
	}))(r)
	require.NotEmpty(r, page.Entries)
	filled(r.client.Companies.ListHoldings(ctx, r.companyID))(r)
}

// settle has a core client approve or reject the action of a transaction.
func (r *run) settle(who *qredo.CoreClient, txID qredo.TxID, vote func(qredo.ActionID) error) {
	r.Helper()
	ctx := r.Context()
	for _, action := range filled(r.client.CoreClients.ListActions(ctx, who.ID))(r) {
		if action.Status != qredo.ApprovalPending {
			continue
		}
		if full := must(r.client.CoreClients.GetAction(ctx, who.ID, action.ID))(r); full.Details.TxID == txID {
			r.ok(vote(action.ID))
			return
		}
	}
	r.Fatalf("%s has no action for %s", who.Name, txID)
}

func (r *run) approve(txID qredo.TxID) {
	r.Helper()
	r.settle(r.robot, txID, func(id qredo.ActionID) error { return r.client.CoreClients.Approve(r.Context(), r.robot.ID, id) })
}

func (r *run) reject(txID qredo.TxID) {
	r.Helper()
	r.settle(r.robot, txID, func(id qredo.ActionID) error { return r.client.CoreClients.Reject(r.Context(), r.robot.ID, id) })
}

func (r *run) transfers() {
	ctx, transfers := r.Context(), r.client.Transfers
	transfer := qredo.TransferRequest{
		WalletID: r.btc, Counterparty: string(r.other), Reference: "rent", BenefitOf: "us", AccountNo: "7",
		PartnerTxID: "t-1", AuthorizeID: r.robot.ID, Expires: r.expires(), Send: qredo.AssetAmount{Asset: "BTC", Amount: coin},
	}
	sent := must(transfers.Create(ctx, r.companyID, transfer))(r)
	again := must(transfers.Create(ctx, r.companyID, transfer))(r)
	assert.Equal(r, qredo.SubmissionExisting, again.Status)
	must(transfers.Get(ctx, r.companyID, sent.TxID))(r)
	r.approve(sent.TxID) // as the one who must authorise it
	r.approve(sent.TxID)
	must(transfers.Wait(ctx, r.companyID, sent.TxID))(r)

	withdrawal := qredo.WithdrawalRequest{
		WalletID: r.btc, Address: address, Reference: "vault", BenefitOf: "us", AccountNo: "7",
		PartnerTxID: "w-1", Expires: r.expires(), Send: qredo.AssetAmount{Asset: "BTC", Amount: coin},
	}
	out := must(transfers.Withdraw(ctx, r.companyID, withdrawal))(r)
	r.approve(out.TxID)
	must(transfers.WaitWithdrawal(ctx, r.companyID, out.TxID))(r)
	withdrawal.PartnerTxID = "w-2"
	refused := must(transfers.Withdraw(ctx, r.companyID, withdrawal))(r)
	r.reject(refused.TxID)
	must(transfers.GetWithdrawal(ctx, r.companyID, refused.TxID))(r)
	for entry, err := range r.client.Funds.LedgerAll(ctx, r.companyID, r.fundID, qredo.LedgerOptions{}) {
		r.ok(err)
		require.NotZero(r, entry.Amount)
	}
}

func (r *run) wallets() {
	ctx, wallets := r.Context(), r.client.Wallets
	wallet := must(wallets.Get(ctx, r.other))(r)
	filled(wallets.ListHistory(ctx, r.btc, qredo.HistoryOptions{Since: qredo.Unix(1)}))(r)
	for _, kind := range []qredo.MaxType{qredo.MaxTransfer, qredo.MaxWithdraw, qredo.MaxSwap} {
		must(wallets.GetMaxAmount(ctx, r.btc, qredo.MaxAmountOptions{Pending: true, Type: kind}))(r)
	}
	members := r.approvers().Members
	for _, update := range []qredo.PolicyRequest{
		{PolicyID: wallet.CustodyGroupTx, Threshold: 1, Members: members[:1], Type: qredo.PolicyTx},
		{PolicyID: wallet.CustodyGroupWithdraw, Threshold: 1, Members: members[:1], Type: qredo.PolicyWithdraw},
	} {
		r.ok(wallets.UpdatePolicy(ctx, r.companyID, r.fundID, r.other, update))
	}
	locked := must(wallets.Get(ctx, r.other))(r)
	assert.True(r, locked.PolicyTx.Locked)
	r.approve(locked.PolicyTx.LockedTxID)
	r.approve(locked.PolicyWithdraw.LockedTxID)
	r.ok(r.srv.ListExchange(qredo.Exchange{
		ID: string(r.desk.ID), Name: "Desk", URL: "https://desk.example", LogoURL: "https://desk.example/logo",
		Client: qredo.ExchangeClient{Fields: []qredo.ExchangeField{{ID: "1", Type: "text", Name: "account"}}},
	}))
	filled(wallets.ListExchanges(ctx))(r)
}

// hexOf is hexadecimal text for the given number of bytes.
func hexOf(bytes int) string { return strings.Repeat("ab", bytes) }
