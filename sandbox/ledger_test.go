package sandbox_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return data
}

// busy is a world with, a minute apart: a deposit of BTC, one of ETH, an approved transfer, an approved
// withdrawal, a rejected transfer, and one that waits.
func busy(t testing.TB) (w world, transfer, withdrawal, rejected, waiting string) {
	t.Helper()
	w = newWorld(t)
	w.whitelist()
	w.credit(w.treasury, 1_000_000)
	w.clock.forward(time.Minute)
	w.credit(w.ether, 50)
	w.clock.forward(time.Minute)
	transfer = w.transfer(object{"send": object{"symbol": btc, "amount": 200_000}, "reference": "rent", "benefit_of": "Bea", "account_no": "A7"}).ok().at("tx_id")
	w.clock.forward(time.Minute)
	require.NoError(t, w.Approve(alice, transfer))
	withdrawal = w.withdrawal(object{"send": object{"symbol": btc, "amount": 2800}}).ok().at("tx_id")
	require.NoError(t, w.Approve(alice, withdrawal))
	require.NoError(t, w.Approve(bob, withdrawal))
	w.clock.forward(time.Minute)
	rejected = w.transfer(nil).ok().at("tx_id")
	require.NoError(t, w.Reject(alice, rejected))
	require.NoError(t, w.Reject(bob, rejected))
	waiting = w.transfer(nil).ok().at("tx_id")
	return w, transfer, withdrawal, rejected, waiting
}

func TestLedgerEntries(t *testing.T) {
	w, transfer, withdrawal, rejected, waiting := busy(t)
	got := w.get(w.inFund("/ledger")).ok()
	assert.EqualValues(t, 7, got.number("Total"))
	assert.Equal(t, []string{"deposit", "deposit", "transferOut", "transferIn", "withdraw", "transferOut", "transferOut"},
		got.column("List", "type"), "oldest first")
	assert.Equal(t, []string{"", "", transfer, transfer, withdrawal, rejected, waiting}, got.column("List", "TxID"))
	assert.Equal(t, []string{"", "", "approved", "approved", "approved", "custody_rejected", "pending"}, got.column("List", "status"))
	assert.Equal(t, []string{"1000000", "50", "200200", "200000", "2803", "1001", "1001"}, got.column("List", "amount"))
	assert.Equal(t, []string{"0", "0", "200", "0", "3", "1", "1"}, got.column("List", "fees"))
	assert.Equal(t, []string{"1000000", "50", "200000", "200000", "2800", "1000", "1000"}, got.column("List", "netAmount"))

	t.Run("a deposit has no ID, no status and no expiry", func(t *testing.T) {
		for key, want := range map[string]string{
			"TxID": "", "status": "", "expireTime": "0", "asset": btc, "fundID": w.fund, "counterpartyID": "",
			"address": w.get("/wallet/" + w.treasury).at("address"), "timestamp": fmt.Sprint(startOfTime.Unix()),
		} {
			assert.Equal(t, want, got.at("List.0."+key), key)
		}
		assert.Len(t, got.at("List.0.chainTxID"), 64)
	})
	t.Run("a transfer has two sides", func(t *testing.T) {
		for side, after := range map[string]time.Duration{"List.2.": 2 * time.Minute, "List.3.": 3 * time.Minute} {
			for key, want := range map[string]string{
				"reference": "rent", "benefitOf": "Bea", "accountNo": "A7", "counterpartyID": w.company, "counterpartyName": "Acme Exchange",
				"chainTxID": "", "timestamp": fmt.Sprint(startOfTime.Add(after).Unix()),
			} {
				assert.Equal(t, want, got.at(side+key), side+key)
			}
		}
	})
	t.Run("a withdrawal has an address and a transaction on the chain", func(t *testing.T) {
		assert.Equal(t, payout, got.at("List.4.address"))
		assert.Len(t, got.at("List.4.chainTxID"), 64)
		assert.NotZero(t, got.number("List.4.expireTime"))
	})
}

func TestLedgerFiltersAndPages(t *testing.T) {
	w, _, _, _, _ := busy(t)
	path := w.inFund("/ledger")
	all := w.get(path).ok().column("List", "type")
	tests := map[string]struct {
		query string
		want  []string // types of the entries
		total int
	}{
		"in":                    {"?direction=in", []string{"deposit", "deposit", "transferIn"}, 3},
		"out":                   {"?direction=out", []string{"transferOut", "withdraw", "transferOut", "transferOut"}, 4},
		"all":                   {"?direction=all", all, 7},
		"asset":                 {"?asset=" + eth, []string{"deposit"}, 1},
		"asset, in":             {"?direction=in&asset=" + btc, []string{"deposit", "transferIn"}, 2},
		"asset that is not":     {"?asset=BTC", nil, 0},
		"wallet":                {"?wallet_id=" + w.trading, []string{"transferIn"}, 1},
		"wallet, out":           {"?direction=out&wallet_id=" + w.trading, nil, 0},
		"wallet and its asset":  {"?asset=" + btc + "&wallet_id=" + w.trading, []string{"transferIn"}, 1},
		"wallet, other asset":   {"?asset=" + eth + "&wallet_id=" + w.trading, nil, 0},
		"limit":                 {"?limit=2", all[:2], 7},
		"offset":                {"?offset=5", all[5:], 7},
		"offset and limit":      {"?offset=2&limit=3", all[2:5], 7},
		"the end":               {"?offset=7", nil, 7},
		"beyond the end":        {"?offset=100&limit=5", nil, 7},
		"limit beyond the end":  {"?offset=6&limit=100", all[6:], 7},
		"limit of all numbers":  {"?limit=9223372036854775807", all, 7},
		"page of a direction":   {"?direction=out&offset=1&limit=1", []string{"withdraw"}, 4},
		"parameters left empty": {"?direction=&asset=&wallet_id=&offset=&limit=", all, 7},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := w.get(path + test.query).ok()
			assert.EqualValues(t, test.total, got.number("Total"))
			assert.Equal(t, append([]string{}, test.want...), got.column("List", "type"))
		})
	}
	for _, bad := range []string{"direction=up", "offset=-1", "limit=-1", "offset=x", "limit=1.5", "offset=9223372036854775808"} {
		t.Run(bad, func(t *testing.T) { w.get(path+"?"+bad).refused(400, "must") })
	}
	w.get(path+"?wallet_id=none").refused(404, "wallet")
	other := w.newFund(w.company, object{"name": "Other"})
	foreign := w.newWallet(w.company, other, object{"asset": btc})
	w.get(path+"?wallet_id="+foreign).refused(404, "wallet")
	w.get(w.inCompany("/fund/none/ledger")).refused(404, "fund")

	t.Run("a page has 100 entries unless asked otherwise", func(t *testing.T) {
		for range 120 {
			w.credit(foreign, 1)
		}
		got := w.get(w.inCompany("/fund/" + other + "/ledger")).ok()
		assert.Equal(t, 100, got.count("List"))
		assert.EqualValues(t, 120, got.number("Total"))
	})
}

func TestHistory(t *testing.T) {
	w, transfer, withdrawal, _, _ := busy(t)
	deposit := w.credit(w.treasury, 7)
	got := w.get("/wallet/" + w.treasury + "/history").ok()
	assert.Equal(t, []string{"1000000", "-200200", "-2803", "7"}, got.column("history", "amount"), "only what has moved, negative what left")
	assert.Equal(t, []string{"0", "-200", "-3", "0"}, got.column("history", "fee"))
	assert.Equal(t, []string{"1000000", "-200000", "-2800", "7"}, got.column("history", "net_amount"))
	assert.Equal(t, []string{transfer, withdrawal, string(deposit.TxID)}, got.column("history", "tx_id")[1:])
	assert.Equal(t, deposit.ChainTxID, got.at("history.3.chain_tx_id"))
	assert.Equal(t, []string{btc, w.treasury}, []string{got.at("history.0.asset"), got.at("history.0.wallet_id")})
	minute := func(n int) string { return fmt.Sprint(startOfTime.Add(time.Duration(n) * time.Minute).Unix()) }
	assert.Equal(t, []string{minute(0), minute(3), minute(3), minute(4)}, got.column("history", "timestamp"), "when it was done")

	incoming := w.get("/wallet/" + w.trading + "/history").ok()
	assert.Equal(t, []string{"200000"}, incoming.column("history", "amount"))
	assert.Equal(t, []string{"0"}, incoming.column("history", "fee"), "who sends pays")
	assert.Equal(t, []string{"200000"}, incoming.column("history", "net_amount"))
	assert.Equal(t, []string{transfer}, incoming.column("history", "tx_id"))

	for _, wallet := range []string{w.treasury, w.trading, w.ether} {
		var sum int64
		page := w.get("/wallet/" + wallet + "/history").ok()
		for i := range page.count("history") {
			at := fmt.Sprintf("history.%d.", i)
			assert.Equal(t, page.number(at+"amount"), page.number(at+"net_amount")+page.number(at+"fee"))
			sum += page.number(at + "amount")
		}
		assert.Equal(t, w.balance(wallet), sum)
	}
	all := got.column("history", "amount")
	for since, want := range map[int64][]string{
		0: all, startOfTime.Unix(): all, startOfTime.Unix() + 1: all[1:], startOfTime.Unix() + 180: all[1:],
		startOfTime.Unix() + 181: all[3:], startOfTime.Unix() + 240: all[3:], startOfTime.Unix() + 241: nil, -5: all,
	} {
		part := w.get(fmt.Sprintf("/wallet/%s/history?since=%d", w.treasury, since)).ok().column("history", "amount")
		assert.True(t, slices.Equal(want, part), "since %d: %v", since, part)
	}
	w.get("/wallet/"+w.treasury+"/history?since=yesterday").refused(400, "since")
}
