package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/durable"
)

// position is a place in the file and in the ledger.
type position struct {
	Bytes   int64 `json:"bytes"`
	Entries int   `json:"entries"`
	Last    int64 `json:"last"` // where the entry before it begins in the file
}

// exported is what is in a file.
type exported struct {
	Version   int             `json:"version"`
	Server    string          `json:"server"`
	Company   qredo.CompanyID `json:"company"`
	Fund      qredo.FundID    `json:"fund"`
	Asset     qredo.AssetCode `json:"asset"`
	Wallet    qredo.WalletID  `json:"wallet"`
	Direction qredo.Direction `json:"direction"`
	Format    string          `json:"format"`
}

// checkpoint says where another run goes on: after the last page that is in the file, or at the first entry
// that may still change.
type checkpoint struct {
	exported
	Done position `json:"done"`
}

func (e *export) partPath() string  { return e.out + ".part" }
func (e *export) statePath() string { return e.out + ".part.json" }

func (e *export) toFile(ctx context.Context) error {
	if _, err := os.Stat(e.out); !errors.Is(err, fs.ErrNotExist) && !e.force {
		return fmt.Errorf("%s exists already: give --force to replace it", e.out)
	}
	base, err := e.app.settings.baseURL()
	if err != nil {
		return err
	}
	if e.file, err = os.OpenFile(e.partPath(), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return err
	}
	defer func() { _ = e.file.Close() }() // what was written is on the disk by then
	e.state = &checkpoint{exported: exported{
		Version: 2, Server: base.value, Company: e.company, Fund: e.fund, Format: e.format,
		Asset: e.options.Asset, Wallet: e.options.WalletID, Direction: e.options.Direction,
	}}
	if e.at, err = e.resume(); err != nil {
		return err
	}
	if err := e.walk(ctx); err != nil {
		return err
	}
	if err := durable.Rename(e.file, e.out); err != nil {
		return err
	}
	_ = os.Remove(e.statePath()) // without the part it means nothing
	fmt.Fprintf(e.app.err, "%s: %d entries\n", e.out, e.at.Entries)
	return nil
}

// toStdout writes to a file first: an entry that moves while the ledger is read is taken back there.
func (e *export) toStdout(ctx context.Context) (err error) {
	if e.file, err = os.CreateTemp("", "qredo-ledger-*"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.file.Close(), os.Remove(e.file.Name())) }()
	if err := e.walk(ctx); err != nil {
		return err
	}
	_, err = io.Copy(e.app.out, io.NewSectionReader(e.file, 0, e.at.Bytes))
	return err
}

// walk writes the entries after e.at, page by page, oldest first. Each page begins with the last entry that is in the
// file. Where that is another, a transaction has ended that was written as one that waits, and its entry has gone to
// the newest ones: what was written since is taken back.
func (e *export) walk(ctx context.Context) error {
	reader := &ledgerReader{limit: max(e.options.Limit, 2), ask: func(offset, limit int) (*qredo.LedgerPage, error) {
		options := e.options
		options.Offset, options.Limit = offset, limit
		return e.Funds.ListLedger(ctx, e.company, e.fund, options)
	}}
	if err := errors.Join(reader.orient(), e.goTo(e.at)); err != nil {
		return err
	}
	bar := e.startProgress(reader.total)
	defer bar.end()
	for anew := 0; ; {
		entries, err := reader.after(e.at.Entries)
		if err != nil {
			return err
		}
		if e.at.Entries > 0 {
			same, err := e.endsWith(entries)
			switch {
			case err != nil:
				return err
			case !same && len(e.waiting) > 0:
				last := len(e.waiting) - 1
				e.at, e.waiting = e.waiting[last], e.waiting[:last]
			case !same && anew == 3:
				return errors.New("the ledger changes where it was read already: it cannot be exported")
			case !same:
				fmt.Fprintln(e.app.err, "the ledger has changed before the place where the file ends: beginning anew")
				anew++
				e.at = position{}
				err = reader.orient()
			}
			if !same {
				if err := errors.Join(err, e.goTo(e.at)); err != nil {
					return err
				}
				continue
			}
			entries = entries[1:]
		}
		if err := e.write(entries); err != nil {
			return err
		}
		bar.at(e.at.Entries, reader.total)
		if len(entries) == 0 {
			return nil
		}
	}
}

// write brings a page to the disk, and then the checkpoint that knows of it.
func (e *export) write(entries []qredo.LedgerEntry) error {
	if e.at.Bytes == 0 {
		e.head()
	}
	begin := e.at.Bytes
	for _, entry := range entries {
		here := begin + int64(e.buffer.Len())
		if !settled(entry) {
			e.waiting = append(e.waiting, position{here, e.at.Entries, e.at.Last})
		}
		if err := e.add(entry); err != nil {
			return err
		}
		e.at.Entries, e.at.Last = e.at.Entries+1, here
	}
	e.at.Bytes = begin + int64(e.buffer.Len())
	if _, err := e.buffer.WriteTo(e.file); err != nil || e.state == nil {
		return err
	}
	if err := e.file.Sync(); err != nil {
		return err
	}
	e.state.Done = e.at
	if len(e.waiting) > 0 {
		e.state.Done = e.waiting[0]
	}
	data, err := json.Marshal(e.state)
	if err != nil {
		return err
	}
	return durable.Replace(e.statePath(), data)
}

// goTo makes the file end at a place.
func (e *export) goTo(at position) error {
	if err := e.file.Truncate(at.Bytes); err != nil {
		return err
	}
	_, err := e.file.Seek(at.Bytes, io.SeekStart)
	return err
}

// endsWith reports whether the first of some entries is the last in the file.
func (e *export) endsWith(entries []qredo.LedgerEntry) (bool, error) {
	if len(entries) == 0 {
		return false, nil
	}
	again := export{format: e.format}
	if err := again.add(entries[0]); err != nil {
		return false, err
	}
	have := make([]byte, e.at.Bytes-e.at.Last)
	if _, err := e.file.ReadAt(have, e.at.Last); err != nil {
		return false, err
	}
	return bytes.Equal(have, again.buffer.Bytes()), nil
}

// resume returns where an earlier run for the same file has come, or the beginning.
func (e *export) resume() (at position, err error) {
	data, err := os.ReadFile(e.statePath())
	if errors.Is(err, fs.ErrNotExist) {
		return at, nil
	}
	if err != nil {
		return at, err
	}
	info, err := e.file.Stat()
	if err != nil {
		return at, err
	}
	var found checkpoint
	if err := json.Unmarshal(data, &found); err != nil {
		return at, fmt.Errorf("%s is damaged: remove it to begin anew: %w", e.statePath(), err)
	}
	done := found.Done
	switch {
	case found.Version != e.state.Version || done.Bytes > info.Size() || done.Last < 0 || done.Last > done.Bytes:
		return at, os.Remove(e.statePath()) // the file is not what it tells of
	case found.exported != e.state.exported:
		return at, usagef("%s is of another export (server, fund, selection or format): finish that one, or remove %s", e.partPath(), e.partPath())
	}
	fmt.Fprintf(e.app.err, "going on after %d entries\n", done.Entries)
	return done, nil
}

// settled reports whether an entry will not change any more.
func settled(e qredo.LedgerEntry) bool {
	return e.Type == qredo.EntryDeposit || e.Status.Done() || e.Status.Failed()
}
