package sandbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

// governed is a world with a wallet that has custody groups of its own: transfers need alice and bob,
// withdrawals bob or carol.
type governed struct {
	world
	wallet                 string
	policyTx, policyPayout string
}

func newGoverned(t testing.TB, opts ...sandbox.Option) governed {
	t.Helper()
	g := governed{world: withFunds(t, opts...)}
	g.wallet = g.newWallet(g.company, g.fund, object{
		"name": "Governed", "asset": btc, "custodygroup_tx": group(2, g.ids[alice], g.ids[bob]),
		"custodygroup_withdraw": group(1, g.ids[bob], g.ids[carol]),
	})
	g.credit(g.wallet, 10_000)
	got := g.get("/wallet/" + g.wallet).ok()
	g.policyTx, g.policyPayout = got.at("policy_tx.id"), got.at("policy_withdraw.id")
	return g
}

func (g governed) path(wallet string) string { return g.inFund("/wallet/" + wallet + "/policy") }

// update asks for one of carol to approve transfers, with fields changed.
func (g governed) update(changed object) answer {
	g.t.Helper()
	return g.call("PUT", g.path(g.wallet), merge(object{
		"policy_id": g.policyTx, "type": "policy-tx", "threshold": 1, "members": []string{g.ids[carol]},
	}, changed))
}

// locked tells whether a policy of the wallet waits for an update, and for which.
func (g governed) locked(policy string) (locked bool, tx string) {
	g.t.Helper()
	got := g.get("/wallet/" + g.wallet).ok()
	if _, has := got.find(policy + ".locked"); !has {
		return false, ""
	}
	return got.at(policy+".locked") == "true", got.at(policy + ".lockedTxID")
}

// pending is what a person is asked to approve, by its transaction's ID.
func (g governed) pending(who string) []string {
	g.t.Helper()
	list, err := g.Pending(who)
	require.NoError(g.t, err)
	ids := []string{}
	for _, p := range list {
		assert.Equal(g.t, "policy update", p.Type)
		ids = append(ids, string(p.TxID))
	}
	return ids
}

func TestPolicyUpdateWaitsUnderTheOldPolicy(t *testing.T) {
	g := newGoverned(t)
	assert.JSONEq(t, `{"code":200,"msg":"OK"}`, string(g.update(nil).ok().Body))
	assert.Equal(t, []int{1, 1, 0}, []int{len(g.pending(alice)), len(g.pending(bob)), len(g.pending(carol))})
	tx := g.pending(alice)[0]
	old := []string{g.ids[alice], g.ids[bob]}
	shown := func(members []string, threshold int64) {
		t.Helper()
		got := g.get("/wallet/" + g.wallet).ok()
		assert.Equal(t, members, memberIDs(got, "policy_tx"))
		assert.Equal(t, threshold, got.number("policy_tx.threshold"))
		assert.Equal(t, g.policyTx, got.at("policy_tx.id"), "the ID stays")
		assert.Equal(t, "Wallet Governed Tx policy", got.at("policy_tx.name"))
		assert.EqualValues(t, len(members), got.number("policy_tx.membersCount"))
	}
	shown(old, 2)
	locked, by := g.locked("policy_tx")
	assert.True(t, locked)
	assert.Equal(t, tx, by)
	locked, _ = g.locked("policy_withdraw")
	assert.False(t, locked, "the other policy is free")

	before := g.transfer(object{"wallet_id": g.wallet}).ok().at("tx_id")
	require.NoError(t, g.Approve(alice, tx))
	shown(old, 2)
	require.ErrorContains(t, g.Approve(carol, tx), "404", "the new members are not asked")
	require.NoError(t, g.Approve(bob, tx))
	shown([]string{g.ids[carol]}, 1)
	locked, _ = g.locked("policy_tx")
	assert.False(t, locked)

	after := g.transfer(object{"wallet_id": g.wallet}).ok().at("tx_id")
	require.NoError(t, g.Approve(carol, after))
	assert.Equal(t, "approved", g.status(after))
	require.ErrorContains(t, g.Approve(carol, before), "404", "what was made before is for the old group")
	require.NoError(t, g.Approve(alice, before))
	require.NoError(t, g.Approve(bob, before))
	assert.Equal(t, "approved", g.status(before))

	state, err := g.State()
	require.NoError(t, err)
	assert.Equal(t, 4, state.Transactions, "an update is no movement")
	g.get(g.inCompany("/transfer/"+tx)).refused(404, "transaction")
	g.update(object{"threshold": 1, "members": old}).ok()
	require.Len(t, g.pending(carol), 1, "now carol decides on the next")
}

// No source says that a second update is refused while one waits: each is for itself, and the last to be approved
// is the policy in the end.
func TestPolicyUpdatesBesideEachOther(t *testing.T) {
	g := newGoverned(t)
	g.update(nil).ok()
	first := g.pending(alice)[0]
	g.clock.forward(time.Second) // IDs sort by the second
	g.update(object{"members": []string{g.ids[bob]}}).ok()
	second := g.pending(alice)[1]
	for _, tx := range []string{second, first} {
		locked, by := g.locked("policy_tx")
		assert.True(t, locked)
		assert.Equal(t, tx, by, "the newest that waits")
		require.NoError(t, g.Approve(alice, tx))
		require.NoError(t, g.Approve(bob, tx), "both are for the old group")
	}
	locked, _ := g.locked("policy_tx")
	assert.False(t, locked)
	assert.Equal(t, []string{g.ids[carol]}, memberIDs(g.get("/wallet/"+g.wallet).ok(), "policy_tx"), "the one that was approved last")

	t.Run("strict checks refuse it", func(t *testing.T) {
		g := newGoverned(t, sandbox.WithStrictChecks())
		g.update(nil).ok()
		g.update(nil).refused(400, "waits")
		g.update(object{"policy_id": g.policyPayout, "type": "policy-withdraw"}).ok()
		require.NoError(t, g.Reject(alice, g.pending(alice)[0]))
		g.update(object{"members": []string{g.ids[carol], g.ids[carol]}}).refused(400, "twice")
		g.update(nil).ok()
	})
}

func TestPolicyUpdateThatFailsUnlocks(t *testing.T) {
	for name, end := range map[string]func(g governed, tx string){
		"rejected": func(g governed, tx string) { require.NoError(g.t, g.Reject(bob, tx)) },
		"expired":  func(g governed, _ string) { g.clock.forward(24 * time.Hour) },
		"expired, half approved": func(g governed, tx string) {
			require.NoError(g.t, g.Approve(bob, tx))
			g.clock.forward(24*time.Hour - 1)
			locked, _ := g.locked("policy_tx")
			assert.True(g.t, locked, "not a moment too soon")
			g.clock.forward(1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGoverned(t)
			g.update(nil).ok()
			tx := g.pending(alice)[0]
			end(g, tx)
			locked, by := g.locked("policy_tx")
			assert.False(t, locked)
			assert.Empty(t, by)
			assert.Equal(t, []string{g.ids[alice], g.ids[bob]}, memberIDs(g.get("/wallet/"+g.wallet).ok(), "policy_tx"))
			require.ErrorContains(t, g.Approve(alice, tx), "409")
			assert.Empty(t, g.pending(alice))
			g.update(nil).ok()
		})
	}
}

func TestPolicyUpdateOfWithdrawals(t *testing.T) {
	g := newGoverned(t)
	g.update(object{"policy_id": g.policyPayout, "type": "policy-withdraw", "threshold": 2, "members": []string{g.ids[alice], g.ids[carol]}}).ok()
	g.update(nil).ok() // each policy for itself
	tx := g.pending(carol)[0]
	require.NoError(t, g.Approve(carol, tx))
	got := g.get("/wallet/" + g.wallet).ok()
	assert.Equal(t, []string{g.ids[alice], g.ids[carol]}, memberIDs(got, "policy_withdraw"))
	assert.Equal(t, []string{g.ids[alice], g.ids[bob]}, memberIDs(got, "policy_tx"))
	locked, _ := g.locked("policy_tx")
	assert.True(t, locked)
	payment := g.withdrawal(object{"wallet_id": g.wallet}).ok().at("tx_id")
	require.ErrorContains(t, g.Approve(bob, payment), "404")
	require.NoError(t, g.Approve(alice, payment))
	require.NoError(t, g.Approve(carol, payment))
	assert.Equal(t, "approved", g.withdrawalStatus(payment))
}

func TestPolicyUpdatesThatAreRefused(t *testing.T) {
	g := newGoverned(t)
	fund := g.get(g.inFund("")).ok()
	for name, test := range map[string]struct {
		changed object
		reason  string
	}{
		"another policy's ID":        {object{"policy_id": g.policyPayout}, "policy_id"},
		"the fund's ID":              {object{"policy_id": fund.at("policy_tx.id")}, "policy_id"},
		"no ID":                      {object{"policy_id": nil}, "policy_id"},
		"unknown type":               {object{"type": "policy"}, "type"},
		"no type":                    {object{"type": nil}, "type"},
		"the other type":             {object{"type": "policy-withdraw"}, "policy_id"},
		"a threshold of none":        {object{"threshold": 0}, "threshold"},
		"no threshold":               {object{"threshold": nil}, "threshold"},
		"a threshold over the group": {object{"threshold": 2}, "threshold"},
		"nobody":                     {object{"members": nil}, "threshold"},
		"two of one, named twice":    {object{"threshold": 2, "members": []string{g.ids[carol], g.ids[carol]}}, "threshold"},
		"somebody who is not there":  {object{"members": []string{"none"}}, "trusted network"},
	} {
		t.Run(name, func(t *testing.T) { g.update(test.changed).refused(400, test.reason) })
	}
	body := object{
		"policy_id": fund.at("policy_tx.id"), "type": "policy-tx", "threshold": 1, "members": []string{g.ids[carol]},
	}
	t.Run("a fund's policy, which the wallet only uses", func(t *testing.T) {
		g.call("PUT", g.path(g.treasury), body).refused(400, "fund's")
	})
	t.Run("a policy that is nowhere", func(t *testing.T) {
		bare := g.newFund(g.company, object{"name": "Bare"})
		wallet := g.newWallet(g.company, bare, object{"asset": btc})
		g.call("PUT", "/company/"+g.company+"/fund/"+bare+"/wallet/"+wallet+"/policy", body).refused(400, "no policy-tx")
		g.call("PUT", g.inFund("/wallet/"+wallet+"/policy"), body).refused(404, "wallet")
	})
	g.call("PUT", g.path("none"), body).refused(404, "wallet")
	g.as("strange").call("PUT", g.path(g.wallet), body).refused(404, "company")
	locked, _ := g.locked("policy_tx")
	assert.False(t, locked, "nothing of this has locked it")
	assert.Empty(t, g.pending(alice))
}

func TestPolicyUpdateIsAnActionOfACoreClient(t *testing.T) {
	g := newGoverned(t)
	robot := approver{g.service, g.newCoreClient("Robot")}
	g.post(g.inCompany("/trustedparty"), object{"address": robot.id}).ok()
	wallet := g.newWallet(g.company, g.fund, object{"asset": btc, "custodygroup_tx": group(1, robot.id)})
	id := g.get("/wallet/" + wallet).ok().at("policy_tx.id")
	g.call("PUT", g.path(wallet), object{
		"policy_id": id, "type": "policy-tx", "threshold": 1, "members": []string{g.ids[alice]},
	}).ok()
	got := robot.action(robot.last()).ok()
	assert.Equal(t, []string{"ApproveUpdatePolicy", wallet, "pending"},
		[]string{got.at("type"), got.at("details.walletID"), got.at("status")})
	robot.approve(robot.last()).ok()
	assert.Equal(t, []string{g.ids[alice]}, memberIDs(g.get("/wallet/"+wallet).ok(), "policy_tx"))
}
