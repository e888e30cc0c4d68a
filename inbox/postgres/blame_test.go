package postgres_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/internal/demofund"
	"github.com/qredo-go/qredo/internal/pgtest"
	"github.com/qredo-go/qredo/sandbox"
)

// followed is a fund of the sandbox.
type followed struct {
	*sandbox.Server
	company qredo.CompanyID
	fund    qredo.FundID
	wallets []qredo.WalletID
}

func newFollowed(t *testing.T, wallets int) *followed {
	t.Helper()
	srv, err := sandbox.Start()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, srv.Close()) })
	requests := make([]qredo.WalletRequest, wallets)
	for i := range requests {
		requests[i] = qredo.WalletRequest{Name: "Wallet", Asset: "BTC-TESTNET"}
	}
	fund, err := demofund.New(t.Context(), srv, "Acme", []string{"carol@acme.example"}, requests...)
	require.NoError(t, err)
	f := &followed{Server: srv, company: fund.Company, fund: fund.ID}
	for _, w := range fund.Wallets {
		f.wallets = append(f.wallets, w.ID)
	}
	return f
}

func (f *followed) deposit(t *testing.T, wallet int, amount qredo.Amount) {
	t.Helper()
	_, err := f.Deposit(string(f.wallets[wallet]), amount)
	require.NoError(t, err)
	require.NoError(t, f.Advance(time.Second)) // so that they have an order
}

// run hands over what moves until the test ends.
func (f *followed) run(t *testing.T, store inbox.Store[pgx.Tx], handle inbox.Handler[pgx.Tx], opts ...inbox.Option) {
	t.Helper()
	in, err := inbox.New(f.Client(), store, append([]inbox.Option{
		inbox.FromStart(), inbox.WithFunds(f.company, f.fund), inbox.WithPolling(5*time.Millisecond, 10*time.Millisecond),
		inbox.WithBackoff(time.Millisecond, 5*time.Millisecond),
	}, opts...)...)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- in.Run(ctx, handle) }()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-done)
	})
}

// testBlamed has handlers that return nil and leave a transaction that cannot be committed: their movements are set
// aside, and the next ones are handed over.
func testBlamed(t *testing.T, database string) {
	for name, c := range map[string]struct {
		attempts int64
		bad      func(ctx context.Context, tx pgx.Tx, key string) error
	}{
		"it commits": {1, func(ctx context.Context, tx pgx.Tx, key string) error {
			if _, err := tx.Exec(ctx, book, key); err != nil {
				return err
			}
			return tx.Commit(ctx)
		}},
		"an error that it overlooks": {3, func(ctx context.Context, tx pgx.Tx, _ string) error {
			_, _ = tx.Exec(ctx, `SELECT 1/0`)
			return nil
		}},
		"a constraint at the end": {3, func(ctx context.Context, tx pgx.Tx, _ string) error {
			_, err := tx.Exec(ctx, `INSERT INTO later (key) VALUES ('a'), ('a')`)
			return err
		}},
		"rows that are left open": {3, func(ctx context.Context, tx pgx.Tx, _ string) error {
			_, err := tx.Query(ctx, `SELECT generate_series(1, 100000)`) //nolint:sqlclosecheck,rowserrcheck // that is it
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			database := pgtest.Schema(t, database)
			exec(t, database, `CREATE TABLE bookings (key TEXT); CREATE TABLE later (key TEXT UNIQUE DEFERRABLE INITIALLY DEFERRED)`)
			f, store := newFollowed(t, 1), openStore(t, database)
			f.deposit(t, 0, 5)
			f.deposit(t, 0, 6)
			var bad atomic.Int64
			ended := make(chan inbox.Entry, 100)
			f.run(t, store, func(ctx context.Context, tx pgx.Tx, m inbox.Movement) error {
				if m.Amount == 5 {
					bad.Add(1)
					return c.bad(ctx, tx, m.Key)
				}
				_, err := tx.Exec(ctx, book, m.Key)
				return err
			}, inbox.WithAttempts(3), inbox.WithObserver(func(_ context.Context, e inbox.Entry) {
				if e.State != inbox.StateReady {
					ended <- e
				}
			}))
			aside, next := <-ended, <-ended
			assert.Equal(t, []any{inbox.StateAside, qredo.Amount(5), int(c.attempts)}, []any{aside.State, aside.Movement.Amount, aside.Attempts}, aside.Error)
			assert.Equal(t, []any{inbox.StateDone, qredo.Amount(6)}, []any{next.State, next.Movement.Amount})
			assert.Equal(t, c.attempts, bad.Load())
		})
	}
}
