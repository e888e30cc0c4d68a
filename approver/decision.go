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
	Verdict Verdict
	Reason  string // for people: it goes into the audit log
	Rule    string // which rule decided, if the policy has rules

	// Spends is what must fit within its limits for the verdict to stand. Where it does not, OverLimit
	// counts instead, and nothing is spent.
	Spends    []Spend
	OverLimit Verdict
}

// Policy decides. It is called by several goroutines at once, with the action's details as the service
// gave them just before. An error leaves the action to humans and is reported. Once decided, an action
// is not decided again: not after a restart, and not by another replica with the same [Store].
//
// A policy with a method Hash() string has that noted in each line of the audit log.
type Policy interface {
	// Decide says what becomes of an action.
	Decide(ctx context.Context, a qredo.Action) (Decision, error)
}

// PolicyFunc is a function as a [Policy].
type PolicyFunc func(ctx context.Context, a qredo.Action) (Decision, error)

// Decide calls f.
func (f PolicyFunc) Decide(ctx context.Context, a qredo.Action) (Decision, error) { return f(ctx, a) }

// Spend is what an action would use up of a limit over a rolling window. What was spent counts for less
// than a window: at its very end no more.
type Spend struct {
	Counter   string        // what is added up: "rule payouts, asset BTC, wallet W"
	Amount    int64         // base units of one asset; a counter must not mix assets
	Window    time.Duration // more than zero
	MaxAmount int64         // the most that may be spent within a window; no limit if zero
	MaxCount  int64         // the most actions within a window; no limit if zero
}

func (s Spend) check() error {
	switch {
	case s.Counter == "":
		return fmt.Errorf("a spend has no counter")
	case s.Window <= 0 || s.Window > maxWindow:
		return fmt.Errorf("the window of %q must be more than zero and at most %s, is %s", s.Counter, maxWindow, s.Window)
	case s.MaxAmount < 0 || s.MaxCount < 0:
		return fmt.Errorf("a limit of %q is negative", s.Counter)
	}
	return nil
}

// maxWindow is the longest window of a limit. What was spent is kept for twice as long.
const maxWindow = 366 * 24 * time.Hour

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
	for _, s := range d.Spends {
		if err := s.check(); err != nil {
			return err
		}
	}
	return nil
}

// failed leaves an action to humans because the policy failed.
func failed(rule string, err error) Decision {
	return Decision{Verdict: Leave, Rule: rule, Reason: "the policy failed: " + err.Error()}
}
