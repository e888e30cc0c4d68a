package approver

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"strings"

	"github.com/qredo-go/qredo"
)

// Explanation says how rules decide about an action, and why.
type Explanation struct {
	Decision Decision       `json:"decision"`
	Values   map[string]any `json:"values"` // what expressions saw, by name: text, whole numbers, booleans; no missing ones
	Rules    []RuleResult   `json:"rules"`  // in the order of the file, including those after the one that decides
	Limits   []LimitResult  `json:"limits"` // of the deciding rule; set by [Approver.Explain]
}

// RuleResult is what one rule says about an action.
type RuleResult struct {
	Rule    string `json:"rule"`
	Line    int    `json:"line"` // in the rule file
	When    string `json:"when"`
	Matches bool   `json:"matches"`
	Decides bool   `json:"decides"` // it is the first match, or was meant to stop something and uses a missing value
}

// LimitResult compares an action with a limit.
type LimitResult struct {
	Spend Spend `json:"spend"`
	Used  Usage `json:"used"` // before the action
	Over  bool  `json:"over"` // the action exceeds the limit
}

// String returns the explanation as lines of text.
func (e Explanation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", cmp.Or(e.Decision.Verdict, Leave), e.Decision.Reason)
	if len(e.Values) > 0 {
		fmt.Fprintf(&b, "  it moves %s\n", e.moves())
		if may, known := e.Values["sweep"].(bool); e.Values["type"] == string(qredo.ActionTransfer) && (may || !known) {
			fmt.Fprintf(&b, "  %s\n", sweepInWords(known))
		}
	}
	for _, r := range e.Rules {
		says := "does not match"
		switch {
		case r.Decides && !r.Matches:
			says = "asks for what is not said, and decides"
		case r.Decides:
			says = "matches and decides"
		case r.Matches:
			says = "would match"
		}
		fmt.Fprintf(&b, "  rule %q in line %d %s: %s\n", r.Rule, r.Line, says, strings.Join(strings.Fields(r.When), " "))
	}
	for _, l := range e.Limits {
		var used []string
		if l.Spend.MaxAmount > 0 {
			used = append(used, fmt.Sprintf("%d of %d base units are used and %d asked for", l.Used.Amount, l.Spend.MaxAmount, l.Spend.Amount))
		}
		if l.Spend.MaxCount > 0 {
			used = append(used, fmt.Sprintf("%d of %d actions are used", l.Used.Count, l.Spend.MaxCount))
		}
		says := "it fits"
		if l.Over {
			says = "it does not fit"
		}
		fmt.Fprintf(&b, "  limit %s, %s: %s; %s\n", l.Spend.Counter, l.Spend.Window, strings.Join(used, ", "), says)
	}
	return b.String()
}

// moves says what an action would move, by the names of the facts. What has no amount says so.
func (e Explanation) moves() string {
	var moves []string
	if e.Values["amount"] == nil {
		moves = append(moves, "an amount that is not known")
	}
	for _, name := range []string{"amount", "asset", "receive_amount", "receive_asset", "value", "gas", "chain", "data"} {
		if v := e.Values[name]; v != nil {
			moves = append(moves, fmt.Sprintf("%s %v", name, v))
		}
	}
	return strings.Join(moves, ", ")
}

// shown are the facts as people and programs read them.
func (f facts) shown() map[string]any {
	values := map[string]any{}
	for name, v := range f {
		switch n, isNumber := v.(*big.Int); {
		case vocabulary[name] == moment:
			v = fmt.Sprintf("%02d:%02d", n.Int64()/60, n.Int64()%60)
		case isNumber && n.IsInt64():
			v = n.Int64()
		}
		values[name] = v
	}
	return values
}

// Explain fetches an action and says what [Approver.Run] would decide about it now, and why: for [Rules], with the value of
// each rule's expression and what is left of the limits. It decides nothing and sends nothing. For an action that is already
// decided, it says what would be decided if it were not.
func (a *Approver) Explain(ctx context.Context, id qredo.ActionID) (e Explanation, err error) {
	defer func() {
		if p := recover(); p != nil { // of a voter or a store
			err = panicked(p)
		}
	}()
	action, err := a.look(ctx, id)
	if err != nil {
		return Explanation{}, err
	}
	in, connected := a.current(), a.connections()
	ctx = connected.known(ctx)
	if rules, ok := in.policy.(interface {
		Explain(ctx context.Context, a qredo.Action) Explanation
	}); ok {
		e = rules.Explain(ctx, *action)
	}
	e.Decision, _ = a.ask(ctx, in, *action) // a failure of the policy is the decision's reason
	if err := cmp.Or(ctx.Err(), connected.failure()); err != nil {
		return e, err
	}
	if e.Decision, err = a.asPinned(ctx, in, *action, e.Decision); err != nil {
		return e, err
	}
	used, err := in.store.Usage(ctx, e.Decision.Spends)
	if err != nil {
		return e, fmt.Errorf("approver: what limits have counted: %w", err)
	}
	var first error
	for i, spend := range e.Decision.Spends {
		over := spend.Check(used[i])
		e.Limits = append(e.Limits, LimitResult{Spend: spend, Used: used[i], Over: over != nil})
		if first == nil && over != nil {
			first = over
			e.Decision.Verdict, e.Decision.Reason = e.Decision.OverLimit, over.Error()
		}
	}
	return e, nil
}
