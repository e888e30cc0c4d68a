package sandbox_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// bigWorld has so many withdrawals that wait for the approval of alice, so many that were decided, swaps that wait, and
// companies.
func bigWorld(t testing.TB, n int) market {
	t.Helper()
	m := newMarket(t, withReportsKey())
	fund := m.newFund(m.company, object{"name": "Lone", "custodygroup_withdraw": group(1, m.ids[alice]), "custodygroup_tx": group(1, m.ids[alice])})
	m.post("/company/"+m.company+"/fund/"+fund+"/whitelist", object{"asset": btc, "address": payout}).ok()
	wallet := m.newWallet(m.company, fund, object{"asset": btc})
	m.credit(wallet, 1_000_000_000_000)
	for range 100 {
		m.newFund(m.company, object{"name": "Idle"})
	}
	for i := range n {
		m.post("/company", object{"name": fmt.Sprintf("Customer %d", i), "domain": fmt.Sprintf("customer%d.example", i)}).ok()
		pay := object{"wallet_id": wallet, "reference": fmt.Sprintf("order %d", i), "partner_txID": fmt.Sprintf("payment-%d", i)}
		m.withdrawal(merge(pay, object{"expires": m.in(1e15) + int64(i)})).ok()
		pay["partner_txID"] = fmt.Sprintf("done-%d", i)
		done := m.withdrawal(pay).ok().at("tx_id")
		require.NoError(t, m.Approve(alice, done))
	}
	return m
}

// pages are what is asked for page by page, or finds a few among many, by what it is.
func pages(t testing.TB, m market) map[string]func() {
	t.Helper()
	big, err := m.Transactions(sandbox.TransactionFilter{State: "waiting", Page: sandbox.Page{Limit: 1}})
	require.NoError(t, err)
	wallet := big.Transactions[0].Wallet.ID
	must := func(err error) { require.NoError(t, err) }
	serve := func(r *http.Request) {
		rec := httptest.NewRecorder()
		m.ServeHTTP(rec, r)
		require.Equal(t, http.StatusOK, rec.Code, rec.Body)
	}
	get := func(path string) func() {
		return func() {
			r := httptest.NewRequest("GET", "http://sandbox.example"+basePath+path, nil)
			r.Header.Set("X-Api-Key", m.apiKey)
			serve(r)
		}
	}
	return map[string]func(){
		"approvals that wait": func() { _, err := m.Approvals(alice, sandbox.ApprovalFilter{State: "waiting"}); must(err) },
		"approvals decided":   func() { _, err := m.Approvals(alice, sandbox.ApprovalFilter{State: "decided"}); must(err) },
		"companies":           func() { _, err := m.Companies(sandbox.ListFilter{}); must(err) },
		"wallet":              func() { _, err := m.Wallet(wallet); must(err) },
		"movements":           func() { _, err := m.Movements(wallet, sandbox.Page{}); must(err) },
		"transactions":        func() { _, err := m.Transactions(sandbox.TransactionFilter{}); must(err) },
		"that wait":           func() { _, err := m.Transactions(sandbox.TransactionFilter{State: "waiting"}); must(err) },
		"rejected":            func() { _, err := m.Transactions(sandbox.TransactionFilter{State: "rejected"}); must(err) },
		"by wallet":           func() { _, err := m.Transactions(sandbox.TransactionFilter{Search: wallet}); must(err) },
		"expiries":            func() { _, err := m.Expiries(0); must(err) },
		"ledger":              get("/company/" + m.company + "/fund/" + m.fund + "/ledger"),
		"company search":      get("/company/search?query=acme"),
		"funds":               func() { m.report("/funds").ok() },
	}
}

// No page takes more work because there is more besides what it shows. What is counted is what it allocates.
func TestPagesDoNotGrow(t *testing.T) {
	const few, many = 500, 2000
	small, big := pages(t, bigWorld(t, few)), pages(t, bigWorld(t, many))
	for name, page := range small {
		before, after := testing.AllocsPerRun(3, page), testing.AllocsPerRun(3, big[name])
		assert.Less(t, after, 1.2*before+50, "%s: %v allocations with %d, %v with %d", name, before, few, after, many)
	}
}

// SIZE sets how many there are of each.
var size = sync.OnceValue(func() int {
	if n, err := strconv.Atoi(os.Getenv("SIZE")); err == nil {
		return n
	}
	return 10_000
})

// With SIZE=100000 these are the figures of the issue.
func BenchmarkPages(b *testing.B) {
	m := bigWorld(b, size())
	all := pages(b, m)
	all["search that finds nothing"] = func() {
		_, err := m.Transactions(sandbox.TransactionFilter{Search: "no such text"})
		require.NoError(b, err)
	}
	all["search that finds one"] = func() {
		_, err := m.Transactions(sandbox.TransactionFilter{Search: "done-77"})
		require.NoError(b, err)
	}
	all["companies searched"] = func() { _, err := m.Companies(sandbox.ListFilter{Search: "customer 77"}); require.NoError(b, err) }
	all["approvers"] = func() { _, err := m.Approvers(sandbox.ApproverFilter{}); require.NoError(b, err) }
	all["totals"] = func() { _, err := m.Totals(); require.NoError(b, err) }
	all["company"] = func() { _, err := m.Company(qredo.CompanyID(m.company)); require.NoError(b, err) }
	for name, page := range all {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				page()
			}
		})
	}
}
