package sandbox_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
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
	w.clock.forward(time.Minute)
	waiting = w.transfer(nil).ok().at("tx_id")
	return w, transfer, withdrawal, rejected, waiting
}

func TestLedgerEntries(t *testing.T) {
	w, transfer, withdrawal, rejected, waiting := busy(t)
	got := w.get(w.inFund("/ledger")).ok()
	assert.EqualValues(t, 7, got.number("Total"))
	column := func(name string) []string { // oldest first, to be read in the order in which things happened
		values := slices.Clone(got.column("List", name))
		slices.Reverse(values)
		return values
	}
	assert.Equal(t, []string{"deposit", "deposit", "transferOut", "transferIn", "withdraw", "transferOut", "transferOut"}, column("type"))
	assert.Equal(t, []string{"", "", transfer, transfer, withdrawal, rejected, waiting}, column("TxID"))
	assert.Equal(t, []string{"", "", "approved", "approved", "approved", "custody_rejected", "pending"}, column("status"))
	assert.Equal(t, []string{"1000000", "50", "200200", "200000", "2803", "1001", "1001"}, column("amount"))
	assert.Equal(t, []string{"0", "0", "200", "0", "3", "1", "1"}, column("fees"))
	assert.Equal(t, []string{"1000000", "50", "200000", "200000", "2800", "1000", "1000"}, column("netAmount"))
	minute := func(n int) string { return fmt.Sprint(startOfTime.Add(time.Duration(n) * time.Minute).Unix()) }
	assert.Equal(t, []string{minute(0), minute(1), minute(3), minute(3), minute(3), minute(4), minute(5)}, column("timestamp"),
		"when it ended or, while it waits, when it was made")

	t.Run("a deposit has no ID, no status and no expiry", func(t *testing.T) {
		for key, want := range map[string]string{
			"TxID": "", "status": "", "expireTime": "0", "asset": btc, "fundID": w.fund, "counterpartyID": "",
			"address": w.get("/wallet/" + w.treasury).at("address"), "timestamp": fmt.Sprint(startOfTime.Unix()),
		} {
			assert.Equal(t, want, got.at("List.6."+key), key)
		}
		assert.Len(t, got.at("List.6.chainTxID"), 64)
	})
	t.Run("a transfer has two sides", func(t *testing.T) {
		for _, side := range []string{"List.3.", "List.4."} {
			for key, want := range map[string]string{
				"reference": "rent", "benefitOf": "Bea", "accountNo": "A7", "counterpartyID": w.company, "counterpartyName": "Acme Exchange",
				"address": "", "chainTxID": got.at("List.4.chainTxID"),
			} {
				assert.Equal(t, want, got.at(side+key), side+key)
			}
		}
		assert.Len(t, got.at("List.4.chainTxID"), 64, "on Qredo's own chain")
	})
	t.Run("a withdrawal has an address", func(t *testing.T) {
		assert.Equal(t, payout, got.at("List.2.address"))
		assert.Len(t, got.at("List.2.chainTxID"), 64)
		assert.NotZero(t, got.number("List.2.expireTime"))
	})
	t.Run("what did not happen is on no chain", func(t *testing.T) {
		assert.Equal(t, []string{"", ""}, got.column("List", "chainTxID")[:2])
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
		"in":                    {"?direction=in", []string{"transferIn", "deposit", "deposit"}, 3},
		"out":                   {"?direction=out", []string{"transferOut", "transferOut", "withdraw", "transferOut"}, 4},
		"all":                   {"?direction=all", all, 7},
		"asset":                 {"?asset=" + eth, []string{"deposit"}, 1},
		"asset, in":             {"?direction=in&asset=" + btc, []string{"transferIn", "deposit"}, 2},
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
		"page of a direction":   {"?direction=out&offset=1&limit=1", []string{"transferOut"}, 4},
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
	got := w.get(path + "?wallet_id=" + foreign).ok()
	assert.Equal(t, []int64{0, 0}, []int64{int64(got.count("List")), got.number("Total")}, "it is in another fund")
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
	assert.Equal(t, []string{minute(0), minute(3), minute(3), minute(5)}, got.column("history", "timestamp"), "when it was done")

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
		0: all, startOfTime.Unix() - 1: all, startOfTime.Unix(): all[1:], startOfTime.Unix() + 179: all[1:],
		startOfTime.Unix() + 180: all[3:], startOfTime.Unix() + 299: all[3:], startOfTime.Unix() + 300: nil, -5: all,
	} {
		part := w.get(fmt.Sprintf("/wallet/%s/history?since=%d", w.treasury, since)).ok().column("history", "amount")
		assert.True(t, slices.Equal(want, part), "since %d: %v", since, part)
	}
	w.get("/wallet/"+w.treasury+"/history?since=yesterday").refused(400, "since")
}

// The order is by time, newest or oldest first. A transaction that waits stands where it was made, and where it
// ended once it has.
func TestLedgerOrder(t *testing.T) {
	for name, test := range map[string]struct {
		opts   []sandbox.Option
		before func(entries []string)
	}{
		"newest first": {nil, slices.Reverse[[]string]},
		"oldest first": {[]sandbox.Option{sandbox.WithLedgerOrder(sandbox.OldestFirst)}, func([]string) {}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, test.opts...)
			require := func(want ...string) {
				t.Helper()
				test.before(want)
				amounts := w.get(w.inFund("/ledger")).ok().column("List", "amount")
				assert.Equal(t, want, amounts)
				for offset := range len(want) - 1 {
					page := w.get(fmt.Sprintf("%s?offset=%d&limit=2", w.inFund("/ledger"), offset)).ok().column("List", "amount")
					assert.Equal(t, want[offset:offset+2], page)
				}
				assert.Equal(t, want, w.get(w.inFund("/ledger?asset="+btc)).ok().column("List", "amount"))
				assert.Equal(t, want, w.get(w.inFund("/ledger?wallet_id="+w.treasury)).ok().column("List", "amount"))
			}
			w.whitelist()
			w.credit(w.treasury, 100_001)
			w.clock.forward(time.Minute)
			first := w.withdrawal(object{"send": object{"symbol": btc, "amount": 4000}}).ok().at("tx_id")
			gross := w.get(w.inFund("/ledger?direction=out")).ok().at("List.0.amount")
			w.clock.forward(time.Minute)
			w.credit(w.treasury, 100_002)
			w.clock.forward(time.Minute)
			require("100001", gross, "100002")
			for _, who := range []string{alice, bob} {
				_ = w.Approve(who, first)
			}
			require("100001", "100002", gross)
			w.clock.forward(time.Minute)
			w.credit(w.treasury, 100_003)
			require("100001", "100002", gross, "100003")
		})
	}
}

// What happened at the same moment is ordered by ID, and pages are the same each time.
func TestLedgerOrderOfTheSameMoment(t *testing.T) {
	w := newWorld(t)
	var ids []string
	w.credit(w.treasury, 1_000_000)
	for range 20 {
		ids = append(ids, w.transfer(nil).ok().at("tx_id"))
	}
	slices.Reverse(ids)
	assert.Equal(t, ids, w.get(w.inFund("/ledger?direction=out")).ok().column("List", "TxID"))
	for i, id := range ids {
		assert.Equal(t, id, w.get(fmt.Sprintf("%s&offset=%d&limit=1", w.inFund("/ledger?direction=out"), i)).ok().at("List.0.TxID"))
	}
}

// With strict checks, a wallet of another fund is refused and not an empty selection.
func TestLedgerOfAWalletOfAnotherFund(t *testing.T) {
	w := newWorld(t, sandbox.WithStrictChecks())
	other := w.newFund(w.company, object{"name": "Other"})
	foreign := w.newWallet(w.company, other, object{"asset": btc})
	w.get(w.inFund("/ledger?wallet_id="+foreign)).refused(404, "wallet")
}

func TestLedgerPagesHaveAMost(t *testing.T) {
	w := newWorld(t)
	for range 1003 {
		w.credit(w.treasury, 1)
	}
	for query, want := range map[string]int{"limit=1000000": 1000, "limit=1001&offset=2": 1000, "limit=1000&offset=1000": 3, "limit=999": 999, "": 100} {
		got := w.get(w.inFund("/ledger?" + query)).ok()
		assert.Equal(t, want, got.count("List"), query)
		assert.EqualValues(t, 1003, got.number("Total"))
	}
}

// What a query means must be beyond doubt, as what a body means.
func TestQueriesThatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	for _, query := range []string{"limit=1;offset=1", "limit=%zz", "limit=1&limit=50", "limit=1&limit=1", "x=1&x=2"} {
		w.get(w.inFund("/ledger?"+query)).refused(400, "query")
		w.get("/company/search?"+query).refused(400, "query")
		w.as("").get("/company/search?"+query).refused(401, "")
	}
	w.get(w.inFund("/ledger?limit=1&&Limit=2&")).ok()
}
