package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// namespaces is the command that runs another with mounts and a network of its own, if this machine lets it.
func namespaces(t *testing.T) []string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("namespaces are Linux's")
	}
	for _, name := range []string{"unshare", "ip", "mount", "openssl"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("needs %s", name)
		}
	}
	var refused []byte
	for _, flags := range []string{"-mn", "-rmn"} { // as root; as anybody, who is root within
		var err error
		probe := command(t, nil, "unshare", flags, "sh", "-c", "ip link set lo up && mount --bind /etc/hosts /etc/hosts")
		if refused, err = probe.CombinedOutput(); err == nil {
			return []string{"unshare", flags}
		}
	}
	t.Skipf("needs to be allowed to make namespaces: %s", refused)
	return nil
}

// TestProgramsWrittenForTheService runs programs that have the service's URLs compiled in against the sandbox, as
// docs/foreign-clients.md says: their files are not changed, nor is anything of this machine.
func TestProgramsWrittenForTheService(t *testing.T) {
	unshare := namespaces(t)
	folder, err := filepath.Abs(filepath.Join("testdata", "foreign"))
	require.NoError(t, err)
	before, err := os.ReadFile("/etc/hosts")
	require.NoError(t, err)
	for _, program := range []struct{ interpreter, file, prints string }{
		{"python3", "client.py", "python: Acme BTC-TESTNET\n"},
		{"node", "client.mjs", "node: core-client 101 101\n"},
	} {
		t.Run(program.interpreter, func(t *testing.T) {
			if _, err := exec.LookPath(program.interpreter); err != nil {
				t.Skip("needs " + program.interpreter)
			}
			run := fmt.Sprintf("%s %s", program.interpreter, filepath.Join(folder, program.file))
			args := slices.Concat(unshare[1:], []string{"sh", filepath.Join(folder, "recipe.sh"), run})
			cmd := command(t, nil, unshare[0], args...)
			cmd.Dir = t.TempDir()
			out := new(strings.Builder)
			errs := new(strings.Builder)
			cmd.Stdout, cmd.Stderr = out, errs
			require.NoError(t, cmd.Run(), "%s%s", out, errs)
			assert.Equal(t, program.prints, out.String())
		})
	}
	after, err := os.ReadFile("/etc/hosts")
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after))
}
