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
	"path/filepath"

	"github.com/qredo-go/qredo"
)

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
		if inPage++; inPage == e.options.Limit {
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

// stillSame reads the last page again and compares it with the file, and reports whether it is the same. With
// what waits it can be two pages, and a server may give less at a time than is asked for.
func (e *export) stillSame(ctx context.Context, file *os.File, at checkpoint) (bool, error) {
	from, to := at.Last, at.Done
	if at.Waiting != nil { // from there on it is read again anyway
		from, to = at.Checked, *at.Waiting
	}
	again := export{format: e.format}
	if from.Bytes == 0 {
		again.head()
	}
	options := e.options
	options.Offset = from.Entries
	left := to.Entries - from.Entries
	for entry, err := range e.client.Funds.LedgerAll(ctx, e.company, e.fund, options) {
		if err != nil {
			return false, err
		}
		if left > 0 {
			if err := again.add(entry); err != nil {
				return false, err
			}
			left--
		}
		if left == 0 {
			break
		}
	}
	have := make([]byte, to.Bytes-from.Bytes)
	if _, err := file.ReadAt(have, from.Bytes); err != nil {
		return false, err
	}
	return left == 0 && bytes.Equal(have, again.buffer.Bytes()), nil
}

// settled reports whether an entry will not change any more.
func settled(e qredo.LedgerEntry) bool {
	return e.Type == qredo.EntryDeposit || e.Status.Done() || e.Status.Failed()
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
