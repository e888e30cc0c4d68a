package cli

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Commands without --dry-run: those that only ask, and those that write nothing but files of this machine which they name,
// or go on by rules of their own ("agent run" has --shadow).
var (
	reading = []string{
		"agent action", "agent actions", "agent explain", "agent feed", "agent list", "agent pins diff", "agent sweep get", "agent sweep wait",
		"agent test", "agent verify", "agent verify-log", "agent wallets", "asset get", "asset list", "company get", "company holdings", "company list",
		"company search", "config list", "config path", "config show", "doctor", "fee", "fund deposits", "fund get", "fund list", "fund search", "fund whitelist list",
		"hub feed", "hub list", "inbox list", "inbox show", "keys check", "keys public", "ledger list", "listen", "outbox list", "outbox show",
		"outbox stats", "outbox watch", "party list", "qapi account", "qapi balance", "qapi feed", "qapi fund", "qapi funds", "qapi history",
		"qapi ledger", "qapi parties", "qapi tx approvals", "qapi tx get", "qapi tx wait", "reconcile", "sandbox health", "sandbox open", "sandbox pending",
		"sandbox state", "sandbox users list", "sign", "signing-agent feed", "signing-agent show", "signing-agent version", "swap get",
		"swap get-take", "swap wait", "swap wait-take", "transfer get", "transfer wait", "version", "wallet exchanges", "wallet feed", "wallet get",
		"wallet history", "wallet max", "withdraw get", "withdraw wait",
	}
	local = []string{
		"agent accept-loss", "agent pins make", "agent pins sign", "agent seal", "config delete", "config set", "config unset", "config use", "keys new", "man", "ledger export",
		"sandbox export", "signing-agent import", "signing-agent init",
	}
	endless = []string{"agent run", "sandbox serve", "signing-agent serve"}
)

// TestEveryWriteHasADryRun: each command is known to write, or not to. Whoever adds one must say which.
func TestEveryWriteHasADryRun(t *testing.T) {
	without := slices.Concat(reading, local, endless)
	walk(newTestApp().commands(), func(c *cobra.Command) {
		if !c.Runnable() || c.HasSubCommands() {
			return
		}
		path := strings.TrimPrefix(c.CommandPath(), "qredo ")
		writes := c.Flags().Lookup("dry-run") != nil
		assert.NotEqual(t, writes, slices.Contains(without, path), "%s: list it in writing, or here as one that does not write elsewhere", path)
		assert.Equal(t, writes, slices.Contains(writing, path), path)
	})
}

// writes is a command line for each command that writes.
func writes(t *testing.T, s *served) map[string][]string {
	t.Helper()
	agent := string(s.made.CoreClients["Demo approver"])
	actions, err := s.client(t).CoreClients.ListActions(t.Context(), s.made.CoreClients["Demo approver"])
	require.NoError(t, err)
	action, pending := string(actions[0].ID), string(s.made.Payments["demo: waits for Alice or Bob"])
	file := s.outboxWith(t, "invoice-17", s.payout())
	movement := s.inboxWith(t, filepath.Join(filepath.Dir(file), "inbox.db"))
	body := filepath.Join(t.TempDir(), "body.json")
	require.NoError(t, os.WriteFile(body, []byte(`{"name":"Acme"}`), 0o600))
	treasury, trading, ether, fund := s.wallet("Treasury"), s.wallet("Trading"), s.wallet("Ether"), s.fund()
	hash := strings.Repeat("ab", 32)
	lines := map[string][]string{
		"company create":          {"--name", "Acme"},
		"company update":          {"--city", "Lyon"},
		"party add":               {agent},
		"party remove":            {s.party(t)},
		"fund create":             {"--name", "Second", "--approver", s.party(t), "--wallet", "Till=BTC-TESTNET"},
		"fund add-wallet":         {fund, "--asset", "BTC-TESTNET", "--name", "Till"},
		"fund add-asset":          {fund, "ETH-TESTNET"},
		"fund whitelist add":      {fund, "--asset", "BTC-TESTNET", "--address", "mzBc4XEFSdzCDcTxAgf6EZXgsZWpztRhef"},
		"wallet policy":           {treasury, "--fund", fund, "--type", "withdraw", "--approver", s.party(t)},
		"transfer create":         {"--from", treasury, "--to", trading, "--amount", "0.4BTC-TESTNET"},
		"withdraw create":         {"--from", treasury, "--address", demoPayout, "--amount", "0.25BTC-TESTNET"},
		"swap make":               {"--from", treasury, "--send", "0.1BTC-TESTNET", "--to", ether, "--receive", "2ETH-TESTNET", "--reference", "q"},
		"swap take":               {pending, "--from", treasury, "--to", ether, "--reference", "q"},
		"swap cancel":             {pending},
		"hub publish":             {pending},
		"agent create":            {"Payouts"},
		"agent approve":           {agent, action},
		"agent reject":            {agent, action},
		"agent sign":              {agent, hash},
		"agent sweep create":      {agent, "--from", treasury, "--to", trading, "--amount", "0.1BTC-TESTNET"},
		"qapi tx create":          {"--from", "0x" + strings.Repeat("1", 40), "--to", "0x" + strings.Repeat("2", 40), "--value", "0.5ETH", "--gas-limit", "21000", "--gas-price", "20gwei"},
		"send":                    {"--url", "/company", "--body", body},
		"outbox resolve":          {"invoice-17", "--file", file, "--tx", "TX", "--note", "Bob"},
		"outbox retry":            {"invoice-17", "--file", file, "--note", "Bob"},
		"outbox prune":            {"--file", file, "--before", "1h", "--archive", filepath.Join(filepath.Dir(file), "archive.jsonl")},
		"inbox retry":             {movement, "--file", filepath.Join(filepath.Dir(file), "inbox.db"), "--note", "Bob"},
		"inbox skip":              {movement, "--file", filepath.Join(filepath.Dir(file), "inbox.db"), "--note", "Bob"},
		"signing-agent register":  {"Robot", "--url", strings.TrimSuffix(s.env["QREDO_BASE_URL"], "/api/v1/p")},
		"signing-agent approve":   {action, "--url", strings.TrimSuffix(s.env["QREDO_BASE_URL"], "/api/v1/p")},
		"signing-agent reject":    {action, "--url", strings.TrimSuffix(s.env["QREDO_BASE_URL"], "/api/v1/p")},
		"sandbox accept":          {"alice@example.com"},
		"sandbox advance":         {"1h"},
		"sandbox approve":         {"alice@example.com", pending},
		"sandbox core-client":     {"--id", "known"},
		"sandbox deposit":         {treasury, "--amount", "1BTC-TESTNET"},
		"sandbox exchange":        {agent, "--name", "Venue"},
		"sandbox fault":           {"rate_limit"},
		"sandbox feeds delay":     {"1s"},
		"sandbox feeds drop":      {},
		"sandbox feeds duplicate": {"on"},
		"sandbox feeds freeze":    {},
		"sandbox import":          {body},
		"sandbox register":        {testKey(t)},
		"sandbox reject":          {"alice@example.com", pending},
		"sandbox reject-on-chain": {pending},
		"sandbox reset":           {},
		"sandbox users add":       {"carol@example.com"},
		"sandbox world":           {"demo"},
	}
	for _, path := range writing {
		require.Contains(t, lines, path)
	}
	return lines
}

// TestDryRunsSendNothing: every command that writes is run dry, as a table and as JSON. It is counted at the service what
// comes, and compared what is there before and after, also in the files of the outbox and inbox.
func TestDryRunsSendNothing(t *testing.T) {
	var mu sync.Mutex
	var sent []string
	s := serveDemo(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet && !strings.HasSuffix(r.URL.Path, "/fees") {
				mu.Lock()
				sent = append(sent, r.Method+" "+r.URL.Path)
				mu.Unlock()
			}
			next.ServeHTTP(w, r)
		})
	})
	lines := writes(t, s)
	sent = nil
	key, err := os.ReadFile(s.env["QREDO_API_KEY_FILE"])
	require.NoError(t, err)
	before, err := s.sandbox.State()
	require.NoError(t, err)
	for path, line := range lines {
		args := slices.Concat(strings.Fields(path), line, []string{"--dry-run"})
		out, said, code := s.run(t, "", args...)
		assert.Equal(t, exitDone, code, "%s: %s", path, said)
		assert.Contains(t, out, "Dry run: ", path)
		as, said, code := s.run(t, "", append(args, "--output", "json")...)
		assert.Equal(t, exitDone, code, "%s: %s", path, said)
		var report struct {
			DryRun  bool `json:"dry_run"`
			Request struct {
				Method string            `json:"method"`
				URL    string            `json:"url"`
				Header map[string]string `json:"header"`
				Body   json.RawMessage   `json:"body"`
			} `json:"request"`
			Change string `json:"change"`
		}
		require.NoError(t, json.Unmarshal([]byte(as), &report), "%s: %s", path, as)
		assert.True(t, report.DryRun, path)
		assert.NotEqual(t, report.Request.Method == "", report.Change == "", "%s: a request, or a change in a store", path)
		for _, text := range []string{out, as, said} {
			assert.NotContains(t, text, strings.TrimSpace(string(key)), path)
			assert.NotContains(t, text, "PRIVATE KEY", path)
		}
		assert.Empty(t, sent, path)
		sent = nil
	}
	after, err := s.sandbox.State()
	require.NoError(t, err)
	after.Now = before.Now
	assert.Equal(t, before, after)
	for _, c := range [][]string{{"outbox", "show", "invoice-17", "--file", lines["outbox retry"][2]}, {"inbox", "show", lines["inbox skip"][0], "--file", lines["inbox skip"][2]}} {
		out, said, code := s.run(t, "", c...)
		assert.Equal(t, exitDone, code, said)
		assert.NotContains(t, out, "Bob", "no note was stored")
	}
}

func TestDryRunShowsTheRequest(t *testing.T) {
	s := serveDemo(t, nil)
	out, _, code := s.run(t, "", "transfer", "create", "--from", s.wallet("Treasury"), "--to", s.wallet("Trading"), "--amount", "0.4BTC-TESTNET",
		"--idempotency-key", "k1", "--expires", "2030-01-01T00:00:00Z", "--dry-run")
	require.Equal(t, exitDone, code)
	assert.Contains(t, out, "POST "+s.env["QREDO_BASE_URL"]+"/company/"+s.env["QREDO_COMPANY"]+"/transfer\n")
	assert.Contains(t, out, "X-Sign: (redacted)\n")
	assert.Contains(t, out, `{"wallet_id":"`+s.wallet("Treasury")+`","counterparty_wallet_address":"`+s.wallet("Trading")+
		`","partner_txID":"k1","expires":1893456000,"send":{"symbol":"BTC-TESTNET","amount":40000000}}`)
	assert.Contains(t, out, "  POST /api/v1/p/fees\n")

	// What goes wrong before anything would be sent is what it is without a dry run.
	_, said, code := s.run(t, "", "transfer", "create", "--from", "nobody", "--to", s.wallet("Trading"), "--amount", "0.4BTC-TESTNET", "--dry-run")
	assert.NotEqual(t, exitDone, code)
	assert.NotContains(t, said, "dry run")
	out, _, code = s.run(t, "", "send", "--url", "/assets", "--dry-run")
	assert.Equal(t, exitDone, code)
	assert.Contains(t, out, "nothing would be sent that changes anything")
}

func TestSecretsAreTakenOutOfBodies(t *testing.T) {
	for body, want := range map[string]string{
		`{"name":"Robot","APIKey":"k","base64PrivateKey":"p"}`:  `{"APIKey":"(redacted)","base64PrivateKey":"(redacted)","name":"Robot"}`,
		`[{"a":{"client_secret":["x"]}}, 9007199254740993]`:     `[{"a":{"client_secret":"(redacted)"}},9007199254740993]`,
		`{"send":  {"amount":9007199254740993,"symbol":"BTC"}}`: `{"send":  {"amount":9007199254740993,"symbol":"BTC"}}`,
		`[{"token":"one"},{"a":{"token":"two"}}]`:               `[{"token":"(redacted)"},{"a":{"token":"(redacted)"}}]`,
		`{"private"`: ``,
		``:           ``,
		"{\"private\":\"one\"}\n{\"private\":\"two\"}\n": ``,
		`{"a":1}` + "\n": `{"a":1}` + "\n",
	} {
		assert.Equal(t, want, string(shownBody([]byte(body))), body)
	}
}
