package approver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/vm"
	"go.yaml.in/yaml/v3"
)

// RuleError is what is wrong with a rule file.
type RuleError struct {
	File       string
	Line       int    // counted from 1; 0 if it is about the file as a whole
	Rule       string // the rule's name, if it has one yet
	Expression string // the expression that is wrong, if one is
	Problem    string
}

// Error names the place as file and line, so that editors find it.
func (e *RuleError) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	if e.Rule != "" {
		fmt.Fprintf(&b, ": rule %q", e.Rule)
	}
	if e.Expression != "" {
		fmt.Fprintf(&b, ": expression %q", e.Expression)
	}
	return b.String() + ": " + e.Problem
}

// rule is a line of a policy: what it matches, and what then.
type rule struct {
	name      string
	line      int
	when      string
	program   *vm.Program
	namesType bool // the expression asks for the type of action
	verdict   Verdict
	reason    string
	limits    []limit
	overLimit Verdict
}

// limit is what a rule may approve within a rolling window.
type limit struct {
	per       string // "asset", "wallet" or "recipient"
	window    time.Duration
	maxAmount int64
	maxCount  int64
}

// LoadRules reads a rule file; see the package's description for what can stand in it. What is wrong with
// it is a [*RuleError]; [Rules.Warnings] tells what is allowed and may not do what it seems to. The rules' time
// of day is that of [time.Now] unless [WithClock] is given.
func LoadRules(path string, opts ...ClockOption) (*Rules, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("approver: rules: %w", err)
	}
	return ParseRules(path, data, opts...)
}

// ParseRules reads the content of a rule file as [LoadRules] does. The name is for errors.
func ParseRules(name string, data []byte, opts ...ClockOption) (*Rules, error) {
	now, err := clock(opts)
	if err != nil {
		return nil, err
	}
	l := loader{file: name}
	rules := l.load(data)
	if l.err != nil {
		return nil, l.err
	}
	return &Rules{rules: rules, warnings: l.warnings, hash: hashOf(data), now: now}, nil
}

// loader reads a rule file. It walks the document itself, to know the line of everything. It goes on after
// a problem, and what it reads then counts for nothing: only the first problem is told.
type loader struct {
	file     string
	rule     string   // that is being read
	err      error    // the first problem
	warnings []string // see [Rules.Warnings]
}

func (l *loader) fault(node *yaml.Node, format string, args ...any) {
	e := &RuleError{File: l.file, Rule: l.rule, Problem: fmt.Sprintf(format, args...)}
	if node != nil {
		e.Line = node.Line
	}
	l.report(e)
}

func (l *loader) report(e *RuleError) {
	if l.err == nil {
		l.err = e
	}
}

func (l *loader) load(data []byte) []rule {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		l.fault(nil, "it is empty")
		return nil
	} else if err != nil {
		l.fault(nil, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
		return nil
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		l.fault(&second, "only one document is read")
	}
	top := document.Content[0]
	list := l.list(top, l.fields(top, "rules")["rules"], "rules", "rule")
	rules := make([]rule, 0, len(list))
	for _, node := range list {
		r := l.readRule(node)
		if i := slices.IndexFunc(rules, func(before rule) bool { return before.name == r.name }); i >= 0 {
			l.fault(node, "line %d has a rule of this name", rules[i].line)
		}
		rules = append(rules, r)
	}
	return rules
}

// list returns the parts of a list, of which there must be at least one.
func (l *loader) list(parent, node *yaml.Node, key, part string) []*yaml.Node {
	if node == nil || node.Kind != yaml.SequenceNode || len(node.Content) == 0 {
		l.fault(parent, "%s must be a list of at least one %s", key, part)
		return nil
	}
	return node.Content
}

// fields returns the values of a mapping by key, which must be among those known.
func (l *loader) fields(node *yaml.Node, known ...string) map[string]*yaml.Node {
	if node.Kind != yaml.MappingNode {
		l.fault(node, "here must be keys and values: %s", strings.Join(known, ", "))
		return nil
	}
	fields := map[string]*yaml.Node{}
	for i := 0; i < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		switch {
		case !slices.Contains(known, key.Value):
			l.fault(key, "unknown key %q; known are %s", key.Value, strings.Join(known, ", "))
		case fields[key.Value] != nil:
			l.fault(key, "%s is given twice", key.Value)
		case value.Kind == yaml.AliasNode || value.Anchor != "":
			l.fault(value, "%s: anchors and aliases are not read", key.Value)
		}
		fields[key.Value] = value
	}
	return fields
}

func (l *loader) readRule(node *yaml.Node) rule {
	l.rule = ""
	fields := l.fields(node, "name", "when", "then", "reason", "limits", "over_limit")
	r := rule{line: node.Line, overLimit: Leave}
	r.name = l.text(node, fields, "name")
	l.rule = r.name
	r.when = l.text(node, fields, "when")
	program, found := l.compile(fields["when"])
	r.program, r.namesType = program, found.namesType
	r.verdict = Verdict(l.oneOf(node, fields, "then", "approve", "reject", "leave"))
	for _, warning := range r.warnings(found.root) {
		l.warnings = append(l.warnings, fmt.Sprintf("%s:%d: rule %q: %s", l.file, r.line, r.name, warning))
	}
	if fields["reason"] != nil {
		r.reason = l.text(node, fields, "reason")
	}
	if over := fields["over_limit"]; over != nil {
		r.overLimit = Verdict(l.oneOf(node, fields, "over_limit", "leave", "reject"))
		if fields["limits"] == nil {
			l.fault(over, "over_limit needs limits")
		}
	}
	if limits := fields["limits"]; limits != nil {
		if r.verdict != Approve {
			l.fault(limits, "limits are for rules that approve")
		}
		for _, node := range l.list(limits, limits, "limits", "limit") {
			r.limits = append(r.limits, l.readLimit(node))
		}
	}
	return r
}

// compile makes an expression ready to run. There is none after a problem.
func (l *loader) compile(node *yaml.Node) (*vm.Program, grammar) {
	if l.err != nil {
		return nil, grammar{}
	}
	program, found, err := compile(node.Value)
	if err == nil {
		return program, found
	}
	line := node.Line
	if e := (*expressionError)(nil); errors.As(err, &e) {
		line += e.line
	}
	if node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		line++ // the text begins below the sign
	}
	l.report(&RuleError{File: l.file, Line: line, Rule: l.rule, Expression: strings.TrimSpace(node.Value), Problem: err.Error()})
	return nil, grammar{}
}

// text returns a value that must be there and be text.
func (l *loader) text(parent *yaml.Node, fields map[string]*yaml.Node, key string) string {
	node := fields[key]
	switch {
	case node == nil:
		l.fault(parent, "%s is missing", key)
		return ""
	case node.Kind != yaml.ScalarNode || node.Tag == "!!null" || strings.TrimSpace(node.Value) == "":
		l.fault(node, "%s must be text", key)
	}
	return node.Value
}

// oneOf returns a text that must be among those allowed.
func (l *loader) oneOf(parent *yaml.Node, fields map[string]*yaml.Node, key string, allowed ...string) string {
	text := l.text(parent, fields, key)
	if !slices.Contains(allowed, text) {
		l.fault(fields[key], "%s must be one of %s, is %q", key, strings.Join(allowed, ", "), text)
	}
	return text
}

func (l *loader) readLimit(node *yaml.Node) limit {
	fields := l.fields(node, "per", "window", "max_amount", "max_count")
	m := limit{per: l.oneOf(node, fields, "per", "asset", "wallet", "recipient")}
	window := l.text(node, fields, "window")
	var err error
	if m.window, err = time.ParseDuration(window); err != nil || m.window <= 0 || m.window > maxWindow {
		l.fault(fields["window"], "window must be a duration such as 24h, more than zero and at most %s, is %q", maxWindow, window)
	}
	m.maxAmount, m.maxCount = l.number(fields, "max_amount"), l.number(fields, "max_count")
	if m.maxAmount == 0 && m.maxCount == 0 {
		l.fault(node, "a limit needs max_amount or max_count")
	}
	return m
}

// leadingZero matches numbers such as 0100 and 0_100, but neither 0 nor 0x40.
var leadingZero = regexp.MustCompile(`^[+-]?0_*[0-9]`)

// number returns a value that may be absent, and else must be a whole number above zero.
func (l *loader) number(fields map[string]*yaml.Node, key string) (n int64) {
	node := fields[key]
	if node != nil && leadingZero.MatchString(node.Value) { // YAML takes 0100 for 64, which nobody means
		l.fault(node, "%s must not begin with 0, is %q", key, node.Value)
	}
	if node != nil && (node.Kind != yaml.ScalarNode || node.Tag != "!!int" || node.Decode(&n) != nil || n <= 0) {
		l.fault(node, "%s must be a whole number above zero and within 64 bits, is %q", key, node.Value)
	}
	return n
}
