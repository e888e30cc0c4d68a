package approver

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
)

// Rules is a [Policy] from a rule file. The first rule that matches decides; actions that no rule matches are left to people.
type Rules struct {
	rules      []rule
	dictionary *dictionary // the file's dictionary
	warnings   []string
	hash       string
	now        func() time.Time
}

// Hash returns the SHA-256 of the rule file, in hexadecimal.
func (r *Rules) Hash() string { return r.hash }

// Warnings lists rules that may not do what they seem to: conditions that always hold, values that the service sometimes leaves
// empty, and rules that approve and trust what others choose, or do not check what they should. Show them to whoever writes the
// rules; [Approver.Run] logs them.
func (r *Rules) Warnings() []string { return slices.Clone(r.warnings) }

// CheckDecimals compares the decimals that amounts such as "0.5 BTC" rely on with the service's list of assets. It returns an
// error if the service uses another scale for an asset, or does not have it: do not run the rules then.
func (r *Rules) CheckDecimals(assets []qredo.Asset) error {
	for _, code := range slices.Sorted(maps.Keys(r.dictionary.counted)) {
		i := slices.IndexFunc(assets, func(a qredo.Asset) bool { return string(a.Code) == code })
		switch places := r.dictionary.decimals[code]; {
		case !r.dictionary.counted[code]: // named only for the value of a payment
		case i < 0:
			return fmt.Errorf("approver: rules: the service has no asset %s", code)
		case assets[i].Scale != int64(math.Pow10(places)):
			return fmt.Errorf("approver: rules: %s is counted with %d decimals, but the service has %d units in one", code, places, assets[i].Scale)
		}
	}
	return nil
}

// Decide implements [Policy]. It returns an error, which leaves the action to people, for an action without details, one that
// moves something without saying how much, and one whose details contradict each other.
//
// If a rule's answer depends on whether a transfer may be a sweep, Decide calls [MayBeSweep]. If that is not known, for example
// in a context from neither an approver nor [ContextWithSweep], it approves no transfer.
func (r *Rules) Decide(ctx context.Context, a qredo.Action) (Decision, error) {
	return r.decideAt(ctx, a, r.now())
}

func (r *Rules) decideAt(ctx context.Context, a qredo.Action, now time.Time) (Decision, error) {
	e, err := r.evaluate(ctx, a, now, false)
	return e.Decision, err
}

// Explain says what [Rules.Decide] would decide now, and the value of each rule's expression. It changes nothing.
func (r *Rules) Explain(ctx context.Context, a qredo.Action) Explanation {
	e, err := r.evaluate(ctx, a, r.now(), true)
	if err != nil {
		e.Decision = failed("", err)
	}
	return e
}

// evaluate asks the rules in order, until one decides or, on request, all of them.
func (r *Rules) evaluate(ctx context.Context, a qredo.Action, now time.Time, all bool) (Explanation, error) {
	f, err := factsOf(a, now)
	if err != nil {
		return Explanation{Values: f.shown()}, err
	}
	if _, said := f["sweep"]; !said && (all || r.turnsOnSweep(f)) {
		if may, known := MayBeSweep(ctx, a); known {
			f["sweep"] = may
		}
	}
	e := Explanation{Values: f.shown()}
	first := r.first(f)
	e.Decision = r.decision(f, first)
	for i, rule := range r.rules {
		if i > first.rule && !all {
			break
		}
		e.Rules = append(e.Rules, RuleResult{Rule: rule.name, Line: rule.line, When: rule.when, Matches: rule.matches(f), Decides: i == first.rule})
	}
	return e, nil
}

// answer says which rule decides, or len(rules) for none; and which missing fact decides it.
type answer struct {
	rule   int
	unsaid string
}

// first finds the rule that decides.
func (r *Rules) first(f facts) answer {
	for i, rule := range r.rules {
		if rule.matches(f) {
			return answer{rule: i}
		}
		if unsaid := rule.unsaid(f); unsaid != "" {
			return answer{i, unsaid}
		}
	}
	return answer{rule: len(r.rules)}
}

// turnsOnSweep reports whether it matters which rule decides, because an action may or may not be a sweep, or this is
// unknown.
func (r *Rules) turnsOnSweep(f facts) bool {
	unknown := r.first(f)
	return unknown != r.first(f.with("sweep", true)) || unknown != r.first(f.with("sweep", false))
}

func (r *Rules) decision(f facts, by answer) Decision {
	switch {
	case by.rule < len(r.rules) && by.unsaid == "":
		return r.rules[by.rule].decision(f)
	case by.rule < len(r.rules):
		return Decision{Verdict: Leave, Rule: r.rules[by.rule].name, Reason: "the service does not say " + by.unsaid + ", for which the rule asks"}
	}
	d := Decision{Verdict: Leave, Reason: "no rule matches"}
	if may, known := f["sweep"].(bool); may || !known {
		if other := r.first(f.with("sweep", false)); other.rule < len(r.rules) && r.rules[other.rule].verdict == Approve {
			d.Reason += fmt.Sprintf(": %s, and rule %q does not name sweeps", sweepInWords(known), r.rules[other.rule].name)
		}
	}
	return d
}

// matches reports whether a rule applies to an action. A rule that approves must name, see and be able to count what it
// applies to: it matches types other than transfers and withdrawals only through an alternative that names the type, and
// a possible sweep only through an alternative that names sweeps; if it compares amounts or has limits, it matches only
// actions with an amount and with what the limits are per; and if a limit is in an asset, only that asset.
func (r *rule) matches(f facts) bool {
	s, named := r.condition.check(f)
	if s != yes || r.verdict != Approve {
		return s == yes
	}
	_, counted := f["amount"]
	if sweep, known := f["sweep"].(bool); !named.sweep && f.text("type") == string(qredo.ActionTransfer) && (sweep || !known) {
		return false
	}
	return (named.kind || slices.Contains(unnamed, qredo.ActionType(f.text("type")))) && (counted || !r.counts()) &&
		!slices.ContainsFunc(r.limits, func(m limit) bool {
			_, said := f[m.per]
			return !said || m.asset != "" && m.asset != f.text("asset") || m.maxAmount > 0 && f.text("asset") == ""
		})
}

// unsaid returns a fact that leaves open whether a stopping rule applies: the service does not state it for this action,
// but could.
func (r *rule) unsaid(f facts) (fact string) {
	if s, _ := r.condition.check(f); s != unknown || r.verdict == Approve {
		return ""
	}
	r.condition.each(func(c *comparison) {
		for _, name := range c.uses {
			if _, said := f[name]; !said && has(qredo.ActionType(f.text("type")), name) {
				fact = name
			}
		}
	})
	return fact
}

// counts reports whether a rule uses amounts.
func (r *rule) counts() bool { return len(r.limits) > 0 || r.condition.asks(amountFacts...) }

// types are the types that an approving rule can match through an alternative.
func (r *rule) types(w way) []qredo.ActionType {
	types := unnamed
	if w.namesType() {
		types = anyType(w)
	}
	return slices.DeleteFunc(slices.Clone(types), func(t qredo.ActionType) bool { return r.counts() && !has(t, "amount") })
}

func (r *rule) decision(f facts) Decision {
	_, named := r.condition.check(f)
	d := Decision{Verdict: r.verdict, Reason: r.reason, Rule: r.name, OverLimit: r.overLimit, Sweep: r.verdict == Approve && named.sweep}
	if d.Reason == "" {
		d.Reason = strings.Join(strings.Fields(r.when), " ")
	}
	for _, m := range r.limits {
		for _, s := range m.spends(r.name, f) {
			d.Spends = withLimit(d.Spends, s)
		}
	}
	return d
}

// withLimit adds a limit. Of two limits of one counter with the same window, the smaller applies.
func withLimit(spends []Spend, s Spend) []Spend {
	for i, other := range spends {
		if other.Counter == s.Counter && other.Window == s.Window {
			spends[i].MaxAmount, spends[i].MaxCount = min(other.MaxAmount, s.MaxAmount), min(other.MaxCount, s.MaxCount)
			return spends
		}
	}
	return append(spends, s)
}

// spends are an action's contributions to a limit: the sum of one asset and the count of all, each with a counter of its
// own. Addresses that differ only in capitals are the same.
func (m limit) spends(rule string, f facts) []Spend {
	var spends []Spend
	per, _ := alike(f.text(m.per), "")
	counter := fmt.Sprintf("of rule %q, %s %q", rule, m.per, per)
	if m.maxAmount > 0 {
		sum := counter
		if m.per != "asset" {
			sum += fmt.Sprintf(", asset %q", f["asset"])
		}
		amount := f["amount"].(*big.Int).Int64()
		spends = append(spends, Spend{Counter: sum + ", sum", Amount: amount, Window: m.window, MaxAmount: m.maxAmount})
	}
	if m.maxCount > 0 {
		spends = append(spends, Spend{Counter: counter + ", count", Window: m.window, MaxCount: m.maxCount})
	}
	return spends
}
