package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestShortCodesThatCannotBeLookedUp has a service that takes short codes in requests, and has no such path.
func TestShortCodesThatCannotBeLookedUp(t *testing.T) {
	s := serve(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/wallet/") && strings.Contains(r.URL.Path, " ") {
				w.WriteHeader(http.StatusNotFound)
				_, _ = w.Write([]byte(`{"code":404,"msg":"Not Found"}`))
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	code := func(id string) string {
		out, err := qredoCommand(t, s.environ(), "wallet", "get", id, "--output", "json").Output()
		require.NoError(t, err)
		_, rest, found := strings.Cut(string(out), `"short_code":"`)
		require.True(t, found, "%s", out)
		code, _, _ := strings.Cut(rest, `"`)
		return code
	}
	from, to := code(string(s.Treasury)), code(string(s.Trading))
	transfer := func(amount ...string) (string, error) {
		args := append([]string{"transfer", "create", "--from", from, "--to", to, "--yes", "--amount"}, amount...)
		out, err := qredoCommand(t, s.environ(), args...).CombinedOutput()
		return string(out), err
	}
	out, err := transfer("0.1BTC-TESTNET")
	require.NoError(t, err, out)
	assert.Contains(t, out, string(s.Treasury), "it is found among the company's wallets")
	out, err = transfer("1000", "--base-units")
	require.NoError(t, err, out)

	out2, err := qredoCommand(t, s.environ(), "swap", "make", "--from", from, "--send", "0.1BTC-TESTNET", "--to", string(s.Eth),
		"--receive", "2ETH-TESTNET", "--reference", "quote-1", "--yes").CombinedOutput()
	require.NoError(t, err, string(out2))
}
