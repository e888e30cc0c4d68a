// Package world holds what the sandbox emulates: companies, people, funds, wallets, transactions and programs
// that approve, and the money between them.
//
// Its state changes by events alone. A command checks what is asked for, and names the events that carry it
// out: all of them or, with an error, none. There is one writer at a time. The time and the identifiers come
// from outside, so that the same commands make the same world.
//
// It knows nothing of HTTP, of routes, or of the forms in which the APIs say things.
package world

import (
	"fmt"
	"sync"
	"time"

	"github.com/qredo-go/qredo"
)

// Config says what a world is made of.
type Config struct {
	Clock   func() time.Time
	Seed    uint64 // of the identifiers
	Choices Choices
	Assets  []qredo.Asset // those that are offered
	Journal Journal       // nil: what happens is kept in memory only
	Changed func()        // is called after each change that has taken effect
}

// Journal keeps events as they are stored, in their order. What Append has returned from without an error is
// kept.
type Journal interface {
	Replay(read func(record []byte) error) error
	Append(records ...[]byte) error
	Reset() error
	Close() error
}

// World is the state, and who changes it. It is safe for concurrent use.
type World struct {
	clock   func() time.Time
	choices Choices
	assets  []qredo.Asset
	journal Journal
	changed func()

	write sync.Mutex // one writer at a time: held from checking a command until it has taken effect
	ids   *idSource

	mu    sync.RWMutex // held while the state is read or changed, never while anything is stored
	state *state
	epoch int
}

// New makes a world with nothing in it or, where there is a journal, as it was when that ended.
func New(c Config) (*World, error) {
	w := &World{
		clock: c.Clock, choices: c.Choices, assets: c.Assets, journal: c.Journal, changed: c.Changed, state: newState(),
	}
	events := uint64(0)
	if w.journal != nil {
		err := w.journal.Replay(func(record []byte) error {
			e, err := decodeEvent(record)
			if err != nil {
				return err
			}
			e.Change.apply(w.state, e.At)
			events++
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	// The same seed must not make the same identifiers once more.
	const spread = 0x9e3779b97f4a7c15
	w.ids = newIDSource(c.Seed + events*spread)
	return w, nil
}

// View is the world at a moment, for reading. It is good until the function that it was given to returns.
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
	ids     *idSource
	changes []change
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

func (w *World) now() time.Time { return w.clock().Add(w.state.offset) }

func (w *World) view(now time.Time) View {
	return View{state: w.state, Now: now, Epoch: w.epoch, Choices: w.choices, Assets: w.assets}
}

// View runs f with the world as it is now, after what has expired by now has done so.
func (w *World) View(f func(v *View) error) error {
	for {
		w.mu.RLock()
		if now := w.now(); !w.state.due(now) {
			defer w.mu.RUnlock()
			v := w.view(now)
			return f(&v)
		}
		w.mu.RUnlock()
		// Any command lets what is due expire, also one that does nothing.
		if err := w.Update(func(*Update) error { return nil }); err != nil {
			return err
		}
	}
}

// Update runs commands. What they change is stored and then takes effect, all of it or, if f returns an error,
// none.
func (w *World) Update(f func(u *Update) error) error {
	w.write.Lock()
	defer w.write.Unlock()
	// No lock on the state is needed for reading it here: only a writer changes it, and there is one.
	now := w.now()
	if ends := w.state.expired(now); len(ends) > 0 {
		if err := w.commit(ends, now); err != nil {
			return err
		}
	}
	u := &Update{View: w.view(now), ids: w.ids}
	if err := f(u); err != nil {
		return err
	}
	return w.commit(u.changes, now)
}

func (w *World) commit(changes []change, now time.Time) error {
	if len(changes) == 0 {
		return nil
	}
	events := make([]event, len(changes))
	for i, c := range changes {
		events[i] = event{At: now, Change: c}
	}
	if err := w.store(events); err != nil {
		return fmt.Errorf("sandbox: storing: %w", err)
	}
	w.mu.Lock()
	for _, e := range events {
		e.Change.apply(w.state, e.At)
	}
	w.mu.Unlock()
	w.changed()
	return nil
}

// store puts events into the journal, all or none, where there is one.
func (w *World) store(events []event) error {
	if w.journal == nil {
		return nil
	}
	records := make([][]byte, len(events))
	for i, e := range events {
		var err error
		if records[i], err = encodeEvent(e); err != nil {
			return err
		}
	}
	return w.journal.Append(records...)
}

// Reset forgets everything.
func (w *World) Reset() error {
	w.write.Lock()
	defer w.write.Unlock()
	if w.journal != nil {
		if err := w.journal.Reset(); err != nil {
			return fmt.Errorf("sandbox: reset: %w", err)
		}
	}
	w.mu.Lock()
	w.state = newState()
	w.epoch++
	w.mu.Unlock()
	return nil
}

// Close closes the journal.
func (w *World) Close() error {
	if w.journal == nil {
		return nil
	}
	return w.journal.Close()
}
