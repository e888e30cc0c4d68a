package cli

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
)

// outboxStates are the states of entries, in the order of their lives.
var outboxStates = []outbox.State{
	outbox.StatePending, outbox.StateSent, outbox.StateHeld, outbox.StateDone, outbox.StateRejected, outbox.StateExpired, outbox.StateFailed,
}

func (a *app) outboxList() *cobra.Command {
	var place outboxPlace
	var states []string
	var unknown, held bool
	var since string
	var filter outbox.Filter
	var limit int
	return a.command(command{
		use: "list", short: "List the entries",
		long: `Lists the entries that match all flags, sorted by key, or with --since by time of change. "unknown" means that a
transaction may have been made although no answer said so. Unknown and held entries wait for a person.`,
		example: "qredo outbox list --file payments.db --unknown\nqredo outbox list --state pending --state sent --since 24h --output json",
		flags: func(f *flagSet) {
			listVar(f, &states, "state", "only entries in this state; repeat for several")
			f.BoolVar(&unknown, "unknown", false, "only entries whose outcome is unknown")
			f.BoolVar(&held, "held", false, "only held entries; the same as --state held")
			f.StringVar(&since, "since", "", "only entries changed since a time such as 2026-01-31T15:04:05Z, or a duration before now, such as 24h")
			f.IntVar(&limit, "limit", 0, "most entries to list; 0 for no limit")
			place.flags(f)
		},
		check: func() error {
			filter = outbox.Filter{Unknown: unknown}
			for _, s := range states {
				if !slices.Contains(outboxStates, outbox.State(s)) {
					return usagef("--state must be %s, not %q", joined(outboxStates), s)
				}
				filter.States = append(filter.States, outbox.State(s))
			}
			if held {
				filter.States = append(filter.States, outbox.StateHeld)
			}
			at, err := a.since(since)
			filter.UpdatedSince = at.Time
			return err
		},
		run: a.withOutbox(&place, func(ctx context.Context, o outboxCall) error {
			return listEntries(a, o.List(ctx, filter), limit, rowOf)
		}),
	})
}

func joined[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = string(v)
	}
	return strings.Join(words, ", ")
}

// outboxRow is an entry as tables and confirmations show it.
type outboxRow struct {
	Key       string          `json:"key"`
	State     outbox.State    `json:"state"`
	Outcome   string          `json:"outcome"`
	Kind      string          `json:"kind"`
	BaseUnits string          `json:"base_units"`
	Asset     qredo.AssetCode `json:"asset"`
	From      string          `json:"from"`
	To        string          `json:"to"`
	Reference string          `json:"reference"`
	Expires   qredo.Time      `json:"expires"`
	Updated   time.Time       `json:"updated"`
}

func rowOf(e outbox.Entry) outboxRow {
	r := outboxRow{Key: e.Key, State: e.State, Kind: kindOf(e), Updated: e.Updated}
	if e.Unknown {
		r.Outcome = "unknown"
	}
	var send qredo.AssetAmount
	switch q := e.Request.(type) {
	case outbox.Transfer:
		send, r.From, r.To, r.Reference, r.Expires = q.Send, string(q.WalletID), q.Counterparty, q.Reference, q.Expires
	case outbox.Withdrawal:
		send, r.From, r.To, r.Reference, r.Expires = q.Send, string(q.WalletID), q.Address, q.Reference, q.Expires
	case outbox.Sweep:
		send, r.From, r.To, r.Reference, r.Expires = q.Send, string(q.WalletID), string(q.RecipientWalletID), q.Reference, q.Expires
	default:
		return r
	}
	r.BaseUnits, r.Asset = fmt.Sprint(int64(send.Amount)), send.Asset
	return r
}

// kindOf is the kind of an entry's request: transfer, withdrawal or sweep.
func kindOf(e outbox.Entry) string {
	if e.Request == nil {
		return ""
	}
	return strings.ToLower(reflect.TypeOf(e.Request).Name())
}

// entryView is an entry for people to read, without empty fields.
type entryView struct {
	Key      string            `json:"key"`
	State    outbox.State      `json:"state"`
	Outcome  string            `json:"outcome"`
	Reason   string            `json:"reason"`
	TxID     qredo.TxID        `json:"tx_id"`
	NamedBy  string            `json:"named_by"`
	TxStatus qredo.TxStatus    `json:"tx_status"`
	Attempts int               `json:"attempts"`
	Next     time.Time         `json:"next"`
	APIKey   string            `json:"api_key"`
	Enqueued time.Time         `json:"enqueued"`
	Sent     time.Time         `json:"sent"`
	Changed  time.Time         `json:"changed"`
	Kind     string            `json:"kind"`
	Request  outbox.Request    `json:"request"`
	Context  map[string]string `json:"context"`
}

func viewOf(e outbox.Entry) entryView {
	v := entryView{
		Key: e.Key, State: e.State, Outcome: rowOf(e).Outcome, Reason: e.Reason, TxID: e.TxID, TxStatus: e.TxStatus,
		Attempts: e.Attempts, APIKey: e.APIKey, Enqueued: e.Created, Sent: e.Sent, Changed: e.Updated, Kind: kindOf(e), Request: e.Request, Context: e.Carrier,
	}
	if e.Named {
		v.NamedBy = "a person"
	}
	if e.State == outbox.StateSent || e.State == outbox.StatePending && e.Attempts > 0 {
		v.Next = e.Due
	}
	return v
}

func (a *app) outboxStats() *cobra.Command {
	var place outboxPlace
	return a.command(command{
		use: "stats", short: "Count the entries",
		long: `Counts the entries in each state and those whose outcome is unknown, and says since when the oldest due entry has been
waiting for a worker.`,
		example: "qredo outbox stats --file payments.db --output json",
		flags:   place.flags,
		run: a.withOutbox(&place, func(ctx context.Context, o outboxCall) error {
			s, err := o.Stats(ctx)
			if err != nil || a.json() || a.csv() || a.format.columns != nil {
				return a.show(s, err)
			}
			for _, state := range outboxStates {
				fmt.Fprintf(a.out, "%s %d\n", pad(string(state), len("oldest due")), s.States[state])
			}
			fmt.Fprintf(a.out, "%s %d\n", pad("unknown", len("oldest due")), s.Unknown)
			if !s.OldestDue.IsZero() {
				fmt.Fprintf(a.out, "oldest due %s\n", a.text(reflect.ValueOf(s.OldestDue), ""))
			}
			return nil
		}),
	})
}

func (a *app) outboxShow() *cobra.Command {
	var place outboxPlace
	return a.command(command{
		use: "show KEY", short: "Show an entry with its history",
		long:    "Shows an entry: its state in words, what was requested, and each step so far.",
		example: "qredo outbox show invoice-17 --file payments.db",
		flags:   place.flags,
		run: a.withOutbox(&place, func(ctx context.Context, o outboxCall) error {
			e, err := o.get(ctx)
			if err != nil {
				return err
			}
			if a.json() {
				return a.jsonLine(e)
			}
			fmt.Fprintf(a.out, "%s\n\n", a.wrap(e.InWords(a.now()), 0))
			if err := a.show(viewOf(e), nil); err != nil || len(e.Steps) == 0 {
				return err
			}
			fmt.Fprintln(a.out)
			items := found(stepRows(e), nil).items
			a.printTable(items, columnsOf("at kind note"))
			return nil
		}),
	})
}

// stepRows are an entry's steps for people to read.
func stepRows(e outbox.Entry) []outbox.Step {
	steps := slices.Clone(e.Steps)
	for i, s := range steps {
		if s.Times > 1 {
			steps[i].Note = strings.TrimSuffix(fmt.Sprintf("%d times until %s: %s", s.Times, s.Last.UTC().Format(time.RFC3339), s.Note), ": ")
		}
	}
	return steps
}

// get returns the entry that the command names.
func (o outboxCall) get(ctx context.Context) (outbox.Entry, error) {
	e, err := o.Get(ctx, o.key)
	if errors.Is(err, outbox.ErrNotFound) {
		err = notFoundf("unknown key %s; see qredo outbox list", plain(o.key))
	}
	return e, err
}

func (a *app) outboxWatch() *cobra.Command {
	var place outboxPlace
	return a.command(command{
		use: "watch KEY", short: "Follow an entry to its end",
		long: `Prints an entry's steps so far and further steps until it ends; with --output json, the entry after each change. The exit
code is 0 if it is done, 4 if it was rejected or expired, 1 if it failed. If --timeout or an interrupt ends watching first,
it is 3, and nothing has changed.`,
		example: "qredo outbox watch invoice-17 --file payments.db --timeout 1h",
		flags:   place.flags,
		run: a.withOutbox(&place, func(ctx context.Context, o outboxCall) error {
			if _, err := o.get(ctx); err != nil {
				return err
			}
			var last outbox.Entry
			for e, err := range o.Watch(ctx, o.key) {
				if ctx.Err() != nil {
					return watchError{last}
				}
				if err == nil {
					err = a.printChange(last, e)
				}
				if err != nil {
					return err
				}
				last = e
			}
			if last.State == outbox.StateDone {
				return nil
			}
			return endedError{last}
		}),
	})
}

// printChange prints what is new of an entry.
func (a *app) printChange(before, e outbox.Entry) error {
	if a.json() {
		return a.jsonLine(e)
	}
	known := map[outbox.Step]bool{}
	for _, s := range before.Steps {
		known[s] = true
	}
	for _, s := range e.Steps {
		if known[s] {
			continue
		}
		if !s.Last.IsZero() {
			s.At = s.Last
		}
		if err := a.feedLine(s, columnsOf("at kind note")); err != nil {
			return err
		}
	}
	return nil
}

// watchError is the error if watching ends before the entry does.
type watchError struct{ entry outbox.Entry }

func (e watchError) Error() string {
	return fmt.Sprintf("%s is still %s; continue with: qredo outbox watch %s", plain(e.entry.Key), e.entry.State, plain(e.entry.Key))
}

func (watchError) kind() (string, int) { return kindPending, exitUnknown }

// endedError is the error about an entry that ended without being done.
type endedError struct{ entry outbox.Entry }

func (e endedError) Error() string {
	if e.entry.Reason == "" {
		return fmt.Sprintf("%s is %s", plain(e.entry.Key), e.entry.State)
	}
	return fmt.Sprintf("%s is %s: %s", plain(e.entry.Key), e.entry.State, plain(e.entry.Reason))
}

func (e endedError) kind() (string, int) {
	switch e.entry.State {
	case outbox.StateFailed:
		return kindFailed, exitFailed
	case outbox.StateExpired:
		return kindExpired, exitEnded
	default:
		return kindRejected, exitEnded
	}
}
