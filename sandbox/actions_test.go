package sandbox_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

func TestActions(t *testing.T) {
	a := newAutomated(t)
	assert.JSONEq(t, `{"count":0,"actions":[]}`, string(a.get(a.one.path("/actions")).ok().Body))
	transfer := a.transfer(object{"reference": "rent", "benefit_of": "Bea", "account_no": "A7"}).ok().at("tx_id")
	a.clock.forward(time.Second)
	withdrawal := a.withdrawal(object{"reference": "salaries"}).ok().at("tx_id")
	list := a.get(a.one.path("/actions")).ok()
	assert.EqualValues(t, 2, list.number("count"))
	assert.Equal(t, []string{"ApproveTransfer", "ApproveWithdraw"}, list.column("actions", "type"), "oldest first")
	assert.Equal(t, []string{"pending", "pending"}, list.column("actions", "status"))
	assert.Equal(t, []string{a.one.id, a.one.id}, list.column("actions", "coreClientID"))
	assert.Equal(t, startOfTime.Unix(), list.number("actions.0.timestamp"))
	assert.Equal(t, startOfTime.Add(time.Hour).Unix(), list.number("actions.0.expireTime"))
	_, has := list.find("actions.0.details")
	assert.False(t, has, "a list has no details")

	ids := a.one.actionIDs()
	assert.NotContains(t, []string{transfer, withdrawal}, ids[0])
	assert.Equal(t, ids[0], a.get(a.inCompany("/transfer/"+transfer)).at("status.1.actionID"))
	assert.NotEqual(t, ids[0], a.two.actionIDs()[0], "each approver has an action of their own")

	common := map[string]string{
		"asset": btc, "amount": "1001", "fees": "1", "netAmount": "1000", "fundID": a.fund, "walletID": a.treasury,
		"initiatedBy": "", "initiatorName": "", "initiatorType": "",
	}
	for i, special := range []map[string]string{
		{
			"txID": transfer, "txType": "transferOut", "reference": "rent", "benefitOf": "Bea", "accountNo": "A7",
			"companyID": a.company, "recipientID": a.trading, "recipientName": "Acme Exchange",
		},
		{
			"txID": withdrawal, "txType": "withdraw", "reference": "salaries", "companyID": "",
			"recipientAddress": payout, "recipientAddressName": "Cold storage",
		},
	} {
		got := a.one.action(ids[i]).ok()
		for _, want := range []map[string]string{common, special} {
			for key, value := range want {
				assert.Equal(t, value, got.at("details."+key), key)
			}
		}
		assert.Equal(t, ids[i], got.at("id"))
		assert.Equal(t, startOfTime.Add(time.Duration(i)*time.Second).Unix(), got.number("details.initiatedTime"))
		assert.Equal(t, startOfTime.Add(time.Hour+time.Duration(i)*time.Second).Unix(), got.number("details.expires"))
	}
	for _, other := range []string{a.two.actionIDs()[0], transfer, "none", a.get(a.inCompany("/transfer/" + transfer)).at("status.0.actionID")} {
		a.one.action(other).refused(404, "action")
		a.one.approve(other).refused(404, "action")
		a.one.reject(other).refused(404, "action")
	}
	require.ErrorContains(t, a.Approve(alice, ids[0]), "404", "nor may a user name another's")
}

func TestActionsShowHowTheyEnded(t *testing.T) {
	a := newAutomated(t)
	for name, test := range map[string]struct {
		end    func(tx string)
		status string
	}{
		"others approved": {func(tx string) {
			require.NoError(t, a.Approve(alice, tx))
			a.two.approve(a.two.last()).ok()
		}, "approved"},
		"others rejected": {func(tx string) {
			require.NoError(t, a.Reject(alice, tx))
			a.two.reject(a.two.last()).ok()
		}, "rejected"},
		"it expired":                       {func(string) { require.NoError(t, a.Advance(time.Hour)) }, "expired"},
		"it approved, and then it expired": {func(string) { a.one.approve(a.one.last()).ok(); require.NoError(t, a.Advance(time.Hour)) }, "approved"},
		"it rejected, the others approved": {func(tx string) {
			a.one.reject(a.one.last()).ok()
			require.NoError(t, a.Approve(alice, tx))
			a.two.approve(a.two.last()).ok()
		}, "rejected"},
		"it is the one of others who wait":  {func(string) { a.one.approve(a.one.last()).ok() }, "approved"},
		"another has decided, it may still": {func(tx string) { require.NoError(t, a.Approve(alice, tx)) }, "pending"},
	} {
		t.Run(name, func(t *testing.T) {
			tx := a.transfer(nil).ok().at("tx_id")
			action := a.one.last()
			test.end(tx)
			assert.Equal(t, test.status, a.one.statusOf(action))
			list := a.get(a.one.path("/actions")).ok()
			listed := slices.Index(list.column("actions", "id"), action)
			assert.Equal(t, test.status == "pending", listed >= 0, "the list has what is pending only")
			assert.EqualValues(t, list.count("actions"), list.number("count"))
			assert.NotContains(t, list.column("actions", "status"), "approved")
		})
	}
}

func TestInitiatorsOfActions(t *testing.T) {
	a := newAutomated(t, sandbox.WithInitiators())
	a.transfer(nil).ok()
	a.withdrawal(nil).ok()
	for _, id := range a.one.actionIDs() {
		got := a.one.action(id).ok()
		assert.Equal(t, []string{a.company, "Acme Exchange", "company"},
			[]string{got.at("details.initiatedBy"), got.at("details.initiatorName"), got.at("details.initiatorType")})
	}
}

// Fields that are empty are there all the same.
func TestEmptyFieldsOfActionsAreThere(t *testing.T) {
	b := newBourse(t)
	b.sweep(b.ready(1, nil), b.vault(), nil).ok()
	got := b.exchange.action(b.exchange.last()).ok()
	assert.Equal(t, "transferOut", got.at("details.txType"))
	assert.Equal(t, b.company, got.at("details.companyID"))
	for _, key := range []string{"initiatedBy", "initiatorName", "initiatorType"} {
		assert.Empty(t, got.at("details."+key), key)
	}
	b.connected(2, nil)
	got = b.exchange.action(b.exchange.last()).ok()
	for _, key := range []string{"txType", "companyID", "initiatedBy"} {
		_, has := got.find("details." + key)
		assert.False(t, has, "a connection has a form of its own, without %s", key)
	}
}

func TestActionsOfSwaps(t *testing.T) {
	m := newMarket(t)
	robot := approver{m.service, m.newCoreClient("Robot")}
	m.post(m.inCompany("/trustedparty"), object{"address": robot.id}).ok()
	fund := m.newFund(m.company, object{"name": "Robot's", "custodygroup_tx": group(1, robot.id)})
	m.treasury = m.newWallet(m.company, fund, object{"asset": btc})
	m.credit(m.treasury, 500_000)
	quote := m.offer(nil).ok().at("tx_id")
	got := robot.action(robot.last()).ok()
	assert.Equal(t, []string{"ApproveSwap", quote, "swap"}, []string{got.at("type"), got.at("details.txID"), got.at("details.txType")})
	_, has := got.find("details.recipientID")
	assert.False(t, has, "a swap pays nobody")
	assert.Equal(t, []string{eth, fmt.Sprint(wanted)}, []string{got.at("details.receive.symbol"), got.at("details.receive.amount")}, "what it gets")
	robot.approve(robot.last()).ok()
	assert.Equal(t, "taker_pending", m.makerStatus(quote))

	own := m
	own.taker, own.takerBitcoin = m.company, m.trading
	own.takerEther = m.newWallet(m.company, fund, object{"asset": eth})
	m.credit(own.takerEther, 100_000)
	take := own.take(quote, nil).ok().at("tx_id")
	got = robot.action(robot.last()).ok()
	assert.Equal(t, []string{"ApproveSwapTake", take, "swap"},
		[]string{got.at("type"), got.at("details.txID"), got.at("details.txType")})
	assert.Equal(t, []string{btc, fmt.Sprint(offered)}, []string{got.at("details.receive.symbol"), got.at("details.receive.amount")})
	robot.approve(robot.last()).ok()
	assert.Equal(t, "taker_approved", m.makerStatus(quote))
}
