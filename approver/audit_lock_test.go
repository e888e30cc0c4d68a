package approver_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/approver"
)

// TestHoldAuditLog is the other program of TestAuditLogBetweenPrograms.
func TestHoldAuditLog(t *testing.T) {
	path := os.Getenv("QREDO_TEST_HOLD_LOG")
	if path == "" {
		t.Skip("it is a program for TestAuditLogBetweenPrograms")
	}
	log, err := approver.OpenAuditLog(path)
	require.NoError(t, err)
	_, _ = os.Stdout.WriteString("open\n")
	_, _ = io.ReadAll(os.Stdin)
	require.NoError(t, log.Close())
}

// TestAuditLogBetweenPrograms has a log open in another process, which ends well, or is killed.
func TestAuditLogBetweenPrograms(t *testing.T) {
	for _, killed := range []bool{false, true} {
		t.Run(fmt.Sprintf("killed %t", killed), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "audit.jsonl")
			holder := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHoldAuditLog$")
			holder.Env = append(os.Environ(), "QREDO_TEST_HOLD_LOG="+path)
			in, err := holder.StdinPipe()
			require.NoError(t, err)
			out, err := holder.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, holder.Start())
			line, err := bufio.NewReader(out).ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "open\n", line)

			_, err = approver.OpenAuditLog(path)
			require.ErrorContains(t, err, "another process may be writing it")
			if killed {
				require.NoError(t, holder.Process.Kill())
			} else {
				require.NoError(t, in.Close())
			}
			assert.Equal(t, killed, holder.Wait() != nil)
			log, err := approver.OpenAuditLog(path)
			require.NoError(t, err)
			_, err = approver.OpenAuditLog(path)
			require.ErrorContains(t, err, "another process may be writing it", "nor may this program write it twice")
			require.NoError(t, log.Close())
		})
	}
}
