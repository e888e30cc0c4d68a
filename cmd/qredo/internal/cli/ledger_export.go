package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"
	_ "time/tzdata" // for --zone on systems without time zones

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/export"
)

// ledgerFile is a ledger that is written to a file.
type ledgerFile struct {
	options qredo.LedgerOptions // with the page size
	out     string
	format  string
	zone    string
	force   bool

	in *time.Location
}

func (a *app) ledgerExport() *cobra.Command {
	e := &ledgerFile{}
	return a.command(command{
		use: "export FUND_ID", short: "Write the whole ledger to a file, as CSV or JSON lines",
		long: `Writes all entries of a fund's ledger, oldest first, whatever the service's order. The time of an entry is when its
transaction ended or, while it is pending, when it was made.

The file gets its name when it is complete. Until then it is FILE.part, with its progress in FILE.part.json. If the command
is stopped or killed, run it again: it continues, even if entries have arrived or transactions have ended since. The result
is the same as from one uninterrupted run. Entries that move during the export are read again, so that none is missing or
duplicate. A terminal shows a progress bar.

CSV columns have the service's names. Amounts are in base units and, in columns that end in Decimal, in whole units. "change"
is the change of the balance, so that a wallet's changes add up to its balance. Times are RFC 3339 in UTC; --zone adds
columns with local time and its offset. A spreadsheet takes nothing in the file for a formula: text that begins with =, +,
-, @, a tab or a line end, or has one of the first four after a semicolon, bar, tab or line end, gets an apostrophe in
front. Numbers never get one.

JSON lines are entries in the service's form: amounts in base units, times in Unix seconds.`,
		example: `qredo ledger export FUND_ID --out ledger.csv
			qredo ledger export FUND_ID --out ledger.csv --zone Europe/Berlin
			qredo ledger export FUND_ID --out ledger.jsonl --asset BTC --direction in
			qredo ledger export FUND_ID --format jsonl | wc -l`,
		flags: func(f *flagSet) {
			ledgerFlags(f, &e.options)
			f.StringVar(&e.out, "out", "", "file to write (default standard output)")
			f.StringVar(&e.format, "format", "", "csv or jsonl (default by the file name, or csv)")
			f.StringVar(&e.zone, "zone", "", "add local times in this time zone to CSV, such as Europe/Berlin, or Local for this machine's")
			f.IntVar(&e.options.Limit, "page", 1000, "entries to request at a time")
			f.BoolVar(&e.force, "force", false, "replace an existing file")
		},
		check: e.check,
		run: a.withFund(func(ctx context.Context, c partnerCall) error {
			return a.exportLedger(ctx, c, e)
		}),
	})
}

func (e *ledgerFile) check() (err error) {
	if e.format == "" {
		e.format = string(export.CSV)
		if ext := filepath.Ext(e.out); ext == ".jsonl" || ext == ".json" || ext == ".ndjson" {
			e.format = string(export.JSONLines)
		}
	}
	if e.zone != "" {
		if e.in, err = time.LoadLocation(e.zone); err != nil {
			return usagef("--zone must be a time zone such as Europe/Berlin, not %q", e.zone)
		}
		if e.format != string(export.CSV) {
			return usagef("--zone is for CSV: JSON lines have times in Unix seconds")
		}
	}
	if e.options.Limit < 1 {
		return usagef("--page must be at least 1, not %d", e.options.Limit)
	}
	return oneOf("format", e.format, string(export.CSV), string(export.JSONLines))
}

func (a *app) exportLedger(ctx context.Context, c partnerCall, e *ledgerFile) error {
	base, err := a.settings.baseURL()
	if err != nil {
		return err
	}
	if err := a.ledgerWallet(ctx, c, &e.options); err != nil {
		return err
	}
	bar := &progress{app: a}
	opts := []export.Option{export.WithFormat(export.Format(e.format)), export.WithPage(e.options.Limit), export.WithProgress(bar.show)}
	if e.in != nil {
		opts = append(opts, export.WithZone(e.in))
	}
	if e.force {
		opts = append(opts, export.WithReplace())
	}
	ledger, err := export.New(c.Funds, c.Assets, export.Selection{
		Server: base.value, Company: c.company, Fund: c.fund,
		Asset: e.options.Asset, Wallet: e.options.WalletID, Direction: e.options.Direction,
	}, opts...)
	if err != nil {
		return err
	}
	if e.out == "" || e.out == "-" {
		var out io.Writer = a.out
		if a.terminal.out {
			out = &visibleLines{to: a.out}
		}
		_, err := ledger.To(ctx, out)
		bar.end()
		return err
	}
	done, err := ledger.ToFile(ctx, e.out)
	bar.end()
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s exists already: give --force to replace it", e.out)
	case errors.Is(err, export.ErrOther):
		return usagef("%v", err)
	case err != nil:
		return err
	}
	fmt.Fprintf(a.err, "%s: %d entries\n", e.out, done.Entries)
	return nil
}

// visibleLines writes lines to a terminal, with invisible characters escaped.
type visibleLines struct {
	to   io.Writer
	rest []byte // of an unfinished line
}

func (v *visibleLines) Write(p []byte) (int, error) {
	v.rest = append(v.rest, p...)
	for {
		line, rest, ended := bytes.Cut(v.rest, []byte("\n"))
		if !ended {
			return len(p), nil
		}
		if _, err := io.WriteString(v.to, plain(string(line))+"\n"); err != nil {
			return 0, err
		}
		v.rest = rest
	}
}
