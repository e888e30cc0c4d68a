package sandbox_test

import (
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPartnerTxIDFindsTheFirstTransaction(t *testing.T) {
	w := withFunds(t)
	first := w.transfer(object{"partner_txID": "p-1"}).ok()
	require.Equal(t, "new", first.at("status"))
	tx := first.at("tx_id")
	again := func(t *testing.T, got answer) {
		t.Helper()
		assert.Equal(t, tx, got.ok().at("tx_id"))
		assert.Equal(t, "existing", got.at("status"))
	}
	again(t, w.transfer(object{"partner_txID": "p-1"}))
	again(t, w.transfer(object{"partner_txID": "p-1", "send": object{"symbol": btc, "amount": 5}, "reference": "another body"}))
	again(t, w.withdrawal(object{"partner_txID": "p-1"}))
	t.Run("also when the request could not be made any more", func(t *testing.T) {
		again(t, w.transfer(object{"partner_txID": "p-1", "expires": startOfTime.Unix() - 1}))
		again(t, w.transfer(object{"partner_txID": "p-1", "wallet_id": "gone"}))
		again(t, w.transfer(object{"partner_txID": "p-1", "send": object{"symbol": btc, "amount": 999_999_999}}))
	})
	t.Run("in any spelling of its name", func(t *testing.T) {
		for _, name := range []string{"partner_txID", "partnerTxID", "partner_tx_id", "PARTNERTXID"} {
			again(t, w.transfer(object{name: "p-1"}))
		}
	})
	assert.EqualValues(t, 1001, w.held(w.treasury), "nothing else was made")

	t.Run("its case counts", func(t *testing.T) {
		assert.Equal(t, "new", w.transfer(object{"partner_txID": "P-1"}).ok().at("status"))
	})
	t.Run("forever, and after its end", func(t *testing.T) {
		require.NoError(t, w.Approve(alice, tx))
		w.clock.forward(10_000 * time.Hour)
		again(t, w.transfer(object{"partner_txID": "p-1"}))
	})
	t.Run("for each key on its own", func(t *testing.T) {
		second := w
		second.service = w.as("second")
		got := second.transfer(object{"partner_txID": "p-1"}).ok()
		assert.Equal(t, "new", got.at("status"))
		assert.NotEqual(t, tx, got.at("tx_id"))
		assert.Equal(t, got.at("tx_id"), second.transfer(object{"partner_txID": "p-1"}).ok().at("tx_id"))
	})
	t.Run("a refused request does not take it", func(t *testing.T) {
		w.transfer(object{"partner_txID": "p-2", "send": object{"symbol": btc, "amount": 0}}).refused(400, "")
		assert.Equal(t, "new", w.transfer(object{"partner_txID": "p-2"}).ok().at("status"))
	})
	t.Run("empty is none", func(t *testing.T) {
		one, two := w.transfer(object{"partner_txID": ""}).ok(), w.transfer(object{"partner_txID": ""}).ok()
		assert.Equal(t, []string{"new", "new"}, []string{one.at("status"), two.at("status")})
		assert.NotEqual(t, one.at("tx_id"), two.at("tx_id"))
	})
	t.Run("of withdrawals too", func(t *testing.T) {
		one, two := w.withdrawal(object{"partner_txID": "w-1"}).ok(), w.withdrawal(object{"partner_txID": "w-1"}).ok()
		assert.Equal(t, []string{"new", "existing"}, []string{one.at("status"), two.at("status")})
		assert.Equal(t, one.at("tx_id"), two.at("tx_id"))
	})
}

func TestPartnerTxIDAtTheSameTimeMakesOneTransaction(t *testing.T) {
	w := withFunds(t)
	const senders = 50
	answers := make([]*httptest.ResponseRecorder, senders)
	start := make(chan struct{})
	var done sync.WaitGroup
	body := `{"wallet_id":"` + w.treasury + `","counterparty_wallet_address":"` + w.trading +
		`","partner_txID":"once","expires":4000000000,"send":{"symbol":"` + btc + `","amount":1000}}`
	for i := range senders {
		req := httptest.NewRequest("POST", basePath+w.inCompany("/transfer"), strings.NewReader(body))
		req.Header.Set("X-Api-Key", "own")
		answers[i] = httptest.NewRecorder()
		done.Go(func() {
			<-start
			w.ServeHTTP(answers[i], req)
		})
	}
	close(start)
	done.Wait()
	fresh, ids := 0, map[string]bool{}
	for _, rec := range answers {
		got := readAnswer(t, rec.Result()).ok()
		ids[got.at("tx_id")] = true
		if got.at("status") == "new" {
			fresh++
		}
	}
	assert.Equal(t, 1, fresh)
	assert.Len(t, ids, 1)
	assert.EqualValues(t, 1001, w.held(w.treasury))
}

func TestRequestsInAnySpelling(t *testing.T) {
	w := withFunds(t)
	expires := startOfTime.Add(time.Hour).Unix()
	for name, body := range map[string]any{
		"snake case": object{
			"wallet_id": w.treasury, "counterparty_wallet_address": w.trading, "expires": expires,
			"send": object{"symbol": btc, "amount": 1000},
		},
		"camel case": object{
			"walletID": w.treasury, "counterpartyWalletAddress": w.trading, "expires": expires,
			"send": object{"symbol": btc, "amount": 1000},
		},
		"capitals": object{
			"WALLET_ID": w.treasury, "CounterpartyWalletAddress": w.trading, "Expires": expires,
			"SEND": object{"Symbol": btc, "AMOUNT": 1000},
		},
		"numbers as text": object{
			"wallet_id": w.treasury, "counterparty_wallet_address": w.trading, "expires": w.text(expires),
			"send": object{"symbol": btc, "amount": "1000"},
		},
		"keys that nobody knows, and empty ones": object{
			"wallet_id": w.treasury, "counterparty_wallet_address": w.trading, "expires": expires, "fund_id": "", "partner_txID": "",
			"send": object{"symbol": btc, "amount": 1000, "colour": "blue"}, "extra": []any{object{"a": nil}},
		},
		"amount with an exponent": `{"wallet_id":"` + w.treasury + `","counterparty_wallet_address":"` + w.trading +
			`","expires":4e9,"send":{"symbol":"` + btc + `","amount":1.0e3}}`,
		"white space and escapes": "\n{ \"wallet_id\" :\t\"" + w.treasury + `" , "counterparty_wallet_address":"` + w.trading +
			`","expires":"4000000000","send":{"symbol":"\u0042TC-TESTNET","amount":1000}}` + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			tx := w.post(w.inCompany("/transfer"), body).ok().at("tx_id")
			got := w.get(w.inCompany("/transfer/" + tx)).ok()
			assert.EqualValues(t, 1001, got.number("statusDetails.amount"))
			assert.Equal(t, w.trading, got.at("statusDetails.recipientAddress"))
			assert.GreaterOrEqual(t, got.number("expires"), expires)
		})
	}
	t.Run("a whole company in camel case", func(t *testing.T) {
		made := w.post("/company", object{"Name": "Camel", "countryCode": "FR", "anon_IOI": true, "tc_only": 1}).ok()
		got := w.get("/company/" + made.at("company_id")).ok()
		assert.Equal(t, []string{"Camel", "FR"}, []string{got.at("name"), got.at("country")})
	})
	t.Run("a withdrawal as the real client sent it", func(t *testing.T) {
		w.withdrawal(object{"fund_id": "", "partner_txID": "", "expires": w.text(expires)}).ok()
	})
}

// text is a number as decimal text.
func (w world) text(n int64) string {
	return strings.TrimSpace(string(mustJSON(w.t, n)))
}
