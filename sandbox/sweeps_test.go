package sandbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sweep asks for 4000 of a wallet to be swept into the exchange's own wallet, with fields changed.
func (b bourse) sweep(wallet, into string, changed object) answer {
	b.t.Helper()
	return b.exchange.post(b.exchange.path("/sweep"), merge(object{
		"wallet_id": wallet, "recipient_wallet_id": into, "expires": b.in(time.Hour),
		"send": object{"symbol": btc, "amount": 4000}, "reference": "settlement",
	}, changed))
}

// vault is a wallet of the exchange, in its own account.
func (b bourse) vault() string {
	b.t.Helper()
	company := b.exchange.newCompany("Bourse", "bourse.example")
	return b.exchange.newWallet(company, b.exchange.newFund(company, object{"name": "F"}), object{"asset": btc})
}

func TestSweepNeedsTheCoreClientAlone(t *testing.T) {
	for kind, name := range typeNames {
		t.Run(name, func(t *testing.T) {
			b := newBourse(t)
			wallet, vault := b.ready(kind, nil), b.vault()
			sent := b.sweep(wallet, vault, nil).ok()
			assert.Equal(t, "new", sent.at("status"))
			tx, action := sent.at("tx_id"), b.exchange.last()
			path := b.exchange.path("/sweep/" + tx)
			got := b.exchange.get(path).ok()
			for key, want := range map[string]string{
				"tx_id": tx, "tx_status": "pending", "approver_count": "0", "threshold_required": "1", "reference": "settlement",
				"status_details.amount": "4004", "status_details.fees": "4", "status_details.net_amount": "4000",
				"status_details.asset": btc, "status_details.wallet_id": wallet, "status_details.recipient_wallet_id": vault,
				"status_details.reference": "settlement", "status_details.requested_by": b.exchange.id,
				"status.0.action_id": action, "status.0.status": "pending", "status.0.entity": b.exchange.id, "status.0.timestamp": "0",
			} {
				assert.Equal(t, want, got.at(key), key)
			}
			assert.Equal(t, 1, got.count("status"))
			assert.Equal(t, b.in(time.Hour), got.number("expires"))
			assert.Equal(t, startOfTime.Unix(), got.number("initiated_timestamp"))
			for _, who := range []string{alice, bob, carol} {
				open, err := b.Pending(who)
				require.NoError(t, err)
				assert.Empty(t, open, "the owner is not asked")
				require.ErrorContains(t, b.Approve(who, tx), "404")
			}
			assert.EqualValues(t, 4004, b.held(wallet))
			asked := b.exchange.action(action).ok()
			assert.Equal(t, []string{"ApproveTransfer", tx, wallet, vault}, []string{
				asked.at("type"), asked.at("details.txID"), asked.at("details.walletID"), asked.at("details.recipientID"),
			})

			b.clock.forward(time.Minute)
			b.exchange.approve(action).ok()
			got = b.exchange.get(path).ok()
			assert.Equal(t, []string{"approved", "1", "approved"}, []string{got.at("tx_status"), got.at("approver_count"), got.at("status.0.status")})
			assert.Equal(t, startOfTime.Add(time.Minute).Unix(), got.number("status.0.timestamp"))
			assert.EqualValues(t, 5996, b.balance(wallet))
			assert.EqualValues(t, 4000, b.exchange.balance(vault))
			b.fees(btc, 4)

			out := b.get(b.inFund("/ledger?direction=out&wallet_id=" + wallet)).ok()
			require.Equal(t, 1, out.count("List"))
			for key, want := range map[string]string{
				"type": "transferOut", "TxID": tx, "amount": "4004", "netAmount": "4000", "fees": "4", "status": "approved",
				"counterpartyName": "Bourse", "reference": "settlement",
			} {
				assert.Equal(t, want, out.at("List.0."+key), key)
			}
			history := b.get("/wallet/" + wallet + "/history").ok()
			assert.Equal(t, []string{"10000", "-4004"}, history.column("history", "amount"))
		})
	}
}

func TestSweepsThatFail(t *testing.T) {
	b := newBourse(t)
	wallet, vault := b.ready(1, nil), b.vault()
	unasked := b.newWallet(b.company, b.fund, object{"asset": btc, "type": 2})
	waiting := b.connected(2, nil)
	rejected := b.connected(2, nil)
	b.exchange.reject(b.exchange.last()).ok()
	standard := b.ready(0, nil)
	for _, id := range []string{unasked, waiting, rejected} {
		b.credit(id, 10_000)
	}
	for name, test := range map[string]struct {
		changed object
		status  int
		reason  string
	}{
		"no wallet":                           {object{"wallet_id": nil}, 400, "wallet"},
		"unknown wallet":                      {object{"wallet_id": "none"}, 404, "wallet"},
		"a wallet that is not connected":      {object{"wallet_id": unasked}, 400, "not connected"},
		"a standard wallet":                   {object{"wallet_id": b.treasury}, 400, "not connected"},
		"a standard one that is connected":    {object{"wallet_id": standard}, 400, "neither"},
		"a wallet that waits":                 {object{"wallet_id": waiting}, 400, "not connected"},
		"a wallet whose connection it denied": {object{"wallet_id": rejected}, 400, "not connected"},
		"no recipient":                        {object{"recipient_wallet_id": nil}, 400, "counterparty"},
		"unknown recipient":                   {object{"recipient_wallet_id": "none"}, 404, "counterparty"},
		"a wallet for another asset":          {object{"recipient_wallet_id": b.ether}, 400, eth},
		"another asset":                       {object{"send": object{"symbol": eth, "amount": 1}}, 400, "send.symbol"},
		"nothing":                             {object{"send": object{"symbol": btc, "amount": 0}}, 400, "send.amount"},
		"more than there is":                  {object{"send": object{"symbol": btc, "amount": 10_001}}, 400, "balance"},
		"no expiry":                           {object{"expires": nil}, 400, "expires"},
		"an expiry that is over":              {object{"expires": startOfTime.Unix()}, 400, "expires"},
	} {
		t.Run(name, func(t *testing.T) { b.sweep(wallet, vault, test.changed).refused(test.status, test.reason) })
	}
	t.Run("another core client's", func(t *testing.T) {
		other := b
		other.exchange = approver{b.service, b.newCoreClient("Other")}
		other.sweep(wallet, vault, nil).refused(400, "not connected")
		tx := b.sweep(wallet, vault, nil).ok().at("tx_id")
		other.exchange.get(other.exchange.path("/sweep/"+tx)).refused(404, "sweep")
		b.exchange.reject(b.exchange.last()).ok()
	})
	t.Run("what is no sweep is not read as one", func(t *testing.T) {
		transfer := b.transfer(nil).ok().at("tx_id")
		b.exchange.get(b.exchange.path("/sweep/"+transfer)).refused(404, "sweep")
		sweep := b.sweep(wallet, vault, nil).ok().at("tx_id")
		b.get(b.inCompany("/transfer/"+sweep)).refused(404, "transaction")
		b.exchange.reject(b.exchange.last()).ok()
	})
	t.Run("rejected", func(t *testing.T) {
		tx := b.sweep(wallet, vault, nil).ok().at("tx_id")
		b.exchange.reject(b.exchange.last()).ok()
		assert.Equal(t, "custody_rejected", b.exchange.get(b.exchange.path("/sweep/"+tx)).ok().at("tx_status"))
		assert.Zero(t, b.held(wallet))
	})
	t.Run("expired", func(t *testing.T) {
		tx := b.sweep(wallet, vault, nil).ok().at("tx_id")
		b.clock.forward(time.Hour)
		got := b.exchange.get(b.exchange.path("/sweep/" + tx)).ok()
		assert.Equal(t, []string{"expired", "expired"}, []string{got.at("tx_status"), got.at("status.0.status")})
		assert.Zero(t, b.held(wallet))
		assert.EqualValues(t, 10_000, b.balance(wallet))
	})
}

func TestPartnerTxIDOfSweeps(t *testing.T) {
	b := newBourse(t)
	wallet, vault := b.ready(1, nil), b.vault()
	first := b.sweep(wallet, vault, object{"partner_txID": "s"}).ok()
	again := b.sweep("gone", "gone", object{"partner_txID": "s", "expires": nil, "send": nil}).ok()
	assert.Equal(t, []string{first.at("tx_id"), "new", "existing"}, []string{again.at("tx_id"), first.at("status"), again.at("status")})
	b.exchange.approve(b.exchange.last()).ok()
	assert.Equal(t, "existing", b.sweep(wallet, vault, object{"partner_txID": "s"}).ok().at("status"))
	assert.EqualValues(t, 4000, b.exchange.balance(vault))
	unknown := b
	unknown.exchange.id = "none"
	unknown.sweep(wallet, vault, object{"partner_txID": "s"}).refused(404, "core client")
}
