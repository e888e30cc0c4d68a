package sandbox_test

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

func TestFees(t *testing.T) {
	s := newService(t)
	for amount, want := range map[int64]int64{
		200000: 200, 2800: 3, 800: 1, // published, of BTC-TESTNET
		1: 1, 999: 1, 1000: 1, 1001: 2, 9214157878975800000: 9214157878975800,
	} {
		for _, kind := range []string{"withdraw", "transferOut", "swap"} {
			got := s.post("/fees", object{"type": kind, "asset": btc, "amount": amount}).ok()
			assert.Equal(t, []int64{amount, want, amount + want},
				[]int64{got.number("netAmount"), got.number("fees"), got.number("amountToSend")}, "%s of %d", kind, amount)
		}
	}
	s.post("/fees", object{"type": "withdraw", "asset": btc, "amount": int64(math.MaxInt64)}).refused(400, "64 bits")
	for name, body := range map[string]any{
		"nothing":             object{"type": "withdraw", "asset": btc, "amount": 0},
		"negative":            object{"type": "withdraw", "asset": btc, "amount": -1},
		"a fraction":          object{"type": "withdraw", "asset": btc, "amount": 1.5},
		"beyond 64 bits":      `{"type":"withdraw","asset":"BTC","amount":9223372036854775808}`,
		"unknown asset":       object{"type": "withdraw", "asset": "DOGE", "amount": 1},
		"another kind's name": object{"type": "transfer", "asset": btc, "amount": 1},
		"no type":             object{"asset": btc, "amount": 1},
	} {
		t.Run(name, func(t *testing.T) { s.post("/fees", body).refused(400, "") })
	}
	s.post("/fees", `{"type":"withdraw","asset":"BTC","amount":"2800"}`).ok()
	s.post("/fees", `{"type":"withdraw","asset":"BTC","amount":2.8e3}`).ok()
}

func TestTransferMovesMoneyOnceApproved(t *testing.T) {
	w := newWorld(t)
	w.credit(w.treasury, 300_000)
	sent := w.transfer(object{
		"send": object{"symbol": btc, "amount": 200_000}, "reference": "rent", "benefit_of": "Bea", "account_no": "A7",
	}).ok()
	assert.Equal(t, "new", sent.at("status"))
	tx := sent.at("tx_id")
	got := w.get(w.inCompany("/transfer/" + tx)).ok()
	for key, want := range map[string]string{
		"txID": tx, "txStatus": "pending", "approvedCount": "0", "thresholdRequired": "1", "reference": "rent",
		"initiatorAuthorized": "true", "statusDetails.asset": btc, "statusDetails.amount": "200200",
		"statusDetails.fees": "200", "statusDetails.netAmount": "200000", "statusDetails.fundID": w.fund,
		"statusDetails.recipientAddress": w.trading, "statusDetails.reference": "rent",
		"statusDetails.benefitOf": "Bea", "statusDetails.accountNo": "A7",
		"status.0.userID": w.ids[alice], "status.0.username": "alice", "status.0.status": "pending", "status.0.timestamp": "0",
		"status.1.userID": w.ids[bob],
	} {
		assert.Equal(t, want, got.at(key), key)
	}
	assert.Equal(t, 2, got.count("status"))
	assert.Equal(t, startOfTime.Unix(), got.number("initiatedTimestamp"))
	assert.Equal(t, w.in(time.Hour), got.number("expires"))
	assert.Zero(t, got.number("statusDetails.expires"), "the one above counts")
	assert.NotEqual(t, tx, got.at("status.0.actionID"))
	assert.Equal(t, []int64{300_000, 200_200, 0}, []int64{w.balance(w.treasury), w.held(w.treasury), w.balance(w.trading)})

	w.clock.forward(time.Minute)
	require.NoError(t, w.Approve(bob, tx))
	got = w.get(w.inCompany("/transfer/" + tx)).ok()
	assert.Equal(t, "approved", got.at("txStatus"))
	assert.Equal(t, "1", got.at("approvedCount"))
	assert.Equal(t, []string{"pending", "approved"}, got.column("status", "status"))
	assert.Equal(t, startOfTime.Add(time.Minute).Unix(), got.number("status.1.timestamp"))
	assert.Equal(t, []int64{99_800, 0, 200_000}, []int64{w.balance(w.treasury), w.held(w.treasury), w.balance(w.trading)})
	w.fees(btc, 200)
}

// fees demands that so much of an asset was taken as fees.
func (s service) fees(asset string, want int64) {
	s.t.Helper()
	state, err := s.State()
	require.NoError(s.t, err)
	assert.EqualValues(s.t, want, state.Totals[qredo.AssetCode(asset)].Fees)
}

func TestTransferCounterparties(t *testing.T) {
	w := newWorld(t)
	w.credit(w.treasury, 1_000_000)
	other := w.as("strange")
	strangeCompany := other.newCompany("Strange", "strange.example")
	strangeWallet := other.newWallet(strangeCompany, other.newFund(strangeCompany, object{"name": "F"}), object{"asset": btc})
	code := w.get("/wallet/" + w.trading).ok().at("short_code")
	require.Len(t, strings.Split(code, " "), 3, "a short code is three words")

	for name, address := range map[string]string{
		"wallet ID": w.trading, "short code": code, "spaces around": " " + w.trading + " ",
		"short code in capitals": strings.ToUpper(code), "short code with hyphens": strings.ReplaceAll(code, " ", "-"),
	} {
		t.Run(name, func(t *testing.T) {
			before := w.balance(w.trading)
			tx := w.transfer(object{"counterparty_wallet_address": address}).ok().at("tx_id")
			assert.Equal(t, w.trading, w.get(w.inCompany("/transfer/"+tx)).at("statusDetails.recipientAddress"))
			require.NoError(t, w.Approve(alice, tx))
			assert.Equal(t, before+1000, w.balance(w.trading))
		})
	}
	t.Run("under the name that the schema requires", func(t *testing.T) {
		w.transfer(object{"counterparty_wallet_address": nil, "counterparty_wallet_id": w.trading}).ok()
	})
	t.Run("a wallet of another account", func(t *testing.T) {
		tx := w.transfer(object{"counterparty_wallet_address": strangeWallet}).ok().at("tx_id")
		require.NoError(t, w.Approve(alice, tx))
		assert.EqualValues(t, 1000, other.balance(strangeWallet))
	})
	own := w.get("/wallet/" + w.treasury).ok()
	for name, test := range map[string]struct {
		address, reason string
		status          int
	}{
		"a wallet for another asset": {w.ether, eth, 400},
		"unknown wallet":             {"none", "counterparty", 404},
		"unknown short code":         {"no such code", "counterparty", 404},
		"address on a chain":         {own.at("address"), "counterparty", 404},
		"empty":                      {"", "counterparty", 400},
	} {
		t.Run(name, func(t *testing.T) {
			w.transfer(object{"counterparty_wallet_address": test.address}).refused(test.status, test.reason)
		})
	}
}

func TestTransactionsThatCannotBe(t *testing.T) {
	w := newWorld(t)
	w.credit(w.treasury, 5000)
	w.whitelist()
	send := func(asset string, amount any) object { return object{"symbol": asset, "amount": amount} }
	tests := map[string]struct {
		changed object
		status  int
		reason  string
	}{
		"unknown wallet":          {object{"wallet_id": "none"}, 404, "wallet"},
		"no wallet":               {object{"wallet_id": nil}, 400, "wallet"},
		"another asset":           {object{"send": send("BTC", 10)}, 400, "send.symbol"},
		"no asset":                {object{"send": object{"amount": 10}}, 400, "send.symbol"},
		"nothing":                 {object{"send": send(btc, 0)}, 400, "send.amount"},
		"negative":                {object{"send": send(btc, -5)}, 400, "send.amount"},
		"a fraction":              {object{"send": send(btc, 0.5)}, 400, "send.amount"},
		"words for an amount":     {object{"send": send(btc, "ten")}, 400, "send.amount"},
		"no amount at all":        {object{"send": nil}, 400, "send"},
		"one more than there is":  {object{"send": send(btc, 4996)}, 400, "balance"}, // and 5 as a fee
		"the most there can be":   {object{"send": send(btc, int64(math.MaxInt64))}, 400, "64 bits"},
		"expired":                 {object{"expires": startOfTime.Unix() - 1}, 400, "expires"},
		"expires now":             {object{"expires": startOfTime.Unix()}, 400, "expires"},
		"never expires":           {object{"expires": nil}, 400, "expires"},
		"expires at zero":         {object{"expires": 0}, 400, "expires"},
		"expires before the era":  {object{"expires": -5}, 400, "expires"},
		"expires beyond all time": {object{"expires": int64(math.MaxInt64)}, 400, "expires"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w.transfer(test.changed).refused(test.status, test.reason)
			w.withdrawal(test.changed).refused(test.status, test.reason)
		})
	}
	state, err := w.State()
	require.NoError(t, err)
	assert.Equal(t, 1, state.Transactions, "the deposit alone")
	assert.Zero(t, w.held(w.treasury))

	t.Run("a wallet of another company of the account", func(t *testing.T) {
		other := w.newCompany("Other", "other.example")
		w.company = other
		w.transfer(nil).refused(404, "wallet")
		w.withdrawal(nil).refused(404, "wallet")
	})
}

func TestWhatWaitsForApprovalCannotBeSpentTwice(t *testing.T) {
	w := newWorld(t)
	w.credit(w.treasury, 1002) // 600 and 400 arrive, and each costs 1
	first := w.transfer(object{"send": object{"symbol": btc, "amount": 600}}).ok().at("tx_id")
	w.transfer(object{"send": object{"symbol": btc, "amount": 401}}).refused(400, "balance")
	second := w.transfer(object{"send": object{"symbol": btc, "amount": 400}}).ok().at("tx_id")
	assert.EqualValues(t, 1002, w.held(w.treasury))
	assert.EqualValues(t, 1002, w.balance(w.treasury))

	require.NoError(t, w.Reject(alice, first))
	require.NoError(t, w.Reject(bob, first))
	assert.EqualValues(t, 401, w.held(w.treasury))
	w.transfer(object{"send": object{"symbol": btc, "amount": 600}}).ok()
	require.NoError(t, w.Approve(alice, second))
	assert.EqualValues(t, 601, w.held(w.treasury))
	assert.EqualValues(t, 601, w.balance(w.treasury))
	w.transfer(object{"send": object{"symbol": btc, "amount": 1}}).refused(400, "balance")
}

func TestSmallestAmountCostsAsMuchAgain(t *testing.T) {
	w := newWorld(t)
	w.credit(w.treasury, 2)
	w.transfer(object{"send": object{"symbol": btc, "amount": 2}}).refused(400, "balance")
	tx := w.transfer(object{"send": object{"symbol": btc, "amount": 1}}).ok().at("tx_id")
	require.NoError(t, w.Approve(alice, tx))
	assert.Equal(t, "approved", w.status(tx))
	assert.Equal(t, []int64{0, 1}, []int64{w.balance(w.treasury), w.balance(w.trading)})
	w.fees(btc, 1)
}

func TestWithdrawal(t *testing.T) {
	w := newWorld(t)
	w.credit(w.treasury, 300_000)
	w.withdrawal(nil).refused(400, "whitelist")
	w.whitelist()
	for name, changed := range map[string]object{
		"address nearly the whitelisted one": {"address": payout[:len(payout)-1]},
		"no address":                         {"address": nil},
		"address whitelisted for another asset": {
			"wallet_id": w.ether, "send": object{"symbol": eth, "amount": 1000},
		},
	} {
		t.Run(name, func(t *testing.T) { w.withdrawal(changed).refused(400, "whitelist") })
	}
	t.Run("whitelisted for another fund", func(t *testing.T) {
		fund := w.newFund(w.company, object{"name": "Second", "custodygroup_withdraw": group(1, w.ids[alice])})
		wallet := w.newWallet(w.company, fund, object{"asset": btc})
		w.credit(wallet, 5000)
		w.withdrawal(object{"wallet_id": wallet}).refused(400, "whitelist")
	})

	tx := w.withdrawal(object{"send": object{"symbol": btc, "amount": 200_000}, "reference": "salaries"}).ok().at("tx_id")
	require.NoError(t, w.Approve(alice, tx))
	assert.Equal(t, "pending", w.withdrawalStatus(tx))
	assert.EqualValues(t, 300_000, w.balance(w.treasury))
	require.NoError(t, w.Approve(carol, tx))
	got := w.get(w.inCompany("/withdraw/" + tx)).ok()
	for key, want := range map[string]string{
		"txStatus": "approved", "approvedCount": "2", "thresholdRequired": "2", "reference": "salaries",
		"statusDetails.recipientAddress": payout, "statusDetails.netAmount": "200000", "statusDetails.fees": "200",
	} {
		assert.Equal(t, want, got.at(key), key)
	}
	assert.Equal(t, []string{"approved", "pending", "approved"}, got.column("status", "status"))
	assert.EqualValues(t, 99_800, w.balance(w.treasury))
	state, err := w.State()
	require.NoError(t, err)
	assert.EqualValues(t, 200_000, state.Totals[btc].Withdrawn)
	w.fees(btc, 200)
}

func TestTransactionOfTheOtherKindIsNotFound(t *testing.T) {
	w := newWorld(t)
	w.credit(w.treasury, 300_000)
	w.whitelist()
	transfer, withdrawal := w.transfer(nil).ok().at("tx_id"), w.withdrawal(nil).ok().at("tx_id")
	w.get(w.inCompany("/transfer/"+withdrawal)).refused(404, "transaction")
	w.get(w.inCompany("/withdraw/"+transfer)).refused(404, "transaction")
	w.get(w.inCompany("/transfer/none")).refused(404, "transaction")
	assert.Equal(t, http.StatusOK, w.get(w.inCompany("/transfer/"+transfer)).Status)
	deposit := string(w.credit(w.treasury, 1).TxID)
	w.get(w.inCompany("/transfer/"+deposit)).refused(404, "transaction")
	other := w.newCompany("Other", "other.example")
	w.get("/company/"+other+"/transfer/"+transfer).refused(404, "transaction")
}
