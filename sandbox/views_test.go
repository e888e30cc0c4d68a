package sandbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// asked is the one approval that waits for somebody, read over HTTP.
func asked(t *testing.T, w world, who string) sandbox.Approval {
	t.Helper()
	list, err := controlOf(t, w.Sandbox).Approvals(t.Context(), who, sandbox.ApprovalFilter{State: "waiting"})
	require.NoError(t, err)
	require.Len(t, list.Approvals, 1)
	return list.Approvals[0]
}

// figures are money in words: leaves, arrives, fee, receives, and before and after what is available and the balance.
func figures(a sandbox.Approval) string {
	var texts []string
	for _, m := range []*sandbox.Money{
		a.Leaves, a.Arrives, a.Fee, a.Receives, a.AvailableBefore, a.AvailableAfter, a.BalanceBefore, a.BalanceAfter,
	} {
		if m == nil {
			texts = append(texts, "-")
		} else {
			texts = append(texts, m.Base+"="+m.Whole)
		}
	}
	return strings.Join(texts, " ")
}

func voting(votes []sandbox.Vote) string {
	var texts []string
	for _, v := range votes {
		text := v.Name + " " + v.Kind + " " + v.Part + " " + v.Choice
		if v.Required {
			text += "!"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

// What an approver is told of each kind of transaction, beside what the API says of it.
func TestApprovalsOfEachKind(t *testing.T) {
	const moves = "100100=0.001001 100000=0.001 100=0.000001 - 1000000=0.01 899900=0.008999 1000000=0.01 899900=0.008999"
	type told struct {
		title, figures, payee, votes, text string
		threshold                          int
	}
	check := func(t *testing.T, w world, who string, want told) sandbox.Approval {
		t.Helper()
		a := asked(t, w, who)
		got := told{a.Title, figures(a), "", voting(a.Votes), a.Text, a.Threshold}
		if a.Payee != nil {
			got.payee = strings.Join([]string{a.Payee.Kind, a.Payee.Name, a.Payee.Company, a.Payee.Address, string(a.Payee.WalletID)}, "|")
		}
		assert.Equal(t, want, got)
		assert.True(t, a.CanDecide)
		assert.Equal(t, []string{"waiting", ""}, []string{a.Choice, a.WhyNot})
		assert.Equal(t, w.Now(), a.Created)
		tx, err := w.Transaction(string(a.TxID))
		require.NoError(t, err)
		assert.Equal(t, []any{a.Leaves, a.Arrives, a.Fee, a.Receives, a.Payee, a.Web3, a.Policy, a.Text, a.Votes}, []any{
			tx.Leaves, tx.Arrives, tx.Fees, tx.Receives, tx.Payee, tx.Web3, tx.Policy, tx.Text, tx.Votes,
		})
		assert.Equal(t, []any{a.ExpiresAt, a.Title}, []any{tx.Expires, tx.Title})
		return a
	}
	hundred := object{"send": object{"symbol": btc, "amount": 100_000}, "reference": "rent", "partner_txID": "p-1"}

	t.Run("withdrawal", func(t *testing.T) {
		w := withFunds(t)
		w.whitelist()
		tx := w.withdrawal(hundred).ok().at("tx_id")
		a := check(t, w, alice, told{
			"Withdrawal", moves, "address|Cold storage||" + payout + "|",
			"alice person policy waiting, bob person policy waiting, carol person policy waiting", "", 2,
		})
		api := w.get(w.inCompany("/withdraw/" + tx)).ok()
		assert.Equal(t, []string{api.at("statusDetails.amount"), api.at("statusDetails.netAmount"), api.at("statusDetails.fees")}, []string{a.Leaves.Base, a.Arrives.Base, a.Fee.Base})
		assert.Equal(t, sandbox.Place{
			Named: sandbox.Named{ID: w.treasury, Name: "Treasury"}, Fund: sandbox.Named{ID: w.fund, Name: "Client assets"},
			Company: sandbox.Named{ID: w.company, Name: "Acme Exchange"},
		}, a.Place)
		require.NoError(t, w.Approve(bob, tx))
		a = asked(t, w, alice)
		assert.Equal(t, 1, a.Approved)
		assert.Equal(t, "approved", a.Votes[1].Choice)
		assert.Equal(t, w.Now(), a.Votes[1].At)
	})
	t.Run("transfer that must be authorized", func(t *testing.T) {
		a := newAuthorized(t)
		tx := a.transfer(merge(object{"authorize_id": a.robot.id}, hundred)).ok().at("tx_id")
		want := told{"Transfer", moves, "wallet|Trading|Acme Exchange||" + a.trading, "Gatekeeper core_client authorization waiting!", "", 1}
		check(t, a.world, a.robot.id, want)
		require.NoError(t, a.Approve(a.robot.id, tx))
		want.votes = "Gatekeeper core_client authorization approved!, alice person policy waiting, bob person policy waiting"
		check(t, a.world, alice, want)
	})
	t.Run("from a dedicated wallet", func(t *testing.T) {
		b := newBourse(t)
		wallet := b.ready(1, object{"name": "Dedicated"})
		tx := b.transfer(merge(object{"wallet_id": wallet, "counterparty_wallet_address": b.treasury, "send": object{"symbol": btc, "amount": 1000}}, nil)).ok().at("tx_id")
		want := told{
			"Transfer", "1001=0.00001001 1000=0.00001 1=0.00000001 - 10000=0.0001 8999=0.00008999 10000=0.0001 8999=0.00008999",
			"wallet|Treasury|Acme Exchange||" + b.treasury,
			"alice person policy waiting, bob person policy waiting, Bourse core_client counterparty waiting!", "", 2,
		}
		check(t, b.world, alice, want)
		check(t, b.world, b.exchange.id, want)
		require.NoError(t, b.Approve(b.exchange.id, tx))
		require.NoError(t, b.Approve(alice, tx))
		assert.Equal(t, "approved", b.status(tx))
	})
	t.Run("sweep and connection", func(t *testing.T) {
		b := newBourse(t)
		wallet := b.connected(2, object{"name": "Pool"})
		check(t, b.world, b.exchange.id, told{
			"Connection", "- - - - - - - -", "core_client|Bourse|||", "Bourse core_client policy waiting",
			"connects Pool to Bourse, where its owner is known as customer-7", 1,
		})
		b.exchange.approve(b.exchange.last()).ok()
		b.credit(wallet, 10_000)
		vault := b.vault()
		b.sweep(wallet, vault, nil).ok()
		a := check(t, b.world, b.exchange.id, told{
			"Sweep", "4004=0.00004004 4000=0.00004 4=0.00000004 - 10000=0.0001 5996=0.00005996 10000=0.0001 5996=0.00005996",
			"wallet|" + b.exchange.get("/wallet/"+vault).ok().at("short_code") + "|Bourse||" + vault, "Bourse core_client policy waiting", "", 1,
		})
		require.NoError(t, b.Approve(b.exchange.id, string(a.ActionID)))
		assert.EqualValues(t, 5996, b.balance(wallet))
	})
	t.Run("swap", func(t *testing.T) {
		m := newMarket(t)
		quote := m.offer(nil).ok().at("tx_id")
		a := check(t, m.world, alice, told{
			"Swap offer", "200200=0.002002 200000=0.002 200=0.000002 30000=0.00003 1000000=0.01 799800=0.007998 1000000=0.01 799800=0.007998", "",
			"alice person policy waiting, bob person policy waiting", "", 1,
		})
		assert.Equal(t, []any{&sandbox.Named{ID: m.makerIn, Name: "Ether"}, qredo.AssetCode(eth)}, []any{a.ReceivesInto, a.Receives.Asset})
		require.NoError(t, m.Approve(alice, quote))
		m.take(quote, nil).ok()
		a = check(t, m.world, bob, told{
			"Swap", "30030=0.00003003 30000=0.00003 30=0.00000003 200000=0.002 100000=0.0001 69970=0.00006997 100000=0.0001 69970=0.00006997",
			"wallet|Ether|Acme Exchange||" + m.makerIn, "alice person policy waiting, bob person policy waiting", "", 2,
		})
		assert.Equal(t, []any{&sandbox.Named{ID: m.takerBitcoin, Name: "B"}, qredo.AssetCode(btc)}, []any{a.ReceivesInto, a.Receives.Asset})
	})
	t.Run("policy update", func(t *testing.T) {
		g := newGoverned(t)
		g.update(nil).ok()
		a := check(t, g.world, alice, told{
			"Policy update", "- - - - - - - -", "", "alice person policy waiting, bob person policy waiting",
			"transfers and everything else from Governed need the approval of 1 of carol, instead of 2 of alice, bob", 2,
		})
		assert.Equal(t, sandbox.Policy{Type: "policy-tx", Members: []sandbox.Named{{ID: g.ids[carol], Name: "carol"}}, Threshold: 1}, a.Policy.Policy)
		assert.Equal(t, 2, a.Policy.Before.Threshold)
	})
	t.Run("Web3", func(t *testing.T) {
		w := web3World(t)
		w.propose(w.payment(object{"maxFeePerGas": "40000000000", "chainID": "5", "data": "0xa9059cbb00"})).ok()
		a := check(t, w, carol, told{
			"Web3 transaction", "- - - - - - - -", "address|||0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed|",
			"alice person policy waiting, bob person policy waiting, carol person policy waiting", "", 2,
		})
		assert.Equal(t, &sandbox.Web3Call{Value: beyond64, ChainID: "5", GasLimit: "21000", GasPrice: "40000000000", Data: "0xa9059cbb00"}, a.Web3)
	})
}

// A card that is looked at while it is decided elsewhere says why it cannot be decided any more, to each who was asked.
func TestApprovalsThatEnded(t *testing.T) {
	type end struct{ choice, whyNot, status string }
	for name, test := range map[string]struct {
		decide             func(t *testing.T, w world, tx string)
		alice, bob, carols end
	}{
		"approved": {
			func(t *testing.T, w world, tx string) { require.NoError(t, w.Approve(bob, tx)) },
			end{"approved", "you have approved it", "approved"}, end{"approved", "you have approved it", "approved"}, end{"none", "it was approved without you", "approved"},
		},
		"rejected": {
			func(t *testing.T, w world, tx string) {
				require.NoError(t, w.Reject(bob, tx))
				require.NoError(t, w.Reject(carol, tx))
			},
			end{"approved", "you have approved it", "custody_rejected"}, end{"rejected", "you have rejected it", "custody_rejected"},
			end{"rejected", "you have rejected it", "custody_rejected"},
		},
		"expired": {
			func(t *testing.T, w world, _ string) { require.NoError(t, w.AdvanceToNextExpiry()) },
			end{"approved", "you have approved it", "expired"}, end{"none", "it has expired", "expired"}, end{"none", "it has expired", "expired"},
		},
		"refused by the chain": {
			func(t *testing.T, w world, tx string) {
				require.NoError(t, w.RejectOnChain(tx))
				require.NoError(t, w.Approve(bob, tx))
			},
			end{"approved", "you have approved it", "chain_rejected"}, end{"approved", "you have approved it", "chain_rejected"},
			end{"none", "it was approved without you", "chain_rejected"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := withFunds(t)
			w.whitelist()
			tx := w.withdrawal(nil).ok().at("tx_id")
			require.NoError(t, w.Approve(alice, tx))
			w.clock.forward(time.Minute)
			test.decide(t, w, tx)
			for who, want := range map[string]end{alice: test.alice, bob: test.bob, carol: test.carols} {
				waiting, err := w.Approvals(who, sandbox.ApprovalFilter{State: "waiting"})
				require.NoError(t, err)
				assert.Empty(t, waiting.Approvals)
				list, err := w.Approvals(who, sandbox.ApprovalFilter{State: "decided"})
				require.NoError(t, err)
				require.Len(t, list.Approvals, 1)
				assert.Equal(t, 1, list.Total)
				a := list.Approvals[0]
				assert.Equal(t, want, end{a.Choice, a.WhyNot, string(a.Status)}, who)
				assert.False(t, a.CanDecide)
				assert.Nil(t, a.BalanceAfter)
				if who == alice {
					assert.Equal(t, startOfTime, a.DecidedAt)
				} else {
					assert.Equal(t, w.Now(), a.DecidedAt)
				}
			}
		})
	}
	t.Run("taken back", func(t *testing.T) {
		m := newMarket(t)
		quote := m.offer(nil).ok().at("tx_id")
		m.call("DELETE", m.inCompany("/atomicswap/make/"+quote), nil)
		list, err := m.Approvals(alice, sandbox.ApprovalFilter{State: "decided"})
		require.NoError(t, err)
		assert.Equal(t, []string{"none", "it was cancelled"}, []string{list.Approvals[0].Choice, list.Approvals[0].WhyNot})
	})
	t.Run("a quote that can be taken", func(t *testing.T) {
		m := newMarket(t)
		m.quote(nil)
		list, err := m.Approvals(bob, sandbox.ApprovalFilter{State: "decided"})
		require.NoError(t, err)
		assert.Equal(t, []string{"none", "it was approved without you"}, []string{list.Approvals[0].Choice, list.Approvals[0].WhyNot})
	})
}
