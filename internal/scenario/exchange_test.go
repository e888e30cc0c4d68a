package scenario_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	alice = "alice@example.com"
	bob   = "bob@example.com"
	carol = "carol@example.com"

	btc    qredo.AssetCode = "BTC-TESTNET"
	payout string          = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
)

// exchange is a user of the module: a company, its people and a fund with two wallets, and the client to call them with.
type exchange struct {
	t                 *testing.T
	client            *qredo.Client
	service           *sandbox.Sandbox
	company           qredo.CompanyID
	fund              qredo.FundID
	members           []qredo.TrustedEntityID // alice, bob, carol
	treasury, trading qredo.Wallet
}

// start serves a sandbox for as long as a test runs.
func start(t *testing.T, opts ...sandbox.Option) *sandbox.Server {
	t.Helper()
	srv, err := sandbox.Start(opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, srv.Close()) })
	return srv
}

// newExchange sets an exchange up through the client. Threshold of the three people approve transfers, and
// withdrawals.
func newExchange(t *testing.T, client *qredo.Client, service *sandbox.Sandbox, threshold int) *exchange {
	t.Helper()
	ctx := t.Context()
	x := &exchange{t: t, client: client, service: service}
	made, err := client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Acme Exchange", Domain: "acme.example", Ref: t.Name()})
	require.NoError(t, err)
	x.company = made.ID
	for _, email := range []string{alice, bob, carol} {
		_, err := service.CreateUser(sandbox.User{Email: email})
		require.NoError(t, err)
		require.NoError(t, client.TrustedNetwork.Add(ctx, x.company, qredo.TrustedPartyRequest{Address: email}))
		require.NoError(t, service.Accept(email, x.company))
	}
	parties, err := client.TrustedNetwork.List(ctx, x.company)
	require.NoError(t, err)
	for _, p := range parties {
		x.members = append(x.members, p.ID)
	}
	require.Len(t, x.members, 3)
	group := &qredo.CustodyGroup{Threshold: threshold, Members: x.members}
	fund, err := client.Funds.Create(ctx, x.company, qredo.FundRequest{
		Name: "Client assets", CustodyGroupWithdraw: group, CustodyGroupTx: group,
		Wallets: []qredo.WalletRequest{{Name: "Treasury", Asset: btc}, {Name: "Trading", Asset: btc}},
	})
	require.NoError(t, err)
	x.fund = fund.ID
	detail, err := client.Funds.Get(ctx, x.company, x.fund)
	require.NoError(t, err)
	require.Len(t, detail.Wallets, 2)
	x.treasury, x.trading = detail.Wallets[0], detail.Wallets[1]
	require.NoError(t, client.Funds.AddToWhitelist(ctx, x.company, x.fund, qredo.WhitelistEntry{Asset: btc, Address: payout}))
	_, err = service.Deposit(x.treasury.Address, 1_000_000)
	require.NoError(t, err)
	return x
}

// connectedWallet is a dedicated wallet that is connected to a core client of the same account.
func (x *exchange) connectedWallet() *qredo.Wallet {
	x.t.Helper()
	ctx := x.t.Context()
	desk, err := x.client.CoreClients.Create(ctx, "Desk")
	require.NoError(x.t, err)
	made, err := x.client.Funds.AddWallets(ctx, x.company, x.fund, []qredo.WalletRequest{
		{Name: "At the desk", Asset: btc, Type: qredo.WalletDedicated, Connect: []qredo.ConnectRequest{{CounterpartyID: string(desk.ID)}}},
	})
	require.NoError(x.t, err)
	actions, err := x.client.CoreClients.ListActions(ctx, desk.ID)
	require.NoError(x.t, err)
	require.Len(x.t, actions, 1)
	require.NoError(x.t, x.client.CoreClients.Approve(ctx, desk.ID, actions[0].ID))
	wallet, err := x.client.Wallets.Get(ctx, made[0])
	require.NoError(x.t, err)
	return wallet
}

// transfer asks for a transfer from treasury to trading that can be approved for ten minutes.
func (x *exchange) transfer(amount qredo.Amount) qredo.TxID {
	x.t.Helper()
	sent, err := x.client.Transfers.Create(x.t.Context(), x.company, qredo.TransferRequest{
		WalletID: x.treasury.ID, Counterparty: string(x.trading.ID),
		Expires: qredo.TimeOf(x.service.Now().Add(10 * time.Minute)), Send: qredo.AssetAmount{Asset: btc, Amount: amount},
	})
	require.NoError(x.t, err)
	require.Equal(x.t, qredo.SubmissionNew, sent.Status)
	return sent.TxID
}

// withdrawal asks for a withdrawal from treasury that can be approved for ten minutes.
func (x *exchange) withdrawal(amount qredo.Amount) qredo.TxID {
	x.t.Helper()
	sent, err := x.client.Transfers.Withdraw(x.t.Context(), x.company, qredo.WithdrawalRequest{
		WalletID: x.treasury.ID, Address: payout,
		Expires: qredo.TimeOf(x.service.Now().Add(10 * time.Minute)), Send: qredo.AssetAmount{Asset: btc, Amount: amount},
	})
	require.NoError(x.t, err)
	return sent.TxID
}

// balances returns the balances of treasury and trading.
func (x *exchange) balances() [2]qredo.Amount {
	x.t.Helper()
	var out [2]qredo.Amount
	for i, id := range []qredo.WalletID{x.treasury.ID, x.trading.ID} {
		w, err := x.client.Wallets.Get(x.t.Context(), id)
		require.NoError(x.t, err)
		out[i] = w.Balance
	}
	return out
}

// inProcess carries requests to a handler without a network, so that tests with a fake clock can use it.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	rec := httptest.NewRecorder()
	p.handler.ServeHTTP(rec, req)
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return rec.Result(), nil
}
