package approver

import (
	"maps"
	"regexp"
	"slices"

	"github.com/expr-lang/expr/ast"
)

// mayBeEmpty is what the service leaves empty where a rule may expect a value, and when.
var mayBeEmpty = map[string]string{
	"company":        "company is empty for withdrawals",
	"initiator":      "initiator is empty in the service's examples",
	"initiator_name": "initiator_name is empty in the service's examples",
}

// warnings tell of a rule that does not do what it seems to where a name is empty: it matches for that reason, or it
// is there to stop something and does not match.
func (r *rule) warnings(root ast.Node) []string {
	uses := map[string]bool{}
	readEmpty(root, true, uses)
	var warnings []string
	for _, name := range slices.Sorted(maps.Keys(uses)) {
		problem := ""
		switch {
		case uses[name]:
			problem = "the rule may match for that: say with == what it must be"
		case r.verdict != Approve:
			problem = "the rule does not match then, and stops nothing: say what it must be in the rules that approve"
		default:
			continue // what must be something is not empty: nothing is approved that was not meant
		}
		warnings = append(warnings, mayBeEmpty[name]+"; "+problem)
	}
	return warnings
}

// readEmpty finds the names in an expression that may be empty, and for each whether its being empty may make the
// expression true. positive tells that the part is not negated.
func readEmpty(part ast.Node, positive bool, uses map[string]bool) {
	switch n := part.(type) {
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			readEmpty(n.Node, false, uses)
			return
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "and", "&&", "or", "||":
			readEmpty(n.Left, positive, uses)
			readEmpty(n.Right, positive, uses)
			return
		}
		name, with := textOf(n.Left), n.Right
		if name == "" && n.Operator == "==" {
			name, with = textOf(n.Right), n.Left
		}
		if name != "" && positive && neverOfEmpty(n.Operator, with) {
			if _, known := uses[name]; !known {
				uses[name] = false
			}
			return
		}
	}
	// Whatever else is done with a name, it may be for being empty that it is true.
	ast.Find(part, func(n ast.Node) bool {
		if name := textOf(n); name != "" {
			uses[name] = true
		}
		return false
	})
}

// textOf returns the name that may be empty, if a part of an expression is that name's text.
func textOf(part ast.Node) string {
	switch n := part.(type) {
	case *ast.IdentifierNode:
		if mayBeEmpty[n.Value] != "" {
			return n.Value
		}
	case *ast.CallNode: // lower, upper or trim
		if len(n.Arguments) == 1 {
			return textOf(n.Arguments[0])
		}
	}
	return ""
}

// neverOfEmpty reports whether a comparison with a constant cannot be true of an empty text.
func neverOfEmpty(operator string, with ast.Node) bool {
	switch n := with.(type) {
	case *ast.StringNode:
		switch operator {
		case "==", "startsWith", "endsWith", "contains":
			return n.Value != ""
		case "matches":
			pattern, err := regexp.Compile(n.Value)
			return err == nil && !pattern.MatchString("")
		}
	case *ast.ArrayNode:
		return operator == "in" && !slices.ContainsFunc(n.Nodes, func(each ast.Node) bool { return !neverOfEmpty("==", each) })
	}
	return false
}
