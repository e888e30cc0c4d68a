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

	"github.com/qredo-go/qredo/internal/pgtest"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/postgres"
)

// newRole makes a role for a test.
func newRole(t *testing.T, database, name string) string {
	t.Helper()
	conn, role := connect(t, database), fmt.Sprintf("test_%d_%s", os.Getpid(), name)
	_, err := conn.Exec(t.Context(), `CREATE ROLE `+role)
	require.NoError(t, err)
	t.Cleanup(func() {
		conn, err := pgx.Connect(context.WithoutCancel(t.Context()), database)
		require.NoError(t, err)
		_, err = conn.Exec(context.WithoutCancel(t.Context()), `DROP OWNED BY `+role+`; DROP ROLE `+role)
		require.NoError(t, err)
		require.NoError(t, conn.Close(context.WithoutCancel(t.Context())))
	})
	return role
}

// raise is a trigger that makes each amount ninefold, and the sum of nothing.
const raise = `
	CREATE FUNCTION raise() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN NEW.entry := replace(NEW.entry::text, '"amount":', '"amount":9')::json; RETURN NEW; END $$;
	CREATE TRIGGER raise BEFORE INSERT ON qredo_outbox FOR EACH ROW EXECUTE FUNCTION raise()`

// testTables has tables with which somebody else, or something in the database, can change payments, or lose them. They are
// refused. Version 4e8818f opened all of them; with the trigger it returned success for 1000 and paid 900000.
func testTables(t *testing.T, database string) {
	mallory := newRole(t, database, "mallory")
	for change, reason := range map[string]string{
		`ALTER TABLE qredo_outbox OWNER TO ` + mallory:          "qredo_outbox in schema %s belongs to " + mallory,
		`ALTER TABLE qredo_outbox_work OWNER TO ` + mallory:     "qredo_outbox_work in schema %s belongs to " + mallory,
		`ALTER TABLE qredo_outbox_schema OWNER TO ` + mallory:   "qredo_outbox_schema in schema %s belongs to " + mallory,
		`ALTER SEQUENCE qredo_outbox_token OWNER TO ` + mallory: "qredo_outbox_token in schema %s belongs to " + mallory,
		raise: "qredo_outbox in schema %s has the trigger raise",
		`CREATE RULE more AS ON INSERT TO qredo_outbox_work DO ALSO NOTHING`:        "qredo_outbox_work in schema %s has the rule more",
		`ALTER TABLE qredo_outbox ENABLE ROW LEVEL SECURITY`:                        "qredo_outbox in schema %s has row-level security",
		`CREATE TABLE child () INHERITS (qredo_outbox)`:                             "qredo_outbox in schema %s inherits, or is inherited from",
		`ALTER TABLE qredo_outbox_work SET UNLOGGED`:                                "qredo_outbox_work in schema %s is temporary or UNLOGGED",
		`DROP TABLE qredo_outbox_work; CREATE VIEW qredo_outbox_work AS SELECT 1`:   "qredo_outbox_work in schema %s is no ordinary table",
		`DROP SEQUENCE qredo_outbox_token; CREATE TABLE qredo_outbox_token (a INT)`: "qredo_outbox_token in schema %s is no ordinary table, or no sequence",
		`DROP TABLE qredo_outbox_work`:                                              "schema %s has only 3 of the outbox's tables",
	} {
		t.Run(reason, func(t *testing.T) {
			database := pgtest.Schema(t, database)
			require.NoError(t, openStore(t, database).Close())
			conn := connect(t, database)
			_, err := conn.Exec(t.Context(), change)
			require.NoError(t, err)
			var schema string
			require.NoError(t, conn.QueryRow(t.Context(), `SELECT current_schema()`).Scan(&schema))
			_, err = postgres.Open(t.Context(), database)
			require.ErrorContains(t, err, fmt.Sprintf(reason, schema))
		})
	}
	t.Run("before the first start", func(t *testing.T) {
		database := pgtest.Schema(t, database)
		conn := connect(t, database)
		_, err := conn.Exec(t.Context(), `
			CREATE TABLE seen (who TEXT); CREATE TABLE qredo_outbox_schema (version INT, entry JSON, sum BYTEA);
			CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (current_user); RETURN NEW; END $$;
			CREATE TRIGGER seen BEFORE INSERT ON qredo_outbox_schema FOR EACH ROW EXECUTE FUNCTION seen();
			ALTER TABLE qredo_outbox_schema OWNER TO `+mallory)
		require.NoError(t, err)
		_, err = postgres.Open(t.Context(), database)
		require.ErrorContains(t, err, "belongs to "+mallory)
		var calls int
		require.NoError(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM seen`).Scan(&calls))
		assert.Zero(t, calls, "nothing of hers was run")
	})
}

// testOwners has tables that belong to a role of which the user is a member.
func testOwners(t *testing.T, database string) {
	owner, app, other := newRole(t, database, "owner"), newRole(t, database, "app"), newRole(t, database, "other")
	conn := connect(t, database)
	var schema string
	require.NoError(t, conn.QueryRow(t.Context(), `SELECT current_schema()`).Scan(&schema))
	_, err := conn.Exec(t.Context(), `GRANT `+owner+` TO `+app+`; GRANT ALL ON SCHEMA `+schema+` TO `+owner+`, `+other)
	require.NoError(t, err)
	openStore(t, pgtest.With(database, "role", owner))
	s := openStore(t, pgtest.With(database, "role", app))
	_, _, err = outbox.EnqueueIn(t.Context(), s, "a", payment(), time.Now(), nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"a"}, keysOf(claimAll(t, s)))
	for _, database := range []string{pgtest.With(database, "role", other), database} { // the last is a superuser
		_, err = postgres.Open(t.Context(), database)
		require.ErrorContains(t, err, "belongs to "+owner)
	}
}

// testReadBack has a trigger that is made while the store is open.
func testReadBack(t *testing.T, database string) {
	s := openStore(t, database)
	_, err := connect(t, database).Exec(t.Context(), raise)
	require.NoError(t, err)
	for name, begin := range begins {
		tx := begin(t, database, s)
		_, err = tx.enqueue(name, payment())
		require.ErrorContains(t, err, "has changed")
		require.NoError(t, tx.rollback())
	}
	_, _, err = outbox.EnqueueIn(t.Context(), s, "a", payment(), time.Now(), nil)
	require.ErrorContains(t, err, "has changed")
	assert.Empty(t, claimAll(t, s), "it is not sent")
	e, err := s.Get(t.Context(), "a")
	require.NoError(t, err)
	assert.Equal(t, outbox.StateHeld, e.State)
}

// testAlwaysTheSame has a table of the outbox's name before its own in the search path.
func testAlwaysTheSame(t *testing.T, s *postgres.Store, begin func(t *testing.T) transaction, _ string) {
	tx := begin(t)
	require.NoError(t, tx.exec(`CREATE TEMPORARY TABLE qredo_outbox (LIKE qredo_outbox INCLUDING ALL) ON COMMIT DROP`))
	require.NoError(t, tx.exec(`CREATE TEMPORARY TABLE qredo_outbox_work (LIKE qredo_outbox_work INCLUDING ALL) ON COMMIT DROP`))
	_, err := tx.enqueue("a", payment())
	require.NoError(t, err)
	require.NoError(t, tx.commit())
	assert.Equal(t, []string{"a"}, keysOf(claimAll(t, s)))
}

// testSeal has stores with different sealing keys, and somebody who writes a payment into the tables.
func testSeal(t *testing.T, database string) {
	key := []byte("0123456789abcdef")
	s, err := postgres.Open(t.Context(), database, postgres.WithSealingKey(key))
	require.NoError(t, err)
	defer func() { assert.NoError(t, s.Close()) }()
	for _, opts := range [][]postgres.Option{nil, {postgres.WithSealingKey([]byte("0123456789abcdeF"))}} {
		_, err = postgres.Open(t.Context(), database, opts...)
		require.ErrorContains(t, err, "sealing key")
	}
	again, err := postgres.Open(t.Context(), database, postgres.WithSealingKey(key))
	require.NoError(t, err)
	defer func() { assert.NoError(t, again.Close()) }()

	_, _, err = outbox.EnqueueIn(t.Context(), s, "a", payment(), time.Now(), nil)
	require.NoError(t, err)
	forged, err := again.Get(t.Context(), "a")
	require.NoError(t, err)
	forged.Key = "forged"
	data, sum, err := outbox.NewRecords(nil).Encode(forged)
	require.NoError(t, err)
	_, err = connect(t, database).Exec(t.Context(), `
		WITH e AS (INSERT INTO qredo_outbox SELECT 'forged', state, unknown, tx_id, partner_tx_id, updated, $1::text::json, $2 FROM qredo_outbox)
		INSERT INTO qredo_outbox_work (key, lane, due, token, sum) VALUES ('forged', 0, now(), 0, $2)`, string(data), sum)
	require.NoError(t, err)
	assert.Equal(t, []string{"a"}, keysOf(claimAll(t, again)))
	e, err := again.Get(t.Context(), "forged")
	require.NoError(t, err)
	assert.Equal(t, outbox.StateHeld, e.State)
	assert.True(t, e.Unknown)
}

// testEncoding has a database in which answers of the service's, and so what became of payments, might not be stored.
func testEncoding(t *testing.T, database string) {
	name := fmt.Sprintf("test_%d_latin", os.Getpid())
	conn := connect(t, database)
	_, err := conn.Exec(t.Context(), `CREATE DATABASE `+name+` ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`)
	require.NoError(t, err)
	_, err = postgres.Open(t.Context(), pgtest.With(pgtest.With(database, "search_path", "public"), "dbname", name))
	require.ErrorContains(t, err, "has the encoding LATIN1")
	_, err = conn.Exec(t.Context(), `DROP DATABASE `+name)
	require.NoError(t, err)
}

// A connection to another machine is not made in plain text unless that was asked for. Version 4e8818f silently made one.
func TestTransport(t *testing.T) {
	t.Setenv("PGSSLMODE", "")
	for _, database := range []string{"host=db.example.com", "postgres://u:p@db.example.com/bank", "postgresql://db.example.com,localhost/bank?x=sslmode"} {
		_, err := postgres.Open(t.Context(), database)
		require.ErrorContains(t, err, "sslmode=verify-full", database)
		require.ErrorContains(t, err, "db.example.com")
	}
}
