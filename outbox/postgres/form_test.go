package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/durable/durabletest"
	"github.com/qredo-go/qredo/internal/pgtest"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/internal/storetest"
	"github.com/qredo-go/qredo/outbox/postgres"
)

// testFirstVersion opens what the code of version 0.1.0 has written: nothing of it is lost.
func testFirstVersion(t *testing.T, database string) {
	pgtest.Load(t, database, "outbox-0.1.0.sql")
	before := pgtest.Dump(t, database, "qredo_outbox", "qredo_outbox_schema")

	_, err := postgres.OpenReadOnly(t.Context(), database)
	require.ErrorContains(t, err, "has the outbox of version 0.1.0: open it once")
	_, err = postgres.Open(t.Context(), database, postgres.WithSealingKey([]byte("0123456789abcdef")))
	require.ErrorContains(t, err, "is left as it is: version 0.1.0 sealed nothing: use no sealing key")
	_, err = connect(t, database).Exec(t.Context(), `UPDATE qredo_outbox SET entry = jsonb_set(entry, '{state}', '"dono"') WHERE key = 'done'`)
	require.NoError(t, err)
	_, err = postgres.Open(t.Context(), database)
	require.ErrorContains(t, err, `is left as it is: what is stored under "done" is no entry of version 0.1.0`)
	_, err = connect(t, database).Exec(t.Context(), `UPDATE qredo_outbox SET entry = jsonb_set(entry, '{state}', '"done"') WHERE key = 'done'`)
	require.NoError(t, err)
	require.Equal(t, before, pgtest.Dump(t, database, "qredo_outbox", "qredo_outbox_schema"), "what is refused is not changed")

	for range 2 { // once in the old form, and once in the new
		storetest.CheckFirst(t, openStore(t, database))
	}
	store, err := postgres.OpenReadOnly(t.Context(), database)
	require.NoError(t, err)
	storetest.CheckFirst(t, store)
	require.NoError(t, store.Close())

	at := storetest.FirstWritten.Add(time.Minute)
	for lane, want := range map[outbox.Lane][]string{
		outbox.LaneNew:    {"pending", "pending ü", "withdrawal"},
		outbox.LaneRetry:  {"sending", "unknown"},
		outbox.LaneFollow: {"sent"},
	} {
		claims, err := openStore(t, database).Claim(t.Context(), outbox.Want{Lane: lane, Now: at, Until: at.Add(time.Minute), Limit: 10})
		require.NoError(t, err)
		var got []string
		for _, c := range claims {
			got = append(got, c.Entry.Key)
		}
		assert.ElementsMatch(t, want, got, "what waits goes on")
	}
}

// testFirstShared opens such tables, where three entries have one transaction.
func testFirstShared(t *testing.T, database string) {
	pgtest.Load(t, database, "outbox-0.1.0.sql")
	_, err := connect(t, database).Exec(t.Context(), `UPDATE qredo_outbox SET entry = jsonb_set(entry, '{tx_id}', '"tx-done"') WHERE key IN ('rejected', 'sent')`)
	require.NoError(t, err)
	storetest.CheckShared(t, openStore(t, database))
}

// testForm fails when this version writes another form, or cannot read the one that it wrote.
func testForm(t *testing.T, database string) {
	store := openStore(t, database)
	entries := storetest.EachState()
	for _, e := range entries {
		_, added, err := store.Add(t.Context(), e)
		require.NoError(t, err)
		require.True(t, added)
	}
	durabletest.Is(t, pgtest.Dump(t, database, "qredo_outbox", "qredo_outbox_work", "qredo_outbox_schema"), "outbox-schema1.sql")

	_, err := connect(t, database).Exec(t.Context(), `DELETE FROM qredo_outbox; DELETE FROM qredo_outbox_work; DELETE FROM qredo_outbox_schema`)
	require.NoError(t, err)
	pgtest.Load(t, database, "outbox-schema1.sql")
	store = openStore(t, database)
	for _, e := range entries {
		found, err := store.Get(t.Context(), e.Key)
		require.NoError(t, err)
		assert.Equal(t, e, found)
	}
}
