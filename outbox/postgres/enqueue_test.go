package postgres_test

import (
	"context"
	"database/sql"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/pgtest"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/postgres"
)

// transaction is the caller's transaction, of either kind.
type transaction struct {
	enqueue          func(key string, req outbox.Request) (outbox.Entry, error)
	exec             func(statement string, args ...any) error
	commit, rollback func() error
}

// begins are how a transaction of a store is begun, for each kind, on a connection of its own.
var begins = map[string]func(t *testing.T, database string, s *postgres.Store) transaction{
	"pgx": func(t *testing.T, database string, s *postgres.Store) transaction {
		t.Helper()
		ctx := t.Context()
		tx, err := newPool(t, database).Begin(ctx)
		require.NoError(t, err)
		t.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(ctx)) })
		return transaction{
			func(key string, req outbox.Request) (outbox.Entry, error) { return s.EnqueueTx(ctx, tx, key, req) },
			func(statement string, args ...any) error { _, err := tx.Exec(ctx, statement, args...); return err },
			func() error { return tx.Commit(ctx) }, func() error { return tx.Rollback(ctx) },
		}
	},
	"database/sql": func(t *testing.T, database string, s *postgres.Store) transaction {
		t.Helper()
		ctx := context.WithoutCancel(t.Context())
		db, err := sql.Open("pgx", database)
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, db.Close()) })
		tx, err := db.BeginTx(ctx, nil)
		require.NoError(t, err)
		t.Cleanup(func() { _ = tx.Rollback() })
		return transaction{
			func(key string, req outbox.Request) (outbox.Entry, error) { return s.EnqueueSQLTx(ctx, tx, key, req) },
			func(statement string, args ...any) error {
				_, err := tx.ExecContext(ctx, statement, args...)
				return err
			},
			tx.Commit, tx.Rollback,
		}
	},
}

// eachKind runs a test with both kinds of transactions and all kinds of stores.
func eachKind(test func(t *testing.T, s *postgres.Store, begin func(t *testing.T) transaction, database string)) func(t *testing.T, database string) {
	return func(t *testing.T, database string) {
		for kind, begin := range begins {
			for name, open := range map[string]func(*testing.T, string) *postgres.Store{"New": newStore, "OpenDB": openDB} {
				t.Run(kind+" "+name, func(t *testing.T) {
					database := pgtest.Schema(t, database)
					s := open(t, database)
					test(t, s, func(t *testing.T) transaction { t.Helper(); return begin(t, database, s) }, database)
				})
			}
		}
	}
}

// testCommit checks that workers see what was enqueued, together with the rest of the transaction, once it is committed
// and not before.
func testCommit(t *testing.T, s *postgres.Store, begin func(t *testing.T) transaction, database string) {
	conn := connect(t, database)
	_, err := conn.Exec(t.Context(), `CREATE TABLE bookings (key TEXT)`)
	require.NoError(t, err)
	tx := begin(t)
	require.NoError(t, tx.exec(`INSERT INTO bookings VALUES ('a')`))
	before := time.Now()
	e, err := tx.enqueue("a", payment())
	require.NoError(t, err)
	assert.Equal(t, outbox.StatePending, e.State)
	assert.WithinRange(t, e.Created, before.Truncate(time.Microsecond), time.Now())
	assert.Empty(t, keysOf(claimAll(t, s)))
	_, err = s.Get(t.Context(), "a")
	require.ErrorIs(t, err, outbox.ErrNotFound)

	again, err := tx.enqueue("a", payment())
	require.NoError(t, err)
	assert.Equal(t, e, again)
	other := payment().(outbox.Transfer)
	other.Send.Amount++
	_, err = tx.enqueue("a", other)
	conflict := (*outbox.KeyConflictError)(nil)
	require.ErrorAs(t, err, &conflict)
	assert.Equal(t, e, conflict.Stored)
	_, err = tx.enqueue("b", outbox.Transfer{})
	invalid := (*qredo.ValidationError)(nil)
	require.ErrorAs(t, err, &invalid)
	second, err := tx.enqueue("b", payment())
	require.NoError(t, err, "the transaction still works")

	require.NoError(t, tx.commit())
	assert.Equal(t, []string{"a", "b"}, keysOf(claimAll(t, s)))
	for _, e := range []outbox.Entry{e, second} {
		got, err := s.Get(t.Context(), e.Key)
		require.NoError(t, err)
		assert.Equal(t, e, got)
	}
	var bookings int
	require.NoError(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM bookings`).Scan(&bookings))
	assert.Equal(t, 1, bookings)
}

// testRollback checks that a rollback leaves no trace; nor does a program whose connection ends before it commits.
func testRollback(t *testing.T, s *postgres.Store, begin func(t *testing.T) transaction, database string) {
	for name, end := range map[string]func(tx transaction){
		"rolled back": func(tx transaction) { require.NoError(t, tx.rollback()) },
		"killed": func(tx transaction) {
			require.NoError(t, tx.exec(`SET LOCAL application_name = 'killed'`))
			_, err := connect(t, database).Exec(t.Context(), `SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = 'killed'`)
			require.NoError(t, err)
		},
	} {
		tx := begin(t)
		_, err := tx.enqueue("a", payment())
		require.NoError(t, err, name)
		end(tx)
		_, err = s.Get(t.Context(), "a")
		require.ErrorIs(t, err, outbox.ErrNotFound, name)
		assert.Empty(t, claimAll(t, s), name)
		stats, err := s.Stats(t.Context())
		require.NoError(t, err)
		assert.Empty(t, stats.States, name)
		assert.Zero(t, stats.OldestDue, name)
	}
	tx := begin(t)
	_, err := tx.enqueue("a", payment())
	require.NoError(t, err)
	require.NoError(t, tx.commit())
	assert.Equal(t, []string{"a"}, keysOf(claimAll(t, s)))
}

// testSavepoint rolls back parts of a transaction, and continues one that the server has aborted.
func testSavepoint(t *testing.T, s *postgres.Store, begin func(t *testing.T) transaction, _ string) {
	tx := begin(t)
	_, err := tx.enqueue("kept", payment())
	require.NoError(t, err)
	require.NoError(t, tx.exec(`SAVEPOINT one`))
	_, err = tx.enqueue("undone", payment())
	require.NoError(t, err)
	require.Error(t, tx.exec(`SELECT 1/0`))
	_, err = tx.enqueue("given up", payment())
	require.Error(t, err)
	_, err = tx.enqueue("kept", payment())
	require.Error(t, err, "not as if all were well")
	require.NoError(t, tx.exec(`ROLLBACK TO one`))
	_, err = tx.enqueue("after", payment())
	require.NoError(t, err)
	require.NoError(t, tx.commit())
	assert.Equal(t, []string{"after", "kept"}, keysOf(claimAll(t, s)))
	for _, key := range []string{"undone", "given up"} {
		_, err = s.Get(t.Context(), key)
		require.ErrorIs(t, err, outbox.ErrNotFound)
	}
}

// testSameKey has a transaction wait for another one with the same key.
func testSameKey(t *testing.T, _ *postgres.Store, begin func(t *testing.T) transaction, _ string) {
	for _, commit := range []bool{false, true} {
		first, second := begin(t), begin(t)
		stored, err := first.enqueue("a", payment())
		require.NoError(t, err)
		got := make(chan outbox.Entry)
		go func() {
			e, err := second.enqueue("a", payment())
			assert.NoError(t, err)
			got <- e
		}()
		if commit {
			require.NoError(t, first.commit())
			assert.Equal(t, stored, <-got)
		} else {
			require.NoError(t, first.rollback())
			assert.Equal(t, "a", (<-got).Key)
		}
		require.NoError(t, second.rollback())
	}
}

func testEnqueueClosed(t *testing.T, s *postgres.Store, begin func(t *testing.T) transaction, _ string) {
	tx := begin(t)
	require.NoError(t, s.Close())
	_, err := tx.enqueue("a", payment())
	require.ErrorIs(t, err, outbox.ErrClosed)
}

// testEnqueueOptions has the clock and the context of the caller's.
func testEnqueueOptions(t *testing.T, database string) {
	type traceKey struct{}
	at := time.Date(2026, 3, 1, 12, 0, 0, 123_456_789, time.UTC)
	pool := newPool(t, database)
	s, err := postgres.New(t.Context(), pool, postgres.WithClock(func() time.Time { return at }),
		postgres.WithContextCarrier(func(ctx context.Context) map[string]string {
			return map[string]string{"trace": ctx.Value(traceKey{}).(string)}
		}))
	require.NoError(t, err)
	defer func() { assert.NoError(t, s.Close()) }()
	request := payment().(outbox.Transfer)
	request.Expires = qredo.TimeOf(at.Add(time.Minute))
	ctx := context.WithValue(t.Context(), traceKey{}, "00-1")
	require.NoError(t, pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		_, err := s.EnqueueTx(ctx, tx, "a", request)
		return err
	}))
	e, err := s.Get(t.Context(), "a")
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"trace": "00-1"}, e.Carrier)
	assert.Equal(t, at.Truncate(time.Microsecond), e.Created)

	for _, wrong := range []postgres.Option{nil, postgres.WithClock(nil), postgres.WithContextCarrier(nil), postgres.WithSealingKey([]byte("short"))} {
		_, err := postgres.New(t.Context(), pool, wrong)
		invalid := (*qredo.ValidationError)(nil)
		require.ErrorAs(t, err, &invalid)
	}
}

// testSerializable has a transaction of the caller's that is serializable, and fails as such when another one has committed the
// key since it began. It is then begun again.
func testSerializable(t *testing.T, s *postgres.Store, begin func(t *testing.T) transaction, _ string) {
	tx := begin(t)
	require.NoError(t, tx.exec(`SET TRANSACTION ISOLATION LEVEL SERIALIZABLE`))
	require.NoError(t, tx.exec(`SELECT 1`)) // it sees the current state
	stored, _, err := outbox.EnqueueIn(t.Context(), s, "a", payment(), time.Now(), nil)
	require.NoError(t, err)
	_, err = tx.enqueue("a", payment())
	var state interface{ SQLState() string }
	require.ErrorAs(t, err, &state)
	assert.Equal(t, "40001", state.SQLState())
	require.NoError(t, tx.rollback())
	tx = begin(t)
	e, err := tx.enqueue("a", payment())
	require.NoError(t, err)
	assert.Equal(t, stored.Created, e.Created)
}

// claimAll claims everything that was never sent, and gives it back.
func claimAll(t *testing.T, s *postgres.Store) []outbox.Claim {
	t.Helper()
	now := time.Now()
	claims, err := s.Claim(t.Context(), outbox.Want{Now: now, Until: now.Add(time.Minute), Beyond: now.Add(time.Hour), Limit: 100})
	require.NoError(t, err)
	for _, c := range claims {
		require.NoError(t, s.Postpone(t.Context(), c))
	}
	return claims
}

func keysOf(claims []outbox.Claim) []string {
	keys := make([]string, len(claims))
	for i, c := range claims {
		keys[i] = c.Entry.Key
	}
	slices.Sort(keys)
	return keys
}
