package inbox

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/durable"
)

// ErrReadOnly is returned if a read-only store is asked to change something.
var ErrReadOnly = errors.New("inbox: the store is open for reading only")

// Reader is the part of [Records] that changes nothing.
type Reader interface {
	// Get works like that of [Records], as do all of these.
	Get(ctx context.Context, id string) (Entry, error)
	// Page lists entries.
	Page(ctx context.Context, f Filter, after string, limit int) ([]Entry, error)
	// Next lists entries to hand over.
	Next(ctx context.Context, source string, from qredo.WalletID, wallets, each int) ([]Entry, error)
	// Waiting counts waiting entries.
	Waiting(ctx context.Context, source string) (n int, oldest time.Time, err error)
	// Sums adds up movements.
	Sums(ctx context.Context, source string) (map[qredo.WalletID]Sum, error)
	// Sources returns all sources.
	Sources(ctx context.Context) ([]Source, error)
	// Close closes the store.
	Close() error
}

// ReadOnly returns Records whose other methods return [ErrReadOnly]. It is for implementing a store.
func ReadOnly(r Reader) Records { return readOnly{r} }

type readOnly struct{ Reader }

func (readOnly) Begin(context.Context, time.Time) (time.Time, error) { return time.Time{}, ErrReadOnly }

func (readOnly) Lease(context.Context, string, string, time.Duration) (Source, error) {
	return Source{}, ErrReadOnly
}

func (readOnly) Release(context.Context, Source) error { return ErrReadOnly }

func (readOnly) Progress(context.Context, Source) error { return ErrReadOnly }

func (readOnly) Record(context.Context, Source, time.Time, []Sighting) (Recorded, error) {
	return Recorded{}, ErrReadOnly
}

func (readOnly) Update(context.Context, string, State, time.Time, Change) (Entry, error) {
	return Entry{}, ErrReadOnly
}

// OpenStoreReadOnly opens the inbox in a file for reading: methods that would change something return [ErrReadOnly]. The file
// is only open during a call, so that other programs can use it. While a program has the file open for writing, calls return an
// error that says so.
func OpenStoreReadOnly(path string) (Records, error) {
	r := &fileReader{path: path}
	return ReadOnly(r), r.with(func(*FileStore) error { return nil })
}

type fileReader struct {
	path   string
	closed atomic.Bool
}

// with opens the file for one call.
func (r *fileReader) with(read func(*FileStore) error) error {
	if r.closed.Load() {
		return ErrClosed
	}
	db, err := durable.ReadBolt(r.path)
	if err != nil {
		return fmt.Errorf("inbox: %w", err)
	}
	f := &FileStore{db: db}
	err = f.look(func(tx fileTx) error { return tx.check(r.path) })
	if err != nil {
		err = fmt.Errorf("inbox: %w", err)
	} else {
		err = read(f)
	}
	return errors.Join(err, f.Close())
}

func (r *fileReader) Get(ctx context.Context, id string) (e Entry, err error) {
	err = r.with(func(f *FileStore) (err error) { e, err = f.Get(ctx, id); return err })
	return e, err
}

func (r *fileReader) Page(ctx context.Context, filter Filter, after string, limit int) (page []Entry, err error) {
	err = r.with(func(f *FileStore) (err error) { page, err = f.Page(ctx, filter, after, limit); return err })
	return page, err
}

func (r *fileReader) Next(ctx context.Context, source string, from qredo.WalletID, wallets, each int) (list []Entry, err error) {
	err = r.with(func(f *FileStore) (err error) { list, err = f.Next(ctx, source, from, wallets, each); return err })
	return list, err
}

func (r *fileReader) Waiting(ctx context.Context, source string) (n int, oldest time.Time, err error) {
	err = r.with(func(f *FileStore) (err error) { n, oldest, err = f.Waiting(ctx, source); return err })
	return n, oldest, err
}

func (r *fileReader) Sums(ctx context.Context, source string) (sums map[qredo.WalletID]Sum, err error) {
	err = r.with(func(f *FileStore) (err error) { sums, err = f.Sums(ctx, source); return err })
	return sums, err
}

func (r *fileReader) Sources(ctx context.Context) (list []Source, err error) {
	err = r.with(func(f *FileStore) (err error) { list, err = f.Sources(ctx); return err })
	return list, err
}

func (r *fileReader) Close() error {
	r.closed.Store(true)
	return nil
}
