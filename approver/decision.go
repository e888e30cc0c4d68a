package approver

import (
	"context"
	"fmt"
	"time"

	"github.com/qredo-go/qredo"
)

// Verdict is what becomes of an action.
type Verdict string

// The verdicts. The zero value stands for [Leave].
const (
	Leave   Verdict = "leave"   // to humans: the approver does nothing about the action
	Approve Verdict = "approve" // vote for it
	Reject  Verdict = "reject"  // vote against it
)

// Decision is what a policy says about an action. The zero value leaves it to humans.
type Decision struct {
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason"` // for people: it goes into the audit log
	Rule    string  `json:"rule"`   // which rule decided, if the policy has rules

	// Spends is what must fit within its limits for the verdict to stand. Where it does not, OverLimit
	// counts instead, and nothing is spent.
	Spends    []Spend `json:"spends"`
	OverLimit Verdict `json:"over_limit"`

	// Sweep says that an approval is meant for a sweep too. Without it, a transfer that may be one ([MayBeSweep]) is left to
	// humans.
	Sweep bool `json:"sweep"`
}

// Policy decides. It is called by several goroutines at once, with the action's details as the service
// gave them just before. An error, a panic, or what takes longer than [WithPolicyTimeout] says, leaves the action to humans
// and is reported. Once decided, an action is not decided again: not after a restart, and not by another replica with the same [Store].
//
// A transfer may be a sweep, which comes as one: a policy finds out by [MayBeSweep], with the context that it was given.
//
// A policy with a method Hash() string has that noted in each line of the audit log. One with a method NeedsNoDetails() is asked about
// actions without details too, which are left to humans otherwise: all that it knows of them is what the feed says.
type Policy interface {
	// Decide says what becomes of an action.
	Decide(ctx context.Context, a qredo.Action) (Decision, error)
}

// PolicyFunc is a function as a [Policy].
type PolicyFunc func(ctx context.Context, a qredo.Action) (Decision, error)

// Decide calls f.
func (f PolicyFunc) Decide(ctx context.Context, a qredo.Action) (Decision, error) { return f(ctx, a) }

// Spend is what an action would use up of a limit over a rolling window. What was spent counts for less
// than a window: at its very end no more. An action counts once in each counter: see [CheckSpends].
type Spend struct {
	Counter   string        `json:"counter"`    // what is added up: "rule payouts, asset BTC, wallet W"
	Amount    int64         `json:"amount"`     // base units of one asset; a counter must not mix assets
	Window    time.Duration `json:"window"`     // 1 ms to 366 days; nanoseconds as JSON
	MaxAmount int64         `json:"max_amount"` // the most that may be spent within a window; no limit if zero
	MaxCount  int64         `json:"max_count"`  // the most actions within a window; no limit if zero
}

// CheckSpends returns a [*qredo.ValidationError] for what no store can count: a spend without a counter, with a window of less
// than 1 ms or more than 366 days, or with a negative limit, and two spends of one counter with different amounts, or with the
// same window. An action counts once in a counter: several spends of it are limits of several windows, and what an action spends twice
// is to be added up before. A negative amount is left to [Spend.Check]. It is for those who write a [Store].
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

// What windows a limit can have. Stores count in microseconds, and keep what was spent for twice as long as the longest.
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
