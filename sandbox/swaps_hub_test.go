package sandbox_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSwapsThatCannotBe(t *testing.T) {
	m := newMarket(t)
	amount := func(asset string, n any) object { return object{"symbol": asset, "amount": n} }
	for name, test := range map[string]struct {
		changed object
		status  int
		reason  string
	}{
		"no wallet to send from":              {object{"send_wallet_id": nil}, 400, "wallet"},
		"unknown wallet to send from":         {object{"send_wallet_id": "none"}, 404, "wallet"},
		"another company's wallet to send":    {object{"send_wallet_id": m.takerBitcoin}, 404, "wallet"},
		"no wallet to receive in":             {object{"receive_wallet_id": nil}, 400, "receive"},
		"unknown wallet to receive in":        {object{"receive_wallet_id": "none"}, 404, "receive"},
		"another company's wallet to receive": {object{"receive_wallet_id": m.takerEther}, 404, "receive"},
		"wallet to receive of another asset":  {object{"receive_wallet_id": m.trading}, 400, btc},
		"sends what the wallet does not hold": {object{"send": amount(eth, 5)}, 400, "send.symbol"},
		"sends nothing":                       {object{"send": amount(btc, 0)}, 400, "send.amount"},
		"sends more than there is":            {object{"send": amount(btc, 1_000_001)}, 400, "balance"},
		"receives what is not offered":        {object{"receive": amount("DOGE", 5)}, 400, "DOGE"},
		"receives nothing":                    {object{"receive": amount(eth, 0)}, 400, "receive.amount"},
		"receives less than nothing":          {object{"receive": amount(eth, -1)}, 400, "receive.amount"},
		"receives no asset":                   {object{"receive": nil}, 400, ""},
		"receives another than the wallet's":  {object{"receive": amount("ETH", 5)}, 400, eth},
		"expires now":                         {object{"expires": startOfTime.Unix()}, 400, "expires"},
		"expires in the past":                 {object{"expires": 5}, 400, "expires"},
	} {
		t.Run("made, "+name, func(t *testing.T) { m.offer(test.changed).refused(test.status, test.reason) })
	}
	quote := m.quote(nil)
	for name, test := range map[string]struct {
		changed object
		status  int
		reason  string
	}{
		"no quote":                            {object{"swap_id": nil}, 400, "swap_id"},
		"unknown quote":                       {object{"swap_id": "none"}, 404, "swap"},
		"what is no quote":                    {object{"swap_id": m.transfer(nil).ok().at("tx_id")}, 404, "swap"},
		"no reference":                        {object{"reference": ""}, 400, "reference"},
		"no reference at all":                 {object{"reference": nil}, 400, "reference"},
		"no wallet to send from":              {object{"send_wallet_id": nil}, 400, "wallet"},
		"another company's wallet to send":    {object{"send_wallet_id": m.ether}, 404, "wallet"},
		"another company's wallet to receive": {object{"receive_wallet_id": m.trading}, 404, "receive"},
		"sends another asset":                 {object{"send_wallet_id": m.takerBitcoin}, 400, "send.symbol"},
		"receives in a wallet of another":     {object{"receive_wallet_id": m.takerEther}, 400, eth},
	} {
		t.Run("taken, "+name, func(t *testing.T) { m.take(quote, test.changed).refused(test.status, test.reason) })
	}
	t.Run("taken with more than there is", func(t *testing.T) {
		dear := m.quote(object{"send": amount(btc, 1), "receive": amount(eth, 100_001)})
		m.take(dear, nil).refused(400, "balance")
		dearest := m.quote(object{"send": amount(btc, 1), "receive": amount(eth, int64(math.MaxInt64))})
		m.take(dearest, nil).refused(400, "64 bits")
	})
	t.Run("of another account", func(t *testing.T) {
		foreign := m
		foreign.service = m.as("strange")
		foreign.taker = foreign.newCompany("Strange", "strange.example")
		foreign.take(quote, nil).refused(404, "swap")
	})
	assert.Equal(t, "taker_pending", m.makerStatus(quote))
	assert.Zero(t, m.held(m.takerEther), "nothing of this has held anything")

	t.Run("within one company, between four wallets, they can be", func(t *testing.T) {
		own := m
		own.taker, own.takerBitcoin = m.company, m.trading
		own.takerEther = m.newWallet(m.company, m.fund, object{"name": "Third ether", "asset": eth})
		m.credit(own.takerEther, 50_000)
		before := m.balance(m.trading)
		take := own.take(quote, nil).ok().at("tx_id")
		require.NoError(t, m.Approve(alice, take))
		assert.Equal(t, before+200_000, m.balance(m.trading))
	})
}

func TestPartnerTxIDOfSwaps(t *testing.T) {
	m := newMarket(t)
	first := m.offer(object{"partner_txID": "s-1"}).ok()
	again := m.offer(object{"partner_txID": "s-1", "reference": nil, "send": nil}).ok()
	assert.Equal(t, []string{first.at("tx_id"), first.at("tx_url"), "existing"},
		[]string{again.at("tx_id"), again.at("tx_url"), again.at("status")})
	require.NoError(t, m.Approve(alice, first.at("tx_id")))
	take := m.take(first.at("tx_id"), object{"partner_txID": "t-1"}).ok().at("tx_id")
	repeated := m.take("gone", object{"partner_txID": "t-1"}).ok()
	assert.Equal(t, []string{take, "existing"}, []string{repeated.at("tx_id"), repeated.at("status")})
	require.NoError(t, m.Approve(alice, take))
	require.NoError(t, m.Approve(bob, take))
	assert.Equal(t, take, m.take(first.at("tx_id"), object{"partner_txID": "t-1"}).ok().at("tx_id"), "also when it is settled")
	assert.Equal(t, take, m.transfer(object{"partner_txID": "t-1"}).ok().at("tx_id"), "whatever asks")
	m.take(first.at("tx_id"), object{"partner_txID": "t-2"}).refused(400, "taker_approved")
	assert.EqualValues(t, 200_000, m.balance(m.takerBitcoin), "settled once")
}

// hubIDs are the quotes on the hub as a company sees them, or as all do.
func (m market) hubIDs(company string) []string {
	m.t.Helper()
	path := "/liquidityhub"
	if company != "" {
		path = "/company/" + company + path
	}
	return m.get(path).ok().column("items", "tx_id")
}

func TestHubListsApprovedQuotes(t *testing.T) {
	m := newMarket(t)
	publish := func(company, tx string) answer {
		return m.post("/company/"+company+"/liquidityhub", object{"tx_id": tx})
	}
	assert.JSONEq(t, `{"items":[]}`, string(m.get("/liquidityhub").ok().Body))
	itself := m.offer(object{"add_to_liquidity_hub": true}).ok().at("tx_id")
	asked := m.offer(nil).ok().at("tx_id")
	publish(m.company, asked).refused(400, "pending")
	assert.Empty(t, m.hubIDs(""), "nothing is approved")

	require.NoError(t, m.Approve(alice, asked))
	assert.Empty(t, m.hubIDs(""), "it did not ask to be listed")
	m.clock.forward(time.Minute)
	require.NoError(t, m.Approve(alice, itself))
	assert.Equal(t, []string{itself}, m.hubIDs(""))
	m.clock.forward(time.Minute)
	for range 2 { // again is a success and changes nothing
		assert.JSONEq(t, `{"code":200,"msg":"OK"}`, string(publish(m.company, asked).ok().Body))
		assert.Equal(t, []string{itself, asked}, m.hubIDs(""))
		m.clock.forward(time.Minute)
	}
	publish(m.taker, asked).refused(404, "swap")
	publish(m.company, "none").refused(404, "swap")

	for company, owner := range map[string]string{m.company: "true", m.taker: "false"} {
		got := m.get("/company/" + company + "/liquidityhub").ok()
		assert.Equal(t, []string{itself, asked}, got.column("items", "tx_id"))
		assert.Equal(t, []string{owner, owner}, got.column("items", "owner"))
	}
	all := m.get("/liquidityhub").ok()
	for key, want := range map[string]string{
		"send_asset": btc, "send_amount": "200000", "receive_asset": eth, "receive_amount": "30000", "owner": "true",
	} {
		assert.Equal(t, want, all.at("items.0."+key), key)
	}
	assert.Equal(t, startOfTime.Add(time.Minute).Unix(), all.number("items.0.added"))
	assert.Equal(t, startOfTime.Add(2*time.Minute).Unix(), all.number("items.1.added"), "when it was listed first")
	assert.Equal(t, startOfTime.Add(time.Hour).Unix(), all.number("items.0.expires"))

	foreign := m.as("strange")
	other := foreign.newCompany("Strange", "strange.example")
	assert.Zero(t, foreign.get("/liquidityhub").ok().count("items"))
	assert.Zero(t, foreign.get("/company/"+other+"/liquidityhub").ok().count("items"))
	foreign.get(m.inCompany("/liquidityhub")).refused(404, "company")
	foreign.post("/company/"+other+"/liquidityhub", object{"tx_id": asked}).refused(404, "swap")
}

func TestQuotesLeaveTheHub(t *testing.T) {
	for name, test := range map[string]struct {
		end     func(m market, quote string)
		remains bool
	}{
		"cancelled": {func(m market, quote string) {
			require.Equal(m.t, 202, m.call("DELETE", m.inCompany("/atomicswap/make/"+quote), nil).Status)
		}, false},
		"expired":     {func(m market, _ string) { m.clock.forward(time.Hour) }, false},
		"being taken": {func(m market, quote string) { m.take(quote, nil).ok() }, true},
		"taken": {func(m market, quote string) {
			take := m.take(quote, nil).ok().at("tx_id")
			require.NoError(m.t, m.Approve(alice, take))
			require.NoError(m.t, m.Approve(bob, take))
		}, false},
		"the take is rejected": {func(m market, quote string) {
			require.NoError(m.t, m.Reject(bob, m.take(quote, nil).ok().at("tx_id")))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMarket(t)
			stays := m.quote(object{"add_to_liquidity_hub": true, "expires": m.in(2 * time.Hour)})
			quote := m.quote(object{"add_to_liquidity_hub": true})
			require.Equal(t, []string{stays, quote}, m.hubIDs(""))
			test.end(m, quote)
			assert.Equal(t, test.remains, slices.Contains(m.hubIDs(""), quote))
			assert.Equal(t, m.hubIDs(""), m.hubIDs(m.taker))
			assert.Contains(t, m.hubIDs(""), stays)
		})
	}
	t.Run("and what has ended cannot be listed", func(t *testing.T) {
		m := newMarket(t)
		quote := m.quote(nil)
		m.clock.forward(time.Hour)
		m.post(m.inCompany("/liquidityhub"), object{"tx_id": quote}).refused(400, "expired")
	})
}
