package faulttest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/backoff"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/postgres"
)

// payoutsConfig, in the environment, names the file with the orders for a program that pays customers out:
// TestExactlyOncePayouts then is that program.
const payoutsConfig = "FAULTTEST_PAYOUTS_PROGRAM"

// payoutOrders are for one of several programs that share the work.
type payoutOrders struct {
	orders
	APIKey   string `json:"api_key"`
	Database string `json:"database"`
	Part     int    `json:"part"` // which of the payouts this program books: each Parts-th
	Parts    int    `json:"parts"`
}

// customer is who a payout is for.
func customer(i int) string { return fmt.Sprint("customer-", i%50) }

// payOut is the program that is killed. It books its part of the payouts and sends what any program has booked, until it is
// killed.
func payOut(t *testing.T, path string) {
	t.Helper()
	var o payoutOrders
	read(t, path, &o)
	client := clientOf(t, o.PrivateKey, o.APIKey, o.BaseURL, impatient())
	ctx := t.Context()
	pool, err := pgxpool.New(ctx, o.Database)
	require.NoError(t, err)
	var store *postgres.Store
	insist(ctx, t, func() error { store, err = postgres.New(ctx, pool); return err })
	box, err := outbox.New(client, store, outbox.WithPollInterval(20*time.Millisecond), outbox.WithLease(2*time.Second),
		outbox.WithBackoff(2*time.Millisecond, 200*time.Millisecond), outbox.WithConcurrency(12))
	require.NoError(t, err)
	go func() {
		for i, p := range payments(o.Payments, o.Seed) {
			if i%o.Parts == o.Part {
				insist(ctx, t, func() error { return book(ctx, pool, store, customer(i), p, o.request(p)) })
			}
		}
	}()
	require.NoError(t, box.Run(ctx))
}

// insist tries until it works: the database may be away.
func insist(ctx context.Context, t *testing.T, do func() error) {
	for misses := 0; ; misses++ {
		err := do()
		if refused := (*qredo.ValidationError)(nil); errors.As(err, &refused) {
			panic(err) // nothing that is broken here causes these
		}
		if err == nil {
			return
		}
		if misses%20 == 0 {
			fmt.Fprintln(os.Stderr, "tried again:", err)
		}
		if backoff.Wait(ctx, backoff.Range{Min: time.Millisecond, Max: 200 * time.Millisecond}.After(misses)) != nil {
			return
		}
	}
}

// book debits a customer and enqueues the payment, both or neither, and once.
func book(ctx context.Context, pool *pgxpool.Pool, store *postgres.Store, name string, p payment, request outbox.Request) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		booked, err := tx.Exec(ctx, `INSERT INTO payouts (number, amount) VALUES ($1, $2) ON CONFLICT DO NOTHING`, string(p.key), int64(p.amount))
		if err != nil || booked.RowsAffected() == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE customers SET balance = balance - $1 WHERE name = $2`, int64(p.amount), name); err != nil {
			return err
		}
		_, err = store.EnqueueTx(ctx, tx, string(p.key), request)
		return err
	})
}
