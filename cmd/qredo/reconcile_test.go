package main

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
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
		return changing(next, where, func(body string) string { return strings.Replace(body, from, to, 1) })
	}
}

// reversed is a service whose histories have signs as its schema says: sent is positive, received is negative, a fee
// is negative.
func reversed(next http.Handler) http.Handler {
	return changing(next, "/history", func(body string) string {
		return regexp.MustCompile(`"(amount|net_amount)":-?`).ReplaceAllStringFunc(body, func(field string) string {
			if positive, negative := strings.CutSuffix(field, "-"); negative {
				return positive
			}
			return field + "-"
		})
	})
}

// changing changes the answers to requests whose URL contains something.
func changing(next http.Handler, where string, change func(body string) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		body := answer.Body.String()
		if strings.Contains(r.URL.String(), where) {
			body = change(body)
		}
		maps.Copy(w.Header(), answer.Header())
		w.Header().Del("Content-Length")
		w.WriteHeader(answer.Code)
		_, _ = w.Write([]byte(body))
	})
}

// TestReconcileFinds gives the command books that do not add up, each in another way.
func TestReconcileFinds(t *testing.T) {
	for name, c := range map[string]struct {
		where, from, to string // what is changed in which answers
		says            string
	}{
		"a balance that is wrong":       {"/api/v1/p/wallet/", `"balance":139990000`, `"balance":139989999`, "do not add up to the balance: it has -1"},
		"an amount changed in history":  {"/history", `"amount":-10010000`, `"amount":-10009999`, "is not net amount"},
		"a movement unknown to ledger":  {"/ledger", `"type":"deposit"`, `"type":"withdraw"`, "has no counterpart"},
		"an entry that nobody knows":    {"/ledger", `"type":"transferOut"`, `"type":"gift"`, `whether it moved anything is unknown`},
		"a status that nobody knows":    {"/ledger", `"status":"approved"`, `"status":"lost"`, `status "lost"`},
		"another transaction":           {"/history", `"chain_tx_id":"`, `"chain_tx_id":"x`, "has no counterpart"},
		"an amount changed in ledger":   {"/ledger", `"amount":10010000`, `"amount":20010000`, "is not net amount"},
		"an asset changed in history":   {"/history", `"asset":"BTC-TESTNET"`, `"asset":"BTC"`, "is in another asset, BTC"},
		"a deposit counted differently": {"/ledger", `"amount":150000000,"netAmount":150000000`, `"amount":1,"netAmount":1`, "the sums of the ledger's entries and of the history differ"},
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
	for name, order := range map[string]sandbox.LedgerOrder{"newest first": sandbox.NewestFirst, "oldest first": sandbox.OldestFirst} {
		t.Run("nothing in a ledger that has the "+name, func(t *testing.T) {
			s := serve(t, nil, sandbox.WithLedgerOrder(order))
			out, err := qredoCommand(t, s.environ(), "reconcile", string(s.Fund)).CombinedOutput()
			require.NoError(t, err, string(out))
		})
		t.Run("what a service sent as positive, where the ledger has the "+name, func(t *testing.T) {
			s := serve(t, reversed, sandbox.WithLedgerOrder(order))
			cmd := qredoCommand(t, s.environ(), "reconcile", string(s.Fund), "--output", "json")
			var said bytes.Buffer
			cmd.Stderr = &said
			out, err := cmd.Output()
			require.NoError(t, err, "%s%s", out, said.String())
			assert.Equal(t, 1, strings.Count(said.String(), "this service counts sent amounts as positive"), said.String())
			assert.Equal(t, 3, strings.Count(string(out), `"status":"ok"`), "also wallets that have paid no fee: %s", out)
			assert.Contains(t, string(out), `"moved":139990000`)
		})
	}
	t.Run("IDs on the chain in capitals", func(t *testing.T) {
		s := serve(t, func(next http.Handler) http.Handler {
			return changing(next, "/history", func(body string) string {
				return regexp.MustCompile(`"chain_tx_id":"\w+"`).ReplaceAllStringFunc(body, func(id string) string { return `"chain_tx_id":` + strings.ToUpper(id[14:]) })
			})
		})
		out, err := qredoCommand(t, s.environ(), "reconcile", string(s.Fund)).CombinedOutput()
		require.NoError(t, err, string(out))
	})
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
	t.Run("an opening balance that is beyond 64 bits with what moved", func(t *testing.T) {
		s := serve(t, nil)
		opening := string(s.Treasury) + "=92233720368.54775807BTC-TESTNET"
		out, err := qredoCommand(t, s.environ(), "reconcile", string(s.Fund), "--since", "2020-01-01T00:00:00Z", "--opening", opening).CombinedOutput()
		require.Error(t, err, string(out))
		assert.Contains(t, string(out), "wallet "+string(s.Treasury)+": a sum is beyond 64 bits")
	})
	t.Run("nothing", func(t *testing.T) {
		s := serve(t, falsifier("/ledger", "no such text", ""))
		out, err := qredoCommand(t, s.environ(), "reconcile", string(s.Fund)).CombinedOutput()
		require.NoError(t, err, string(out))
	})
}
