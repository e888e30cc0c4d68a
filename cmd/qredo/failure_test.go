package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// failed is the object that a command ends with where programs read its output.
type failed struct {
	Kind           string `json:"kind"`
	Message        string `json:"message"`
	Status         int    `json:"status"`
	Code           int    `json:"code"`
	Reason         string `json:"reason"`
	Field          string `json:"field"`
	Operation      string `json:"operation"`
	Attempts       int    `json:"attempts"`
	RetryAfter     *int   `json:"retry_after"`
	TxID           string `json:"tx_id"`
	IdempotencyKey string `json:"idempotency_key"`
	RequestID      string `json:"request_id"`
	ExitCode       int    `json:"exit_code"`
	Hint           string `json:"hint"`
}

// failing runs a command that fails, and returns what it says of that. It is the last line, has no field twice or unknown, and
// has the exit code of the process.
func failing(t *testing.T, cmd *exec.Cmd) failed {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	return failureIn(t, cmd.Run(), stderr.Bytes())
}

func failureIn(t *testing.T, err error, stderr []byte) failed {
	t.Helper()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	lines := bytes.Split(bytes.TrimSpace(stderr), []byte("\n"))
	decoder := json.NewDecoder(bytes.NewReader(lines[len(lines)-1]))
	decoder.DisallowUnknownFields()
	var f failed
	require.NoError(t, decoder.Decode(&f), "%s", stderr)
	assert.Equal(t, exit.ExitCode(), f.ExitCode, "%s", stderr)
	assert.NotEmpty(t, f.Message)
	return f
}

// answers is a service that gives one answer to all.
func answers(t *testing.T, status int, body string, header ...string) string {
	t.Helper()
	return serving(t, func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func serving(t *testing.T, serve http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	return server.URL
}

// keysOnly is an environment for a service that knows no keys.
func keysOnly(t *testing.T, base string) []string {
	t.Helper()
	keys, err := keyDir()
	require.NoError(t, err)
	return []string{
		"QREDO_BASE_URL=" + base, "QREDO_API_KEY_FILE=" + filepath.Join(keys, "apikey"),
		"QREDO_PRIVATE_KEY_FILE=" + filepath.Join(keys, "private.pem"), "QREDO_COMPANY=c1", "QREDO_OUTPUT=json",
	}
}

// TestFailures has each kind of failure, of something that is read and of something that is made.
func TestFailures(t *testing.T) {
	words := func(status int, msg string) string {
		return fmt.Sprintf(`{"code":%d,"msg":%q,"detail":{"reason":"why"}}`, status, msg)
	}
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"company_id":`)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	lost := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	tls := httptest.NewUnstartedServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake
	tls.StartTLS()
	t.Cleanup(tls.Close)
	read := []string{"asset", "list"}
	create := []string{"company", "create", "--name", "Acme"}
	five := 5
	for name, c := range map[string]struct {
		base string
		args []string
		want failed
	}{
		"401":                {answers(t, 401, words(401, "errPartnerAuth")), read, failed{Kind: "unauthorized", Status: 401, Code: 401, Reason: "why", ExitCode: 5}},
		"403":                {answers(t, 403, words(403, "errForbidden")), create, failed{Kind: "forbidden", Status: 403, Code: 403, Reason: "why", ExitCode: 5}},
		"404":                {answers(t, 404, words(404, "Not Found"), "X-Request-Id", "r-1"), read, failed{Kind: "not_found", Status: 404, Code: 404, Reason: "why", RequestID: "r-1", ExitCode: 6}},
		"404, a page":        {answers(t, 404, "default backend - 404"), read, failed{Kind: "bad_answer", Status: 404, ExitCode: 8}},
		"409":                {answers(t, 409, words(409, "Conflict")), read, failed{Kind: "conflict", Status: 409, Code: 409, Reason: "why", ExitCode: 5}},
		"409 to a write":     {answers(t, 409, words(409, "Conflict")), create, failed{Kind: "unknown", Status: 409, Code: 409, Reason: "why", ExitCode: 3}},
		"422":                {answers(t, 422, words(422, "Unprocessable")), create, failed{Kind: "refused", Status: 422, Code: 422, Reason: "why", ExitCode: 5}},
		"429":                {answers(t, 429, words(429, "Too Many"), "Retry-After", "5"), append([]string{"--timeout", "2s"}, create...), failed{Kind: "rate_limited", Status: 429, Code: 429, Reason: "why", RetryAfter: &five, ExitCode: 7}},
		"500 to a read":      {answers(t, 500, words(500, "Internal")), append([]string{"--timeout", "1s"}, read...), failed{Kind: "server", Status: 500, Code: 500, Reason: "why", ExitCode: 8}},
		"502, a page":        {answers(t, 502, "<html>"), append([]string{"--timeout", "1s"}, read...), failed{Kind: "server", Status: 502, ExitCode: 8}},
		"502 to a write":     {answers(t, 502, "<html>"), create, failed{Kind: "unknown", Status: 502, ExitCode: 3}},
		"302":                {answers(t, 302, "", "Location", "/"), read, failed{Kind: "bad_answer", Status: 302, ExitCode: 8}},
		"200, a page":        {answers(t, 200, "<html>"), read, failed{Kind: "bad_answer", Status: 200, ExitCode: 8}},
		"cut":                {serving(t, cut), append([]string{"--timeout", "1s"}, read...), failed{Kind: "bad_answer", Status: 200, ExitCode: 8}},
		"cut, of a write":    {serving(t, cut), create, failed{Kind: "unknown", Status: 200, ExitCode: 3}},
		"lost":               {serving(t, lost), append([]string{"--timeout", "1s"}, read...), failed{Kind: "*", ExitCode: 8}},
		"lost, of a write":   {serving(t, lost), create, failed{Kind: "unknown", ExitCode: 3}},
		"refused connection": {"http://127.0.0.1:1", append([]string{"--timeout", "1s"}, create...), failed{Kind: "unreachable", ExitCode: 8}},
		"no such name":       {"https://nowhere.invalid", append([]string{"--timeout", "1s"}, read...), failed{Kind: "*", ExitCode: 8}},
		"certificate":        {tls.URL, append([]string{"--timeout", "2s"}, create...), failed{Kind: "unreachable", ExitCode: 8}},
		"no answer":          {serving(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), append([]string{"--timeout", "200ms"}, read...), failed{Kind: "timeout", ExitCode: 8}},
	} {
		t.Run(name, func(t *testing.T) {
			got := failing(t, qredoCommand(t, keysOnly(t, c.base), c.args...))
			switch c.want.ExitCode {
			case 3:
				assert.Contains(t, got.Hint, "The outcome is unknown.")
			default:
				assert.NotContains(t, got.Message+got.Hint, "may have been")
			}
			if c.want.Kind == "*" { // what a name that is not there ends in is the resolver's
				c.want.Kind = got.Kind
			}
			assert.NotEmpty(t, got.Operation)
			assert.Positive(t, got.Attempts)
			got.Message, got.Hint, got.Operation, got.Attempts = "", "", "", 0
			assert.Equal(t, c.want, got)
		})
	}
}

// TestFailuresBeforeAnything are mistakes in the use, also where the flag for JSON cannot be read any more.
func TestFailuresBeforeAnything(t *testing.T) {
	dead := keysOnly(t, "http://127.0.0.1:1")
	plainly := append(dead[:len(dead)-1:len(dead)-1], "QREDO_OUTPUT=")
	for name, c := range map[string]struct {
		env  []string
		args []string
		kind string
	}{
		"unknown flag":           {plainly, []string{"company", "list", "--nonsense", "--output", "json"}, "usage"},
		"unknown flag, after":    {plainly, []string{"company", "list", "--output=json", "--nonsense"}, "usage"},
		"unknown flag, yaml":     {plainly, []string{"company", "list", "--nonsense", "--output", "yaml"}, "usage"},
		"unknown flag, by env":   {dead, []string{"company", "list", "--nonsense"}, "usage"},
		"unknown command":        {dead, []string{"compny", "list"}, "usage"},
		"required flag":          {dead, []string{"company", "create"}, "usage"},
		"required flag, empty":   {dead, []string{"company", "create", "--name", ""}, "usage"},
		"argument":               {dead, []string{"asset", "get"}, "usage"},
		"no profile":             {dead, []string{"asset", "get", "BTC", "--profile", "none"}, "usage"},
		"no config":              {plainly, []string{"asset", "get", "BTC", "--config", "none.yaml", "--output", "json"}, "usage"},
		"refused before sending": {dead, []string{"send", "--url", "/a//b"}, "validation"},
	} {
		t.Run(name, func(t *testing.T) {
			got := failing(t, qredoCommand(t, c.env, c.args...))
			assert.Equal(t, c.kind, got.Kind)
			assert.Equal(t, 2, got.ExitCode)
			assert.NotContains(t, got.Message, "\n")
		})
	}
	cmd := qredoCommand(t, plainly, "company", "list", "--nonsense")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	assert.Equal(t, "qredo: unknown flag: --nonsense\nSee qredo company list --help.\n", string(out), "people read this")
}

// TestFailedTransactions are those that end otherwise, with a sandbox.
func TestFailedTransactions(t *testing.T) {
	s := serve(t, nil)
	env := append(s.environ(), "QREDO_OUTPUT=json")
	transfer := []string{"transfer", "create", "--from", string(s.Treasury), "--to", string(s.Trading), "--amount", "0.1BTC-TESTNET", "--yes", "--idempotency-key", "k1"}
	run := func(args ...string) *exec.Cmd { return qredoCommand(t, env, args...) }

	require.NoError(t, run("sandbox", "fault", "drop_answer", "--operation", "POST /company/{company_id}/transfer", "--times", "8").Run())
	got := failing(t, run(transfer...))
	assert.Equal(t, "unknown", got.Kind)
	assert.Equal(t, "k1", got.IdempotencyKey)
	assert.Equal(t, "POST /company/{company_id}/transfer", got.Operation)
	assert.Greater(t, got.Attempts, 1)
	assert.Contains(t, got.Hint, "--idempotency-key k1")
	require.NoError(t, run("sandbox", "fault", "none").Run())

	out, err := run(transfer...).Output()
	require.NoError(t, err)
	var made struct {
		TxID string `json:"tx_id"`
	}
	require.NoError(t, json.Unmarshal(out, &made))
	got = failing(t, run("transfer", "wait", made.TxID, "--wait-timeout", "50ms", "--poll-interval", "10ms"))
	assert.Equal(t, []any{"pending", 3, made.TxID}, []any{got.Kind, got.ExitCode, got.TxID})
	require.NoError(t, run("sandbox", "reject", "alice@example.com", made.TxID).Run())
	_ = run("sandbox", "reject", "bob@example.com", made.TxID).Run() // where one is enough, it has ended
	got = failing(t, run("transfer", "wait", made.TxID, "--wait-timeout", "30s"))
	assert.Equal(t, []any{"rejected", 4, made.TxID}, []any{got.Kind, got.ExitCode, got.TxID})
	got = failing(t, run("transfer", "wait", "nope"))
	assert.Equal(t, []any{"not_found", 6}, []any{got.Kind, got.ExitCode})

	transfer[len(transfer)-1] = "k2"
	out, err = run(transfer...).Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, &made))
	require.NoError(t, run("sandbox", "advance", "48h").Run())
	got = failing(t, run("transfer", "wait", made.TxID, "--wait-timeout", "30s"))
	assert.Equal(t, []any{"expired", 4, made.TxID}, []any{got.Kind, got.ExitCode, got.TxID})
	got = failing(t, run("doctor", "--base-url", "http://127.0.0.1:1/api/v1/p"))
	assert.Equal(t, []any{"check", 1}, []any{got.Kind, got.ExitCode}, got.Message)
}

// TestOutputThatCannotBePrinted tells what was done before from what only asked.
func TestOutputThatCannotBePrinted(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /dev/full here")
	}
	s := serve(t, nil)
	env := append(s.environ(), "QREDO_OUTPUT=json")
	full := func(args ...string) failed {
		cmd := qredoCommand(t, env, args...)
		out, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		require.NoError(t, err)
		defer func() { require.NoError(t, out.Close()) }()
		cmd.Stdout = out
		return failing(t, cmd)
	}
	transfer := []string{"transfer", "create", "--from", string(s.Treasury), "--to", string(s.Trading), "--amount", "0.1BTC-TESTNET", "--yes"}
	got := full("asset", "list")
	assert.Equal(t, []any{"output", 1}, []any{got.Kind, got.ExitCode})
	got = full("company", "create", "--name", "Full")
	assert.Equal(t, []any{"output", 3}, []any{got.Kind, got.ExitCode})
	got = full(transfer...)
	assert.Equal(t, []any{"output", 3}, []any{got.Kind, got.ExitCode})
	assert.NotEmpty(t, got.TxID)
	assert.NotEmpty(t, got.IdempotencyKey)
	assert.Contains(t, got.Message, "transaction "+got.TxID+" was made")

	closed := func(args ...string) (int, string) {
		cmd := qredoCommand(t, env, args...)
		r, w, err := os.Pipe()
		require.NoError(t, err)
		require.NoError(t, r.Close())
		defer func() { require.NoError(t, w.Close()) }()
		var stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = w, &stderr
		var exit *exec.ExitError
		require.ErrorAs(t, cmd.Run(), &exit)
		return exit.ExitCode(), stderr.String()
	}
	code, said := closed("asset", "list")
	assert.Equal(t, 141, code)
	assert.Empty(t, said, "nobody reads on, as with head")
	code, said = closed(transfer...)
	assert.Equal(t, 3, code)
	assert.Contains(t, said, " was made, but its result could not be printed")
}

// TestInterrupts ends commands by signals, at each stage.
func TestInterrupts(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("processes get no signals here")
	}
	var hold atomic.Pointer[string] // what is not answered: how method and path begin
	there := make(chan struct{}, 8)
	s := serve(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			begin := hold.Load()
			if begin == nil || !strings.HasPrefix(r.Method+" "+strings.TrimPrefix(r.URL.Path, "/api/v1/p"), *begin) {
				next.ServeHTTP(w, r)
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			there <- struct{}{}
			<-r.Context().Done()
		})
	})
	interrupt := func(begin string, args ...string) failed {
		hold.Store(&begin)
		cmd := qredoCommand(t, append(s.environ(), "QREDO_OUTPUT=json"), args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		require.NoError(t, cmd.Start())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		select {
		case <-there:
		case err := <-ended:
			require.FailNow(t, "it has ended before "+begin, "%v: %s", err, &stderr)
		}
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		return failureIn(t, <-ended, stderr.Bytes())
	}
	company := string(s.Company)
	got := interrupt("GET /assets", "asset", "list")
	assert.Equal(t, []any{"interrupted", 130, "Nothing was changed."}, []any{got.Kind, got.ExitCode, got.Hint})
	got = interrupt("POST /company", "company", "create", "--name", "Acme")
	assert.Equal(t, []any{"unknown", 3}, []any{got.Kind, got.ExitCode})
	assert.Contains(t, got.Message, "interrupted")
	transfer := []string{
		"transfer", "create", "--from", string(s.Treasury), "--to", string(s.Trading), "--amount", "5", "--base-units", "--yes", "--idempotency-key", "k1",
	}
	got = interrupt("GET /wallet/", transfer...)
	assert.Equal(t, []any{"interrupted", 130, "Nothing was changed."}, []any{got.Kind, got.ExitCode, got.Hint})
	got = interrupt("POST /company/"+company+"/transfer", transfer...)
	assert.Equal(t, []any{"unknown", 3, "k1"}, []any{got.Kind, got.ExitCode, got.IdempotencyKey})
	assert.Contains(t, got.Hint, "--idempotency-key k1")
	got = interrupt("GET /company/"+company+"/transfer/", append(transfer, "--wait")...)
	assert.Equal(t, []any{"pending", 3}, []any{got.Kind, got.ExitCode})
	assert.Contains(t, got.Message, "continue with: qredo transfer wait "+got.TxID)
}
