package sandbox_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox"
)

// inProcess is a transport that a sandbox in this process answers.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	p.ServeHTTP(rec, req)
	return rec.Result(), nil
}

// reports is a client with the key of withReportsKey.
func (w world) reports() *qapi.Client {
	w.t.Helper()
	auth, err := qredo.NewHMACAuth("reports", base64.StdEncoding.EncodeToString(hmacSecret))
	require.NoError(w.t, err)
	client, err := qapi.NewClient(auth, qredo.WithBaseURL("http://localhost/qapi/v1"), qredo.WithClock(w.clock.Now),
		qredo.WithHTTPClient(&http.Client{Transport: inProcess{w}}))
	require.NoError(w.t, err)
	return client
}

// reportsWorld has moved money: a deposit, a transfer that is done, one that waits, one that was rejected,
// and a withdrawal.
func reportsWorld(t testing.TB, opts ...sandbox.Option) world {
	t.Helper()
	w := newWorld(t, append(opts, withReportsKey())...)
	w.credit(w.treasury, 100_000)
	w.clock.forward(time.Minute)
	require.NoError(t, w.Approve(alice, w.transfer(nil).ok().at("tx_id")))
	w.clock.forward(time.Minute)
	w.transfer(object{"send": object{"symbol": btc, "amount": 2000}}).ok()
	refused := w.transfer(nil).ok().at("tx_id")
	require.NoError(t, w.Reject(alice, refused))
	require.NoError(t, w.Reject(bob, refused))
	w.whitelist()
	w.clock.forward(time.Minute)
	out := w.withdrawal(nil).ok().at("tx_id")
	require.NoError(t, w.Approve(alice, out))
	require.NoError(t, w.Approve(bob, out))
	return w
}

func TestQAPIBalance(t *testing.T) {
	w := reportsWorld(t)
	a := w.report("/balance").ok()
	for field, want := range map[string]int64{
		// 100000 came; the fee of the transfer (1) and the withdrawal with its fee (1001) have gone; 2002 wait to leave
		"total": 96_996, "available": 98_998, "pendingOut": 2002, "pendingIn": 0, "scale": 100_000_000,
	} {
		assert.Equal(t, want, a.number("assets."+btc+"."+field), field)
	}
	assert.Zero(t, a.number("assets."+eth+".total"))
}

// One transfer of 800 waits: what wallets hold is available, and the total is what there will be.
func TestQAPIBalanceWhileATransferWaits(t *testing.T) {
	w := newWorld(t, withReportsKey())
	w.credit(w.treasury, 1_004_999)
	w.transfer(object{"send": object{"symbol": btc, "amount": 800}}).ok()
	want := qapi.AssetBalance{Available: 1_004_999, PendingOut: 801, Total: 1_004_198, Scale: 100_000_000}
	balances, err := w.reports().Balance.Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, want, balances[btc])
	balance, _ := w.report("/balance").ok().find("assets." + btc)
	holdings, _ := w.report("/funds").ok().find("funds.0.holdings." + btc)
	for _, raw := range []any{balance, holdings} {
		assert.JSONEq(t, `{"available":1004999,"pendingIn":0,"pendingOut":801,"total":1004198,"scale":100000000}`, string(mustJSON(t, raw)))
	}
}

// What swaps that wait will bring is on its way in, of either side.
func TestQAPIBalanceWhileSwapsWait(t *testing.T) {
	m := newMarket(t, withReportsKey())
	pending := func(bitcoin, ether []qredo.Amount) {
		t.Helper()
		balances, err := m.reports().Balance.Get(t.Context())
		require.NoError(t, err)
		for code, want := range map[qredo.AssetCode][]qredo.Amount{btc: bitcoin, eth: ether} {
			b := balances[code]
			assert.Equal(t, want, []qredo.Amount{b.PendingIn, b.PendingOut}, code)
			assert.Equal(t, b.Available+b.PendingIn-b.PendingOut, b.Total, code)
		}
	}
	nothing := []qredo.Amount{0, 0}
	pending(nothing, nothing)
	quote := m.offer(nil).ok().at("tx_id")
	pending([]qredo.Amount{0, offeredDebit}, []qredo.Amount{wanted, 0})
	require.NoError(t, m.Approve(alice, quote))
	pending([]qredo.Amount{0, offeredDebit}, []qredo.Amount{wanted, 0})
	take := m.take(quote, nil).ok().at("tx_id")
	pending([]qredo.Amount{offered, offeredDebit}, []qredo.Amount{wanted, wantedDebit})
	require.NoError(t, m.Approve(alice, take))
	require.NoError(t, m.Approve(bob, take))
	pending(nothing, nothing)
}

// Quotes can want more than 64 bits hold, together: what they would bring is not negative for that.
func TestQAPIBalanceOfQuotesThatWantTooMuch(t *testing.T) {
	m := newMarket(t, withReportsKey())
	for range 3 {
		m.offer(object{"receive": object{"symbol": eth, "amount": int64(math.MaxInt64)}}).ok()
	}
	balances, err := m.reports().Balance.Get(t.Context())
	require.NoError(t, err)
	b := balances[eth]
	assert.Equal(t, []qredo.Amount{math.MaxInt64, math.MaxInt64}, []qredo.Amount{b.PendingIn, b.Total})
	assert.Equal(t, int64(math.MaxInt64), m.report("/funds").ok().number("funds.0.holdings."+eth+".pendingIn"))
}

func TestQAPIFunds(t *testing.T) {
	w := reportsWorld(t)
	for _, query := range []string{"", "?archived=false", "?archived=0", "?archived=true"} { // true includes, and nothing is archived
		a := w.report("/funds" + query).ok()
		assert.Equal(t, []string{w.fund}, a.column("funds", "fundID"))
		assert.EqualValues(t, 1, a.number("total"))
	}
	w.report("/funds?archived=maybe").refused(http.StatusBadRequest, "archived")

	info := w.report("/funds/" + w.fund).ok()
	assert.Equal(t, []string{w.treasury, w.trading, w.ether}, info.column("fundInfo.wallets", "wallet_id"))
	assert.EqualValues(t, 2, info.number("fundInfo.policyWithdrawl.threshold"))
	assert.EqualValues(t, 1, info.number("fundInfo.policyTx.threshold"))
	assert.Equal(t, []string{"true", "true", "true"}, []string{
		info.at("fundInfo.members.0.permissions.custodian"), info.at("fundInfo.members.1.permissions.trader"), info.at("fundInfo.members.2.permissions.custodian"),
	})
	assert.Equal(t, "false", info.at("fundInfo.members.2.permissions.trader"), "carol approves withdrawals only")
	assert.Equal(t, alice, info.at("fundInfo.members.0.entity.address"))
	assert.Equal(t, carol, info.at("fundInfo.policyWithdrawl.members.2.entity.address"))
}

func TestQAPILedger(t *testing.T) {
	w := reportsWorld(t)
	a := w.report("/funds/" + w.fund + "/ledger").ok()
	assert.Equal(t, []string{"1", "2", "2", "6"}, a.column("list", "type"), "newest first; what waits or was rejected is not there")
	assert.Equal(t, []string{w.treasury, w.trading, w.treasury, w.treasury}, a.column("list", "walletID"))
	assert.Equal(t, []string{"1001", "1000", "1001", "100000"}, a.column("list", "amount"))
	assert.EqualValues(t, 4, a.number("total"))
	assert.ElementsMatch(t, []string{w.treasury, w.trading}, a.column("wallets", "walletID"))
	for i, layerOne := range []int{1, 0, 0, 1} { // a withdrawal and a deposit are on the asset's chain too
		entry := fmt.Sprintf("list.%d.", i)
		assert.Len(t, a.at(entry+"chainTxID"), 64, "on Qredo's own chain")
		require.Equal(t, layerOne, a.count(entry+"later1TxID"))
		if layerOne > 0 {
			assert.Len(t, a.at(entry+"later1TxID.0"), 64)
			assert.NotEqual(t, a.at(entry+"chainTxID"), a.at(entry+"later1TxID.0"))
		}
	}
	assert.Equal(t, "default", a.at("list.1.counterpartyEntity.owner"))
	ids := a.column("list", "txID")
	assert.Equal(t, ids[1], ids[2], "a transfer as its two wallets see it")
	assert.Empty(t, ids[3], "a deposit has no ID, as in the service's example")

	late := w.transfer(object{"send": object{"symbol": btc, "amount": 5}}).ok().at("tx_id")
	w.clock.forward(time.Minute)
	w.credit(w.treasury, 1)
	w.clock.forward(time.Minute)
	require.NoError(t, w.Approve(alice, late))
	times := w.report("/funds/"+w.fund+"/ledger").ok().column("list", "timestamp")
	assert.Len(t, times, 7)
	assert.IsNonIncreasing(t, times, "by the time that an entry tells of, not by when it was asked for")

	oldest := reportsWorld(t, sandbox.WithLedgerOrder(sandbox.OldestFirst))
	assert.Equal(t, []string{"6", "2", "2", "1"}, oldest.report("/funds/"+oldest.fund+"/ledger").ok().column("list", "type"))
}

func TestQAPIHistory(t *testing.T) {
	w := reportsWorld(t)
	for _, path := range []string{"/wallet/", "/wallets/"} {
		a := w.report(path + w.treasury + "/history").ok()
		assert.Equal(t, []string{"100000", "-1001", "-1001"}, a.column("history", "amount"))
		assert.Equal(t, []string{"approved", "approved", "approved"}, a.column("history", "status"))
	}
}

// Figures of whole units come to the same amounts as those of base units, each read as what it is.
func TestQAPIWholeUnits(t *testing.T) {
	base, whole := reportsWorld(t), reportsWorld(t, sandbox.WithWholeUnits())
	a := whole.report("/funds/" + whole.fund + "/ledger").ok()
	assert.Equal(t, []string{"0.00001001", "0.00001", "0.00001001", "0.001"}, a.column("list", "amount"))
	assert.Equal(t, []string{"0.00000001", "0", "0.00000001", "0"}, a.column("list", "fees"))
	assert.Equal(t, []string{"0.00001", "0.00001", "0.00001", "0.001"}, a.column("list", "netAmount"))
	figure, _ := a.find("list.0.amount")
	assert.IsType(t, json.Number(""), figure)
	assert.Equal(t, []string{"0.001", "-0.00001001", "-0.00001001"}, whole.report("/wallet/"+whole.treasury+"/history").ok().column("history", "amount"))
	assert.EqualValues(t, 96_996, whole.report("/balance").ok().number("assets."+btc+".total"), "balances are base units in any case")

	balances, err := whole.reports().Balance.Get(t.Context())
	require.NoError(t, err)
	inWhole, err := whole.reports().Funds.ListLedger(t.Context(), qredo.FundID(whole.fund))
	require.NoError(t, err)
	inBase, err := base.reports().Funds.ListLedger(t.Context(), qredo.FundID(base.fund))
	require.NoError(t, err)
	require.Len(t, inWhole.Entries, len(inBase.Entries))
	for i, w := range inWhole.Entries {
		b := inBase.Entries[i]
		for _, same := range [][2]qapi.Figure{{w.Amount, b.Amount}, {w.Fees, b.Fees}, {w.NetAmount, b.NetAmount}} {
			got, err := same[0].WholeUnits(balances[w.Asset].Asset(w.Asset))
			require.NoError(t, err)
			want, err := same[1].BaseUnits()
			require.NoError(t, err)
			assert.Equal(t, want, got)
		}
	}
}

// An organization's key is told nothing of trusted parties, a person's has no Web3 wallets.
func TestQAPIAccountKinds(t *testing.T) {
	w := newWorld(t, withReportsKey())
	account := w.report("/account").ok()
	assert.Equal(t, "default", account.at("settings.id"))
	assert.EqualValues(t, 1, account.number("settings.userAPIKeys.number_of_keys"))
	assert.Len(t, account.at("settings.userAPIKeys.user_api_keys.0.keyID"), 14)
	assert.Contains(t, account.column("settings.rpcNetworks", "chainID"), "1")
	assert.Zero(t, account.count("settings.connectClients"))
	assert.Equal(t, []string{alice, bob, carol}, account.column("settings.members", "email"))
	w.report("/trustedparties").refused(http.StatusBadRequest, "personal accounts")
	_, err := w.reports().TrustedParties.List(t.Context())
	require.ErrorIs(t, err, qredo.ErrBadRequest)

	person := newWorld(t, sandbox.WithPersonalAccount(), withReportsKey())
	account = person.report("/account").ok()
	for _, field := range []string{"username", "defaultFiat", "testnetAssets", "email", "partnerAPI"} {
		assert.NotEmpty(t, account.at("settings."+field), field)
	}
	assert.Equal(t, 1, account.count("settings.userAPIKeys"), "a plain list")
	for _, field := range []string{"members", "domain", "rpcNetworks", "connectClients"} {
		_, found := account.find("settings." + field)
		assert.False(t, found, field)
	}
	read, err := person.reports().Account.Get(t.Context())
	require.NoError(t, err)
	assert.False(t, read.IsOrganization())
	person.propose(person.payment(nil)).refused(http.StatusBadRequest, "need an organization")
	person.report("/balance").ok()
}

func TestQAPIPeople(t *testing.T) {
	w := newWorld(t, sandbox.WithPersonalAccount(), withReportsKey())
	_, err := w.CreateUser(sandbox.User{Email: "dora@example.com"})
	require.NoError(t, err)
	w.clock.forward(time.Hour)
	w.post(w.inCompany("/trustedparty"), object{"address": "dora@example.com"}).ok()
	other := w.newCompany("Other", "other.example")
	w.post("/company/"+other+"/trustedparty", object{"address": alice}).ok() // trusted by the first already
	w.as("strange").trust(w.as("strange").newCompany("Strange", "s.example"), "eve@example.com")
	a := w.report("/trustedparties").ok()
	assert.Equal(t, []string{alice, bob, carol, "dora@example.com"}, a.column("members", "email"))
	assert.Equal(t, []string{"false", "false", "false", "true"}, a.column("members", "pending"))
	assert.Equal(t, []int64{startOfTime.Unix(), 0}, []int64{a.number("members.0.created"), a.number("members.3.created")})

	w.clock.forward(time.Hour)
	require.NoError(t, w.Accept("dora@example.com", ""))
	require.NoError(t, w.Accept(alice, qredo.CompanyID(other)))
	a = w.report("/trustedparties").ok()
	assert.Equal(t, "false", a.at("members.3.pending"))
	assert.Equal(t, startOfTime.Add(2*time.Hour).Unix(), a.number("members.3.created"), "when she accepted, not when she was asked")
	assert.Equal(t, startOfTime.Unix(), a.number("members.0.created"), "when she accepted first")
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
