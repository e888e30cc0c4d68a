package sandbox_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// bourse is a world with an exchange's core client, of another account, and a third company's wallet.
type bourse struct {
	world
	exchange approver
}

func newBourse(t testing.TB, opts ...sandbox.Option) bourse {
	t.Helper()
	b := bourse{world: withFunds(t, opts...)}
	foreign := b.as("strange")
	b.exchange = approver{foreign, foreign.newCoreClient("Bourse")}
	return b
}

// connected makes a wallet of a type that asks the exchange to be connected, with fields changed.
func (b bourse) connected(kind int, changed object) string {
	b.t.Helper()
	return b.newWallet(b.company, b.fund, merge(object{
		"asset": btc, "type": kind, "connect": []any{object{"counterparty_id": b.exchange.id, "client_id": "customer-7"}},
	}, changed))
}

// ready is a connected wallet with 10000 in it.
func (b bourse) ready(kind int, changed object) string {
	b.t.Helper()
	wallet := b.connected(kind, changed)
	b.exchange.approve(b.exchange.last()).ok()
	b.credit(wallet, 10_000)
	return wallet
}

// whatIs tells how a wallet and its first connection stand.
func (b bourse) whatIs(wallet string) [2]string {
	b.t.Helper()
	got := b.get("/wallet/" + wallet).ok()
	return [2]string{got.at("status"), got.at("connected.0.status")}
}

func TestConnectRequests(t *testing.T) {
	for name, opts := range map[string][]sandbox.Option{"": nil, "strict, ": {sandbox.WithStrictChecks()}} {
		testConnectRequests(t, name, newBourse(t, opts...))
	}
}

func testConnectRequests(t *testing.T, strict string, b bourse) {
	t.Helper()
	second := b.newCoreClient("Second")
	to := func(ids ...string) []any {
		list := []any{}
		for _, id := range ids {
			list = append(list, object{"counterparty_id": id, "client_id": "c"})
		}
		return list
	}
	for name, test := range map[string]struct {
		kind    any
		connect any
		reason  string // of a refusal; "strict: …" for one by strict checks only
	}{
		"a standard wallet with a counterparty":     {0, to(b.exchange.id), "strict: connect"},
		"a type that nobody knows, with one":        {4, to(b.exchange.id), "strict: connect"},
		"a negative type":                           {-1, nil, ""},
		"a dedicated wallet without":                {1, nil, "one counterparty"},
		"a dedicated wallet with an empty list":     {1, to(), "one counterparty"},
		"a dedicated wallet with two":               {1, to(b.exchange.id, second), "one counterparty"},
		"a dedicated wallet with one that is not":   {1, to("none"), "none"},
		"a dedicated wallet with a user":            {1, to(b.ids[alice]), "no core client"},
		"a multi-counterparty wallet, one twice":    {2, to(second, b.exchange.id, second), "strict: twice"},
		"a dedicated wallet with one, twice":        {1, to(second, second), "strict: twice"},
		"a multi-counterparty wallet, one is not":   {2, to(second, "none"), "none"},
		"a dedicated wallet with one":               {1, to(second), ""},
		"a multi-counterparty wallet without":       {2, nil, ""},
		"a multi-counterparty wallet with two":      {2, to(b.exchange.id, second), ""},
		"the same under its other number":           {3, to(b.exchange.id, second), ""},
		"one object in place of the list":           {1, object{"counterparty_id": second}, ""},
		"a standard wallet with an empty list":      {0, to(), ""},
		"the type as text":                          {"1", to(second), ""},
		"a type that nobody knows, with no connect": {77, nil, ""},
	} {
		t.Run(strict+name, func(t *testing.T) {
			reason, byStrict := strings.CutPrefix(test.reason, "strict: ")
			for _, path := range []string{b.inFund("/wallet"), b.inCompany("/fund")} {
				got := b.post(path, object{"name": "F", "wallets": []any{object{"asset": btc, "type": test.kind, "connect": test.connect}}})
				if reason == "" || byStrict && strict == "" {
					got.ok()
				} else {
					got.refused(400, reason)
				}
			}
		})
	}
}

func TestConnectActionAndItsDetails(t *testing.T) {
	for kind, code := range map[int]string{1: "dedicated", 2: "multi-counterparty", 3: "multi-counterparty"} {
		t.Run(code, func(t *testing.T) {
			b := newBourse(t)
			wallet := b.connected(kind, object{"name": "At the bourse"})
			got := b.exchange.action(b.exchange.last()).ok()
			for key, want := range map[string]string{
				"type": "ApproveNewWalletConnect", "status": "pending", "coreClientID": b.exchange.id,
				"details.clientData.customer_id": "customer-7", "details.wallet.walletID": wallet, "details.wallet.name": "At the bourse",
				"details.wallet.asset": btc, "details.wallet.type": b.text(int64(kind)), "details.wallet.typeCode": code,
			} {
				assert.Equal(t, want, got.at(key), key)
			}
			assert.Equal(t, startOfTime.Unix()+3600, got.number("expireTime"))
			list := b.exchange.get(b.exchange.path("/wallets")).ok()
			require.Equal(t, 1, list.count("wallets"))
			for key, want := range map[string]string{
				"wallet_id": wallet, "action_id": b.exchange.last(), "status": "pending",
				"expires": b.text(startOfTime.Unix() + 3600),
			} {
				assert.Equal(t, want, list.at("wallets.0."+key), key)
			}
			shown := b.get("/wallet/" + wallet).ok()
			for key, want := range map[string]string{
				"type": b.text(int64(kind)), "connected.0.client_id": "customer-7", "connected.0.counterparty_id": b.exchange.id,
				"connected.0.name": "Bourse", "connected.0.status": "initiated",
			} {
				assert.Equal(t, want, shown.at(key), key)
			}
			state, err := b.State()
			require.NoError(t, err)
			assert.Equal(t, 1, state.Transactions, "the deposit alone: a connection moves nothing")
			assert.Equal(t, 1, b.get(b.inFund("/ledger")).ok().count("List"))
		})
	}
}

func TestConnectionsEnd(t *testing.T) {
	for name, test := range map[string]struct {
		end                   func(b bourse)
		wallet, connection, e string
	}{
		"approved": {func(b bourse) { b.exchange.approve(b.exchange.last()).ok() }, "ready", "connected", "approved"},
		"rejected": {func(b bourse) { b.exchange.reject(b.exchange.last()).ok() }, "rejected", "rejected", "rejected"},
		"expired":  {func(b bourse) { b.clock.forward(time.Hour) }, "expired", "expired", "expired"},
		"waiting":  {func(b bourse) { b.clock.forward(time.Hour - 1) }, "pending", "initiated", "pending"},
	} {
		for _, kind := range []int{1, 2, 3} {
			t.Run(name+", "+typeNames[kind], func(t *testing.T) {
				b := newBourse(t)
				wallet := b.connected(kind, nil)
				action := b.exchange.last()
				b.credit(wallet, 10_000)
				test.end(b)
				want := test.wallet
				if kind != 1 {
					want = "ready" // only a dedicated wallet needs its counterparty
				}
				assert.Equal(t, [2]string{want, test.connection}, b.whatIs(wallet))
				assert.Equal(t, test.e, b.exchange.get(b.exchange.path("/wallets")).ok().at("wallets.0.status"))
				assert.Equal(t, test.e, b.exchange.statusOf(action))
				assert.EqualValues(t, 10_000, b.balance(wallet), "deposits arrive in any case")
				if got := b.transfer(object{"wallet_id": wallet}); want == "ready" {
					got.ok()
				} else {
					got.refused(400, want)
					b.withdrawal(object{"wallet_id": wallet}).refused(400, want)
				}
			})
		}
	}
}

var typeNames = map[int]string{1: "dedicated", 2: "multi-counterparty", 3: "multi-counterparty by its other number"}

func TestDedicatedCounterpartyApprovesWhateverLeaves(t *testing.T) {
	b := newBourse(t)
	for kind, send := range map[string]func(object) answer{"transfer": b.transfer, "withdraw": b.withdrawal} {
		needed := map[string]int{"transfer": 1, "withdraw": 2}[kind]
		group := []string{alice, bob}[:needed]
		t.Run(kind+", the counterparty last", func(t *testing.T) {
			wallet := b.ready(1, nil)
			tx := send(object{"wallet_id": wallet}).ok().at("tx_id")
			for _, who := range group {
				require.NoError(t, b.Approve(who, tx))
			}
			got := b.get(b.inCompany("/" + kind + "/" + tx)).ok()
			assert.Equal(t, "pending", got.at("txStatus"))
			assert.EqualValues(t, needed+1, got.number("thresholdRequired"))
			assert.Contains(t, got.column("status", "userID"), b.exchange.id)
			b.exchange.approve(b.exchange.last()).ok()
			assert.Equal(t, "approved", b.get(b.inCompany("/"+kind+"/"+tx)).ok().at("txStatus"))
			assert.EqualValues(t, 8999, b.balance(wallet))
		})
		t.Run(kind+", the counterparty first", func(t *testing.T) {
			tx := send(object{"wallet_id": b.ready(1, nil)}).ok().at("tx_id")
			b.exchange.approve(b.exchange.last()).ok()
			assert.Equal(t, "pending", b.get(b.inCompany("/"+kind+"/"+tx)).ok().at("txStatus"), "it is not enough")
			for _, who := range group {
				require.NoError(t, b.Approve(who, tx))
			}
			assert.Equal(t, "approved", b.get(b.inCompany("/"+kind+"/"+tx)).ok().at("txStatus"))
		})
		t.Run(kind+", the counterparty rejects", func(t *testing.T) {
			wallet := b.ready(1, nil)
			tx := send(object{"wallet_id": wallet}).ok().at("tx_id")
			b.exchange.reject(b.exchange.last()).ok()
			assert.Equal(t, "custody_rejected", b.get(b.inCompany("/"+kind+"/"+tx)).ok().at("txStatus"))
			assert.Zero(t, b.held(wallet))
			require.ErrorContains(t, b.Approve(alice, tx), "409")
		})
		t.Run(kind+", from a multi-counterparty wallet it is not asked", func(t *testing.T) {
			wallet := b.ready(2, nil)
			before := len(b.exchange.actionIDs())
			tx := send(object{"wallet_id": wallet}).ok().at("tx_id")
			assert.Len(t, b.exchange.actionIDs(), before)
			for _, who := range group {
				require.NoError(t, b.Approve(who, tx))
			}
			assert.Equal(t, "approved", b.get(b.inCompany("/"+kind+"/"+tx)).ok().at("txStatus"))
		})
	}
}

func TestDedicatedCounterpartyApprovesSwaps(t *testing.T) {
	b := newBourse(t)
	m := market{world: b.world, makerIn: b.ether}
	m.treasury = b.ready(1, nil)
	quote := m.offer(object{"send": object{"symbol": btc, "amount": 5000}}).ok().at("tx_id")
	require.NoError(t, m.Approve(alice, quote))
	assert.Equal(t, "pending", m.makerStatus(quote))
	b.exchange.approve(b.exchange.last()).ok()
	assert.Equal(t, "taker_pending", m.makerStatus(quote))
}

func TestDedicatedCounterpartyWhoIsInTheGroupTooHasOneVote(t *testing.T) {
	b := newBourse(t)
	b.post(b.inCompany("/trustedparty"), object{"address": b.exchange.id}).ok()
	wallet := b.ready(1, object{"custodygroup_tx": group(2, b.ids[alice], b.exchange.id, b.ids[bob])})
	got := b.get("/wallet/" + wallet).ok()
	assert.Equal(t, []string{b.ids[alice], b.exchange.id, b.ids[bob]}, memberIDs(got, "policy_tx"), "shown once, in its place")
	assert.Equal(t, []string{"false", "true", "false"}, got.column("policy_tx.members", "dedicated"))
	assert.EqualValues(t, 3, got.number("policy_tx.membersCount"))
	assert.EqualValues(t, 2, got.number("policy_tx.threshold"))
	// The fund's group for withdrawals does not have it.
	assert.Equal(t, []string{b.ids[alice], b.ids[bob], b.ids[carol], b.exchange.id}, memberIDs(got, "policy_withdraw"))
	assert.Equal(t, []string{"false", "false", "false", "true"}, got.column("policy_withdraw.members", "dedicated"))
	assert.EqualValues(t, 4, got.number("policy_withdraw.membersCount"))
	fund := b.get(b.inFund("")).ok()
	assert.Len(t, memberIDs(fund, "policy_withdraw"), 3, "the fund's own policy does not change")
	assert.Equal(t, []string{"false", "false", "false"}, fund.column("policy_withdraw.members", "dedicated"))

	tx := b.transfer(object{"wallet_id": wallet}).ok().at("tx_id")
	asked := b.get(b.inCompany("/transfer/" + tx)).ok()
	assert.Equal(t, 3, asked.count("status"))
	assert.EqualValues(t, 2, asked.number("thresholdRequired"))
	require.NoError(t, b.Approve(alice, tx))
	require.NoError(t, b.Approve(bob, tx))
	assert.Equal(t, "pending", b.status(tx), "two, but not the counterparty")
	b.exchange.approve(b.exchange.last()).ok()
	assert.Equal(t, "approved", b.status(tx))

	tx = b.transfer(object{"wallet_id": wallet}).ok().at("tx_id")
	b.exchange.approve(b.exchange.last()).ok()
	assert.Equal(t, "pending", b.status(tx))
	require.NoError(t, b.Approve(bob, tx))
	assert.Equal(t, "approved", b.status(tx), "its vote counts for both")
}

// memberIDs are a policy's members in order.
func memberIDs(got answer, policy string) []string {
	got.t.Helper()
	ids := make([]string, got.count(policy+".members"))
	for i := range ids {
		ids[i] = got.at(policy + ".members." + string(rune('0'+i)) + ".entity.id")
	}
	return ids
}

// A counterparty is connected once, also to a wallet that names it twice.
func TestCounterpartyNamedTwiceIsAskedOnce(t *testing.T) {
	b := newBourse(t)
	account := object{"counterparty_id": b.exchange.id, "client_id": "customer-7"}
	wallet := b.newWallet(b.company, b.fund, object{"asset": btc, "type": 2, "connect": []any{account, account}})
	assert.Equal(t, 1, b.get("/wallet/"+wallet).ok().count("connected"))
	assert.Len(t, b.exchange.actionIDs(), 1)
}

// An exchange reads what others' wallets hold that are connected to it, and no other.
func TestExchangeReadsConnectedWallets(t *testing.T) {
	b := newBourse(t)
	for name, kind := range map[string]int{"dedicated": 1, "multi-counterparty": 2} {
		t.Run(name, func(t *testing.T) {
			wallet := b.connected(kind, nil)
			for _, path := range []string{"/wallet/" + wallet, "/wallet/" + wallet + "/history"} {
				b.exchange.get(path).refused(404, "wallet")
			}
			b.exchange.approve(b.exchange.last()).ok()
			b.credit(wallet, 10_000)
			got := b.exchange.get("/wallet/" + wallet).ok()
			assert.Equal(t, wallet, got.at("wallet_id"))
			assert.Equal(t, wallet, b.exchange.get("/wallet/"+url.PathEscape(got.at("short_code"))).ok().at("wallet_id"))
			assert.EqualValues(t, 10_000, got.number("balance"))
			assert.Equal(t, []string{"10000"}, b.exchange.get("/wallet/"+wallet+"/history").ok().column("history", "amount"))
			b.exchange.get("/wallet/"+wallet+"/max").refused(404, "wallet")
			b.exchange.get(b.inFund("/ledger")).refused(404, "company")

			rejected := b.connected(kind, nil)
			b.exchange.reject(b.exchange.last()).ok()
			b.exchange.get("/wallet/"+rejected).refused(404, "wallet")
		})
	}
	t.Run("connected to somebody else", func(t *testing.T) {
		desk := approver{b.service, b.newCoreClient("Desk")}
		wallet := b.connected(2, object{"connect": []any{object{"counterparty_id": desk.id}}})
		desk.approve(desk.last()).ok()
		b.exchange.get("/wallet/"+wallet).refused(404, "wallet")
	})
	b.exchange.get("/wallet/"+b.treasury).refused(404, "wallet")
	b.exchange.get("/wallet/none").refused(404, "wallet")
}

func TestExchanges(t *testing.T) {
	b := newBourse(t)
	assert.JSONEq(t, `{"exchanges":[]}`, string(b.get("/exchanges").ok().Body))
	require.ErrorContains(t, b.ListExchange(qredo.Exchange{ID: "none", Name: "None"}), "404")
	require.ErrorContains(t, b.ListExchange(qredo.Exchange{ID: b.exchange.id}), "400")
	require.NoError(t, b.ListExchange(qredo.Exchange{ID: b.exchange.id, Name: "Old name"}))
	second := b.newCoreClient("Second")
	require.NoError(t, b.ListExchange(qredo.Exchange{ID: second, Name: "Second"}))
	require.NoError(t, b.ListExchange(qredo.Exchange{
		ID: b.exchange.id, Name: "Bourse", URL: "https://bourse.example", LogoURL: "https://bourse.example/logo.png",
		Client: qredo.ExchangeClient{Fields: []qredo.ExchangeField{{ID: "client_id", Type: "string", Name: "Account"}}},
	}))
	for _, key := range []string{"own", "strange"} {
		got := b.as(key).get("/exchanges").ok()
		assert.Equal(t, []string{second, b.exchange.id}, got.column("exchanges", "id"), "the same again is replaced")
		for path, want := range map[string]string{
			"name": "Bourse", "url": "https://bourse.example", "logourl": "https://bourse.example/logo.png",
			"client.fields.0.id": "client_id", "client.fields.0.type": "string", "client.fields.0.name": "Account",
		} {
			assert.Equal(t, want, got.at("exchanges.1."+path), path)
		}
	}
}
