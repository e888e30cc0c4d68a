package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWalkthrough runs the example of the whole job: against a sandbox of its own, and twice against one that
// is there.
func TestWalkthrough(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skipf("the walkthrough is a script for sh, which is not here: %v", err)
	}
	script, err := filepath.Abs(filepath.Join("..", "..", "examples", "shell", "walkthrough.sh"))
	require.NoError(t, err)
	s := serve(t, nil)
	for _, c := range []struct {
		name  string
		env   []string
		ended string
	}{
		{"own sandbox", nil, "ended as expired"},
		{"another", s.environ(), "ended as custody_rejected"},
		{"again", s.environ(), "ended as custody_rejected"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := command(t, c.env, "sh", script).CombinedOutput()
			require.NoError(t, err, string(out))
			text := string(out)
			// 1.5 − 0.4004 − 0.25025 in the treasury, with a fee of a thousandth on each, and 0.4 in the other wallet.
			assert.Regexp(t, `Treasury +0 BTC-TESTNET +3 +0\.84935 BTC-TESTNET +0\.84935 BTC-TESTNET +0\.84935 BTC-TESTNET +0 BTC-TESTNET +ok`, text)
			assert.Regexp(t, `Trading +0 BTC-TESTNET +1 +0\.4 +BTC-TESTNET`, text)
			assert.Contains(t, text, "BTC-TESTNET  1.24935") // holdings
			assert.Contains(t, text, c.ended)
			assert.True(t, strings.HasSuffix(text, "Done: the books add up.\n"), "it must come to its end")
		})
	}
}
