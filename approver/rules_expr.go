package approver

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"

	"github.com/qredo-go/qredo"
)

// expressionError is a problem with an expression, and the line of the expression it is in.
type expressionError struct {
	line    int // from 0
	problem string
}

func (e *expressionError) Error() string { return e.problem }

// dictionary is what a rule file says besides its rules.
type dictionary struct {
	lists    map[string][]string
	types    []string        // that can be named: the known ones, and those that the file adds
	decimals map[string]int  // of assets
	used     map[string]bool // the lists that are used
	counted  map[string]bool // the assets whose decimals are used
}

// compile compiles an expression in the syntax of github.com/expr-lang/expr. Of that, rules use only comparisons and
// logical operators, so that people, and [condition.faults], can see what a rule can match. Numbers are exact and of any
// size: evaluation cannot fail.
func compile(source string, d *dictionary) (*condition, error) {
	if i := strings.IndexFunc(source, func(r rune) bool { return r > '~' }); i >= 0 {
		r := []rune(source[i:])[0]
		return nil, &expressionError{
			strings.Count(source[:i], "\n"), fmt.Sprintf(`%q is no ASCII: it may look like what it is not. Within quotes, write \u%04x`, r, r),
		}
	}
	if i := comment(source); i >= 0 {
		return nil, &expressionError{
			strings.Count(source[:i], "\n"), "it has a comment: where lines are folded into one, that hides the conditions after it. Put comments beside the rule, after #",
		}
	}
	tree, err := parser.Parse(source)
	if e := (*file.Error)(nil); errors.As(err, &e) {
		return nil, &expressionError{line: max(e.Line-1, 0), problem: fmt.Sprintf("%s (column %d)", e.Message, e.Column+1)}
	} else if err != nil {
		return nil, err
	}
	if n, ok := tree.Node.(*ast.BoolNode); ok {
		if !n.Value {
			return nil, &expressionError{problem: "it can never hold"}
		}
		return &condition{}, nil
	}
	c := compiler{dictionary: d, source: source}
	root := c.condition(tree.Node, false)
	if c.problem == nil {
		return root, nil
	}
	return nil, c.problem
}

// comment returns where a comment begins in an expression, or -1.
func comment(source string) int {
	for i := 0; i < len(source); i++ {
		switch c := source[i]; {
		case c == '"' || c == '\'' || c == '`':
			for i++; i < len(source) && source[i] != c; i++ {
				if source[i] == '\\' && c != '`' {
					i++
				}
			}
		case strings.HasPrefix(source[i:], "//"), strings.HasPrefix(source[i:], "/*"):
			return i
		}
	}
	return -1
}

// compiler compiles an expression. It continues after a problem, and the result is then discarded.
type compiler struct {
	*dictionary
	source  string
	problem error // the first
}

func (c *compiler) refuse(node ast.Node, format string, args ...any) {
	if c.problem == nil {
		before := []rune(c.source)[:min(node.Location().From, len([]rune(c.source)))]
		line := strings.Count(string(before), "\n")
		column := len(before) - (strings.LastIndex(string(before), "\n") + 1)
		c.problem = &expressionError{line: line, problem: fmt.Sprintf("%s (column %d)", fmt.Sprintf(format, args...), column+1)}
	}
}

func (c *compiler) condition(node ast.Node, negated bool) *condition {
	switch n := node.(type) {
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			return c.condition(n.Node, !negated)
		}
	case *ast.BoolNode:
		c.refuse(n, "%s stands for a whole expression only", n)
		return &condition{}
	case *ast.BinaryNode:
		switch n.Operator {
		case "and", "&&", "or", "||":
			joined := &condition{any: strings.HasPrefix(n.Operator, "o") || n.Operator == "||"}
			joined.any = joined.any != negated
			for _, side := range []ast.Node{n.Left, n.Right} {
				part := c.condition(side, negated)
				if part.comparison == nil && part.any == joined.any { // a && b && c are three parts
					joined.parts = append(joined.parts, part.parts...)
				} else {
					joined.parts = append(joined.parts, part)
				}
			}
			return joined
		case "==", "!=", "<", "<=", ">", ">=", "in", "contains", "startsWith", "endsWith", "matches":
			if of, is := withTruth(n); of != nil {
				return c.condition(of, negated == is)
			}
			return c.comparison(n, negated)
		}
	}
	t := c.term(node)
	if t.kind != truth {
		c.refuse(node, "%s is %s, not a condition: compare it with something", node, t.kind)
	}
	return &condition{comparison: &comparison{
		text: node.String(), negated: negated, uses: t.uses, fact: t.fact, holds: func(f facts) bool { return t.value(f).(bool) },
	}}
}

// withTruth returns the fact that is compared with true or false, as in sweep == true, and the value it must have.
func withTruth(n *ast.BinaryNode) (of *ast.IdentifierNode, is bool) {
	fact, ok := n.Left.(*ast.IdentifierNode)
	value, written := n.Right.(*ast.BoolNode)
	if !ok || !written || n.Operator != "==" && n.Operator != "!=" || vocabulary[fact.Value] != truth {
		return nil, false
	}
	return fact, value.Value == (n.Operator == "==")
}

// term is a part of a comparison that has a value.
type term struct {
	kind  kind
	fact  string   // if it is an unmodified fact
	uses  []string // the facts that it uses; a term without any is a constant
	value func(facts) any
	shape func(string) string // lower, upper or trim, if applied to a fact
}

func fixed(k kind, v any) term { return term{kind: k, value: func(facts) any { return v }} }

func (t term) fixed() bool { return len(t.uses) == 0 }

func (c *compiler) term(node ast.Node) term {
	switch n := node.(type) {
	case *ast.IdentifierNode:
		k, known := vocabulary[n.Value]
		switch {
		case known:
			return term{kind: k, fact: n.Value, uses: []string{n.Value}, value: func(f facts) any { return f[n.Value] }}
		case c.lists[n.Value] != nil:
			c.refuse(n, "%s is a list: write … in %s", n.Value, n.Value)
		default:
			c.refuse(n, "unknown name %s", n.Value)
		}
	case *ast.IntegerNode:
		return fixed(number, big.NewInt(int64(n.Value)))
	case *ast.FloatNode:
		c.refuse(n, "%v: amounts are whole numbers of base units, or have their asset, as in \"0.5 BTC\"", n.Value)
	case *ast.StringNode:
		return fixed(text, n.Value)
	case *ast.UnaryNode:
		if n.Operator == "-" || n.Operator == "+" {
			if literal, ok := n.Node.(*ast.IntegerNode); ok && n.Operator == "-" {
				return fixed(number, big.NewInt(-int64(literal.Value)))
			}
			c.refuse(n, "%s is not offered in front of a name", n.Operator)
		}
		c.refuse(n, "%s is for conditions: set what it negates in brackets", n.Operator)
	case *ast.BinaryNode:
		return c.arithmetic(n)
	case *ast.BuiltinNode:
		return c.call(n, n.Name, n.Arguments)
	case *ast.CallNode:
		return c.call(n, n.Callee.String(), n.Arguments)
	case *ast.VariableDeclaratorNode:
		c.refuse(n, "let is not offered: a name may hide what is compared")
	case *ast.ConditionalNode:
		c.refuse(n, "what depends on a condition is not offered: write && and ||, or two rules")
	case *ast.ArrayNode:
		c.refuse(n, "a list stands behind in only")
	default:
		c.refuse(n, "%s is not offered", n)
	}
	return fixed("", nil)
}

func (c *compiler) call(node ast.Node, name string, arguments []ast.Node) term {
	f := map[string]func(string) string{"lower": oneCase(lowerASCII), "upper": oneCase(upperASCII), "trim": strings.TrimSpace}[name]
	if f == nil {
		c.refuse(node, "unknown name %s: the functions are lower, upper and trim", name)
		return fixed("", nil)
	}
	if len(arguments) != 1 {
		c.refuse(node, "%s takes one text", name)
		return fixed("", nil)
	}
	t := c.term(arguments[0])
	if t.kind != text || t.fact == "" {
		c.refuse(node, "%s takes the name of a text", name)
	}
	return term{kind: text, uses: t.uses, shape: f, value: func(given facts) any { return f(t.value(given).(string)) }}
}

func (c *compiler) arithmetic(n *ast.BinaryNode) term {
	operate := map[string]func(z, x, y *big.Int) *big.Int{
		"+": (*big.Int).Add, "-": (*big.Int).Sub, "*": (*big.Int).Mul, "%": (*big.Int).Rem,
	}[n.Operator]
	if operate == nil {
		switch n.Operator {
		case "/", "**", "^":
			c.refuse(n, "%s is not offered: its results are not exact", n.Operator)
		default:
			c.refuse(n, "%s is not offered here: comparisons are joined by && and ||", n.Operator)
		}
		return fixed("", nil)
	}
	left, right := c.term(n.Left), c.term(n.Right)
	if left.kind != number || right.kind != number {
		c.refuse(n, "%s is for numbers, and here are %s and %s", n.Operator, left.kind, right.kind)
		return fixed(number, big.NewInt(0))
	}
	if n.Operator == "%" && (!right.fixed() || right.value(nil).(*big.Int).Sign() == 0) {
		c.refuse(n, "%% needs a number that is not 0 behind it")
		return fixed(number, big.NewInt(0))
	}
	value := func(f facts) any {
		return operate(new(big.Int), left.value(f).(*big.Int), right.value(f).(*big.Int))
	}
	if left.fixed() && right.fixed() {
		return fixed(number, value(nil))
	}
	return term{kind: number, uses: slices.Concat(left.uses, right.uses), value: value}
}

// words are the possible values of a fact for which all are known, except types.
var words = map[string][]string{
	"weekday": {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"},
}

// word checks the text that a fact is compared with, since a misspelled one would never be equal.
func (c *compiler) word(node ast.Node, fact, word string) {
	if fact == "method" && word != "" && !method.MatchString(word) {
		c.refuse(node, "%q is no method: they are written as 0x and 8 digits, such as \"0x095ea7b3\", or \"\" where there is none", word)
	}
	known := words[fact]
	if fact == "type" {
		known = c.types
	}
	if known != nil && !slices.Contains(known, word) {
		hint := ""
		if fact == "type" {
			hint = ", and what the file lists as types"
		}
		c.refuse(node, "%q is no %s: they are written %s%s", word, fact, strings.Join(known, ", "), hint)
	}
}

var method = regexp.MustCompile(`(?i)^0x[0-9a-f]{8}$`)

// clock parses a time of day as minutes.
func (c *compiler) clock(node ast.Node, t term) *big.Int {
	written, _ := t.value(nil).(string)
	at, err := time.Parse("15:04", written)
	if err != nil {
		c.refuse(node, "a time of day is written as in \"09:30\"")
	}
	return wide(at.Hour()*60 + at.Minute())
}

// standsFor are the chains on which a payment's value is in ether: Ethereum and its test networks.
var standsFor = []int64{1, 3, 4, 5, 17000, 11155111}

// figure parses an amount with its asset, such as "0.5 BTC", with which a number is compared. It holds only for that
// asset, which is a separate condition.
func (c *compiler) figure(node ast.Node, of term, written string) (*big.Int, *condition) {
	none := big.NewInt(0)
	digits, asset, _ := strings.Cut(written, " ")
	beside := "asset"
	switch {
	case slices.Equal(of.uses, []string{"receive_amount"}):
		beside = "receive_asset"
	case slices.Equal(of.uses, []string{"value"}), slices.Equal(of.uses, []string{"gas"}):
		beside = "chain"
	case slices.ContainsFunc(of.uses, func(name string) bool { return !slices.Contains(amountFacts, name) }):
		c.refuse(node, "%s cannot be an amount of an asset", strings.Join(of.uses, ", "))
		return none, nil
	}
	places, known := c.decimals[asset]
	if beside == "chain" {
		places, known = 18, asset == "ETH" // value and gas are in wei
		if !known {
			c.refuse(node, `the value and the gas of a payment are compared with wei, or with an amount such as "0.5 ETH", not with %q`, written)
			return none, nil
		}
	}
	if !known {
		c.refuse(node, `%q is no amount such as "0.5 BTC" of an asset whose decimals are known: BTC, ETH, their test assets, and what the file lists as decimals`, written)
		return none, nil
	}
	c.counted[asset] = beside != "chain" || c.counted[asset]
	n, err := parseFigure(digits, places)
	if err != nil {
		c.refuse(node, "%q: %s", written, err)
		return none, nil
	}
	if beside == "chain" {
		var chains []span
		for _, id := range standsFor {
			chains = append(chains, point(wide(id)))
		}
		return n, numberIn("chain", "chain is Ethereum's", chains)
	}
	return n, textIn(beside, fmt.Sprintf("%s == %q", beside, asset), []string{asset})
}

// parseFigure parses a decimal figure exactly, as base units.
func parseFigure(digits string, places int) (*big.Int, error) {
	whole, fraction, point := strings.Cut(digits, ".")
	isDigits := func(s string) bool {
		return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	}
	switch {
	case !isDigits(whole) || point && !isDigits(fraction):
		return nil, errors.New("it must be a decimal number and an asset, such as \"1.5 BTC\"")
	case len(fraction) > places:
		return nil, fmt.Errorf("it has more than %d decimals", places)
	}
	n, _ := new(big.Int).SetString(whole+fraction+strings.Repeat("0", places-len(fraction)), 10)
	return n, nil
}

// knownDecimals are those of the assets whose base unit the service's documentation names; see [qredo.Amount].
var knownDecimals = map[qredo.AssetCode]int{"BTC": 8, "BTC-TESTNET": 8, "ETH": 9, "ETH-TESTNET": 9, "ETH-GOERLI": 9}
