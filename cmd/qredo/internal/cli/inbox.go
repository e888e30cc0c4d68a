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
	return group("inbox", "Movements that are handed over to a program",
		`An inbox, of package inbox, hands what moves in funds and wallets over to a program, each movement once. Here people
look at it and decide about what was set aside, since the program has refused it again and again.

No command here asks the service, and none needs a key of it. The inbox is a file (--file, else QREDO_INBOX_FILE), which no
program may have open meanwhile, or a database (--database, else QREDO_INBOX_DATABASE, which other users cannot see in the
list of processes).

States are waiting (the transaction has not ended), ready, done (handed over), aside, skipped, and void (nothing moved).
Amounts are base units: what came is positive, what left negative. Moved is false of what waits, of what came to nothing, and of
what only tells of a change; only what has moved is to be booked. Reversal is true of what takes another movement back, which the
service's chain has refused: it has that one's ID with "!" at its end.`, `
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
	f.StringVar(&p.file, "file", "", "file of the inbox (default $QREDO_INBOX_FILE)")
	f.StringVar(&p.database, "database", "", "URL of the database of the inbox (default $QREDO_INBOX_DATABASE)")
}

// inboxCall is what a command about an inbox runs with.
type inboxCall struct {
	*inbox.Operator
	id string // the argument, if there is one
}

// withInbox runs a command that needs an inbox.
func (a *app) withInbox(p *inboxPlace, run func(context.Context, inboxCall) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) (err error) {
		a.assets.source = nil // nothing is asked of the service
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
		return nil, usagef("a file and a database are both given: give one of them")
	case database != "":
		records, err := postgres.OpenReadOnly(ctx, database)
		if err == nil && p.changes { // it would be made where there is none
			if err = records.Close(); err == nil {
				records, err = postgres.Open(ctx, database)
			}
		}
		return records, err
	}
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return nil, usagef("there is no file %s", file) // it would be made
	}
	open := func(path string) (inbox.Records, error) { return inbox.OpenStoreReadOnly(path) }
	if p.changes {
		open = func(path string) (inbox.Records, error) { return inbox.OpenStore(path) }
	}
	records, err := open(file)
	if errors.Is(err, durable.ErrInUse) {
		return nil, fmt.Errorf("another program has %s open: stop it first, it goes on afterwards where it was", plain(file))
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
		long:    `Lists the movements that all the flags select, by their IDs.`,
		example: "qredo inbox list --file inbox.db --state aside\nqredo inbox list --wallet WALLET_ID --output json",
		flags: func(f *flagSet) {
			listVar(f, &states, "state", "only in this state; repeat for several")
			f.StringVar(&wallet, "wallet", "", "only of this wallet")
			f.IntVar(&limit, "limit", 0, "movements at most; no limit if 0")
			place.flags(f)
		},
		check: func() error {
			filter = inbox.Filter{Wallet: qredo.WalletID(wallet)}
			for _, s := range states {
				if !slices.Contains(inboxStates, inbox.State(s)) {
					return usagef("--state must be %s, is %q", joined(inboxStates), s)
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

// inboxRow is what tables show of an entry.
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

// inboxView is an entry as people read it, without what is empty.
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
		long:    "Shows a movement: what it is, how far it is, and what its last attempt has failed for.",
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
		return notFoundf("no movement has this ID; see qredo inbox list")
	case err != nil:
		return err
	case a.json():
		return a.jsonLine(e)
	}
	return a.show(inboxViewOf(e), nil)
}

func (a *app) inboxRetry() *cobra.Command {
	return a.inboxDecision(command{
		use: "retry ID", short: "Have a movement handed over again",
		long: `Has a movement that is set aside, was skipped, or waits for its next attempt handed over again, at the next look of the
program that runs the inbox, with all its attempts before it.`,
		example: "qredo inbox retry ID --file inbox.db --note 'Bob: the customer has an account now'",
	}, "The program is called with it again", (*inbox.Operator).Retry)
}

func (a *app) inboxSkip() *cobra.Command {
	return a.inboxDecision(command{
		use: "skip ID", short: "Decide that a movement is never handed over",
		long: `Decides that a movement which is set aside or ready is never handed over: the program does not book it, so that somebody
must, or have a reason not to. "retry" takes that back.`,
		example: "qredo inbox skip ID --file inbox.db --note 'Bob: booked by hand, ticket 17'",
	}, "The program is never called with it: it is not booked", (*inbox.Operator).Skip)
}

// inboxDecision is a command by which a person decides about a movement, after a question.
func (a *app) inboxDecision(c command, what string, decide func(*inbox.Operator, context.Context, string, string) (inbox.Entry, error)) *cobra.Command {
	place := inboxPlace{changes: true}
	var note string
	var yes bool
	c.flags = func(f *flagSet) {
		f.StringVar(&note, "note", "", "who says so, and why: it is kept with the movement")
		f.BoolVarP(&yes, "yes", "y", false, "do not ask")
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
