package approver

import (
	"regexp"
	"slices"
	"strings"
)

// condition is an expression: comparisons joined by and or or. Negations are in the comparisons.
type condition struct {
	any         bool // one of the parts must hold; otherwise all must
	parts       []*condition
	*comparison // if there are no parts; without it too, the condition always holds
}

// everything reports whether a condition holds whatever the facts: "true".
func (c *condition) everything() bool { return c.comparison == nil && len(c.parts) == 0 }

// comparison is one test of facts.
type comparison struct {
	text    string // as written, without negation
	negated bool
	uses    []string         // the facts that it uses
	holds   func(facts) bool // with all its facts present, ignoring negation

	// What is known about it, if it compares a single unmodified fact with constants. Ignores negation.
	fact    string
	equals  []string       // a text that must be one of these
	within  []span         // a number that must be in one of these
	pattern *regexp.Regexp // that a text must match
}

// state says whether a condition holds. The opposite has the other sign.
type state int

const (
	no      state = -1
	unknown state = 0 // a fact is missing
	yes     state = 1
)

func (c *comparison) state(f facts) state {
	for _, name := range c.uses {
		if _, given := f[name]; !given {
			return unknown
		}
	}
	if c.holds(f) != c.negated {
		return yes
	}
	return no
}

// namesType reports whether the comparison says which type an action must be of.
func (c *comparison) namesType() bool { return c.fact == "type" && c.equals != nil && !c.negated }

// namesSweep reports whether the comparison is about transfers that may be sweeps.
func (c *comparison) namesSweep() bool { return c.fact == "sweep" && !c.negated }

// names says what a condition that holds names of an action.
type names struct{ kind, sweep bool }

// String is the comparison as written.
func (c *comparison) String() string {
	if c.negated {
		return "not (" + c.text + ")"
	}
	return c.text
}

// check returns whether a condition holds, and what the alternatives that hold name.
func (c *condition) check(f facts) (s state, named names) {
	if c.comparison != nil {
		if s = c.state(f); s == yes {
			named = names{c.namesType(), c.namesSweep()}
		}
		return s, named
	}
	s = yes
	if c.any {
		s = no
	}
	for _, part := range c.parts {
		one, more := part.check(f)
		named = names{named.kind || more.kind, named.sweep || more.sweep}
		if c.any {
			s = max(s, one)
		} else {
			s = min(s, one)
		}
	}
	if s != yes {
		named = names{}
	}
	return s, named
}

// each calls f with each comparison.
func (c *condition) each(f func(*comparison)) {
	if c.comparison != nil {
		f(c.comparison)
	}
	for _, part := range c.parts {
		part.each(f)
	}
}

// asks reports whether a condition uses one of some facts.
func (c *condition) asks(names ...string) bool {
	found := false
	c.each(func(one *comparison) {
		found = found || slices.ContainsFunc(one.uses, func(name string) bool { return slices.Contains(names, name) })
	})
	return found
}

// String is the condition as written, except for brackets and negations.
func (c *condition) String() string {
	if c.comparison != nil {
		return c.comparison.String()
	}
	texts := make([]string, len(c.parts))
	for i, part := range c.parts {
		if texts[i] = part.String(); len(part.parts) > 0 && part.any != c.any {
			texts[i] = "(" + texts[i] + ")"
		}
	}
	if c.any {
		return strings.Join(texts, " || ")
	}
	return strings.Join(texts, " && ")
}

// Hexadecimal addresses use capitals as a checksum, or only capitals, or none; bech32 addresses only capitals or none.
// However it is written, it is the same address. The same is true of everything hexadecimal, such as the data of a
// payment. A text with a lookalike character, or with capitals in some places only, is not such an address.
var (
	hexAddress = regexp.MustCompile(`0[xX][0-9a-fA-F]{40}`)
	whole      = regexp.MustCompile(`^0[xX][0-9a-fA-F]*$`)
	bech32     = regexp.MustCompile(`^([a-z]{1,20}1[02-9ac-hj-np-z]{38,}|[A-Z]{1,20}1[02-9AC-HJ-NP-Z]{38,})$`)
)

// anyCase reports whether a text is hexadecimal, or an address in which capitals do not matter.
func anyCase(text string) bool { return whole.MatchString(text) || bech32.MatchString(text) }

// alike returns two texts in the form in which they are compared: without the capitals of addresses in them, and without
// any capitals if one is an address, because the other may be a part of it.
func alike(a, b string) (string, string) {
	switch {
	case whole.MatchString(a) || whole.MatchString(b):
		return lowerASCII(a), lowerASCII(b)
	case bech32.MatchString(a) || bech32.MatchString(b):
		return lowerWhole(a), lowerWhole(b)
	}
	return hexAddress.ReplaceAllStringFunc(a, lowerASCII), hexAddress.ReplaceAllStringFunc(b, lowerASCII)
}

// lowerWhole converts a text without small letters to lower case: bech32 never mixes cases.
func lowerWhole(text string) string {
	if mixed(text) {
		return text
	}
	return lowerASCII(text)
}

// mixed reports whether a text has both capitals and small letters.
func mixed(text string) bool { return lowerASCII(text) != text && upperASCII(text) != text }

// mixedAddress reports whether a text is a bech32 address except for its mixed case, which makes it invalid. The checksum
// decides: some base58 addresses, which do mix cases, have the same shape.
func mixedAddress(text string) bool {
	lower := lowerASCII(text)
	return mixed(text) && bech32.MatchString(lower) && bech32Checksum(lower)
}

// bech32Checksum reports whether the checksum of a text in lower case with the shape of a bech32 address is right, by
// BIP 173 or, for bech32m, BIP 350.
func bech32Checksum(text string) bool {
	prefix, data, _ := strings.Cut(text, "1") // the shape allows no further 1
	sum := uint32(1)
	add := func(value int) {
		top := sum >> 25
		sum = (sum&0x1ffffff)<<5 ^ uint32(value) //nolint:gosec // G115: below 32
		for i, generator := range []uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			sum ^= top >> i & 1 * generator
		}
	}
	for _, letter := range prefix {
		add(int(letter >> 5))
	}
	add(0)
	for _, letter := range prefix {
		add(int(letter & 31))
	}
	for _, letter := range data {
		add(strings.IndexRune("qpzry9x8gf2tvdw0s3jn54khce6mua7l", letter))
	}
	return sum == 1 || sum == 0x2bc830a3
}

func same(a, b string) bool {
	a, b = alike(a, b)
	return a == b
}

// tests are the comparisons of texts except ==.
var tests = map[string]func(a, b string) bool{
	"contains": strings.Contains, "startsWith": strings.HasPrefix, "endsWith": strings.HasSuffix,
}

// lowerASCII replaces the capitals A to Z, upperASCII the letters a to z. Other characters stay: some signs, such as the
// Kelvin sign, have one of these letters as their lower case but are different characters.
func lowerASCII(text string) string { return shifted(text, 'A', 'Z', 'a'-'A') }

func upperASCII(text string) string { return shifted(text, 'a', 'z', 'A'-'a') }

func shifted(text string, from, to, by rune) string {
	return strings.Map(func(r rune) rune {
		if from <= r && r <= to {
			r += by
		}
		return r
	}, text)
}

// oneCase converts the letters of a text, except if the result would be an address.
func oneCase(change func(string) string) func(string) string {
	return func(text string) string {
		if mixedAddress(text) {
			return text
		}
		return change(text)
	}
}
