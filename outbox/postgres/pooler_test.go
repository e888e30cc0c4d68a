package postgres_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/pgtest"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/postgres"
)

// testPooler has programs share an outbox through a PgBouncer that gives each transaction another connection. With
// PgBouncer, version 4e8818f failed with 42P05 and 26000: a statement prepared by one program existed for another, or had
// disappeared.
func testPooler(t *testing.T, database string) {
	database = pgtest.Pooler(t, database)
	t.Run("it is one that forgets what is prepared", func(t *testing.T) {
		var states []string
		for range 2 {
			var one int
			if err := connect(t, database).QueryRow(t.Context(), `SELECT $1::int`, 1).Scan(&one); err != nil {
				state := (*pgconn.PgError)(nil)
				require.ErrorAs(t, err, &state)
				states = append(states, state.Code)
			}
		}
		assert.Equal(t, []string{"42P05"}, states)
	})
	t.Run("many programs", func(t *testing.T) { testPrograms(t, database) })
	t.Run("nothing to listen to", func(t *testing.T) {
		openStore(t, database).Wake(t.Context(), func() { assert.Fail(t, "it listens") })
	})
	t.Run("one that was not noticed", func(t *testing.T) {
		var wg sync.WaitGroup
		for i, open := range []func(*testing.T, string) *postgres.Store{newStore, openDB, newStore, openDB} {
			s := open(t, database)
			postgres.OverlookPooler(s)
			wg.Go(func() {
				for n := range 20 {
					_, added, err := outbox.EnqueueIn(t.Context(), s, fmt.Sprint(i, "-", n), payment(), time.Now(), nil)
					assert.NoError(t, err) //nolint:testifylint // require ends only the test's own goroutine
					assert.True(t, added)
				}
			})
		}
		wg.Wait()
	})
	t.Run("in the caller's transaction", func(t *testing.T) {
		pool := newPool(t, database)
		s, err := postgres.New(t.Context(), pool)
		require.NoError(t, err)
		defer func() { assert.NoError(t, s.Close()) }()
		for n := range 20 {
			require.NoError(t, pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
				_, err := s.EnqueueTx(t.Context(), tx, fmt.Sprint("tx-", n), payment())
				return err
			}))
		}
	})
}
