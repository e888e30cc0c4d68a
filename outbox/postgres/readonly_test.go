package postgres_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/pgtest"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/internal/storetest"
	"github.com/qredo-go/qredo/outbox/postgres"
)

// Opened for reading only, a store makes no tables, needs only SELECT, and changes nothing.
func testReadOnly(t *testing.T, database string) {
	ctx := t.Context()
	conn := connect(t, database)
	var schema string
	require.NoError(t, conn.QueryRow(ctx, `SELECT current_schema()`).Scan(&schema))
	_, err := postgres.OpenReadOnly(ctx, database)
	require.ErrorContains(t, err, "there is no outbox in schema "+schema)
	var tables int
	require.NoError(t, conn.QueryRow(ctx, `SELECT count(*) FROM pg_tables WHERE schemaname = $1`, schema).Scan(&tables))
	assert.Zero(t, tables)

	store := openStore(t, database)
	added, _, err := store.Add(ctx, storetest.Entry("a"))
	require.NoError(t, err)
	auditor := newRole(t, database, "auditor")
	_, err = conn.Exec(ctx, strings.NewReplacer("{schema}", schema, "{auditor}", auditor).Replace(
		`GRANT USAGE ON SCHEMA {schema} TO {auditor}; GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {auditor}`))
	require.NoError(t, err)
	for _, as := range []string{database, pgtest.With(database, "role", auditor)} {
		reader, err := postgres.OpenReadOnly(ctx, as)
		require.NoError(t, err)
		e, err := reader.Get(ctx, "a")
		require.NoError(t, err)
		assert.Equal(t, added, e)
		page, err := reader.Page(ctx, outbox.Filter{}, outbox.Entry{}, 10)
		require.NoError(t, err)
		assert.Equal(t, []outbox.Entry{added}, page)
		stats, err := reader.Stats(ctx)
		require.NoError(t, err)
		assert.Equal(t, map[outbox.State]int{outbox.StatePending: 1}, stats.States)
		storetest.RefusesChanges(t, reader)
		require.NoError(t, reader.Close())
	}
	_, err = postgres.Open(ctx, pgtest.With(database, "role", auditor))
	require.ErrorContains(t, err, "not to "+auditor)
	_, err = postgres.OpenReadOnly(ctx, database, postgres.WithSealingKey([]byte("a key of another outbox")))
	require.ErrorContains(t, err, "another sealing key")
	_, err = conn.Exec(ctx, `UPDATE qredo_outbox_schema SET version = version - 1`)
	require.NoError(t, err)
	_, err = postgres.OpenReadOnly(ctx, database)
	require.ErrorContains(t, err, "this program knows")
}
