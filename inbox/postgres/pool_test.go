package postgres_test

import (
	"context"
	"database/sql"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/inbox/internal/storetest"
	"github.com/qredo-go/qredo/inbox/postgres"
	"github.com/qredo-go/qredo/internal/pgtest"
)

// lines are the logged lines.
type lines struct {
	mu   sync.Mutex
	text string
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text += string(line)
	return len(line), nil
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text
}

// testSmallPool has handlers use the pool that they are called from, which has 4 connections: so few are called that all come to an end.
func testSmallPool(t *testing.T, database string) {
	f := newFollowed(t, 8)
	pool := newPool(t, pgtest.With(database, "pool_max_conns", "4"))
	store, err := postgres.New(t.Context(), pool)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, store.Close()) })
	assert.Equal(t, 2, store.MaxConcurrency())
	for i := range f.wallets {
		f.deposit(t, i, 5)
	}
	logs, done := &lines{}, make(chan struct{}, len(f.wallets))
	begun := make(chan struct{}, 2)
	f.run(t, store, func(ctx context.Context, _ pgx.Tx, _ inbox.Movement) error {
		begun <- struct{}{} // no more than two at once
		var one int
		err := pool.QueryRow(ctx, `SELECT 1`).Scan(&one)
		<-begun
		if err == nil {
			done <- struct{}{}
		}
		return err
	}, inbox.WithLogger(slog.New(slog.NewTextHandler(logs, nil))))
	for range f.wallets {
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			require.Fail(t, "nothing is handed over")
		}
	}
	assert.Contains(t, logs.String(), "too few connections")

	var invalid *qredo.ValidationError
	_, err = postgres.New(t.Context(), newPool(t, pgtest.With(database, "pool_max_conns", "1")))
	require.ErrorAs(t, err, &invalid)
	_, err = postgres.Open(t.Context(), pgtest.With(database, "pool_max_conns", "1"))
	require.ErrorContains(t, err, "two connections or more")
	db, err := sql.Open("pgx", database)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	db.SetMaxOpenConns(1)
	_, err = postgres.OpenDB(t.Context(), db)
	require.ErrorAs(t, err, &invalid)
	db.SetMaxOpenConns(5)
	viaSQL, err := postgres.OpenDB(t.Context(), db)
	require.NoError(t, err)
	assert.Equal(t, 3, viaSQL.MaxConcurrency())
	require.NoError(t, viaSQL.Close())
}

// testHangs has the chain refuse a movement whose handler is still running: other sources record as usual, and its own
// once the handler has returned.
func testHangs(t *testing.T, database string) {
	s := openStore(t, database)
	source := record(t, s, storetest.Seen("a"))
	other, err := s.Lease(t.Context(), "fund:c:other", "b", time.Hour)
	require.NoError(t, err)
	hung, ends, done := make(chan struct{}), make(chan struct{}), make(chan error, 2)
	end := sync.OnceFunc(func() { close(ends) })
	defer end()
	go func() {
		done <- s.Hand(context.WithoutCancel(t.Context()), "a", storetest.Now, func(context.Context, pgx.Tx, inbox.Movement) error {
			close(hung)
			<-ends
			return nil
		})
	}()
	<-hung
	refused := storetest.Seen("a", func(s *inbox.Sighting) { s.Movement.Status, s.Movement.Moved = qredo.TxChainRejected, false })
	go func() {
		_, err := s.Record(context.WithoutCancel(t.Context()), source, storetest.Now, []inbox.Sighting{refused})
		done <- err
	}()
	conn := connect(t, database)
	require.Eventually(t, func() bool { // it has begun to wait for the handler
		var waits bool
		err := conn.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%' || current_schema() || '%')`).Scan(&waits)
		return err == nil && waits
	}, 10*time.Second, time.Millisecond)
	for _, id := range []string{"b", "c", "d"} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err = s.Record(ctx, other, storetest.Now, []inbox.Sighting{storetest.Seen(id)})
		cancel()
		require.NoError(t, err)
	}
	end()
	require.NoError(t, <-done)
	require.NoError(t, <-done)
	e, err := s.Get(t.Context(), "a!")
	require.NoError(t, err)
	assert.Equal(t, inbox.StateReady, e.State)
}
