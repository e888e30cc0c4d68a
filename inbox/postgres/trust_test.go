package postgres_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/inbox/internal/storetest"
	"github.com/qredo-go/qredo/inbox/postgres"
	"github.com/qredo-go/qredo/internal/pgtest"
)

func testEncoding(t *testing.T, database string) {
	conn, name := connect(t, database), fmt.Sprintf("test_%d_inbox_latin", os.Getpid())
	_, err := conn.Exec(t.Context(), `CREATE DATABASE `+name+` ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`)
	require.NoError(t, err)
	t.Cleanup(func() {
		conn, err := pgx.Connect(context.WithoutCancel(t.Context()), database)
		require.NoError(t, err)
		_, err = conn.Exec(context.WithoutCancel(t.Context()), `DROP DATABASE `+name+` WITH (FORCE)`)
		require.NoError(t, err)
		require.NoError(t, conn.Close(context.WithoutCancel(t.Context())))
	})
	_, err = postgres.Open(t.Context(), pgtest.With(pgtest.With(database, "dbname", name), "search_path", "public"))
	require.ErrorContains(t, err, "LATIN1")
}

// testTables has tables that another role, or something in the database, can change or lose.
func testTables(t *testing.T, database string) {
	role := fmt.Sprintf("test_%d_inbox_mallory", os.Getpid())
	exec(t, database, `CREATE ROLE `+role)
	t.Cleanup(func() {
		conn, err := pgx.Connect(context.WithoutCancel(t.Context()), database)
		require.NoError(t, err)
		_, err = conn.Exec(context.WithoutCancel(t.Context()), `DROP OWNED BY `+role+`; DROP ROLE `+role)
		require.NoError(t, err)
		require.NoError(t, conn.Close(context.WithoutCancel(t.Context())))
	})
	for change, reason := range map[string]string{
		`ALTER TABLE qredo_inbox OWNER TO ` + role:                              "qredo_inbox in schema %s belongs to " + role,
		`ALTER TABLE qredo_inbox_source OWNER TO ` + role:                       "qredo_inbox_source in schema %s belongs to " + role,
		`ALTER TABLE qredo_inbox_begin OWNER TO ` + role:                        "qredo_inbox_begin in schema %s belongs to " + role,
		`ALTER TABLE qredo_inbox_schema OWNER TO ` + role:                       "qredo_inbox_schema in schema %s belongs to " + role,
		`CREATE RULE more AS ON INSERT TO qredo_inbox_source DO ALSO NOTHING`:   "qredo_inbox_source in schema %s has the rule more",
		`ALTER TABLE qredo_inbox ENABLE ROW LEVEL SECURITY`:                     "qredo_inbox in schema %s has row-level security",
		`ALTER TABLE qredo_inbox_source SET UNLOGGED`:                           "qredo_inbox_source in schema %s is temporary or UNLOGGED",
		`DROP TABLE qredo_inbox_begin`:                                          "schema %s has only 3 of the inbox's tables",
		`DROP TABLE qredo_inbox_begin; CREATE VIEW qredo_inbox_begin AS SELECT`: "qredo_inbox_begin in schema %s is no ordinary table",
	} {
		t.Run(reason, func(t *testing.T) {
			database := pgtest.Schema(t, database)
			require.NoError(t, openStore(t, database).Close())
			exec(t, database, change)
			var schema string
			require.NoError(t, connect(t, database).QueryRow(t.Context(), `SELECT current_schema()`).Scan(&schema))
			_, err := postgres.Open(t.Context(), database)
			require.ErrorContains(t, err, fmt.Sprintf(reason, schema))
		})
	}
}

func testReadOnly(t *testing.T, database string) {
	ctx := t.Context()
	_, err := postgres.OpenReadOnly(ctx, database)
	require.ErrorContains(t, err, "there is no inbox in schema")
	s := openStore(t, database)
	source := record(t, s, storetest.Seen("a"))
	r, err := postgres.OpenReadOnly(ctx, pgtest.With(database, "default_transaction_read_only", "on"))
	require.NoError(t, err)
	defer func() { assert.NoError(t, r.Close()) }()
	page, err := r.Page(ctx, inbox.Filter{}, "", 10)
	require.NoError(t, err)
	require.Len(t, page, 1)
	e, err := r.Get(ctx, "a")
	require.NoError(t, err)
	assert.Equal(t, page[0], e)
	sources, err := r.Sources(ctx)
	require.NoError(t, err)
	require.Len(t, sources, 1)
	_, err = r.Lease(ctx, source.ID, "b", time.Hour)
	require.ErrorIs(t, err, inbox.ErrReadOnly)
	_, err = r.Update(ctx, "a", inbox.StateReady, storetest.Now, inbox.Change{State: inbox.StateDone})
	require.ErrorIs(t, err, inbox.ErrReadOnly)
}

// testUnreadable has an entry that cannot be read: it is an error that names it, and is not handed over.
func testUnreadable(t *testing.T, database string) {
	ctx, s := t.Context(), openStore(t, database)
	source := record(t, s, storetest.Seen("a"))
	exec(t, database, `UPDATE qredo_inbox SET movement = '{"key": 7}'; UPDATE qredo_inbox_source SET reading = '{"whole": 7}'`)
	_, err := s.Get(ctx, "a")
	require.ErrorContains(t, err, "the entry a: what is stored is not a movement of this version")
	err = s.Hand(ctx, "a", storetest.Now, func(context.Context, pgx.Tx, inbox.Movement) error {
		assert.Fail(t, "it is handed over")
		return nil
	})
	require.ErrorContains(t, err, "the entry a: ")
	_, err = s.Lease(ctx, source.ID, "holder", time.Hour)
	require.ErrorContains(t, err, source.ID)
}
