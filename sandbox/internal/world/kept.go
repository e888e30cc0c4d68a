package world

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// kept tracks which commits are on disk. Callers wait for it before they answer: writers, so that their change is kept, and
// readers, so that a crash cannot undo what they have seen. One of the waiting callers syncs the store for all who came
// before it began.
type kept struct {
	store   Store
	changed func() (tell func())

	done    atomic.Uint64 // the last commit that is kept
	newest  atomic.Uint64
	failed  atomic.Pointer[error] // of a sync: nobody knows what is kept any more
	mu      sync.Mutex
	turn    sync.Cond
	syncing bool
}

func (k *kept) init(store Store, changed func() (tell func())) {
	k.store, k.changed, k.turn.L = store, changed, &k.mu
}

// add notes a commit that was appended.
func (k *kept) add(commit uint64) { k.newest.Store(commit) }

// failure is why nothing can be kept any more, if that is so.
func (k *kept) failure() error {
	if failed := k.failed.Load(); failed != nil {
		return *failed
	}
	return nil
}

// Healthy returns why changes cannot be carried out, if that is known.
func (w *World) Healthy() error { return w.kept.failure() }

// wait returns when a commit and all earlier ones are kept.
func (k *kept) wait(commit uint64) error {
	if k.done.Load() >= commit {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for k.done.Load() < commit {
		if err := k.failure(); err != nil {
			return err
		}
		if k.syncing {
			k.turn.Wait()
			continue
		}
		k.syncing = true
		k.mu.Unlock()
		k.sync()
		k.mu.Lock()
		k.syncing = false
		k.turn.Broadcast()
	}
	return nil
}

func (k *kept) sync() {
	newest, tell := k.newest.Load(), k.changed() // before it is synced, so that nothing is told that is not kept
	if k.store != nil {
		if err := k.store.Sync(); err != nil {
			err = fmt.Errorf("sandbox: storing: %w: what was changed last may be lost, and the sandbox must be started again", err)
			k.failed.Store(&err)
			return
		}
	}
	tell() // before anybody has their answer
	k.done.Store(newest)
}
