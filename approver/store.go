package approver

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/qredo-go/qredo"
)

// Record is the one decision about an action, as a [Store] keeps it.
type Record struct {
	ActionID   qredo.ActionID `json:"action_id"`
	Digest     string         `json:"digest"` // of the details that were decided on; see [Digest]
	PolicyHash string         `json:"policy_hash"`
	Verdict    Verdict        `json:"verdict"`
	Rule       string         `json:"rule"`
	Reason     string         `json:"reason"`
	Decided    time.Time      `json:"decided"`
	Expires    time.Time      `json:"expires"` // of the action; zero if it does not expire
	Token      string         `json:"token"`   // made for each attempt to decide: tells whose decision this is
	Outcome    Outcome        `json:"outcome"` // what became of it; empty while something is left to do
}

// Store keeps decisions, and what limits have counted. It is what makes several replicas, or a program
// and its successor after a crash, one approver. Implementations are safe for concurrent use.
//
// [NewMemoryStore] forgets at the end of the program. [OpenStore] keeps a file. Package redis in this
// directory is for several replicas.
type Store interface {
	// Lookup returns the record of an action, and false if there is none.
	Lookup(ctx context.Context, id qredo.ActionID) (Record, bool, error)

	// Reserve stores a decision together with what it spends, all or nothing, and returns the record that
	// stands. If the action has a record already that one is returned and nothing changes: the first
	// decision counts. If a spend does not fit within its limit nothing changes either, and the error is an
	// [*OverLimitError]. When Reserve returns, what it stored outlives a crash of the program.
	Reserve(ctx context.Context, rec Record, spends []Spend) (Record, error)

	// Finish notes what became of a decision.
	Finish(ctx context.Context, id qredo.ActionID, outcome Outcome) error

	// Usage tells what the counters of spends hold now, in the order of spends.
	Usage(ctx context.Context, spends []Spend) ([]Usage, error)
}

// Usage is what a counter holds within its window.
type Usage struct {
	Amount int64 // base units; no sum is beyond 64 bits: it stays at the largest
	Count  int64
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
// window, so that a clock that was wrong for a while loses nothing. It is for those who write a [Store].
func Retention(spends []Spend) map[string]time.Duration {
	keep := make(map[string]time.Duration, len(spends))
	for _, s := range spends {
		keep[s.Counter] = max(keep[s.Counter], 2*s.Window)
	}
	return keep
}

// add adds to a sum that does not wrap.
func (u *Usage) add(amount int64) {
	u.Count++
	if amount > math.MaxInt64-u.Amount {
		u.Amount = math.MaxInt64
		return
	}
	u.Amount += amount
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
