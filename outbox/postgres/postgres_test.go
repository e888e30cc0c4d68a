package postgres_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/internal/storetest"
	"github.com/qredo-go/qredo/outbox/postgres"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPostgres(t *testing.T) {
	database := startServer(t)
	open := func(t *testing.T) outbox.Store {
		t.Helper()
		return openStore(t, newSchema(t, database))
	}
	storetest.Run(t, open)
	t.Run("programs that start together make the schema once", func(t *testing.T) { testTogether(t, newSchema(t, database)) })
	t.Run("a schema of a later version is refused", func(t *testing.T) { testLaterVersion(t, newSchema(t, database)) })
	t.Run("a database that may forget is refused", func(t *testing.T) {
		_, err := postgres.Open(t.Context(), with(newSchema(t, database), "synchronous_commit", "off"))
		require.ErrorContains(t, err, "might be lost")
	})
	t.Run("many programs send from one outbox", func(t *testing.T) { testPrograms(t, newSchema(t, database)) })
	t.Run("times in columns", func(t *testing.T) { testTimes(t, newSchema(t, database)) })
	t.Run("a database that is not there", func(t *testing.T) {
		_, err := postgres.Open(t.Context(), "host=127.0.0.1 port=1 user=nobody")
		require.Error(t, err)
		_, err = postgres.Open(t.Context(), "port=none")
		require.Error(t, err)
	})
}

func TestNoPasswordInErrors(t *testing.T) {
	for _, database := range []string{
		"postgres://u:s3cret/x@h/db",
		"postgres://u@h/db?password=s3cret&port=bad",
		"host=x password = s3cret port=bad",
	} {
		_, err := postgres.Open(t.Context(), database)
		require.Error(t, err)
		for e := err; e != nil; e = errors.Unwrap(e) {
			assert.NotContains(t, fmt.Sprintf("%v %+v %#v", e, e, e), "s3cret", database)
		}
	}
}

func openStore(t *testing.T, database string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), database)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
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
	s := openStore(t, database)
	_, added, err := s.Add(t.Context(), storetest.Entry("a"))
	require.NoError(t, err)
	assert.True(t, added)
	_, err = openStore(t, database).Get(t.Context(), "a")
	require.NoError(t, err)
}

func testLaterVersion(t *testing.T, database string) {
	openStore(t, database)
	conn, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	defer func() { assert.NoError(t, conn.Close(t.Context())) }()
	_, err = conn.Exec(t.Context(), `INSERT INTO qredo_outbox_schema VALUES (99)`)
	require.NoError(t, err)
	_, err = postgres.Open(t.Context(), database)
	require.ErrorContains(t, err, "version 99")
}
