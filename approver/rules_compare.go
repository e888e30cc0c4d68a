package approver

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

var mirrored = map[string]string{"==": "==", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

// comparison compiles a comparison of two parts.
func (c *compiler) comparison(n *ast.BinaryNode, negated bool) *condition {
	operator, written := n.Operator, n.String()
	if operator == "!=" {
		operator, written, negated = "==", fmt.Sprintf("%s == %s", n.Left, n.Right), !negated
	}
	one := &condition{comparison: &comparison{text: written, negated: negated, holds: func(facts) bool { return false }}}
	if operator == "in" {
		c.membership(n, one.comparison)
		return one
	}
	left, right := c.term(n.Left), c.term(n.Right)
	if c.problem != nil {
		return one
	}
	if left.fixed() && mirrored[operator] != "" {
		left, right, operator = right, left, mirrored[operator]
	}
	one.uses = slices.Concat(left.uses, right.uses)
	switch {
	case left.fixed() && right.fixed():
		c.refuse(n, "%s: no fact is compared here", n)
	case slices.ContainsFunc(left.uses, func(name string) bool { return slices.Contains(right.uses, name) }):
		c.refuse(n, "%s: a fact is compared with itself", n)
	case left.kind == number && right.kind == text && right.fixed() && mirrored[operator] != "":
		return c.amount(n, one, left, operator, right.value(nil).(string))
	case left.kind == moment && right.kind == text && right.fixed() && mirrored[operator] != "":
		c.numbers(one.comparison, left, operator, fixed(number, c.clock(n, right)))
	case left.kind != right.kind || left.kind == truth:
		c.refuse(n, "%s is %s, and %s is %s: they cannot be compared", n.Left, c.term(n.Left).kind, n.Right, c.term(n.Right).kind)
	case left.kind == number || left.kind == moment:
		if mirrored[operator] == "" {
			c.refuse(n, "%s is for texts", operator)
			return one
		}
		c.numbers(one.comparison, left, operator, right)
	default:
		c.texts(n, one.comparison, left, operator, right)
	}
	return one
}

// amount compiles a comparison with an amount that has its asset: it compares numbers, and holds only for that asset.
func (c *compiler) amount(n ast.Node, one *condition, left term, operator, written string) *condition {
	figure, asset := c.figure(n, left, written)
	if asset == nil {
		return one
	}
	c.numbers(one.comparison, left, operator, fixed(number, figure))
	return &condition{parts: []*condition{asset, one}}
}

var orders = map[string]func(order int) bool{
	"==": func(o int) bool { return o == 0 },
	"<":  func(o int) bool { return o < 0 }, "<=": func(o int) bool { return o <= 0 },
	">": func(o int) bool { return o > 0 }, ">=": func(o int) bool { return o >= 0 },
}

func (c *compiler) numbers(one *comparison, left term, operator string, right term) {
	agrees := orders[operator]
	one.uses = slices.Concat(left.uses, right.uses)
	one.holds = func(f facts) bool { return agrees(left.value(f).(*big.Int).Cmp(right.value(f).(*big.Int))) }
	if left.fact == "" || !right.fixed() {
		return
	}
	n := right.value(nil).(*big.Int)
	one.fact = left.fact
	switch operator {
	case "==":
		one.within = []span{point(n)}
	case "<":
		one.within = []span{{nil, new(big.Int).Sub(n, big.NewInt(1))}}
	case "<=":
		one.within = []span{{nil, n}}
	case ">":
		one.within = []span{{new(big.Int).Add(n, big.NewInt(1)), nil}}
	case ">=":
		one.within = []span{{n, nil}}
	}
}

// texts compiles a comparison of texts, at least one of which is a fact.
func (c *compiler) texts(n *ast.BinaryNode, one *comparison, left term, operator string, right term) {
	compare := tests[operator]
	switch operator {
	case "==":
		compare = same
		if right.fixed() {
			c.fitting(n, left, right.value(nil).(string))
			if left.fact != "" {
				one.fact, one.equals = left.fact, []string{right.value(nil).(string)}
			}
		}
	case "matches":
		c.pattern(n, one, left, right)
		return
	}
	if compare == nil {
		c.refuse(n, "%s is for numbers", operator)
		return
	}
	if operator != "==" && right.fixed() {
		written := right.value(nil).(string)
		c.shaped(n, left, written, strings.TrimSpace(written))
		if right.value(nil) == "" {
			c.refuse(n, "%s always holds", n)
		}
	}
	if right.fixed() && operator != "==" {
		one.fact = left.fact
	}
	one.holds = func(f facts) bool {
		a, b := left.value(f).(string), right.value(f).(string)
		a, b = alike(a, b)
		return compare(a, b)
	}
}

// fitting checks a text that a fact must be equal to.
func (c *compiler) fitting(node ast.Node, left term, written string) {
	if left.fact != "" {
		c.word(node, left.fact, written)
	}
	c.shaped(node, left, written, written)
	if mixedAddress(written) {
		c.refuse(node, "%q is not an address: bech32 addresses are all upper case or all lower case", written)
	}
}

// shaped refuses a comparison that can never hold because of the text's capitals, or lack of them.
func (c *compiler) shaped(node ast.Node, left term, written, part string) {
	if left.shape != nil && !anyCase(written) && left.shape(part) != part {
		c.refuse(node, "%s can never hold: the text is changed before it is compared", node)
	}
}

func (c *compiler) pattern(n *ast.BinaryNode, one *comparison, left, right term) {
	if !right.fixed() || left.fixed() {
		c.refuse(n, "matches needs a fact before it, and a pattern in quotes behind it")
		return
	}
	written := right.value(nil).(string)
	exact, err := regexp.Compile(written)
	if err != nil {
		c.refuse(n, "%s", err)
		return
	}
	// Within ASCII, no other character has these letters as its lower case.
	folded := regexp.MustCompile("(?i)" + written)
	lowered, err := regexp.Compile(hexAddress.ReplaceAllStringFunc(written, lowerASCII))
	if err != nil {
		c.refuse(n, "%s", err)
		return
	}
	one.fact, one.pattern = left.fact, exact
	one.holds = func(f facts) bool {
		subject := left.value(f).(string)
		if anyCase(subject) {
			return folded.MatchString(subject)
		}
		return lowered.MatchString(hexAddress.ReplaceAllStringFunc(subject, lowerASCII))
	}
}

// membership compiles what a fact must be one of: a list, inline or by name, or a range of hours.
func (c *compiler) membership(n *ast.BinaryNode, one *comparison) {
	left := c.term(n.Left)
	one.uses = left.uses
	if c.problem == nil && left.fixed() {
		c.refuse(n, "%s: in needs a fact before it", n)
	}
	if c.problem != nil {
		return
	}
	var values []ast.Node
	switch right := n.Right.(type) {
	case *ast.BinaryNode:
		if right.Operator == ".." {
			c.hours(n, one, left, right)
			return
		}
	case *ast.ArrayNode:
		values = right.Nodes
	case *ast.IdentifierNode:
		if list := c.lists[right.Value]; list != nil {
			c.used[right.Value] = true
			for _, written := range list {
				node := &ast.StringNode{Value: written}
				node.SetLocation(right.Location())
				values = append(values, node)
			}
		}
	}
	if len(values) == 0 {
		c.refuse(n, "in needs a list behind it, such as [\"a\", \"b\"] or the name of one, with something in it")
		return
	}
	switch left.kind {
	case text:
		var written []string
		for _, node := range values {
			t := c.term(node)
			if t.kind != text || !t.fixed() {
				c.refuse(node, "%s is no text in quotes", node)
				return
			}
			written = append(written, t.value(nil).(string))
			c.fitting(node, left, written[len(written)-1])
		}
		one.setText(left, written)
	case number:
		var spans []span
		for _, node := range values {
			t := c.term(node)
			if t.kind != number || !t.fixed() {
				c.refuse(node, "%s is no number", node)
				return
			}
			spans = append(spans, point(t.value(nil).(*big.Int)))
		}
		one.setSpans(left, spans)
	default:
		c.refuse(n, "%s is %s: it cannot be in a list", n.Left, left.kind)
	}
}

// hours parses a range: of times of day, from the first until before the second, possibly over midnight; or of hours or
// minutes, both included.
func (c *compiler) hours(n *ast.BinaryNode, one *comparison, left term, between *ast.BinaryNode) {
	from, to := c.term(between.Left), c.term(between.Right)
	if c.problem != nil {
		return
	}
	switch {
	case left.fact == "time" && from.kind == text && to.kind == text && from.fixed() && to.fixed():
		begin, end := c.clock(between, from), c.clock(between, to)
		last := new(big.Int).Sub(end, big.NewInt(1))
		switch begin.Cmp(end) {
		case -1:
			one.setSpans(left, []span{{begin, last}})
		case 0:
			c.refuse(n, "%s: the two times are one", n)
		default: // over midnight
			one.setSpans(left, []span{{begin, nil}, {nil, last}})
		}
	case left.fact != "hour" && left.fact != "minute":
		c.refuse(n, "ranges are for hour, minute and time: write what %s is at least and at most, with >= and <=", n.Left)
	case from.kind != number || to.kind != number || !from.fixed() || !to.fixed():
		c.refuse(n, "%s needs two numbers", n)
	case from.value(nil).(*big.Int).Cmp(to.value(nil).(*big.Int)) > 0:
		c.refuse(n, `%s can never hold: for a time over midnight write time in "22:00".."06:00"`, n)
	default:
		one.setSpans(left, []span{{from.value(nil).(*big.Int), to.value(nil).(*big.Int)}})
	}
}

// setText turns a comparison into one of a text with several texts.
func (c *comparison) setText(left term, written []string) {
	c.holds = func(f facts) bool {
		is := left.value(f).(string)
		return slices.ContainsFunc(written, func(one string) bool { return same(is, one) })
	}
	if c.fact = left.fact; left.fact != "" {
		c.equals = written
	}
}

// setSpans turns a comparison into one of a number with ranges.
func (c *comparison) setSpans(left term, spans []span) {
	c.holds = func(f facts) bool {
		is := left.value(f).(*big.Int)
		return slices.ContainsFunc(spans, func(s span) bool { return s.has(is) })
	}
	if c.fact = left.fact; left.fact != "" {
		c.within = spans
	}
}

// textIn and numberIn make comparisons that are in no rule, but follow from one.
func textIn(fact, as string, among []string) *condition {
	c := &comparison{text: as, uses: []string{fact}}
	c.setText(factTerm(fact), among)
	return &condition{comparison: c}
}

func numberIn(fact, as string, among []span) *condition {
	c := &comparison{text: as, uses: []string{fact}}
	c.setSpans(factTerm(fact), among)
	return &condition{comparison: c}
}

func factTerm(name string) term {
	return term{kind: vocabulary[name], fact: name, uses: []string{name}, value: func(f facts) any { return f[name] }}
}

// span is a range of whole numbers, both ends included. A nil end is open.
type span struct{ from, to *big.Int }

func point(n *big.Int) span { return span{n, n} }

func (s span) has(n *big.Int) bool {
	return (s.from == nil || n.Cmp(s.from) >= 0) && (s.to == nil || n.Cmp(s.to) <= 0)
}
