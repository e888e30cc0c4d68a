package sandbox_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

// reportsWorld has moved money: a deposit, a transfer that is done, one that waits, one that was rejected,
// and a withdrawal.
func reportsWorld(t testing.TB) world {
	t.Helper()
	w := newWorld(t, withReportsKey())
	w.credit(w.treasury, 100_000)
	require.NoError(t, w.Approve(alice, w.transfer(nil).ok().at("tx_id")))
	w.transfer(object{"send": object{"symbol": btc, "amount": 2000}}).ok()
	refused := w.transfer(nil).ok().at("tx_id")
	require.NoError(t, w.Reject(alice, refused))
	require.NoError(t, w.Reject(bob, refused))
	w.whitelist()
	out := w.withdrawal(nil).ok().at("tx_id")
	require.NoError(t, w.Approve(alice, out))
	require.NoError(t, w.Approve(bob, out))
	return w
}

func TestQAPIBalance(t *testing.T) {
	w := reportsWorld(t)
	a := w.report("/balance").ok()
	for field, want := range map[string]int64{
		// 100000 came; the fee of the transfer (1) and the withdrawal (1001) have gone; 2002 wait, of which 2000 come back
		"total": 98_998, "available": 96_996, "pendingOut": 2002, "pendingIn": 2000, "scale": 100_000_000,
	} {
		assert.Equal(t, want, a.number("assets."+btc+"."+field), field)
	}
	assert.Zero(t, a.number("assets."+eth+".total"))
}

func TestQAPIFunds(t *testing.T) {
	w := reportsWorld(t)
	for _, query := range []string{"", "?archived=false", "?archived=0"} {
		a := w.report("/funds" + query).ok()
		assert.Equal(t, []string{w.fund}, a.column("funds", "fundID"))
		assert.EqualValues(t, 1, a.number("total"))
	}
	assert.Zero(t, w.report("/funds?archived=true").ok().count("funds"))
	w.report("/funds?archived=maybe").refused(http.StatusBadRequest, "archived")

	info := w.report("/funds/" + w.fund).ok()
	assert.Equal(t, []string{w.treasury, w.trading, w.ether}, info.column("fundInfo.wallets", "wallet_id"))
	assert.EqualValues(t, 2, info.number("fundInfo.policyWithdrawl.threshold"))
	assert.EqualValues(t, 1, info.number("fundInfo.policyTx.threshold"))
	assert.Equal(t, []string{"true", "true", "true"}, []string{
		info.at("fundInfo.members.0.permissions.custodian"), info.at("fundInfo.members.1.permissions.trader"), info.at("fundInfo.members.2.permissions.custodian"),
	})
	assert.Equal(t, "false", info.at("fundInfo.members.2.permissions.trader"), "carol approves withdrawals only")
}

func TestQAPILedger(t *testing.T) {
	w := reportsWorld(t)
	a := w.report("/funds/" + w.fund + "/ledger").ok()
	assert.Equal(t, []string{"6", "2", "2", "1"}, a.column("list", "type"), "what waits or was rejected is not there")
	assert.Equal(t, []string{w.treasury, w.treasury, w.trading, w.treasury}, a.column("list", "walletID"))
	assert.Equal(t, []string{"100000", "1001", "1000", "1001"}, a.column("list", "amount"))
	assert.EqualValues(t, 4, a.number("total"))
	assert.Equal(t, []string{w.treasury, w.trading}, a.column("wallets", "walletID"))
	assert.Equal(t, a.at("list.0.chainTxID"), a.at("list.0.later1TxID.0"))
	assert.Zero(t, a.count("list.1.later1TxID"))
}

func TestQAPIHistory(t *testing.T) {
	w := reportsWorld(t)
	a := w.report("/wallet/" + w.treasury + "/history").ok()
	assert.Equal(t, []string{"100000", "-1001", "-1001"}, a.column("history", "amount"))
	assert.Equal(t, []string{"approved", "approved", "approved"}, a.column("history", "status"))
}

func TestQAPIPeople(t *testing.T) {
	w := newWorld(t, withReportsKey())
	_, err := w.CreateUser(sandbox.User{Email: "dora@example.com"})
	require.NoError(t, err)
	w.post(w.inCompany("/trustedparty"), object{"address": "dora@example.com"}).ok()
	other := w.newCompany("Other", "other.example")
	w.post("/company/"+other+"/trustedparty", object{"address": alice}).ok() // trusted by the first already
	w.as("strange").trust(w.as("strange").newCompany("Strange", "s.example"), "eve@example.com")
	a := w.report("/trustedparties").ok()
	assert.Equal(t, []string{alice, bob, carol, "dora@example.com"}, a.column("members", "email"))
	assert.Equal(t, []string{"false", "false", "false", "true"}, a.column("members", "pending"))

	account := w.report("/account").ok()
	assert.Equal(t, "default", account.at("settings.id"))
	assert.EqualValues(t, 1, account.number("settings.userAPIKeys.number_of_keys"))
	assert.Contains(t, account.column("settings.rpcNetworks", "chainID"), "1")
	assert.Zero(t, account.count("settings.connectClients"))
}

// Faults happen to this API too.
func TestQAPIFaults(t *testing.T) {
	w := newWorld(t, withReportsKey())
	require.NoError(t, w.SetFaults(1, sandbox.FaultRule{Kind: sandbox.FaultRateLimit, Rate: 1, Times: 1, Delay: 2 * time.Second}))
	a := w.report("/balance").refused(http.StatusTooManyRequests, "as asked for")
	assert.Equal(t, "2", a.Header.Get("Retry-After"))
	require.NoError(t, w.SetFaults(1, sandbox.FaultRule{Kind: sandbox.FaultErrorHandled, Rate: 1, Times: 1}))
	assert.Equal(t, http.StatusInternalServerError, w.report("/balance").Status)
	w.report("/balance").ok()
}

// Programs approve like people, and are told what they sign.
func TestWeb3CoreClientsApprove(t *testing.T) {
	w := newWorld(t, withReportsKey())
	client := w.post("/coreclient", object{"name": "robot"}).ok().at("id")
	w.post(w.inCompany("/trustedparty"), object{"address": client}).ok()
	w.ether = w.newWallet(w.company, w.fund, object{"asset": eth, "custodygroup_tx": group(1, client)})
	id := w.propose(w.payment(object{"note": "rent"})).ok().at("txID")
	actions := w.get("/coreclient/" + client + "/actions").ok()
	assert.Equal(t, []string{"ApproveExternalSign"}, actions.column("actions", "type"))
	action := "/coreclient/" + client + "/action/" + actions.at("actions.0.id")
	details := w.get(action).ok()
	assert.Equal(t, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", details.at("details.recipientAddress"))
	assert.Equal(t, beyond64, details.at("details.clientData.value"))
	w.call("PUT", action, nil).ok()
	_, sender := decodeSigned(t, w.report("/transactions/"+id+"/status").ok().at("signedTx"))
	assert.Equal(t, w.address(w.ether), sender)
}
