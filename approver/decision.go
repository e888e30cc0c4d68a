package approver

import (
	"context"
	"fmt"
	"time"

	"github.com/qredo-go/qredo"
)

// Verdict is a decision about an action.
type Verdict string

// The verdicts. The zero value means [Leave].
const (
	Leave   Verdict = "leave"   // leave it to people: the approver does nothing about the action
	Approve Verdict = "approve" // vote for it
	Reject  Verdict = "reject"  // vote against it
)

// Decision is what a policy says about an action. The zero value leaves it to people.
type Decision struct {
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason"` // for people; it is written to the audit log
	Rule    string  `json:"rule"`   // which rule decided, if the policy has rules

	// Spends must all fit within their limits for the verdict to stand. If they do not, OverLimit is used instead, and nothing
	// is spent.
	Spends    []Spend `json:"spends"`
	OverLimit Verdict `json:"over_limit"`

	// Sweep says that an approval is meant for sweeps too. Without it, a transfer that may be one ([MayBeSweep]) is left to
	// people.
	Sweep bool `json:"sweep"`
}

// Policy decides about actions. It is called by several goroutines at once, with the action's details as the service gave them
// just before. If it returns an error, panics, or takes longer than [WithPolicyTimeout], the action is left to people, and the
// problem is reported. A decided action is not decided again: not after a restart, and not by another replica with the same
// [Store].
//
// But a stored approval that the replica's audit log does not have, because another replica made it, a run was killed before it
// wrote the line, or somebody planted it, is carried out only if the policy approves the action now too. Its Spends do not
// count then: they are taken for counted. If the policy fails, it is asked again later. In a store with a sealing key
// ([WithSealingKey]) the policy is not asked.
//
// A sweep looks like a transfer: a policy can call [MayBeSweep], with the context that it was given, to find out whether a
// transfer may be one.
//
// If a policy has a method Hash() string, each line of the audit log has the result. If it has a method NeedsNoDetails(), it is
// also asked about actions without details, which are otherwise left to people: all it then knows is what the feed says.
type Policy interface {
	// Decide returns the decision about an action.
	Decide(ctx context.Context, a qredo.Action) (Decision, error)
}

// PolicyFunc makes a function a [Policy].
type PolicyFunc func(ctx context.Context, a qredo.Action) (Decision, error)

// Decide calls f.
func (f PolicyFunc) Decide(ctx context.Context, a qredo.Action) (Decision, error) { return f(ctx, a) }

// Spend is what an action uses up of a limit over a rolling window. What was spent counts until just before the window has
// passed. An action counts once in each counter: see [CheckSpends].
type Spend struct {
	Counter   string        `json:"counter"`    // the name of the counter: "rule payouts, asset BTC, wallet W"
	Amount    int64         `json:"amount"`     // base units of one asset; a counter must not mix assets
	Window    time.Duration `json:"window"`     // 1 ms to 366 days; nanoseconds in JSON
	MaxAmount int64         `json:"max_amount"` // the maximum amount within a window; no limit if zero
	MaxCount  int64         `json:"max_count"`  // the maximum number of actions within a window; no limit if zero
}

// CheckSpends returns a [*qredo.ValidationError] for spends that no store can count: one without a counter, with a window of
// less than 1 ms or more than 366 days, or with a negative limit; and two of the same counter with different amounts or with
// the same window. An action counts once in a counter: several spends of one counter are limits over different windows, so add
// up beforehand what an action spends twice. [Spend.Check] deals with negative amounts. CheckSpends is for implementing a
// [Store].
func CheckSpends(spends []Spend) error {
	for i, s := range spends {
		if err := s.check(); err != nil {
			return err
		}
		for _, other := range spends[:i] {
			if other.Counter != s.Counter {
				continue
			}
			if err := check(other.Amount == s.Amount, "spends", "have the amounts %d and %d for counter %q, which counts an action once: add up what it spends",
				other.Amount, s.Amount, s.Counter); err != nil {
				return err
			}
			if err := check(other.Window != s.Window, "spends", "have counter %q twice within %s: add up what the action spends, and give the smaller limit",
				s.Counter, s.Window); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s Spend) check() error {
	if err := check(s.Counter != "", "spends", "must have a counter each"); err != nil {
		return err
	}
	if err := check(s.Window >= minWindow && s.Window <= maxWindow, "spends", "must have a window of %s to %s, counter %q has %s",
		minWindow, maxWindow, s.Counter, s.Window); err != nil {
		return err
	}
	return check(s.MaxAmount >= 0 && s.MaxCount >= 0, "spends", "must have limits that are not negative, counter %q has amount %d and count %d",
		s.Counter, s.MaxAmount, s.MaxCount)
}

// The shortest and longest window of a limit. Stores count in microseconds, and keep what was spent for twice the longest
// window.
const (
	minWindow = time.Millisecond
	maxWindow = 366 * 24 * time.Hour
)

func (d Decision) check() error {
	for _, v := range []Verdict{d.Verdict, d.OverLimit} {
		switch v {
		case "", Leave, Approve, Reject:
		default:
			return fmt.Errorf("the policy's verdict %q is none", v)
		}
	}
	if d.OverLimit == Approve {
		return fmt.Errorf("the policy would approve what is over the limit")
	}
	return CheckSpends(d.Spends)
}

// failed leaves an action to humans because the policy failed.
func failed(rule string, err error) Decision {
	return Decision{Verdict: Leave, Rule: rule, Reason: "the policy failed: " + err.Error()}
}
