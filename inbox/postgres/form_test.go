package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/inbox/internal/storetest"
	"github.com/qredo-go/qredo/internal/durable/durabletest"
	"github.com/qredo-go/qredo/internal/pgtest"
)

// testForm fails when this version writes another form, or cannot read the one that it wrote.
func testForm(t *testing.T, database string) {
	tables := []string{"qredo_inbox", "qredo_inbox_source", "qredo_inbox_begin", "qredo_inbox_schema"}
	storetest.Fill(t, openStore(t, database))
	durabletest.Is(t, pgtest.Dump(t, database, tables...), "inbox-schema1.sql")
	for _, table := range tables {
		_, err := connect(t, database).Exec(t.Context(), `DELETE FROM `+table)
		require.NoError(t, err)
	}
	pgtest.Load(t, database, "inbox-schema1.sql")
	storetest.CheckFilled(t, openStore(t, database))
}
