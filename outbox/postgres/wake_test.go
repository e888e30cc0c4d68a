package postgres_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/pgtest"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/postgres"
)

// wakes runs Wake until the end of the test, and returns when it has called.
func wakes(t *testing.T, s *postgres.Store) <-chan time.Time {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	calls, ended := make(chan time.Time, 100), make(chan struct{})
	go func() {
		defer close(ended)
		s.Wake(ctx, func() { calls <- time.Now() })
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	<-calls // it listens now
	return calls
}

// testWake checks that a worker is woken within a tenth of a second of a commit, and not by a rollback.
func testWake(t *testing.T, database string) {
	for name, open := range map[string]func(*testing.T, string) *postgres.Store{"New": newStore, "OpenDB": openDB} {
		t.Run(name, func(t *testing.T) {
			database := pgtest.Schema(t, database)
			woken := wakes(t, open(t, database))
			quickest := time.Hour
			for i := range 5 { // the machine may be busy
				back := begins["pgx"](t, database, open(t, database))
				_, err := back.enqueue("not made", payment())
				require.NoError(t, err)
				require.NoError(t, back.rollback())
				tx := begins["database/sql"](t, database, open(t, database)) // a program that has not notified anybody yet
				_, err = tx.enqueue(string(rune('a'+i)), payment())
				require.NoError(t, err)
				assert.Empty(t, woken, "before the commit")
				require.NoError(t, tx.commit())
				committed := time.Now()
				quickest = min(quickest, (<-woken).Sub(committed))
			}
			assert.Less(t, quickest, 100*time.Millisecond)
			assert.Empty(t, woken)
		})
	}
}

// testWakeOthers checks that another outbox in the same database wakes nobody.
func testWakeOthers(t *testing.T, database string) {
	woken := wakes(t, openStore(t, database))
	_, err := connect(t, database).Exec(t.Context(), `SELECT pg_notify('qredo_outbox', 'another schema')`)
	require.NoError(t, err)
	_, _, err = outbox.EnqueueIn(t.Context(), openStore(t, database), "a", payment(), time.Now(), nil)
	require.NoError(t, err)
	<-woken
	assert.Empty(t, woken)
}

// testWakeAgain has the connection that listens end: another one takes its place, and what may have come meanwhile is looked for.
func testWakeAgain(t *testing.T, database string) {
	woken := wakes(t, openStore(t, pgtest.With(database, "application_name", "listens")))
	conn := connect(t, database)
	_, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = 'listens' AND query = 'LISTEN qredo_outbox'`)
	require.NoError(t, err)
	<-woken
	_, _, err = outbox.EnqueueIn(t.Context(), openStore(t, database), "a", payment(), time.Now(), nil)
	require.NoError(t, err)
	<-woken
}

// testWakeEnds has Wake end when the store is closed, and at once where it would take the only connection.
func testWakeEnds(t *testing.T, database string) {
	db, err := sql.Open("pgx", database)
	require.NoError(t, err)
	defer func() { assert.NoError(t, db.Close()) }()
	db.SetMaxOpenConns(1)
	s, err := postgres.OpenDB(t.Context(), db)
	require.NoError(t, err)
	s.Wake(t.Context(), func() { assert.Fail(t, "it listens") })
	require.NoError(t, s.Close())

	s = openStore(t, database)
	ended, listens := make(chan struct{}), make(chan struct{})
	go func() {
		s.Wake(context.WithoutCancel(t.Context()), func() { close(listens) })
		close(ended)
	}()
	<-listens
	require.NoError(t, s.Close())
	<-ended
}
