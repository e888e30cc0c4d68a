package outbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"sync"
	"time"
)

// Get returns the entry with the given key, or [ErrNotFound].
func (o *Outbox) Get(ctx context.Context, key string) (Entry, error) { return o.store.Get(ctx, key) }

// List iterates over the entries that a filter selects, in the order of their keys or, if the filter has a time, of their
// changes. They are read in batches: an entry that changes meanwhile is yielded as it was when its batch was read. An error
// ends the iteration.
func (o *Outbox) List(ctx context.Context, f Filter) iter.Seq2[Entry, error] {
	return listed(ctx, f, o.Page)
}

// listed ranges over all entries, page by page.
func listed(ctx context.Context, f Filter, get func(context.Context, Filter, Entry, int) ([]Entry, error)) iter.Seq2[Entry, error] {
	const part = 500
	return func(yield func(Entry, error) bool) {
		for after := (Entry{}); ; {
			page, err := get(ctx, f, after, part)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
			}
			if len(page) < part {
				return
			}
			after = page[len(page)-1]
		}
	}
}

// Page returns up to limit entries that a filter selects, in the order of [Outbox.List]. It starts after the given entry, the
// last one of the previous page (only its Key and Updated are used); with a zero Entry it returns the first page.
func (o *Outbox) Page(ctx context.Context, f Filter, after Entry, limit int) ([]Entry, error) {
	page, err := o.store.Page(ctx, f, after, limit)
	if err != nil {
		return nil, fmt.Errorf("outbox: listing: %w", err)
	}
	return page, nil
}

// Watch yields an entry as it is now, and again when it has changed, until it has ended. Of several changes in quick succession
// you may get only the last; all of them are in the entry's steps. The end of ctx, or a failure to read the entry, is yielded
// as an error and ends the iteration.
func (o *Outbox) Watch(ctx context.Context, key string) iter.Seq2[Entry, error] {
	return watched(ctx, key, o.poll, &o.changed, o.Get)
}

// watched yields an entry when it changes. It polls, since other programs change entries too, and also looks when it is
// notified.
func watched(ctx context.Context, key string, every time.Duration, told *signal, get func(context.Context, string) (Entry, error)) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		interval := time.NewTicker(every)
		defer interval.Stop()
		for version := 0; ; {
			changed := told.next()
			e, err := get(ctx, key)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if e.Version != version {
				version = e.Version
				if !yield(e, nil) || e.State.Ended() {
					return
				}
			}
			select {
			case <-ctx.Done():
				yield(Entry{}, ctx.Err())
				return
			case <-changed:
			case <-interval.C:
			}
		}
	}
}

// Stats counts the entries by state.
func (o *Outbox) Stats(ctx context.Context) (Stats, error) { return o.store.Stats(ctx) }

// PruneOption changes what [Outbox.Prune] does.
type PruneOption func(*pruning)

type pruning struct{ archive io.Writer }

// WithArchive writes each entry to w before it is removed, as a line of JSON. A writer with a method Sync, such as an
// [os.File], is synced before anything is removed.
func WithArchive(w io.Writer) PruneOption { return func(p *pruning) { p.archive = w } }

// Prune removes the entries that ended before the given time, and returns how many. A removed key is no longer known: if it is
// enqueued again, it is sent again, under the same PartnerTxID as before, for which the service has already made its one
// transaction. Remove only payments that no program will enqueue again.
func (o *Outbox) Prune(ctx context.Context, before time.Time, opts ...PruneOption) (int, error) {
	var p pruning
	for _, opt := range opts {
		opt(&p)
	}
	removed := 0
	for {
		f := Filter{States: []State{StateDone, StateFailed, StateRejected, StateExpired}, UpdatedBefore: before}
		page, err := o.store.Page(ctx, f, Entry{}, 500)
		if err != nil || len(page) == 0 {
			return removed, err
		}
		if err := p.keep(page); err != nil {
			return removed, fmt.Errorf("outbox: nothing more is removed: the archive: %w", err)
		}
		keys := make([]string, len(page))
		for i, e := range page {
			keys[i] = e.Key
		}
		if err := o.store.Remove(ctx, keys); err != nil {
			return removed, err
		}
		removed += len(keys)
	}
}

// keep archives entries.
func (p pruning) keep(page []Entry) error {
	if p.archive == nil {
		return nil
	}
	var lines bytes.Buffer
	for _, e := range page {
		if err := json.NewEncoder(&lines).Encode(e); err != nil {
			return err
		}
	}
	if _, err := p.archive.Write(lines.Bytes()); err != nil {
		return err
	}
	if file, ok := p.archive.(interface{ Sync() error }); ok {
		return file.Sync()
	}
	return nil
}

// signal wakes everyone who waits for it.
type signal struct {
	mu      sync.Mutex
	waiting chan struct{}
}

// next returns a channel that is closed at the next signal.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting == nil {
		s.waiting = make(chan struct{})
	}
	return s.waiting
}

func (s *signal) send() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting != nil {
		close(s.waiting)
		s.waiting = nil
	}
}
