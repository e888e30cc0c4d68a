package outbox

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/qredo-go/qredo/internal/durable"
)

// OpenStoreReadOnly returns a store that reads the outbox in a file and changes nothing: Get, Page and Stats work, and other
// methods return [ErrReadOnly]. The file is only open during a call, so that other programs can use it. Several such stores can
// read at the same time.
//
// While a program has the file open for writing, calls return an error that says so: [DialSocket] reaches that program.
func OpenStoreReadOnly(path string, opts ...FileOption) (Store, error) {
	r := &fileReader{path: path, opts: opts}
	return ReadOnly(r), r.with(func(*FileStore) error { return nil })
}

// fileReader is for files that no program has open for writing. Reading a file next to a writer is not safe: pages that a
// reader is using are overwritten two commits later, since only a lock or the writer's memory tells the writer about
// readers, and copying the file takes longer than that. So the writing program is asked instead. It also knows what is
// not stored, such as when entries are due.
type fileReader struct {
	path   string
	opts   []FileOption
	closed atomic.Bool
}

// with opens the file for one call.
func (r *fileReader) with(read func(*FileStore) error) (err error) {
	if r.closed.Load() {
		return ErrClosed
	}
	f := newFileStore(r.opts)
	if f.wrong != nil {
		return f.wrong
	}
	if f.db, err = durable.ReadBolt(r.path); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	if err = f.view(func(tx fileTx) error { return tx.check(r.path) }); err == nil {
		err = read(f)
	}
	return errors.Join(err, f.Close())
}

// Get returns the entry with a key.
func (r *fileReader) Get(ctx context.Context, key string) (e Entry, err error) {
	err = r.with(func(f *FileStore) (err error) {
		e, err = f.Get(ctx, key)
		return err
	})
	return e, err
}

// Page returns some of the entries that match a filter.
func (r *fileReader) Page(ctx context.Context, filter Filter, after Entry, limit int) (page []Entry, err error) {
	err = r.with(func(f *FileStore) (err error) {
		page, err = f.Page(ctx, filter, after, limit)
		return err
	})
	return page, err
}

// Stats counts.
func (r *fileReader) Stats(ctx context.Context) (s Stats, err error) {
	err = r.with(func(f *FileStore) error {
		err := f.view(func(tx fileTx) error { return tx.load(f.queues) }) // for since when something is due
		if err == nil {
			s, err = f.Stats(ctx)
		}
		return err
	})
	return s, err
}

// Close makes later calls return ErrClosed.
func (r *fileReader) Close() error {
	r.closed.Store(true)
	return nil
}
