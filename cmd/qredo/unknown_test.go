package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
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
		"403, the service's": {403, `{"code":403,"msg":"errForbidden"}`, 1},
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
				assert.Contains(t, stderr.String(), "The outcome is unknown. Look at what there is before doing it again.")
			} else {
				assert.NotContains(t, stderr.String(), "unknown")
			}
		})
	}
}
