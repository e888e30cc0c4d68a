package approver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
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
// it is a [*RuleError]. The rules' time of day comes from a clock, [time.Now] in a program.
func LoadRules(path string, now func() time.Time) (*Rules, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("approver: rules: %w", err)
	}
	return ParseRules(path, data, now)
}

// ParseRules reads the content of a rule file as [LoadRules] does. The name is for errors.
func ParseRules(name string, data []byte, now func() time.Time) (*Rules, error) {
	l := loader{file: name}
	rules, err := l.load(data)
	if err != nil {
		return nil, err
	}
	return &Rules{rules: rules, hash: hashOf(data), now: now}, nil
}

// loader reads a rule file. It walks the document itself, to know the line of everything.
type loader struct {
	file string
	rule string // that is being read
}

func (l *loader) fault(node *yaml.Node, format string, args ...any) error {
	e := &RuleError{File: l.file, Rule: l.rule, Problem: fmt.Sprintf(format, args...)}
	if node != nil {
		e.Line = node.Line
	}
	return e
}

func (l *loader) load(data []byte) ([]rule, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, l.fault(nil, "it is empty")
	} else if err != nil {
		return nil, l.fault(nil, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, l.fault(&second, "only one document is read")
	}
	fields, err := l.fields(document.Content[0], "rules")
	if err != nil {
		return nil, err
	}
	list := fields["rules"]
	if list == nil || list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		return nil, l.fault(document.Content[0], "rules must be a list of at least one rule")
	}
	rules := make([]rule, 0, len(list.Content))
	lines := map[string]int{}
	for _, node := range list.Content {
		r, err := l.readRule(node)
		if err != nil {
			return nil, err
		}
		if first, taken := lines[r.name]; taken {
			return nil, l.fault(node, "line %d has a rule of this name", first)
		}
		lines[r.name] = r.line
		rules = append(rules, r)
	}
	return rules, nil
}

// fields returns the values of a mapping by key, which must be among those known.
func (l *loader) fields(node *yaml.Node, known ...string) (map[string]*yaml.Node, error) {
	if node.Kind != yaml.MappingNode {
		return nil, l.fault(node, "here must be keys and values: %s", strings.Join(known, ", "))
	}
	fields := map[string]*yaml.Node{}
	for i := 0; i < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		switch {
		case !slices.Contains(known, key.Value):
			return nil, l.fault(key, "unknown key %q; known are %s", key.Value, strings.Join(known, ", "))
		case fields[key.Value] != nil:
			return nil, l.fault(key, "%s is given twice", key.Value)
		case value.Kind == yaml.AliasNode || value.Anchor != "":
			return nil, l.fault(value, "%s: anchors and aliases are not read", key.Value)
		}
		fields[key.Value] = value
	}
	return fields, nil
}

func (l *loader) readRule(node *yaml.Node) (rule, error) {
	l.rule = ""
	r := rule{line: node.Line, overLimit: Leave}
	fields, err := l.fields(node, "name", "when", "then", "reason", "limits", "over_limit")
	if err != nil {
		return r, err
	}
	if r.name, err = l.text(node, fields, "name"); err != nil {
		return r, err
	}
	l.rule = r.name
	if r.when, err = l.text(node, fields, "when"); err != nil {
		return r, err
	}
	if r.program, r.namesType, err = l.compile(fields["when"]); err != nil {
		return r, err
	}
	if r.verdict, err = l.verdict(node, fields, "then", Approve, Reject, Leave); err != nil {
		return r, err
	}
	if fields["reason"] != nil {
		if r.reason, err = l.text(node, fields, "reason"); err != nil {
			return r, err
		}
	}
	if fields["over_limit"] != nil {
		if r.overLimit, err = l.verdict(node, fields, "over_limit", Leave, Reject); err != nil {
			return r, err
		}
		if fields["limits"] == nil {
			return r, l.fault(fields["over_limit"], "over_limit needs limits")
		}
	}
	if fields["limits"] != nil {
		if r.verdict != Approve {
			return r, l.fault(fields["limits"], "limits are for rules that approve")
		}
		r.limits, err = l.readLimits(fields["limits"])
	}
	return r, err
}

func (l *loader) compile(node *yaml.Node) (*vm.Program, bool, error) {
	program, namesType, err := compile(node.Value)
	if err == nil {
		return program, namesType, nil
	}
	line := node.Line
	if e := (*expressionError)(nil); errors.As(err, &e) {
		line += e.line
	}
	if node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		line++ // the text begins below the sign
	}
	return nil, false, &RuleError{File: l.file, Line: line, Rule: l.rule, Expression: strings.TrimSpace(node.Value), Problem: err.Error()}
}

// text returns a value that must be there and be text.
func (l *loader) text(parent *yaml.Node, fields map[string]*yaml.Node, key string) (string, error) {
	node := fields[key]
	switch {
	case node == nil:
		return "", l.fault(parent, "%s is missing", key)
	case node.Kind != yaml.ScalarNode || node.Tag == "!!null" || strings.TrimSpace(node.Value) == "":
		return "", l.fault(node, "%s must be text", key)
	}
	return node.Value, nil
}

func (l *loader) verdict(parent *yaml.Node, fields map[string]*yaml.Node, key string, allowed ...Verdict) (Verdict, error) {
	text, err := l.text(parent, fields, key)
	if err != nil {
		return "", err
	}
	names := make([]string, len(allowed))
	for i, v := range allowed {
		if names[i] = string(v); names[i] == text {
			return v, nil
		}
	}
	return "", l.fault(fields[key], "%s must be one of %s, is %q", key, strings.Join(names, ", "), text)
}

func (l *loader) readLimits(list *yaml.Node) ([]limit, error) {
	if list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		return nil, l.fault(list, "limits must be a list of at least one limit")
	}
	limits := make([]limit, 0, len(list.Content))
	for _, node := range list.Content {
		fields, err := l.fields(node, "per", "window", "max_amount", "max_count")
		if err != nil {
			return nil, err
		}
		var m limit
		if m.per, err = l.text(node, fields, "per"); err != nil {
			return nil, err
		}
		if m.per != "asset" && m.per != "wallet" && m.per != "recipient" {
			return nil, l.fault(fields["per"], "per must be one of asset, wallet, recipient, is %q", m.per)
		}
		window, err := l.text(node, fields, "window")
		if err != nil {
			return nil, err
		}
		m.window, err = time.ParseDuration(window)
		if err != nil || m.window <= 0 || m.window > maxWindow {
			return nil, l.fault(fields["window"], "window must be a duration such as 24h, more than zero and at most %s, is %q", maxWindow, window)
		}
		if m.maxAmount, err = l.number(fields, "max_amount"); err != nil {
			return nil, err
		}
		if m.maxCount, err = l.number(fields, "max_count"); err != nil {
			return nil, err
		}
		if m.maxAmount == 0 && m.maxCount == 0 {
			return nil, l.fault(node, "a limit needs max_amount or max_count")
		}
		limits = append(limits, m)
	}
	return limits, nil
}

// number returns a value that may be absent, and else must be a whole number above zero.
func (l *loader) number(fields map[string]*yaml.Node, key string) (int64, error) {
	node := fields[key]
	if node == nil {
		return 0, nil
	}
	var n int64
	if node.Kind != yaml.ScalarNode || node.Tag != "!!int" || node.Decode(&n) != nil || n <= 0 {
		return 0, l.fault(node, "%s must be a whole number above zero and within 64 bits, is %q", key, node.Value)
	}
	return n, nil
}
