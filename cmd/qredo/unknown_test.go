package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWritesThatMayHaveBeenCarriedOut ends them with exit code 3, and not with that of what was refused, whatever
// answers in the service's place.
func TestWritesThatMayHaveBeenCarriedOut(t *testing.T) {
	keys, err := keyDir()
	require.NoError(t, err)
	for name, answer := range map[string]struct {
		status int
		body   string
		want   int
	}{
		"408":                {408, `{"code":408,"msg":"Request Timeout"}`, 3},
		"408, a page":        {408, "<html>", 3},
		"303":                {303, "", 3},
		"303, with words":    {303, `{"code":303,"msg":"See Other"}`, 3},
		"403, a page":        {403, "<html>", 3},
		"403, empty":         {403, "", 3},
		"403, the service's": {403, `{"code":403,"msg":"errForbidden"}`, 5},
	} {
		t.Run(name, func(t *testing.T) {
			var sent []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				sent = append(sent, r.Method+" "+r.URL.Path)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(answer.status)
				_, _ = io.WriteString(w, answer.body)
			}))
			defer server.Close()
			cmd := qredoCommand(t, []string{
				"QREDO_BASE_URL=" + server.URL, "QREDO_API_KEY_FILE=" + filepath.Join(keys, "apikey"),
				"QREDO_PRIVATE_KEY_FILE=" + filepath.Join(keys, "private.pem"),
			}, "company", "create", "--name", "Acme")
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			var exit *exec.ExitError
			require.ErrorAs(t, cmd.Run(), &exit)
			assert.Equal(t, answer.want, exit.ExitCode(), stderr.String())
			assert.Equal(t, []string{"POST /company"}, sent)
			if answer.want == 3 {
				assert.Contains(t, stderr.String(), "The outcome is unknown. Check what exists before you run it again.")
			} else {
				assert.NotContains(t, stderr.String(), "unknown")
			}
		})
	}
}

// TestControlCallsThatMayHaveBeenCarriedOut ends control calls by what answers in a sandbox's place: those that change something with exit code 3,
// and others with that of an answer that is not understood.
func TestControlCallsThatMayHaveBeenCarriedOut(t *testing.T) {
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"code":`)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	redirect := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			_, _ = io.WriteString(w, "{}")
			return
		}
		http.Redirect(w, r, "/elsewhere", http.StatusSeeOther)
	}
	own := `{"code":%d,"msg":"m","detail":{"reason":"why"}}`
	dir := t.TempDir()
	world := filepath.Join(dir, "world.jsonl")
	require.NoError(t, os.WriteFile(world, []byte("{}\n"), 0o600))
	commands := map[string][]string{
		"write": {"sandbox", "advance", "24h"}, "vote": {"sandbox", "approve", "alice@example.com", "tx"}, "import": {"sandbox", "import", world, "--yes"},
		"world": {"sandbox", "world", "demo"}, "read": {"sandbox", "users", "list"}, "export": {"sandbox", "export"},
	}
	for name, c := range map[string]struct {
		base        string
		write, read int
	}{
		"200, a page":         {answers(t, 200, "<html>"), 3, 8},
		"cut":                 {serving(t, cut), 3, 8},
		"lost":                {serving(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), 3, 8},
		"303":                 {serving(t, redirect), 3, 8},
		"307":                 {answers(t, 307, "", "Location", "/"), 3, 8},
		"403, a page":         {answers(t, 403, "<html>"), 3, 5},
		"404, a page":         {answers(t, 404, "<html>no such user</html>"), 3, 8},
		"409, a page":         {answers(t, 409, "<html>"), 3, 5},
		"408":                 {answers(t, 408, fmt.Sprintf(own, 408)), 3, 5},
		"502, a page":         {answers(t, 502, "<html>"), 3, 8},
		"500, the sandbox's":  {answers(t, 500, fmt.Sprintf(own, 500)), 3, 8},
		"403, the sandbox's":  {answers(t, 403, fmt.Sprintf(own, 403)), 5, 5},
		"404, the sandbox's":  {answers(t, 404, fmt.Sprintf(own, 404)), 6, 6},
		"nobody is there":     {"http://127.0.0.1:1", 8, 8},
		"nobody has the name": {"http://nowhere.invalid", 8, 8},
	} {
		t.Run(name, func(t *testing.T) {
			for kind, args := range commands {
				want := c.write
				if kind == "read" || kind == "export" {
					want = c.read
				}
				got := failing(t, qredoCommand(t, []string{"QREDO_BASE_URL=" + c.base, "QREDO_OUTPUT=json"}, args...))
				assert.Equal(t, want, got.ExitCode, "%s: %s", kind, got.Message)
				if want == 3 {
					assert.Equal(t, "unknown", got.Kind)
					assert.Contains(t, got.Message, "may have been carried out")
					assert.Contains(t, got.Hint, "The outcome is unknown.")
				}
			}
		})
	}
}
