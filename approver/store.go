package approver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/qredo-go/qredo"
)

// Record is the one decision about an action, as a [Store] keeps it.
//
// Its digest is the [Digest] of the action. Of an approval, with a voter that is a [Binder], it is the SHA-256 of that, a space and what Bind returned: for a
// signing agent, the SHA-256 of the messages, each in hexadecimal and with a newline after it, in hexadecimal. Where there
// were no details to decide on (see [Voter]), "without details " stands before it.
type Record struct {
	ActionID   qredo.ActionID `json:"action_id"`
	Digest     string         `json:"digest"` // of what was decided on
	PolicyHash string         `json:"policy_hash"`
	Verdict    Verdict        `json:"verdict"`
	Rule       string         `json:"rule"`
	Reason     string         `json:"reason"`
	Decided    time.Time      `json:"decided"`
	Expires    time.Time      `json:"expires"` // of the action; zero if it does not expire
	Token      string         `json:"token"`   // made for each attempt to decide: tells whose decision this is
	Outcome    Outcome        `json:"outcome"` // what became of it; empty while something is left to do

	// Seq is the store's number for the decision, from 1: larger than that of each decision that was stored before. Those of before stores had numbers
	// have 0. What is given to Reserve is the largest number that the caller knows.
	Seq int64 `json:"seq,omitzero"`
}

// Store keeps decisions, and what limits have counted. It is what makes several replicas, or a program
// and its successor after a crash, one approver. Implementations are safe for concurrent use.
//
// [NewMemoryStore] forgets at the end of the program. [OpenStore] keeps a file. Packages redis and postgres in this
// directory are for several replicas. Approvers that have a store each count each for itself.
type Store interface {
	// Epoch names what the store remembers: it is drawn at random when the store is made, empty, and stays the same for as long
	// as nothing is forgotten as a whole. The value is that of when the program opened the store; Reserve fails with
	// a [*LostError] once the store has another. It is empty for a store that does not outlive the program.
	Epoch() string

	// Lookup returns the record of an action, and false if there is none.
	Lookup(ctx context.Context, id qredo.ActionID) (Record, bool, error)

	// Reserve stores a decision together with what it spends, all or nothing, and returns the record that
	// stands. If the action has a record already that one is returned and nothing changes: the first
	// decision counts. If a spend does not fit within its limit nothing changes either, and the error is an
	// [*OverLimitError]; if it is none that can be counted, what [CheckSpends] says. When Reserve returns, what it stored
	// outlives a crash of the program.
	//
	// In the same step the decision gets its number, rec.Seq. The one that is given is the largest that the caller knows, or 0.
	// Where the store has not come as far, it was put back to an earlier state: nothing changes, and the error is a [*LostError].
	Reserve(ctx context.Context, rec Record, spends []Spend) (Record, error)

	// LastSeq returns the number of the last decision that was stored, also if the decision itself was dropped since; 0 if there was none.
	LastSeq(ctx context.Context) (int64, error)

	// Finish notes what became of a decision.
	Finish(ctx context.Context, id qredo.ActionID, outcome Outcome) error

	// Usage tells what the counters of spends hold now, in the order of spends. The error is that of [CheckSpends] if they are none.
	Usage(ctx context.Context, spends []Spend) ([]Usage, error)
}

// Usage is what a counter holds within its window.
type Usage struct {
	Amount int64 `json:"amount"` // base units; no sum is beyond 64 bits: it stays at the largest
	Count  int64 `json:"count"`
}

// OverLimitError says which limit an action does not fit in. The action was not counted.
type OverLimitError struct {
	Spend Spend
	Used  Usage // before the action
}

// Error names the limit, and how much of it is used and asked for.
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

// LostError says that a store is not the one of before: what it had counted is forgotten, and limits would begin anew
// without anybody's knowing. Nothing is approved until a person has accepted that: see [AcceptLoss].
type LostError struct {
	Before  string         // the epoch that was expected, as the audit log or the program has it; empty if it is not known
	Now     string         // the epoch that the store has; empty if it has none
	Missing qredo.ActionID // where the epoch is the same: an action whose decision is in the audit log, and not in the store
	Known   int64          // where the epoch is the same: the largest number of a decision that the audit log or the program knows; 0 if that is not it
	Last    int64          // the number that the store has come to, which is less
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

// Check returns an [*OverLimitError] if the spend does not fit on top of what is used. A sum beyond 64 bits,
// or a negative amount, is over any limit. It is for those who write a [Store].
func (s Spend) Check(used Usage) error {
	over := s.MaxCount > 0 && used.Count >= s.MaxCount || s.Amount < 0 ||
		s.MaxAmount > 0 && (used.Amount > s.MaxAmount || s.Amount > s.MaxAmount-used.Amount)
	if over {
		return &OverLimitError{Spend: s, Used: used}
	}
	return nil
}

// Retention returns, for each counter of spends, how long what is spent must be kept: twice the longest
// window, so that a clock that was wrong for a while loses nothing. It is for those who write a [Store], and have called [CheckSpends].
// An entry must be kept for no less long than the counter's entry before it: other rules, of a replica or later, may count with a
// longer window.
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

// Coordinator lets one replica at a time handle an action.
type Coordinator interface {
	// Claim takes an action. The context it returns ends when the claim is lost; release gives it back. If
	// another replica has the action the error is a [*ClaimedError].
	Claim(ctx context.Context, id qredo.ActionID) (held context.Context, release func(), err error)
}

// ClaimedError says that another replica is handling an action.
type ClaimedError struct {
	RetryAfter time.Duration // when to look again: the other may have died
}

// Error says when to look again.
func (e *ClaimedError) Error() string {
	return fmt.Sprintf("another replica handles the action; look again in %s", e.RetryAfter)
}
