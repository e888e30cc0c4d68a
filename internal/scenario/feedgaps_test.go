package scenario_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/sandbox"
)

func walletFeed(client *qredo.Client) func(context.Context, ...qredo.FeedOption) iter.Seq2[qredo.WalletEvent, error] {
	return client.Wallets.Feed
}

// Only movements in a connected dedicated wallet are reported, and not those in one's own.
func TestWalletFeed(t *testing.T) {
	w := clienttest.NewWorld(t)
	f := clienttest.Follow(t, walletFeed(w.Client))
	f.Reaches(t, qredo.FeedCaughtUp)
	w.Deposit(t, w.BTC, 4000)
	w.Approve(t, w.Send(t, 2800))
	chain := w.Deposit(t, w.Dedicated, 5000)
	got := f.Next(t)
	require.NotZero(t, got.Time)
	require.Equal(t, qredo.WalletEvent{
		Status: qredo.TxApproved, WalletID: w.Dedicated, TxID: got.TxID, ChainTxID: chain, Asset: "BTC", Amount: 5000, NetAmount: 5000, Time: got.Time,
	}, got)

	req := w.Transfer(2800)
	req.WalletID = w.Dedicated
	sent, err := w.Client.Transfers.Create(t.Context(), w.Company, req)
	require.NoError(t, err)
	w.Approve(t, sent.TxID)
	w.ApproveAll(t, w.Desk)
	out := f.Next(t)
	require.Equal(t, sent.TxID, out.TxID)
	require.Equal(t, []qredo.Amount{-2803, -3, -2800}, []qredo.Amount{out.Amount, out.Fees, out.NetAmount}, "what leaves is negative")
	require.Len(t, out.ChainTxID, 64)

	swept, err := w.Client.CoreClients.Sweep(t.Context(), w.Desk.ID, w.Sweep(1000))
	require.NoError(t, err)
	w.ApproveAll(t, w.Desk)
	sweep := f.Next(t)
	require.Equal(t, []any{swept.TxID, true, w.Dedicated}, []any{sweep.TxID, sweep.Sweep, sweep.WalletID})
	history, err := w.Client.Wallets.ListHistory(t.Context(), w.Dedicated, qredo.HistoryOptions{})
	require.NoError(t, err)
	require.Len(t, history, 4, "the first is of before")
	for i, event := range []qredo.WalletEvent{got, out, sweep} {
		require.Equal(t, history[i+1].Key(), event.Key())
	}
	f.RequireQuiet(t)
}

// Movements while the connection was down are in the wallets' histories: those of connected wallets, whether they were
// named or have moved before, and those of a wallet that was made in the meantime.
func TestWalletFeedFillsGaps(t *testing.T) {
	w := clienttest.NewWorld(t)
	ether, silent := w.Connected(t, "ETH"), w.Connected(t, "ETH")
	other := w.ConnectedAs(t, qredo.WalletMultiCounterparty, "BTC")
	require.NoError(t, w.Srv.Advance(time.Minute)) // so that the time shows what is in the histories
	client, closed := w.Barrier()
	f := clienttest.Follow(t, walletFeed(client), qredo.WithWallets(w.Dedicated, w.Dedicated))
	f.Reaches(t, qredo.FeedCaughtUp)
	chain := w.Deposit(t, ether, 1)
	require.Equal(t, chain, f.Next(t).ChainTxID)
	for range 2 {
		closed.Store(true)
		w.Srv.DropFeeds()
		f.Reaches(t, qredo.FeedLost)
		missed := map[string]bool{
			w.Deposit(t, w.Dedicated, 7): true, w.Deposit(t, w.Dedicated, 7): true, w.Deposit(t, ether, 7): true,
			w.Deposit(t, silent, 7): true, w.Deposit(t, w.Connected(t, "BTC"), 7): true,
		}
		w.Deposit(t, other, 7) // it is not dedicated
		closed.Store(false)
		f.Reaches(t, qredo.FeedCaughtUp)
		for range 5 {
			event := f.Next(t)
			require.Contains(t, missed, event.ChainTxID)
			require.Equal(t, qredo.TxApproved, event.Status)
			delete(missed, event.ChainTxID)
		}
		chain := w.Deposit(t, w.Dedicated, 7)
		require.Equal(t, chain, f.Next(t).ChainTxID)
	}
	f.RequireQuiet(t)
}

// The part of a gap in the very second that the feed had reached is filled, whether or not the service's "since" includes
// that second, and nothing is yielded again.
func TestWalletFeedFillsTheSecondItLeftOffIn(t *testing.T) {
	for name, included := range map[string]int64{"since includes its second": 0, "since leaves it out": 1} {
		t.Run(name, func(t *testing.T) {
			second := time.Now().Unix()
			entry := func(chain string, at int64) string {
				return fmt.Sprintf(`{"wallet_id":"w","chain_tx_id":"%s","asset":"BTC","amount":5,"net_amount":5,"timestamp":%d}`, chain, at)
			}
			sockets, lost := make(chan *websocket.Conn, 8), &atomic.Bool{}
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/wallets/feed" {
					if ws, err := clienttest.AcceptWebSocket(w, r, nil); err == nil {
						sockets <- ws
						<-ws.CloseRead(r.Context()).Done()
					}
					return
				}
				if strings.HasPrefix(r.URL.Path, "/coreclient") {
					fmt.Fprint(w, `{"clients":[]}`)
					return
				}
				var since int64
				if text := r.URL.Query().Get("since"); text != "" {
					since = mustInt(t, text) + included
				}
				var entries []string
				for chain, at := range map[string]int64{"early": second - 400, "seen": second, "missed": second, "late": second + 1} {
					if at >= since && (lost.Load() || at < second || chain == "seen") {
						entries = append(entries, entry(chain, at))
					}
				}
				fmt.Fprintf(w, `{"history":[%s]}`, strings.Join(entries, ","))
			}))
			defer srv.Close()
			client, err := qredo.NewClient(clienttest.NewAuth(t), qredo.WithBaseURL(srv.URL))
			require.NoError(t, err)
			f := clienttest.Follow(t, walletFeed(client), qredo.WithWallets("w"))
			f.Reaches(t, qredo.FeedCaughtUp)
			lost.Store(true)
			require.NoError(t, (<-sockets).CloseNow())
			f.Reaches(t, qredo.FeedLost)
			f.Reaches(t, qredo.FeedCaughtUp)
			require.Equal(t, []string{"missed", "late"}, []string{f.Next(t).ChainTxID, f.Next(t).ChainTxID})
			f.RequireQuiet(t)
		})
	}
}

// One transaction on the chain may pay the same twice to one wallet: neither is taken for the other.
func TestWalletFeedKeepsTwins(t *testing.T) {
	now := time.Now().Unix()
	paid := fmt.Sprintf(`{"wallet_id":"w","chain_tx_id":"c","asset":"BTC","amount":5,"net_amount":5,"timestamp":%d}`, now)
	sockets := make(chan *websocket.Conn, 8)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/coreclient":
			fmt.Fprint(w, `{"clients":[]}`)
			return
		case "/wallet/w/history":
			fmt.Fprintf(w, `{"history":[%s,%s]}`, paid, paid)
			return
		}
		if ws, err := clienttest.AcceptWebSocket(w, r, nil); err == nil {
			sockets <- ws
			<-ws.CloseRead(r.Context()).Done()
		}
	}))
	defer srv.Close()
	client, err := qredo.NewClient(clienttest.NewAuth(t), qredo.WithBaseURL(srv.URL))
	require.NoError(t, err)
	f := clienttest.Follow(t, walletFeed(client), qredo.WithWallets("w"), qredo.WithSince(qredo.Unix(now-10)))
	f.Reaches(t, qredo.FeedCaughtUp)
	for range 2 {
		require.Equal(t, qredo.Amount(5), f.Next(t).Amount)
	}
	require.NoError(t, (<-sockets).CloseNow())
	f.Reaches(t, qredo.FeedLost)
	f.Reaches(t, qredo.FeedCaughtUp)
	f.RequireQuiet(t)
}

// Unless it is told to begin in the past, a feed begins with what happens after it starts.
func TestWalletFeedBegins(t *testing.T) {
	start := time.Now().Add(-3 * time.Hour)
	now := start
	w := clienttest.NewWorld(t, sandbox.WithClock(func() time.Time { return now }))
	early := w.Deposit(t, w.Dedicated, 1)
	now = start.Add(time.Hour)
	first := w.Deposit(t, w.Dedicated, 2)
	now = start.Add(2 * time.Hour)
	second := w.Deposit(t, w.Dedicated, 3)

	var client *qredo.Client
	for name, tc := range map[string]struct {
		opts []qredo.FeedOption
		want []string
	}{
		"now":                {[]qredo.FeedOption{qredo.WithWallets(w.Dedicated)}, nil},
		"without wallets":    {[]qredo.FeedOption{qredo.WithSince(qredo.TimeOf(start.Add(time.Hour)))}, []string{first, second}},
		"an hour ago":        {[]qredo.FeedOption{qredo.WithSince(qredo.TimeOf(start.Add(time.Hour))), qredo.WithWallets(w.Dedicated)}, []string{first, second}},
		"after that":         {[]qredo.FeedOption{qredo.WithSince(qredo.TimeOf(start.Add(time.Hour + time.Second))), qredo.WithWallets(w.Dedicated)}, []string{second}},
		"from the beginning": {[]qredo.FeedOption{qredo.WithSince(qredo.TimeOf(start)), qredo.WithWallets(w.Dedicated)}, []string{early, first, second}},
	} {
		t.Run(name, func(t *testing.T) {
			client = w.Srv.Client()
			f := clienttest.Follow(t, walletFeed(client), tc.opts...)
			f.Reaches(t, qredo.FeedCaughtUp)
			var got []string
			for range len(f.Events) {
				if event := f.Next(t); event.Amount < 10 { // the world's own deposits are larger
					got = append(got, event.ChainTxID)
				}
			}
			require.Equal(t, tc.want, got)
			w.Srv.DropFeeds()
			f.Reaches(t, qredo.FeedLost)
			f.Reaches(t, qredo.FeedCaughtUp)
			next := w.Deposit(t, w.Dedicated, 100)
			require.Equal(t, next, f.Next(t).ChainTxID, "nothing comes again")
			f.RequireQuiet(t)
		})
	}
}

func TestWalletFeedOfAnUnknownWallet(t *testing.T) {
	w := clienttest.NewWorld(t)
	f := clienttest.Follow(t, walletFeed(w.Client), qredo.WithWallets("nobody's"))
	for range 3 {
		require.ErrorIs(t, f.Failure(t), qredo.ErrNotFound)
	}
}

func TestHubFeed(t *testing.T) {
	w := clienttest.NewWorld(t)
	before := w.Offer(t)
	client, closed := w.Barrier()
	f := clienttest.Follow(t, client.Swaps.Feed)
	require.Equal(t, qredo.SwapEvent{TxID: before, Status: qredo.TxTakerPending}, f.Next(t), "what is listed comes first")
	f.Reaches(t, qredo.FeedCaughtUp)
	taken, cancelled := w.Offer(t), w.Offer(t)
	for _, id := range []qredo.TxID{taken, cancelled} {
		require.Equal(t, qredo.SwapEvent{TxID: id, Status: qredo.TxTakerPending}, f.Next(t))
	}
	take, err := w.Client.Swaps.Take(t.Context(), w.Company, w.Take(taken))
	require.NoError(t, err)
	w.Approve(t, take.TxID)
	require.Equal(t, qredo.SwapEvent{TxID: taken, Status: qredo.TxTakerApproved}, f.Next(t))

	closed.Store(true)
	w.Srv.DropFeeds()
	f.Reaches(t, qredo.FeedLost)
	require.NoError(t, w.Client.Swaps.CancelMake(t.Context(), w.Company, cancelled))
	added := w.Offer(t)
	closed.Store(false)
	require.Equal(t, qredo.SwapEvent{TxID: added, Status: qredo.TxTakerPending}, f.Next(t))
	require.Equal(t, qredo.SwapEvent{TxID: cancelled, Status: qredo.TxUnlisted}, f.Next(t), "how it ended is not known")
	f.Reaches(t, qredo.FeedCaughtUp)
	w.Srv.DropFeeds()
	f.Reaches(t, qredo.FeedLost)
	f.Reaches(t, qredo.FeedCaughtUp)
	last := w.Offer(t)
	require.Equal(t, last, f.Next(t).TxID, "nothing comes again")
	f.RequireQuiet(t)
}

// An agent's feed sends what is pending again on each connection; the consumer gets it once.
func TestAgentFeed(t *testing.T) {
	w := clienttest.NewWorld(t)
	ctx := t.Context()
	client := clienttest.RegisterAgent(t, w.Client, qredo.WithBaseURL(w.Srv.BaseURL()))
	require.NoError(t, w.Client.TrustedNetwork.Add(ctx, w.Company, qredo.TrustedPartyRequest{Address: string(client.ID)}))
	group := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{qredo.TrustedEntityID(client.ID)}}
	made, err := w.Client.Funds.AddWallets(ctx, w.Company, w.Fund, []qredo.WalletRequest{
		{Name: "agent's", Asset: "BTC", CustodyGroupTx: group, CustodyGroupWithdraw: group},
	})
	require.NoError(t, err)
	wallet, err := w.Client.Wallets.Get(ctx, made[0])
	require.NoError(t, err)
	_, err = w.Srv.Deposit(wallet.Address, clienttest.Coin)
	require.NoError(t, err)
	ask := func() qredo.ActionID {
		req := w.Transfer(1000)
		req.WalletID = wallet.ID
		sent, err := w.Client.Transfers.Create(ctx, w.Company, req)
		require.NoError(t, err)
		tx, err := w.Client.Transfers.Get(ctx, w.Company, sent.TxID)
		require.NoError(t, err)
		return tx.Approvals[0].ActionID
	}
	pending := ask()
	f := clienttest.Follow(t, client.SigningAgent.Feed)
	require.Equal(t, pending, f.Next(t).ID)
	f.Reaches(t, qredo.FeedCaughtUp)
	for range 3 {
		w.Srv.DropFeeds()
		asked := ask()
		require.Equal(t, asked, f.Next(t).ID)
		f.Reaches(t, qredo.FeedLost)
		f.Reaches(t, qredo.FeedCaughtUp)
	}
	require.NoError(t, client.SigningAgent.Reject(ctx, pending))
	require.Equal(t, ask(), f.Next(t).ID)
	f.RequireQuiet(t)
}

// The signature of a feed is over its wss:// URL, and each connection has a fresh one.
func TestFeedIsSigned(t *testing.T) {
	const url = "wss://sandbox-api.qredo.network/api/v1/p/liquidityhub/feed"
	now, upgrades := clienttest.Now, 0
	client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
		upgrades++
		stamp := req.Header.Get("x-timestamp")
		clienttest.VerifySignature(t, req.Header.Get("x-sign"), stamp, url, nil)
		require.Equal(t, qredo.TimeOf(now).Unix(), mustInt(t, stamp))
		require.Equal(t, clienttest.APIKey, req.Header.Get("x-api-key"))
		require.Equal(t, "qredo-go/"+qredo.Version, req.Header.Get("User-Agent"))
		now = now.Add(time.Minute)
		return clienttest.Answer(req, 403, ""), nil
	}), qredo.WithClock(func() time.Time { return now }))
	for _, err := range qredo.Feed[json.RawMessage](t.Context(), client, "/liquidityhub/feed", nil, qredo.WithBackoff(1, 1)) {
		require.ErrorIs(t, err, qredo.ErrForbidden)
		if upgrades == 3 {
			break
		}
	}
}

func mustInt(t *testing.T, text string) int64 {
	t.Helper()
	var moment qredo.Time
	require.NoError(t, moment.UnmarshalText([]byte(text)))
	return moment.Unix()
}

// The sandbox verifies signatures of feeds, over TLS as well. A clock that is wrong is learned, as by calls.
func TestFeedConnects(t *testing.T) {
	for name, tc := range map[string]struct {
		sandbox []sandbox.Option
		client  []qredo.Option
	}{
		"plain":       {nil, nil},
		"TLS":         {[]sandbox.Option{sandbox.WithTLS(t.TempDir())}, nil},
		"wrong clock": {nil, []qredo.Option{qredo.WithClock(clienttest.ClockOff(2 * time.Hour))}},
	} {
		t.Run(name, func(t *testing.T) {
			w := clienttest.NewWorld(t, tc.sandbox...)
			require.Equal(t, name == "TLS", strings.HasPrefix(w.Srv.BaseURL(), "https://"))
			quote := w.Offer(t)
			f := clienttest.Follow(t, w.Srv.Client(tc.client...).Swaps.Feed)
			require.Equal(t, quote, f.Next(t).TxID)
			f.RequireQuiet(t)
		})
	}
}
