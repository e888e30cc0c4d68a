// Command walkthrough: there are companies, people, core clients, funds, custody groups, wallets, and a withdrawal needs all of them. What
// comes first, and who does what?
//
// So it does the whole job of a custody client, step by step: a company, the people who approve for it, a fund with two wallets, a deposit,
// a transfer, a withdrawal, and at the end a check that balances and ledger are what the steps imply.
//
//	go run ./examples/walkthrough
//
// starts a sandbox for itself. With -base-url it runs against another server, with the credentials in
// QREDO_API_KEY or QREDO_API_KEY_FILE and QREDO_PRIVATE_KEY or QREDO_PRIVATE_KEY_FILE. Where that server
// is a sandbox, the program plays the people and the chain as well; elsewhere it says what they have to
// do, and waits until they have.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

func main() {
	var cfg config
	flag.StringVar(&cfg.baseURL, "base-url", "", "run against this server instead of a sandbox of its own")
	flag.StringVar((*string)(&cfg.asset), "asset", "BTC-TESTNET", "asset to move")
	flag.StringVar(&cfg.approvers, "approvers", "alice@example.com,bob@example.com", "e-mails of those who approve")
	flag.StringVar(&cfg.payout, "payout", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "address to withdraw to")
	flag.DurationVar(&cfg.poll, "poll", 200*time.Millisecond, "how often to look while waiting")
	timeout := flag.Duration("timeout", 2*time.Minute, "give up after this long")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	if err := run(ctx, cfg, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "walkthrough:", err)
		os.Exit(1) // nothing is left to clean up
	}
}

type config struct {
	baseURL   string
	asset     qredo.AssetCode
	approvers string
	payout    string
	poll      time.Duration
}

func run(ctx context.Context, cfg config, out io.Writer) error {
	client, people, stop, err := connect(ctx, cfg, out)
	if err != nil {
		return err
	}
	defer stop()
	w := walkthrough{config: cfg, client: client, people: people, out: out}
	for _, step := range []func(context.Context) error{
		w.findAsset, w.createCompany, w.buildTrustedNetwork, w.createFund, w.deposit, w.transfer, w.withdraw, w.check,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "\nDone: balances and ledger are what the steps imply.")
	return nil
}

// connect returns a client, and whoever plays the people: for a sandbox of its own, or the server at cfg.baseURL.
func connect(ctx context.Context, cfg config, out io.Writer) (client *qredo.Client, p people, stop func(), err error) {
	if cfg.baseURL == "" {
		srv, err := sandbox.Start()
		if err != nil {
			return nil, nil, nil, err
		}
		fmt.Fprintf(out, "A sandbox is running at %s\n", srv.BaseURL())
		return srv.Client(), simulated{srv.Control()}, func() { _ = srv.Close() }, nil
	}
	auth, err := qredo.AuthFromEnv()
	if err != nil {
		return nil, nil, nil, err
	}
	client, err = qredo.NewClient(auth, qredo.WithBaseURL(cfg.baseURL))
	if err != nil {
		return nil, nil, nil, err
	}
	control, err := sandbox.NewControl(cfg.baseURL)
	if err != nil {
		return nil, nil, nil, err
	}
	if _, err := control.State(ctx); err == nil {
		fmt.Fprintf(out, "A sandbox is running at %s\n", cfg.baseURL)
		return client, simulated{control}, func() {}, nil
	}
	fmt.Fprintf(out, "The server at %s is not a sandbox on this machine: people have to act, and this program waits for them.\n", cfg.baseURL)
	return client, live{out}, func() {}, nil
}

// people do what the Partner API cannot: the users of the app, and the chain.
type people interface {
	enrol(ctx context.Context, email string) error // before a company can ask them
	join(ctx context.Context, email string, company qredo.CompanyID) error
	send(ctx context.Context, address, figure string, amount qredo.Amount) error
	approve(ctx context.Context, email string, tx qredo.TxID) error
}

// simulated people act at once, through the sandbox's control calls.
type simulated struct{ control *sandbox.Control }

func (s simulated) enrol(ctx context.Context, email string) error {
	_, err := s.control.CreateUser(ctx, sandbox.User{Email: email})
	if errors.Is(err, qredo.ErrConflict) {
		return nil // they have an account
	}
	return err
}

func (s simulated) join(ctx context.Context, email string, company qredo.CompanyID) error {
	return s.control.Accept(ctx, email, company)
}

func (s simulated) send(ctx context.Context, address, _ string, amount qredo.Amount) error {
	_, err := s.control.Deposit(ctx, address, amount)
	return err
}

func (s simulated) approve(ctx context.Context, email string, tx qredo.TxID) error {
	return s.control.Approve(ctx, email, string(tx))
}

// live people are told what to do.
type live struct{ out io.Writer }

func (r live) enrol(context.Context, string) error { return nil } // they have an account, or are refused

func (r live) join(_ context.Context, email string, _ qredo.CompanyID) error {
	fmt.Fprintf(r.out, "  → %s must accept the request in the app\n", email)
	return nil
}

func (r live) send(_ context.Context, address, figure string, _ qredo.Amount) error {
	fmt.Fprintf(r.out, "  → send %s to %s\n", figure, address)
	return nil
}

func (r live) approve(_ context.Context, email string, tx qredo.TxID) error {
	fmt.Fprintf(r.out, "  → %s must approve %s in the app\n", email, tx)
	return nil
}

// until looks again and again until done reports that there is nothing more to wait for.
func (c config) until(ctx context.Context, what string, done func() (bool, error)) error {
	ticker := time.NewTicker(c.poll)
	defer ticker.Stop()
	for {
		finished, err := done()
		if err != nil || finished {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
		case <-ticker.C:
		}
	}
}

func (c config) approverEmails() []string { return strings.Split(c.approvers, ",") }
