package sandbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// market is a world with a second company of the same account: a maker with BTC and a taker with ETH. The
// taker's transfers need approvals of two, alice and bob.
type market struct {
	world
	makerIn                  string // the maker's wallet for ETH
	taker, takerFund         string
	takerEther, takerBitcoin string
}

const (
	offered = 200_000 // of BTC, by the maker: what the taker gets
	wanted  = 30_000  // of ETH
	// What leaves the wallets for that: the fee comes on top.
	offeredDebit = offered + 200
	wantedDebit  = wanted + 30
)

func newMarket(t testing.TB, opts ...sandbox.Option) market {
	t.Helper()
	m := market{world: withFunds(t, opts...)}
	m.makerIn = m.ether
	m.taker = m.newCompany("Taker", "taker.example")
	ids := m.trust(m.taker, alice, bob)
	m.takerFund = m.newFund(m.taker, object{"name": "Taker's", "custodygroup_tx": group(2, ids[alice], ids[bob])})
	m.takerEther = m.newWallet(m.taker, m.takerFund, object{"name": "E", "asset": eth})
	m.takerBitcoin = m.newWallet(m.taker, m.takerFund, object{"name": "B", "asset": btc})
	m.credit(m.takerEther, 100_000)
	return m
}

// offer asks for a quote, with fields changed; a nil removes one.
func (m market) offer(changed object) answer {
	m.t.Helper()
	return m.post(m.inCompany("/atomicswap/make"), merge(object{
		"send_wallet_id": m.treasury, "receive_wallet_id": m.makerIn, "reference": "quote", "expires": m.in(time.Hour),
		"send": object{"symbol": btc, "amount": offered}, "receive": object{"symbol": eth, "amount": wanted},
	}, changed))
}

// take asks for the other side of a quote.
func (m market) take(quote string, changed object) answer {
	m.t.Helper()
	return m.post("/company/"+m.taker+"/atomicswap/take", merge(object{
		"swap_id": quote, "send_wallet_id": m.takerEther, "receive_wallet_id": m.takerBitcoin, "reference": "take",
	}, changed))
}

// quote is an offer that the maker's side approved.
func (m market) quote(changed object) string {
	m.t.Helper()
	tx := m.offer(changed).ok().at("tx_id")
	require.NoError(m.t, m.Approve(alice, tx))
	return tx
}

func (m market) maker(tx string) answer {
	m.t.Helper()
	return m.get(m.inCompany("/atomicswap/make/" + tx)).ok()
}

func (m market) makerStatus(tx string) string { m.t.Helper(); return m.maker(tx).at("txStatus") }

func (m market) takerStatus(tx string) string {
	m.t.Helper()
	return m.get("/company/" + m.taker + "/atomicswap/take/" + tx).ok().at("txStatus")
}

// books are the balances of all four wallets, and what the two that send hold.
type books struct{ makerBTC, makerETH, takerETH, takerBTC, makerHeld, takerHeld int64 }

func (m market) books() books {
	m.t.Helper()
	return books{
		m.balance(m.treasury), m.balance(m.makerIn), m.balance(m.takerEther), m.balance(m.takerBitcoin),
		m.held(m.treasury), m.held(m.takerEther),
	}
}

func TestSwapSettlesBothSidesInOneStep(t *testing.T) {
	m := newMarket(t)
	made := m.offer(nil).ok()
	quote := made.at("tx_id")
	assert.Equal(t, "new", made.at("status"))
	assert.Equal(t, "https://qredo.network/aswp"+quote, made.at("tx_url"))
	assert.Equal(t, "pending", m.makerStatus(quote))
	assert.Equal(t, books{makerBTC: 1_000_000, takerETH: 100_000, makerHeld: offeredDebit}, m.books(), "held from the beginning")
	m.take(quote, nil).refused(400, "pending")
	assert.Equal(t, m.makerIn, m.maker(quote).at("statusDetails.recipientAddress"), "where it is to receive, until somebody takes it")

	require.NoError(t, m.Approve(bob, quote))
	assert.Equal(t, "taker_pending", m.makerStatus(quote))
	assert.Equal(t, books{makerBTC: 1_000_000, takerETH: 100_000, makerHeld: offeredDebit}, m.books())
	require.ErrorContains(t, m.Approve(alice, quote), "409", "it was approved")

	m.clock.forward(time.Minute)
	taken := m.take(quote, nil).ok()
	take := taken.at("tx_id")
	assert.Equal(t, "new", taken.at("status"))
	assert.NotEqual(t, quote, take)
	_, has := taken.find("tx_url")
	assert.False(t, has, "only a quote has a URL")
	assert.Equal(t, []string{"taker_pending", "pending"}, []string{m.makerStatus(quote), m.takerStatus(take)})
	both := books{makerBTC: 1_000_000, takerETH: 100_000, makerHeld: offeredDebit, takerHeld: wantedDebit}
	assert.Equal(t, both, m.books())
	require.NoError(t, m.Approve(alice, take))
	assert.Equal(t, "pending", m.takerStatus(take), "one of two")
	assert.Equal(t, both, m.books())

	m.clock.forward(time.Minute)
	require.NoError(t, m.Approve(bob, take))
	assert.Equal(t, []string{"taker_approved", "taker_approved"}, []string{m.makerStatus(quote), m.takerStatus(take)})
	assert.Equal(t, books{makerBTC: 1_000_000 - offeredDebit, makerETH: wanted, takerETH: 100_000 - wantedDebit, takerBTC: offered}, m.books())
	m.fees(btc, 200)
	m.fees(eth, 30)

	got := m.maker(quote)
	for key, want := range map[string]string{
		"txID": quote, "approvedCount": "1", "thresholdRequired": "1", "reference": "quote",
		"statusDetails.asset": btc, "statusDetails.amount": "200200", "statusDetails.fees": "200", "statusDetails.netAmount": "200000",
		"statusDetails.recipientAddress": m.takerBitcoin,
	} {
		assert.Equal(t, want, got.at(key), key)
	}
	m.take(quote, nil).refused(400, "taker_approved")
	m.call("DELETE", m.inCompany("/atomicswap/make/"+quote), nil).refused(404, "taker_approved")
	m.clock.forward(1000 * time.Hour)
	assert.Equal(t, "taker_approved", m.takerStatus(take), "what is settled does not expire")
}

func TestSwapInLedgerAndHistory(t *testing.T) {
	m := newMarket(t)
	quote := m.quote(nil)
	take := m.take(quote, nil).ok().at("tx_id")
	sides := func(company, fund string) (types, ids, statuses []string) {
		t.Helper()
		l := m.get("/company/" + company + "/fund/" + fund + "/ledger").ok()
		for i, kind := range l.column("List", "type") {
			if kind != "deposit" {
				types, ids = append(types, kind), append(ids, l.column("List", "TxID")[i])
				statuses = append(statuses, l.column("List", "status")[i])
			}
		}
		return types, ids, statuses
	}
	types, ids, statuses := sides(m.company, m.fund)
	assert.Equal(t, [][]string{{"swapOut"}, {quote}, {"taker_pending"}}, [][]string{types, ids, statuses})
	types, ids, statuses = sides(m.taker, m.takerFund)
	assert.Equal(t, [][]string{{"swapOut"}, {take}, {"pending"}}, [][]string{types, ids, statuses})

	m.clock.forward(time.Minute)
	settled := m.Now().Unix()
	require.NoError(t, m.Approve(alice, take))
	require.NoError(t, m.Approve(bob, take))
	approved := []string{"taker_approved", "taker_approved"}
	types, ids, statuses = sides(m.company, m.fund)
	assert.Equal(t, [][]string{{"swapIn", "swapOut"}, {quote, quote}, approved}, [][]string{types, ids, statuses})
	types, ids, statuses = sides(m.taker, m.takerFund)
	assert.ElementsMatch(t, []string{"swapOut", "swapIn"}, types)
	assert.Equal(t, [][]string{{take, take}, approved}, [][]string{ids, statuses})

	in := m.get("/company/" + m.taker + "/fund/" + m.takerFund + "/ledger?wallet_id=" + m.takerBitcoin + "&direction=in").ok()
	require.Equal(t, 1, in.count("List"))
	for key, want := range map[string]string{
		"type": "swapIn", "amount": "200000", "netAmount": "200000", "fees": "0", "asset": btc, "walletID": m.takerBitcoin,
		"counterpartyID": m.company, "counterpartyName": "Acme Exchange",
	} {
		assert.Equal(t, want, in.at("List.0."+key), key)
	}
	assert.Equal(t, settled, in.number("List.0.timestamp"))

	for wallet, want := range map[string][3]int64{
		m.treasury: {-offeredDebit, -200, -offered}, m.makerIn: {wanted, 0, wanted},
		m.takerEther: {-wantedDebit, -30, -wanted}, m.takerBitcoin: {offered, 0, offered},
	} {
		h := m.get("/wallet/" + wallet + "/history").ok()
		last := "history." + m.text(int64(h.count("history")-1)) + "."
		assert.Equal(t, want, [3]int64{h.number(last + "amount"), h.number(last + "fee"), h.number(last + "net_amount")})
		assert.Equal(t, settled, h.number(last+"timestamp"))
		id := quote
		if wallet == m.takerEther || wallet == m.takerBitcoin {
			id = take
		}
		assert.Equal(t, id, h.at(last+"tx_id"))
	}
}

func TestSwapThatFailsGivesAllBack(t *testing.T) {
	nothing := books{makerBTC: 1_000_000, takerETH: 100_000}
	t.Run("the maker's side rejects", func(t *testing.T) {
		m := newMarket(t)
		quote := m.offer(nil).ok().at("tx_id")
		require.NoError(t, m.Reject(alice, quote))
		require.NoError(t, m.Reject(bob, quote))
		assert.Equal(t, "custody_rejected", m.makerStatus(quote))
		assert.Equal(t, nothing, m.books())
		m.take(quote, nil).refused(400, "custody_rejected")
	})
	t.Run("the taker's side rejects, and another takes it", func(t *testing.T) {
		m := newMarket(t)
		quote := m.quote(nil)
		take := m.take(quote, nil).ok().at("tx_id")
		m.take(quote, nil).refused(400, "being taken")
		require.NoError(t, m.Approve(alice, take))
		require.NoError(t, m.Reject(bob, take))
		assert.Equal(t, []string{"taker_pending", "custody_rejected"}, []string{m.makerStatus(quote), m.takerStatus(take)})
		assert.Equal(t, books{makerBTC: 1_000_000, takerETH: 100_000, makerHeld: offeredDebit}, m.books())

		second := m.take(quote, nil).ok().at("tx_id")
		require.NoError(t, m.Approve(alice, second))
		require.NoError(t, m.Approve(bob, second))
		assert.Equal(t, "taker_approved", m.makerStatus(quote))
		assert.Equal(t, "custody_rejected", m.takerStatus(take), "the first stays rejected")
		assert.Equal(t, books{makerBTC: 1_000_000 - offeredDebit, makerETH: wanted, takerETH: 100_000 - wantedDebit, takerBTC: offered}, m.books())
	})
	t.Run("nobody approves the quote in time", func(t *testing.T) {
		m := newMarket(t)
		quote := m.offer(nil).ok().at("tx_id")
		m.clock.forward(time.Hour)
		assert.Equal(t, "expired", m.makerStatus(quote))
		assert.Equal(t, nothing, m.books())
		require.ErrorContains(t, m.Approve(alice, quote), "409")
	})
	t.Run("nobody takes it in time", func(t *testing.T) {
		m := newMarket(t)
		quote := m.quote(nil)
		m.clock.forward(time.Hour - time.Second)
		assert.Equal(t, "taker_pending", m.makerStatus(quote))
		m.clock.forward(time.Second)
		assert.Equal(t, "expired", m.makerStatus(quote))
		assert.Equal(t, nothing, m.books())
		m.take(quote, nil).refused(400, "expired")
	})
	t.Run("both expire while it is being taken", func(t *testing.T) {
		m := newMarket(t)
		quote := m.quote(nil)
		m.clock.forward(30 * time.Minute)
		take := m.take(quote, nil).ok().at("tx_id")
		require.NoError(t, m.Approve(alice, take))
		assert.Equal(t, m.maker(quote).number("expires"), m.get("/company/"+m.taker+"/atomicswap/take/"+take).number("expires"))
		require.NoError(t, m.Advance(30*time.Minute))
		assert.Equal(t, nothing, m.books(), "asked for nothing but the books")
		assert.Equal(t, []string{"expired", "expired"}, []string{m.makerStatus(quote), m.takerStatus(take)})
		require.ErrorContains(t, m.Approve(bob, take), "409")
		assert.Equal(t, nothing, m.books())
	})
	t.Run("of a quote that says nothing, after a day", func(t *testing.T) {
		m := newMarket(t)
		quote := m.quote(object{"expires": nil})
		assert.Equal(t, startOfTime.Add(24*time.Hour).Unix(), m.maker(quote).number("expires"))
		m.clock.forward(24*time.Hour - time.Second)
		assert.Equal(t, "taker_pending", m.makerStatus(quote))
		m.clock.forward(time.Second)
		assert.Equal(t, "expired", m.makerStatus(quote))
	})
}

func TestSwapIsCancelled(t *testing.T) {
	cancel := func(m market, company, quote string) answer {
		return m.call("DELETE", "/company/"+company+"/atomicswap/make/"+quote, nil)
	}
	for name, prepare := range map[string]func(m market) string{
		"before it is approved": func(m market) string { return m.offer(nil).ok().at("tx_id") },
		"when it can be taken":  func(m market) string { return m.quote(nil) },
		"when a take was rejected": func(m market) string {
			quote := m.quote(nil)
			require.NoError(m.t, m.Reject(alice, m.take(quote, nil).ok().at("tx_id")))
			return quote
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMarket(t)
			quote := prepare(m)
			cancel(m, m.taker, quote).refused(404, "swap")
			got := cancel(m, m.company, quote)
			require.Equal(t, 202, got.Status)
			assert.JSONEq(t, `{"code":200,"msg":"OK"}`, string(got.Body))
			assert.Equal(t, "initiate_rejected", m.makerStatus(quote))
			assert.Equal(t, books{makerBTC: 1_000_000, takerETH: 100_000}, m.books())
			m.fees(btc, 0)
			cancel(m, m.company, quote).refused(404, "initiate_rejected")
			m.take(quote, nil).refused(400, "initiate_rejected")
			require.ErrorContains(t, m.Approve(bob, quote), "409")
			open, err := m.Pending(bob)
			require.NoError(t, err)
			assert.Empty(t, open)
			m.clock.forward(time.Hour)
			assert.Equal(t, "initiate_rejected", m.makerStatus(quote), "it does not expire as well")
			assert.Equal(t, books{makerBTC: 1_000_000, takerETH: 100_000}, m.books())
		})
	}
	t.Run("not while it is being taken", func(t *testing.T) {
		m := newMarket(t)
		quote := m.quote(nil)
		take := m.take(quote, nil).ok().at("tx_id")
		cancel(m, m.company, quote).refused(404, "being taken")
		require.NoError(t, m.Approve(alice, take))
		require.NoError(t, m.Approve(bob, take))
		assert.Equal(t, "taker_approved", m.makerStatus(quote))
	})
	t.Run("not what is no quote", func(t *testing.T) {
		m := newMarket(t)
		take := m.take(m.quote(nil), nil).ok().at("tx_id")
		for _, tx := range []string{"none", m.transfer(nil).ok().at("tx_id"), take} {
			cancel(m, m.company, tx).refused(404, "swap")
		}
		foreign := m.as("strange")
		other := foreign.newCompany("Strange", "strange.example")
		foreign.call("DELETE", "/company/"+other+"/atomicswap/make/"+m.quote(nil), nil).refused(404, "swap")
	})
}

func TestPendingOfSwaps(t *testing.T) {
	m := newMarket(t)
	quote := m.offer(nil).ok().at("tx_id")
	list, err := m.Pending(alice)
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, []string{quote, "swap", m.treasury, btc}, []string{
		string(list[0].TxID), list[0].Type, string(list[0].WalletID), string(list[0].Asset),
	})
	require.NoError(t, m.Approve(alice, quote))
	list, err = m.Pending(bob)
	require.NoError(t, err)
	assert.Empty(t, list, "a quote that was approved asks nobody any more")
	take := m.take(quote, nil).ok().at("tx_id")
	list, err = m.Pending(bob)
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, []string{take, "swap take"}, []string{string(list[0].TxID), list[0].Type})
	assert.Equal(t, qredo.Amount(wantedDebit), list[0].Amount)
}
