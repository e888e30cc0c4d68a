package sandbox_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// A long life is drawn by 400 points, of which the first and the last are those of the movements.
func TestBalanceOverTimeOfALongLife(t *testing.T) {
	w := newWorld(t)
	for i := range 1000 {
		w.clock.forward(time.Second)
		w.credit(w.treasury, int64(1+i%7))
	}
	shown, err := w.Wallet(w.treasury)
	require.NoError(t, err)
	require.Len(t, shown.Chart, 400)
	assert.Equal(t, sandbox.ChartPoint{At: startOfTime.Add(time.Second), Balance: "1"}, shown.Chart[0])
	assert.Equal(t, sandbox.ChartPoint{At: startOfTime.Add(1000 * time.Second), Balance: shown.Balance.Base}, shown.Chart[399])
	for i := range 399 {
		require.True(t, shown.Chart[i].At.Before(shown.Chart[i+1].At))
	}
}

// Movements are those of the wallet's history in the API, the newest first, with what each side of a swap is known by.
func TestMovementsAreTheHistory(t *testing.T) {
	m := newMarket(t)
	quote := m.quote(nil)
	take := m.take(quote, nil).ok().at("tx_id")
	require.NoError(t, m.Approve(alice, take))
	require.NoError(t, m.Approve(bob, take))
	types := map[string][]string{
		m.treasury: {"swap", "deposit"}, m.makerIn: {"swap"}, m.takerEther: {"swap take", "deposit"}, m.takerBitcoin: {"swap take"},
	}
	for wallet, want := range types {
		list, err := m.Movements(wallet, sandbox.Page{})
		require.NoError(t, err)
		history := m.get("/wallet/" + wallet + "/history").ok()
		require.Equal(t, len(list.Movements), history.count("history"))
		for i, moved := range list.Movements {
			at := fmt.Sprintf("history.%d.", len(list.Movements)-1-i)
			assert.Equal(t, []string{history.at(at + "tx_id"), history.at(at + "amount")}, []string{string(moved.TxID), moved.Amount.Base})
			assert.Equal(t, want[i], moved.Type)
			assert.NotContains(t, moved.Fees.Base, "-")
		}
	}
	list, err := m.Movements(m.takerEther, sandbox.Page{Limit: 1})
	require.NoError(t, err)
	moved := list.Movements[0]
	assert.Equal(t, []string{"-30030", "30", "69970", "Ether", "taker_approved", take}, []string{
		moved.Amount.Base, moved.Fees.Base, moved.Balance.Base, moved.Other, moved.Status, string(moved.TxID),
	})
}

// A wallet can be at both ends of a swap: what it will have counts what leaves it by the other side too.
func TestSwapOfAWalletWithItself(t *testing.T) {
	m := newMarket(t)
	quote := m.quote(object{"receive_wallet_id": m.trading, "receive": object{"symbol": btc, "amount": 50_000}})
	m.post(m.inCompany("/atomicswap/take"), object{
		"swap_id": quote, "send_wallet_id": m.treasury, "receive_wallet_id": m.treasury, "reference": "round",
	}).ok()
	told := asked(t, m.world, alice)
	require.NoError(t, m.Approve(alice, string(told.ActionID)))
	shown, err := m.Wallet(m.treasury)
	require.NoError(t, err)
	assert.Equal(t, []sandbox.Money{shown.Balance, shown.Available}, []sandbox.Money{*told.BalanceAfter, *told.AvailableAfter})
	assert.Equal(t, qredo.Amount(1_000_000-200-50_050), qredo.Amount(m.balance(m.treasury)))
}

// A transaction leads to the request that made it, not to one that repeated it or looked at it.
func TestTransactionsNameTheirRequest(t *testing.T) {
	w := web3World(t)
	deposit := w.credit(w.treasury, 1_000_000)
	tx := w.transfer(object{"partner_txID": "p"}).ok().at("tx_id")
	assert.Equal(t, "existing", w.transfer(object{"partner_txID": "p"}).ok().at("status"))
	assert.Equal(t, "pending", w.status(tx))
	web3 := w.propose(w.payment(nil)).ok().at("txID")
	list, err := w.Requests(sandbox.RequestFilter{})
	require.NoError(t, err)
	for id, want := range map[string]uint64{tx: list.Requests[4].ID, web3: list.Requests[0].ID, string(deposit.TxID): 0} {
		shown, err := w.Transaction(id)
		require.NoError(t, err)
		assert.Equal(t, want, shown.RequestID)
	}
	require.NoError(t, w.ClearRequests())
	shown, err := w.Transaction(tx)
	require.NoError(t, err)
	assert.Zero(t, shown.RequestID)
}
