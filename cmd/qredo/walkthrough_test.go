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
			// 1.5 − 0.4 − 0.25 in the treasury, and 0.4 less a fee of a thousandth in the other wallet.
			assert.Regexp(t, `Treasury +0 BTC-TESTNET +3 +0\.85 BTC-TESTNET +0\.85 BTC-TESTNET +0\.85 BTC-TESTNET +0 BTC-TESTNET +ok`, text)
			assert.Regexp(t, `Trading +0 BTC-TESTNET +1 +0\.3996 BTC-TESTNET`, text)
			assert.Contains(t, text, "BTC-TESTNET  1.2496 BTC-TESTNET") // holdings
			assert.Contains(t, text, c.ended)
			assert.True(t, strings.HasSuffix(text, "Done: the books add up.\n"), "it must come to its end")
		})
	}
}
