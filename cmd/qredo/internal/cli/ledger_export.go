package cli

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

const (
	formatCSV       = "csv"
	formatJSONLines = "jsonl"
)

func (a *app) ledgerExport() *cobra.Command {
	e := &export{app: a}
	var l ledgerFlags
	cmd := a.command(command{
		use: "export FUND_ID", short: "Write the whole ledger to a file, as CSV or JSON lines",
		long: `Writes all entries of a fund's ledger, oldest first if the service has them so. Amounts are base units, times
RFC 3339 in UTC.

The file appears under its name when it is complete. Until then it is FILE.part, with FILE.part.json, which says
how far it is. If the command is stopped or killed, run it again: it reads the last entries again, goes on after
them if they are still the same, and begins anew if not. Entries that were still waiting are read again too. The
file is the same as one that was made in one go. A progress bar is shown on a terminal.`,
		example: `qredo ledger export FUND_ID --out ledger.csv
			qredo ledger export FUND_ID --out ledger.jsonl --asset BTC --direction in
			qredo ledger export FUND_ID --format jsonl | wc -l`,
		run: func(ctx context.Context, args []string) error {
			if e.format == "" {
				e.format = formatCSV
				if ext := filepath.Ext(e.out); ext == ".jsonl" || ext == ".json" || ext == ".ndjson" {
					e.format = formatJSONLines
				}
			}
			if err := oneOf("format", e.format, formatCSV, formatJSONLines); err != nil {
				return err
			}
			if e.page < 1 {
				return usagef("--page must be at least 1, is %d", e.page)
			}
			var err error
			if e.client, e.company, err = a.forCompany(nil); err != nil {
				return err
			}
			e.fund, e.options = qredo.FundID(args[0]), l.options()
			e.options.Limit = e.page
			if e.out == "" || e.out == "-" {
				return e.toStdout(ctx)
			}
			return e.toFile(ctx)
		},
	})
	l.add(cmd)
	cmd.Flags().StringVar(&e.out, "out", "", "file to write (default the standard output)")
	cmd.Flags().StringVar(&e.format, "format", "", "csv or jsonl (default by the file's name, else csv)")
	cmd.Flags().IntVar(&e.page, "page", 100, "entries to ask for at a time")
	cmd.Flags().BoolVar(&e.force, "force", false, "replace a file that exists")
	return cmd
}

// export is a ledger on its way to a file.
type export struct {
	app     *app
	client  *qredo.Client
	company qredo.CompanyID
	fund    qredo.FundID
	options qredo.LedgerOptions
	out     string
	format  string
	page    int
	force   bool

	buffer bytes.Buffer // what is not in the file yet
}

func (e *export) toStdout(ctx context.Context) error {
	e.head()
	for entry, err := range e.client.Funds.LedgerAll(ctx, e.company, e.fund, e.options) {
		if err == nil {
			err = e.add(entry)
		}
		if err != nil {
			return err
		}
		if _, err := e.buffer.WriteTo(e.app.out); err != nil {
			return err
		}
	}
	_, err := e.buffer.WriteTo(e.app.out)
	return err
}

// head begins the buffer with what stands before the first entry.
func (e *export) head() {
	if e.format != formatCSV {
		return
	}
	for i, f := range fieldsOf(reflect.ValueOf(exportedEntry{})) {
		if i > 0 {
			e.buffer.WriteByte(',')
		}
		e.buffer.WriteString(snakeCase(f.name))
	}
	e.buffer.WriteByte('\n')
}

// add writes an entry to the buffer.
func (e *export) add(entry qredo.LedgerEntry) error {
	x := entryFields(entry)
	if e.format == formatJSONLines {
		line, err := encodeJSON(x)
		e.buffer.Write(line)
		e.buffer.WriteByte('\n')
		return err
	}
	units := func(amount qredo.Amount) string { return strconv.FormatInt(int64(amount), 10) }
	w := csv.NewWriter(&e.buffer)
	_ = w.Write([]string{ // a buffer takes all
		string(x.TxID), string(x.Type), string(x.Status), string(x.Asset), units(x.Amount), units(x.NetAmount), units(x.Fees),
		string(x.FundID), string(x.WalletID), x.Address, x.CounterpartyID, x.CounterpartyName, x.Reference, x.BenefitOf,
		x.AccountNo, x.ChainTxID, stamp(x.Time), stamp(x.Expires),
	})
	w.Flush()
	return w.Error()
}

func entryFields(e qredo.LedgerEntry) exportedEntry {
	return exportedEntry{
		TxID: e.TxID, Type: e.Type, Status: e.Status, Asset: e.Asset, Amount: e.Amount, NetAmount: e.NetAmount, Fees: e.Fees,
		FundID: e.FundID, WalletID: e.WalletID, Address: e.Address, CounterpartyID: e.CounterpartyID,
		CounterpartyName: e.CounterpartyName, Reference: e.Reference, BenefitOf: e.BenefitOf, AccountNo: e.AccountNo,
		ChainTxID: e.ChainTxID, Time: e.Time, Expires: e.Expires,
	}
}

// position is a place in the file and in the ledger.
type position struct {
	Bytes   int64 `json:"bytes"`
	Entries int   `json:"entries"`
}

// ledgerFilter is what of a ledger is exported.
type ledgerFilter struct {
	Asset     qredo.AssetCode `json:"asset"`
	Wallet    qredo.WalletID  `json:"wallet"`
	Direction qredo.Direction `json:"direction"`
}

// checkpoint says how far a file is, and of what it is.
type checkpoint struct {
	Version int             `json:"version"`
	Server  string          `json:"server"`
	Company qredo.CompanyID `json:"company"`
	Fund    qredo.FundID    `json:"fund"`
	Filter  ledgerFilter    `json:"filter"`
	Format  string          `json:"format"`
	Last    position        `json:"last"` // where the last page that is in the file begins
	Done    position        `json:"done"` // where it ends
	// Waiting is where the first entry is that may still change, if there is one, and Checked where what is
	// compared before it begins.
	Waiting *position `json:"waiting,omitempty"`
	Checked position  `json:"checked"`
}

func (e *export) partPath() string  { return e.out + ".part" }
func (e *export) statePath() string { return e.out + ".part.json" }

func (e *export) newCheckpoint() (checkpoint, error) {
	base, err := e.app.settings.baseURL()
	return checkpoint{
		Version: 1, Server: base.value, Company: e.company, Fund: e.fund, Format: e.format,
		Filter: ledgerFilter{e.options.Asset, e.options.WalletID, e.options.Direction},
	}, err
}

func (e *export) toFile(ctx context.Context) error {
	if _, err := os.Stat(e.out); !errors.Is(err, fs.ErrNotExist) && !e.force {
		return fmt.Errorf("%s exists already: give --force to replace it", e.out)
	}
	state, err := e.newCheckpoint()
	if err != nil {
		return err
	}
	file, err := os.OpenFile(e.partPath(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // what was written is on the disk by then
	if err := e.resume(ctx, file, &state); err != nil {
		return err
	}
	if err := e.walk(ctx, file, &state); err != nil {
		return err
	}
	if err := errors.Join(file.Sync(), os.Rename(e.partPath(), e.out)); err != nil {
		return err
	}
	_ = os.Remove(e.statePath()) // without the part it means nothing
	fmt.Fprintf(e.app.err, "%s: %d entries\n", e.out, state.Done.Entries)
	return syncDir(filepath.Dir(e.out))
}

// walk writes the entries after the checkpoint, page by page.
func (e *export) walk(ctx context.Context, file *os.File, state *checkpoint) error {
	bar, err := e.startProgress(ctx, state.Done.Entries)
	if err != nil {
		return err
	}
	defer bar.end()
	if state.Done.Bytes == 0 {
		e.head()
	}
	options := e.options
	options.Offset = state.Done.Entries
	seen, written := state.Done.Entries, state.Done.Bytes
	inPage := 0
	for entry, err := range e.client.Funds.LedgerAll(ctx, e.company, e.fund, options) {
		if err != nil {
			return err
		}
		if state.Waiting == nil && !settled(entry) {
			state.Waiting, state.Checked = &position{written + int64(e.buffer.Len()), seen}, state.Last
		}
		if err := e.add(entry); err != nil {
			return err
		}
		seen++
		if inPage++; inPage == e.page {
			if written, err = e.flush(file, state, seen); err != nil {
				return err
			}
			inPage = 0
			bar.at(seen)
		}
	}
	_, err = e.flush(file, state, seen)
	bar.at(seen)
	return err
}

// flush brings a page to the disk, and then the checkpoint that knows of it.
func (e *export) flush(file *os.File, state *checkpoint, seen int) (written int64, err error) {
	size := int64(e.buffer.Len())
	if _, err := e.buffer.WriteTo(file); err != nil {
		return 0, err
	}
	if err := file.Sync(); err != nil {
		return 0, err
	}
	state.Last = state.Done
	state.Done = position{state.Done.Bytes + size, seen}
	data, err := json.Marshal(state)
	if err != nil {
		return 0, err
	}
	return state.Done.Bytes, replaceFile(e.statePath(), data)
}

// resume sets file and checkpoint to where an earlier run has come, or to the beginning.
func (e *export) resume(ctx context.Context, file *os.File, state *checkpoint) error {
	found, err := e.readCheckpoint(file, *state)
	if err != nil {
		return err
	}
	if found != nil {
		same, err := e.stillSame(ctx, file, *found)
		if err != nil {
			return err
		}
		if !same {
			fmt.Fprintln(e.app.err, "the ledger has changed before the place where the file ends: beginning anew")
			found = nil
		}
	}
	if found == nil {
		_ = os.Remove(e.statePath())
	} else {
		*state = *found
		if state.Waiting != nil { // what may have changed is read again
			state.Last, state.Done, state.Waiting = state.Checked, *state.Waiting, nil
		}
		fmt.Fprintf(e.app.err, "going on after %d entries\n", state.Done.Entries)
	}
	if err := file.Truncate(state.Done.Bytes); err != nil {
		return err
	}
	_, err = file.Seek(state.Done.Bytes, io.SeekStart)
	return err
}

// readCheckpoint returns the checkpoint of an earlier run for the same file, or nil.
func (e *export) readCheckpoint(file *os.File, want checkpoint) (*checkpoint, error) {
	data, err := os.ReadFile(e.statePath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	var found checkpoint
	if err := json.Unmarshal(data, &found); err != nil {
		return nil, fmt.Errorf("%s is damaged: remove it to begin anew: %w", e.statePath(), err)
	}
	if found.Version != want.Version || found.Done.Bytes > info.Size() {
		return nil, nil // the file is not what it tells of
	}
	same := found
	same.Last, same.Done, same.Checked, same.Waiting = position{}, position{}, position{}, nil
	if same != want {
		return nil, usagef("%s is of another export (server, fund, selection or format): finish that one, or remove %s", e.partPath(), e.partPath())
	}
	return &found, nil
}

// stillSame reads the last page again and compares it with the file, and reports whether it is the same.
func (e *export) stillSame(ctx context.Context, file *os.File, at checkpoint) (bool, error) {
	from, to := at.Last, at.Done
	if at.Waiting != nil { // from there on it is read again anyway
		from, to = at.Checked, *at.Waiting
	}
	options := e.options
	options.Offset, options.Limit = from.Entries, max(to.Entries-from.Entries, 1)
	page, err := e.client.Funds.Ledger(ctx, e.company, e.fund, options)
	if err != nil {
		return false, err
	}
	if len(page.Entries) < to.Entries-from.Entries {
		return false, nil
	}
	again := export{format: e.format}
	if from.Bytes == 0 {
		again.head()
	}
	for _, entry := range page.Entries[:to.Entries-from.Entries] {
		if err := again.add(entry); err != nil {
			return false, err
		}
	}
	have := make([]byte, to.Bytes-from.Bytes)
	if _, err := file.ReadAt(have, from.Bytes); err != nil {
		return false, err
	}
	return bytes.Equal(have, again.buffer.Bytes()), nil
}

// syncDir brings a renaming to the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }() // it was only read
	_ = d.Sync()                     // not all systems can
	return nil
}
