package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// TestPasswordsOfURLsAreNotShown also where they keep the URL from being one.
func TestPasswordsOfURLsAreNotShown(t *testing.T) {
	s := &served{env: map[string]string{}}
	for _, url := range []string{
		"https://user:geheim@h.example/p", "https://user:gehe%zzim@h.example", "https://user:gehe#im@h.example", "https://user:geh/eim@h.example",
		"https://user:ge@heim@h.example", "//user:geheim@h.example", "user:geheim@h.example", "https:/user:geheim@h.example", "https://user:geh eim@h.example",
	} {
		config := filepath.Join(t.TempDir(), "config.yaml")
		require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, "profile: a\nprofiles:\n  a:\n    base_url: %q\n", url), 0o600))
		s.env["QREDO_CONFIG"] = config
		for _, args := range [][]string{{"config", "show"}, {"config", "list"}, {"sandbox", "state"}, {"sandbox", "open", "--print"}} {
			out, said, _ := s.run(t, "", args...)
			shown := out + said
			for _, part := range []string{"geheim", "gehe", "eim", "heim", "geh"} {
				assert.NotContains(t, shown, part, "%s: %v", url, args)
			}
			if args[0] == "config" {
				assert.Contains(t, shown, "h.example")
			}
		}
	}
	for _, text := range []string{"https://h.example/p", "Acme", "me@h.example", "sandbox"} {
		assert.Equal(t, text, withoutPassword(text))
	}
}

// TestConsolesAreOfTheirSandbox: who answers in a sandbox's place does not say what the browser opens.
func TestConsolesAreOfTheirSandbox(t *testing.T) {
	proxy := &spoiler{}
	s := serveDemo(t, func(http.Handler) http.Handler { return proxy })
	for path, right := range map[string]bool{
		"/console/#t": true, "@evil.example/": false, ".evil.example/": false, "//evil.example/": false, "": false, "80/": false,
	} {
		proxy.as = func(w http.ResponseWriter) { _, _ = fmt.Fprintf(w, `{"path":%q}`, path) }
		out, said, code := s.run(t, "", "sandbox", "open", "--print")
		assert.Equal(t, right, code == exitDone, "%s: %s", path, said)
		assert.Equal(t, right, strings.Contains(out, "console"), path)
		assert.NotContains(t, out, "evil", path)
		if !right {
			assert.Equal(t, exitService, code, path)
		}
	}
}

// TestWhatNoNameIsIsNotFound, whatever it looks like: the lists of the service say that there is none.
func TestWhatNoNameIsIsNotFound(t *testing.T) {
	s := serveDemo(t, nil)
	for _, text := range []string{"../../x", "a/b", "nobody", "%2e%2e"} {
		for _, args := range [][]string{{"wallet", "get", text}, {"fund", "get", text}, {"company", "get", text}} {
			_, said, code := s.run(t, "", args...)
			assert.Equal(t, exitNotFound, code, "%v: %s", args, said)
		}
	}
}

// TestASignalWhileItWaits is the end by that signal, and not what it waited for; but what may have been made is said.
func TestASignalWhileItWaits(t *testing.T) {
	by := func(errs ...error) error { return interruptedError{signalError{os.Interrupt}, errors.Join(errs...)} }
	for _, status := range []int{429, 500, 503} {
		kind, code := classify(by(&signalError{os.Interrupt}, &qredo.Error{StatusCode: status}))
		assert.Equal(t, []any{kindSignal, exitSignal + int(syscall.SIGINT)}, []any{kind, code}, status)
	}
	_, code := classify(by(qredo.ErrOutcomeUnknown, &qredo.Error{StatusCode: 429}))
	assert.Equal(t, exitUnknown, code)
	_, code = classify(by(waitError{tx: "t", err: &signalError{os.Interrupt}}))
	assert.Equal(t, exitUnknown, code)
}

// TestManualPagesReplaceLinks: what a page's name leads to stays as it is.
func TestManualPagesReplaceLinks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a right there")
	}
	dir := t.TempDir()
	precious := filepath.Join(t.TempDir(), "precious")
	require.NoError(t, os.WriteFile(precious, []byte("mine"), 0o600))
	require.NoError(t, os.Symlink(precious, filepath.Join(dir, "qredo-transfer-create.1")))
	s := &served{env: map[string]string{}}
	_, said, code := s.run(t, "", "man", "--dir", dir)
	require.Equal(t, exitDone, code, said)
	kept, err := os.ReadFile(precious)
	require.NoError(t, err)
	assert.Equal(t, "mine", string(kept))
	page, err := os.Lstat(filepath.Join(dir, "qredo-transfer-create.1"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o644), page.Mode())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Greater(t, len(entries), 50)
	for _, e := range entries {
		assert.True(t, strings.HasPrefix(e.Name(), "qredo") && strings.HasSuffix(e.Name(), ".1"), e.Name())
	}
}

// TestFarExpiries are told in what they can be told in.
func TestFarExpiries(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for until, want := range map[time.Time]string{
		now.Add(90 * time.Minute): "in 1h30m0s", now.AddDate(0, 0, 30): "in 30 days", now.AddDate(5, 0, 1): "in 5 years",
		time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC): "in more than 100 years",
	} {
		p := &proposal{app: &app{now: func() time.Time { return now }}}
		p.expires(qredo.TimeOf(until))
		require.Len(t, p.lines, 1)
		assert.True(t, strings.HasSuffix(p.lines[0].Value, ", "+want), p.lines[0].Value)
		assert.Empty(t, p.warnings)
	}
}

// TestListsHaveTheTypesOfTheirShapes: else columns, IDs and completions would be those of something else.
func TestListsHaveTheTypesOfTheirShapes(t *testing.T) {
	s := serveDemo(t, nil)
	seen := map[string]bool{}
	s.printed = func(command string, item any) {
		seen[command] = true
		of := reflect.TypeOf(item)
		if of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		assert.Equal(t, lists[command].of, of, command)
	}
	for command, args := range readsOf(s, t) {
		if _, isList := lists[command]; isList {
			s.run(t, "", slices.Concat(strings.Fields(command), args)...) // two have nothing to list for the demo's key
		}
	}
	assert.Greater(t, len(seen), 15, "%v", seen)
}

// TestJQDoesNotRoundInSilence: what is exact stays so, and what cannot be is an error.
func TestJQDoesNotRoundInSilence(t *testing.T) {
	for expression, want := range map[string]string{
		".a": "9007199254740993", ".a + 1": "9007199254740994", ".a * 1000": "9007199254740993000", ".a - .b": "9007199254740990",
		".b / 2": "1.5", "[.a]": "[9007199254740993]", ".a / 1": "9007199254740993",
		".a * 10 / 4": "", ".a * 1.0": "", ".a + 0.5": "", "[{x: (.a * 1.5)}]": "", ".a | sqrt | . * .": "",
	} {
		var out bytes.Buffer
		a := &app{out: bufio.NewWriter(&out)}
		var err error
		a.format.filter, err = newFilter(expression)
		require.NoError(t, err)
		err = a.filterAll([]any{json.RawMessage(`{"a":9007199254740993,"b":3}`)})
		assert.Equal(t, want, strings.TrimSpace(out.String()), expression)
		if want == "" {
			require.ErrorContains(t, err, "2^53", expression)
			continue
		}
		require.NoError(t, err, expression)
	}
}

// TestSendAndDryRunsTakeFormats or refuse them, before anything is sent.
func TestSendAndDryRunsTakeFormats(t *testing.T) {
	proxy := &spoiler{}
	s := serveDemo(t, func(next http.Handler) http.Handler { proxy.next = next; return proxy })
	send := []string{"send", "--url", "/company/search?query=maker"}
	dry := []string{"company", "create", "--name", "X", "--dry-run"}
	for _, c := range []struct {
		args []string
		want string
		code int
	}{
		{append(send, "--jq", ".matches[0].name"), "Demo Maker\n", exitDone},
		{append(send, "-o", "yaml", "--jq", "."), "", exitUsage},
		{append(send, "--quiet"), "", exitUsage},
		{append(send, "--amounts-as-text"), "", exitUsage},
		{append(send, "--include", "--jq", "."), "", exitUsage},
		{append(send, "-o", "csv"), "", exitUsage},
		{append(dry, "--jq", ".request.method"), "POST\n", exitDone},
		{append(dry, "--quiet"), "", exitUsage},
		{append(dry, "--columns", "id"), "", exitUsage},
		{append(dry, "-o", "csv"), "", exitUsage},
	} {
		out, said, code := s.run(t, "", c.args...)
		assert.Equal(t, []any{c.want, c.code}, []any{out, code}, "%v: %s", c.args, said)
	}
	out, said, code := s.run(t, "", append(send, "-o", "yaml")...)
	assert.Equal(t, exitDone, code, said)
	assert.Contains(t, out, "name: Demo Maker\n")
	out, _, code = s.run(t, "", append(dry, "-o", "yaml")...)
	assert.Equal(t, exitDone, code)
	assert.Contains(t, out, "dry_run: true\n")

	proxy.as = func(w http.ResponseWriter) { _, _ = io.WriteString(w, "<html>") }
	out, said, code = s.run(t, "", append(send, "--jq", ".")...)
	assert.Equal(t, []any{"", exitFailed}, []any{out, code}, said)
	proxy.as = func(w http.ResponseWriter) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"code":404,"msg":"m"}`)
	}
	out, said, code = s.run(t, "", append(send, "--jq", ".matches")...)
	assert.Equal(t, exitNotFound, code, said)
	assert.JSONEq(t, `{"code":404,"msg":"m"}`, out, "as it came")

	var asked atomic.Int64
	proxy.as = func(w http.ResponseWriter) {
		asked.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, said, code = s.run(t, "", send...)
	assert.Equal(t, exitService, code, said)
	assert.EqualValues(t, 1, asked.Load(), "it is sent once")
}
