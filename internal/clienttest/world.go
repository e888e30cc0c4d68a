package clienttest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iter"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"

	"strings"
)

// Coin is one whole unit of an asset with eight decimals.
const Coin qredo.Amount = 100_000_000

// World is a sandbox with a company in it whose fund has money in every wallet. A robot approves what
// leaves them; desk is connected to the dedicated wallet and may sweep it.
type World struct {
	Srv         *sandbox.Server
	Client      *qredo.Client
	Company     qredo.CompanyID
	Fund        qredo.FundID
	Robot, Desk *qredo.CoreClient
	BTC         qredo.WalletID
	OtherBTC    qredo.WalletID
	eth         qredo.WalletID
	otherETH    qredo.WalletID
	Dedicated   qredo.WalletID
	addresses   map[qredo.WalletID]string
}

// NewWorld starts the sandbox and makes what is in it.
func NewWorld(t testing.TB, opts ...sandbox.Option) *World {
	t.Helper()
	srv, err := sandbox.Start(opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, srv.Close()) })
	ctx, client := t.Context(), srv.Client()
	w := &World{Srv: srv, Client: client, addresses: map[qredo.WalletID]string{}}
	company, err := client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Acme", Domain: "acme.example"})
	require.NoError(t, err)
	w.Company = company.ID
	w.Robot, err = client.CoreClients.Create(ctx, "robot")
	require.NoError(t, err)
	w.Desk, err = client.CoreClients.Create(ctx, "desk")
	require.NoError(t, err)
	require.NoError(t, client.TrustedNetwork.Add(ctx, w.Company, qredo.TrustedPartyRequest{Address: string(w.Robot.ID)}))
	require.NoError(t, client.TrustedNetwork.Add(ctx, w.Company, qredo.TrustedPartyRequest{Address: string(w.Desk.ID)}))
	group := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{qredo.TrustedEntityID(w.Robot.ID)}}
	fund, err := client.Funds.Create(ctx, w.Company, qredo.FundRequest{
		Name: "Treasury", CustodyGroupTx: group, CustodyGroupWithdraw: group,
		Wallets: []qredo.WalletRequest{
			{Name: "btc", Asset: "BTC"}, {Name: "other btc", Asset: "BTC", CustodyGroupTx: group, CustodyGroupWithdraw: group},
			{Name: "eth", Asset: "ETH"}, {Name: "other eth", Asset: "ETH"},
			{Name: "dedicated", Asset: "BTC", Type: qredo.WalletDedicated, Connect: []qredo.ConnectRequest{{CounterpartyID: string(w.Desk.ID)}}},
		},
	})
	require.NoError(t, err)
	w.Fund = fund.ID
	w.ApproveAll(t, w.Desk) // the dedicated wallet asks to be connected
	detail, err := client.Funds.Get(ctx, w.Company, w.Fund)
	require.NoError(t, err)
	named := map[string]qredo.WalletID{}
	for _, wallet := range detail.Wallets {
		named[wallet.Name], w.addresses[wallet.ID] = wallet.ID, wallet.Address
		_, err := srv.Deposit(wallet.Address, 10*Coin)
		require.NoError(t, err)
	}
	w.BTC, w.OtherBTC, w.eth, w.otherETH = named["btc"], named["other btc"], named["eth"], named["other eth"]
	w.Dedicated = named["dedicated"]
	require.NoError(t, client.Funds.AddToWhitelist(ctx, w.Company, w.Fund, qredo.WhitelistEntry{Asset: "BTC", Address: PayoutAddress}))
	return w
}

// Expires is an hour from now in the sandbox.
func (w *World) Expires() qredo.Time { return qredo.TimeOf(w.Srv.Now().Add(time.Hour)) }

// Transfer sends from one of the wallets to the other, in BTC.
func (w *World) Transfer(amount qredo.Amount) qredo.TransferRequest {
	return qredo.TransferRequest{
		WalletID: w.BTC, Counterparty: string(w.OtherBTC), Expires: w.Expires(), Send: qredo.AssetAmount{Asset: "BTC", Amount: amount},
	}
}

// Withdrawal goes to the address on the whitelist.
func (w *World) Withdrawal(amount qredo.Amount) qredo.WithdrawalRequest {
	return qredo.WithdrawalRequest{
		WalletID: w.BTC, Address: PayoutAddress, Expires: w.Expires(), Send: qredo.AssetAmount{Asset: "BTC", Amount: amount},
	}
}

// Swap offers BTC for ETH.
func (w *World) Swap() qredo.SwapRequest {
	return qredo.SwapRequest{
		SendWalletID: w.BTC, ReceiveWalletID: w.eth, Reference: "quote", Expires: w.Expires(), AddToLiquidityHub: true,
		Send: qredo.AssetAmount{Asset: "BTC", Amount: 1000}, Receive: qredo.AssetAmount{Asset: "ETH", Amount: 2000},
	}
}

// Take takes a quote with the other wallets.
func (w *World) Take(swap qredo.TxID) qredo.TakeRequest {
	return qredo.TakeRequest{SwapID: swap, SendWalletID: w.otherETH, ReceiveWalletID: w.OtherBTC, Reference: "take"}
}

// Sweep takes from the dedicated wallet.
func (w *World) Sweep(amount qredo.Amount) qredo.SweepRequest {
	return qredo.SweepRequest{
		WalletID: w.Dedicated, RecipientWalletID: w.BTC, Expires: w.Expires(), Send: qredo.AssetAmount{Asset: "BTC", Amount: amount},
	}
}

// Send asks for a transfer and returns its ID.
func (w *World) Send(t testing.TB, amount qredo.Amount) qredo.TxID {
	t.Helper()
	sent, err := w.Client.Transfers.Create(t.Context(), w.Company, w.Transfer(amount))
	require.NoError(t, err)
	return sent.TxID
}

// Offer makes a quote and has it approved: then it is on the hub.
func (w *World) Offer(t testing.TB) qredo.TxID {
	t.Helper()
	made, err := w.Client.Swaps.Make(t.Context(), w.Company, w.Swap())
	require.NoError(t, err)
	w.Approve(t, made.TxID)
	return made.TxID
}

// Pending are the actions that wait for a core client.
func (w *World) Pending(t testing.TB, who *qredo.CoreClient) []qredo.Action {
	t.Helper()
	actions, err := w.Client.CoreClients.ListActions(t.Context(), who.ID)
	require.NoError(t, err)
	var open []qredo.Action
	for _, a := range actions {
		if a.Status == qredo.ApprovalPending {
			open = append(open, a)
		}
	}
	return open
}

// ActionOf finds what a transaction asks of the robot.
func (w *World) ActionOf(t testing.TB, tx qredo.TxID) qredo.ActionID {
	t.Helper()
	for _, open := range w.Pending(t, w.Robot) {
		full, err := w.Client.CoreClients.GetAction(t.Context(), w.Robot.ID, open.ID)
		require.NoError(t, err)
		if full.Details.TxID == tx {
			return open.ID
		}
	}
	require.Fail(t, "the robot is not asked", "%s", tx)
	return ""
}

// Approve approves a transaction as the robot.
func (w *World) Approve(t testing.TB, tx qredo.TxID) {
	t.Helper()
	require.NoError(t, w.Client.CoreClients.Approve(t.Context(), w.Robot.ID, w.ActionOf(t, tx)))
}

// ApproveAll lets a core client approve whatever it is asked.
func (w *World) ApproveAll(t testing.TB, who *qredo.CoreClient) {
	t.Helper()
	for _, open := range w.Pending(t, who) {
		require.NoError(t, w.Client.CoreClients.Approve(t.Context(), who.ID, open.ID))
	}
}

// Connected makes a dedicated wallet that is connected to desk.
func (w *World) Connected(t testing.TB, asset qredo.AssetCode) qredo.WalletID {
	t.Helper()
	return w.ConnectedAs(t, qredo.WalletDedicated, asset)
}

// ConnectedAs makes a wallet of a type that is connected to desk.
func (w *World) ConnectedAs(t testing.TB, kind qredo.WalletType, asset qredo.AssetCode) qredo.WalletID {
	t.Helper()
	made, err := w.Client.Funds.AddWallets(t.Context(), w.Company, w.Fund, []qredo.WalletRequest{
		{Name: fmt.Sprint("connected ", len(w.addresses)), Asset: asset, Type: kind, Connect: []qredo.ConnectRequest{{CounterpartyID: string(w.Desk.ID)}}},
	})
	require.NoError(t, err)
	w.ApproveAll(t, w.Desk)
	wallet, err := w.Client.Wallets.Get(t.Context(), made[0])
	require.NoError(t, err)
	w.addresses[made[0]] = wallet.Address
	return made[0]
}

// Transactions counts what the ledger has besides deposits.
func (w *World) Transactions(t testing.TB) int {
	t.Helper()
	state, err := w.Srv.State()
	require.NoError(t, err)
	return state.Transactions
}

// Through is a client of the sandbox whose requests pass a function, which may lose them or their answers.
func (w *World) Through(between func(req *http.Request, next http.RoundTripper) (*http.Response, error), opts ...qredo.Option) *qredo.Client {
	transport := &http.Transport{DisableKeepAlives: true}
	return w.Srv.Client(append([]qredo.Option{qredo.WithHTTPClient(&http.Client{Transport: RoundTrip(
		func(req *http.Request) (*http.Response, error) { return between(req, transport) },
	)})}, opts...)...)
}

// LoseAnswer sends a request and loses its answer.
func LoseAnswer(req *http.Request, next http.RoundTripper) (*http.Response, error) {
	resp, err := next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return nil, io.ErrUnexpectedEOF
}

// LoseRequest loses a request, as far as its sender can tell after sending it.
func LoseRequest(*http.Request, http.RoundTripper) (*http.Response, error) { return nil, ErrReset }

// Within is a context that ends a test which hangs.
func Within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// RobotFeed is the feed of the world's robot, through a client.
func (w *World) RobotFeed(client *qredo.Client) func(context.Context, ...qredo.FeedOption) iter.Seq2[qredo.Action, error] {
	return func(ctx context.Context, opts ...qredo.FeedOption) iter.Seq2[qredo.Action, error] {
		return client.CoreClients.Feed(ctx, w.Robot.ID, opts...)
	}
}

// Asked makes transfers and returns the IDs of the actions that they ask the robot for.
func (w *World) Asked(t *testing.T, transfers int) map[qredo.ActionID]bool {
	t.Helper()
	ids := map[qredo.ActionID]bool{}
	for range transfers {
		ids[w.ActionOf(t, w.Send(t, 1000))] = true
	}
	return ids
}

// Deposit credits a wallet and returns the transaction on the chain.
func (w *World) Deposit(t *testing.T, wallet qredo.WalletID, amount qredo.Amount) string {
	t.Helper()
	made, err := w.Srv.Deposit(w.addresses[wallet], amount)
	require.NoError(t, err)
	return made.ChainTxID
}

// DepositTwice credits a wallet twice by one transaction on the chain, and returns that.
func (w *World) DepositTwice(t *testing.T, wallet qredo.WalletID, amount qredo.Amount) string {
	t.Helper()
	chain := w.Deposit(t, w.BTC, 1)
	for range 2 {
		_, err := w.Srv.DepositBy(chain, w.addresses[wallet], amount)
		require.NoError(t, err)
	}
	return chain
}

// Post sends a body to the sandbox as it is, and returns the answer.
func (w *World) Post(t *testing.T, path, body string) (out struct {
	TxID   qredo.TxID             `json:"tx_id"`
	Status qredo.SubmissionStatus `json:"status"`
}) {
	t.Helper()
	require.NoError(t, w.Client.Do(t.Context(), http.MethodPost, path, []byte(body), &out), body)
	return out
}

// CompanyPath is a path of the company.
func (w *World) CompanyPath(rest string) string { return "/company/" + string(w.Company) + rest }

// TransferBody is a transfer's body with something of it replaced.
func (w *World) TransferBody(from, to string) string {
	body := fmt.Sprintf(`{"wallet_id":"%s","counterparty_wallet_address":"%s","expires":%d,"send":{"symbol":"BTC","amount":1000}}`,
		w.BTC, w.OtherBTC, w.Expires().Unix())
	return strings.Replace(body, from, to, 1)
}
