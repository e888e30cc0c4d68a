package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/visible"
)

// evil does things to a terminal: it clears it, ends the line, turns the direction, and is a command of its own.
const evil = "\x1b[2J\n\r\u202e\u0085\u009b31m\u200b'; id #\x07"

// spoiler passes requests on, and spoils the texts of the answers.
type spoiler struct {
	next http.Handler

	mu sync.Mutex // of what follows: requests that a command has given up may still be served while the next is set up
	spoils
}

// spoils is what a spoiler does.
type spoils struct {
	spoil func(path, key, value string) string // a text that has a key
	as    func(w http.ResponseWriter)          // what is answered in place of what there is; may be nil
}

func (s *spoiler) set(to spoils) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spoils = to
}

func (s *spoiler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	now := s.spoils
	s.mu.Unlock()
	now.serve(s.next, w, r)
}

func (s spoils) serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	if s.as != nil {
		s.as(w)
		return
	}
	if r.Header.Get("Upgrade") != "" || s.spoil == nil {
		next.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	next.ServeHTTP(answer, r)
	decoder := json.NewDecoder(answer.Body)
	decoder.UseNumber()
	var v any
	body := bytes.Clone(answer.Body.Bytes())
	if decoder.Decode(&v) == nil {
		var err error
		if body, err = json.Marshal(s.spoiled(r.URL.Path, "", v)); err != nil {
			panic(err)
		}
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.Header().Del("Content-Length")
	w.Header().Set("X-Evil", "\u202e\u0085\u009b31m")
	w.WriteHeader(answer.Code)
	_, _ = w.Write(body)
}

func (s spoils) spoiled(path, key string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, inner := range v {
			if strings.EqualFold(name, "clientData") || name == "balances" || name == "Totals" {
				out[name] = map[string]any{"k" + evil: "v" + evil}
				continue
			}
			out[name] = s.spoiled(path, name, inner)
		}
		return out
	case []any:
		for i := range v {
			v[i] = s.spoiled(path, key, v[i])
		}
		return v
	case string:
		return s.spoil(path, strings.ToLower(strings.ReplaceAll(key, "_", "")), v)
	}
	return v
}

// reads is a command line for each command that asks a service and is not told of its own accord.
func readsOf(s *served, t *testing.T) map[string][]string {
	t.Helper()
	robot := s.made.CoreClients["Demo approver"]
	actions, err := s.client(t).CoreClients.ListActions(t.Context(), robot)
	require.NoError(t, err)
	agent, action, pending, treasury := string(robot), string(actions[0].ID), string(s.made.Payments["demo: waits for Alice or Bob"]), s.wallet("Treasury")
	rules := filepath.Join(t.TempDir(), "policy.yaml")
	require.NoError(t, os.WriteFile(rules, []byte("rules:\n  - name: small\n    when: type == \"ApproveTransfer\" && amount < 5\n    do: approve\n"), 0o600))
	soon := []string{"--poll-interval", "1ms", "--wait-timeout", "2ms"}
	file := s.outboxWith(t, "invoice\u00a017", s.payout())
	return map[string][]string{
		"agent action": {agent, action}, "agent actions": {agent}, "agent explain": {agent, action, "--policy", rules, "--insecure-files"}, "agent list": {},
		"agent sweep get": {agent, pending}, "agent sweep wait": slices.Concat([]string{agent, pending}, soon), "agent verify": {agent, "abcd", "abcd"},
		"agent wallets": {agent}, "asset get": {"BTC-TESTNET"}, "asset list": {}, "company get": {}, "company holdings": {}, "company list": {},
		"company search": {"demo"}, "doctor": {}, "fee": {"--type", "withdraw", "--amount", "5", "--base-units", "--asset", "BTC-TESTNET"},
		"fund deposits": {s.fund()}, "fund get": {s.fund()}, "fund list": {}, "fund search": {"client"}, "fund whitelist list": {s.fund()}, "hub list": {"--all"},
		"ledger list": {s.fund()}, "party list": {}, "qapi account": {}, "qapi balance": {}, "qapi fund": {s.fund()}, "qapi funds": {},
		"qapi history": {treasury}, "qapi ledger": {s.fund()}, "qapi parties": {}, "qapi tx approvals": {pending}, "qapi tx get": {pending},
		"qapi tx wait": slices.Concat([]string{pending}, soon), "reconcile": {s.fund()}, "sandbox health": {}, "sandbox pending": {"alice@example.com"},
		"sandbox state": {}, "sandbox users list": {}, "swap get": {pending}, "swap get-take": {pending},
		"swap wait": slices.Concat([]string{pending}, soon), "swap wait-take": slices.Concat([]string{pending}, soon), "transfer get": {pending},
		"transfer wait": slices.Concat([]string{pending}, soon), "wallet exchanges": {}, "wallet get": {treasury}, "wallet history": {treasury},
		"wallet max": {treasury}, "withdraw get": {string(s.made.Payments["demo: waits for Alice and Bob"])},
		"withdraw wait": slices.Concat([]string{string(s.made.Payments["demo: waits for Alice and Bob"])}, soon),
		"outbox list":   {"--file", file}, "outbox show": {"invoice\u00a017", "--file", file},
		"signing-agent show": {"--url", strings.TrimSuffix(s.env["QREDO_BASE_URL"], "/api/v1/p")},
	}
}

// TestNothingFromOutsideReachesTheTerminal runs every command against a service whose answers do things to terminals: in
// all texts, in all but IDs, in all but IDs and assets; in refusals; and in pages of something on the way. No character that
// cannot be seen may come out, as a table, as JSON, or on standard error, but the ends of lines that the command has made.
func TestNothingFromOutsideReachesTheTerminal(t *testing.T) {
	proxy := &spoiler{}
	s := serveDemo(t, func(next http.Handler) http.Handler { proxy.next = next; return proxy })
	s.terminal = true
	lines := writes(t, s)
	for path, args := range readsOf(s, t) {
		lines[path] = args
	}
	// Amounts in base units: by then no asset has a name that anybody could type.
	lines["transfer create"] = []string{"--from", s.wallet("Treasury"), "--to", s.wallet("Trading"), "--amount", "5", "--base-units"}
	lines["withdraw create"] = []string{"--from", s.wallet("Treasury"), "--address", demoPayout, "--amount", "5", "--base-units"}
	lines["swap make"] = []string{"--from", s.wallet("Treasury"), "--send", "5", "--to", s.wallet("Ether"), "--receive", "5", "--base-units", "--reference", "q"}
	ids := []string{"id", "txid", "walletid", "fundid", "companyid", "actionid", "coreclientid", "clientid", "url"}
	assets := []string{"asset", "symbol", "code", "unitcode", "sendasset", "receiveasset"}
	refusal := func(status int, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.WriteHeader(status); _, _ = w.Write([]byte(body)) }
	}
	words, err := json.Marshal(map[string]any{"code": 400, "msg": "m" + evil, "detail": map[string]any{"reason": "r" + evil}})
	require.NoError(t, err)
	in := func(list []string, key string) bool { return slices.Contains(list, key) }
	for name, c := range map[string]spoils{
		"all":             {spoil: func(path, _, value string) string { return unless(value != "" && strings.Contains(path, value), value) }},
		"but IDs":         {spoil: func(_, key, value string) string { return unless(in(ids, key), value) }},
		"but IDs, assets": {spoil: func(_, key, value string) string { return unless(in(ids, key) || in(assets, key), value) }},
		"refusals":        {as: refusal(http.StatusBadRequest, string(words))},
		"pages":           {as: refusal(http.StatusNotFound, "<html>"+evil)},
	} {
		shown := 0
		for i, path := range slices.Sorted(maps.Keys(lines)) {
			args, forms := lines[path], [][]string{nil, {"--output", "json"}}
			if name != "but IDs, assets" { // what gets farthest has both forms; the others take turns
				forms = forms[i%2 : i%2+1]
			}
			for _, extra := range forms {
				proxy.set(c)
				args := slices.Concat(strings.Fields(path), args, extra, []string{"--timeout", "5s"})
				if slices.Contains(writing, path) {
					args = append(args, "--dry-run")
				}
				if path == "transfer create" || path == "withdraw create" || path == "swap make" { // also in earnest
					out, said, _ := s.run(t, "y\n", slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == "--dry-run" })...)
					harmless(t, fmt.Sprint(name, ": ", args), out+said)
				}
				out, said, _ := s.run(t, "y\n", args...)
				harmless(t, fmt.Sprint(name, ": ", args), out+said)
				if strings.Contains(out+said, "\\u202e") {
					shown++
				}
			}
		}
		assert.Greater(t, shown, 20, "%s: what is spoiled is shown, escaped", name)
	}
}

func unless(clean bool, value string) string {
	if clean {
		return value
	}
	return value + evil
}

// harmless demands that each line can be seen whole.
func harmless(t *testing.T, what, text string) {
	t.Helper()
	for line := range strings.SplitSeq(text, "\n") {
		assert.Equal(t, visible.Text(line), line, what)
		begun := strings.HasPrefix(line, `\r\u202e`) && !ownLines(what)
		assert.False(t, begun, "%s: a line that others have begun: %s", what, line)
	}
}

// ownLines are commands that show texts of several lines in their lines: what was received, and what a sandbox of one's own finds wrong
// with a world.
func ownLines(what string) bool {
	return strings.Contains(what, "[send ") || strings.Contains(what, "[sandbox ")
}
