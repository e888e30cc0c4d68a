package main

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// TestNames has names in place of IDs, and counts what they cost. An ID costs no more than the operation itself.
func TestNames(t *testing.T) {
	var mu sync.Mutex
	var calls []string
	s := serve(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			calls = append(calls, r.Method+" "+r.URL.Path)
			mu.Unlock()
			next.ServeHTTP(w, r)
		})
	})
	wallets, err := s.client.Funds.AddWallets(t.Context(), s.Company, s.Fund, []qredo.WalletRequest{
		{Name: "Ops", Asset: "BTC-TESTNET"}, {Name: "ops", Asset: "ETH-TESTNET"}, {Name: string(s.Trading), Asset: "BTC-TESTNET"},
	})
	require.NoError(t, err)
	run := func(args ...string) (string, int, error) {
		mu.Lock()
		calls = nil
		mu.Unlock()
		out, err := qredoCommand(t, s.environ(), args...).CombinedOutput()
		mu.Lock()
		defer mu.Unlock()
		return string(out), len(calls), err
	}
	treasury, fund, company := string(s.Treasury), string(s.Fund), string(s.Company)
	for _, c := range []struct {
		line  []string
		calls int
		says  string
	}{
		{[]string{"wallet", "get", treasury, "--output", "json"}, 1, treasury},
		{[]string{"wallet", "get", "Treasury", "--output", "json"}, 4, treasury}, // no ID; the funds; the fund; the wallet
		{[]string{"wallet", "get", string(s.Trading), "--output", "json"}, 1, `"name":"Trading"`},
		{[]string{"wallet", "history", treasury, "--output", "json"}, 1, treasury},
		{[]string{"wallet", "max", "treasury", "--output", "json"}, 5, "fees"},
		{[]string{"fund", "get", fund, "--output", "json"}, 1, fund},
		{[]string{"fund", "get", "client Assets", "--output", "json"}, 2, fund},
		{[]string{"company", "get", company, "--output", "json"}, 1, company},
		{[]string{"company", "get", "demo exchange", "--output", "json"}, 2, company},
		{[]string{"fund", "list", "--company", "Demo Maker", "--output", "json"}, 2, string(s.MakerFund)},
		{[]string{"ledger", "list", "Client assets", "--output", "json"}, 2, "demo: done"},
		{[]string{"agent", "actions", string(s.CoreClient), "--output", "json"}, 1, ""},
		{[]string{"agent", "actions", "demo approver", "--output", "json"}, 2, ""},
		{[]string{"fund", "create", "--name", "New", "--approver", "Alice,bob@example.com", "--threshold", "1", "--output", "json"}, 2, "fund_id"},
		{[]string{"qapi", "fund", "client assets", "--output", "json"}, 2, fund},
	} {
		t.Run(strings.Join(c.line, " "), func(t *testing.T) {
			out, n, err := run(c.line...)
			require.NoError(t, err, out)
			assert.Contains(t, out, c.says)
			assert.Equal(t, c.calls, n, "%v", calls)
		})
	}
	out, _, err := run("wallet", "get", "ops")
	require.Error(t, err)
	assert.Contains(t, out, `"ops" could be any of 2 wallets in company `+company)
	assert.Contains(t, out, string(wallets[0])+" (Ops, BTC-TESTNET, in fund Client assets)")
	assert.Contains(t, out, string(wallets[1])+" (ops, ETH-TESTNET, in fund Client assets)")
	out, _, err = run("wallet", "get", "Bitcoin")
	require.Error(t, err)
	assert.Contains(t, out, `no wallet has the ID or name "Bitcoin" in company `+company+"; there are: ", "it is another company's")
	out, _, err = run("wallet", "get", "Ether")
	require.NoError(t, err, out)
	everywhere := qredoCommand(t, append(s.environ(), "QREDO_COMPANY="), "wallet", "get", "Ether")
	both, err := everywhere.CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(both), "in fund Client assets of company Demo Exchange")
	assert.Contains(t, string(both), "in fund Inventory of company Demo Maker")
}
