package postgres_test

import (
	"context"
	"fmt"
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

// testPooler has programs share an inbox through a PgBouncer that gives each transaction another of two connections, and knows
// nothing of prepared statements.
func testPooler(t *testing.T, database string) {
	database = pgtest.Pooler(t, database)
	t.Run("many programs", func(t *testing.T) { testPrograms(t, database) })
	t.Run("every method", func(t *testing.T) {
		s := openStore(t, database)
		testMethods(t, s, "open", func(ctx context.Context, tx pgx.Tx, m inbox.Movement) error {
			_, err := tx.Exec(ctx, `INSERT INTO bookings (key) VALUES ($1)`, m.Key)
			return err
		})
	})
	t.Run("one that was not noticed", func(t *testing.T) {
		s := newStore(t, database)
		postgres.OverlookPooler(s)
		testMethods(t, s, "new", func(context.Context, pgx.Tx, inbox.Movement) error { return nil })
		db := openDB(t, database)
		postgres.OverlookPooler(db)
		testMethods(t, db, "db", nil)
	})
}

func testMethods[Tx any](t *testing.T, s inbox.Store[Tx], name string, f func(context.Context, Tx, inbox.Movement) error) {
	t.Helper()
	ctx := t.Context()
	if f == nil {
		f = func(context.Context, Tx, inbox.Movement) error { return nil }
	}
	for i := range 20 {
		id := fmt.Sprint(name, i)
		_, err := s.Begin(ctx, storetest.Now)
		require.NoError(t, err)
		source, err := s.Lease(ctx, "wallet:"+name, "a", time.Hour)
		require.NoError(t, err)
		counts, err := s.Record(ctx, source, storetest.Now, []inbox.Sighting{storetest.Seen(id)})
		require.NoError(t, err)
		assert.Equal(t, inbox.Recorded{New: 1, Ready: 1}, counts)
		source.Skipped = int64(i)
		require.NoError(t, s.Progress(ctx, source))
		list, err := s.Next(ctx, source.ID, "", 10, 10)
		require.NoError(t, err)
		require.Len(t, list, 1)
		_, err = s.Update(ctx, id, inbox.StateReady, storetest.Now, inbox.Change{State: inbox.StateReady, Attempts: 1})
		require.NoError(t, err)
		require.NoError(t, s.Hand(ctx, id, storetest.Now, f))
		e, err := s.Get(ctx, id)
		require.NoError(t, err)
		assert.Equal(t, inbox.StateDone, e.State)
		page, err := s.Page(ctx, inbox.Filter{Source: source.ID, States: []inbox.State{inbox.StateDone}}, "", 100)
		require.NoError(t, err)
		assert.Len(t, page, i+1)
		sums, err := s.Sums(ctx, source.ID)
		require.NoError(t, err)
		assert.Equal(t, int64(i+1), sums["wallet"].Done.Entries)
		_, _, err = s.Waiting(ctx, source.ID)
		require.NoError(t, err)
		sources, err := s.Sources(ctx)
		require.NoError(t, err)
		assert.NotEmpty(t, sources)
		require.NoError(t, s.Release(ctx, source))
	}
}
