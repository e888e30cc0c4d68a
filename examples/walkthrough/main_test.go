package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// defaults are the default values of the flags, except for the pace.
func defaults() config {
	return config{
		asset: "BTC-TESTNET", approvers: "alice@example.com,bob@example.com",
		payout: "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", poll: time.Millisecond,
	}
}

// inTime is a context that ends a test which hangs.
func inTime(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// shown is what a run with BTC-TESTNET must print, in this order.
var shown = []string{
	"Asset BTC-TESTNET: Bitcoin Testnet, 100000000 satoshi each",
	"Company Acme Exchange",
	"alice@example.com", "bob@example.com",
	"Fund Client assets", "withdrawals need 2 approvals, transfers 1",
	"Treasury", "ready", "Trading", "ready",
	"Deposit of 1.5 BTC-TEST (150000000 satoshi)",
	"Transfer of 0.4 BTC-TEST (40000000 satoshi) from Treasury to Trading",
	"0.4 BTC-TEST (40000000 satoshi) arrives, fees 0.0004 BTC-TEST (40000 satoshi) on top: 0.4004 BTC-TEST (40040000 satoshi) leaves",
	"is new", "is existing", "1 of 1 approvals: approved",
	"Treasury: 0.4 BTC-TEST (40000000 satoshi) arrived, 0.4004 BTC-TEST (40040000 satoshi) debited",
	"Withdrawal of 0.25 BTC-TEST (25000000 satoshi) from Treasury", "now whitelisted as Cold storage",
	"2 of 2 approvals: approved", "0.25 BTC-TEST (25000000 satoshi) arrived, 0.25025 BTC-TEST (25025000 satoshi) debited",
	"Balances and ledger",
	"0.84935 BTC-TEST (84935000 satoshi), movements: 3", "0.4 BTC-TEST (40000000 satoshi), movements: 1",
	"ledger withdraw", "ledger transferIn", "ledger transferOut", "ledger deposit",
	"Done: balances and ledger are what the steps imply.",
}

// inOrder demands that text holds all parts one after the other.
func inOrder(t *testing.T, text string, parts []string) {
	t.Helper()
	rest := []byte(text)
	for _, part := range parts {
		_, after, found := bytes.Cut(rest, []byte(part))
		require.True(t, found, "%q is missing after what is before it, in\n%s", part, text)
		rest = after
	}
}

func TestRunsAgainstItsOwnSandbox(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(inTime(t), defaults(), &out))
	inOrder(t, out.String(), append([]string{"A sandbox is running at http://127.0.0.1:"}, shown...))

	t.Run("with another asset and other people", func(t *testing.T) {
		cfg := defaults()
		cfg.asset, cfg.approvers, cfg.payout = "ETH-TESTNET", "x@example.com,y@example.com,z@example.com", "0xabc"
		var out bytes.Buffer
		require.NoError(t, run(inTime(t), cfg, &out))
		inOrder(t, out.String(), []string{
			"1000000000 gwei each", "z@example.com", "need 3 approvals", "1.5 ETH-TEST (1500000000 gwei)",
			"3 of 3 approvals", "0.84935 ETH-TEST (849350000 gwei)", "Done",
		})
	})
	t.Run("not with an asset that is not offered", func(t *testing.T) {
		cfg := defaults()
		cfg.asset = "DOGE"
		require.ErrorIs(t, run(inTime(t), cfg, &bytes.Buffer{}), qredo.ErrNotFound)
	})
}

// credentials are a key that a sandbox knows, as the environment holds them.
type credentials struct{ apiKey, pem string }

// startWithKey serves a sandbox that knows a key of the test's own.
func startWithKey(t *testing.T) (*sandbox.Server, credentials) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	srv, err := sandbox.Start(sandbox.WithKey("an-exchange", &key.PublicKey))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, srv.Close()) })
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return srv, credentials{"an-exchange", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))}
}

// inEnvironment sets exactly these variables of those the program reads.
func inEnvironment(t *testing.T, set map[string]string) {
	t.Helper()
	for _, name := range []string{"QREDO_API_KEY", "QREDO_API_KEY_FILE", "QREDO_PRIVATE_KEY", "QREDO_PRIVATE_KEY_FILE"} {
		t.Setenv(name, set[name])
	}
}

func TestRunsAgainstAnotherSandbox(t *testing.T) {
	srv, keys := startWithKey(t)
	file := func(name, content string) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	for name, set := range map[string]map[string]string{
		"credentials in variables": {"QREDO_API_KEY": keys.apiKey, "QREDO_PRIVATE_KEY": keys.pem},
		"credentials in files": {
			"QREDO_API_KEY_FILE": file("apikey", keys.apiKey+"\n"), "QREDO_PRIVATE_KEY_FILE": file("key.pem", keys.pem),
		},
	} {
		t.Run(name, func(t *testing.T) {
			inEnvironment(t, set)
			cfg := defaults()
			cfg.baseURL = srv.BaseURL()
			var out bytes.Buffer
			require.NoError(t, run(inTime(t), cfg, &out))
			inOrder(t, out.String(), append([]string{"A sandbox is running at " + srv.BaseURL()}, shown...))
			assert.NotContains(t, out.String(), keys.apiKey)
		})
	}
	state, err := srv.State()
	require.NoError(t, err)
	assert.Len(t, state.Companies, 2, "the runs were made there")
}

func TestRefusesToStart(t *testing.T) {
	srv, keys := startWithKey(t)
	_, others := startWithKey(t)
	for name, test := range map[string]struct {
		baseURL string
		set     map[string]string
		want    string
	}{
		"without an API key":      {srv.BaseURL(), map[string]string{"QREDO_PRIVATE_KEY": keys.pem}, "QREDO_API_KEY"},
		"without a private key":   {srv.BaseURL(), map[string]string{"QREDO_API_KEY": "k"}, "QREDO_PRIVATE_KEY"},
		"with a base URL in http": {"http://sandbox.example/api/v1/p", map[string]string{"QREDO_API_KEY": "k", "QREDO_PRIVATE_KEY": keys.pem}, "https"},
		"with an unknown key":     {srv.BaseURL(), map[string]string{"QREDO_API_KEY": "k", "QREDO_PRIVATE_KEY": keys.pem}, "401"},
		"with another's key":      {srv.BaseURL(), map[string]string{"QREDO_API_KEY": keys.apiKey, "QREDO_PRIVATE_KEY": others.pem}, "signature"},
	} {
		t.Run(name, func(t *testing.T) {
			inEnvironment(t, test.set)
			cfg := defaults()
			cfg.baseURL = test.baseURL
			require.ErrorContains(t, run(inTime(t), cfg, &bytes.Buffer{}), test.want)
		})
	}
}
