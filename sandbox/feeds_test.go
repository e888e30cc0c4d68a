package sandbox_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/clienttest"
)

// fed is a market on a socket whose feeds can be read. Its feed of wallets tells of one: a dedicated wallet that
// is connected to a core client of the same account.
type fed struct {
	market
	srv  *httptest.Server
	told string
}

func newFed(t *testing.T) fed {
	t.Helper()
	noLeaks(t)
	m := newMarket(t)
	srv := httptest.NewServer(m.Sandbox)
	t.Cleanup(func() {
		require.NoError(t, m.Close())
		srv.Close()
	})
	b := bourse{m.world, approver{m.service, m.newCoreClient("Own bourse")}}
	told := b.connected(1, nil)
	b.exchange.approve(b.exchange.last()).ok()
	return fed{m, srv, told}
}

// reader reads a feed.
type reader struct {
	t  testing.TB
	ws *websocket.Conn
}

func (f fed) url(path string) string {
	return "ws" + strings.TrimPrefix(f.srv.URL, "http") + basePath + path
}

// dial connects a feed with the headers, and returns the status of the answer.
func (f fed) dial(path string, header map[string]string) (reader, int, error) {
	f.t.Helper()
	return f.dialURL(f.url(path), header)
}

func (f fed) dialURL(url string, header map[string]string) (reader, int, error) {
	f.t.Helper()
	transport := &http.Transport{}
	f.t.Cleanup(transport.CloseIdleConnections)
	h := http.Header{}
	for name, value := range header {
		h.Set(name, value)
	}
	ws, resp, err := clienttest.DialWebSocket(f.t.Context(), url, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, HTTPHeader: h,
	})
	if err == nil {
		f.t.Cleanup(func() { _ = ws.CloseNow() })
	}
	require.NotNil(f.t, resp, "%v", err)
	if resp.Body != nil { // of a refusal
		defer resp.Body.Close()
	}
	return reader{f.t, ws}, resp.StatusCode, err
}

// open connects a feed with a key, unsigned.
func (f fed) open(path, apiKey string) reader {
	f.t.Helper()
	r, _, err := f.dial(path, map[string]string{"X-API-KEY": apiKey})
	require.NoError(f.t, err)
	return r
}

// next returns the next message, which must come.
func (r reader) next() answer {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.t.Context()), 10*time.Second)
	defer cancel()
	kind, data, err := r.ws.Read(ctx)
	require.NoError(r.t, err)
	assert.Equal(r.t, websocket.MessageText, kind)
	rec := httptest.NewRecorder()
	_, err = rec.Write(data)
	require.NoError(r.t, err)
	return readAnswer(r.t, rec.Result())
}

// ids are those of the next messages.
func (r reader) ids(n int) []string {
	r.t.Helper()
	var ids []string
	for range n {
		ids = append(ids, r.next().at("id"))
	}
	return ids
}

// ended demands that the connection is cut before another message comes.
func (r reader) ended() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.t.Context()), 10*time.Second)
	defer cancel()
	_, data, err := r.ws.Read(ctx)
	require.Error(r.t, err, "%s", data)
	require.NoError(r.t, ctx.Err(), "it was not cut")
}

// bot is a core client whose approval transfers from treasury need, with another's beside it.
func (f *fed) bot() approver {
	f.t.Helper()
	bot := approver{f.service, f.newCoreClient("Bot")}
	f.post(f.inCompany("/trustedparty"), object{"address": bot.id}).ok()
	fund := f.newFund(f.company, object{"name": "Bot's", "custodygroup_tx": group(1, bot.id, f.ids[alice])})
	f.treasury = f.newWallet(f.company, fund, object{"asset": btc})
	f.credit(f.treasury, 1_000_000)
	return bot
}

func TestCoreClientFeedSendsWhatIsPendingAndWhatComes(t *testing.T) {
	f := newFed(t)
	bot := f.bot()
	other := approver{f.service, f.newCoreClient("Other")}
	for range 3 {
		f.transfer(nil).ok()
		f.clock.forward(time.Second)
	}
	bot.approve(bot.actionIDs()[1]).ok()
	first := f.open(bot.path("/feed"), "own")
	pending := bot.actionIDs()
	assert.Equal(t, pending, first.ids(2), "what waits, oldest first")

	sent := f.Now().Unix()
	f.transfer(nil).ok()
	got := first.next()
	assert.Equal(t, object{
		"id": bot.last(), "coreClientID": bot.id, "type": "ApproveTransfer", "status": "pending",
		"timestamp": f.text(sent), "expireTime": f.text(sent + 3600),
	}, got.flat(), "and nothing else")

	f.clock.forward(time.Second)
	second := f.open(bot.path("/feed"), "second") // another key of the account
	assert.Equal(t, append(pending, bot.last()), second.ids(3))

	t.Run("nothing is told of ends, nor of what others are asked", func(t *testing.T) {
		bot.reject(bot.last()).ok()
		require.NoError(t, f.Approve(alice, string(f.actionTx(bot, pending[0]))))
		require.NoError(t, f.Advance(time.Hour))
		f.quote(object{"send_wallet_id": f.trading, "send": object{"symbol": btc, "amount": f.fill(f.trading)}})
		f.transfer(nil).ok()
		assert.Equal(t, bot.last(), first.next().at("id"))
		assert.Equal(t, bot.last(), second.next().at("id"))
		idle := f.open(other.path("/feed"), "own")
		f.post(f.inCompany("/trustedparty"), object{"address": other.id}).ok()
		fund := f.newFund(f.company, object{"name": "O", "custodygroup_tx": group(1, other.id)})
		f.treasury = f.newWallet(f.company, fund, object{"asset": btc})
		f.credit(f.treasury, 5000)
		f.transfer(nil).ok()
		assert.Equal(t, other.last(), idle.next().at("id"), "the first that came")
	})
}

// flat is a message of one level, its numbers as text.
func (a answer) flat() object {
	a.t.Helper()
	out := object{}
	for key := range a.value.(object) {
		out[key] = a.at(key)
	}
	return out
}

func (f fed) actionTx(a approver, id string) string {
	f.t.Helper()
	return a.action(id).ok().at("details.txID")
}

// fill credits a wallet and returns how much.
func (f fed) fill(wallet string) int64 { f.t.Helper(); f.credit(wallet, 1000); return 1000 }

func TestAgentFeed(t *testing.T) {
	f := newFed(t)
	a := f.newAgent()
	a.finish().ok()
	f.post(f.inCompany("/trustedparty"), object{"address": a.id}).ok()
	fund := f.newFund(f.company, object{"name": "A", "custodygroup_tx": group(1, a.id)})
	f.treasury = f.newWallet(f.company, fund, object{"asset": btc})
	f.credit(f.treasury, 5000)
	f.transfer(nil).ok()
	seen := approver{f.service, a.id}
	feed, _, err := f.dial("/coreclient/feed", map[string]string{"X-Api-Zkp": a.proof(f.clock.Now())})
	require.NoError(t, err)
	assert.Equal(t, []string{seen.last(), a.id}, func() []string { m := feed.next(); return []string{m.at("id"), m.at("coreClientID")} }())
	f.transfer(nil).ok()
	assert.Equal(t, seen.last(), feed.next().at("id"))

	for name, header := range map[string]map[string]string{
		"no proof": {}, "a key": {"X-API-KEY": "own"}, "an old proof": {"X-Api-Zkp": a.proof(f.clock.Now().Add(-time.Hour))},
	} {
		_, status, err := f.dial("/coreclient/feed", header)
		require.Error(t, err, name)
		assert.Equal(t, 401, status, name)
	}
}

// The feed of wallets tells of dedicated wallets that are connected to core clients of the key's account, whoever
// owns them, and of no others.
func TestWalletFeed(t *testing.T) {
	f := newFed(t)
	b := bourse{f.world, approver{f.as("strange"), f.as("strange").newCoreClient("Bourse")}}
	connected, shared := b.connected(1, nil), b.ready(2, nil)
	pending, vault := b.connected(1, nil), b.vault()
	f.credit(f.told, 77) // before the feed: not told
	feed, foreign := f.open("/wallets/feed", "own"), f.open("/wallets/feed", "strange")
	for _, wallet := range []string{f.treasury, f.ether, shared, pending, connected} {
		f.credit(wallet, 5) // one's own, of many counterparties, not connected yet
	}
	require.NoError(t, f.Approve(alice, f.transfer(nil).ok().at("tx_id")))
	for _, action := range b.exchange.actionIDs() {
		if b.exchange.statusOf(action) == "pending" {
			b.exchange.approve(action)
		}
	}
	b.exchange.credit(vault, 6)

	// message is what the feed tells of a wallet's latest movement, as its history has it.
	message := func(wallet string, sweep bool) object {
		h := f.get("/wallet/" + wallet + "/history").ok()
		last := object{"Status": "approved", "sweep_tx": strconv.FormatBool(sweep)}
		for _, key := range []string{"wallet_id", "tx_id", "chain_tx_id", "asset", "amount", "fee", "net_amount", "timestamp"} {
			last[key] = h.at("history." + strconv.Itoa(h.count("history")-1) + "." + key)
		}
		return last
	}
	deposit := f.credit(f.told, 50_000)
	got := feed.next().flat()
	assert.Equal(t, message(f.told, false), got)
	assert.Equal(t, []any{f.told, string(deposit.TxID), deposit.ChainTxID, "50000", "0"},
		[]any{got["wallet_id"], got["tx_id"], got["chain_tx_id"], got["amount"], got["fee"]})
	f.credit(connected, 50_000)
	assert.Equal(t, message(connected, false), foreign.next().flat(), "another account's wallet")

	t.Run("what leaves is negative", func(t *testing.T) {
		tx := f.transfer(object{"wallet_id": connected}).ok().at("tx_id")
		f.clock.forward(time.Minute)
		require.NoError(t, f.Approve(bob, tx))
		b.exchange.approve(b.exchange.last()).ok()
		got := foreign.next().flat()
		assert.Equal(t, message(connected, false), got)
		assert.Equal(t, []any{tx, "-"}, []any{got["tx_id"], got["amount"].(string)[:1]})
		assert.Len(t, got["chain_tx_id"], 64)
	})
	t.Run("sweeps", func(t *testing.T) {
		b.sweep(connected, vault, nil).ok()
		b.exchange.approve(b.exchange.last()).ok()
		assert.Equal(t, message(connected, true), foreign.next().flat(), "and not of the vault, which is the account's own")
	})
	t.Run("nothing else was told", func(t *testing.T) {
		f.credit(f.told, 8)
		assert.Equal(t, "8", feed.next().at("amount"))
		f.credit(connected, 9)
		assert.Equal(t, "9", foreign.next().at("amount"))
	})
}

func TestHubFeed(t *testing.T) {
	f := newFed(t)
	before := f.quote(object{"add_to_liquidity_hub": true})
	feed, foreign := f.open("/liquidityhub/feed", "own"), f.open("/liquidityhub/feed", "strange")
	told := func() [2]string { t.Helper(); m := feed.next(); return [2]string{m.at("txID"), m.at("status")} }

	unlisted := f.quote(nil) // nobody is told
	listed := f.quote(object{"add_to_liquidity_hub": true})
	assert.Equal(t, [2]string{listed, "taker_pending"}, told())
	f.post(f.inCompany("/liquidityhub"), object{"tx_id": unlisted}).ok()
	f.post(f.inCompany("/liquidityhub"), object{"tx_id": unlisted}).ok()
	assert.Equal(t, [2]string{unlisted, "taker_pending"}, told())

	require.NoError(t, f.Reject(alice, f.take(listed, nil).ok().at("tx_id"))) // leaves it listed
	take := f.take(listed, nil).ok().at("tx_id")
	require.NoError(t, f.Approve(alice, take))
	require.NoError(t, f.Approve(bob, take))
	assert.Equal(t, [2]string{listed, "taker_approved"}, told())
	f.call("DELETE", f.inCompany("/atomicswap/make/"+unlisted), nil)
	assert.Equal(t, [2]string{unlisted, "initiate_rejected"}, told())
	require.NoError(t, f.Advance(time.Hour))
	assert.Equal(t, [2]string{before, "expired"}, told(), "also of those listed before")
	require.Equal(t, 2, f.DropFeeds())
	foreign.ended()
}

func TestFeedsAreAuthenticated(t *testing.T) {
	l := listen(t)
	t.Cleanup(func() { _ = l.sandbox.Close() })
	f := fed{market: market{world: world{service: service{t: t, Sandbox: l.sandbox, clock: l.clock}}}, srv: l.Server}
	path := "/wallets/feed"
	stamp := strconv.FormatInt(startOfTime.Unix(), 10)
	signedFor := func(url string) map[string]string {
		return map[string]string{"X-API-KEY": "own", "x-timestamp": stamp, "x-sign": signature(t, ownKey(), stamp, url, "")}
	}
	for name, test := range map[string]struct {
		header map[string]string
		status int
	}{
		"signed":                      {signedFor(f.url(path)), 101},
		"no signature":                {map[string]string{"X-API-KEY": "own"}, 401},
		"nothing":                     {nil, 401},
		"signed for another feed":     {signedFor(f.url("/liquidityhub/feed")), 401},
		"signed for the http:// form": {signedFor(l.url(path)), 401},
	} {
		_, status, err := f.dial(path, test.header)
		assert.Equal(t, test.status, status, name)
		assert.Equal(t, test.status == 101, err == nil, name)
	}
	t.Run("and are not there without an upgrade", func(t *testing.T) {
		for _, path := range []string{path, "/liquidityhub/feed", "/coreclient/none/feed"} {
			newSigned(t, startOfTime, "GET", l.url(path), "").send(t, l.Client()).refused(426, "WebSocket")
		}
		newSigned(t, startOfTime, "POST", l.url(path), "").send(t, l.Client()).refused(405, "method")
	})
	t.Run("nor for what is not there", func(t *testing.T) {
		_, status, err := f.dial("/coreclient/none/feed", signedFor(f.url("/coreclient/none/feed")))
		require.Error(t, err)
		assert.Equal(t, 404, status)
	})
}
