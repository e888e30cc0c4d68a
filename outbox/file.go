package outbox

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/qredo-go/qredo/internal/durable"
)

// FileStore is a [Store] in a file, for one program at a time. Leases are not stored: when another program opens the file, the
// previous one has ended, and so have its leases. What waits for a worker is also kept in memory.
type FileStore struct {
	db      *durable.Bolt
	records Records
	queues  *queues
	closed  atomic.Bool
	wrong   error // with the options
}

// FileOption changes how a file is opened.
type FileOption func(*FileStore)

// WithSealingKey computes the checksums of stored entries with a secret key of at least 16 bytes: see [NewRecords]. A file
// needs the same key each time it is opened. Default: no key.
func WithSealingKey(key []byte) FileOption {
	return func(f *FileStore) {
		f.records = NewRecords(key)
		f.wrong = check(len(key) >= 16, "sealing key", "must have 16 bytes or more, has %d", len(key))
	}
}

// OpenStore opens the outbox in a file, or creates it. If another program has it open, OpenStore waits for up to a second. When
// a method that changes something returns, the change is on disk.
//
// A file of version 0.1.0 gets this version's form, with all its entries. If the file is truncated, damaged, of a later version or not an
// outbox, the error names it and says what to do. If you have
// no copy of a damaged file, enqueue everything that may not have ended again in a new one, under the same keys: the payments
// get the same PartnerTxIDs as before, for which the service makes only one transaction each.
func OpenStore(path string, opts ...FileOption) (_ *FileStore, err error) {
	f := newFileStore(opts)
	if f.wrong != nil {
		return nil, f.wrong
	}
	if f.db, err = durable.OpenBolt(path); err != nil {
		return nil, fmt.Errorf("outbox: %w", err)
	}
	err = f.db.Update(func(tx *bolt.Tx) error { return f.tx(tx).open(path) })
	if err == nil {
		err = f.db.View(func(tx *bolt.Tx) error { return f.tx(tx).load(f.queues) })
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("outbox: %w", err), f.db.Close())
	}
	return f, nil
}

func newFileStore(opts []FileOption) *FileStore {
	f := &FileStore{records: NewRecords(nil), queues: newQueues()}
	for _, opt := range opts {
		opt(f)
	}
	return f
}

func (f *FileStore) tx(tx *bolt.Tx) fileTx { return fileTx{tx, f.records} }

// view and update run a function in a transaction; update may run it several times. They translate errors into those of
// this package.
func (f *FileStore) view(do func(fileTx) error) error {
	return f.known(f.db.View(func(tx *bolt.Tx) error { return do(f.tx(tx)) }))
}

func (f *FileStore) update(do func(fileTx) error) error {
	return f.known(f.db.Update(func(tx *bolt.Tx) error { return do(f.tx(tx)) }))
}

func (f *FileStore) known(err error) error {
	switch {
	case errors.Is(err, durable.ErrClosed):
		return ErrClosed
	case errors.Is(err, durable.ErrDamaged):
		return fmt.Errorf("outbox: %w", err)
	}
	return err
}

func (f *FileStore) isClosed() error {
	if f.closed.Load() {
		return ErrClosed
	}
	return nil
}

// Close closes the file.
func (f *FileStore) Close() error {
	f.closed.Store(true)
	return f.db.Close()
}

// Add stores an entry unless there is already one with its key.
func (f *FileStore) Add(ctx context.Context, e Entry) (stored Entry, added bool, err error) {
	if stored, err = f.Get(ctx, e.Key); errors.Is(err, ErrNotFound) { // otherwise without a write
		err = f.update(func(tx fileTx) (err error) {
			stored, added, err = tx.add(e)
			return err
		})
	}
	if err != nil {
		return Entry{}, false, err
	}
	f.queues.enter(&stored)
	return stored, added, nil
}

// Get returns the entry with the given key.
func (f *FileStore) Get(_ context.Context, key string) (e Entry, err error) {
	err = f.view(func(tx fileTx) (err error) {
		e, err = tx.get(key)
		return err
	})
	f.queues.due(&e)
	return e, err
}

// Page returns some of the entries that match a filter.
func (f *FileStore) Page(_ context.Context, filter Filter, after Entry, limit int) (page []Entry, err error) {
	err = f.view(func(tx fileTx) error {
		page = tx.page(filter, after, limit)
		return nil
	})
	for i := range page {
		f.queues.due(&page[i])
	}
	return page, err
}

// Stats counts entries.
func (f *FileStore) Stats(context.Context) (s Stats, err error) {
	err = f.view(func(tx fileTx) error {
		s = tx.stats()
		return nil
	})
	if due, ok := f.queues.oldest(); ok && err == nil {
		s.OldestDue = fromMicros(due)
	}
	return s, err
}

// Claim leases due entries.
func (f *FileStore) Claim(_ context.Context, w Want) (claims []Claim, err error) {
	err = f.isClosed()
	for more := true; err == nil && more; {
		leased := f.queues.claim(w, w.Limit-len(claims))
		var good []Claim
		good, err = f.look(leased, w)
		claims = append(claims, good...)
		more = len(good) < len(leased) // others take the places of those that were set aside
	}
	if err != nil {
		f.queues.giveUp(claims)
		return nil, err
	}
	return claims, nil
}

// look reads the entries that were leased. If an entry is not where the queue had it, it is moved there; if it cannot be
// read, it is set aside.
func (f *FileStore) look(leased []Claim, w Want) (good []Claim, err error) {
	if len(leased) == 0 {
		return nil, nil
	}
	var damaged []Claim
	err = f.view(func(tx fileTx) error {
		for _, c := range leased {
			e, err := tx.get(c.Entry.Key)
			switch {
			case err == nil && e.Request == nil:
				damaged = append(damaged, c)
			case laneOf(&e) != w.Lane:
				_ = f.queues.settle(c, func(x *waiting) { x.lane, x.due = laneOf(&e), micros(e.Due) })
			default:
				e.Due = c.Entry.Due
				good = append(good, Claim{Entry: e, Token: c.Token})
			}
		}
		return nil
	})
	if err == nil && len(damaged) > 0 {
		err = f.update(func(tx fileTx) error {
			for _, c := range damaged {
				if err := tx.setAside(c.Entry.Key, micros(w.Now)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		f.queues.giveUp(leased)
		return nil, err
	}
	for _, c := range damaged {
		_ = f.queues.settle(c, func(x *waiting) { x.lane = noLane })
	}
	return good, nil
}

// Take leases one entry.
func (f *FileStore) Take(ctx context.Context, key string, now, until time.Time) (Claim, error) {
	if err := f.isClosed(); err != nil {
		return Claim{}, err
	}
	c, ok := f.queues.take(key, micros(now), micros(until))
	if !ok {
		return Claim{}, ErrBusy
	}
	e, err := f.Get(ctx, key)
	if err != nil {
		f.queues.giveUp([]Claim{c})
		return Claim{}, err
	}
	return Claim{Entry: e, Token: c.Token}, nil
}

// Begin records that an attempt begins.
func (f *FileStore) Begin(_ context.Context, c Claim) error {
	return f.save(c, fileTx.begin, func(x *waiting) (keep bool) {
		if x.lane == LaneNew {
			x.lane = LaneRetry
		}
		return true
	})
}

// Release stores a claim's entry and ends the lease.
func (f *FileStore) Release(_ context.Context, c Claim) error {
	return f.save(c, fileTx.replace, func(x *waiting) (keep bool) {
		x.lane, x.due = laneOf(&c.Entry), micros(c.Entry.Due)
		return false
	})
}

// save stores part of a claim's entry, and then updates the queues.
func (f *FileStore) save(c Claim, store func(fileTx, Entry) error, stored func(*waiting) (keep bool)) error {
	if err := f.isClosed(); err != nil {
		return err
	}
	x, err := f.queues.saving(c)
	if err != nil {
		return err
	}
	err = f.update(func(tx fileTx) error { return store(tx, c.Entry) })
	f.queues.saved(x, func(x *waiting) bool { return err != nil || stored(x) })
	return err
}

// Postpone ends the lease of an unchanged entry. Its new due time is forgotten when the file is closed.
func (f *FileStore) Postpone(_ context.Context, c Claim) error {
	if err := f.isClosed(); err != nil {
		return err
	}
	return f.queues.settle(c, func(x *waiting) { x.due = micros(c.Entry.Due) })
}

// Remove removes entries that have ended.
func (f *FileStore) Remove(_ context.Context, keys []string) error {
	return f.update(func(tx fileTx) error {
		for _, key := range keys {
			if err := tx.remove(key); err != nil {
				return err
			}
		}
		return nil
	})
}
