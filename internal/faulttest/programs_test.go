package faulttest

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/backoff"
)

// program returns a process of this test binary that runs a test with orders in a file, which a variable of its environment names: the
// test then is that program.
func program(t *testing.T, test, variable, path string, orders any) *exec.Cmd {
	t.Helper()
	data, err := json.Marshal(orders)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	cmd, err := child(t, []string{variable + "=" + path}, "-test.run=^"+test+"$")
	require.NoError(t, err)
	return cmd
}

// childOf, in the environment, says that a process of this test binary ends with its standard input.
const childOf = "FAULTTEST_CHILD"

// child returns a process of this test binary, with more in its environment. It ends with the test at the latest: also where that is killed,
// which closes the process's standard input.
func child(t *testing.T, env []string, args ...string) (*exec.Cmd, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = slices.Concat(os.Environ(), env, []string{childOf + "=1"})
	cmd.Stderr = os.Stderr
	_, err := cmd.StdinPipe()
	return cmd, err
}

// endWithParent ends the process with its standard input.
func endWithParent() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Kill()
	}
}

// read reads the orders of a program.
func read(t *testing.T, path string, orders any) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, orders))
}

// clientOf is the client of an account whose key is in a file.
func clientOf(t *testing.T, keyFile, apiKey, baseURL string, opts ...qredo.Option) *qredo.Client {
	t.Helper()
	key, err := qredo.LoadPrivateKey(keyFile)
	require.NoError(t, err)
	auth, err := qredo.NewRSAAuth(apiKey, key)
	require.NoError(t, err)
	client, err := qredo.NewClient(auth, append(opts, qredo.WithBaseURL(baseURL))...)
	require.NoError(t, err)
	return client
}

// kill ends a process without a warning, as kill -9 does.
func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // it was killed, which Wait calls an error
}

// blow is something that is done several times.
type blow struct {
	times  int
	strike func()
}

// strikes are all blows, in an order of chance.
func strikes(seed uint64, blows ...blow) (list []func()) {
	for _, b := range blows {
		for range b.times {
			list = append(list, b.strike)
		}
	}
	random := rand.New(rand.NewPCG(seed, 1))
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// waitFor waits until something reaches a count.
func waitFor(t *testing.T, n int, count func() int) {
	t.Helper()
	require.True(t, comes(t, n, count))
}

// comes waits until something reaches a count, or has not grown for a long time.
func comes(t *testing.T, n int, count func() int) bool {
	t.Helper()
	const patience = time.Minute
	for last, since := -1, time.Now(); ; {
		now := count()
		if now >= n {
			return true
		}
		if now > last {
			last, since = now, time.Now()
		}
		if time.Since(since) > patience || backoff.Wait(t.Context(), 20*time.Millisecond) != nil {
			t.Logf("%d of %d", now, n)
			return false
		}
	}
}
