package durabletest

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const heldPath = "QREDO_TEST_HELD_PATH"

// Hold is the test that [InProcess] runs in another process: it keeps a path open until its standard input ends. Run in any other
// way it skips.
func Hold(t *testing.T, open func(path string) (io.Closer, error)) {
	t.Helper()
	path := os.Getenv(heldPath)
	if path == "" {
		t.Skip("only for the test that starts it as another process")
	}
	held, err := open(path)
	require.NoError(t, err)
	_, _ = os.Stdout.WriteString("open\n")
	_, _ = io.ReadAll(os.Stdin)
	require.NoError(t, held.Close())
}

// InProcess holds a path open in another process, by the test of that name, which calls [Hold]. The function that it returns ends
// that process, in good order or by killing it.
func InProcess(t *testing.T, test, path string) (end func(kill bool)) {
	t.Helper()
	holder := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$") //nolint:gosec // G204: the test binary itself
	holder.Env = append(os.Environ(), heldPath+"="+path)
	in, err := holder.StdinPipe()
	require.NoError(t, err)
	out, err := holder.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, holder.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "open\n", line)
	return func(kill bool) {
		if kill {
			require.NoError(t, holder.Process.Kill())
		} else {
			require.NoError(t, in.Close())
		}
		assert.Equal(t, kill, holder.Wait() != nil)
	}
}
