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
		`An outbox (package outbox) keeps payments in a file or in PostgreSQL and sends each once. With these commands people look
at them, and decide what no program can: what became of a payment that is held or whose outcome is unknown.

These commands send nothing and need no keys of the service. The outbox is a file (--file or QREDO_OUTBOX_FILE) or a
database (--database or QREDO_OUTBOX_DATABASE; other users cannot see the latter in the list of processes). If its records
are sealed, give the same key, as the bytes of a file (--sealing-key-file or QREDO_OUTBOX_SEALING_KEY_FILE).

Only one program can have the file open. While one has, the commands ask that program on the socket beside the file, which
outbox.ServeSocket serves. All commands except "prune" work that way.

"list", "stats", "show" and "watch" create and change nothing: read access to the file, or SELECT on the tables, is enough.

States are pending, sent and held, and finally done, rejected, expired or failed. Amounts are base units.`, `
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
	f.StringVar(&p.file, "file", "", "outbox file (default $QREDO_OUTBOX_FILE)")
	f.StringVar(&p.database, "database", "", "URL of the outbox database (default $QREDO_OUTBOX_DATABASE)")
	f.StringVar(&p.sealing, "sealing-key-file", "", "file that holds the sealing key (default $QREDO_OUTBOX_SEALING_KEY_FILE)")
}

// heldOutbox is an outbox in a dry run: nothing in it changes.
type heldOutbox struct {
	outbox.Operator
	dry *dryRun
}

func (o heldOutbox) Resolve(_ context.Context, key string, _ qredo.TxID, _ string) (e outbox.Entry, err error) {
	return e, o.dry.holdsBack("The outcome of " + key + " would be stored.")
}

func (o heldOutbox) Retry(_ context.Context, key, _ string) (e outbox.Entry, err error) {
	return e, o.dry.holdsBack(key + " would be marked to be tried again.")
}

func (o heldOutbox) Prune(context.Context, time.Time, ...outbox.PruneOption) (int, error) {
	return 0, o.dry.holdsBack("Ended entries would be removed.")
}

// outboxCall is what an outbox command runs with.
type outboxCall struct {
	outbox.Operator
	key string // the argument, if any
}

// withOutbox runs a command that needs an outbox.
func (a *app) withOutbox(p *outboxPlace, run func(context.Context, outboxCall) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) (err error) {
		// The service is not called, not even about the assets' units.
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
		return nil, nil, usagef("give either a file or a database, not both")
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
		if err == nil && p.changes { // opening would create it
			if err = store.Close(); err == nil {
				store, err = postgres.Open(ctx, database, opts...)
			}
		}
	} else {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return nil, nil, usagef("there is no file %s", file) // opening would create it
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
		return nil, nil, fmt.Errorf("another program has %s open, but serves no socket beside it: see outbox.ServeSocket", plain(file))
	case err != nil:
		return nil, nil, err
	}
	o, err = outbox.Operate(store, outbox.WithClock(a.now))
	return o, store.Close, err
}
