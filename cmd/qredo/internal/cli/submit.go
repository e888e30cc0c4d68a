package cli

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

// submission is a request for a transaction on its way: shown, confirmed, sent, and followed.
type submission struct {
	app       *app
	yes, wait bool
	key       string
	expires   string
	poll      time.Duration
	longest   time.Duration
	flags     interface{ Changed(name string) bool }
}

// add adds the flags that all requests for transactions have.
func (s *submission) add(cmd *cobra.Command, expires string) {
	flags := cmd.Flags()
	s.flags = flags
	flags.BoolVarP(&s.yes, "yes", "y", false, "do not ask")
	flags.StringVar(&s.key, "idempotency-key", "", "your own key for the transaction: the same key never makes a second one (default a new key, which is printed)")
	s.waitFlags(cmd)
	flags.BoolVar(&s.wait, "wait", false, "follow the transaction to its end")
	if expires != "" {
		flags.StringVar(&s.expires, "expires", expires, "until when it can be approved: from now, such as 24h, or a time such as 2026-01-31T15:04:05Z")
	}
}

func (s *submission) waitFlags(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&s.poll, "poll", 2*time.Second, "pause between two looks while waiting")
	cmd.Flags().DurationVar(&s.longest, "wait-timeout", 0, "wait no longer than this; no end if 0")
}

// check refuses what cannot be confirmed, before anything is sent.
func (s *submission) check() error {
	if !s.yes && !s.app.terminal.in {
		return usagef("this moves assets and there is no terminal to ask at: give --yes")
	}
	// An empty variable in a script must not become a new key, and so another payment, at each run.
	if s.flags != nil && s.flags.Changed("idempotency-key") && strings.TrimSpace(s.key) == "" {
		return usagef("--idempotency-key is empty: give a key, or leave the flag out for a new one")
	}
	return nil
}

// until reads --expires.
func (s *submission) until() (qredo.Time, error) {
	if d, err := time.ParseDuration(s.expires); err == nil {
		if d <= 0 {
			return qredo.Time{}, usagef("--expires must be in the future, is %s", s.expires)
		}
		return qredo.TimeOf(s.app.now().Add(d)), nil
	}
	at, err := time.Parse(time.RFC3339, s.expires)
	if err != nil {
		return qredo.Time{}, usagef("--expires must be a duration such as 24h, or a time such as 2026-01-31T15:04:05Z; is %q", s.expires)
	}
	return qredo.TimeOf(at), nil
}

// planned is a line of what is shown before a transaction is asked for.
type planned struct{ name, value string }

// confirm shows what will be done and asks, unless --yes was given. Then it fixes the idempotency key and
// prints it, before anything is sent.
func (s *submission) confirm(ctx context.Context, title string, plan ...planned) (qredo.PartnerTxID, error) {
	fmt.Fprintln(s.app.err, title)
	for _, line := range plan {
		if line.value != "" {
			fmt.Fprintf(s.app.err, "  %s %s\n", pad(line.name, 10), plain(line.value))
		}
	}
	if !s.yes {
		if err := s.ask(ctx, ""); err != nil {
			return "", err
		}
	}
	if s.key == "" {
		s.key = rand.Text()
	}
	fmt.Fprintf(s.app.err, "idempotency key: %s\n", s.key)
	return qredo.PartnerTxID(s.key), nil
}

// ask asks whether to go on.
func (s *submission) ask(ctx context.Context, what string) error {
	fmt.Fprint(s.app.err, strings.TrimPrefix(what+". Proceed? [y/N]", ". "), " ")
	answer, err := s.app.readLine(ctx)
	if err != nil {
		return err
	}
	if answer != "y" && answer != "yes" {
		return foundError{"nothing was done"}
	}
	return nil
}

// readLine reads a line from the terminal.
func (a *app) readLine(ctx context.Context) (string, error) {
	type result struct {
		text string
		err  error
	}
	read := make(chan result, 1)
	go func() {
		text, err := bufio.NewReader(a.in).ReadString('\n')
		read <- result{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", fmt.Errorf("nothing was done: %w", ctx.Err())
	case r := <-read:
		if r.err != nil && r.text == "" {
			return "", foundError{"nothing was done: no answer"}
		}
		return strings.ToLower(strings.TrimSpace(r.text)), nil
	}
}

// look follows a transaction: it is one of the client's Wait methods.
type look func(ctx context.Context, tx qredo.TxID, opts ...qredo.CallOption) (*qredo.Transaction, error)

// finish prints what was submitted, and follows it to its end if that is asked for.
func (s *submission) finish(ctx context.Context, sent any, made qredo.Submission, follow look) error {
	if made.Status == qredo.SubmissionExisting {
		fmt.Fprintln(s.app.err, "there was a transaction with this key already: it is that one, as it was first asked for")
	}
	if !s.wait {
		return s.app.show(sent)
	}
	fmt.Fprintf(s.app.err, "transaction %s: waiting\n", made.TxID)
	return s.follow(ctx, made.TxID, follow)
}

// follow waits for a transaction and prints how it ended.
func (s *submission) follow(ctx context.Context, tx qredo.TxID, follow look) error {
	if s.poll <= 0 {
		return usagef("--poll must be more than zero, is %s", s.poll)
	}
	if s.longest > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.longest)
		defer cancel()
	}
	ended, err := follow(ctx, tx, qredo.WithPollInterval(s.poll))
	if err != nil {
		return waited(tx, err)
	}
	return s.app.show(ended)
}

// named is a wallet as it stands in a plan.
func named(w *qredo.Wallet) string {
	if w.Name == "" {
		return string(w.ID)
	}
	return fmt.Sprintf("%s (%s)", w.ID, w.Name)
}

// feePlan are the lines about what a movement costs. Where the service does not say, they are left out.
func (a *app) feePlan(ctx context.Context, client *qredo.Client, kind qredo.FeeType, send qredo.AssetAmount) []planned {
	fees, err := client.Assets.Fees(ctx, qredo.FeesRequest{Type: kind, Asset: send.Asset, Amount: send.Amount})
	if err != nil {
		return nil
	}
	return []planned{
		{"fees", a.figure(fees.Fees, send.Asset)},
		{"arrives", a.figure(fees.NetAmount, send.Asset)},
	}
}
