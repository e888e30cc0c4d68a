package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"

	"github.com/qredo-go/qredo/internal/spec"
)

// TestScripts runs the command as people and shell scripts do, each script against a sandbox of its own that
// has a demo in it. Together they call every operation of both APIs.
func TestScripts(t *testing.T) {
	calls := &recorder{seen: map[string]bool{}}
	t.Run("scripts", func(t *testing.T) {
		testscript.Run(t, scripts("script", func(env *testscript.Env) error { return setUp(env, calls) }))
	})
	if t.Failed() || testing.Short() || !wholeRun() {
		return
	}
	for _, api := range []struct {
		base string
		api  *spec.API
	}{{"/api/v1/p", spec.Partner}, {"/qapi/v1", spec.Qredo}} {
		operations := api.api.Operations()
		assert.NotEmpty(t, operations)
		for _, op := range operations {
			if op.Path == "/trustedparties" {
				continue // of persons only: qapi.txtar asks a sandbox of a person, which it starts itself
			}
			assert.True(t, calls.called(op.Method, api.base+op.Path), "no command calls %s %s%s", op.Method, api.base, op.Path)
		}
	}
}

// scripts are the scripts in a folder of testdata.
func scripts(folder string, setUp func(*testscript.Env) error) testscript.Params {
	return testscript.Params{
		Dir:                 filepath.Join("testdata", folder),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setUp,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "get": get, "waitfile": waitFile, "waitout": waitOut, "unbase64": unbase64, "mode": fileMode, "replace": replace,
		},
		Condition: func(cond string) (bool, error) {
			if name, found := strings.CutPrefix(cond, "has:"); found {
				_, err := exec.LookPath(name)
				return err == nil, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
	}
}

// wholeRun reports whether no script was left out by -run.
func wholeRun() bool {
	for _, arg := range os.Args {
		if strings.HasPrefix(arg, "-test.run=") && strings.Contains(arg, "/") {
			return false
		}
	}
	return true
}

func setUp(env *testscript.Env, calls *recorder) error {
	s, stop, err := startService(calls.wrap)
	if stop != nil {
		env.Defer(stop)
	}
	if err != nil {
		return err
	}
	for _, line := range slices.Concat(s.environ(), s.names(), []string{quickExit}) {
		name, value, _ := strings.Cut(line, "=")
		env.Setenv(name, value)
	}
	env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
	env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
	env.Setenv("XDG_DATA_HOME", filepath.Join(env.WorkDir, "data"))
	return nil
}

// recorder notes which operations were called with success.
type recorder struct {
	mu   sync.Mutex
	seen map[string]bool // method and path
}

func (r *recorder) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		status := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			if status.status < 300 {
				r.mu.Lock()
				r.seen[req.Method+" "+req.URL.Path] = true
				r.mu.Unlock()
			}
		}()
		next.ServeHTTP(status, req)
	})
}

// called reports whether a call fits a path with placeholders. A path without them is not taken for one that
// has them: /company/search is not /company/{company_id}.
func (r *recorder) called(method, pattern string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for call := range r.seen {
		have, path, _ := strings.Cut(call, " ")
		if have == method && fits(strings.Split(pattern, "/"), strings.Split(path, "/")) {
			return true
		}
	}
	return false
}

func fits(pattern, path []string) bool {
	if len(pattern) != len(path) {
		return false
	}
	const shortestID = 20
	for i, p := range pattern {
		if strings.HasPrefix(p, "{") && len(path[i]) < shortestID || !strings.HasPrefix(p, "{") && p != path[i] {
			return false
		}
	}
	return true
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets the sandbox take the connection over, for feeds.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// exits runs a command and checks its exit code: exits 3 qredo …
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit := (*exec.ExitError)(nil)
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code is %d, not %d", got, want)
	}
}

// get sets a variable from the JSON that the last command printed: get TX tx_id, get WALLET wallets.0.id. A
// number first selects the line.
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: get NAME PATH")
	}
	lines := strings.Split(strings.TrimSpace(ts.ReadFile("stdout")), "\n")
	path := strings.Split(args[1], ".")
	line := lines[0]
	if n, err := strconv.Atoi(path[0]); err == nil {
		if n >= len(lines) {
			ts.Fatalf("there are %d lines", len(lines))
		}
		line, path = lines[n], path[1:]
	}
	var value any
	ts.Check(json.Unmarshal([]byte(line), &value))
	for _, name := range path {
		switch v := value.(type) {
		case map[string]any:
			value = v[name]
		case []any:
			n, err := strconv.Atoi(name)
			ts.Check(err)
			value = v[n]
		default:
			value = nil
		}
	}
	text, ok := value.(string)
	if !ok || text == "" {
		ts.Fatalf("%s is no text in %s", args[1], line)
	}
	ts.Setenv(args[0], text)
}

// waitFile waits until a file is there.
func waitFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: waitfile FILE")
	}
	if !patiently(func() bool {
		_, err := os.Stat(ts.MkAbs(args[0]))
		return err == nil
	}) {
		ts.Fatalf("%s does not come", args[0])
	}
}

// waitOut runs a command until it succeeds and its output matches: waitout REGEXP COMMAND...
func waitOut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: waitout REGEXP COMMAND...")
	}
	want, err := regexp.Compile("(?s)" + args[0])
	ts.Check(err)
	if !patiently(func() bool {
		return ts.Exec(args[1], args[2:]...) == nil && want.MatchString(ts.ReadFile("stdout"))
	}) {
		ts.Fatalf("%s does not come", args[0])
	}
}

// patiently looks until what is looked for is there. It reports false if it does not come.
func patiently(there func() bool) bool {
	const patience = 20 * time.Second
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !there() {
		select {
		case <-look.C:
		case <-deadline.C:
			return false
		}
	}
	return true
}

// unbase64 decodes what follows a prefix on a line of a file: unbase64 FILE PREFIX OUT.
func unbase64(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: unbase64 FILE PREFIX OUT")
	}
	for line := range strings.SplitSeq(ts.ReadFile(args[0]), "\n") {
		if text, found := strings.CutPrefix(line, args[1]); found {
			data, err := base64.RawURLEncoding.DecodeString(strings.TrimSpace(text))
			ts.Check(err)
			ts.Check(os.WriteFile(ts.MkAbs(args[2]), data, 0o600))
			return
		}
	}
	ts.Fatalf("no line begins with %q", args[1])
}

// fileMode checks who can read a file: mode 600 FILE...
func fileMode(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	for _, name := range args[1:] {
		info, err := os.Stat(ts.MkAbs(name))
		ts.Check(err)
		if (info.Mode().Perm() == os.FileMode(want)) == neg {
			ts.Fatalf("%s has mode %o", name, info.Mode().Perm())
		}
	}
}

// replace changes text in a file: replace FILE OLD NEW.
func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s has no %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.ReplaceAll(text, args[1], args[2])), 0o600))
}
