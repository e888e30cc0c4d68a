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

// NoTx stands for a transaction where there is none.
type NoTx struct{}

// FileStore is a [Store] in a file of its own, for one program at a time. There is no transaction that what a program does could
// share with it: after a crash between the two, a movement is handed over again, under the same Key. Leases end with the program, too:
// how long they are is not in the file.
type FileStore struct {
	db      *durable.Bolt
	handing handing

	mu    sync.Mutex
	until map[string]time.Time // until when a source is leased
}

var _ Store[NoTx] = (*FileStore)(nil)

// OpenStore opens the inbox in a file, or makes it. Another program that has it open is waited for, for a second. Changes are on the
// disk when the methods that make them return. Everything in the file is looked at: 200,000 entries that the system had in memory took a
// third of a second.
//
// A file that is cut, damaged, of a later version or of something else is an error that names it and says what to do. With a copy that
// is older, and with a new file that is told to begin at an earlier time, movements are handed over again that were handed over since: they
// have the same Keys.
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

// view and update call do in a transaction, update perhaps several times. Errors have the names of this package.
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

// Close waits for what is being handed over, and closes the file.
func (f *FileStore) Close() error {
	f.handing.close()
	return f.db.Close()
}

// Begin stores from when on movements are handed over.
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

// Lease gives a source to a holder, or renews what it has.
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

// Progress stores how far a source was read.
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
