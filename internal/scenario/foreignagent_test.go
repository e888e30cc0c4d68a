package scenario_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// python runs a program of testdata/signingagent, a Signing Agent in Python that shares no code with this module, and
// returns what it prints.
func python(t *testing.T, program string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3: ", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	probe := exec.CommandContext(ctx, path, "-c", "import hashlib, sys; hashlib.shake_256; sys.exit(sys.version_info < (3, 9))")
	if out, err := probe.CombinedOutput(); err != nil {
		t.Skip("python3 is not one of use: ", err, string(out))
	}
	// -B: it leaves no __pycache__ behind.
	args = append([]string{"-B", filepath.Join("testdata", "signingagent", program)}, args...)
	out, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// The Python agent computes what real agents do: where it and the sandbox disagree, the sandbox is wrong.
func TestForeignAgentsCryptography(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "vectors: a_keys 3, b_hashes_and_signatures 3, c_client_secrets_refused 8, c_secrets 1, c_pins 3, "+
		"d_one_pass 3, e_client_ids 1\n", python(t, "agent.py", "vectors", "testdata/signingagent/vectors.json"))
}

// An agent that was written from the protocol alone registers, approves and rejects, and its deliberate mistakes are
// refused. The program prints its checks, one per line; the test also checks the balances.
func TestForeignAgent(t *testing.T) {
	t.Parallel()
	keys := t.TempDir()
	srv := start(t, sandbox.WithKeyDir(keys))
	out := python(t, "scenario.py", srv.BaseURL(), keys)
	assert.NotContains(t, out, "FAILED")
	assert.Len(t, regexp.MustCompile(`(?m)^ok `).FindAllString(out, -1), 65, "%s", out)
	_, wallets, found := strings.Cut(out, "wallets ")
	require.True(t, found, "%s", out)
	fields := strings.Fields(wallets)
	require.Len(t, fields, 4)
	// 1,000,000 came, 500,000 went over and 100,000 back, for a fee of a thousandth each.
	for i, want := range []qredo.Amount{1_000_000 - 500_500 + 100_000, 500_000 - 100_100} {
		wallet, err := srv.Client().Wallets.Get(t.Context(), qredo.WalletID(fields[2*i]))
		require.NoError(t, err)
		assert.Equal(t, want, wallet.Balance)
		assert.Equal(t, strconv.FormatInt(int64(want), 10), fields[2*i+1])
	}
}
