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
)

// fed is a market on a socket whose feeds can be read.
type fed struct {
	market
	srv *httptest.Server
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
	return fed{m, srv}
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
	ws, resp, err := websocket.Dial(f.t.Context(), url, &websocket.DialOptions{
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
	proof := a.proof(f.clock.Now(), "GET", f.url("/coreclient/feed"), "")
	feed, _, err := f.dial("/coreclient/feed", map[string]string{"X-Api-Zkp": proof})
	require.NoError(t, err)
	assert.Equal(t, []string{seen.last(), a.id}, func() []string { m := feed.next(); return []string{m.at("id"), m.at("coreClientID")} }())
	f.transfer(nil).ok()
	assert.Equal(t, seen.last(), feed.next().at("id"))

	for name, header := range map[string]map[string]string{
		"no proof": {}, "a key": {"X-API-KEY": "own"}, "a proof for another URL": {"X-Api-Zkp": a.proof(f.clock.Now(), "GET", f.url("/coreclient"), "")},
	} {
		_, status, err := f.dial("/coreclient/feed", header)
		require.Error(t, err, name)
		assert.Equal(t, 401, status, name)
	}
}

func TestWalletFeed(t *testing.T) {
	f := newFed(t)
	f.credit(f.ether, 77) // before the feed: not told
	feed := f.open("/wallets/feed", "own")
	message := func(wallet, tx, asset string, amount, fee, net int64) object {
		return object{
			"Status": "approved", "wallet_id": wallet, "tx_id": tx, "asset": asset, "amount": f.text(amount), "fee": f.text(fee),
			"net_amount": f.text(net), "timestamp": f.text(f.Now().Unix()), "sweep_tx": "false", "chain_tx_id": "",
		}
	}
	deposit := f.credit(f.treasury, 500)
	want := message(f.treasury, string(deposit.TxID), btc, 500, 0, 500)
	want["chain_tx_id"] = deposit.ChainTxID
	assert.Equal(t, want, feed.next().flat())

	transfer := f.transfer(nil).ok().at("tx_id")
	rejected := f.transfer(nil).ok().at("tx_id")
	require.NoError(t, f.Reject(alice, rejected))
	require.NoError(t, f.Reject(bob, rejected))
	f.clock.forward(time.Minute)
	require.NoError(t, f.Approve(bob, transfer))
	assert.Equal(t, message(f.treasury, transfer, btc, -1001, -1, -1000), feed.next().flat(), "what leaves is negative")
	assert.Equal(t, message(f.trading, transfer, btc, 1000, 0, 1000), feed.next().flat())

	withdrawal := f.withdrawal(nil).ok().at("tx_id")
	require.NoError(t, f.Approve(alice, withdrawal))
	require.NoError(t, f.Approve(bob, withdrawal))
	got := feed.next().flat()
	assert.Len(t, got["chain_tx_id"], 64)
	got["chain_tx_id"] = ""
	assert.Equal(t, message(f.treasury, withdrawal, btc, -1001, -1, -1000), got)

	quote := f.quote(nil)
	take := f.take(quote, nil).ok().at("tx_id")
	require.NoError(t, f.Approve(alice, take))
	require.NoError(t, f.Approve(bob, take))
	var sides []object
	for range 4 {
		sides = append(sides, feed.next().flat())
	}
	assert.ElementsMatch(t, []object{
		message(f.treasury, quote, btc, -offeredDebit, -200, -offered), message(f.makerIn, quote, eth, wanted, 0, wanted),
		message(f.takerEther, take, eth, -wantedDebit, -30, -wanted), message(f.takerBitcoin, take, btc, offered, 0, offered),
	}, sides, "each side under the ID that it knows the swap by")

	b := bourse{f.world, approver{f.as("strange"), f.as("strange").newCoreClient("Bourse")}}
	swept, vault := b.ready(1, nil), b.vault()
	foreign := f.open("/wallets/feed", "strange")
	assert.Equal(t, swept, feed.next().at("wallet_id"), "its deposit")
	tx := b.sweep(swept, vault, nil).ok().at("tx_id")
	b.exchange.approve(b.exchange.last()).ok()
	out, in := message(swept, tx, btc, -4004, -4, -4000), message(vault, tx, btc, 4000, 0, 4000)
	out["sweep_tx"], in["sweep_tx"] = "true", "true"
	assert.Equal(t, out, feed.next().flat())
	assert.Equal(t, in, foreign.next().flat(), "the other account is told of its own wallet, and of nothing before")
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
	f := fed{market{world: world{service: service{t: t, Sandbox: l.sandbox, clock: l.clock}}}, l.Server}
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
