package approver

import (
	"fmt"
	"time"
)

// startsAnew says which limits count less than if these rules had been in force all the time: a counter belongs to a
// rule's name, to what a limit is per, and to whether it limits the sum or the number.
func (r *Rules) startsAnew(before *Rules) (warnings []string) {
	known := before.counters()
	for _, rule := range r.rules {
		for _, m := range rule.limits {
			for _, c := range m.counters(rule.name) {
				switch window, found := known[c]; {
				case !found:
					warnings = append(warnings, fmt.Sprintf("rule %q: a limit of %s per %s begins to count from nothing: it was not in the rules before", c.rule, c.of, c.per))
				case m.window > 2*window:
					warnings = append(warnings, fmt.Sprintf("rule %q: a limit of %s per %s counts over %s: what was spent more than %s ago may not be known any more", c.rule, c.of, c.per, m.window, 2*window))
				}
			}
		}
	}
	return warnings
}

type counter struct{ rule, per, of string }

func (m limit) counters(rule string) (counters []counter) {
	if m.maxAmount > 0 {
		counters = append(counters, counter{rule, m.per, "max_amount"})
	}
	if m.maxCount > 0 {
		counters = append(counters, counter{rule, m.per, "max_count"})
	}
	return counters
}

// counters are the counters of the rules, with the longest window of each.
func (r *Rules) counters() map[counter]time.Duration {
	windows := map[counter]time.Duration{}
	for _, rule := range r.rules {
		for _, m := range rule.limits {
			for _, c := range m.counters(rule.name) {
				windows[c] = max(windows[c], m.window)
			}
		}
	}
	return windows
}
