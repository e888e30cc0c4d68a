package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/inbox/postgres"
	"github.com/qredo-go/qredo/internal/pgtest"
)

// TestInboxInDatabase has people look at what a program was handed over, and decide about what it refuses.
func TestInboxInDatabase(t *testing.T) {
	database := pgtest.Database(t)
	testscript.Run(t, scripts("inbox", func(env *testscript.Env) error {
		env.Setenv("QREDO_INBOX_DATABASE", pgtest.Schema(env.T().(testing.TB), database))
		return setUp(env, &recorder{seen: map[string]bool{}})
	}))
}

// TestInboxInFile is the same with a file, which the program has not open meanwhile.
func TestInboxInFile(t *testing.T) {
	testscript.Run(t, scripts("inbox", func(env *testscript.Env) error {
		env.Setenv("QREDO_INBOX_FILE", "inbox.db")
		return setUp(env, &recorder{seen: map[string]bool{}})
	}))
}

// teller is a program that follows the fund: teller REFUSED COUNT prints what it is handed over, refuses one amount, and ends when so
// many movements are handed over or set aside.
func teller() {
	if err := credit(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func credit(refused, count string) error {
	amount, err := strconv.ParseInt(refused, 10, 64)
	if err != nil {
		return err
	}
	left, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	auth, err := qredo.AuthFromEnv()
	if err != nil {
		return err
	}
	client, err := qredo.NewClient(auth, qredo.WithBaseURL(os.Getenv("QREDO_BASE_URL")))
	if err != nil {
		return err
	}
	ctx, done := context.WithTimeout(context.Background(), time.Minute)
	defer done()
	const quick = 20 * time.Millisecond
	opts := []inbox.Option{
		inbox.FromStart(), inbox.WithFunds(qredo.CompanyID(os.Getenv("COMPANY")), qredo.FundID(os.Getenv("FUND"))), inbox.WithConcurrency(1),
		inbox.WithPolling(quick, quick), inbox.WithBackoff(quick, quick), inbox.WithAttempts(2),
		inbox.WithObserver(func(_ context.Context, e inbox.Entry) {
			if e.State != inbox.StateReady {
				left--
			}
			if left == 0 {
				done()
			}
		}),
	}
	take := func(m inbox.Movement) error {
		if int64(m.Amount) == amount {
			return fmt.Errorf("no customer has %d", amount)
		}
		fmt.Println("credited", int64(m.Amount))
		return nil
	}
	if file := os.Getenv("QREDO_INBOX_FILE"); file != "" {
		store, err := inbox.OpenStore(file)
		if err != nil {
			return err
		}
		defer func() { _ = store.Close() }() // what was handed over is on the disk
		return follow(ctx, client, store, opts, take)
	}
	store, err := postgres.Open(ctx, os.Getenv("QREDO_INBOX_DATABASE"))
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	return follow(ctx, client, store, opts, take)
}

func follow[Tx any](ctx context.Context, client *qredo.Client, store inbox.Store[Tx], opts []inbox.Option, take func(inbox.Movement) error) error {
	in, err := inbox.New(client, store, opts...)
	if err != nil {
		return err
	}
	return in.Run(ctx, func(_ context.Context, _ Tx, m inbox.Movement) error { return take(m) })
}
