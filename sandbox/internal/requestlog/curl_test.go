package requestlog_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox/internal/requestlog"
)

// Who is shown a request of somebody else's pastes the line for it into a shell: nothing in it may run, or read a file.
func TestCurlCanBePasted(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "curl"), []byte("#!/bin/sh\nprintf '%s\\0' \"$@\"\n"), 0o700))
	const run = "touch pwned"
	for body, inLine := range map[string]bool{
		"@/etc/passwd": true, `{"a":"it's \"b\" \\ $(touch pwned) ` + "`touch pwned`" + ` é"}`: true, "'; " + run + "; '": true, `\'; ` + run + `; '`: true, "a\n" + run + "\nb": true,
		"a\r" + run + "\r": false, "\x1b[201~\n" + run + "\n": false, "a\tb": false, "\u202eb": false, "\u009b201~": false, "\x00": false, "\xff": false,
	} {
		r := &requestlog.Record{
			Method: "P'$(" + run + ")", URL: "http://h/'$(" + run + ")?\\'&x=!!", Body: requestlog.KeepBody([]byte(body)),
			Header: http.Header{"Accept": {"'; " + run + "; '\\"}, "Content-Type": {"\u0085\u009b"}},
		}
		line := r.Curl()
		assert.NotContains(t, strings.ReplaceAll(line, "\n", ""), "\r")
		assert.NotContains(t, line, `\';`, "in fish a backslash takes the quote's meaning")
		for _, c := range line {
			assert.False(t, c != '\n' && c < ' ' || c >= 0x7f && c < 0xa0, "%q", line)
		}
		cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", line)
		cmd.Dir, cmd.Env = dir, []string{"PATH=" + dir + ":/bin:/usr/bin"}
		out, err := cmd.Output()
		require.NoError(t, err, line)
		args := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
		assert.Contains(t, args, r.Method)
		assert.Contains(t, args, r.URL)
		want := []string{"--data-binary", "@body"}
		if inLine {
			want = []string{"--data-raw", body}
		}
		assert.Equal(t, want, args[len(args)-2:], "%q", body)
		assert.NoFileExists(t, filepath.Join(dir, "pwned"))
	}
}
