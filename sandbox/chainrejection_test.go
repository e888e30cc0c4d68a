package sandbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestControlOfTheChain(t *testing.T) {
	withBoth(t, func(t *testing.T, w world, c controls) {
		for name, test := range map[string]struct {
			send   func(object) answer
			path   string
			voters []string
		}{
			"transfer":   {w.transfer, "/transfer/", []string{alice}},
			"withdrawal": {w.withdrawal, "/withdraw/", []string{alice, bob}},
		} {
			t.Run(name, func(t *testing.T) {
				before := []int64{w.balance(w.treasury), w.balance(w.trading)}
				tx := test.send(nil).ok().at("tx_id")
				read := func() answer { return w.get(w.inCompany(test.path + tx)).ok() }
				require.NoError(t, c.rejectOnChain(tx))
				require.NoError(t, c.rejectOnChain(read().at("status.0.actionID")), "again, and by an action")
				assert.Equal(t, "pending", read().at("txStatus"), "until it is approved")
				for _, who := range test.voters {
					require.NoError(t, c.approve(who, tx))
				}
				got := read()
				assert.Equal(t, "chain_rejected", got.at("txStatus"))
				assert.Equal(t, got.at("thresholdRequired"), got.at("approvedCount"), "all have approved it")
				after := []int64{w.balance(w.treasury), w.balance(w.trading)}
				assert.Equal(t, before, after)
				assert.Zero(t, w.held(w.treasury))
				w.fees(btc, 0)
				require.ErrorContains(t, c.rejectOnChain(tx), "409")
				require.ErrorContains(t, c.approve(bob, tx), "4")
				w.clock.forward(2 * time.Hour)
				assert.Equal(t, "chain_rejected", read().at("txStatus"), "it does not expire as well")
			})
		}
		assert.NotContains(t, w.get(w.inFund("/ledger")).ok().column("List", "type"), "transferIn")
		assert.Equal(t, 1, w.get("/wallet/"+w.treasury+"/history").ok().count("history"), "the deposit alone has moved")
		approved := w.transfer(nil).ok().at("tx_id")
		require.NoError(t, c.approve(alice, approved))
		for _, ended := range []string{approved, string(w.credit(w.treasury, 5).TxID)} {
			require.ErrorContains(t, c.rejectOnChain(ended), "409", "what has ended stays as it is")
		}
		for _, unknown := range []string{"none", w.treasury} {
			require.ErrorContains(t, c.rejectOnChain(unknown), "404")
		}
		rejected := w.transfer(nil).ok().at("tx_id")
		require.NoError(t, c.rejectOnChain(rejected))
		require.NoError(t, c.reject(alice, rejected))
		require.NoError(t, c.reject(bob, rejected))
		assert.Equal(t, "custody_rejected", w.status(rejected), "the chain never saw it")
	})
}

func TestTheChainRejectsBothSidesOfASwap(t *testing.T) {
	for name, side := range map[string]func(quote, take string) string{
		"the maker's": func(quote, _ string) string { return quote },
		"the taker's": func(_, take string) string { return take },
	} {
		t.Run(name, func(t *testing.T) {
			m := newMarket(t)
			before := m.books()
			quote := m.quote(object{"add_to_liquidity_hub": true})
			take := m.take(quote, nil).ok().at("tx_id")
			require.NoError(t, m.RejectOnChain(side(quote, take)))
			require.NoError(t, m.Approve(alice, take))
			require.NoError(t, m.Approve(bob, take))
			assert.Equal(t, []string{"chain_rejected", "chain_rejected"}, []string{m.makerStatus(quote), m.takerStatus(take)})
			assert.Equal(t, before, m.books())
			assert.Zero(t, m.get("/liquidityhub").ok().count("items"))
			m.fees(btc, 0)
			m.fees(eth, 0)
			m.take(quote, nil).refused(400, "chain_rejected")
		})
	}
}
