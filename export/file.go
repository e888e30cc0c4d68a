package export

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/durable"
)

// Errors of [Ledger.ToFile].
var (
	// ErrOther says that an unfinished export of something else is in the way. What to do: finish that one, or remove it.
	ErrOther = errors.New("it is of another export")
	// ErrDamaged says that a checkpoint has been damaged. Remove it to start again.
	ErrDamaged = errors.New("it is damaged")
	// ErrInUse says that another program exports to the same file.
	ErrInUse = errors.New("another program exports to it")
)

// checkpoint says where another run continues.
type checkpoint struct {
	Version   int       `json:"version"`
	Selection Selection `json:"selection"`
	Format    Format    `json:"format"`
	Zone      string    `json:"zone"`
	place
	Scales map[qredo.AssetCode]int64 `json:"scales,omitzero"` // the decimals that it was written with
}

// sealed is a checkpoint with its digest.
type sealed struct {
	SHA256     string          `json:"sha256"`
	Checkpoint json.RawMessage `json:"checkpoint"`
}

const version = 3

func (x *run) toFile(ctx context.Context, path string) (result Result, err error) {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) && !x.replace {
		return Result{}, fmt.Errorf("export: %s: %w", path, fs.ErrExist)
	}
	part, state := path+".part", path+".part.json"
	var lock io.Closer
	if x.file, lock, err = open(part); err != nil {
		return Result{}, err
	}
	defer func() { _ = errors.Join(x.file.Close(), lock.Close()) }() // by then, what was written is on the disk
	if err := errors.Join(durable.RemoveUnfinished(state), x.resume(state)); err != nil {
		return Result{}, err
	}
	x.keep = func() error {
		if err := x.file.Sync(); err != nil {
			return err
		}
		data, err := x.seal()
		if err != nil {
			return err
		}
		return durable.Replace(state, data)
	}
	if err := x.walk(ctx); err != nil {
		if x.At.Entries == 0 { // nothing to continue from
			return x.result, errors.Join(err, os.Remove(part), remove(state))
		}
		return x.result, errors.Join(err, x.keep())
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) && !x.replace { // it has appeared in the meantime
		return x.result, errors.Join(fmt.Errorf("export: %s: %w", path, fs.ErrExist), x.keep())
	}
	if _, err := x.headAlone(); err != nil {
		return x.result, err
	}
	if err := durable.Rename(x.file, path); err != nil {
		return x.result, err
	}
	return x.result, errors.Join(remove(state), durable.SyncFolder(filepath.Dir(path))) // without the partial file it means nothing
}

func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// open opens the unfinished file, for this program alone.
func open(part string) (*os.File, io.Closer, error) {
	locked := part
	if runtime.GOOS == "windows" { // on systems where a lock also blocks this program's writes through another handle
		locked += ".lock"
	}
	lock, err := durable.Lock(locked)
	if errors.Is(err, durable.ErrInUse) {
		return nil, nil, fmt.Errorf("export: %s: %w", part, ErrInUse)
	}
	if err != nil {
		return nil, nil, err
	}
	file, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, errors.Join(err, lock.Close())
	}
	mine, err := lock.Stat()
	opened, failed := file.Stat()
	if err = errors.Join(err, failed); err == nil && locked == part && !os.SameFile(mine, opened) { // the previous holder has just renamed it
		err = ErrInUse
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("export: %s: %w", part, err), file.Close(), lock.Close())
	}
	return file, lock, nil
}

func (x *run) identity() checkpoint {
	zone := ""
	if x.zone != nil {
		zone = x.zone.String()
	}
	return checkpoint{Version: version, Selection: x.selection, Format: x.format, Zone: zone}
}

func (x *run) seal() ([]byte, error) {
	c := x.identity()
	c.place = x.place
	c.Scales = x.scales()
	data, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(data)
	return json.Marshal(sealed{hex.EncodeToString(digest[:]), data})
}

func (x *run) scales() map[qredo.AssetCode]int64 {
	scales := map[qredo.AssetCode]int64{}
	for code, asset := range x.rows.assets {
		scales[code] = asset.Scale
	}
	return scales
}

// unseal decodes a checkpoint if it is unchanged.
func unseal(data []byte) (c checkpoint, err error) {
	var s sealed
	if err := json.Unmarshal(data, &s); err != nil {
		return c, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if digest := sha256.Sum256(s.Checkpoint); s.SHA256 != hex.EncodeToString(digest[:]) {
		return c, ErrDamaged
	}
	if err := json.Unmarshal(s.Checkpoint, &c); err != nil {
		return c, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return c, nil
}

// resume finds how far an earlier run for the same file got, if there was one.
func (x *run) resume(state string) error {
	data, err := os.ReadFile(state)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	c, err := unseal(data)
	if err != nil {
		return fmt.Errorf("export: %s: %w: remove it to start again", state, err)
	}
	mine := x.identity()
	switch {
	case c.Version > version:
		return fmt.Errorf("export: %s: %w: a later version of this package has begun it: finish it with that, or remove %s", x.file.Name(), ErrOther, x.file.Name())
	case c.Version < version:
		return nil // of an earlier version: start again
	case c.Selection != mine.Selection || c.Format != mine.Format || c.Zone != mine.Zone:
		return fmt.Errorf("export: %s: %w: finish that one, or remove %s", x.file.Name(), ErrOther, x.file.Name())
	case !c.sound():
		return fmt.Errorf("export: %s: %w: remove it to start again", state, ErrDamaged)
	}
	if !maps.Equal(c.Scales, x.scales()) {
		return nil // it would now be written with other decimals
	}
	sum := crc32.New(castagnoli)
	if n, err := io.Copy(sum, io.NewSectionReader(x.file, 0, c.At.Bytes)); err != nil || n != c.At.Bytes || sum.Sum32() != c.At.Sum {
		return err // the checkpoint does not match the file
	}
	x.place, x.result.Resumed = c.place, c.At.Entries
	if x.result.Resumed > 0 {
		x.tell(Progress{Entries: c.At.Entries, Resumed: c.At.Entries})
	}
	return nil
}

// sound reports whether the places can belong to one file.
func (p place) sound() bool {
	inside := func(q position) bool {
		return 0 <= q.Last && q.Last <= q.Bytes && q.Bytes <= p.At.Bytes && 0 <= q.Entries && q.Entries <= p.At.Entries && int64(q.Entries) <= q.Bytes && (q.Entries == 0) == (q.Bytes == 0)
	}
	rising := func(list []position) bool {
		for i, q := range list {
			if !inside(q) || q.Entries == 0 || i > 0 && (list[i-1].Entries >= q.Entries || list[i-1].Bytes > q.Last) {
				return false
			}
		}
		return true
	}
	return inside(p.At) && rising(p.Waiting) && rising(p.Marks)
}

// to makes the export write to a temporary file whose content so far is w.
func (x *run) to(ctx context.Context, w io.Writer) (result Result, err error) {
	if x.file, err = os.CreateTemp("", "qredo-ledger-*"); err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, x.file.Close(), os.Remove(x.file.Name())) }()
	x.keep = func() error { return nil }
	if err := x.walk(ctx); err != nil {
		return x.result, err
	}
	head, err := x.headAlone()
	if err == nil {
		_, err = io.Copy(w, io.NewSectionReader(x.file, 0, x.At.Bytes+head))
	}
	return x.result, err
}

// headAlone writes the header for a ledger without entries, which is otherwise written with the first entry, and returns
// its length. An export cannot continue from it: a checkpoint does not record it.
func (x *run) headAlone() (size int64, err error) {
	if x.At.Entries > 0 {
		return 0, nil
	}
	x.rows.data = x.rows.data[:0]
	x.rows.head()
	n, err := x.file.WriteAt(x.rows.data, 0)
	return int64(n), err
}
