package qredo_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

const coin qredo.Amount = 100_000_000

// world is a sandbox with a company in it whose fund has money in every wallet. A robot approves what
// leaves them; desk is connected to the dedicated wallet and may sweep it.
type world struct {
	srv         *sandbox.Server
	client      *qredo.Client
	company     qredo.CompanyID
	fund        qredo.FundID
	robot, desk *qredo.CoreClient
	btc         qredo.WalletID
	otherBTC    qredo.WalletID
	eth         qredo.WalletID
	otherETH    qredo.WalletID
	dedicated   qredo.WalletID
	addresses   map[qredo.WalletID]string
}

func newWorld(t testing.TB, opts ...sandbox.Option) *world {
	t.Helper()
	srv, err := sandbox.Start(opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, srv.Close()) })
	ctx, client := t.Context(), srv.Client()
	w := &world{srv: srv, client: client, addresses: map[qredo.WalletID]string{}}
	company, err := client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Acme", Domain: "acme.example"})
	require.NoError(t, err)
	w.company = company.ID
	w.robot, err = client.CoreClients.Create(ctx, "robot")
	require.NoError(t, err)
	w.desk, err = client.CoreClients.Create(ctx, "desk")
	require.NoError(t, err)
	require.NoError(t, client.TrustedNetwork.Add(ctx, w.company, qredo.TrustedPartyRequest{Address: string(w.robot.ID)}))
	require.NoError(t, client.TrustedNetwork.Add(ctx, w.company, qredo.TrustedPartyRequest{Address: string(w.desk.ID)}))
	group := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{qredo.TrustedEntityID(w.robot.ID)}}
	fund, err := client.Funds.Create(ctx, w.company, qredo.FundRequest{
		Name: "Treasury", CustodyGroupTx: group, CustodyGroupWithdraw: group,
		Wallets: []qredo.WalletRequest{
			{Name: "btc", Asset: "BTC"}, {Name: "other btc", Asset: "BTC", CustodyGroupTx: group, CustodyGroupWithdraw: group},
			{Name: "eth", Asset: "ETH"}, {Name: "other eth", Asset: "ETH"},
			{Name: "dedicated", Asset: "BTC", Type: qredo.WalletDedicated, Connect: []qredo.ConnectRequest{{CounterpartyID: string(w.desk.ID)}}},
		},
	})
	require.NoError(t, err)
	w.fund = fund.ID
	w.approveAll(t, w.desk) // the dedicated wallet asks to be connected
	detail, err := client.Funds.Get(ctx, w.company, w.fund)
	require.NoError(t, err)
	named := map[string]qredo.WalletID{}
	for _, wallet := range detail.Wallets {
		named[wallet.Name], w.addresses[wallet.ID] = wallet.ID, wallet.Address
		_, err := srv.Deposit(wallet.Address, 10*coin)
		require.NoError(t, err)
	}
	w.btc, w.otherBTC, w.eth, w.otherETH = named["btc"], named["other btc"], named["eth"], named["other eth"]
	w.dedicated = named["dedicated"]
	require.NoError(t, client.Funds.AddToWhitelist(ctx, w.company, w.fund, qredo.WhitelistEntry{Asset: "BTC", Address: payoutAddress}))
	return w
}

func (w *world) expires() qredo.Time { return qredo.TimeOf(w.srv.Now().Add(time.Hour)) }

func (w *world) transfer(amount qredo.Amount) qredo.TransferRequest {
	return qredo.TransferRequest{
		WalletID: w.btc, Counterparty: string(w.otherBTC), Expires: w.expires(), Send: qredo.AssetAmount{Asset: "BTC", Amount: amount},
	}
}

func (w *world) withdrawal(amount qredo.Amount) qredo.WithdrawalRequest {
	return qredo.WithdrawalRequest{
		WalletID: w.btc, Address: payoutAddress, Expires: w.expires(), Send: qredo.AssetAmount{Asset: "BTC", Amount: amount},
	}
}

func (w *world) swap() qredo.SwapRequest {
	return qredo.SwapRequest{
		SendWalletID: w.btc, ReceiveWalletID: w.eth, Reference: "quote", Expires: w.expires(), AddToLiquidityHub: true,
		Send: qredo.AssetAmount{Asset: "BTC", Amount: 1000}, Receive: qredo.AssetAmount{Asset: "ETH", Amount: 2000},
	}
}

func (w *world) take(swap qredo.TxID) qredo.TakeRequest {
	return qredo.TakeRequest{SwapID: swap, SendWalletID: w.otherETH, ReceiveWalletID: w.otherBTC, Reference: "take"}
}

func (w *world) sweep(amount qredo.Amount) qredo.SweepRequest {
	return qredo.SweepRequest{
		WalletID: w.dedicated, RecipientWalletID: w.btc, Expires: w.expires(), Send: qredo.AssetAmount{Asset: "BTC", Amount: amount},
	}
}

// send asks for a transfer and returns its ID.
func (w *world) send(t testing.TB, amount qredo.Amount) qredo.TxID {
	t.Helper()
	sent, err := w.client.Transfers.Create(t.Context(), w.company, w.transfer(amount))
	require.NoError(t, err)
	return sent.TxID
}

// offer makes a quote and has it approved: then it is on the hub.
func (w *world) offer(t testing.TB) qredo.TxID {
	t.Helper()
	made, err := w.client.Swaps.Make(t.Context(), w.company, w.swap())
	require.NoError(t, err)
	w.approve(t, made.TxID)
	return made.TxID
}

// pending are the actions that wait for a core client.
func (w *world) pending(t testing.TB, who *qredo.CoreClient) []qredo.Action {
	t.Helper()
	actions, err := w.client.CoreClients.ListActions(t.Context(), who.ID)
	require.NoError(t, err)
	var open []qredo.Action
	for _, a := range actions {
		if a.Status == qredo.ApprovalPending {
			open = append(open, a)
		}
	}
	return open
}

// actionOf finds what a transaction asks of the robot.
func (w *world) actionOf(t testing.TB, tx qredo.TxID) qredo.ActionID {
	t.Helper()
	for _, open := range w.pending(t, w.robot) {
		full, err := w.client.CoreClients.GetAction(t.Context(), w.robot.ID, open.ID)
		require.NoError(t, err)
		if full.Details.TxID == tx {
			return open.ID
		}
	}
	require.Fail(t, "the robot is not asked", "%s", tx)
	return ""
}

func (w *world) approve(t testing.TB, tx qredo.TxID) {
	t.Helper()
	require.NoError(t, w.client.CoreClients.Approve(t.Context(), w.robot.ID, w.actionOf(t, tx)))
}

// approveAll lets a core client approve whatever it is asked.
func (w *world) approveAll(t testing.TB, who *qredo.CoreClient) {
	t.Helper()
	for _, open := range w.pending(t, who) {
		require.NoError(t, w.client.CoreClients.Approve(t.Context(), who.ID, open.ID))
	}
}

// connected makes a dedicated wallet that is connected to desk.
func (w *world) connected(t testing.TB, asset qredo.AssetCode) qredo.WalletID {
	t.Helper()
	made, err := w.client.Funds.AddWallets(t.Context(), w.company, w.fund, []qredo.WalletRequest{
		{Name: fmt.Sprint("connected ", len(w.addresses)), Asset: asset, Type: qredo.WalletDedicated, Connect: []qredo.ConnectRequest{{CounterpartyID: string(w.desk.ID)}}},
	})
	require.NoError(t, err)
	w.approveAll(t, w.desk)
	wallet, err := w.client.Wallets.Get(t.Context(), made[0])
	require.NoError(t, err)
	w.addresses[made[0]] = wallet.Address
	return made[0]
}

func (w *world) transactions(t testing.TB) int {
	t.Helper()
	state, err := w.srv.State()
	require.NoError(t, err)
	return state.Transactions
}

// through is a client of the sandbox whose requests pass a function, which may lose them or their answers.
func (w *world) through(between func(req *http.Request, next http.RoundTripper) (*http.Response, error), opts ...qredo.Option) *qredo.Client {
	transport := &http.Transport{DisableKeepAlives: true}
	return w.srv.Client(append([]qredo.Option{qredo.WithHTTPClient(&http.Client{Transport: roundTrip(
		func(req *http.Request) (*http.Response, error) { return between(req, transport) },
	)})}, opts...)...)
}

// loseAnswer sends a request and loses its answer.
func loseAnswer(req *http.Request, next http.RoundTripper) (*http.Response, error) {
	resp, err := next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return nil, io.ErrUnexpectedEOF
}

// loseRequest loses a request, as far as its sender can tell after sending it.
func loseRequest(*http.Request, http.RoundTripper) (*http.Response, error) { return nil, errReset }

// within is a context that ends a test which hangs.
func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
