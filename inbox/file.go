package inbox

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/qredo-go/qredo/internal/durable"
)

// NoTx stands in for a transaction where there is none.
type NoTx struct{}

// FileStore is a [Store] in a file, for one program at a time. Your program cannot share a transaction with it: after a crash
// between the two, a movement is handed over again, under the same Key. Leases end with the program too; their length is not
// stored.
type FileStore struct {
	db      *durable.Bolt
	handing handing

	mu    sync.Mutex
	until map[string]time.Time // until when a source is leased
}

var _ Store[NoTx] = (*FileStore)(nil)

// OpenStore opens the inbox in a file, or creates it. If another program has it open, OpenStore waits for up to a second. When
// a method that changes something returns, the change is on disk. Opening reads the whole file: 200,000 cached entries took a
// third of a second.
//
// If the file is truncated, damaged, of a later version or not an inbox, the error names it and says what to do. If you use an
// older copy, or a new file that starts at an earlier time, movements handed over since then are handed over again, with the
// same Keys.
func OpenStore(path string) (*FileStore, error) {
	db, err := durable.OpenBolt(path)
	if err != nil {
		return nil, fmt.Errorf("inbox: %w", err)
	}
	f := &FileStore{db: db, until: map[string]time.Time{}}
	if err := f.change(func(tx fileTx) error { return tx.open(path) }); err != nil {
		return nil, errors.Join(fmt.Errorf("inbox: %w", err), db.Close())
	}
	return f, nil
}

// view and update run a function in a transaction; update may run it several times. They translate errors into those of
// this package.
func (f *FileStore) view(ctx context.Context, do func(fileTx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return known(f.look(do))
}

func (f *FileStore) look(do func(fileTx) error) error {
	return f.db.View(func(tx *bolt.Tx) error { return do(fileTx{Tx: tx}) })
}

func (f *FileStore) update(ctx context.Context, do func(fileTx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return known(f.change(do))
}

func (f *FileStore) change(do func(fileTx) error) error {
	return f.db.Update(func(tx *bolt.Tx) error {
		t := fileTx{Tx: tx, more: map[string]int64{}}
		if err := do(t); err != nil {
			return err
		}
		return t.count()
	})
}

func known(err error) error {
	switch {
	case errors.Is(err, durable.ErrClosed):
		return ErrClosed
	case errors.Is(err, durable.ErrDamaged):
		return fmt.Errorf("inbox: %w", err)
	}
	return err
}

// Close waits for handovers in progress, and closes the file.
func (f *FileStore) Close() error {
	f.handing.close()
	return f.db.Close()
}

// Begin stores the time from which movements are handed over.
func (f *FileStore) Begin(ctx context.Context, from time.Time) (stored time.Time, err error) {
	var begun bool
	err = f.view(ctx, func(tx fileTx) (err error) {
		stored, begun, err = tx.begins()
		return err
	})
	if err != nil || begun {
		return stored, err
	}
	err = f.update(ctx, func(tx fileTx) (err error) {
		if stored, begun, err = tx.begins(); err != nil || begun {
			return err
		}
		stored = micro(from)
		return tx.put(formTable, beginRow, timeBytes(stored))
	})
	return stored, err
}

// Lease gives a source to a holder, or renews its lease.
func (f *FileStore) Lease(ctx context.Context, source, holder string, lease time.Duration) (s Source, err error) {
	if source == "" {
		return Source{}, errors.New("inbox: a source without an ID cannot be leased")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	err = f.view(ctx, func(tx fileTx) (err error) {
		s, err = tx.source(source)
		return err
	})
	if err != nil {
		return Source{}, err
	}
	now := time.Now()
	if s.Token == 0 || s.Holder != holder {
		if rest := f.until[source].Sub(now); rest > 0 {
			return Source{}, &LeasedError{Source: source, Holder: s.Holder, For: rest}
		}
		err = f.update(ctx, func(tx fileTx) (err error) {
			if s, err = tx.source(source); err != nil {
				return err
			}
			s.Holder, s.Token = holder, s.Token+1
			return tx.storeSource(s)
		})
		if err != nil {
			return Source{}, err
		}
	}
	f.until[source] = now.Add(lease)
	s.Until = micro(f.until[source])
	return s, nil
}

// Release ends a lease.
func (f *FileStore) Release(ctx context.Context, s Source) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.view(ctx, func(tx fileTx) error {
		_, err := tx.held(s)
		return err
	})
	switch {
	case errors.Is(err, ErrLeaseLost):
		return nil
	case err == nil:
		delete(f.until, s.ID)
	}
	return err
}

// Progress stores how far a source has been read.
func (f *FileStore) Progress(ctx context.Context, s Source) error {
	s.Latest = micro(s.Latest)
	changed := func(tx fileTx) (now Source, changed bool, err error) {
		if now, err = tx.held(s); err != nil {
			return now, false, err
		}
		changed = !reflect.DeepEqual(now.Reading, s.Reading)
		now.Reading = s.Reading
		return now, changed, nil
	}
	var write bool
	err := f.view(ctx, func(tx fileTx) (err error) {
		_, write, err = changed(tx)
		return err
	})
	if err != nil || !write {
		return err
	}
	return f.update(ctx, func(tx fileTx) error {
		now, _, err := changed(tx)
		if err != nil {
			return err
		}
		return tx.storeSource(now)
	})
}

// Sources returns all sources.
func (f *FileStore) Sources(ctx context.Context) (list []Source, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	err = f.view(ctx, func(tx fileTx) (err error) {
		list, err = tx.sources()
		return err
	})
	for i := range list {
		if until, ok := f.until[list[i].ID]; ok {
			list[i].Until = micro(until)
		}
	}
	return list, err
}
