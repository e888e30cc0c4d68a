package approver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/qredo-go/qredo"
)

// Record is the decision about an action, as a [Store] keeps it.
//
// Its digest is the [Digest] of the action. For an approval with a voter that is a [Binder], it is the SHA-256 of that digest,
// a space, and what Bind returned; for a signing agent, Bind returns the SHA-256, in hexadecimal, of the messages, each in
// hexadecimal and followed by a newline. If there were no details to decide on (see [Voter]), the digest begins with "without
// details ".
type Record struct {
	ActionID   qredo.ActionID `json:"action_id"`
	Digest     string         `json:"digest"` // of what the decision is based on
	PolicyHash string         `json:"policy_hash"`
	Verdict    Verdict        `json:"verdict"`
	Rule       string         `json:"rule"`
	Reason     string         `json:"reason"`
	Decided    time.Time      `json:"decided"`
	Expires    time.Time      `json:"expires"` // when the action expires; zero if it does not
	Token      string         `json:"token"`   // generated for each attempt to decide: shows whose decision this is
	Outcome    Outcome        `json:"outcome"` // what became of it; empty while something is left to do

	// Seq is the store's number for the decision, from 1: larger than that of every earlier decision. Decisions from before
	// stores had numbers have 0. In a call of Reserve, it is the largest number that the caller knows.
	Seq int64 `json:"seq,omitzero"`
}

// Store keeps decisions, and what limits have counted. It makes several replicas, or a program and its successor after a crash,
// act as one approver. Implementations are safe for concurrent use.
//
// [NewMemoryStore] forgets everything when the program ends. [OpenStore] keeps a file. Packages redis and postgres in this
// directory are for several replicas. Approvers with separate stores count separately.
type Store interface {
	// Epoch identifies what the store remembers: it is drawn at random when the empty store is created, and stays the same
	// until the store as a whole is lost. It returns the value from when the program opened the store; Reserve fails with a
	// [*LostError] once the store has another. It is empty for a store that does not outlive the program.
	Epoch() string

	// Lookup returns the record of an action, or false if there is none.
	Lookup(ctx context.Context, id qredo.ActionID) (Record, bool, error)

	// Reserve stores a decision together with what it spends, all or nothing, and returns the record that stands. If the action
	// already has a record, that one is returned and nothing changes: the first decision counts. If a spend does not fit within
	// its limit, nothing changes either, and the error is an [*OverLimitError]; for spends that cannot be counted, it is that
	// of [CheckSpends]. When Reserve returns, what it stored survives a crash of the program.
	//
	// In the same step the decision gets its number, rec.Seq. Pass the largest number that you know, or 0. If the store has not
	// reached that number, it was restored to an earlier state: nothing changes, and the error is a [*LostError].
	Reserve(ctx context.Context, rec Record, spends []Spend) (Record, error)

	// LastSeq returns the number of the last decision that was stored, even if that decision has since been removed; 0 if there
	// was none.
	LastSeq(ctx context.Context) (int64, error)

	// Finish records what became of a decision.
	Finish(ctx context.Context, id qredo.ActionID, outcome Outcome) error

	// Usage returns what the counters of spends contain now, in the order of spends. For spends that cannot be counted it
	// returns the error of [CheckSpends].
	Usage(ctx context.Context, spends []Spend) ([]Usage, error)
}

// Usage is what a counter contains within its window.
type Usage struct {
	Amount int64 `json:"amount"` // base units; a sum that exceeds 64 bits stays at the maximum
	Count  int64 `json:"count"`
}

// OverLimitError says which limit an action exceeds. The action was not counted.
type OverLimitError struct {
	Spend Spend
	Used  Usage // before the action
}

// Error gives the limit, how much of it is used, and how much was asked for.
func (e *OverLimitError) Error() string {
	s := e.Spend
	switch {
	case s.Amount < 0:
		return fmt.Sprintf("limit %s: the amount %d is negative", s.Counter, s.Amount)
	case s.MaxCount > 0 && e.Used.Count >= s.MaxCount:
		return fmt.Sprintf("limit %s: %d actions of at most %d within %s are used", s.Counter, e.Used.Count, s.MaxCount, s.Window)
	}
	return fmt.Sprintf("limit %s: %d of at most %d within %s are used, %d more are asked for", s.Counter, e.Used.Amount, s.MaxAmount, s.Window, s.Amount)
}

// LostError means that a store is not the same as before: its counts are lost, and limits would start from zero without anybody
// noticing. Nothing is approved until a person has accepted that: see [AcceptLoss].
type LostError struct {
	Before  string         // the epoch that the audit log or the program expects; empty if unknown
	Now     string         // the epoch that the store has; empty if it has none
	Missing qredo.ActionID // if the epoch is the same: an action whose decision is in the audit log but not in the store
	Known   int64          // if the epoch is the same: the largest decision number that the log or the program knows; otherwise 0
	Last    int64          // the number that the store has reached, which is smaller
}

// Error says what was lost, and what to do.
func (e *LostError) Error() string {
	before, now := "it had one", "has none"
	if e.Before != "" {
		before = "it was " + e.Before
	}
	if e.Now != "" {
		now = "is " + e.Now
	}
	what := fmt.Sprintf("the store's epoch %s, and %s before: it is another store, or has lost its decisions and all that limits have counted", now, before)
	switch {
	case e.Known > 0:
		what = fmt.Sprintf("the store has come to decision %d, and was at %d before: it was put back to an earlier state, and has lost what limits have counted since",
			e.Last, e.Known)
	case e.Missing != "":
		what = fmt.Sprintf("the store does not know the decision about %s, which the audit log has: it was put back to an earlier state, and has lost what limits have counted since",
			e.Missing)
	}
	return what + ". Nothing is approved until a person accepts that: stop all approvers, find out what was approved within the " +
		"windows of the limits, then run qredo agent accept-loss for each audit log"
}

// Check returns an [*OverLimitError] if the spend does not fit on top of what is used. A sum that exceeds 64 bits, or a
// negative amount, exceeds any limit. It is for implementing a [Store].
func (s Spend) Check(used Usage) error {
	over := s.MaxCount > 0 && used.Count >= s.MaxCount || s.Amount < 0 ||
		s.MaxAmount > 0 && (used.Amount > s.MaxAmount || s.Amount > s.MaxAmount-used.Amount)
	if over {
		return &OverLimitError{Spend: s, Used: used}
	}
	return nil
}

// Retention returns, for each counter of spends, how long what is spent must be kept: twice the longest window, so that a
// temporarily wrong clock loses nothing. It is for implementing a [Store]; call [CheckSpends] first. Never keep an entry for
// less long than the counter's previous entry: other rules, a replica's or later ones, may count with a longer window.
func Retention(spends []Spend) map[string]time.Duration {
	keep := make(map[string]time.Duration, len(spends))
	for _, s := range spends {
		keep[s.Counter] = max(keep[s.Counter], 2*s.Window)
	}
	return keep
}

// keepRecord is for how long a decision is kept after its action has expired.
const keepRecord = 24 * time.Hour

var errNoRecord = errors.New("the action has no decision")

// Coordinator ensures that only one replica at a time handles an action.
type Coordinator interface {
	// Claim claims an action. The returned context ends when the claim is lost; release gives it back. If another replica has
	// the action, the error is a [*ClaimedError].
	Claim(ctx context.Context, id qredo.ActionID) (held context.Context, release func(), err error)
}

// ClaimedError means that another replica is handling an action.
type ClaimedError struct {
	RetryAfter time.Duration // when to look again, since the other replica may have died
}

// Error says when to look again.
func (e *ClaimedError) Error() string {
	return fmt.Sprintf("another replica handles the action; look again in %s", e.RetryAfter)
}
