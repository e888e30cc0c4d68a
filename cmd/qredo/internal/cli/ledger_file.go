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
	Checked position `json:"checked"` // where what is read again begins: it must be the same
	Done    position `json:"done"`
	waiting bool     // an entry may still change: Done stays before it
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
	file, err := os.OpenFile(e.partPath(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // what was written is on the disk by then
	state, err := e.resume(ctx, file, exported{
		Version: 1, Server: base.value, Company: e.company, Fund: e.fund, Format: e.format,
		Asset: e.options.Asset, Wallet: e.options.WalletID, Direction: e.options.Direction,
	})
	if err != nil {
		return err
	}
	end, err := e.walk(ctx, file, state)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Sync(), os.Rename(e.partPath(), e.out)); err != nil {
		return err
	}
	_ = os.Remove(e.statePath()) // without the part it means nothing
	fmt.Fprintf(e.app.err, "%s: %d entries\n", e.out, end.Entries)
	return syncDir(filepath.Dir(e.out))
}

// walk writes the entries after the checkpoint, page by page, and returns where the file ends then.
func (e *export) walk(ctx context.Context, file *os.File, state *checkpoint) (end position, err error) {
	end = state.Done
	bar, err := e.startProgress(ctx, end.Entries)
	if err != nil {
		return end, err
	}
	defer bar.end()
	if end.Bytes == 0 {
		e.head()
	}
	options := e.options
	options.Offset = end.Entries
	inBuffer := 0
	flush := func() error {
		end, inBuffer = position{end.Bytes + int64(e.buffer.Len()), end.Entries + inBuffer}, 0
		bar.at(end.Entries)
		return e.flush(file, state, end)
	}
	for entry, err := range e.Funds.LedgerAll(ctx, e.company, e.fund, options) {
		if err != nil {
			return end, err
		}
		if !state.waiting && !settled(entry) {
			state.waiting, state.Done = true, position{end.Bytes + int64(e.buffer.Len()), end.Entries + inBuffer}
		}
		if err := e.add(entry); err != nil {
			return end, err
		}
		if inBuffer++; inBuffer == e.options.Limit {
			if err := flush(); err != nil {
				return end, err
			}
		}
	}
	return end, flush()
}

// flush brings a page to the disk, and then the checkpoint that knows of it. The page makes the file end there.
func (e *export) flush(file *os.File, state *checkpoint, end position) error {
	if _, err := e.buffer.WriteTo(file); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if !state.waiting {
		state.Checked, state.Done = state.Done, end
	}
	data, err := json.Marshal(state)
	if err != nil {
		return err
	}
	return replaceFile(e.statePath(), data)
}

// resume sets the file to where an earlier run has come, or to the beginning, and returns the checkpoint of that.
func (e *export) resume(ctx context.Context, file *os.File, what exported) (*checkpoint, error) {
	state, err := e.readCheckpoint(file, what)
	if err != nil {
		return nil, err
	}
	if state != nil {
		same, err := e.stillSame(ctx, file, *state)
		if err != nil {
			return nil, err
		}
		if same {
			fmt.Fprintf(e.app.err, "going on after %d entries\n", state.Done.Entries)
		} else {
			fmt.Fprintln(e.app.err, "the ledger has changed before the place where the file ends: beginning anew")
			state = nil
		}
	}
	if state == nil {
		_ = os.Remove(e.statePath())
		state = &checkpoint{exported: what}
	}
	if err := file.Truncate(state.Done.Bytes); err != nil {
		return nil, err
	}
	_, err = file.Seek(state.Done.Bytes, io.SeekStart)
	return state, err
}

// readCheckpoint returns the checkpoint of an earlier run for the same file, or nil.
func (e *export) readCheckpoint(file *os.File, want exported) (*checkpoint, error) {
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
	switch {
	case found.Version != want.Version || found.Done.Bytes > info.Size():
		return nil, nil // the file is not what it tells of
	case found.exported != want:
		return nil, usagef("%s is of another export (server, fund, selection or format): finish that one, or remove %s", e.partPath(), e.partPath())
	}
	return &found, nil
}

// stillSame reads what stands before the checkpoint again, and reports whether it is the same in the file. With
// what waits it can be two pages, and a server may give less at a time than is asked for.
func (e *export) stillSame(ctx context.Context, file *os.File, state checkpoint) (bool, error) {
	again := export{format: e.format}
	if state.Checked.Bytes == 0 {
		again.head()
	}
	options := e.options
	options.Offset = state.Checked.Entries
	left := state.Done.Entries - state.Checked.Entries
	for entry, err := range e.Funds.LedgerAll(ctx, e.company, e.fund, options) {
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
	have := make([]byte, state.Done.Bytes-state.Checked.Bytes)
	if _, err := file.ReadAt(have, state.Checked.Bytes); err != nil {
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
