package faulttest

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/inbox/postgres"
	"github.com/qredo-go/qredo/internal/pgtest"
)

// TestExactlyOnceMovements has three programs book movements in the transactions in which they are handed over, while a
// fifth of their requests fails and everything is killed again and again: the programs, the database and the sandbox. The
// books themselves do not prevent duplicates. In the end each movement is there once, and the bookings of each wallet add
// up to its balance.
func TestExactlyOnceMovements(t *testing.T) {
	if path := os.Getenv(movementsConfig); path != "" { // this is one of the processes that are killed
		bookInDatabase(t, path)
		return
	}
	t.Run("newest first, from the start", func(t *testing.T) { bookExactlyOnce(t, false) })
	t.Run("oldest first, from a time on", func(t *testing.T) { bookExactlyOnce(t, true) })
}

func bookExactlyOnce(t *testing.T, oldestFirst bool) {
	t.Helper()
	ctx := t.Context()
	w := openMovements(t, oldestFirst)
	defer w.end()
	server := pgtest.Start(t)
	pool, err := pgxpool.New(ctx, server.Database())
	require.NoError(t, err)
	defer pool.Close()
	_, err = pool.Exec(ctx, `CREATE TABLE bookings (key text NOT NULL, wallet text NOT NULL, amount bigint NOT NULL)`)
	require.NoError(t, err)
	store, err := postgres.New(ctx, pool)
	require.NoError(t, err)

	w.orders.Database = server.Database()
	if oldestFirst {
		w.orders.From = w.later()
	}
	for i := range 3 {
		o := w.orders
		if i == 0 {
			o.Funds = w.traffic.funds
		}
		w.programs = append(w.programs, movementProgram{test: "TestExactlyOnceMovements", orders: o})
	}
	w.traffic.booked = func() (n int) {
		_ = pool.QueryRow(ctx, `SELECT count(*) FROM bookings`).Scan(&n) // without a database there are no notifications
		return n
	}
	if !w.orders.From.IsZero() {
		w.measure(func() []inbox.Source {
			sources, err := store.Sources(ctx)
			require.NoError(t, err)
			return sources
		})
	}
	w.run(blow{size(50, 6), w.strikeProgram}, blow{size(20, 3), w.strikeSandbox}, blow{size(5, 1), func() { server.Crash(); server.Restart() }})

	movements, before := w.traffic.moved(ctx, t, w.orders.From)
	assert.Equal(t, oldestFirst, len(before) > 0, "what was there before is not handed over")
	assert.True(t, comes(t, len(movements), w.traffic.booked), "all is booked")
	assert.Empty(t, checkInbox(t, w, store), "handed over after all was booked")
	w.stop()
	booked := map[string]booking{}
	rows, err := pool.Query(ctx, `SELECT key, wallet, amount FROM bookings`)
	require.NoError(t, err)
	repeats := 0
	var key string
	var b booking
	_, err = pgx.ForEachRow(rows, []any{&key, &b.wallet, &b.amount}, func() error {
		if _, repeated := booked[key]; repeated {
			t.Log("booked again:", key, b)
			repeats++
		}
		booked[key] = b
		return nil
	})
	require.NoError(t, err)
	assert.Zero(t, repeats)
	w.traffic.check(t, booked, w.orders.From)
	w.report(repeats)
	require.NoError(t, store.Close())
}

// bookInDatabase is the program that is killed. It books each movement in the transaction in which it is handed over.
func bookInDatabase(t *testing.T, path string) {
	t.Helper()
	var o movementOrders
	read(t, path, &o)
	var store *postgres.Store[pgx.Tx]
	insist(t.Context(), t, func() (err error) {
		store, err = postgres.Open(t.Context(), o.Database)
		return err
	})
	in, err := inbox.New(o.client(t), store, o.options()...)
	require.NoError(t, err)
	require.NoError(t, in.Run(t.Context(), func(ctx context.Context, tx pgx.Tx, m inbox.Movement) error {
		_, err := tx.Exec(ctx, `INSERT INTO bookings (key, wallet, amount) VALUES ($1, $2, $3)`, m.Key, m.Wallet, int64(m.Amount))
		return err
	}))
}
