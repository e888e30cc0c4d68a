package sandbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// withFunds is a world that can send.
func withFunds(t testing.TB, opts ...sandbox.Option) world {
	t.Helper()
	w := newWorld(t, opts...)
	w.credit(w.treasury, 1_000_000)
	w.whitelist()
	return w
}

func TestThresholdCountsDistinctApprovers(t *testing.T) {
	w := withFunds(t)
	tx := w.withdrawal(nil).ok().at("tx_id") // two of alice, bob and carol
	require.NoError(t, w.Approve(alice, tx))
	err := w.Approve(alice, tx)
	require.ErrorContains(t, err, "409")
	require.ErrorContains(t, err, "decided already")
	require.ErrorContains(t, w.Reject(alice, tx), "409", "nor take it back")
	assert.Equal(t, "pending", w.withdrawalStatus(tx))
	assert.Equal(t, "1", w.get(w.inCompany("/withdraw/"+tx)).at("approvedCount"))
	require.NoError(t, w.Approve(bob, tx))
	assert.Equal(t, "approved", w.withdrawalStatus(tx))
	require.ErrorContains(t, w.Approve(carol, tx), "not pending")
}

func TestApproversAreTheGroupsMembers(t *testing.T) {
	w := withFunds(t)
	_, err := w.CreateUser(sandbox.User{Email: "dave@example.com"})
	require.NoError(t, err)
	tx := w.transfer(nil).ok().at("tx_id") // one of alice and bob
	require.ErrorContains(t, w.Approve(carol, tx), "404")
	require.ErrorContains(t, w.Approve("dave@example.com", tx), "404")
	require.ErrorContains(t, w.Approve("nobody@example.com", tx), "404")
	require.ErrorContains(t, w.Approve(alice, "none"), "404")
	require.ErrorContains(t, w.Approve(alice, string(w.credit(w.treasury, 1).TxID)), "404", "a deposit needs no approval")
	assert.Equal(t, "pending", w.status(tx))

	t.Run("named by ID, by e-mail in any case, and by their action", func(t *testing.T) {
		for who, what := range map[string]string{
			w.ids[alice]: tx, " ALICE@example.com": w.transfer(nil).ok().at("tx_id"),
			bob: w.get(w.inCompany("/transfer/" + w.transfer(nil).ok().at("tx_id"))).at("status.1.actionID"),
		} {
			require.NoError(t, w.Approve(who, what))
		}
	})
}

func TestRejection(t *testing.T) {
	t.Run("ends a transaction once the threshold cannot be reached", func(t *testing.T) {
		w := withFunds(t)
		tx := w.withdrawal(nil).ok().at("tx_id")
		require.NoError(t, w.Reject(alice, tx))
		assert.Equal(t, "pending", w.withdrawalStatus(tx), "bob and carol can still reach two")
		assert.EqualValues(t, 1001, w.held(w.treasury))
		require.NoError(t, w.Reject(carol, tx))
		got := w.get(w.inCompany("/withdraw/" + tx)).ok()
		assert.Equal(t, "custody_rejected", got.at("txStatus"))
		assert.Equal(t, []string{"rejected", "pending", "rejected"}, got.column("status", "status"))
		assert.Zero(t, w.held(w.treasury))
		assert.EqualValues(t, 1_000_000, w.balance(w.treasury))
		w.fees(btc, 0)
		require.ErrorContains(t, w.Approve(bob, tx), "409")
		require.ErrorContains(t, w.Reject(bob, tx), "409")
	})
	t.Run("does not stop the others from reaching it", func(t *testing.T) {
		w := withFunds(t)
		tx := w.withdrawal(nil).ok().at("tx_id")
		require.NoError(t, w.Reject(alice, tx))
		require.NoError(t, w.Approve(bob, tx))
		require.NoError(t, w.Approve(carol, tx))
		assert.Equal(t, "approved", w.withdrawalStatus(tx))
	})
	t.Run("by one ends what needs all", func(t *testing.T) {
		w := withFunds(t)
		all := w.newFund(w.company, object{"name": "All", "custodygroup_tx": group(2, w.ids[alice], w.ids[bob])})
		wallet := w.newWallet(w.company, all, object{"asset": btc})
		w.credit(wallet, 5000)
		tx := w.transfer(object{"wallet_id": wallet}).ok().at("tx_id")
		require.NoError(t, w.Approve(alice, tx))
		require.NoError(t, w.Reject(bob, tx))
		assert.Equal(t, "custody_rejected", w.status(tx))
		assert.EqualValues(t, 5000, w.balance(wallet))
		w.transfer(object{"wallet_id": wallet, "send": object{"symbol": btc, "amount": 4995}}).ok()
	})
}

func TestExpiry(t *testing.T) {
	for name, forward := range map[string]func(w world, d time.Duration){
		"by Advance":    func(w world, d time.Duration) { require.NoError(w.t, w.Advance(d)) },
		"by WithClock":  func(w world, d time.Duration) { w.clock.forward(d) },
		"half and half": func(w world, d time.Duration) { w.clock.forward(d - 1); require.NoError(w.t, w.Advance(1)) },
	} {
		t.Run(name, func(t *testing.T) {
			w := withFunds(t)
			tx := w.withdrawal(object{"expires": w.in(60 * time.Second)}).ok().at("tx_id")
			later := w.transfer(object{"expires": w.in(61 * time.Second)}).ok().at("tx_id")
			require.NoError(t, w.Approve(alice, tx))

			forward(w, 60*time.Second-time.Nanosecond)
			assert.Equal(t, "pending", w.withdrawalStatus(tx), "not a moment before")
			assert.EqualValues(t, 2002, w.held(w.treasury))

			forward(w, time.Nanosecond)
			got := w.get(w.inCompany("/withdraw/" + tx)).ok()
			assert.Equal(t, "expired", got.at("txStatus"))
			assert.Equal(t, []string{"approved", "expired", "expired"}, got.column("status", "status"))
			assert.EqualValues(t, 1001, w.held(w.treasury), "what was held is given back")
			assert.EqualValues(t, 1_000_000, w.balance(w.treasury))
			assert.Equal(t, "pending", w.status(later))
			require.ErrorContains(t, w.Approve(bob, tx), "409")
			require.ErrorContains(t, w.Reject(bob, tx), "409")

			forward(w, time.Second)
			assert.Equal(t, "expired", w.status(later))
			assert.Zero(t, w.held(w.treasury))
		})
	}
	t.Run("counts for a vote, if nobody has looked since", func(t *testing.T) {
		w := withFunds(t)
		tx := w.transfer(object{"expires": w.in(time.Minute)}).ok().at("tx_id")
		w.clock.forward(time.Minute)
		require.ErrorContains(t, w.Approve(alice, tx), "not pending")
		assert.Zero(t, w.balance(w.trading))
	})
	t.Run("frees what another transaction needs, if nobody has looked since", func(t *testing.T) {
		w := withFunds(t)
		all := object{"send": object{"symbol": btc, "amount": 999_000}, "expires": w.in(time.Minute)}
		w.transfer(all).ok()
		w.transfer(nil).refused(400, "balance")
		w.clock.forward(time.Minute)
		w.transfer(nil).ok()
	})
	t.Run("is not for what has ended", func(t *testing.T) {
		w := withFunds(t)
		approved, rejected := w.transfer(nil).ok().at("tx_id"), w.transfer(nil).ok().at("tx_id")
		require.NoError(t, w.Approve(alice, approved))
		require.NoError(t, w.Reject(alice, rejected))
		require.NoError(t, w.Reject(bob, rejected))
		w.clock.forward(1000 * time.Hour)
		assert.Equal(t, "approved", w.status(approved))
		assert.Equal(t, "custody_rejected", w.status(rejected))
		assert.EqualValues(t, 998_999, w.balance(w.treasury))
	})
	t.Run("of many at once, in any order of expiry", func(t *testing.T) {
		w := withFunds(t)
		for i := range 40 {
			w.transfer(object{"expires": w.in(time.Duration(1+i*7%40) * time.Minute)}).ok()
		}
		for minute := range 40 {
			assert.EqualValues(t, (40-minute)*1001, w.held(w.treasury), "after %d minutes", minute)
			w.clock.forward(time.Minute)
		}
		assert.Zero(t, w.held(w.treasury))
	})
}

func TestPendingApprovals(t *testing.T) {
	w := withFunds(t)
	first := w.withdrawal(object{"reference": "one"}).ok().at("tx_id")
	w.clock.forward(time.Second)
	second := w.transfer(nil).ok().at("tx_id")

	list, err := w.Pending(alice)
	require.NoError(t, err)
	require.Len(t, list, 2)
	p := list[0]
	assert.Equal(t, []string{first, "withdrawal", w.company, w.fund, w.treasury, payout, btc, "one"}, []string{
		string(p.TxID), p.Type, string(p.CompanyID), string(p.FundID), string(p.WalletID), p.Recipient, string(p.Asset), p.Reference,
	})
	assert.Equal(t, []qredo.Amount{1001, 1000, 1}, []qredo.Amount{p.Amount, p.NetAmount, p.Fees})
	assert.Equal(t, startOfTime.Add(time.Hour).Unix(), p.Expires.Unix())
	assert.Equal(t, w.get(w.inCompany("/withdraw/"+first)).at("status.0.actionID"), string(p.ActionID))
	assert.Equal(t, []string{second, "transfer", w.trading}, []string{string(list[1].TxID), list[1].Type, list[1].Recipient})

	pending := func(who string) []string {
		t.Helper()
		list, err := w.Pending(who)
		require.NoError(t, err)
		ids := []string{}
		for _, p := range list {
			ids = append(ids, string(p.TxID))
		}
		return ids
	}
	assert.Equal(t, []string{first}, pending(carol))
	require.NoError(t, w.Approve(alice, first))
	assert.Equal(t, []string{second}, pending(alice))
	assert.Equal(t, []string{first, second}, pending(bob))
	require.NoError(t, w.Approve(alice, second))
	assert.Equal(t, []string{first}, pending(bob), "what has ended waits for nobody")
	w.clock.forward(time.Hour)
	assert.Empty(t, pending(bob), "nor what has expired")
	_, err = w.Pending("nobody@example.com")
	require.ErrorContains(t, err, "404")
}

func TestWithdrawalLock(t *testing.T) {
	w := withFunds(t, sandbox.WithWithdrawalLock())
	first := w.withdrawal(object{"partner_txID": "p"}).ok().at("tx_id")
	w.withdrawal(nil).refused(400, "locked")
	assert.Equal(t, "existing", w.withdrawal(object{"partner_txID": "p"}).ok().at("status"), "a repeat is no second one")
	w.transfer(nil).ok()
	w.credit(w.trading, 5000)
	w.withdrawal(object{"wallet_id": w.trading}).ok() // another wallet
	require.NoError(t, w.Approve(alice, first))
	w.withdrawal(nil).refused(400, "locked")
	require.NoError(t, w.Approve(bob, first))
	w.withdrawal(object{"expires": w.in(time.Minute)}).ok()
	w.withdrawal(nil).refused(400, "locked")
	w.clock.forward(time.Minute)
	w.withdrawal(nil).ok()

	free := withFunds(t)
	free.withdrawal(nil).ok()
	free.withdrawal(nil).ok()
}
