package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tool signs as the service's own command-line tool did: with a nonce that it counts up, and the body as it was typed.
type tool struct {
	t      testing.TB
	base   string
	nonce  int
	client *http.Client
}

func (o *tool) call(method, path, body string) answer {
	o.t.Helper()
	o.nonce++
	nonce := strconv.Itoa(o.nonce)
	return signed{method: method, url: o.base + path, body: body, header: map[string]string{
		"X-API-KEY": "own", "x-nonce": nonce, "x-sign": signature(o.t, ownKey(), nonce, o.base+path, body),
	}}.send(o.t, o.client)
}

// What programs did with the tool, as the service's guides and samples show it, over a socket and signed.
func TestFlowOfTheOldTool(t *testing.T) {
	m := newMarket(t)
	server := httptest.NewServer(m.Sandbox)
	t.Cleanup(server.Close)
	old := &tool{t: t, base: server.URL + basePath, nonce: 1000, client: server.Client()}
	robot := approver{m.service, m.newCoreClient("Robot")}
	m.post(m.inCompany("/trustedparty"), object{"address": robot.id}).ok()
	fund := m.newFund(m.company, object{"name": "Robot's", "custodygroup_tx": group(1, robot.id)})
	wallet := m.newWallet(m.company, fund, object{"asset": btc})
	m.credit(wallet, 1000_000)

	// All companies: the URL has no query, and is signed so.
	assert.ElementsMatch(t, []string{m.company, m.taker}, old.call("GET", "/company/search", "").ok().column("matches", "company_id"))

	// A transfer whose both sides are named by their short codes.
	expires := strconv.FormatInt(m.in(24*time.Hour), 10)
	from, to := m.shortCode(wallet), m.shortCode(m.takerBitcoin)
	require.Len(t, strings.Split(from, " "), 3)
	sent := old.call("POST", m.inCompany("/transfer"), `{ "wallet_id": "`+from+`", "counterparty_wallet_address": "`+to+`",
		"reference": "", "benefit_of": "", "account_no": "", "partner_txID": "", "fund_id": "", "expires": "`+expires+`",
		"send": { "symbol": "`+btc+`", "amount": 800 } }`).ok()

	// The samples know the action only, read the transaction by its ID, approve it, and read it again.
	actions := old.call("GET", robot.path("/actions"), "").ok()
	require.Equal(t, []string{"ApproveTransfer"}, actions.column("actions", "type"))
	action := actions.at("actions.0.id")
	require.NotEqual(t, sent.at("tx_id"), action)
	byAction := m.inCompany("/transfer/" + action)
	got := old.call("GET", byAction, "").ok()
	assert.Equal(t, []string{sent.at("tx_id"), "pending", "801", "1", "800", m.takerBitcoin}, []string{
		got.at("txID"), got.at("txStatus"), got.at("statusDetails.amount"), got.at("statusDetails.fees"), got.at("statusDetails.netAmount"),
		got.at("statusDetails.recipientAddress"),
	})
	old.call("PUT", robot.path("/action/"+action), "").ok()
	assert.Equal(t, "approved", old.call("GET", byAction, "").ok().at("txStatus"))
	assert.EqualValues(t, 800, m.balance(m.takerBitcoin))

	// The short code in a path and in a query, where its spaces are escaped.
	assert.Equal(t, wallet, old.call("GET", "/wallet/"+url.PathEscape(from), "").ok().at("wallet_id"))
	for _, code := range []string{url.PathEscape(from), url.QueryEscape(from)} {
		ledger := old.call("GET", "/company/"+m.company+"/fund/"+fund+"/ledger?direction=out&wallet_id="+code, "").ok()
		assert.Equal(t, []string{sent.at("tx_id")}, ledger.column("List", "TxID"))
	}

	// A swap: the taker reads the quote in its own company, and takes it.
	made := old.call("POST", m.inCompany("/atomicswap/make"), `{"send_wallet_id":"`+from+`","receive_wallet_id":"`+m.shortCode(m.makerIn)+`",
		"reference":"q","expires":`+expires+`,"send":{"symbol":"`+btc+`","amount":1000},"receive":{"symbol":"`+eth+`","amount":2000}}`).ok()
	quote := made.at("tx_id")
	assert.Equal(t, "https://qredo.network/aswp"+quote, made.at("tx_url"))
	robot.approve(robot.last()).ok()
	read := old.call("GET", "/company/"+m.taker+"/atomicswap/make/"+quote, "").ok()
	assert.Equal(t, []string{quote, "taker_pending", "1000"}, []string{read.at("txID"), read.at("txStatus"), read.at("statusDetails.netAmount")})
	take := old.call("POST", "/company/"+m.taker+"/atomicswap/take", `{"swap_id":"`+quote+`","send_wallet_id":"`+m.shortCode(m.takerEther)+
		`","receive_wallet_id":"`+to+`","reference":"t"}`).ok().at("tx_id")
	require.NoError(t, m.Approve(alice, take))
	require.NoError(t, m.Approve(bob, take))
	assert.Equal(t, "taker_approved", old.call("GET", "/company/"+m.taker+"/transfer/"+take, "").ok().at("txStatus"))
	assert.EqualValues(t, 1800, m.balance(m.takerBitcoin))

	// What was signed is what was sent: the spaces as such are not.
	old.nonce++
	nonce := strconv.Itoa(old.nonce)
	signed{method: "GET", url: old.base + "/wallet/" + url.PathEscape(from), header: map[string]string{
		"X-API-KEY": "own", "x-nonce": nonce, "x-sign": signature(t, ownKey(), nonce, old.base+"/wallet/"+from, ""),
	}}.send(t, old.client).refused(401, "signature")
}
