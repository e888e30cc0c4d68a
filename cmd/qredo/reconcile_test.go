package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

func amount(n int) qredo.Amount { return qredo.Amount(n) }

// treasuryAddress is where the demo's first wallet takes deposits.
func treasuryAddress(t *testing.T, s *service) string {
	t.Helper()
	state, err := s.sandbox.State()
	require.NoError(t, err)
	for _, c := range state.Companies {
		for _, f := range c.Funds {
			for _, w := range f.Wallets {
				if w.ID == s.Treasury {
					return w.Address
				}
			}
		}
	}
	t.Fatal("the demo has no treasury")
	return ""
}

// falsifier changes text in the answers to requests whose URL contains something.
func falsifier(where, from, to string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, r)
			body := answer.Body.Bytes()
			if strings.Contains(r.URL.String(), where) {
				body = bytes.Replace(body, []byte(from), []byte(to), 1)
			}
			for name, values := range answer.Header() {
				w.Header()[name] = values
			}
			w.Header().Del("Content-Length")
			w.WriteHeader(answer.Code)
			_, _ = w.Write(body)
		})
	}
}

// TestReconcileFinds gives the command books that do not add up, each in another way.
func TestReconcileFinds(t *testing.T) {
	for name, c := range map[string]struct {
		where, from, to string // what is changed in which answers
		says            string
	}{
		"a balance that is wrong":       {"/api/v1/p/wallet/", `"balance":139990000`, `"balance":139989999`, "the balance is 139989999: -1"},
		"an entry missing in history":   {"/history", `"amount":-10010000`, `"amount":-10009999`, "is not net amount"},
		"a movement unknown to ledger":  {"/ledger", `"type":"deposit"`, `"type":"withdraw"`, "has type"},
		"an entry that nobody knows":    {"/ledger", `"type":"transferOut"`, `"type":"gift"`, `whether it moved anything is not known`},
		"a status that nobody knows":    {"/ledger", `"status":"approved"`, `"status":"lost"`, `status "lost"`},
		"another transaction":           {"/history", `"chain_tx_id":"`, `"chain_tx_id":"x`, "has no counterpart"},
		"an amount changed in ledger":   {"/ledger", `"amount":10010000`, `"amount":20010000`, "is not net amount"},
		"an asset changed in history":   {"/history", `"asset":"BTC-TESTNET"`, `"asset":"BTC"`, "is of BTC"},
		"a deposit counted differently": {"/ledger", `"amount":150000000,"netAmount":150000000`, `"amount":1,"netAmount":1`, "the ledger's entries make"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, falsifier(c.where, c.from, c.to))
			out, err := qredoCommand(t, s.environ(), "reconcile", string(s.Fund)).CombinedOutput()
			require.Error(t, err, string(out))
			assert.Contains(t, string(out), c.says)
			assert.Contains(t, string(out), "do not add up")
			assert.Contains(t, string(out), string(s.Treasury))
		})
	}
	t.Run("two entries that the ledger lacks and that make nothing", func(t *testing.T) {
		entry := func(amount string) string {
			return `{"tx_id":"ghost` + amount + `","chain_tx_id":"","asset":"BTC-TESTNET","amount":` + amount + `,"fee":0,"net_amount":` + amount + `,"timestamp":1600000000},`
		}
		s := serve(t, falsifier("/history", `"history":[{`, `"history":[`+entry("5")+entry("-5")+`{`))
		out, err := qredoCommand(t, s.environ(), "reconcile", string(s.Fund)).CombinedOutput()
		require.Error(t, err, string(out))
		assert.Contains(t, string(out), "history entry ghost5 of 5 has no counterpart in the fund's ledger")
		assert.Contains(t, string(out), "history entry ghost-5 of -5 has no counterpart in the fund's ledger")
	})
	t.Run("nothing", func(t *testing.T) {
		s := serve(t, falsifier("/ledger", "no such text", ""))
		out, err := qredoCommand(t, s.environ(), "reconcile", string(s.Fund)).CombinedOutput()
		require.NoError(t, err, string(out))
	})
}
