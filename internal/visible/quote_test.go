package visible

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hostile are texts that would do something else than stand in a line.
var hostile = []string{
	"", " ", "two words", "'", `"`, `\`, "`id`", "$(id)", "$HOME", "a;id", "a|id", "a&id", "a>out", "#", "~", "*", "!!", "-n", "a'b'c", `'"'"'`, `\'`, `\0101`,
	"a\nid\n", "\n", "\n\n", "line\n", "\r\nid", "a\tb", "\x1b[31mred", "\x1b]0;title\a", "1000\u202e0005", "\u2066a\u2069", "zero\u200bwidth", "no\u00a0break",
	"\u2028", "\u0085", "\u009b31m", "bytes\xff\xc3'", "'; printf '%s' \x1b[2J; '", "%s%n", "%b\\0101\x07", "!\x07!", "Zürich 東京 🙂", "tag\U000e0041",
}

func TestShell(t *testing.T) {
	for text, want := range map[string]string{
		"3MpDUksyUoPj7HbVtM3GqSE4za7": "3MpDUksyUoPj7HbVtM3GqSE4za7",
		"":                            "''",
		"two words":                   "'two words'",
		"it's":                        `'it'\''s'`,
		"Zürich":                      "'Zürich'",
		"a\x1b[31mb":                  `"$(printf %b 'a\0033[31mb')"`,
		"line\n":                      "line'\n'",
	} {
		assert.Equal(t, want, Shell(text))
	}
}

// TestShellsReadWhatWasQuoted has the shells of this machine read the words.
func TestShellsReadWhatWasQuoted(t *testing.T) {
	shells := 0
	for _, shell := range []string{"sh", "dash", "bash", "busybox", "zsh"} {
		path, err := exec.LookPath(shell)
		if err != nil {
			t.Logf("%s is not on this machine", shell)
			continue
		}
		shells++
		args := []string{"-c"}
		if shell == "busybox" {
			args = []string{"sh", "-c"}
		}
		for _, text := range hostile {
			word := Shell(text)
			out, err := exec.CommandContext(t.Context(), path, append(args, "printf '%s|' "+word+" end")...).CombinedOutput()
			require.NoError(t, err, "%s: %q", shell, word)
			assert.Equal(t, text+"|end|", string(out), "%s: %s", shell, word)
			shown := strings.TrimRight(word, "'\n")
			assert.Equal(t, shown, Text(shown), "nothing in it that cannot be seen")
		}
	}
	assert.Positive(t, shells)
}

func FuzzShell(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ReplaceAll(text, "\x00", "")
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf '%s|' "+Shell(text)+" end").CombinedOutput()
		require.NoError(t, err)
		assert.Equal(t, text+"|end|", string(out))
	})
}

func FuzzJSON(f *testing.F) {
	for _, text := range hostile {
		f.Add([]byte(`{"a` + text + `":["` + text + `"], "n": 9007199254740993}`))
		data, err := json.Marshal(map[string]string{text: text})
		require.NoError(f, err)
		f.Add(data)
	}
	f.Add([]byte("{\n  \"a\": \"\x7f\xff\"\n}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		shown := JSON(data)
		if !json.Valid(data) {
			return
		}
		require.True(t, json.Valid(shown), "%q", shown)
		read := func(data []byte) (v any) {
			decoder := json.NewDecoder(bytes.NewReader(data))
			decoder.UseNumber()
			require.NoError(t, decoder.Decode(&v))
			return v
		}
		assert.Equal(t, read(data), read(shown))
		for _, line := range strings.FieldsFunc(string(shown), func(r rune) bool { return strings.ContainsRune(" \t\r\n", r) }) {
			assert.Equal(t, line, Text(line))
		}
		assert.True(t, utf8.Valid(shown))
	})
}
