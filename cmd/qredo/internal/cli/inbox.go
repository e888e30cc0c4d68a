package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/inbox/postgres"
	"github.com/qredo-go/qredo/internal/durable"
)

func (a *app) inboxCommands() *cobra.Command {
	return group("inbox", "Movements that are delivered to a program",
		`An inbox (package inbox) delivers what moves in funds and wallets to a program, each movement once. With these commands
people look at it, and decide about movements that were set aside because the program kept refusing them.

These commands do not call the service and need no keys. The inbox is a file (--file or QREDO_INBOX_FILE), which no program
may have open at the time, or a database (--database or QREDO_INBOX_DATABASE; other users cannot see the latter in the
list of processes).

States are waiting (the transaction has not ended), ready, done (delivered), aside, skipped, and void (nothing moved).
Amounts are base units: positive if they came in, negative if they left. Book only what has moved: "moved" is false for
movements that wait or came to nothing, and for entries that only report a change. "reversal" is true for an entry that
takes back another movement which the service's chain refused: its ID is that movement's with "!" at the end.`, `
		qredo inbox list --file inbox.db --state aside
		qredo inbox show ID --file inbox.db
		qredo inbox retry ID --file inbox.db --note 'Bob: the customer has an account now'`,
		a.inboxList(), a.inboxShow(), a.inboxRetry(), a.inboxSkip(),
	)
}

// inboxPlace is where an inbox is kept.
type inboxPlace struct {
	file, database string

	changes bool
}

func (p *inboxPlace) flags(f *flagSet) {
	f.StringVar(&p.file, "file", "", "inbox file (default $QREDO_INBOX_FILE)")
	f.StringVar(&p.database, "database", "", "URL of the inbox database (default $QREDO_INBOX_DATABASE)")
}

// inboxCall is what an inbox command runs with.
type inboxCall struct {
	*inbox.Operator
	id string // the argument, if any
}

// withInbox runs a command that needs an inbox.
func (a *app) withInbox(p *inboxPlace, run func(context.Context, inboxCall) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) (err error) {
		a.assets.source = nil // the service is not called
		p.changes = p.changes && !a.dry.on
		records, err := p.open(ctx, a)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, records.Close()) }()
		o, err := inbox.Operate(records, inbox.WithClock(a.now))
		if err != nil {
			return err
		}
		return run(ctx, inboxCall{o, strings.Join(args, "")})
	}
}

func (p *inboxPlace) open(ctx context.Context, a *app) (inbox.Records, error) {
	file, database := p.file, p.database
	if file == "" && database == "" {
		file, database = a.env("QREDO_INBOX_FILE"), a.env("QREDO_INBOX_DATABASE")
	}
	switch {
	case file == "" && database == "":
		return nil, usagef("no inbox: give --file or --database, or set QREDO_INBOX_FILE or QREDO_INBOX_DATABASE")
	case file != "" && database != "":
		return nil, usagef("give either a file or a database, not both")
	case database != "":
		records, err := postgres.OpenReadOnly(ctx, database)
		if err == nil && p.changes { // opening would create it
			if err = records.Close(); err == nil {
				records, err = postgres.Open(ctx, database)
			}
		}
		return records, err
	}
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return nil, usagef("there is no file %s", file) // opening would create it
	}
	open := func(path string) (inbox.Records, error) { return inbox.OpenStoreReadOnly(path) }
	if p.changes {
		open = func(path string) (inbox.Records, error) { return inbox.OpenStore(path) }
	}
	records, err := open(file)
	if errors.Is(err, durable.ErrInUse) {
		return nil, fmt.Errorf("another program has %s open: stop it first; it continues where it was afterwards", plain(file))
	}
	return records, err
}

// inboxStates are the states of entries, in the order of their lives.
var inboxStates = []inbox.State{inbox.StateWaiting, inbox.StateReady, inbox.StateDone, inbox.StateAside, inbox.StateSkipped, inbox.StateVoid}

func (a *app) inboxList() *cobra.Command {
	var place inboxPlace
	var states []string
	var wallet string
	var filter inbox.Filter
	var limit int
	return a.command(command{
		use: "list", short: "List the movements",
		long:    `Lists the movements that match all flags, sorted by ID.`,
		example: "qredo inbox list --file inbox.db --state aside\nqredo inbox list --wallet WALLET_ID --output json",
		flags: func(f *flagSet) {
			listVar(f, &states, "state", "only movements in this state; repeat for several")
			f.StringVar(&wallet, "wallet", "", "only this wallet")
			f.IntVar(&limit, "limit", 0, "most movements to list; 0 for no limit")
			place.flags(f)
		},
		check: func() error {
			filter = inbox.Filter{Wallet: qredo.WalletID(wallet)}
			for _, s := range states {
				if !slices.Contains(inboxStates, inbox.State(s)) {
					return usagef("--state must be %s, not %q", joined(inboxStates), s)
				}
				filter.States = append(filter.States, inbox.State(s))
			}
			return nil
		},
		run: a.withInbox(&place, func(ctx context.Context, o inboxCall) error {
			return listEntries(a, o.List(ctx, filter), limit, inboxRowOf)
		}),
	})
}

// inboxRow is an entry as tables show it.
type inboxRow struct {
	State     inbox.State     `json:"state"`
	Kind      inbox.Kind      `json:"kind"`
	BaseUnits string          `json:"base_units"`
	Asset     qredo.AssetCode `json:"asset"`
	Moved     bool            `json:"moved"`
	Reversal  bool            `json:"reversal"`
	Time      time.Time       `json:"time"`
	ID        string          `json:"id"`
}

func inboxRowOf(e inbox.Entry) inboxRow {
	return inboxRow{e.State, e.Movement.Kind, fmt.Sprint(int64(e.Movement.Amount)), e.Movement.Asset, e.Movement.Moved, e.Movement.Reversal, e.Movement.Time, e.ID}
}

// inboxView is an entry for people to read, without empty fields.
type inboxView struct {
	inboxRow
	Status         qredo.TxStatus  `json:"status"`
	Wallet         qredo.WalletID  `json:"wallet"`
	Fund           qredo.FundID    `json:"fund"`
	Company        qredo.CompanyID `json:"company"`
	FeesBaseUnits  string          `json:"fees_base_units"`
	TxID           qredo.TxID      `json:"tx_id"`
	ChainTxID      string          `json:"chain_tx_id"`
	Address        string          `json:"address"`
	CounterpartyID string          `json:"counterparty_id"`
	Counterparty   string          `json:"counterparty"`
	Reference      string          `json:"reference"`
	BenefitOf      string          `json:"benefit_of"`
	AccountNo      string          `json:"account_no"`
	Attempts       int             `json:"attempts"`
	Next           time.Time       `json:"next"`
	Note           string          `json:"note"`
	Changed        time.Time       `json:"changed"`
}

func inboxViewOf(e inbox.Entry) inboxView {
	m := e.Movement
	v := inboxView{
		inboxRow: inboxRowOf(e), Status: m.Status, Wallet: m.Wallet, Fund: m.Fund, Company: m.Company, TxID: m.TxID, ChainTxID: m.ChainTxID,
		Address: m.Address, CounterpartyID: m.CounterpartyID, Counterparty: m.CounterpartyName, Reference: m.Reference, BenefitOf: m.BenefitOf,
		AccountNo: m.AccountNo, Attempts: e.Attempts, Next: e.Due, Note: e.Error, Changed: e.Updated,
	}
	if m.Fees != 0 {
		v.FeesBaseUnits = fmt.Sprint(int64(m.Fees))
	}
	return v
}

func (a *app) inboxShow() *cobra.Command {
	var place inboxPlace
	return a.command(command{
		use: "show ID", short: "Show a movement",
		long:    "Shows a movement: what it is, its state, and why its last attempt failed.",
		example: "qredo inbox show in:WALLET_ID:CHAIN_TX_ID:5000 --file inbox.db",
		flags:   place.flags,
		run: a.withInbox(&place, func(ctx context.Context, o inboxCall) error {
			e, err := o.Get(ctx, o.id)
			return a.inboxShown(e, err)
		}),
	})
}

func (a *app) inboxShown(e inbox.Entry, err error) error {
	switch {
	case errors.Is(err, inbox.ErrNotFound):
		return notFoundf("unknown movement ID; see qredo inbox list")
	case err != nil:
		return err
	case a.json():
		return a.jsonLine(e)
	}
	return a.show(inboxViewOf(e), nil)
}

func (a *app) inboxRetry() *cobra.Command {
	return a.inboxDecision(command{
		use: "retry ID", short: "Deliver a movement again",
		long: `Delivers a movement again that was set aside or skipped, or waits for its next attempt, as soon as the program that
runs the inbox looks next. Its count of attempts starts again.`,
		example: "qredo inbox retry ID --file inbox.db --note 'Bob: the customer has an account now'",
	}, "The movement will be delivered to the program again", (*inbox.Operator).Retry)
}

func (a *app) inboxSkip() *cobra.Command {
	return a.inboxDecision(command{
		use: "skip ID", short: "Never deliver a movement",
		long: `Marks a movement that is set aside or ready as never to be delivered. The program will not book it: somebody else must,
or have a reason not to. "retry" undoes this.`,
		example: "qredo inbox skip ID --file inbox.db --note 'Bob: booked by hand, ticket 17'",
	}, "The movement will never be delivered to the program, so it will not be booked", (*inbox.Operator).Skip)
}

// inboxDecision is a command with which a person decides about a movement, after confirming.
func (a *app) inboxDecision(c command, what string, decide func(*inbox.Operator, context.Context, string, string) (inbox.Entry, error)) *cobra.Command {
	place := inboxPlace{changes: true}
	var note string
	var yes bool
	c.flags = func(f *flagSet) {
		f.StringVar(&note, "note", "", "who decided this and why; stored with the movement")
		f.BoolVarP(&yes, "yes", "y", false, "do not ask for confirmation")
		required(f, "note")
		place.flags(f)
	}
	c.check = func() error {
		return a.canAsk(yes, "changes the inbox")
	}
	c.run = a.withInbox(&place, func(ctx context.Context, o inboxCall) error {
		e, err := o.Get(ctx, o.id)
		if err != nil {
			return a.inboxShown(e, err)
		}
		r := inboxRowOf(e)
		a.plan(what, planned{"state", string(e.State)}, planned{"why", e.Error}, planned{"movement", fmt.Sprintf("%s of %s base units of %s", r.Kind, r.BaseUnits, r.Asset)},
			planned{"wallet", cmp.Or(string(e.Movement.Wallet), "not known")}, planned{"time", r.Time.UTC().Format("2006-01-02 15:04:05 MST")})
		if !yes {
			if err := a.ask(ctx, "Proceed?"); err != nil {
				return err
			}
		}
		if err := a.dry.holdsBack("In the inbox: " + what + "."); err != nil {
			return err
		}
		e, err = decide(o.Operator, ctx, o.id, note)
		if err != nil && !errors.As(err, new(*inbox.StateError)) && !errors.As(err, new(*qredo.ValidationError)) {
			err = doubtError{err}
		}
		return a.inboxShown(e, err)
	})
	return a.command(c)
}
