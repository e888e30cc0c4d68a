package inbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
)

// Store keeps what an inbox has seen and handed over. Tx is the type of transaction in which movements are handed over: with
// package postgres in this directory, your program's own; with a [FileStore], none. Stores are safe for concurrent use. When a
// method returns, what it has stored survives a crash of the program and, provided the disk is reliable, of the machine.
//
// A store that can hand over only a limited number of entries at once, for example because of its connections, says how many in
// a method MaxConcurrency() int.
type Store[Tx any] interface {
	Records
	// Hand passes a ready entry to f, and stores that it is done, together with what f does in tx: all or nothing. If the entry
	// is no longer ready, it returns [ErrNotReady] without calling f; if there is none, [ErrNotFound]; and if f returns an
	// error, that error: nothing is stored then. It returns a [*HandlerError] if f has returned nil but is to blame anyway. A
	// second call with the same ID waits for the first.
	Hand(ctx context.Context, id string, now time.Time, f func(ctx context.Context, tx Tx, m Movement) error) error
}

// Records is everything else that a store keeps. [Operate] needs nothing more.
type Records interface {
	// Begin stores the time from which movements are handed over, and returns the stored time: if there already is one, it
	// stays.
	Begin(ctx context.Context, from time.Time) (time.Time, error)

	// Lease gives a source to a holder for some time, or renews the holder's lease, and returns the source as stored. If
	// another holder has it, it returns a [*LeasedError]. A source that the store does not know is created.
	Lease(ctx context.Context, source, holder string, lease time.Duration) (Source, error)
	// Release ends a lease, if it is the source's latest.
	Release(ctx context.Context, s Source) error
	// Progress stores how far a source has been read. It returns [ErrLeaseLost] if the source has since been leased to another;
	// so does Record.
	Progress(ctx context.Context, s Source) error
	// Record stores what a source has reported, as [Merge] says, in one step, and adds the number of new entries to the
	// source's Rows. It returns an error, and stores nothing, for a sighting without an ID, or for text that the store cannot
	// keep unchanged, such as text that is not UTF-8.
	Record(ctx context.Context, s Source, now time.Time, seen []Sighting) (Recorded, error)

	// Next returns ready entries of a source, due or not, in the order in which they should be handed over: the first each
	// entries of each of up to wallets wallets, starting with wallet from. Wallets are in the byte order of their IDs, the
	// empty one first; the entries of a wallet are ordered by Time and ID.
	Next(ctx context.Context, source string, from qredo.WalletID, wallets, each int) ([]Entry, error)
	// Update stores a change of an entry, if it is in the state that the caller has seen, and returns the entry as it is now.
	// Otherwise it returns [ErrNotReady] if the entry should be ready, [ErrNotFound] if there is none, and a [*StateError] in
	// all other cases.
	Update(ctx context.Context, id string, seen State, now time.Time, change Change) (Entry, error)

	// Get returns the entry with the given ID, or [ErrNotFound].
	Get(ctx context.Context, id string) (Entry, error)
	// Page returns up to limit entries in the byte order of their IDs, starting after the given one.
	Page(ctx context.Context, f Filter, after string, limit int) ([]Entry, error)
	// Waiting returns how many entries of a source are waiting, and when the oldest was created.
	Waiting(ctx context.Context, source string) (n int, oldest time.Time, err error)
	// Sums adds up the movements of a source's entries, for each wallet that has any.
	Sums(ctx context.Context, source string) (map[qredo.WalletID]Sum, error)
	// Sources returns all sources, in the byte order of their IDs.
	Sources(ctx context.Context) ([]Source, error)
	// Close closes the store. Methods called afterwards return [ErrClosed].
	Close() error
}

// Entry is a movement as a store keeps it.
type Entry struct {
	ID       string    `json:"id"`             // Movement.Key; for a change of status, with "@" and the status appended
	Alias    string    `json:"alias,omitzero"` // another name under which a source may report it later
	Source   string    `json:"source"`         // [Source].ID
	Movement Movement  `json:"movement"`
	State    State     `json:"state"`
	Attempts int       `json:"attempts,omitzero"` // attempts to hand it over since it became ready
	Due      time.Time `json:"due,omitzero"`      // not before this time; zero if nothing has failed
	Error    string    `json:"error,omitzero"`    // the last attempt's, or the note of the person who skipped or retried it
	Updated  time.Time `json:"updated"`
}

// State is the state of an entry.
type State string

// The states of entries.
const (
	StateWaiting State = "waiting" // the transaction has not ended
	StateReady   State = "ready"   // to be handed over
	StateDone    State = "done"    // handed over
	StateAside   State = "aside"   // failed too often; a person is needed
	StateSkipped State = "skipped" // a person decided not to hand it over
	StateVoid    State = "void"    // the transaction ended without moving anything
)

// Change describes a change of an entry.
type Change struct {
	State    State
	Attempts int
	Due      time.Time
	Error    string
}

// Apply returns the entry after a change, with an Error that every store can keep, since a failure may contain any text. It is
// for implementing a store.
func (c Change) Apply(e Entry, now time.Time) Entry {
	e.State, e.Attempts, e.Due, e.Updated = c.State, c.Attempts, micro(c.Due), micro(now)
	e.Error = strings.ToValidUTF8(strings.ReplaceAll(c.Error, "\x00", ""), "\uFFFD")
	return e
}

// Sighting is a movement as reported by a source.
type Sighting struct {
	ID, Alias string
	Movement  Movement
	Tell      bool // hand it over although nothing has moved
	// Old is true for what was there before the inbox begins: it is stored only if it is still waiting.
	Old bool
}

// Recorded counts what a call of Record has done: New entries (without those that only report a change), other entries that
// were Changed, and how many of both are Ready to be handed over.
type Recorded struct{ New, Changed, Ready int }

func (r *Recorded) add(more Recorded) {
	r.New += more.New
	r.Changed += more.Changed
	r.Ready += more.Ready
}

// Merge returns what a store has to write when a source has reported a movement, and the counts of that. old is the entry whose
// ID or alias is the sighting's ID or, if it has one, its alias; nil if there is none. It is for implementing a store.
func Merge(old *Entry, s Sighting, source string, now time.Time) (write []Entry, counts Recorded) {
	e := Entry{ID: s.ID, Alias: s.Alias, Source: source, Movement: s.Movement, State: stateOf(s), Updated: now}
	switch {
	case old == nil && s.Old && e.State != StateWaiting:
		return nil, counts
	case old == nil && s.Tell:
		counts.Changed++
		write = []Entry{e}
	case old == nil:
		counts.New++
		write = []Entry{e}
	case old.Movement.Status == s.Movement.Status:
		return nil, counts
	case old.State == StateDone && old.Movement.Moved && e.State == StateVoid && !old.Movement.Status.Failed(): // otherwise it was already taken back
		back := e
		back.ID, back.Alias, back.State = old.ID+"!", "", StateReady
		back.Movement = old.Movement.reversed(s.Movement)
		told := *old
		told.Movement.Status, told.Updated = s.Movement.Status, now
		write = []Entry{told, back}
		e = back
	case old.State == StateSkipped && old.Movement.Moved && e.State == StateVoid && !old.Movement.Status.Failed():
		// A person has dealt with it, and must hear of this: the reversal is set aside.
		back := e
		back.ID, back.Alias, back.State = old.ID+"!", "", StateAside
		back.Movement, back.Error = old.Movement.reversed(s.Movement), clip("it takes back what was skipped: "+old.Error)
		told := *old
		told.Movement.Status, told.Updated = s.Movement.Status, now
		write = []Entry{told, back}
		e = back
	case old.State == StateDone, old.State == StateSkipped, old.State == StateAside && e.State != StateVoid:
		return nil, counts // an older answer does not undo what was done, or what a person has decided or has to decide
	default:
		e.ID, e.Alias, e.Source = old.ID, old.Alias, old.Source
		e.Attempts, e.Due, e.Error = old.Attempts, old.Due, old.Error
		e.Movement.Key = old.Movement.Key
		write = []Entry{e}
	}
	if old != nil {
		counts.Changed++
	}
	if e.State == StateReady {
		counts.Ready++
	}
	return write, counts
}

func stateOf(s Sighting) State {
	switch {
	case s.Movement.Moved || s.Tell:
		return StateReady
	case s.Movement.Status.Failed():
		return StateVoid
	}
	return StateWaiting
}

// Source is a fund, or a wallet without one, as a store keeps it. Whoever has leased it follows it.
type Source struct {
	ID     string    `json:"id"` // "fund:" with the IDs of company and fund, or "wallet:" with its ID
	Holder string    `json:"holder,omitzero"`
	Token  int64     `json:"token,omitzero"` // increases with each change of holder
	Until  time.Time `json:"until,omitzero"` // end of the lease

	Rows int64 `json:"rows"` // entries that a ledger has for this source: those counted by Record as new
	Reading
}

// Reading is how far a source has been read.
type Reading struct {
	Latest  time.Time `json:"latest,omitzero"`  // the time of the latest entry read
	Oldest  bool      `json:"oldest,omitzero"`  // the ledger lists the oldest entries first
	Whole   bool      `json:"whole,omitzero"`   // it was once read as far back as needed
	Skipped int64     `json:"skipped,omitzero"` // ledger entries from before the inbox began
	Missed  int64     `json:"missed,omitzero"`  // entries that the ledger counts but that were not found in it

	// Before is what wallets had when the inbox began; nil until that is known.
	Before map[qredo.WalletID]qredo.Amount `json:"before,omitzero"`
}

// Sum is the total of one wallet's entries.
type Sum struct {
	Asset                       qredo.AssetCode // empty if entries without a wallet have several
	Done, Ready, Aside, Skipped Figure
}

// Figure is a count and a sum in base units, which stops at the limits of 64 bits.
type Figure struct {
	Entries int64
	Amount  qredo.Amount
}

// Filter selects entries. Each field that is set narrows the selection.
type Filter struct {
	Source string
	Wallet qredo.WalletID
	States []State // any of these
}

// Match reports whether the filter selects an entry.
func (f Filter) Match(e Entry) bool {
	return (f.Source == "" || f.Source == e.Source) && (f.Wallet == "" || f.Wallet == e.Movement.Wallet) &&
		(len(f.States) == 0 || slices.Contains(f.States, e.State))
}

// Errors that stores return.
var (
	ErrNotFound  = errors.New("inbox: no entry has this ID")
	ErrNotReady  = errors.New("inbox: the entry is not ready to be handed over")
	ErrLeaseLost = errors.New("inbox: the source was leased to another program")
	ErrClosed    = errors.New("inbox: the store is closed")
)

// HandlerError means that a handler has left behind a transaction that cannot be committed, although it returned no error, or
// that it has ended the transaction itself. It counts as a failed attempt.
type HandlerError struct {
	Err error
	// Ended is true if the handler has ended the transaction itself: what it wrote may be stored although the movement is not
	// done. The movement is set aside at once, because another call might book it again.
	Ended bool
}

// Error returns the text of Err.
func (e *HandlerError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *HandlerError) Unwrap() error { return e.Err }

// LeasedError means that another program follows a source.
type LeasedError struct {
	Source, Holder string
	For            time.Duration // until its lease ends, unless it renews it
}

// Error names the source and its holder.
func (e *LeasedError) Error() string {
	return fmt.Sprintf("inbox: %s is followed by %s, whose lease is for %s more", e.Source, e.Holder, e.For)
}

// StateError means that an entry is not in the expected state.
type StateError struct {
	ID    string
	State State
}

// Error names the entry and its state.
func (e *StateError) Error() string {
	return fmt.Sprintf("inbox: the entry %s is %s", e.ID, e.State)
}
