package approver

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr"

	"github.com/qredo-go/qredo"
)

// Rules is a [Policy] from a rule file. The first rule that matches decides; what none matches is left to
// humans.
type Rules struct {
	rules    []rule
	warnings []string
	hash     string
	now      func() time.Time
}

// Hash returns the SHA-256 of the rule file, in hexadecimal.
func (r *Rules) Hash() string { return r.hash }

// Warnings tells of rules that may not do what they seem to, since the service leaves company, initiator and
// initiator_name empty at times: rules that match for that reason, and rules that do not and were to stop something.
// Show them to whoever writes the rules; [Approver.Run] logs them.
func (r *Rules) Warnings() []string { return slices.Clone(r.warnings) }

// Decide implements [Policy]. An action without details, or one that moves something without saying how
// much, is an error, which leaves it to humans. So is a rule whose expression fails, since a result is
// beyond 64 bits: whether it matches is not known.
func (r *Rules) Decide(_ context.Context, a qredo.Action) (Decision, error) {
	e, err := r.evaluate(a, false)
	return e.Decision, err
}

// Explain tells what [Rules.Decide] would decide now and which value each rule's expression has. It
// changes nothing.
func (r *Rules) Explain(a qredo.Action) Explanation {
	e, err := r.evaluate(a, true)
	if err != nil {
		e.Decision = failed(e.Decision.Rule, err)
	}
	return e
}

// evaluate asks the rules in their order, until one decides or, on request, all. The first that matches, or
// fails, decides.
func (r *Rules) evaluate(a qredo.Action, all bool) (Explanation, error) {
	f, failure := factsOf(a, r.now())
	e := Explanation{Values: f}
	if failure != nil {
		return e, failure
	}
	e.Decision = Decision{Verdict: Leave, Reason: "no rule matches"}
	decided := false
	for _, rule := range r.rules {
		matches, err := rule.matches(f)
		decides := !decided && (matches || err != nil)
		e.Rules = append(e.Rules, RuleResult{Rule: rule.name, Line: rule.line, When: rule.when, Matches: matches, Decides: decides, Err: err})
		if decides {
			decided, failure = true, err
			if e.Decision = (Decision{Rule: rule.name}); err == nil {
				e.Decision = rule.decision(f)
			}
		}
		if decided && !all {
			break
		}
	}
	return e, failure
}

// matches runs the rule's expression. What moves nothing, such as a wallet that is to be connected, has no
// amount: a rule that approves does not match it by accident, but only if it asks for the type.
func (r *rule) matches(f facts) (bool, error) {
	if r.verdict == Approve && !r.namesType && !movesMoney(qredo.ActionType(f["type"].(string))) {
		return false, nil
	}
	result, err := expr.Run(r.program, map[string]any(f))
	if err != nil {
		problem, _, _ := strings.Cut(err.Error(), "\n")
		return false, fmt.Errorf("rule %q in line %d: %s", r.name, r.line, problem)
	}
	return result.(bool), nil
}

func (r *rule) decision(f facts) Decision {
	d := Decision{Verdict: r.verdict, Reason: r.reason, Rule: r.name, OverLimit: r.overLimit}
	if d.Reason == "" {
		d.Reason = strings.Join(strings.Fields(r.when), " ")
	}
	for _, m := range r.limits {
		d.Spends = append(d.Spends, m.spends(r.name, f)...)
	}
	return d
}

// spends are what an action spends of a limit: the sum of one asset and the count of all, each with a
// counter of its own.
func (m limit) spends(rule string, f facts) []Spend {
	var spends []Spend
	counter := fmt.Sprintf("of rule %q, %s %q", rule, m.per, f[m.per])
	if m.maxAmount > 0 {
		sum := counter
		if m.per != "asset" {
			sum += fmt.Sprintf(", asset %q", f["asset"])
		}
		spends = append(spends, Spend{Counter: sum + ", sum", Amount: f["amount"].(int64), Window: m.window, MaxAmount: m.maxAmount})
	}
	if m.maxCount > 0 {
		spends = append(spends, Spend{Counter: counter + ", count", Window: m.window, MaxCount: m.maxCount})
	}
	return spends
}

// Explanation says how rules decide about an action, and why.
type Explanation struct {
	Decision Decision
	Values   map[string]any // what expressions saw, by name
	Rules    []RuleResult   // in the order of the file, also those after the one that decides
	Limits   []LimitResult  // of the rule that decides; set by [Approver.Explain]
}

// RuleResult is what one rule says about an action.
type RuleResult struct {
	Rule    string
	Line    int // in the rule file
	When    string
	Matches bool
	Decides bool // it is the first that matches
	Err     error
}

// LimitResult is how an action stands to a limit.
type LimitResult struct {
	Spend Spend
	Used  Usage // before the action
	Over  bool  // the action does not fit any more
}

// String gives the explanation as lines of text.
func (e Explanation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", cmp.Or(e.Decision.Verdict, Leave), e.Decision.Reason)
	for _, r := range e.Rules {
		says := "does not match"
		switch {
		case r.Err != nil:
			says = "fails: " + r.Err.Error()
		case r.Decides:
			says = "matches and decides"
		case r.Matches:
			says = "would match"
		}
		fmt.Fprintf(&b, "  rule %q in line %d %s: %s\n", r.Rule, r.Line, says, strings.Join(strings.Fields(r.When), " "))
	}
	for _, l := range e.Limits {
		says := "fits"
		if l.Over {
			says = "does not fit"
		}
		fmt.Fprintf(&b, "  limit %s, %s: amount %d of %d, count %d of %d are used, %d more %s\n", l.Spend.Counter, l.Spend.Window,
			l.Used.Amount, l.Spend.MaxAmount, l.Used.Count, l.Spend.MaxCount, l.Spend.Amount, says)
	}
	return b.String()
}
