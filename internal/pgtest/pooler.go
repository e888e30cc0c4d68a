package pgtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/backoff"
)

// Pooler starts PgBouncer in front of a database of its own, which the name that it returns leads to. It gives each
// transaction one of two connections, and knows nothing of prepared statements: versions before 1.21 never do. Without PgBouncer the test is skipped.
func Pooler(t testing.TB, database string) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program = "/usr/sbin/pgbouncer"
	}
	if _, err := os.Stat(program); err != nil {
		t.Skipf("no PgBouncer: %s", err)
	}
	ctx := context.Background() //nolint:usetesting // also for the cleanup
	conn, err := pgx.Connect(ctx, database)
	require.NoError(t, err)
	name := fmt.Sprintf("test_%d_pooled", os.Getpid())
	_, err = conn.Exec(ctx, `CREATE DATABASE `+name)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := conn.Exec(ctx, `DROP DATABASE `+name+` WITH (FORCE)`)
		require.NoError(t, err)
		require.NoError(t, conn.Close(ctx))
	})
	s := NewPrograms(t, filepath.Dir(program))
	port, to := FreePort(t), conn.Config()
	config, pid := filepath.Join(s.Dir, "pgbouncer.ini"), filepath.Join(s.Dir, "pid")
	password := ""
	if to.Password != "" {
		password = "password='" + to.Password + "'"
	}
	settings := fmt.Appendf(nil, `[databases]
* = host=%s port=%d user=%s %s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
logfile = %s
pidfile = %s
auth_type = any
pool_mode = transaction
default_pool_size = 2
max_client_conn = 200
`, to.Host, to.Port, to.User, password, port, filepath.Join(s.Dir, "log"), pid)
	require.NoError(t, os.WriteFile(config, settings, 0o644)) //nolint:gosec // PgBouncer may run as another user
	s.Run("pgbouncer", "-d", config)
	t.Cleanup(func() {
		written, err := os.ReadFile(pid)
		require.NoError(t, err)
		number, err := strconv.Atoi(strings.TrimSpace(string(written)))
		require.NoError(t, err)
		process, err := os.FindProcess(number)
		require.NoError(t, err)
		require.NoError(t, process.Kill())
	})
	database = "host=127.0.0.1 port=" + port + " user=anybody sslmode=disable dbname=" + name
	starting, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(starting, database)
		if err == nil {
			require.NoError(t, conn.Close(starting))
			return database
		}
		require.NoError(t, backoff.Wait(starting, 10*time.Millisecond), "%s", err)
	}
}
