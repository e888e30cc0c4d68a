// Package pgtest starts a PostgreSQL server for tests, and crashes it.
package pgtest

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
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// Variable names the database to use, as a URL or by keywords. Tests make schemas of their own in it.
const Variable = "QREDO_TEST_POSTGRES"

// superuser is the user that the server runs as when the tests are run by root, which it refuses, and the name of its
// first role.
const superuser = "postgres"

// Database returns a database: the one that is named, or one of a server that is started for the test. Without one, and
// without PostgreSQL's programs, the test is skipped.
func Database(t testing.TB) string {
	t.Helper()
	if database := os.Getenv(Variable); database != "" {
		return database
	}
	return Start(t).Database()
}

// Server is a server of the test's own, on the loopback.
type Server struct {
	*Programs
	port string
}

// Start starts a server, which ends with the test. Without PostgreSQL's programs the test is skipped.
func Start(t testing.TB) *Server {
	t.Helper()
	programs, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_ctl")
	if err != nil || len(programs) == 0 {
		t.Skipf("no PostgreSQL: %s is not set and /usr/lib/postgresql/*/bin/pg_ctl is not there", Variable)
	}
	s := &Server{Programs: NewPrograms(t, filepath.Dir(slices.Max(programs))), port: FreePort(t)}
	s.Run("initdb", "-D", s.data(), "-U", superuser, "-A", "trust", "-E", "UTF8", "--no-sync")
	s.Restart()
	t.Cleanup(s.Crash)
	return s
}

// Database names the server's database.
func (s *Server) Database() string {
	return fmt.Sprintf("host=127.0.0.1 port=%s user=%s dbname=postgres sslmode=disable", s.port, superuser)
}

// Crash ends the server as a crash of its machine would: connections break, and nothing is written any more.
func (s *Server) Crash() { s.Run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", s.data()) }

// Restart starts the server again, which recovers what was committed.
func (s *Server) Restart() {
	s.t.Helper()
	s.Run("pg_ctl", "start", "-w", "-D", s.data(), "-l", filepath.Join(s.Dir, "log"), "-o", "-h 127.0.0.1 -k '' -c max_connections=200 -p "+s.port)
}

func (s *Server) data() string { return filepath.Join(s.Dir, "data") }

// Programs are run in a folder of their own. When the test is run by root, whom PostgreSQL's programs refuse, they are run by
// the account that PostgreSQL has, which the folder then belongs to.
type Programs struct {
	Dir string
	t   testing.TB
	bin string
	as  []string
}

// NewPrograms returns the programs of a folder.
func NewPrograms(t testing.TB, bin string) *Programs {
	t.Helper()
	p := &Programs{t: t, bin: bin, Dir: t.TempDir()}
	if os.Getuid() != 0 {
		return p
	}
	p.as = []string{"runuser", "-u", superuser, "--"}
	account, err := user.Lookup(superuser)
	require.NoError(t, err)
	id, err := strconv.Atoi(account.Uid)
	require.NoError(t, err)
	require.NoError(t, os.Chown(p.Dir, id, -1))
	require.NoError(t, os.Chmod(filepath.Dir(p.Dir), 0o711)) //nolint:gosec // so that the programs may pass through it
	return p
}

// Run runs a program to its end.
func (p *Programs) Run(program string, args ...string) {
	p.t.Helper()
	command := slices.Concat(p.as, []string{filepath.Join(p.bin, program)}, args)
	cmd := exec.CommandContext(context.Background(), command[0], command[1:]...) //nolint:gosec // a test names it
	cmd.Dir = p.Dir
	// Not a pipe: a server that it starts would inherit it and keep it open.
	output, err := os.Create(filepath.Join(filepath.Dir(p.Dir), program+".out"))
	require.NoError(p.t, err)
	cmd.Stdout, cmd.Stderr = output, output
	failed := errors.Join(cmd.Run(), output.Close())
	said, err := os.ReadFile(output.Name())
	require.NoError(p.t, err)
	require.NoError(p.t, failed, "%s: %s", strings.Join(command, " "), said)
}

// FreePort returns a port of the loopback that nobody listens at.
func FreePort(t testing.TB) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return port
}

var schemas atomic.Int64

// Schema makes an empty schema for a test and returns the database with it as search path.
func Schema(t testing.TB, database string) string {
	t.Helper()
	ctx := context.Background() //nolint:usetesting // also for the cleanup
	name := fmt.Sprintf("test_%d_%d_%s", os.Getpid(), schemas.Add(1), strings.ToLower(strings.Map(letters, t.Name())))
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
	return With(database, "search_path", name)
}

// With returns a database with a setting of the connection.
func With(database, setting, value string) string {
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
