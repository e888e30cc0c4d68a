package cli

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/visible"
)

// submission is a request for a transaction that is shown, confirmed, sent and followed.
type submission struct {
	app       *app
	resume    string // the command that waits for it
	yes, wait bool
	key       string
	keyMade   bool // the command made the key: nobody else has used it
	expires   string
	until     qredo.Time // the time of expires
	poll      time.Duration
	longest   time.Duration
	flags     *flagSet
}

// add adds the flags that all requests for transactions have.
func (s *submission) add(f *flagSet, expires string) {
	f.StringVar(&s.key, "idempotency-key", "", "your own key for the transaction: the same key never makes a second one (default: a new key, which is printed)")
	s.askFlags(f)
	if expires != "" {
		f.StringVar(&s.expires, "expires", expires, "when it expires if it was not approved: a duration such as 24h, or a time such as 2026-01-31T15:04:05Z")
	}
}

func (s *submission) yesFlag(f *flagSet) {
	f.BoolVarP(&s.yes, "yes", "y", false, "do not ask for confirmation")
}

func (s *submission) askFlags(f *flagSet) {
	s.flags = f
	s.yesFlag(f)
	f.BoolVar(&s.wait, "wait", false, "follow the transaction to its end")
	s.waitFlags(f)
}

// check refuses what cannot be confirmed or followed, before anything is sent.
func (s *submission) check() error {
	if err := s.app.canAsk(s.yes, "moves assets"); err != nil {
		return err
	}
	// An empty variable in a script must not become a new key, and so a new payment, at each run.
	if s.flags.Changed("idempotency-key") && strings.TrimSpace(s.key) == "" {
		return usagef("--idempotency-key is empty: give a key, or leave out the flag for a new one")
	}
	if err := s.checkWait(); err != nil {
		return err
	}
	return s.readExpires()
}

func (s *submission) readExpires() error {
	if s.flags.Lookup("expires") == nil {
		return nil
	}
	if d, err := time.ParseDuration(s.expires); err == nil {
		if d <= 0 {
			return usagef("--expires must be in the future, not %s", s.expires)
		}
		s.until = qredo.TimeOf(s.app.now().Add(d))
		return nil
	}
	at, err := time.Parse(time.RFC3339, s.expires)
	if err != nil {
		return usagef("--expires must be a duration such as 24h, or a time such as 2026-01-31T15:04:05Z; not %q", s.expires)
	}
	s.until = qredo.TimeOf(at)
	return nil
}

// planned is a line of what is shown before a transaction is requested.
type planned struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// fixKey fixes the idempotency key, before the request is made and shown.
func (s *submission) fixKey() qredo.PartnerTxID {
	s.keyMade = s.key == ""
	s.key = cmp.Or(s.key, rand.Text())
	return qredo.PartnerTxID(s.key)
}

// confirm shows what will be done and asks for confirmation, unless --yes was given. Then it prints the idempotency key,
// before anything is sent. The request must be checked already: its errors must not come after the user's answer.
func (s *submission) confirm(ctx context.Context, p *proposal, request any) error {
	if err := p.check(ctx, request); err != nil {
		return err
	}
	if err := s.ask(ctx, p); err != nil {
		return err
	}
	if !s.app.dry.on {
		fmt.Fprintf(s.app.err, "idempotency key: %s\n", plain(visible.Shell(s.key)))
		s.app.traffic.asks(qredo.PartnerTxID(s.key))
	}
	return nil
}

// ask shows what will be done and asks for confirmation, unless --yes was given.
func (s *submission) ask(ctx context.Context, p *proposal) error {
	p.show()
	if !s.yes {
		if err := s.app.ask(ctx, "Proceed?"); err != nil {
			return err
		}
	}
	return nil
}

// plan shows what will be done.
func (a *app) plan(title string, plan ...planned) {
	const width = len("leaves the wallet")
	fmt.Fprintln(a.err, plain(title))
	plan = slices.DeleteFunc(plan, func(line planned) bool { return line.Value == "" })
	for _, line := range plan {
		fmt.Fprintf(a.err, "  %s %s\n", pad(line.Name, width), a.wrap(plain(line.Value), width+3))
	}
	a.dry.plan = plan
}

// warned says what speaks against it.
func (a *app) warned(warnings []string) {
	for _, text := range warnings {
		fmt.Fprintf(a.err, "warning: %s\n", a.wrap(plain(text), len("warning: ")))
	}
	a.dry.warned = append(a.dry.warned, warnings...)
}

// canAsk refuses what needs confirmation if nobody can answer.
func (a *app) canAsk(yes bool, what string) error {
	if yes || a.terminal.in || a.dry.on {
		return nil
	}
	return usagef("this %s, and there is no terminal to confirm it on: give --yes", what)
}

// ask asks whether to continue.
func (a *app) ask(ctx context.Context, question string) error {
	if a.dry.on {
		return nil
	}
	fmt.Fprint(a.err, question, " [y/N] ")
	read := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(a.in).ReadString('\n') // nothing, not even a line end, if there is no answer
		read <- line
	}()
	select {
	case <-ctx.Done():
		return fmt.Errorf("nothing was done: %w", ctx.Err())
	case line := <-read:
		switch answer := strings.ToLower(strings.TrimSpace(line)); {
		case answer == "y" || answer == "yes":
			return nil
		case line == "":
			return errors.New("nothing was done: no answer")
		}
		return errors.New("nothing was done")
	}
}

func (s *submission) waitFlags(f *flagSet) {
	f.DurationVar(&s.poll, "poll-interval", 2*time.Second, "pause between two checks while waiting")
	f.DurationVar(&s.longest, "wait-timeout", 0, "longest time to wait; 0 for no limit")
}

func (s *submission) checkWait() error {
	if s.poll <= 0 {
		return usagef("--poll-interval must be more than zero, not %s", s.poll)
	}
	return nil
}

// look gets a transaction, at once or when it has ended.
type look[T any] func(ctx context.Context, tx qredo.TxID, opts ...qredo.CallOption) (*T, error)

// of turns a method of the client into a look at the transactions of a company or core client.
func of[O, T any](owner O, get func(context.Context, O, qredo.TxID, ...qredo.CallOption) (*T, error)) look[T] {
	return func(ctx context.Context, tx qredo.TxID, opts ...qredo.CallOption) (*T, error) {
		return get(ctx, owner, tx, opts...)
	}
}

// finish prints what was submitted, and follows it to its end if requested. If a transaction already exists with a key that
// was made here, it is this one, and the first answer was lost.
func (s *submission) finish(ctx context.Context, sent any, made *qredo.Submission, wait look[qredo.Transaction]) error {
	switch {
	case made.Status != qredo.SubmissionExisting:
	case s.keyMade:
		made.Status = qredo.SubmissionNew
	default:
		fmt.Fprintln(s.app.err, "a transaction with this key already existed: this is that one, as it was first requested")
	}
	return followIfAsked(ctx, s, sent, made.TxID, wait)
}

// followIfAsked prints what was submitted, or with --wait follows it to its end.
func followIfAsked[T any](ctx context.Context, s *submission, sent any, tx qredo.TxID, wait look[T]) error {
	s.app.traffic.made(tx)
	if !s.wait {
		return s.app.show(sent, nil)
	}
	fmt.Fprintf(s.app.err, "transaction %s: waiting\n", plain(string(tx)))
	return follow(ctx, s, tx, wait)
}

// follow waits for a transaction and prints how it ended.
func follow[T any](ctx context.Context, s *submission, tx qredo.TxID, wait look[T]) error {
	if s.longest > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.longest)
		defer cancel()
	}
	ended, err := wait(ctx, tx, qredo.WithPollInterval(s.poll))
	return s.app.show(ended, s.waited(tx, err))
}

// waited is the result of waiting for a transaction.
func (s *submission) waited(tx qredo.TxID, err error) error {
	if err == nil || errors.As(err, new(*qredo.TxError)) {
		return err
	}
	return waitError{tx, s.resume, err}
}
