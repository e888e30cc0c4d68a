package approver

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/qredo-go/qredo/internal/durable"
)

// RuleError is an error in a rule file.
type RuleError struct {
	File       string
	Line       int    // counted from 1; 0 if it is about the file as a whole
	Rule       string // the rule's name, if it has one yet
	Expression string // the faulty expression, if one is
	Problem    string
}

// Error gives the place as file and line, so that editors find it.
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

// rule is a line of a policy: what it matches, and what follows.
type rule struct {
	name      string
	line      int
	when      string
	condition *condition
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
	asset     string // of maxAmount, if it is given with one
	maxCount  int64
}

// LoadRules reads a rule file; the package documentation describes its format. An error in it is a [*RuleError], and so is a
// file that others can write to or replace, unless you give [WithInsecureFiles]. [Rules.Warnings] lists what is allowed but may
// not do what it seems to. The rules use the time of day of [WithClock]. Default: [time.Now].
func LoadRules(path string, opts ...FileOption) (*Rules, error) {
	f, err := newFileOptions(opts)
	if err = cmp.Or(err, f.notSealed()); err != nil {
		return nil, err
	}
	writers := (*durable.OthersCanWriteError)(nil)
	if err := checkFile(path, false); errors.As(err, &writers) && !f.insecure {
		return nil, &RuleError{File: path, Problem: err.Error()}
	} else if err != nil && writers == nil {
		return nil, fmt.Errorf("approver: rules: %w", err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("approver: rules: %w", err)
	}
	rules, err := ParseRules(path, data, WithClock(f.now))
	if err == nil && writers != nil {
		rules.warnings = append(rules.warnings, writers.Error())
	}
	return rules, err
}

// ParseRules reads the content of a rule file as [LoadRules] does. The name is used in errors.
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
	return &Rules{rules: rules, dictionary: &l.dictionary, warnings: l.warnings, hash: hashOf(data), now: now}, nil
}

// loader reads a rule file. It walks the document itself, to know the line of everything. It continues after a problem,
// and the result is then discarded: only the first problem is reported.
type loader struct {
	dictionary
	file     string
	rule     string   // the rule that is being read
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
	top := l.document(data)
	if l.err != nil {
		return nil
	}
	fields := l.fields(top, "rules", "lists", "types", "decimals")
	l.readDictionary(fields)
	list := l.list(top, fields["rules"], "rules", "rule")
	rules := make([]rule, 0, len(list))
	for _, node := range list {
		r := l.readRule(node)
		for _, before := range rules {
			switch {
			case before.name == r.name:
				l.fault(node, "line %d has a rule of this name", before.line)
			case before.condition.everything() && before.verdict != Approve:
				l.fault(node, "rule %q in line %d matches everything: this one never decides", before.name, before.line)
			}
		}
		rules = append(rules, r)
	}
	l.rule = ""
	for _, name := range slices.Sorted(maps.Keys(l.lists)) {
		if !l.used[name] {
			l.warn(fields["lists"], "no rule asks for list %s", name)
		}
	}
	return rules
}

func (l *loader) warn(node *yaml.Node, format string, args ...any) {
	about := ""
	if l.rule != "" {
		about = fmt.Sprintf("rule %q: ", l.rule)
	}
	l.warnings = append(l.warnings, fmt.Sprintf("%s:%d: %s", l.file, node.Line, about+fmt.Sprintf(format, args...)))
}

// list returns the elements of a list, which must not be empty.
func (l *loader) list(parent, node *yaml.Node, key, part string) []*yaml.Node {
	if node == nil || node.Kind != yaml.SequenceNode || len(node.Content) == 0 {
		l.fault(parent, "%s must be a list of at least one %s", key, part)
		return nil
	}
	return node.Content
}

// fields returns the values of a mapping by key, which must be among the known ones.
func (l *loader) fields(node *yaml.Node, known ...string) map[string]*yaml.Node {
	if node.Kind != yaml.MappingNode {
		l.fault(node, "here must be keys and values: %s", strings.Join(known, ", "))
		return nil
	}
	fields := map[string]*yaml.Node{}
	for i := 0; i < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode:
			l.fault(key, "a key must be a word")
		case !slices.Contains(known, key.Value):
			l.fault(key, "unknown key %q; known are %s", key.Value, strings.Join(known, ", "))
		case fields[key.Value] != nil:
			l.fault(key, "%s is given twice", key.Value)
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
	r.condition = l.compile(fields["when"])
	r.verdict = Verdict(l.oneOf(node, fields, "then", "approve", "reject", "leave"))
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
	l.review(&r, node, fields["when"])
	return r
}

// review checks a rule as a whole.
func (l *loader) review(r *rule, node, when *yaml.Node) {
	if l.err != nil {
		return
	}
	warnings, err := r.review()
	if err != nil {
		l.report(&RuleError{File: l.file, Line: when.Line, Rule: l.rule, Expression: strings.TrimSpace(when.Value), Problem: err.Error()})
	}
	for _, warning := range warnings {
		l.warn(node, "%s", warning)
	}
}

// longest is the maximum length of an expression, in bytes.
const longest = 64 << 10

// compile compiles an expression. It returns nil after a problem.
func (l *loader) compile(node *yaml.Node) *condition {
	if l.err != nil {
		return &condition{}
	}
	if len(node.Value) > longest { // nested brackets use up the parser's stack, which would crash the program
		l.fault(node, "the expression has %d bytes, more than %d: use lists, or several rules", len(node.Value), longest)
		return &condition{}
	}
	c, err := compile(node.Value, &l.dictionary)
	if err == nil {
		return c
	}
	line := node.Line
	if e := (*expressionError)(nil); errors.As(err, &e) {
		line += e.line
	}
	if node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		line++ // the text begins below the sign
	}
	l.report(&RuleError{File: l.file, Line: line, Rule: l.rule, Expression: strings.TrimSpace(node.Value), Problem: err.Error()})
	return &condition{}
}

// text returns a value that must be present and a text.
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

// oneOf returns a text that must be one of those allowed.
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
	if m.window, err = time.ParseDuration(window); err != nil || m.window < minWindow || m.window > maxWindow {
		l.fault(fields["window"], "window must be a duration such as 24h, at least %s and at most %s, is %q", minWindow, maxWindow, window)
	}
	m.maxCount = l.number(fields, "max_count")
	if m.asset = l.amountOf(fields["max_amount"], &m.maxAmount); m.asset == "" {
		m.maxAmount = l.number(fields, "max_amount")
	}
	if m.maxAmount == 0 && m.maxCount == 0 {
		l.fault(node, "a limit needs max_amount or max_count")
	}
	return m
}

// amountOf parses an amount with its asset, such as "0.5 BTC". A value that is not a text with a space in it is not one.
func (l *loader) amountOf(node *yaml.Node, amount *int64) (asset string) {
	if node == nil || node.Kind != yaml.ScalarNode || !strings.Contains(node.Value, " ") {
		return ""
	}
	figure, asset, _ := strings.Cut(node.Value, " ")
	places, known := l.decimals[asset]
	if !known {
		l.fault(node, "the decimals of %q are not known: say them with decimals: {%s: …}", asset, asset)
		return asset
	}
	l.counted[asset] = true
	n, err := parseFigure(figure, places)
	switch {
	case err != nil:
		l.fault(node, "%q: %s", node.Value, err)
	case n.Sign() <= 0 || !n.IsInt64():
		l.fault(node, "%q must be above zero and within 64 bits", node.Value)
	default:
		*amount = n.Int64()
	}
	return asset
}

// leadingZero matches numbers such as 0100 and 0_100, but neither 0 nor 0x40.
var leadingZero = regexp.MustCompile(`^[+-]?0_*[0-9]`)

// number returns a value that may be absent, and otherwise must be a whole number above zero.
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
