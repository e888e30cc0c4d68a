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

// Store keeps what an inbox has seen and handed over. Tx is the transaction in which movements are handed over: of
// package postgres in this directory, the program's own; of a [FileStore], none. Stores are safe for concurrent use; what
// a method has stored when it returns outlives a crash of the program and, as far as the disk keeps its word, of the
// machine.
//
// A store that can hand over only so many entries at once, as for the connections it has, says how many by a method
// MaxConcurrency() int.
type Store[Tx any] interface {
	Records
	// Hand hands an entry that is ready to f, and stores that it is done: with what f does in tx, all or nothing. It
	// returns [ErrNotReady], and does not call f, if the entry is not ready any more, [ErrNotFound] if there is none, and
	// f's error if there is one: then nothing is stored. A [*HandlerError] says that f has returned nil and is to blame all
	// the same. A second call with an ID waits for the first.
	Hand(ctx context.Context, id string, now time.Time, f func(ctx context.Context, tx Tx, m Movement) error) error
}

// Records is what a store keeps besides. It is all that [Operate] needs.
type Records interface {
	// Begin stores from when on movements are handed over, and returns what is stored: if there is something already,
	// that stands.
	Begin(ctx context.Context, from time.Time) (time.Time, error)

	// Lease gives a source to a holder for some time, or renews what the holder has, and returns it as it is stored. The
	// error is an [*LeasedError] where another has it. A source that the store does not know is made.
	Lease(ctx context.Context, source, holder string, lease time.Duration) (Source, error)
	// Release ends a lease, if it is the source's last.
	Release(ctx context.Context, s Source) error
	// Progress stores how far a source was read. It returns [ErrLeaseLost] if the source was leased to another since; so
	// does Record.
	Progress(ctx context.Context, s Source) error
	// Record stores what a source has told of, as [Merge] says, in one step, and adds what is new to the source's Rows. A
	// sighting without an ID is an error, and so is a text that the store cannot keep as it is, such as one that is not
	// UTF-8: then nothing is stored.
	Record(ctx context.Context, s Source, now time.Time, seen []Sighting) (Recorded, error)

	// Next returns entries of a source that are ready, due or not, in the order in which they are to be handed over: for
	// each of up to wallets wallets, beginning with one, its first each ones. Wallets come in the order of their IDs'
	// bytes, the empty one first, the entries of one by Time and ID.
	Next(ctx context.Context, source string, from qredo.WalletID, wallets, each int) ([]Entry, error)
	// Update stores what is to become of an entry, if it is in the state that the caller has seen, and returns the entry
	// as it is now. Otherwise the error is [ErrNotReady] where it should be ready, [ErrNotFound] where there is none, and
	// a [*StateError] else.
	Update(ctx context.Context, id string, seen State, now time.Time, change Change) (Entry, error)

	// Get returns the entry with an ID, or [ErrNotFound].
	Get(ctx context.Context, id string) (Entry, error)
	// Page returns up to limit entries in the order of their IDs' bytes, beginning after one.
	Page(ctx context.Context, f Filter, after string, limit int) ([]Entry, error)
	// Waiting tells how many entries of a source wait, and when the oldest was made.
	Waiting(ctx context.Context, source string) (n int, oldest time.Time, err error)
	// Sums adds up what the entries of a source have moved, for each wallet that has such entries.
	Sums(ctx context.Context, source string) (map[qredo.WalletID]Sum, error)
	// Sources returns all sources, in the order of their IDs' bytes.
	Sources(ctx context.Context) ([]Source, error)
	// Close gives the store up. Methods that are called after it return [ErrClosed].
	Close() error
}

// Entry is a movement as a store keeps it.
type Entry struct {
	ID       string    `json:"id"`             // Movement.Key; what tells of a change has "@" and the status behind it
	Alias    string    `json:"alias,omitzero"` // another name under which a source may tell of it later
	Source   string    `json:"source"`         // [Source].ID
	Movement Movement  `json:"movement"`
	State    State     `json:"state"`
	Attempts int       `json:"attempts,omitzero"` // to hand it over, since it was made ready
	Due      time.Time `json:"due,omitzero"`      // not before; zero if nothing has failed
	Error    string    `json:"error,omitzero"`    // of the last attempt, or what the person has said who skipped it or had it tried again
	Updated  time.Time `json:"updated"`
}

// State tells how far an entry is.
type State string

// The states of entries.
const (
	StateWaiting State = "waiting" // the transaction has not ended
	StateReady   State = "ready"   // to be handed over
	StateDone    State = "done"    // handed over
	StateAside   State = "aside"   // failed too often; a person is needed
	StateSkipped State = "skipped" // a person has decided that it is not to be handed over
	StateVoid    State = "void"    // the transaction ended without moving anything
)

// Change is what becomes of an entry.
type Change struct {
	State    State
	Attempts int
	Due      time.Time
	Error    string
}

// Apply returns the entry as it is after a change, with an Error that every store can keep: what has failed may have said
// anything. It is for those who write a store.
func (c Change) Apply(e Entry, now time.Time) Entry {
	e.State, e.Attempts, e.Due, e.Updated = c.State, c.Attempts, micro(c.Due), micro(now)
	e.Error = strings.ToValidUTF8(strings.ReplaceAll(c.Error, "\x00", ""), "\uFFFD")
	return e
}

// Sighting is a movement as a source has told of it.
type Sighting struct {
	ID, Alias string
	Movement  Movement
	Tell      bool // hand it over although nothing has moved
	// Old is true for what was there before the inbox begins: it is stored only if it waits.
	Old bool
}

// Recorded counts what a call of Record has done: entries that are new, but for those that only tell of a change; what
// else was written; and how much of both is ready to be handed over.
type Recorded struct{ New, Changed, Ready int }

func (r *Recorded) add(more Recorded) {
	r.New += more.New
	r.Changed += more.Changed
	r.Ready += more.Ready
}

// Merge returns what a store has to write when a source has told of a movement, and what that counts: old is the entry under
// the sighting's ID or, where it has one, its alias, as ID or alias; nil if there is none. It is for those who write a store.
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
	case old.State == StateDone && old.Movement.Moved && e.State == StateVoid && !old.Movement.Status.Failed(): // else it was taken back already
		back := e
		back.ID, back.Alias, back.State = old.ID+"!", "", StateReady
		back.Movement = old.Movement.reversed(s.Movement)
		told := *old
		told.Movement.Status, told.Updated = s.Movement.Status, now
		write = []Entry{told, back}
		e = back
	case old.State == StateSkipped && old.Movement.Moved && e.State == StateVoid && !old.Movement.Status.Failed():
		// A person has dealt with it, and must hear of this: what takes it back is set aside.
		back := e
		back.ID, back.Alias, back.State = old.ID+"!", "", StateAside
		back.Movement, back.Error = old.Movement.reversed(s.Movement), clip("it takes back what was skipped: "+old.Error)
		told := *old
		told.Movement.Status, told.Updated = s.Movement.Status, now
		write = []Entry{told, back}
		e = back
	case old.State == StateDone, old.State == StateSkipped, old.State == StateAside && e.State != StateVoid:
		return nil, counts // an older answer does not undo what was done, or what a person has decided or must
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

// Source is a fund, or a wallet without one, as a store keeps it. Who has leased it follows it.
type Source struct {
	ID     string    `json:"id"` // "fund:" and the IDs of company and fund, or "wallet:" and its ID
	Holder string    `json:"holder,omitzero"`
	Token  int64     `json:"token,omitzero"` // grows with each change of holder
	Until  time.Time `json:"until,omitzero"` // of the lease

	Rows int64 `json:"rows"` // entries that a ledger has for this source: what Record has counted as new
	Reading
}

// Reading is how far a source was read.
type Reading struct {
	Latest  time.Time `json:"latest,omitzero"`  // of what was read
	Oldest  bool      `json:"oldest,omitzero"`  // the ledger has the oldest entries first
	Whole   bool      `json:"whole,omitzero"`   // it was read once as far back as is needed
	Skipped int64     `json:"skipped,omitzero"` // entries of the ledger that were there before the inbox began
	Missed  int64     `json:"missed,omitzero"`  // entries that the ledger counts, and that were not found in it

	// Before is what wallets had when the inbox began; nil as long as that is not known.
	Before map[qredo.WalletID]qredo.Amount `json:"before,omitzero"`
}

// Sum is what entries of one wallet have moved.
type Sum struct {
	Asset                       qredo.AssetCode // empty where entries without a wallet have several
	Done, Ready, Aside, Skipped Figure
}

// Figure is a count and a sum in base units, which saturates at the ends of 64 bits.
type Figure struct {
	Entries int64
	Amount  qredo.Amount
}

// Filter selects entries. Each field that is set narrows it.
type Filter struct {
	Source string
	Wallet qredo.WalletID
	States []State // any of these
}

// Match reports whether an entry is selected.
func (f Filter) Match(e Entry) bool {
	return (f.Source == "" || f.Source == e.Source) && (f.Wallet == "" || f.Wallet == e.Movement.Wallet) &&
		(len(f.States) == 0 || slices.Contains(f.States, e.State))
}

// What stores return.
var (
	ErrNotFound  = errors.New("inbox: no entry has this ID")
	ErrNotReady  = errors.New("inbox: the entry is not ready to be handed over")
	ErrLeaseLost = errors.New("inbox: the source was leased to another program")
	ErrClosed    = errors.New("inbox: the store is closed")
)

// HandlerError says that a handler has left a transaction that cannot be committed, although it has not returned an error, or
// that it has ended it itself. It counts as a failed attempt.
type HandlerError struct {
	Err error
	// Ended is true where the handler has ended the transaction itself: what it wrote may be stored although the movement is
	// not done. The movement is set aside at once: another call might book it again.
	Ended bool
}

// Error is that of Err.
func (e *HandlerError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *HandlerError) Unwrap() error { return e.Err }

// LeasedError says that another program follows a source.
type LeasedError struct {
	Source, Holder string
	For            time.Duration // until its lease is over, if it does not renew it
}

// Error names the source and who has it.
func (e *LeasedError) Error() string {
	return fmt.Sprintf("inbox: %s is followed by %s, whose lease is for %s more", e.Source, e.Holder, e.For)
}

// StateError says that an entry is in another state than was asked for.
type StateError struct {
	ID    string
	State State
}

// Error names the entry and its state.
func (e *StateError) Error() string {
	return fmt.Sprintf("inbox: the entry %s is %s", e.ID, e.State)
}
