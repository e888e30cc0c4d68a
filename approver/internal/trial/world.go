package trial

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

const asset = qredo.AssetCode("BTC-TESTNET")

// World is a sandbox with a company for whose wallets a core client approves.
type World struct {
	Sandbox *sandbox.Sandbox
	Client  *qredo.Client
	BaseURL string
	Core    qredo.CoreClientID
	Company qredo.CompanyID
	Fund    qredo.FundID
	From    []qredo.Wallet // with a billion satoshi each
	To      []qredo.Wallet

	mu        sync.Mutex
	intercept Intercept
	sent      []qredo.TxID
}

// Intercept sees each request to the sandbox, and lets it go on or not.
type Intercept func(w http.ResponseWriter, r *http.Request, next http.Handler)

// Intercept lets f see each request from now on; nil ends that.
func (w *World) Intercept(f Intercept) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.intercept = f
}

// ServeHTTP implements [http.Handler].
func (w *World) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	f := w.intercept
	w.mu.Unlock()
	if f == nil {
		w.Sandbox.ServeHTTP(rw, r)
		return
	}
	f(rw, r, w.Sandbox)
}

// NewWorld makes a world with so many wallets to send from and to send to. Sending costs nothing, unless an option
// says so: the amount of an action is what was asked for. The test's end ends it.
func NewWorld(t testing.TB, from, to int, opts ...sandbox.Option) *World {
	t.Helper()
	return NewWorldOf(t, from, to, func(client *qredo.Client) (qredo.CoreClientID, error) {
		core, err := client.CoreClients.Create(t.Context(), "approver")
		if err != nil {
			return "", err
		}
		return core.ID, nil
	}, opts...)
}

// NewWorldOf is [NewWorld] with the core client that a function makes.
func NewWorldOf(t testing.TB, from, to int, core func(*qredo.Client) (qredo.CoreClientID, error), opts ...sandbox.Option) *World {
	t.Helper()
	box, err := sandbox.New(append([]sandbox.Option{sandbox.WithFees(sandbox.NoFees)}, opts...)...)
	require.NoError(t, err)
	w := &World{Sandbox: box}
	server := httptest.NewServer(w)
	t.Cleanup(func() {
		_ = box.Close() // ends the feeds, so that the server can close
		server.Close()
	})
	w.BaseURL = server.URL + "/api/v1/p"
	w.Client, err = qredo.NewClient(box.Auth(), qredo.WithBaseURL(w.BaseURL), qredo.WithHTTPClient(server.Client()), qredo.WithClock(box.Now))
	require.NoError(t, err)
	w.Core, err = core(w.Client)
	require.NoError(t, err)
	w.fill(t, from, to)
	return w
}

func (w *World) fill(t testing.TB, from, to int) {
	t.Helper()
	ctx := t.Context()
	company, err := w.Client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Acme", Ref: "acme"})
	require.NoError(t, err)
	w.Company = company.ID
	require.NoError(t, w.Client.TrustedNetwork.Add(ctx, company.ID, qredo.TrustedPartyRequest{Address: string(w.Core)}))
	parties, err := w.Client.TrustedNetwork.List(ctx, company.ID)
	require.NoError(t, err)
	group := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{parties[0].ID}}
	request := qredo.FundRequest{Name: "Assets", CustodyGroupWithdraw: group, CustodyGroupTx: group}
	for i := range from + to {
		request.Wallets = append(request.Wallets, qredo.WalletRequest{Name: fmt.Sprint(i), Asset: asset})
	}
	made, err := w.Client.Funds.Create(ctx, company.ID, request)
	require.NoError(t, err)
	w.Fund = made.ID
	fund, err := w.Client.Funds.Get(ctx, company.ID, made.ID)
	require.NoError(t, err)
	w.From, w.To = fund.Wallets[:from], fund.Wallets[from:]
	for _, wallet := range w.From {
		_, err := w.Sandbox.Deposit(wallet.Address, 1_000_000_000)
		require.NoError(t, err)
	}
}

// Transfer asks for a transfer, which the core client is to approve.
func (w *World) Transfer(ctx context.Context, from, to int, amount qredo.Amount, reference string) (qredo.TxID, error) {
	sent, err := w.Client.Transfers.Create(ctx, w.Company, qredo.TransferRequest{
		WalletID: w.From[from].ID, Counterparty: string(w.To[to].ID), Reference: reference,
		Expires: qredo.TimeOf(w.Sandbox.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: asset, Amount: amount},
	})
	if err != nil {
		return "", err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, sent.TxID)
	return sent.TxID, nil
}

// Action returns the core client's action of a transaction, with its details, whether it is pending or not.
func (w *World) Action(t testing.TB, id qredo.TxID) qredo.Action {
	t.Helper()
	tx, err := w.Client.Transfers.Get(t.Context(), w.Company, id)
	require.NoError(t, err)
	require.Len(t, tx.Approvals, 1)
	action, err := w.Client.CoreClients.GetAction(t.Context(), w.Core, tx.Approvals[0].ActionID)
	require.NoError(t, err)
	return *action
}

// Actions returns the actions of all transfers, with their details.
func (w *World) Actions(t testing.TB) []qredo.Action {
	t.Helper()
	w.mu.Lock()
	sent := w.sent
	w.mu.Unlock()
	actions := make([]qredo.Action, len(sent))
	for i, id := range sent {
		actions[i] = w.Action(t, id)
	}
	return actions
}
