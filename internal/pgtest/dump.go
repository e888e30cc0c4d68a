package pgtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// Dump returns what tables are like and hold: comments with their columns and indexes, and a statement for each row.
func Dump(t testing.TB, database string, tables ...string) string {
	t.Helper()
	conn := dial(t, database)
	_, err := conn.Exec(t.Context(), `SET TIME ZONE 'UTC'`)
	require.NoError(t, err)
	var text strings.Builder
	for _, table := range tables {
		columns := texts(t, conn, `
			SELECT attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
			FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum`, table)
		require.NotEmpty(t, columns, table)
		var names, values []string
		for _, column := range columns {
			fmt.Fprintf(&text, "-- %s: %s\n", table, column)
			name, _, _ := strings.Cut(column, " ")
			names, values = append(names, name), append(values, "quote_nullable("+name+"::text)")
		}
		for _, index := range texts(t, conn, `SELECT regexp_replace(indexdef, ' ON [^ ]+ ', ' ON ') FROM pg_indexes WHERE schemaname = current_schema AND tablename = $1 ORDER BY 1`, table) {
			fmt.Fprintf(&text, "-- %s\n", index)
		}
		for _, row := range texts(t, conn, `SELECT concat_ws(', ', `+strings.Join(values, ", ")+`) COLLATE "C" FROM `+table+` ORDER BY 1`) {
			fmt.Fprintf(&text, "INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE VALUES (%s);\n", table, strings.Join(names, ", "), row)
		}
	}
	return text.String()
}

// Load runs the statements of the file testdata/name.
func Load(t testing.TB, database, name string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	_, err = dial(t, database).Exec(t.Context(), string(text))
	require.NoError(t, err)
}

func dial(t testing.TB, database string) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(database)
	require.NoError(t, err)
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol // for several statements at a time
	conn, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) })
	return conn
}

func texts(t testing.TB, conn *pgx.Conn, statement string, args ...any) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), statement, args...)
	require.NoError(t, err)
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return found
}
