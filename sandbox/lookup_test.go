package sandbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

// swapPath is where a company reads a swap.
func (m market) swapPath(company, operation, tx string) string {
	return "/company/" + company + "/" + operation + "/" + tx
}

// Programs written for the service read a transaction by the ID of the action that asked them.
func TestTransactionsAreFoundByTheirActions(t *testing.T) {
	m := newMarket(t)
	m.whitelist()
	quote := m.quote(nil)
	take := m.take(quote, nil).ok().at("tx_id")
	for _, path := range []string{
		m.swapPath(m.company, "transfer", m.transfer(nil).ok().at("tx_id")),
		m.swapPath(m.company, "withdraw", m.withdrawal(nil).ok().at("tx_id")),
		m.swapPath(m.company, "atomicswap/make", quote),
		m.swapPath(m.taker, "atomicswap/take", take),
		m.swapPath(m.company, "transfer", quote),
		m.swapPath(m.taker, "transfer", take),
		m.swapPath(m.taker, "atomicswap/make", take),
	} {
		want := m.get(path).ok()
		for _, action := range want.column("status", "actionID") {
			got := m.get(path[:len(path)-len(want.at("txID"))] + action).ok()
			assert.Equal(t, string(want.Body), string(got.Body), "it has the transaction's own ID")
		}
	}
	transfer := m.get(m.swapPath(m.company, "transfer", m.transfer(nil).ok().at("tx_id"))).ok()
	for _, operation := range []string{"withdraw", "atomicswap/make", "atomicswap/take"} {
		m.get(m.swapPath(m.company, operation, transfer.at("status.0.actionID"))).refused(404, "transaction")
	}
	m.get(m.swapPath(m.taker, "transfer", transfer.at("status.0.actionID"))).refused(404, "transaction")
}

func TestWhereSwapsAreRead(t *testing.T) {
	m := newMarket(t)
	quote := m.quote(nil)
	take := m.take(quote, nil).ok().at("tx_id")
	third := m.newCompany("Third", "third.example")
	for _, operation := range []string{"atomicswap/make", "transfer"} {
		assert.Equal(t, take, m.get(m.swapPath(m.taker, operation, take)).ok().at("txID"))
		m.get(m.swapPath(m.company, operation, take)).refused(404, "transaction")
		for _, company := range []string{m.company, m.taker, third} {
			got := m.get(m.swapPath(company, operation, quote)).ok()
			assert.Equal(t, []string{quote, "Acme Exchange"}, []string{got.at("txID"), got.at("initiatorName")}, "who takes it reads it first")
		}
	}
	m.get(m.swapPath(m.taker, "atomicswap/take", take)).ok()
	m.get(m.swapPath(m.company, "atomicswap/take", take)).refused(404, "transaction")
	for _, operation := range []string{"atomicswap/take", "withdraw"} {
		m.get(m.swapPath(m.company, operation, quote)).refused(404, "transaction")
	}
	m.call("DELETE", m.swapPath(third, "atomicswap/make", quote), nil).refused(404, "swap")
	foreign := m.as("strange")
	foreign.get(m.swapPath(m.company, "atomicswap/make", quote)).refused(404, "company")
	foreign.get(m.swapPath(foreign.newCompany("Strange", ""), "atomicswap/make", quote)).refused(404, "transaction")
}

func TestWhoInitiatedAndWhoReceives(t *testing.T) {
	w := withFunds(t)
	foreign := w.as("strange")
	company := foreign.newCompany("Harbour Ltd", "harbour.example")
	wallet := foreign.newWallet(company, foreign.newFund(company, object{"name": "F"}), object{"asset": btc})
	_, err := w.CreateUser(sandbox.User{Email: "dora@harbour.example", Username: "dora", FirstName: "Dora", LastName: "Bay"})
	require.NoError(t, err)
	read := func() answer {
		w.clock.forward(time.Second)
		return w.get(w.inCompany("/transfer/" + w.transfer(object{"counterparty_wallet_address": wallet}).ok().at("tx_id"))).ok()
	}
	recipient := func(got answer) map[string]string {
		out := map[string]string{}
		for _, key := range []string{"recipientAddress", "recipientEmail", "recipientUsername", "recipientFirstName", "recipientLastName"} {
			out[key] = got.at("statusDetails." + key)
		}
		return out
	}
	nobody := map[string]string{
		"recipientAddress": wallet, "recipientEmail": "", "recipientUsername": "", "recipientFirstName": "", "recipientLastName": "",
	}
	assert.Equal(t, []string{"Acme Exchange", "Acme Exchange"}, []string{read().at("initiatorName"), read().at("statusDetails.requestedBy")})
	assert.Equal(t, nobody, recipient(read()), "the receiving company has no person yet")
	foreign.post("/company/"+company+"/trustedparty", object{"address": "dora@harbour.example"}).ok()
	assert.Equal(t, nobody, recipient(read()), "one who has not accepted is not one of theirs")
	require.NoError(t, w.Accept("dora@harbour.example", ""))
	foreign.trust(company, carol)
	assert.Equal(t, map[string]string{
		"recipientAddress": wallet, "recipientEmail": "dora@harbour.example", "recipientUsername": "dora",
		"recipientFirstName": "Dora", "recipientLastName": "Bay",
	}, recipient(read()))
	withdrawal := w.get(w.inCompany("/withdraw/" + w.withdrawal(nil).ok().at("tx_id"))).ok()
	assert.Equal(t, []string{payout, "", "Acme Exchange"}, []string{
		withdrawal.at("statusDetails.recipientAddress"), withdrawal.at("statusDetails.recipientEmail"), withdrawal.at("initiatorName"),
	})
}

// A wallet may send to itself, since no source says that the service refused it.
func TestSendingToItself(t *testing.T) {
	w := withFunds(t)
	tx := w.transfer(object{"counterparty_wallet_address": w.treasury}).ok().at("tx_id")
	assert.EqualValues(t, 1001, w.held(w.treasury))
	require.NoError(t, w.Approve(alice, tx))
	assert.EqualValues(t, 999_999, w.balance(w.treasury), "but for the fee")
	assert.Zero(t, w.held(w.treasury))

	strict := withFunds(t, sandbox.WithStrictChecks())
	for _, itself := range []string{strict.treasury, strict.shortCode(strict.treasury)} {
		strict.transfer(object{"counterparty_wallet_address": itself}).refused(400, "sends")
	}
}

func TestSwappingWithItself(t *testing.T) {
	for name, opts := range map[string][]sandbox.Option{"taken": nil, "strict": {sandbox.WithStrictChecks()}} {
		t.Run(name, func(t *testing.T) {
			m := newMarket(t, opts...)
			m.credit(m.makerIn, 50_000)
			otherEther := m.newWallet(m.company, m.fund, object{"name": "Other ether", "asset": eth})
			m.credit(otherEther, 50_000)
			for _, wallets := range [][2]string{{m.makerIn, m.treasury}, {m.makerIn, m.trading}, {otherEther, m.treasury}} {
				own := m
				own.taker, own.takerEther, own.takerBitcoin = m.company, wallets[0], wallets[1]
				taken := own.take(m.quote(object{"send": object{"symbol": btc, "amount": 1000}, "receive": object{"symbol": eth, "amount": 1000}}), nil)
				if opts != nil {
					taken.refused(400, "itself")
					continue
				}
				require.NoError(t, m.Approve(alice, taken.ok().at("tx_id")))
			}
			state, err := m.State()
			require.NoError(t, err)
			for asset, total := range state.Totals {
				assert.Equal(t, total.Deposited, total.Balances+total.Withdrawn+total.Fees, asset)
			}
		})
	}
}

func TestQuoteWithoutReference(t *testing.T) {
	m := newMarket(t)
	for _, none := range []any{"", nil} {
		assert.Empty(t, m.maker(m.offer(object{"reference": none, "send": object{"symbol": btc, "amount": 1}}).ok().at("tx_id")).at("reference"))
	}
}
