package cli

import (
	"bytes"
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

const (
	formatCSV       = "csv"
	formatJSONLines = "jsonl"
)

func (a *app) ledgerExport() *cobra.Command {
	e := &export{app: a}
	return a.command(command{
		use: "export FUND_ID", short: "Write the whole ledger to a file, as CSV or JSON lines",
		long: `Writes all entries of a fund's ledger, oldest first, whichever end the service begins with. An entry's time is when
its transaction ended and, while that waits, when it was made. Amounts are base units, times RFC 3339 in UTC.

The file appears under its name when it is complete. Until then it is FILE.part, with FILE.part.json, which says
how far it is. If the command is stopped or killed, run it again: it goes on at the first entry that was still
waiting, or else at the end, if the entry before is still there, and begins anew if not. The file is the same as
one that was made in one go. What moves while it is read is read again, so that no entry is missing or there twice.
A progress bar is shown on a terminal.`,
		example: `qredo ledger export FUND_ID --out ledger.csv
			qredo ledger export FUND_ID --out ledger.jsonl --asset BTC --direction in
			qredo ledger export FUND_ID --format jsonl | wc -l`,
		flags: func(f *flagSet) {
			ledgerFlags(f, &e.options)
			f.StringVar(&e.out, "out", "", "file to write (default the standard output)")
			f.StringVar(&e.format, "format", "", "csv or jsonl (default by the file's name, else csv)")
			f.IntVar(&e.options.Limit, "page", 100, "entries to ask for at a time")
			f.BoolVar(&e.force, "force", false, "replace a file that exists")
		},
		check: func() error {
			if e.format == "" {
				e.format = formatCSV
				if ext := filepath.Ext(e.out); ext == ".jsonl" || ext == ".json" || ext == ".ndjson" {
					e.format = formatJSONLines
				}
			}
			if e.options.Limit < 1 {
				return usagef("--page must be at least 1, is %d", e.options.Limit)
			}
			return oneOf("format", e.format, formatCSV, formatJSONLines)
		},
		run: a.withCompany(func(ctx context.Context, c partnerCall) error {
			e.partnerCall, e.fund = c, qredo.FundID(c.args[0])
			if e.out == "" || e.out == "-" {
				return e.toStdout(ctx)
			}
			return e.toFile(ctx)
		}),
	})
}

// export is a ledger on its way to a file.
type export struct {
	partnerCall
	app     *app
	fund    qredo.FundID
	options qredo.LedgerOptions // with how many entries are asked for at a time
	out     string
	format  string
	force   bool

	file    *os.File
	state   *checkpoint  // kept beside the file; nil where the file is a temporary one
	at      position     // where the file ends
	waiting []position   // the places before the entries in the file that may still change, oldest first
	buffer  bytes.Buffer // what is not in the file yet
}

// head begins the buffer with what stands before the first entry.
func (e *export) head() {
	if e.format != formatCSV {
		return
	}
	var names []string
	for _, f := range fieldsOf(reflect.ValueOf(qredo.LedgerEntry{})) {
		names = append(names, f.name)
	}
	e.buffer.WriteString(strings.Join(names, ",") + "\n")
}

// add writes an entry to the buffer.
func (e *export) add(entry qredo.LedgerEntry) error {
	if e.format == formatJSONLines {
		line, err := encodeJSON(entry)
		e.buffer.Write(line)
		e.buffer.WriteByte('\n')
		return err
	}
	var cells []string
	for _, f := range fieldsOf(reflect.ValueOf(entry)) {
		text, null, isTime := scalar(f.value)
		switch {
		case f.value.CanInt(): // an amount, in base units
			text = strconv.FormatInt(f.value.Int(), 10)
		case null:
			text = ""
		case !isTime:
			text = f.value.String()
		}
		cells = append(cells, text)
	}
	w := csv.NewWriter(&e.buffer)
	_ = w.Write(cells) // a buffer takes all
	w.Flush()
	return w.Error()
}
