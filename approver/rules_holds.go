package approver

import (
	"maps"
	"math/big"
	"slices"

	"github.com/qredo-go/qredo"
)

// The following finds conditions that can never hold, or always do. It examines each way in which a condition can hold: a
// set of comparisons that all hold. It finds contradictions within one fact or within the time, and facts that no type of
// action has; it does not find everything impossible, but has no false positives.

// way is a set of comparisons that hold together.
type way []*comparison

// mostWays is the maximum number of ways that are examined.
const mostWays = 1024

// ways returns the ways in which a condition holds, or does not hold; none if there are too many.
func (c *condition) ways(holds bool) (ways []way, few bool) {
	if c.comparison != nil {
		one := *c.comparison
		one.negated = one.negated == holds
		return []way{{&one}}, true
	}
	joined := []way{{}}
	if c.any == holds {
		joined = nil
	}
	for _, part := range c.parts {
		more, few := part.ways(holds)
		switch {
		case !few || len(joined)+len(more) > mostWays || c.any != holds && len(joined)*len(more) > mostWays:
			return nil, false
		case c.any == holds:
			joined = append(joined, more...)
			continue
		}
		var both []way
		for _, a := range joined {
			for _, b := range more {
				both = append(both, slices.Concat(a, b))
			}
		}
		joined = both
	}
	return joined, true
}

// never reports whether a condition cannot hold for any action of the types. Without types, any type counts.
func (c *condition) never(holds bool, types func(way) []qredo.ActionType) bool {
	ways, few := c.ways(holds)
	return few && !slices.ContainsFunc(ways, func(w way) bool { return w.possible(types) })
}

// faults returns the smallest parts of a condition that can never hold, and those that always do.
func (c *condition) faults() (never, always []*condition) {
	for _, part := range c.parts {
		n, a := part.faults()
		never, always = append(never, n...), append(always, a...)
	}
	switch {
	case len(never) > 0 || c.everything():
	case c.never(true, anyType):
		never = append(never, c)
	case len(always) == 0 && c.never(false, anyType):
		always = append(always, c)
	}
	return never, always
}

// otherType stands for all unknown types of action.
const otherType qredo.ActionType = "?"

func anyType(way) []qredo.ActionType { return append(slices.Clone(knownTypes), otherType) }

// namesType reports whether a way says which type the action must be of.
func (w way) namesType() bool { return slices.ContainsFunc(w, (*comparison).namesType) }

// of returns the comparisons of one fact with constants.
func (w way) of(fact string) way {
	return slices.DeleteFunc(slices.Clone(w), func(c *comparison) bool { return c.fact != fact })
}

// allow reports whether all comparisons of a fact hold for a value.
func (w way) allow(fact string, value any) bool {
	return !slices.ContainsFunc(w.of(fact), func(c *comparison) bool { return c.state(facts{fact: value}) != yes })
}

func (w way) possible(types func(way) []qredo.ActionType) bool {
	opposite := map[string]bool{}
	for _, c := range w {
		if negated, found := opposite[c.text]; found && negated != c.negated {
			return false
		}
		opposite[c.text] = c.negated
	}
	for _, fact := range slices.Sorted(maps.Keys(vocabulary)) {
		if len(w.of(fact)) > 0 && !w.possibleFor(fact) {
			return false
		}
	}
	return len(w.types(types(w))) > 0 && w.atSomeTime()
}

// types returns the types of action for which all comparisons can hold.
func (w way) types(among []qredo.ActionType) []qredo.ActionType {
	among = slices.Clone(among)
	for _, c := range w {
		for _, name := range c.equals {
			if t := qredo.ActionType(name); c.namesType() && !slices.Contains(knownTypes, t) { // the file adds it
				among = append(among, t)
			}
		}
	}
	return slices.DeleteFunc(among, func(t qredo.ActionType) bool {
		lacks := slices.ContainsFunc(w, func(c *comparison) bool {
			return slices.ContainsFunc(c.uses, func(fact string) bool { return !has(t, fact) })
		})
		isSwap := slices.Contains(swaps, t)
		noSweep := t != qredo.ActionTransfer && slices.Contains(knownTypes, t)
		return lacks || noSweep && !w.allow("sweep", false) || !w.allow("type", string(t)) || isSwap && (!w.allow("recipient", "") || !w.allow("recipient_name", ""))
	})
}

// possibleFor reports whether some value of a fact satisfies all its comparisons with constants.
func (w way) possibleFor(fact string) bool {
	of := w.of(fact)
	switch vocabulary[fact] {
	case number, moment:
		left := []span{domain(fact)}
		for _, c := range of {
			if c.within == nil {
				continue
			}
			spans := c.within
			if c.negated {
				spans = outside(spans)
			}
			left = overlap(left, spans)
		}
		return len(left) > 0
	case text:
		candidates := words[fact]
		for _, c := range of {
			if c.equals != nil && !c.negated {
				candidates = c.equals
			}
		}
		return candidates == nil || slices.ContainsFunc(candidates, func(word string) bool { return w.allow(fact, word) })
	case truth: // only identical comparisons can contradict each other
	}
	return true
}

// domain is the range of a number.
func domain(fact string) span {
	least, most := map[string]int64{"amount": 1}[fact], map[string]int64{"hour": 23, "minute": 59, "time": 24*60 - 1}[fact]
	if most > 0 {
		return span{wide(least), wide(most)}
	}
	return span{wide(least), nil}
}

// overlap returns the intersection of two sets of ranges.
func overlap(a, b []span) []span {
	var both []span
	for _, x := range a {
		for _, y := range b {
			s := x
			if y.from != nil && (s.from == nil || y.from.Cmp(s.from) > 0) {
				s.from = y.from
			}
			if y.to != nil && (s.to == nil || y.to.Cmp(s.to) < 0) {
				s.to = y.to
			}
			if s.from == nil || s.to == nil || s.from.Cmp(s.to) <= 0 {
				both = append(both, s)
			}
		}
	}
	return both
}

// outside returns the complement of some ranges.
func outside(spans []span) []span {
	left := []span{{}}
	for _, s := range spans {
		var gaps []span
		if s.from != nil {
			gaps = append(gaps, span{nil, new(big.Int).Sub(s.from, big.NewInt(1))})
		}
		if s.to != nil {
			gaps = append(gaps, span{new(big.Int).Add(s.to, big.NewInt(1)), nil})
		}
		left = overlap(left, gaps)
	}
	return left
}

// clockFacts are the facts that depend on the time.
var clockFacts = []string{"hour", "minute", "weekday", "time"}

var minutesOfDay = func() (all [24 * 60]*big.Int) {
	for i := range all {
		all[i] = wide(i)
	}
	return all
}()

// atSomeTime reports whether all comparisons that use only the time hold together at some minute of the week.
func (w way) atSomeTime() bool {
	timed := slices.DeleteFunc(slices.Clone(w), func(c *comparison) bool {
		return slices.ContainsFunc(c.uses, func(fact string) bool { return !slices.Contains(clockFacts, fact) })
	})
	if len(timed) == 0 {
		return true
	}
	days := words["weekday"]
	if !slices.ContainsFunc(timed, func(c *comparison) bool { return slices.Contains(c.uses, "weekday") }) {
		days = days[:1]
	}
	for _, day := range days {
		f := facts{"weekday": day}
		for minutes, n := range minutesOfDay {
			f["hour"], f["minute"], f["time"] = minutesOfDay[minutes/60], minutesOfDay[minutes%60], n
			if !slices.ContainsFunc(timed, func(c *comparison) bool { return c.state(f) != yes }) {
				return true
			}
		}
	}
	return false
}
