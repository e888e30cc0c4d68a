package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// testDatabase names the database to use, as a URL or by keywords. Tests make schemas of their own in it.
const testDatabase = "QREDO_TEST_POSTGRES"

// superuser is who the server runs as when the tests are run by root, whom it refuses, and the name of its
// first role.
const superuser = "postgres"

// startServer returns a database: the one that is named, or one of a server that is started for the test, if
// its programs are installed. Without one the test is skipped.
func startServer(t *testing.T) string {
	t.Helper()
	if database := os.Getenv(testDatabase); database != "" {
		return database
	}
	programs, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_ctl")
	if err != nil || len(programs) == 0 {
		t.Skipf("no PostgreSQL: %s is not set and /usr/lib/postgresql/*/bin/pg_ctl is not there", testDatabase)
	}
	s := server{t: t, bin: filepath.Dir(slices.Max(programs))}
	if os.Getuid() == 0 {
		s.as = []string{"runuser", "-u", superuser, "--"}
	}
	s.makeFolder()
	data, log := filepath.Join(s.dir, "data"), filepath.Join(s.dir, "log")
	s.run("initdb", "-D", data, "-U", superuser, "-A", "trust", "-E", "UTF8", "--no-sync")
	port := freePort(t)
	s.run("pg_ctl", "start", "-w", "-D", data, "-l", log, "-o", "-h 127.0.0.1 -k '' -p "+port)
	t.Cleanup(func() { s.run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", data) })
	return fmt.Sprintf("host=127.0.0.1 port=%s user=%s dbname=postgres sslmode=disable", port, superuser)
}

type server struct {
	t        *testing.T
	bin, dir string
	as       []string
}

// makeFolder makes a folder that belongs to whom the server runs as.
func (s *server) makeFolder() {
	s.t.Helper()
	s.dir = s.t.TempDir()
	if s.as == nil {
		return
	}
	account, err := user.Lookup(superuser)
	require.NoError(s.t, err)
	id, err := strconv.Atoi(account.Uid)
	require.NoError(s.t, err)
	require.NoError(s.t, os.Chown(s.dir, id, -1))
	require.NoError(s.t, os.Chmod(filepath.Dir(s.dir), 0o711)) // so that the server may pass through it
}

func (s *server) run(program string, args ...string) {
	s.t.Helper()
	command := slices.Concat(s.as, []string{filepath.Join(s.bin, program)}, args)
	cmd := exec.CommandContext(context.Background(), command[0], command[1:]...)
	cmd.Dir = s.dir
	// Not a pipe: the server would inherit it and keep it open.
	output, err := os.Create(filepath.Join(filepath.Dir(s.dir), program+".out"))
	require.NoError(s.t, err)
	cmd.Stdout, cmd.Stderr = output, output
	failed := errors.Join(cmd.Run(), output.Close())
	said, err := os.ReadFile(output.Name())
	require.NoError(s.t, err)
	require.NoError(s.t, failed, "%s: %s", strings.Join(command, " "), said)
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return port
}

// newSchema makes an empty schema for a test and returns the database with it as search path.
func newSchema(t *testing.T, database string) string {
	t.Helper()
	ctx := context.Background() //nolint:usetesting // also for the cleanup
	name := fmt.Sprintf("test_%d_%s", os.Getpid(), strings.ToLower(strings.Map(letters, t.Name())))
	name = name[:min(len(name), 50)]
	exec := func(statement string) {
		t.Helper()
		conn, err := pgx.Connect(ctx, database)
		require.NoError(t, err)
		defer func() { require.NoError(t, conn.Close(ctx)) }()
		_, err = conn.Exec(ctx, statement)
		require.NoError(t, err)
	}
	exec("DROP SCHEMA IF EXISTS " + name + " CASCADE")
	exec("CREATE SCHEMA " + name)
	t.Cleanup(func() { exec("DROP SCHEMA " + name + " CASCADE") })
	return with(database, "search_path", name)
}

// with returns a database with a setting of the connection.
func with(database, setting, value string) string {
	if u, err := url.Parse(database); err == nil && u.Scheme != "" {
		query := u.Query()
		query.Set(setting, value)
		u.RawQuery = query.Encode()
		return u.String()
	}
	return database + " " + setting + "=" + value
}

func letters(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
		return r
	}
	return -1
}
