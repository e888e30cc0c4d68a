package durable_test

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

	"github.com/qredo-go/qredo/internal/durable"
)

func TestLockIsForOneProgram(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "lock")
	first, err := durable.Lock(path)
	require.NoError(t, err)
	_, err = durable.Lock(path)
	require.ErrorIs(t, err, durable.ErrInUse)
	require.ErrorContains(t, err, "another program has "+dir+" open")
	require.NoError(t, first.Close())
	second, err := durable.Lock(path)
	require.NoError(t, err)
	require.NoError(t, second.Close())
	_, err = durable.Lock(filepath.Join(dir, "nowhere", "lock"))
	require.Error(t, err)
}

// TestHoldLock is the other program of TestLockBetweenPrograms.
func TestHoldLock(t *testing.T) {
	path := os.Getenv("QREDO_TEST_HOLD_LOCK")
	if path == "" {
		t.Skip("it is a program for TestLockBetweenPrograms")
	}
	lock, err := durable.Lock(path)
	require.NoError(t, err)
	_, _ = os.Stdout.WriteString("locked\n")
	_, _ = io.ReadAll(os.Stdin)
	require.NoError(t, lock.Close())
}

// TestLockBetweenPrograms holds a file in another process, which ends well, or is killed.
func TestLockBetweenPrograms(t *testing.T) {
	for _, killed := range []bool{false, true} {
		t.Run(fmt.Sprintf("killed %t", killed), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "lock")
			holder := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHoldLock$")
			holder.Env = append(os.Environ(), "QREDO_TEST_HOLD_LOCK="+path)
			in, err := holder.StdinPipe()
			require.NoError(t, err)
			out, err := holder.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, holder.Start())
			line, err := bufio.NewReader(out).ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "locked\n", line)

			_, err = durable.Lock(path)
			require.ErrorIs(t, err, durable.ErrInUse)
			if killed {
				require.NoError(t, holder.Process.Kill())
			} else {
				require.NoError(t, in.Close())
			}
			assert.Equal(t, killed, holder.Wait() != nil)
			lock, err := durable.Lock(path)
			require.NoError(t, err)
			require.NoError(t, lock.Close())
		})
	}
}
