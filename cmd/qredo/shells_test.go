package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// The shells, as far as they complete: what they are given is a line that is not complete, and what they have done with
// the script of "qredo completion" is printed, a candidate a line.
var shells = map[string]func(words []string) string{
	// Where the package bash-completion is not there, what the script needs of it is short.
	"bash": func(words []string) string {
		return `_get_comp_words_by_ref() { cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cword=$COMP_CWORD; words=("${COMP_WORDS[@]}"); }
			_filedir() { echo "files:$1"; }
			compopt() { :; }
			source <(qredo completion bash)
			COLUMNS=200 COMP_TYPE=9 COMP_KEY=9 COMP_WORDS=(` + quotedWords(words) + `) COMP_CWORD=` + fmt.Sprint(len(words)-1) + `
			__start_qredo
			((${#COMPREPLY[@]})) && printf '%s\n' "${COMPREPLY[@]}"; :`
	},
	"zsh": func(words []string) string {
		return `compdef() { :; }
			_describe() { print -rl -- "${completions[@]}"; }
			_arguments() { print -rl -- "files:$*"; }
			source <(qredo completion zsh)
			words=(` + quotedWords(words) + `) CURRENT=` + fmt.Sprint(len(words)) + `
			_qredo; :`
	},
	"fish": func(words []string) string {
		return "qredo completion fish | source\ncomplete --do-complete " + quoteWord(strings.Join(words, " "))
	},
}

func quotedWords(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quoteWord(w)
	}
	return strings.Join(quoted, " ")
}

func quoteWord(w string) string { return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'" }

// TestShells has the shells complete, against a sandbox. A wallet's name does nothing there but stand there.
func TestShells(t *testing.T) {
	s := serve(t, nil)
	const evil = "Evil $(touch pwned) `touch pwned`; touch pwned # 'it' \"is\" \\n"
	_, err := s.client.Funds.AddWallets(t.Context(), s.Company, s.Fund, []qredo.WalletRequest{
		{Name: evil, Asset: "ETH-TESTNET"}, {Name: "--yes", Asset: "ETH-TESTNET"}, {Name: "new\nline\x1b[2J", Asset: "ETH-TESTNET"},
	})
	require.NoError(t, err)
	for shell, script := range shells {
		t.Run(shell, func(t *testing.T) {
			program, err := exec.LookPath(shell)
			if err != nil {
				t.Skipf("there is no %s here", shell)
			}
			dir := t.TempDir()
			complete := func(words ...string) string {
				cmd := command(t, s.environ(), program, map[string][]string{"bash": {"--norc", "--noprofile"}, "zsh": {"-f"}, "fish": {"--no-config"}}[shell]...)
				cmd.Args = append(cmd.Args, "-c", script(append([]string{"qredo"}, words...)))
				cmd.Dir = dir
				out, err := cmd.CombinedOutput()
				require.NoError(t, err, "%s", out)
				return string(out)
			}
			assert.Contains(t, complete("fee", "--type", ""), "withdraw\ntransfer\nswap")
			wallets := complete("transfer", "create", "--from", "")
			for _, want := range []string{"Treasury", string(s.Treasury), "BTC-TESTNET, in fund Client assets", "--yes", `new\nline\u001b[2J`, "Evil"} {
				assert.Contains(t, wallets, want)
			}
			assert.NotContains(t, wallets, "\x1b")
			assert.NotRegexp(t, `(?m)^\s*--yes`, wallets, "it would be a flag")
			assert.Contains(t, complete("transfer", "create", "--from", "Tre"), "Treasury")
			assert.NotContains(t, complete("transfer", "create", "--from", "Tre"), "Trading")
			assert.Contains(t, complete("fund", "get", "Cli"), map[bool]string{true: `Client\ assets`, false: "Client assets"}[shell == "bash"])
			assert.Contains(t, complete("sandbox", "approve", "alice@example.com", ""), string(s.PendingTransfer))
			assert.Contains(t, complete("--company", `Demo\ M`), "Maker", "a name with a space, as it is typed")
			if shell != "fish" { // which has no such filter
				assert.Regexp(t, `files:.*yaml`, complete("agent", "run", "--policy", ""))
			}
			one := complete("transfer", "create", "--from", "Evi")
			if shell == "bash" { // the one candidate stands on the line as it is
				out, err := exec.CommandContext(t.Context(), program, "-c", "printf %s "+strings.TrimSuffix(one, "\n")).Output()
				require.NoError(t, err)
				assert.Equal(t, evil, string(out))
			}
			_, err = os.Stat(filepath.Join(dir, "pwned"))
			require.ErrorIs(t, err, os.ErrNotExist)
		})
	}
}
