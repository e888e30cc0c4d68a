package browsertest

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// start serves a sandbox that ends with its test.
func start(t *testing.T, opts ...sandbox.Option) *sandbox.Server {
	t.Helper()
	srv, err := sandbox.Start(opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, srv.Close()) })
	return srv
}

const (
	btc    = qredo.AssetCode("BTC-TESTNET")
	payout = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
)

// world is what a test begins with: a company with a fund of two wallets, of which one has 1.5 BTC, and three people, of whom two
// must approve withdrawals and one transfers.
type world struct {
	t       *testing.T
	srv     *sandbox.Server
	client  *qredo.Client
	company qredo.CompanyID
	fund    qredo.FundID
	wallets []qredo.Wallet
	people  []sandbox.User
}

func furnish(t *testing.T, srv *sandbox.Server) *world {
	t.Helper()
	w := &world{t: t, srv: srv, client: srv.Client()}
	ctx := t.Context()
	made, err := w.client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Acme Exchange", City: "Paris", Country: "FR", Domain: "acme.example", Ref: "acme"})
	require.NoError(t, err)
	w.company = made.ID
	var members []qredo.TrustedEntityID
	for _, u := range []sandbox.User{
		{Email: "alice@example.com", FirstName: "Alice", LastName: "Adams"}, {Email: "bob@example.com", FirstName: "Bob", LastName: "Brown"},
		{Email: "carol@example.com", FirstName: "Carol", LastName: "Clark"},
	} {
		u, err := srv.CreateUser(u)
		require.NoError(t, err)
		require.NoError(t, w.client.TrustedNetwork.Add(ctx, w.company, qredo.TrustedPartyRequest{Address: u.Email}))
		require.NoError(t, srv.Accept(u.Email, w.company))
		members, w.people = append(members, u.ID), append(w.people, u)
	}
	fund, err := w.client.Funds.Create(ctx, w.company, qredo.FundRequest{
		Name: "Client assets", CustodyGroupWithdraw: &qredo.CustodyGroup{Threshold: 2, Members: members},
		CustodyGroupTx: &qredo.CustodyGroup{Threshold: 1, Members: members}, Wallets: []qredo.WalletRequest{{Name: "Treasury", Asset: btc}, {Name: "Trading", Asset: btc}},
	})
	require.NoError(t, err)
	w.fund = fund.ID
	whole, err := w.client.Funds.Get(ctx, w.company, w.fund)
	require.NoError(t, err)
	w.wallets = whole.Wallets
	require.NoError(t, w.client.Funds.AddToWhitelist(ctx, w.company, w.fund, qredo.WhitelistEntry{Asset: btc, Address: payout, Name: "Cold storage"}))
	_, err = srv.Deposit(w.wallets[0].Address, 150_000_000)
	require.NoError(t, err)
	return w
}

// withdraw asks for a withdrawal of base units.
func (w *world) withdraw(amount qredo.Amount, reference string) qredo.TxID {
	w.t.Helper()
	made, err := w.client.Transfers.Withdraw(w.t.Context(), w.company, qredo.WithdrawalRequest{
		WalletID: w.wallets[0].ID, Address: payout, Reference: reference, PartnerTxID: qredo.PartnerTxID("key of " + reference),
		Expires: qredo.TimeOf(w.srv.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: btc, Amount: amount},
	})
	require.NoError(w.t, err)
	return made.TxID
}

// transfer asks for a transfer to the second wallet.
func (w *world) transfer(amount qredo.Amount, reference string) qredo.TxID {
	w.t.Helper()
	made, err := w.client.Transfers.Create(w.t.Context(), w.company, qredo.TransferRequest{
		WalletID: w.wallets[0].ID, Counterparty: string(w.wallets[1].ID), Reference: reference, PartnerTxID: qredo.PartnerTxID("key of " + reference),
		Expires: qredo.TimeOf(w.srv.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: btc, Amount: amount},
	})
	require.NoError(w.t, err)
	return made.TxID
}

// live makes of a world one in which all has happened that can: what every screen shows.
func (w *world) live() {
	w.t.Helper()
	done := w.transfer(40_000_000, "to trading")
	require.NoError(w.t, w.srv.Approve("alice@example.com", string(done)))
	rejected := w.withdraw(1_000_000, "not wanted")
	for _, email := range []string{"alice@example.com", "bob@example.com"} {
		require.NoError(w.t, w.srv.Reject(email, string(rejected)))
	}
	waits := w.withdraw(25_000_000, "payout 2041")
	require.NoError(w.t, w.srv.Approve("bob@example.com", string(waits)))
	w.transfer(3, "dust")
	signWrongly(w.t, w.srv)
}

// signWrongly sends a request that was signed for other capitals in its escapes, and returns its URL.
func signWrongly(t *testing.T, srv *sandbox.Server) {
	t.Helper()
	send(t, srv.BaseURL()+"/company/search?query=Z%C3%BCrich", srv.BaseURL()+"/company/search?query=Z%c3%bcrich", srv)
}

// send sends a GET to one URL, signed for another.
func send(t *testing.T, sent, signed string, srv *sandbox.Server) int {
	t.Helper()
	other, err := http.NewRequestWithContext(t.Context(), http.MethodGet, signed, nil)
	require.NoError(t, err)
	require.NoError(t, srv.Auth().Authenticate(other, nil, time.Now()))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, sent, nil)
	require.NoError(t, err)
	req.Header = other.Header
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode
}

// feed connects a program to a core client's feed until the test ends.
func (w *world) feed() {
	w.t.Helper()
	program, err := w.client.CoreClients.Create(w.t.Context(), "risk-engine")
	require.NoError(w.t, err)
	ctx, stop := context.WithCancel(context.Background())
	connected, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		first := sync.OnceFunc(func() { close(connected) })
		for range w.client.CoreClients.Feed(ctx, program.ID, qredo.WithFeedState(func(qredo.FeedState) { first() })) {
			continue
		}
	}()
	<-connected
	w.t.Cleanup(func() {
		stop()
		<-ended
	})
}
