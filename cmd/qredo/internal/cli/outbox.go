package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/durable"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/postgres"
)

func (a *app) outboxCommands() *cobra.Command {
	return group("outbox", "Payments that are stored before they are sent",
		`An outbox, of package outbox, keeps payments in a file or in PostgreSQL and sends each once. Here people look at
them and decide what no program can: what became of a payment whose outcome is unknown, or that is held.

No command here sends anything, and none needs a key of the service. The outbox is a file (--file, else
QREDO_OUTBOX_FILE) or a database (--database, else QREDO_OUTBOX_DATABASE, which other users cannot see in the list
of processes). Where its records are sealed, give the same key, as the bytes of a file (--sealing-key-file, else
QREDO_OUTBOX_SEALING_KEY_FILE).

A file is for one program at a time. While one has it open, it is asked, on the socket beside the file that
outbox.ServeSocket serves; all but "prune" works so.

"list", "stats", "show" and "watch" make and change nothing: whoever may read the file, or has SELECT on the tables, may
look.

States are pending, sent, held, and at the end done, rejected, expired or failed. Amounts are base units.`, `
		qredo outbox list --file payments.db --unknown
		qredo outbox show invoice-17 --file payments.db
		qredo outbox resolve invoice-17 --file payments.db --tx TX_ID --note 'Bob: the app shows it'`,
		a.outboxList(), a.outboxStats(), a.outboxShow(), a.outboxWatch(), a.outboxResolve(), a.outboxRetry(), a.outboxPrune(),
	)
}

// outboxPlace is where an outbox is kept, and whether it is to be changed.
type outboxPlace struct {
	file, database, sealing string

	changes bool
}

func (p *outboxPlace) flags(f *flagSet) {
	f.StringVar(&p.file, "file", "", "file of the outbox (default $QREDO_OUTBOX_FILE)")
	f.StringVar(&p.database, "database", "", "URL of the database of the outbox (default $QREDO_OUTBOX_DATABASE)")
	f.StringVar(&p.sealing, "sealing-key-file", "", "file that holds the key of its seals (default $QREDO_OUTBOX_SEALING_KEY_FILE)")
}

// heldOutbox is an outbox in a dry run: nothing in it is changed.
type heldOutbox struct {
	outbox.Operator
	dry *dryRun
}

func (o heldOutbox) Resolve(_ context.Context, key string, _ qredo.TxID, _ string) (e outbox.Entry, err error) {
	return e, o.dry.holdsBack("It would be stored what became of " + key + ".")
}

func (o heldOutbox) Retry(_ context.Context, key, _ string) (e outbox.Entry, err error) {
	return e, o.dry.holdsBack("It would be stored that " + key + " is to be tried again.")
}

func (o heldOutbox) Prune(context.Context, time.Time, ...outbox.PruneOption) (int, error) {
	return 0, o.dry.holdsBack("What has ended would be removed.")
}

// outboxCall is what a command about an outbox runs with.
type outboxCall struct {
	outbox.Operator
	key string // the argument, if there is one
}

// withOutbox runs a command that needs an outbox.
func (a *app) withOutbox(p *outboxPlace, run func(context.Context, outboxCall) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) (err error) {
		// Nothing is asked of the service, also not how assets are written.
		a.assets.source = nil
		p.changes = p.changes && !a.dry.on
		o, closing, err := p.open(ctx, a)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, closing()) }()
		if a.dry.on {
			o = heldOutbox{o, &a.dry}
		}
		return run(ctx, outboxCall{o, strings.Join(args, "")})
	}
}

// open opens the outbox, or reaches the program that has its file open.
func (p *outboxPlace) open(ctx context.Context, a *app) (o outbox.Operator, closing func() error, err error) {
	var sealing []byte
	file, database := p.file, p.database
	if file == "" && database == "" {
		file, database = a.env("QREDO_OUTBOX_FILE"), a.env("QREDO_OUTBOX_DATABASE")
	}
	switch path := cmp.Or(p.sealing, a.env("QREDO_OUTBOX_SEALING_KEY_FILE")); {
	case file == "" && database == "":
		return nil, nil, usagef("no outbox: give --file or --database, or set QREDO_OUTBOX_FILE or QREDO_OUTBOX_DATABASE")
	case file != "" && database != "":
		return nil, nil, usagef("a file and a database are both given: give one of them")
	case path != "":
		if sealing, err = os.ReadFile(path); err != nil {
			return nil, nil, usagef("sealing key: %v", err)
		}
	}
	var store outbox.Store
	if database != "" {
		var opts []postgres.Option
		if sealing != nil {
			opts = append(opts, postgres.WithSealingKey(sealing))
		}
		store, err = postgres.OpenReadOnly(ctx, database, opts...)
		if err == nil && p.changes { // it would be made where there is none
			if err = store.Close(); err == nil {
				store, err = postgres.Open(ctx, database, opts...)
			}
		}
	} else {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return nil, nil, usagef("there is no file %s", file) // it would be made
		}
		if o, err := outbox.DialSocket(ctx, file); err == nil {
			return o, func() error { return nil }, nil
		}
		var opts []outbox.FileOption
		if sealing != nil {
			opts = append(opts, outbox.WithSealingKey(sealing))
		}
		if p.changes {
			store, err = outbox.OpenStore(file, opts...)
		} else {
			store, err = outbox.OpenStoreReadOnly(file, opts...)
		}
	}
	switch {
	case errors.Is(err, durable.ErrInUse):
		return nil, nil, fmt.Errorf("another program has %s open, and serves no socket beside it: see outbox.ServeSocket", plain(file))
	case err != nil:
		return nil, nil, err
	}
	o, err = outbox.Operate(store, outbox.WithClock(a.now))
	return o, store.Close, err
}
