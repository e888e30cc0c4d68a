package inbox

import (
	"context"
	"fmt"
	"time"

	"github.com/qredo-go/qredo"
)

// Record stores what a source has reported.
func (f *FileStore) Record(ctx context.Context, s Source, now time.Time, seen []Sighting) (counts Recorded, err error) {
	var (
		write []Entry
		held  Source
	)
	merge := func(tx fileTx) (err error) {
		if held, err = tx.held(s); err == nil {
			write, counts, err = MergeAll(seen, s.ID, now, tx.find)
		}
		return err
	}
	if err := f.view(ctx, merge); err != nil || len(write) == 0 { // otherwise without a write
		return Recorded{}, err
	}
	err = f.handing.change(ctx, func() (busy <-chan struct{}, err error) {
		err = f.update(ctx, func(tx fileTx) error {
			busy = nil
			if err := merge(tx); err != nil {
				return err
			}
			for _, e := range write {
				if busy = f.handing.ids[e.ID]; busy != nil {
					return errBusy
				}
				if err := tx.store(e); err != nil {
					return err
				}
			}
			held.Rows += int64(counts.New)
			return tx.storeSource(held)
		})
		return busy, err
	})
	if err != nil {
		return Recorded{}, err
	}
	return counts, nil
}

// Update stores a change of an entry.
func (f *FileStore) Update(ctx context.Context, id string, seen State, now time.Time, change Change) (after Entry, err error) {
	err = f.handing.change(ctx, func() (busy <-chan struct{}, err error) {
		if busy = f.handing.ids[id]; busy != nil {
			return busy, nil
		}
		return nil, f.update(ctx, func(tx fileTx) error {
			e, err := tx.inState(id, seen)
			if err != nil {
				return err
			}
			after = change.Apply(e, now)
			return tx.store(after)
		})
	})
	if err != nil {
		return Entry{}, err
	}
	return after, nil
}

// inState returns an entry that must be in a state.
func (t fileTx) inState(id string, state State) (Entry, error) {
	e, err := t.entry(id)
	switch {
	case err != nil:
		return Entry{}, err
	case e == nil:
		return Entry{}, ErrNotFound
	case e.State == state:
		return *e, nil
	case state == StateReady:
		return Entry{}, ErrNotReady
	}
	return Entry{}, &StateError{ID: id, State: e.State}
}

// Hand passes an entry to do, and then stores that it is done. If that cannot be stored, the entry is handed over again.
func (f *FileStore) Hand(ctx context.Context, id string, now time.Time, do func(ctx context.Context, tx NoTx, m Movement) error) error {
	if err := f.handing.begin(ctx, id); err != nil {
		return err
	}
	defer f.handing.end(id)
	var e Entry
	err := f.view(ctx, func(tx fileTx) (err error) {
		e, err = tx.inState(id, StateReady)
		return err
	})
	if err != nil {
		return err
	}
	if err := do(ctx, NoTx{}, e.Movement); err != nil {
		return err
	}
	done := Change{State: StateDone, Attempts: e.Attempts}.Apply(e, now)
	err = known(f.change(func(tx fileTx) error { return tx.store(done) })) // even if ctx has ended in the meantime
	if err != nil {
		return fmt.Errorf("inbox: %s was handed over, and will be again, since this could not be stored: %w", id, err)
	}
	return nil
}

// Next returns entries to hand over.
func (f *FileStore) Next(ctx context.Context, source string, from qredo.WalletID, wallets, each int) (list []Entry, err error) {
	err = f.view(ctx, func(tx fileTx) (err error) {
		list, err = tx.next(source, from, wallets, each)
		return err
	})
	return list, err
}

// Get returns the entry with the given ID.
func (f *FileStore) Get(ctx context.Context, id string) (e Entry, err error) {
	err = f.view(ctx, func(tx fileTx) error {
		found, err := tx.entry(id)
		switch {
		case err != nil:
			return err
		case found == nil:
			return ErrNotFound
		}
		e = *found
		return nil
	})
	return e, err
}

// Page returns some of the entries that a filter selects.
func (f *FileStore) Page(ctx context.Context, filter Filter, after string, limit int) (page []Entry, err error) {
	err = f.view(ctx, func(tx fileTx) (err error) {
		page, err = tx.page(ctx, filter, after, limit)
		return err
	})
	return page, err
}

// Waiting returns how many entries of a source are waiting.
func (f *FileStore) Waiting(ctx context.Context, source string) (n int, oldest time.Time, err error) {
	err = f.view(ctx, func(tx fileTx) (err error) {
		n, oldest, err = tx.waiting(source)
		return err
	})
	return n, oldest, err
}

// Sums adds up the movements of a source's entries.
func (f *FileStore) Sums(ctx context.Context, source string) (sums map[qredo.WalletID]Sum, err error) {
	err = f.view(ctx, func(tx fileTx) (err error) {
		sums, err = tx.sums(ctx, source)
		return err
	})
	return sums, err
}
