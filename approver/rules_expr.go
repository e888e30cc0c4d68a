package approver

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"github.com/qredo-go/qredo"
)

// facts is what the expressions of a rule file can ask for, by name.
type facts map[string]any

// vocabulary has each name, and a value of its type.
var vocabulary, _ = factsOf(qredo.Action{Details: new(qredo.ActionDetails)}, time.Time{})

// factsOf takes the facts from an action's details. Where something would move and the service does not
// say how much, it is an error.
func factsOf(a qredo.Action, now time.Time) (facts, error) {
	now = now.UTC()
	f := facts{"type": string(a.Type), "hour": now.Hour(), "minute": now.Minute(), "weekday": now.Weekday().String()}
	d := a.Details
	if d == nil {
		return f, errors.New("the action has no details")
	}
	asset, wallet := d.Asset, d.WalletID
	if d.Wallet != nil { // a wallet that is to be connected
		asset, wallet = d.Wallet.Asset, d.Wallet.ID
	}
	maps.Copy(f, facts{
		"asset": string(asset), "amount": int64(d.Amount), "net_amount": int64(d.NetAmount), "fees": int64(d.Fees),
		"recipient": cmp.Or(d.RecipientAddress, d.RecipientID), "recipient_name": d.RecipientName, "whitelist_name": d.RecipientAddressName,
		"initiator": d.InitiatedBy, "initiator_name": d.InitiatorName, "reference": d.Reference, "benefit_of": d.BenefitOf,
		"wallet": string(wallet), "fund": string(d.FundID), "company": string(d.CompanyID),
	})
	if movesMoney(a.Type) && d.Amount <= 0 {
		return f, fmt.Errorf("the action's amount is %d", d.Amount)
	}
	return f, nil
}

func movesMoney(t qredo.ActionType) bool {
	switch t {
	case qredo.ActionWithdraw, qredo.ActionTransfer, qredo.ActionSwap, qredo.ActionSwapTake:
		return true
	case qredo.ActionWalletConnect:
	}
	return false
}

// expressionError is what is wrong with an expression, and in which of its lines.
type expressionError struct {
	line    int // from 0
	problem string
}

func (e *expressionError) Error() string { return e.problem }

// compile checks an expression, types included, and makes it ready to run. What could be inexact or
// surprising with money is not in the language: fractions, division, sums that wrap, the machine's clock.
func compile(source string) (*vm.Program, grammar, error) {
	found := grammar{source: source}
	options := []expr.Option{
		expr.Env(map[string]any(vocabulary)), expr.AsBool(), expr.DisableAllBuiltins(),
		expr.Patch(&found),
		expr.Function("lower", textFunction(strings.ToLower), new(func(string) string)),
		expr.Function("upper", textFunction(strings.ToUpper), new(func(string) string)),
		expr.Function("trim", textFunction(strings.TrimSpace), new(func(string) string)),
	}
	for operator, op := range map[string]struct {
		name string
		f    func(a, b int64) (int64, bool)
	}{"+": {"sum", sum}, "-": {"difference", difference}, "*": {"product", product}, "%": {"remainder", remainder}} {
		options = append(options,
			expr.Function(op.name, exact(operator, op.f),
				new(func(int64, int64) int64), new(func(int, int64) int64), new(func(int64, int) int64), new(func(int, int) int64)),
			expr.Operator(operator, op.name))
	}
	program, err := expr.Compile(source, append(options, expr.WarnOnAny())...)
	if found.problem != nil {
		return nil, found, found.problem
	}
	if e := (*file.Error)(nil); errors.As(err, &e) {
		return nil, found, &expressionError{line: max(e.Line-1, 0), problem: fmt.Sprintf("%s (column %d)", e.Message, e.Column+1)}
	}
	return program, found, err
}

// grammar finds what the language has and rules must not use, and whether the type of action is asked for.
type grammar struct {
	source    string
	problem   error
	namesType bool
	root      ast.Node // that is the whole expression
}

// Visit implements [ast.Visitor].
func (g *grammar) Visit(node *ast.Node) {
	g.root = *node // the last one that is visited
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		g.namesType = g.namesType || n.Value == "type"
	case *ast.FloatNode:
		g.refuse(n, "%v: amounts are whole numbers of base units", n.Value)
	case *ast.UnaryNode:
		if _, number := n.Node.(*ast.IntegerNode); n.Operator == "-" && !number {
			g.refuse(n, "- is not offered in front of a name")
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "/", "**", "^":
			g.refuse(n, "%s is not offered: its results are not exact", n.Operator)
		case "==", "!=", "in":
			g.compared(n.Left, n.Right)
			g.compared(n.Right, n.Left)
		}
	}
}

// words is what a name can stand for, where all of it is known.
var words = map[string][]string{
	"type":    {"ApproveNewWalletConnect", "ApproveSwap", "ApproveSwapTake", "ApproveTransfer", "ApproveWithdraw"},
	"weekday": {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"},
}

// compared checks the text that a name is compared with, since a misspelled one would never be equal.
func (g *grammar) compared(name, with ast.Node) {
	left, named := name.(*ast.IdentifierNode)
	if !named || words[left.Value] == nil {
		return
	}
	switch n := with.(type) {
	case *ast.ArrayNode:
		for _, each := range n.Nodes {
			g.compared(name, each)
		}
	case *ast.StringNode:
		if known := words[left.Value]; !slices.Contains(known, n.Value) {
			g.refuse(n, "%q is no %s: they are written %s", n.Value, left.Value, strings.Join(known, ", "))
		}
	}
}

func (g *grammar) refuse(node ast.Node, format string, args ...any) {
	if g.problem == nil {
		before := []rune(g.source)[:node.Location().From]
		g.problem = &expressionError{line: strings.Count(string(before), "\n"), problem: fmt.Sprintf(format, args...)}
	}
}

func textFunction(f func(string) string) func(...any) (any, error) {
	return func(args ...any) (any, error) { return f(args[0].(string)), nil }
}

var errOverflow = errors.New("the result is beyond 64 bits")

// exact is an operation on whole numbers that fails where the result would be wrong.
func exact(operator string, f func(a, b int64) (int64, bool)) func(...any) (any, error) {
	number := func(v any) int64 {
		if n, small := v.(int); small {
			return int64(n)
		}
		return v.(int64)
	}
	return func(args ...any) (any, error) {
		a, b := number(args[0]), number(args[1])
		result, ok := f(a, b)
		if !ok {
			return nil, fmt.Errorf("%d %s %d: %w", a, operator, b, errOverflow)
		}
		return result, nil
	}
}

func sum(a, b int64) (int64, bool) { return a + b, (a+b > a) == (b > 0) }

func difference(a, b int64) (int64, bool) { return a - b, (a-b < a) == (b > 0) }

func product(a, b int64) (int64, bool) {
	if a == 0 || b == 0 {
		return 0, true
	}
	if a == -1 && b == math.MinInt64 || b == -1 && a == math.MinInt64 {
		return 0, false
	}
	return a * b, a*b/b == a
}

func remainder(a, b int64) (int64, bool) {
	if b == 0 {
		return 0, false
	}
	return a % b, true
}
