package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/inbox/internal/storetest"
	"github.com/qredo-go/qredo/inbox/postgres"
	"github.com/qredo-go/qredo/internal/pgtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPostgres(t *testing.T) {
	database := pgtest.Database(t)
	schema := func(t *testing.T, setting, value string) string {
		t.Helper()
		return pgtest.With(pgtest.Schema(t, database), setting, value)
	}
	t.Run("Open", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) inbox.Store[pgx.Tx] {
			t.Helper()
			return openStore(t, schema(t, "application_name", "test"))
		})
	})
	t.Run("New", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) inbox.Store[pgx.Tx] {
			t.Helper()
			return newStore(t, schema(t, "default_transaction_isolation", "serializable"))
		})
	})
	t.Run("OpenDB", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) inbox.Store[*sql.Tx] {
			t.Helper()
			return openDB(t, schema(t, "default_query_exec_mode", "exec")) // as behind a pooler
		})
	})
	for name, test := range map[string]func(t *testing.T, database string){
		"programs that start together make the schema once": testTogether,
		"a schema of a later version is refused":            testLaterVersion,
		"a database that may forget is refused":             testForgetful,
		"a database that cannot keep all texts is refused":  testEncoding,
		"tables that others can change are refused":         testTables,
		"who only looks":                         testReadOnly,
		"two programs share an inbox":            testPrograms,
		"a pooler between":                       testPooler,
		"handed over with pgx":                   func(t *testing.T, database string) { t.Helper(); testHandling(t, database, pgxWay) },
		"handed over with database/sql":          func(t *testing.T, database string) { t.Helper(); testHandling(t, database, sqlWay) },
		"a handler leaves what cannot be stored": testBlamed,
		"a small pool":                           testSmallPool,
		"a handler hangs with what is refused":   testHangs,
		"what is known is read once":             testAtRest,
		"a backlog is not read to its end":       testBacklog,
		"what changes while it is recorded":      testRecordBesideUpdates,
		"an alias is told by two at a time":      testAliasTogether,
		"what is stored is not of this version":  testUnreadable,
		"the form of the tables":                 testForm,
	} {
		t.Run(name, func(t *testing.T) { test(t, pgtest.Schema(t, database)) })
	}
}

func TestNoDatabase(t *testing.T) {
	_, err := postgres.Open(t.Context(), "host=127.0.0.1 port=1 user=nobody")
	require.ErrorContains(t, err, "inbox: ")
	_, err = postgres.Open(t.Context(), "port=none")
	require.Error(t, err)
	invalid := (*qredo.ValidationError)(nil)
	_, err = postgres.New(t.Context(), nil)
	require.ErrorAs(t, err, &invalid)
	_, err = postgres.OpenDB(t.Context(), nil)
	require.ErrorAs(t, err, &invalid)
}

func TestNoPasswordInErrors(t *testing.T) {
	for _, database := range []string{"postgres://u:s3cret/x@h/db", "postgres://u@h/db?password=s3cret&port=bad", "host=x password = s3cret port=bad"} {
		_, err := postgres.Open(t.Context(), database)
		require.Error(t, err)
		for e := err; e != nil; e = errors.Unwrap(e) {
			assert.NotContains(t, fmt.Sprintf("%v %+v %#v", e, e, e), "s3cret", database)
		}
	}
}

func openStore(t testing.TB, database string) *postgres.Store[pgx.Tx] {
	t.Helper()
	s, err := postgres.Open(t.Context(), database)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func newStore(t *testing.T, database string) *postgres.Store[pgx.Tx] {
	t.Helper()
	s, err := postgres.New(t.Context(), newPool(t, database))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func newPool(t testing.TB, database string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), database)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

func openDB(t *testing.T, database string) *postgres.Store[*sql.Tx] {
	t.Helper()
	db, err := sql.Open("pgx", database)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	s, err := postgres.OpenDB(t.Context(), db)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

// connect returns a connection of the test's own.
func connect(t *testing.T, database string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) })
	return conn
}

// exec runs statements on a connection of their own.
func exec(t *testing.T, database, statements string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	defer func() { assert.NoError(t, conn.Close(t.Context())) }()
	_, err = conn.Exec(t.Context(), statements)
	require.NoError(t, err)
}

func testTogether(t *testing.T, database string) {
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			s, err := postgres.Open(t.Context(), database)
			if assert.NoError(t, err) {
				assert.NoError(t, s.Close())
			}
		})
	}
	wg.Wait()
	record(t, openStore(t, database), storetest.Seen("a"))
	_, err := openStore(t, database).Get(t.Context(), "a")
	require.NoError(t, err)
}

func testLaterVersion(t *testing.T, database string) {
	openStore(t, database)
	exec(t, database, `INSERT INTO qredo_inbox_schema VALUES (99)`)
	_, err := postgres.Open(t.Context(), database)
	require.ErrorContains(t, err, "version 99")
	_, err = postgres.OpenReadOnly(t.Context(), database)
	require.ErrorContains(t, err, "version 99")
}

func testForgetful(t *testing.T, database string) {
	_, err := postgres.Open(t.Context(), pgtest.With(database, "synchronous_commit", "off"))
	require.ErrorContains(t, err, "might be lost")
}
