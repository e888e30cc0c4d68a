package cli

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// tabEnvironment is a sandbox with the demo in it, as the settings name it.
func tabEnvironment(t *testing.T) map[string]string {
	t.Helper()
	keys := t.TempDir()
	s, err := sandbox.New(sandbox.WithKeyDir(keys))
	require.NoError(t, err)
	server := httptest.NewServer(s)
	t.Cleanup(func() { assert.NoError(t, s.Close()); server.Close() })
	world, err := s.MakeNamedWorld("demo")
	require.NoError(t, err)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	config := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(config, []byte("profiles:\n  demo:\n    base_url: "+server.URL+"/api/v1/p\n"), 0o600))
	return map[string]string{
		"QREDO_BASE_URL": server.URL + "/api/v1/p", "QREDO_CONFIG": config, "QREDO_COMPANY": string(world.Companies["Demo Exchange"]),
		"QREDO_API_KEY_FILE": filepath.Join(keys, "apikey"), "QREDO_PRIVATE_KEY_FILE": filepath.Join(keys, "private.pem"),
		"QREDO_QAPI_KEY_FILE": filepath.Join(keys, "qapi-apikey"), "QREDO_QAPI_SECRET_FILE": filepath.Join(keys, "qapi-secret"),
	}
}

// tab is what the shell gets for a line whose last word is not complete.
func tab(t *testing.T, env map[string]string, words ...string) (candidates []string, directive string) {
	t.Helper()
	var out bytes.Buffer
	a := &app{out: bufio.NewWriter(&out), err: &bytes.Buffer{}, env: func(name string) string { return env[name] }, now: time.Now}
	assert.Zero(t, a.run(t.Context(), append([]string{cobra.ShellCompRequestCmd}, words...)))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	return lines[:len(lines)-1], lines[len(lines)-1]
}

// TestTab presses the key after every flag, and where every argument stands, and prints what comes (-v).
func TestTab(t *testing.T) {
	env := tabEnvironment(t)
	nothingYet := map[string]bool{ // in the demo
		"SWAP_ID": true, "swap TX_ID": true, "--connect": true, "agent sweep TX_ID": false, "ACTION_ID": false,
	}
	before := map[string]string{ // what stands before an argument
		"ACTION_ID": "Demo approver", "sandbox TX_ID": "alice@example.com", "config VALUE": "output",
	}
	a := newTestApp()
	places(a, func(cmd *cobra.Command, name string) {
		key, _ := a.completionKey(cmd, name)
		c := a.completions[key]
		words := strings.Fields(cmd.CommandPath())[1:]
		if strings.HasPrefix(name, "--") {
			words = append(words, name)
		} else {
			for _, earlier := range argumentNames(cmd) {
				if earlier == name {
					break
				}
				first := before[key]
				if first == "" {
					first = "x"
				}
				words = append(words, first)
			}
		}
		candidates, directive := tab(t, env, append(words, "")...)
		if !strings.HasPrefix(name, "--") { // flags that the command needs stand before
			candidates = slices.DeleteFunc(candidates, func(c string) bool { return strings.HasPrefix(c, "--") })
		}
		shown := strings.Join(candidates, " | ")
		if len(shown) > 110 {
			shown = shown[:110] + "…"
		}
		t.Logf("%-62s %-4s %s", strings.Join(words, " ")+" "+map[bool]string{true: "", false: name}[strings.HasPrefix(name, "--")], directive, strings.ReplaceAll(shown, "\t", "  "))
		where := fmt.Sprintf("%s (%s)", strings.Join(words, " "), key)
		switch {
		case c.free != "" || c.cut != "" && c.list == nil || key == "--amount" || key == "--send" || key == "--receive":
			require.Len(t, candidates, 1, where)
			assert.True(t, strings.HasPrefix(candidates[0], "_activeHelp_ "), where)
		case c.folder:
			assert.Equal(t, ":16", directive, where)
		case c.files != nil && c.files[0] != "":
			assert.Equal(t, c.files, candidates, where)
			assert.Equal(t, ":8", directive, where)
		case c.files != nil:
			assert.Equal(t, ":0", directive, where)
		case c.words != nil:
			assert.Equal(t, c.words, candidates, where)
		case nothingYet[key]:
			assert.Empty(t, candidates, where)
		default:
			assert.NotEmpty(t, candidates, where)
		}
	})
}

// TestTabWithoutService has a machine on which nothing is set up, and a service that is away or does not answer: there is
// nothing, soon, and without a word.
func TestTabWithoutService(t *testing.T) {
	env := tabEnvironment(t)
	silent := httptest.NewServer(nil)
	silent.Close()
	for name, change := range map[string]func(map[string]string){
		"nothing is set up":      func(e map[string]string) { clear(e) },
		"the service is away":    func(e map[string]string) { e["QREDO_BASE_URL"] = silent.URL },
		"the key is not there":   func(e map[string]string) { e["QREDO_API_KEY_FILE"] = "/nowhere" },
		"the profile is unknown": func(e map[string]string) { e["QREDO_PROFILE"] = "nobody" },
		"the company is unknown": func(e map[string]string) { e["QREDO_COMPANY"] = "Nobody" },
	} {
		t.Run(name, func(t *testing.T) {
			changed := map[string]string{}
			for k, v := range env {
				changed[k] = v
			}
			change(changed)
			begun := time.Now()
			candidates, directive := tab(t, changed, "transfer", "create", "--from", "")
			assert.Empty(t, candidates)
			assert.Equal(t, ":36", directive)
			assert.Less(t, time.Since(begun), longestCompletion)
		})
	}
}

// TestTabTakesWhatCanBeTyped has names that play with the shell or the terminal: their wallets are there by ID, with
// the name in a form that does no harm.
func TestTabTakesWhatCanBeTyped(t *testing.T) {
	const id = treasuryID
	at := place{cmd: &cobra.Command{}}
	for name, want := range map[string][]string{
		"Client assets":    {"Client assets\t" + id, id + "\tClient assets"},
		"it's $(me) `x`":   {"it's $(me) `x`\t" + id, id + "\tit's $(me) `x`"}, // each shell's script quotes it: TestShells
		"--yes":            {id + "\t--yes"},
		"a\tb\n:36":        {id + "\t" + `a\tb\n:36`},
		"\x1b[2J":          {id + "\t" + `\u001b[2J`},
		"_activeHelp_ x":   {id + "\t_activeHelp_ x"},
		" leading":         {id + "\t leading"},
		"":                 {id},
		tradingID:          {id + "\t" + tradingID}, // it would be taken for the ID of another
		"maple otter wolf": {id + "\tmaple otter wolf"},
	} {
		assert.Equal(t, want, candidates([]thing{{ID: id, Name: name}}, true, at, ""), name)
	}
	two := []thing{{ID: "A", Name: "Ops"}, {ID: "B", Name: "ops"}, {ID: "C", Name: "Main"}}
	assert.Equal(t, []string{"Main\tC", "A\tOps", "B\tops", "C\tMain"}, candidates(two, true, at, ""), "a name that several have is no completion")
	assert.Equal(t, []string{"A\tOps", "B\tops", "C\tMain"}, candidates(two, false, at, ""), "where names are not taken")
	inList := place{cmd: &cobra.Command{}, list: true, head: "A,", typed: "B"}
	assert.Equal(t, []string{"A,Bob\t1"}, candidates([]thing{{ID: "1", Name: "Bob"}, {ID: "2", Name: "Bill, Inc"}}, true, inList, ""))
}

// TestTabIsKept asks the service once a minute, and once for each key, service and profile.
func TestTabIsKept(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	a := newTestApp()
	now := time.Now()
	a.now = func() time.Time { return now }
	asked := 0
	list := func() ([]thing, error) {
		asked++
		return []thing{{ID: fmt.Sprint(asked)}}, nil
	}
	get := func(by ...string) string {
		things, err := a.kept(by, list)
		require.NoError(t, err)
		return things[0].ID
	}
	assert.Equal(t, "1", get("service", "key", "profile"))
	assert.Equal(t, "1", get("service", "key", "profile"))
	assert.Equal(t, "2", get("service", "another key", "profile"))
	assert.Equal(t, "3", get("service", "key", "another profile"))
	assert.Equal(t, "4", get("servicekey", "", "profile"), "what it goes by is not run together")
	dir, err := os.UserCacheDir()
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(dir, "qredo", "completion", "*"))
	require.NoError(t, err)
	require.Len(t, files, 4)
	for _, f := range files {
		info, err := os.Stat(f)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		require.NoError(t, os.Chtimes(f, now, now))
	}
	now = now.Add(keptFor + time.Second)
	assert.Equal(t, "5", get("service", "key", "profile"))
	files, err = filepath.Glob(filepath.Join(dir, "qredo", "completion", "*"))
	require.NoError(t, err)
	assert.Len(t, files, 1, "what counts no more is removed")
	now = now.Add(-time.Hour)
	assert.Equal(t, "6", get("service", "key", "profile"), "what was kept in the future is not believed")
	require.NoError(t, os.WriteFile(files[0], []byte("{"), 0o600)) // cut
	assert.Equal(t, "7", get("service", "key", "profile"))
	_, err = a.kept([]string{"fails"}, func() ([]thing, error) { return nil, qredo.ErrServer })
	require.ErrorIs(t, err, qredo.ErrServer)
	_, found := a.readKept(filepath.Join(dir, "qredo", "completion", digest("fails")+".json"))
	assert.False(t, found, "a failure is not kept")
}
