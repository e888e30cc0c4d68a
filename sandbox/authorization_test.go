package sandbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// authorized is a world with a core client that has to authorise transfers; for swaps and withdrawals nobody has.
type authorized struct {
	world
	robot approver
}

func newAuthorized(t testing.TB) authorized {
	t.Helper()
	w := withFunds(t)
	return authorized{w, approver{w.service, w.newCoreClient("Gatekeeper")}}
}

// ask asks for a transfer that the core client has to authorise first.
func (a authorized) ask(changed object) string {
	a.t.Helper()
	return a.transfer(merge(object{"authorize_id": a.robot.id, "reference": "rent"}, changed)).ok().at("tx_id")
}

func (a authorized) read(tx string) answer {
	a.t.Helper()
	return a.get(a.inCompany("/transfer/" + tx)).ok()
}

// standing is how a transfer stands: its status, whether it was authorised, and what those who were asked have said.
func (a authorized) standing(tx string) []string {
	a.t.Helper()
	got := a.read(tx)
	return append([]string{got.at("txStatus"), got.at("initiatorAuthorized")}, got.column("status", "status")...)
}

func TestTransferIsAuthorisedBeforeTheCustodyGroupIsAsked(t *testing.T) {
	a := newAuthorized(t)
	tx := a.ask(nil)
	assert.Equal(t, []string{"pending_initiate", "false", "pending"}, a.standing(tx))
	assert.Equal(t, []string{"0", "1"}, []string{a.read(tx).at("approvedCount"), a.read(tx).at("thresholdRequired")})
	assert.EqualValues(t, 1001, a.held(a.treasury))
	for _, who := range []string{alice, bob} {
		waiting, err := a.Pending(who)
		require.NoError(t, err)
		assert.Empty(t, waiting)
		require.ErrorContains(t, a.Approve(who, tx), "404", "the custody group is not asked yet")
		require.ErrorContains(t, a.Reject(who, tx), "404")
	}
	assert.Equal(t, "pending_initiate", a.get(a.inFund("/ledger?direction=out")).ok().at("List.0.status"))

	action := a.robot.action(a.robot.last()).ok()
	assert.Equal(t, []string{"ApproveTransfer", "pending", tx, a.trading, "rent"}, []string{
		action.at("type"), action.at("status"), action.at("details.txID"), action.at("details.recipientID"), action.at("details.reference"),
	})
	assert.Equal(t, tx, a.read(action.at("id")).at("txID"), "it is found by that action")
	a.robot.approve(action.at("id")).ok()
	assert.Equal(t, []string{"pending", "true", "approved", "pending", "pending"}, a.standing(tx))
	assert.EqualValues(t, 1001, a.held(a.treasury), "held once")
	assert.Zero(t, a.balance(a.trading))
	assert.Equal(t, "approved", a.robot.statusOf(action.at("id")))
	a.robot.approve(action.at("id")).refused(400, "not pending")

	require.NoError(t, a.Approve(bob, tx))
	assert.Equal(t, []string{"approved", "true", "approved", "pending", "approved"}, a.standing(tx))
	assert.Equal(t, "1", a.read(tx).at("approvedCount"), "of the custody group")
	assert.Equal(t, []int64{998_999, 0, 1000}, []int64{a.balance(a.treasury), a.held(a.treasury), a.balance(a.trading)})
}

func TestTransferThatIsNotAuthorised(t *testing.T) {
	for name, test := range map[string]struct {
		end             func(a authorized)
		status, actions string
	}{
		"rejected": {func(a authorized) { a.robot.reject(a.robot.last()).ok() }, "initiate_rejected", "rejected"},
		"expired":  {func(a authorized) { require.NoError(a.t, a.Advance(time.Hour)) }, "expired", "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAuthorized(t)
			tx := a.ask(nil)
			action := a.robot.last()
			test.end(a)
			assert.Equal(t, []string{test.status, "false", test.actions}, a.standing(tx))
			assert.Equal(t, test.actions, a.robot.statusOf(action))
			a.robot.approve(action).refused(400, "not pending")
			require.ErrorContains(t, a.Approve(alice, tx), "404")
			assert.Equal(t, []int64{1_000_000, 0, 0}, []int64{a.balance(a.treasury), a.held(a.treasury), a.balance(a.trading)})
			assert.Empty(t, a.robot.actionIDs())
			a.fees(btc, 0)
		})
	}
	t.Run("the custody group rejects what was authorised", func(t *testing.T) {
		a := newAuthorized(t)
		tx := a.ask(nil)
		a.robot.approve(a.robot.last()).ok()
		require.NoError(t, a.Reject(alice, tx))
		require.NoError(t, a.Reject(bob, tx))
		assert.Equal(t, []string{"custody_rejected", "true", "approved", "rejected", "rejected"}, a.standing(tx))
	})
	t.Run("it expires after it was authorised", func(t *testing.T) {
		a := newAuthorized(t)
		tx := a.ask(nil)
		a.robot.approve(a.robot.last()).ok()
		require.NoError(t, a.Advance(time.Hour))
		assert.Equal(t, []string{"expired", "true", "approved", "expired", "expired"}, a.standing(tx))
	})
}

func TestWhoMayAuthorise(t *testing.T) {
	a := newAuthorized(t)
	for _, unknown := range []string{"none", a.ids[alice], a.company, alice} {
		a.transfer(object{"authorize_id": unknown}).refused(400, "authorize_id")
	}
	assert.Zero(t, a.held(a.treasury))
	a.transfer(object{"authorize_id": ""}).ok()

	foreign := a.as("strange")
	other := approver{foreign, foreign.newCoreClient("Elsewhere")}
	tx := a.ask(object{"authorize_id": other.id})
	other.approve(other.last()).ok()
	assert.Equal(t, "pending", a.status(tx))

	// One who is in the custody group too is asked twice: as the one, and as the other.
	a.post(a.inCompany("/trustedparty"), object{"address": a.robot.id}).ok()
	fund := a.newFund(a.company, object{"name": "Automatic", "custodygroup_tx": group(1, a.robot.id)})
	wallet := a.newWallet(a.company, fund, object{"asset": btc})
	a.credit(wallet, 5000)
	tx = a.ask(object{"wallet_id": wallet})
	first := a.robot.last()
	a.robot.approve(first).ok()
	assert.Equal(t, "pending", a.status(tx))
	assert.NotEqual(t, first, a.robot.last())
	a.robot.approve(a.robot.last()).ok()
	assert.Equal(t, "approved", a.status(tx))
}

func TestOnlyTransfersAreAuthorised(t *testing.T) {
	a := newAuthorized(t)
	assert.Equal(t, "pending", a.withdrawalStatus(a.withdrawal(object{"authorize_id": a.robot.id}).ok().at("tx_id")))
	assert.Empty(t, a.robot.actionIDs())
}
