// Package redistest starts a Redis server for tests, and crashes it.
package redistest

import (
	"net"
	"os/exec"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// Durable is how approver/redis demands that a server is started.
var Durable = []string{"--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction", "--lazyfree-lazy-expire", "yes"}

// Server is a redis-server of the test's own, on the loopback.
type Server struct {
	Address string

	t      testing.TB
	binary string
	args   []string
	cmd    *exec.Cmd
}

// Start starts a server, which ends with the test. Where redis-server is not installed the test is skipped.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skipf("redis-server is not installed (apt-get install redis-server): %v", err)
	}
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := free.Addr().String()
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	require.NoError(t, free.Close())
	s := &Server{Address: address, t: t, binary: binary, args: append([]string{"--bind", "127.0.0.1", "--port", port, "--dir", t.TempDir()}, args...)}
	s.start()
	t.Cleanup(s.kill)
	return s
}

func (s *Server) start() {
	s.t.Helper()
	s.cmd = exec.Command(s.binary, s.args...) //nolint:gosec,noctx // a test's own server, which its end kills
	require.NoError(s.t, s.cmd.Start())
	client := goredis.NewClient(&goredis.Options{Addr: s.Address})
	require.Eventually(s.t, func() bool { return client.Ping(s.t.Context()).Err() == nil }, 10*time.Second, 10*time.Millisecond)
	require.NoError(s.t, client.Close())
}

func (s *Server) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait() // says that it was killed
}

// Crash kills the server, as a crash of it would, and starts it again with the files that it has.
func (s *Server) Crash() {
	s.kill()
	s.start()
}
