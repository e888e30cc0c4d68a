package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/durable"
	"github.com/qredo-go/qredo/outbox"
)

// decision is a change to an outbox that a person confirms.
type decision struct {
	outboxPlace
	app  *app
	yes  bool
	note string
}

func (d *decision) flags(f *flagSet) {
	f.StringVar(&d.note, "note", "", "who decided this and why; stored with the entry")
	required(f, "note")
	d.askFlags(f)
}

func (d *decision) askFlags(f *flagSet) {
	f.BoolVarP(&d.yes, "yes", "y", false, "do not ask for confirmation")
	d.outboxPlace.flags(f)
}

func (d *decision) check() error {
	return d.app.canAsk(d.yes, "changes the outbox")
}

// confirm shows what will be done and asks for confirmation, unless --yes was given.
func (d *decision) confirm(ctx context.Context, title string, plan ...planned) error {
	d.app.plan(title, plan...)
	if d.yes {
		return nil
	}
	return d.app.ask(ctx, "Proceed?")
}

// payment describes an entry for the confirmation.
func payment(e outbox.Entry) []planned {
	r := rowOf(e)
	state := string(e.State)
	if r.Outcome != "" {
		state += ", outcome " + r.Outcome
	}
	plan := []planned{{"state", state}, {"why", e.Reason}}
	if e.Request != nil {
		plan = append(plan, planned{"payment", fmt.Sprintf("%s of %s base units of %s", r.Kind, r.BaseUnits, r.Asset)},
			planned{"from", r.From}, planned{"to", r.To}, planned{"reference", r.Reference},
			planned{"enqueued", e.Created.UTC().Format("2006-01-02 15:04:05 MST")}, planned{"expires", r.Expires.UTC().Format("2006-01-02 15:04:05 MST")})
	}
	return plan
}

// doubtError is a change to an outbox that may or may not have been stored.
type doubtError struct{ err error }

func (e doubtError) Error() string {
	return fmt.Sprintf("%v; this change may or may not have been stored: check what exists before you run it again", e.err)
}

func (doubtError) kind() (string, int) { return kindUnknown, exitUnknown }

func (e doubtError) Unwrap() error { return e.err }

// decided prints an entry after a decision.
func (a *app) decided(e outbox.Entry, err error) error {
	refused := func(refusal error) bool { return errors.Is(err, refusal) }
	switch {
	case refused(outbox.ErrBusy):
		return errors.New("a worker has the entry at the moment: nothing was changed; try again in a few seconds")
	case errors.As(err, new(*qredo.ValidationError)), slices.ContainsFunc([]error{outbox.ErrNotFound, outbox.ErrTxIDTaken, outbox.ErrClaimLost}, refused):
		return err
	case err != nil:
		return doubtError{err}
	case a.json():
		return a.jsonLine(e)
	}
	fmt.Fprintln(a.out, a.wrap(fmt.Sprintf("%s is %s. %s", plain(e.Key), e.State, e.InWords(a.now())), 0))
	return nil
}

func (a *app) outboxResolve() *cobra.Command {
	d := decision{app: a, outboxPlace: outboxPlace{changes: true}}
	var tx string
	var notMade bool
	return a.command(command{
		use: "resolve KEY", short: "Settle an entry that is unknown or held",
		long: `Stores what you found out, in the app or in the fund's ledger, about an entry whose outcome is unknown or that is held.
It is not checked: make sure first.

--tx says that this transaction was made for it. It is followed to its end, and what it moves is no longer compared with
the request.

--not-made says that there is none. The entry ends as failed, for good. You can only say so after the request has expired:
until then it can still be carried out. This machine's clock decides, or that of the program that has the file open. If
there is a transaction after all, and the payment is made again under another key, it is paid twice.`,
		example: `qredo outbox resolve invoice-17 --file payments.db --tx TX_ID --note 'Bob: the app shows it'
			qredo outbox resolve invoice-17 --file payments.db --not-made --note 'Bob: not in the ledger an hour after it expired' --yes`,
		flags: func(f *flagSet) {
			f.StringVar(&tx, "tx", "", "ID of the transaction that was made")
			f.BoolVar(&notMade, "not-made", false, "no transaction was made")
			d.flags(f)
		},
		check: func() error {
			if (tx != "") == notMade {
				return usagef("give --tx with a transaction's ID, or --not-made")
			}
			return d.check()
		},
		run: a.withOutbox(&d.outboxPlace, func(ctx context.Context, o outboxCall) error {
			e, err := o.get(ctx)
			if err != nil {
				return err
			}
			if !e.Resolvable() {
				return fmt.Errorf("%s is %s: there is nothing to resolve. %s", plain(e.Key), e.State, e.InWords(a.now()))
			}
			claim := []planned{{"you say", "no transaction was made for it"}, {"then", "it ends as failed, for good; if there is a transaction after all and the payment is made again, it is paid twice"}}
			if tx != "" {
				claim = []planned{{"you say", "transaction " + tx + " was made for it"}, {"then", "the transaction is followed to its end, and what it moves is not compared with this payment"}}
			}
			if err := d.confirm(ctx, "Resolve "+plain(e.Key), append(payment(e), claim...)...); err != nil {
				return err
			}
			return a.decided(o.Resolve(ctx, o.key, qredo.TxID(tx), d.note))
		}),
	})
}

func (a *app) outboxRetry() *cobra.Command {
	d := decision{app: a, outboxPlace: outboxPlace{changes: true}}
	return a.command(command{
		use: "retry KEY", short: "Try an entry again now",
		long: `Has a worker take up an entry at once: one that is pausing after failed calls, or one that is held, if nothing is wrong
or the cause was fixed. The request is sent again with the same PartnerTxID, for which the service makes at most one
transaction. If a transaction is known, its state is read.`,
		example: "qredo outbox retry invoice-17 --file payments.db --note 'Bob: the wallet has money again'",
		flags:   d.flags,
		check:   d.check,
		run: a.withOutbox(&d.outboxPlace, func(ctx context.Context, o outboxCall) error {
			e, err := o.get(ctx)
			if err != nil {
				return err
			}
			if e.State.Ended() {
				return fmt.Errorf("%s is %s: enqueue the payment under a new key", plain(e.Key), e.State)
			}
			then := planned{"then", "a worker sends the request again, with the same PartnerTxID"}
			if e.TxID != "" {
				then.Value = "a worker reads its transaction"
			}
			if err := d.confirm(ctx, "Try again "+plain(e.Key), append(payment(e), then)...); err != nil {
				return err
			}
			return a.decided(o.Retry(ctx, o.key, d.note))
		}),
	})
}

func (a *app) outboxPrune() *cobra.Command {
	d := decision{app: a, outboxPlace: outboxPlace{changes: true}}
	var before, archive string
	var until time.Time
	return a.command(command{
		use: "prune", short: "Archive and remove ended entries",
		long: `Appends the entries that ended before a given time to a file, a line of JSON each, and then removes them. Only entries
that are safely on disk are removed.

A removed key is forgotten: remove only entries that no program will enqueue again.`,
		example: "qredo outbox prune --file payments.db --before 2160h --archive ended.jsonl",
		flags: func(f *flagSet) {
			f.StringVar(&before, "before", "", "a time such as 2026-01-31T15:04:05Z, or a duration before now, such as 2160h")
			f.StringVar(&archive, "archive", "", "file to append them to")
			required(f, "before", "archive")
			d.askFlags(f)
		},
		check: func() (err error) {
			if until, err = a.instant("before", before); err != nil {
				return err
			}
			if err := checkArchive(archive); err != nil {
				return err
			}
			return d.check()
		},
		run: a.withOutbox(&d.outboxPlace, func(ctx context.Context, o outboxCall) error {
			n := 0
			for e, err := range o.List(ctx, outbox.Filter{UpdatedBefore: until}) {
				if err != nil {
					return err
				}
				if e.State.Ended() {
					n++
				}
			}
			plan := []planned{{"entries", fmt.Sprint(n)}, {"ended before", until.UTC().Format("2006-01-02 15:04:05 MST")}, {"archive", archive}}
			if err := d.confirm(ctx, "Archive and remove", plan...); err != nil {
				return err
			}
			if err := a.dry.holdsBack(fmt.Sprintf("%d entries would be archived and removed.", n)); err != nil {
				return err
			}
			removed, err := pruneTo(ctx, o, until, archive)
			if err != nil {
				return doubtError{fmt.Errorf("%d entries were archived and removed, then: %w", removed, err)}
			}
			if a.json() {
				return a.jsonLine(struct {
					Removed int `json:"removed"`
				}{removed})
			}
			fmt.Fprintf(a.out, "%d entries are in %s and were removed\n", removed, plain(archive))
			return nil
		}),
	})
}

// checkArchive refuses an existing file that is not an archive, such as the outbox.
func checkArchive(path string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return usagef("--archive: %v", err)
	}
	defer func() { _ = file.Close() }() // only read
	first := make([]byte, 1)
	if n, err := file.Read(first); n > 0 && first[0] != '{' || err != nil && !errors.Is(err, io.EOF) {
		return usagef("--archive %s exists and is not an archive", path)
	}
	return nil
}

// pruneTo archives entries in a file, which is created if necessary, and removes them.
func pruneTo(ctx context.Context, o outboxCall, until time.Time, path string) (removed int, err error) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := durable.SyncFolder(filepath.Dir(path)); err != nil {
		return 0, err
	}
	if end, err := file.Seek(0, 2); err != nil {
		return 0, err
	} else if end > 0 {
		last := make([]byte, 1)
		if _, err := file.ReadAt(last, end-1); err != nil {
			return 0, err
		}
		// A line that was cut off, by a full disk or a killed program, must not spoil the next one.
		if last[0] != '\n' {
			if _, err := file.WriteString("\n"); err != nil {
				return 0, err
			}
		}
	}
	return o.Prune(ctx, until, outbox.WithArchive(file))
}
