package faulttest

import (
	"context"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/backoff"
	"github.com/qredo-go/qredo/internal/pgtest"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/postgres"
	"github.com/qredo-go/qredo/sandbox"
)

// TestExactlyOncePayouts has four programs debit customers and enqueue payouts in the same transactions, while a fifth of the
// requests goes wrong and everybody is killed again and again: the programs, the database and the sandbox. In the end the
// customers' books are the sandbox's.
func TestExactlyOncePayouts(t *testing.T) {
	if path := os.Getenv(payoutsConfig); path != "" { // this is one of the processes that are killed
		payOut(t, path)
		return
	}
	w := openPayouts(t)
	defer w.end()
	random := mathrand.New(mathrand.NewPCG(payoutsSeed, 2))
	list := strikes(payoutsSeed,
		blow{size(20, 4), func() { i := random.IntN(payoutPrograms); kill(w.programs[i]); w.start(i) }},
		blow{size(20, 4), w.strikeSandbox},
		blow{size(5, 1), func() { w.server.Crash(); w.server.Restart() }})
	stop := approve(t, w.sandbox.people, nil)
	for n, strike := range list {
		waitFor(t, len(w.list)*(n+1)/(len(list)+2), w.ended)
		strike()
	}
	waitFor(t, len(w.list), w.ended)
	stop()
	w.check(t)
}

const (
	payoutPrograms = 4
	payoutsSeed    = 25
	openingBalance = 1_000_000_000
	customers      = 50
)

// payoutWorld is a database, a sandbox and four programs, all of which can be killed.
type payoutWorld struct {
	t        *testing.T
	server   *pgtest.Server
	pool     *pgxpool.Pool
	sandbox  *process
	struck   uint64 // how often the sandbox was killed
	bank     *bank
	list     []payment
	orders   payoutOrders
	programs [payoutPrograms]*exec.Cmd
}

func openPayouts(t *testing.T) *payoutWorld {
	t.Helper()
	w := &payoutWorld{t: t, server: pgtest.Start(t), sandbox: startSandbox(t), list: payments(size(20_000, 300), payoutsSeed)}
	var err error
	w.pool, err = pgxpool.New(t.Context(), w.server.Database())
	require.NoError(t, err)
	_, err = w.pool.Exec(t.Context(), fmt.Sprintf(`
		CREATE TABLE customers (name text PRIMARY KEY, balance bigint NOT NULL);
		CREATE TABLE payouts (number text PRIMARY KEY, amount bigint NOT NULL);
		INSERT INTO customers SELECT 'customer-' || i, %d FROM generate_series(0, %d) i`, openingBalance, customers-1))
	require.NoError(t, err)

	w.bank = openBank(t, w.sandbox.client, w.sandbox.people)
	require.NoError(t, w.sandbox.people.SetFaults(t.Context(), payoutsSeed, everyFault()...))
	w.orders = payoutOrders{APIKey: w.sandbox.apiKey, Database: w.server.Database(), Parts: payoutPrograms, orders: orders{
		BaseURL: w.sandbox.url + basePath, PrivateKey: w.sandbox.keyFile, Company: w.bank.company, From: w.bank.from.ID, To: w.bank.to.ID,
		Payments: len(w.list), Seed: payoutsSeed,
	}}
	for i := range w.programs {
		w.start(i)
	}
	return w
}

func (w *payoutWorld) start(i int) {
	w.t.Helper()
	o := w.orders
	o.Part = i
	w.programs[i] = program(w.t, "TestExactlyOncePayouts", payoutsConfig, filepath.Join(w.sandbox.store, fmt.Sprint("orders-", i, ".json")), o)
	w.programs[i].Stdout = os.Stderr
	require.NoError(w.t, w.programs[i].Start())
}

// strikeSandbox kills the sandbox, which then has other faults.
func (w *payoutWorld) strikeSandbox() {
	w.sandbox.kill()
	require.NoError(w.t, w.sandbox.start())
	w.struck++
	require.NoError(w.t, w.sandbox.people.SetFaults(w.t.Context(), payoutsSeed+w.struck, everyFault()...))
}

// ended counts the payouts that have ended.
func (w *payoutWorld) ended() (n int) {
	// Without a database there are no notifications.
	_ = w.pool.QueryRow(w.t.Context(), `SELECT count(*) FROM qredo_outbox WHERE state NOT IN ('pending', 'sent')`).Scan(&n)
	return n
}

// approve approves everything, except that it rejects what refused selects, until the function it returns is called.
func approve(t *testing.T, people *sandbox.Control, refused func(sandbox.PendingApproval) bool) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for backoff.Wait(ctx, 5*time.Millisecond) == nil {
			pending, err := people.Pending(ctx, approver)
			if err != nil {
				continue // the sandbox has been killed
			}
			for _, p := range pending {
				decide := people.Approve
				if refused != nil && refused(p) {
					decide = people.Reject
				}
				if decide(ctx, approver, string(p.ActionID)) != nil {
					break // the same
				}
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// check holds the books against the sandbox's.
func (w *payoutWorld) check(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, w.sandbox.people.SetFaults(ctx, 0))
	store, err := postgres.New(ctx, w.pool)
	require.NoError(t, err)
	var attempts, unknown, paid, left, booked int64
	for i := range w.list {
		e, err := store.Get(ctx, string(w.list[i].key))
		require.NoError(t, err, w.list[i].key)
		require.Equal(t, outbox.StateDone, e.State, "%s: %s", e.Key, e.Reason)
		w.list[i].tx = e.TxID
		paid += int64(w.list[i].amount)
		attempts += int64(e.Attempts)
		for _, s := range e.Steps {
			if s.Kind == outbox.StepUnknown {
				unknown += int64(s.Times)
			}
		}
	}
	require.NoError(t, store.Close())
	require.NoError(t, w.pool.QueryRow(ctx, `SELECT (SELECT sum(balance) FROM customers), (SELECT sum(amount) FROM payouts)`).Scan(&left, &booked))
	assert.Equal(t, paid, booked)
	assert.Equal(t, int64(customers*openingBalance), left+paid, "what customers have left and what was paid")
	w.bank.check(t, w.sandbox.people, w.list)
	t.Logf("%d payouts done with %d attempts; %d times the outcome of one was unknown", len(w.list), attempts, unknown)
}

func (w *payoutWorld) end() {
	for i := range w.programs {
		kill(w.programs[i])
	}
	w.sandbox.kill()
	w.pool.Close()
}
