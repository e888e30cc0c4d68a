// Package world holds what the sandbox emulates: companies, people, funds, wallets, transactions and programs
// that approve, and the money between them.
//
// Its state changes only by events. A command checks a request, and records the events that carry it out: all of them or,
// with an error, none. There is one writer at a time. Time and randomness come from outside, so that the same commands make
// the same world.
//
// It knows nothing about HTTP, routes, or the APIs' formats.
package world

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/qredo-go/qredo"
)

// Config is the configuration of a world.
type Config struct {
	Clock   func() time.Time
	Seed    uint64 // of the identifiers, where there is no store that has one
	Choices Choices
	Assets  []qredo.Asset // those that are offered
	Store   Store         // nil: keep everything in memory only
	Changed func(Changes) // called when changes have taken effect and are kept
}

// Store keeps a world: a snapshot, and what was committed since.
type Store interface {
	// Load reads what is kept: the snapshot, if there is one, and each commit since.
	Load(snapshot func(io.Reader) error, commit func(record []byte) error) error
	// Append writes a commit, which is kept once Sync has returned without an error. After an error of Append it is as if it had
	// never been called; after an error of Sync, the fate of everything appended since the last Sync is unknown.
	Append(record []byte) error
	Sync() error
	// Fold begins to replace what was appended so far with a snapshot: finish writes it, which can happen while more is
	// appended. Grown reports whether that is worth it.
	Grown() bool
	Fold() (finish func(write func(io.Writer) error) error, err error)
	// Replace replaces everything with another snapshot.
	Replace(write func(io.Writer) error) error
	Close() error
}

// World holds the state and changes it. It is safe for concurrent use.
type World struct {
	clock   func() time.Time
	choices Choices
	assets  []qredo.Asset
	store   Store

	write   sync.Mutex // for the only writer: held from checking a command until it has taken effect
	folding atomic.Bool
	folds   sync.WaitGroup

	mu      sync.RWMutex // held while the state is read or changed, never while anything is stored
	state   *state
	epoch   int
	applied uint64 // how many commits there were in this process
	past    uint64 // of the worlds that this one has replaced: identifiers that were given in them must not be given to others

	kept kept
	news news
}

// New makes an empty world or, with a store, the world that it keeps.
func New(c Config) (*World, error) {
	w := &World{
		clock: c.Clock, choices: c.Choices, assets: c.Assets, store: c.Store, state: newState(c.Seed),
	}
	w.kept.init(c.Store, func() (tell func()) {
		changes := w.news.take()
		return func() { c.Changed(changes) }
	})
	if w.store == nil {
		return w, nil
	}
	fresh := true
	err := w.store.Load(func(from io.Reader) (err error) {
		fresh = false
		if w.state, _, err = readState(from); err == nil {
			w.state.giveSecrets(c.Seed)
		}
		return err
	}, func(record []byte) error {
		at, changes, err := w.state.decodeCommit(record)
		if err == nil {
			w.state.commit(at, changes)
		}
		return err
	})
	if err == nil && fresh { // also where a store in the form of before was read
		err = w.store.Replace(func(to io.Writer) error { return w.state.snapshot(withSecrets).Write(to) })
	}
	if err != nil {
		return nil, err
	}
	return w, nil
}

// commit lets changes take effect.
func (st *state) commit(at time.Time, changes []change) {
	for _, c := range changes {
		c.apply(st, at)
	}
	st.at = at
	st.commits++
}

// Scratch makes an empty world in memory with the same configuration, in which commands can be tried. It can replace this one.
func (w *World) Scratch() (*World, error) {
	scratch, err := New(Config{Clock: w.clock, Choices: w.choices, Assets: w.assets, Changed: func(Changes) {}})
	if err == nil {
		w.mu.RLock()
		defer w.mu.RUnlock()
		scratch.state.seed, scratch.state.commits, scratch.past = w.state.seed, w.state.commits, w.past
	}
	return scratch, err
}

// Saved is the world to be put in another's place, which ends it here.
func (w *World) Saved() *Saved { return &Saved{state: w.state} }

// View is the world at a moment, for reading. It is valid until the function that received it returns.
type View struct {
	*state
	Now     time.Time
	Epoch   int // how often everything had been forgotten
	Choices Choices
	Assets  []qredo.Asset // those that are offered
}

// Look returns the view itself: what is given an [Update] looks at the world by its view.
func (v *View) Look() *View { return v }

// Update is the world at a moment, for commands. They see it as it was before any of them.
type Update struct {
	View
	ids      *idSource
	changes  []change
	advanced bool // the clock was
}

// change notes what a command changes.
func (u *Update) change(changes ...change) { u.changes = append(u.changes, changes...) }

// Now returns the time in the world: the clock's, and what it was advanced by.
func (w *World) Now() time.Time {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.now()
}

// Advanced is how far the clock was advanced.
func (w *World) Advanced() time.Duration {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.state.offset
}

func (w *World) now() time.Time { return w.clock().Add(w.state.offset).UTC() }

func (w *World) view(now time.Time) View {
	return View{state: w.state, Now: now, Epoch: w.epoch, Choices: w.choices, Assets: w.assets}
}

// View runs f with the current world, after everything due has expired. It returns when everything that f has seen is kept.
func (w *World) View(f func(v *View) error) error {
	for {
		w.mu.RLock()
		if now := w.now(); !w.state.due(now) {
			applied, err := w.look(now, f)
			if unkept := w.kept.wait(applied); unkept != nil {
				return unkept
			}
			return err
		}
		w.mu.RUnlock()
		// Any command lets what is due expire, also one that does nothing.
		if err := w.Update(func(*Update) error { return nil }); err != nil {
			return err
		}
	}
}

// look runs f and gives the lock back, also where f panics.
func (w *World) look(now time.Time, f func(v *View) error) (applied uint64, err error) {
	defer w.mu.RUnlock()
	v := w.view(now)
	return w.applied, f(&v)
}

// Update runs commands. Their changes take effect together or, if f returns an error, not at all, and are kept when it returns.
func (w *World) Update(f func(u *Update) error) error {
	applied, err := w.update(f)
	if unkept := w.kept.wait(applied); unkept != nil {
		return unkept
	}
	return err
}

func (w *World) update(f func(u *Update) error) (applied uint64, err error) {
	w.write.Lock()
	defer w.write.Unlock()
	// No lock on the state is needed for reading it here: only a writer changes it, and there is one.
	now := w.now()
	if ends := w.state.expired(now); len(ends) > 0 {
		if err := w.commit(ends, now); err != nil {
			return w.applied, err
		}
	}
	u := &Update{View: w.view(now), ids: newIDSource(w.state.seed, w.state.commits, w.past)}
	if err := f(u); err != nil {
		return w.applied, err
	}
	err = w.commit(u.changes, now)
	if now := w.now(); err == nil && u.advanced && w.state.due(now) { // at once, so that feeds tell it: they are woken by what they tell
		err = w.commit(w.state.expired(now), now)
	}
	return w.applied, err
}

// commit writes changes to the store, if any, and applies them. They are not kept yet: callers wait for that without the
// lock, so that concurrent ones wait together.
func (w *World) commit(changes []change, now time.Time) error {
	if len(changes) == 0 {
		return nil
	}
	if err := w.kept.failure(); err != nil {
		return err
	}
	if w.store != nil {
		record, err := w.state.encodeCommit(now, changes)
		if err == nil {
			err = w.store.Append(record)
		}
		if err != nil {
			return fmt.Errorf("sandbox: storing: %w", err)
		}
	}
	w.takeEffect(now, changes)
	w.fold()
	return nil
}

// takeEffect applies changes and releases the lock, even if one panics: the rest can then at least be inspected and reset.
func (w *World) takeEffect(now time.Time, changes []change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state.commit(now, changes)
	w.news.add(w.state, now, changes)
	w.applied++
	w.kept.add(w.applied)
}

// fold folds the store in the background if it has grown.
func (w *World) fold() {
	if w.store == nil || !w.store.Grown() || w.folding.Swap(true) {
		return
	}
	finish, err := w.store.Fold()
	if err != nil { // it is tried again with the next commit; what is stored is stored
		w.folding.Store(false)
		return
	}
	s := w.state.snapshot(withSecrets)
	w.folds.Go(func() {
		defer w.folding.Store(false)
		_ = finish(func(to io.Writer) error { return s.Write(to) }) // as above
	})
}

// Reset deletes everything. Old identifiers are not used again.
func (w *World) Reset() error {
	w.write.Lock()
	defer w.write.Unlock()
	empty := newState(w.state.seed)
	empty.commits = w.state.commits + 1
	return w.replace(empty)
}

// Saved is a world that was read from a snapshot.
type Saved struct {
	Keys []json.RawMessage // that came with it

	state *state
}

// Read reads a snapshot. If it is damaged, the error names the line.
func Read(from io.Reader) (*Saved, error) {
	st, keys, err := readState(from)
	if err != nil {
		return nil, &Error{Invalid, err.Error()}
	}
	return &Saved{keys, st}, nil
}

// Put puts another world in the place of this one, which is its own from then on. One without a seed goes on with this one's, and its core
// clients get new keys; the keys of wallets cannot be made again. What is made in it has other identifiers than what was
// made here, for as long as this process lives: a deposit after a snapshot was restored must not look like one of before.
func (w *World) Put(saved *Saved) error {
	w.write.Lock()
	defer w.write.Unlock()
	past := w.past
	if w.state.commits > 0 {
		past += w.state.commits + 1
	}
	saved.state.giveSecrets(w.state.seed)
	if err := w.replace(saved.state); err != nil {
		return err
	}
	w.past = past
	return nil
}

// IsEmpty reports whether nothing was ever committed.
func (w *World) IsEmpty() bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.state.commits == 0
}

func (w *World) replace(st *state) error {
	if w.store != nil {
		if err := w.kept.failure(); err != nil {
			return err
		}
		w.folds.Wait() // none begins: that needs the lock of writers
		if err := w.store.Replace(func(to io.Writer) error { return st.snapshot(withSecrets).Write(to) }); err != nil {
			return fmt.Errorf("sandbox: storing: %w", err)
		}
	}
	w.mu.Lock()
	w.state = st
	w.epoch++
	w.mu.Unlock()
	return nil
}

// Close waits for work in progress and closes the store.
func (w *World) Close() error {
	w.write.Lock()
	defer w.write.Unlock()
	w.folds.Wait()
	if w.store == nil {
		return nil
	}
	return w.store.Close()
}
