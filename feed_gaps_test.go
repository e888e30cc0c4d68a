package qredo_test

import (
	"context"
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
	"github.com/qredo-go/qredo/sandbox"
)

func walletFeed(client *qredo.Client) func(context.Context, ...qredo.FeedOption) iter.Seq2[qredo.WalletEvent, error] {
	return client.Wallets.Feed
}

// deposit credits a wallet and returns the transaction on the chain.
func (w *world) deposit(t *testing.T, wallet qredo.WalletID, amount qredo.Amount) string {
	t.Helper()
	made, err := w.srv.Deposit(w.addresses[wallet], amount)
	require.NoError(t, err)
	return made.ChainTxID
}

// Only what moves in a connected dedicated wallet is told, and not what moves in one's own.
func TestWalletFeed(t *testing.T) {
	w := newWorld(t)
	f := follow(t, walletFeed(w.client))
	f.reaches(t, qredo.FeedCaughtUp)
	w.deposit(t, w.btc, 4000)
	w.approve(t, w.send(t, 2800))
	chain := w.deposit(t, w.dedicated, 5000)
	got := f.next(t)
	require.NotZero(t, got.Time)
	require.Equal(t, qredo.WalletEvent{
		Status: qredo.TxApproved, WalletID: w.dedicated, TxID: got.TxID, ChainTxID: chain, Asset: "BTC", Amount: 5000, NetAmount: 5000, Time: got.Time,
	}, got)

	req := w.transfer(2800)
	req.WalletID = w.dedicated
	sent, err := w.client.Transfers.Create(t.Context(), w.company, req)
	require.NoError(t, err)
	w.approve(t, sent.TxID)
	w.approveAll(t, w.desk)
	out := f.next(t)
	require.Equal(t, sent.TxID, out.TxID)
	require.Equal(t, []qredo.Amount{-2803, -3, -2800}, []qredo.Amount{out.Amount, out.Fees, out.NetAmount}, "what leaves is negative")
	require.Len(t, out.ChainTxID, 64)

	swept, err := w.client.CoreClients.Sweep(t.Context(), w.desk.ID, w.sweep(1000))
	require.NoError(t, err)
	w.approveAll(t, w.desk)
	sweep := f.next(t)
	require.Equal(t, []any{swept.TxID, true, w.dedicated}, []any{sweep.TxID, sweep.Sweep, sweep.WalletID})
	f.requireQuiet(t)
}

// What moved while the connection was down is in the wallets' history: of those that were named, and of
// those that the feed has named.
func TestWalletFeedFillsGaps(t *testing.T) {
	w := newWorld(t)
	ether, silent := w.connected(t, "ETH"), w.connected(t, "ETH")
	require.NoError(t, w.srv.Advance(time.Minute)) // so that what is in the histories is told apart by its time
	client, closed := w.barrier()
	f := follow(t, walletFeed(client), qredo.WithWallets(w.dedicated, w.dedicated))
	f.reaches(t, qredo.FeedCaughtUp)
	chain := w.deposit(t, ether, 1)
	require.Equal(t, chain, f.next(t).ChainTxID)
	for range 2 {
		closed.Store(true)
		w.srv.DropFeeds()
		f.reaches(t, qredo.FeedLost)
		missed := map[string]bool{
			w.deposit(t, w.dedicated, 7): true, w.deposit(t, w.dedicated, 7): true, w.deposit(t, ether, 7): true,
		}
		unseen := w.deposit(t, silent, 7) // a wallet that nobody has named
		closed.Store(false)
		f.reaches(t, qredo.FeedCaughtUp)
		for range 3 {
			event := f.next(t)
			require.Contains(t, missed, event.ChainTxID)
			require.NotEqual(t, unseen, event.ChainTxID)
			require.Equal(t, qredo.TxApproved, event.Status)
			delete(missed, event.ChainTxID)
		}
		chain := w.deposit(t, w.dedicated, 7)
		require.Equal(t, chain, f.next(t).ChainTxID)
	}
	f.requireQuiet(t)
}

// What a gap has of the very second that the feed had come to is filled, whether the service takes "since" to
// include that second or not, and what was given is not given again.
func TestWalletFeedFillsTheSecondItLeftOffIn(t *testing.T) {
	for name, included := range map[string]int64{"since includes its second": 0, "since leaves it out": 1} {
		t.Run(name, func(t *testing.T) {
			const second = 1_600_000_000
			entry := func(chain string, at int64) string {
				return fmt.Sprintf(`{"wallet_id":"w","chain_tx_id":"%s","asset":"BTC","amount":5,"net_amount":5,"timestamp":%d}`, chain, at)
			}
			sockets, lost := make(chan *websocket.Conn, 8), &atomic.Bool{}
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/wallets/feed" {
					if ws, err := websocket.Accept(w, r, nil); err == nil {
						sockets <- ws
						<-ws.CloseRead(r.Context()).Done()
					}
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
			client, err := qredo.NewClient(newAuth(t), qredo.WithBaseURL(srv.URL))
			require.NoError(t, err)
			f := follow(t, walletFeed(client), qredo.WithWallets("w"))
			f.reaches(t, qredo.FeedCaughtUp)
			lost.Store(true)
			require.NoError(t, (<-sockets).CloseNow())
			f.reaches(t, qredo.FeedLost)
			f.reaches(t, qredo.FeedCaughtUp)
			require.Equal(t, []string{"missed", "late"}, []string{f.next(t).ChainTxID, f.next(t).ChainTxID})
			f.requireQuiet(t)
		})
	}
}

// One transaction on the chain may pay the same twice to one wallet: neither is taken for the other.
func TestWalletFeedKeepsTwins(t *testing.T) {
	now := time.Now().Unix()
	paid := fmt.Sprintf(`{"wallet_id":"w","chain_tx_id":"c","asset":"BTC","amount":5,"net_amount":5,"timestamp":%d}`, now)
	sockets := make(chan *websocket.Conn, 8)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/wallets/feed" {
			fmt.Fprintf(w, `{"history":[%s,%s]}`, paid, paid)
			return
		}
		if ws, err := websocket.Accept(w, r, nil); err == nil {
			sockets <- ws
			<-ws.CloseRead(r.Context()).Done()
		}
	}))
	defer srv.Close()
	client, err := qredo.NewClient(newAuth(t), qredo.WithBaseURL(srv.URL))
	require.NoError(t, err)
	f := follow(t, walletFeed(client), qredo.WithWallets("w"), qredo.WithSince(qredo.Unix(now-10)))
	f.reaches(t, qredo.FeedCaughtUp)
	for range 2 {
		require.Equal(t, qredo.Amount(5), f.next(t).Amount)
	}
	require.NoError(t, (<-sockets).CloseNow())
	f.reaches(t, qredo.FeedLost)
	f.reaches(t, qredo.FeedCaughtUp)
	f.requireQuiet(t)
}

// Unless it is told to begin in the past, a feed begins with what happens after it.
func TestWalletFeedBegins(t *testing.T) {
	start := time.Now().Add(-3 * time.Hour)
	now := start
	w := newWorld(t, sandbox.WithClock(func() time.Time { return now }))
	early := w.deposit(t, w.dedicated, 1)
	now = start.Add(time.Hour)
	first := w.deposit(t, w.dedicated, 2)
	now = start.Add(2 * time.Hour)
	second := w.deposit(t, w.dedicated, 3)

	var client *qredo.Client
	for name, tc := range map[string]struct {
		opts []qredo.FeedOption
		want []string
	}{
		"now":                {[]qredo.FeedOption{qredo.WithWallets(w.dedicated)}, nil},
		"without wallets":    {[]qredo.FeedOption{qredo.WithSince(qredo.TimeOf(start))}, nil},
		"an hour ago":        {[]qredo.FeedOption{qredo.WithSince(qredo.TimeOf(start.Add(time.Hour))), qredo.WithWallets(w.dedicated)}, []string{first, second}},
		"after that":         {[]qredo.FeedOption{qredo.WithSince(qredo.TimeOf(start.Add(time.Hour + time.Second))), qredo.WithWallets(w.dedicated)}, []string{second}},
		"from the beginning": {[]qredo.FeedOption{qredo.WithSince(qredo.TimeOf(start)), qredo.WithWallets(w.dedicated)}, []string{early, first, second}},
	} {
		t.Run(name, func(t *testing.T) {
			client = w.srv.Client()
			f := follow(t, walletFeed(client), tc.opts...)
			f.reaches(t, qredo.FeedCaughtUp)
			var got []string
			for range len(f.events) {
				if event := f.next(t); event.Amount < 10 { // the world's own deposits are larger
					got = append(got, event.ChainTxID)
				}
			}
			require.Equal(t, tc.want, got)
			w.srv.DropFeeds()
			f.reaches(t, qredo.FeedLost)
			f.reaches(t, qredo.FeedCaughtUp)
			next := w.deposit(t, w.dedicated, 100)
			require.Equal(t, next, f.next(t).ChainTxID, "nothing comes again")
			f.requireQuiet(t)
		})
	}
}

func TestWalletFeedOfAnUnknownWallet(t *testing.T) {
	w := newWorld(t)
	f := follow(t, walletFeed(w.client), qredo.WithWallets("nobody's"))
	for range 3 {
		require.ErrorIs(t, f.failure(t), qredo.ErrNotFound)
	}
}

func TestHubFeed(t *testing.T) {
	w := newWorld(t)
	before := w.offer(t)
	client, closed := w.barrier()
	f := follow(t, client.Swaps.Feed)
	require.Equal(t, qredo.SwapEvent{TxID: before, Status: qredo.TxTakerPending}, f.next(t), "what is listed comes first")
	f.reaches(t, qredo.FeedCaughtUp)
	taken, cancelled := w.offer(t), w.offer(t)
	for _, id := range []qredo.TxID{taken, cancelled} {
		require.Equal(t, qredo.SwapEvent{TxID: id, Status: qredo.TxTakerPending}, f.next(t))
	}
	take, err := w.client.Swaps.Take(t.Context(), w.company, w.take(taken))
	require.NoError(t, err)
	w.approve(t, take.TxID)
	require.Equal(t, qredo.SwapEvent{TxID: taken, Status: qredo.TxTakerApproved}, f.next(t))

	closed.Store(true)
	w.srv.DropFeeds()
	f.reaches(t, qredo.FeedLost)
	require.NoError(t, w.client.Swaps.CancelMake(t.Context(), w.company, cancelled))
	added := w.offer(t)
	closed.Store(false)
	require.Equal(t, qredo.SwapEvent{TxID: added, Status: qredo.TxTakerPending}, f.next(t))
	require.Equal(t, qredo.SwapEvent{TxID: cancelled, Status: qredo.TxUnlisted}, f.next(t), "how it ended is not known")
	f.reaches(t, qredo.FeedCaughtUp)
	w.srv.DropFeeds()
	f.reaches(t, qredo.FeedLost)
	f.reaches(t, qredo.FeedCaughtUp)
	last := w.offer(t)
	require.Equal(t, last, f.next(t).TxID, "nothing comes again")
	f.requireQuiet(t)
}

// An agent's feed tells again what is pending with each connection; the consumer gets it once.
func TestAgentFeed(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	registration, err := w.client.CoreClients.Register(ctx, qredo.AgentRequest{Name: "agent", BLSPublicKey: hexOf(192), ECPublicKey: hexOf(65)})
	require.NoError(t, err)
	auth, err := sandbox.NewAgentAuth(registration)
	require.NoError(t, err)
	client, err := qredo.NewClient(auth, qredo.WithBaseURL(w.srv.BaseURL()))
	require.NoError(t, err)
	_, err = client.SigningAgent.Finish(ctx, hexOf(64))
	require.NoError(t, err)
	require.NoError(t, w.client.TrustedNetwork.Add(ctx, w.company, qredo.TrustedPartyRequest{Address: string(registration.ID)}))
	group := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{qredo.TrustedEntityID(registration.ID)}}
	made, err := w.client.Funds.AddWallets(ctx, w.company, w.fund, []qredo.WalletRequest{
		{Name: "agent's", Asset: "BTC", CustodyGroupTx: group, CustodyGroupWithdraw: group},
	})
	require.NoError(t, err)
	wallet, err := w.client.Wallets.Get(ctx, made[0])
	require.NoError(t, err)
	_, err = w.srv.Deposit(wallet.Address, coin)
	require.NoError(t, err)
	ask := func() qredo.ActionID {
		req := w.transfer(1000)
		req.WalletID = wallet.ID
		sent, err := w.client.Transfers.Create(ctx, w.company, req)
		require.NoError(t, err)
		tx, err := w.client.Transfers.Get(ctx, w.company, sent.TxID)
		require.NoError(t, err)
		return tx.Approvals[0].ActionID
	}
	pending := ask()
	f := follow(t, client.SigningAgent.Feed)
	require.Equal(t, pending, f.next(t).ID)
	f.reaches(t, qredo.FeedCaughtUp)
	for range 3 {
		w.srv.DropFeeds()
		asked := ask()
		require.Equal(t, asked, f.next(t).ID)
		f.reaches(t, qredo.FeedLost)
		f.reaches(t, qredo.FeedCaughtUp)
	}
	require.NoError(t, client.SigningAgent.Reject(ctx, pending))
	require.Equal(t, ask(), f.next(t).ID)
	f.requireQuiet(t)
}

// The signature of a feed is over its wss:// URL, and each connection has a fresh one.
func TestFeedIsSigned(t *testing.T) {
	const url = "wss://sandbox-api.qredo.network/api/v1/p/liquidityhub/feed"
	now, upgrades := testNow, 0
	client := newClient(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		upgrades++
		stamp := req.Header.Get("x-timestamp")
		verifySignature(t, req.Header.Get("x-sign"), stamp, url, nil)
		require.Equal(t, qredo.TimeOf(now).Unix(), mustInt(t, stamp))
		require.Equal(t, apiKey, req.Header.Get("x-api-key"))
		require.Equal(t, "qredo-go/"+qredo.Version, req.Header.Get("User-Agent"))
		now = now.Add(time.Minute)
		return answer(req, 403, ""), nil
	}), qredo.WithClock(func() time.Time { return now }))
	for _, err := range client.Swaps.Feed(t.Context(), qredo.WithBackoff(1, 1)) {
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
		"wrong clock": {nil, []qredo.Option{qredo.WithClock(off(2 * time.Hour))}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tc.sandbox...)
			require.Equal(t, name == "TLS", strings.HasPrefix(w.srv.BaseURL(), "https://"))
			quote := w.offer(t)
			f := follow(t, w.srv.Client(tc.client...).Swaps.Feed)
			require.Equal(t, quote, f.next(t).TxID)
			f.requireQuiet(t)
		})
	}
}
