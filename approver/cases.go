package approver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/web3"
)

// CaseResult is the result of a case of [Rules.Test].
type CaseResult struct {
	Case     string  `json:"case"`
	Line     int     `json:"line"`
	Want     Verdict `json:"want"`
	WantRule string  `json:"want_rule"` // empty if any rule may decide
	Got      Verdict `json:"got"`
	Rule     string  `json:"rule"` // the rule that decided
	Reason   string  `json:"reason"`
	Passed   bool    `json:"passed"`
}

// TestFile reads a file of cases and tests the rules as [Rules.Test] does.
func (r *Rules) TestFile(ctx context.Context, path string) ([]CaseResult, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("approver: cases: %w", err)
	}
	return r.Test(ctx, path, data)
}

// Test runs the rules on each case of a file of cases; the package documentation describes its format. It needs no service, and
// changes nothing: limits have counted what the case lists as approved before. An error in the file is a [*RuleError]. The name
// is used in errors.
func (r *Rules) Test(ctx context.Context, name string, data []byte) ([]CaseResult, error) {
	l := loader{file: name, dictionary: *r.dictionary}
	top := l.document(data)
	if l.err != nil {
		return nil, l.err
	}
	timed := slices.ContainsFunc(r.rules, func(r rule) bool { return r.condition.asks(clockFacts...) })
	cases := l.list(top, l.fields(top, "cases")["cases"], "cases", "case")
	results := make([]CaseResult, 0, len(cases))
	for _, node := range cases {
		c := l.readCase(node, timed)
		if l.err != nil {
			return nil, l.err
		}
		result, err := c.try(ctx, r)
		if err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	return results, l.err
}

// ruleCase is a case: what rules are asked, and what they are to say.
type ruleCase struct {
	name   string
	line   int
	at     time.Time
	action qredo.Action
	before []earlier // the oldest first
	want   Verdict
	rule   string
}

// earlier is what was approved before.
type earlier struct {
	ago    time.Duration
	times  int
	action qredo.Action
	line   int
}

// caseFacts are those that a case can give, in the order in which they are read. The others follow from these.
var caseFacts = []string{
	"type", "asset", "amount", "net_amount", "fees", "receive_asset", "receive_amount", "value", "gas", "chain", "data", "recipient", "recipient_name",
	"whitelist_name", "initiator", "initiator_name", "reference", "benefit_of", "wallet", "fund", "company", "sweep",
}

func (l *loader) readCase(node *yaml.Node, timed bool) ruleCase {
	fields := l.fields(node, "name", "at", "action", "before", "want", "rule")
	c := ruleCase{name: l.text(node, fields, "name"), line: node.Line}
	c.want = Verdict(l.oneOf(node, fields, "want", "approve", "reject", "leave"))
	if fields["rule"] != nil {
		c.rule = l.text(node, fields, "rule")
	}
	if fields["at"] != nil || timed {
		at, err := time.Parse(time.RFC3339, l.text(node, fields, "at"))
		if c.at = at; err != nil {
			l.fault(cmp.Or(fields["at"], node), "at must be a time such as 2026-03-04T12:30:00Z: the rules ask for it")
		}
	}
	if fields["action"] == nil {
		l.fault(node, "action is missing")
		return c
	}
	action := l.fields(fields["action"], caseFacts...)
	c.action = l.action(action)
	if before := fields["before"]; before != nil {
		for _, one := range l.list(before, before, "before", "action") {
			c.before = append(c.before, l.earlier(one, action))
		}
	}
	slices.SortStableFunc(c.before, func(a, b earlier) int { return cmp.Compare(b.ago, a.ago) })
	return c
}

// earlier reads what was approved before: the case's action, but for what is said of it.
func (l *loader) earlier(node *yaml.Node, action map[string]*yaml.Node) earlier {
	e := earlier{times: 1, line: node.Line}
	own := l.fields(node, append([]string{"ago", "times"}, caseFacts...)...)
	ago, err := time.ParseDuration(l.text(node, own, "ago"))
	if e.ago = ago; err != nil || ago < 0 {
		l.fault(cmp.Or(own["ago"], node), "ago must be a duration such as 90m")
	}
	if own["times"] != nil {
		e.times = int(min(l.number(own, "times"), 1_000_000))
	}
	whole := map[string]*yaml.Node{}
	for _, name := range caseFacts {
		whole[name] = cmp.Or(own[name], action[name])
	}
	if own["amount"] != nil { // what belongs to another amount counts no more
		whole["net_amount"], whole["fees"] = own["net_amount"], own["fees"]
	}
	e.action = l.action(whole)
	return e
}

// action makes an action of which the rules see the facts given.
func (l *loader) action(given map[string]*yaml.Node) qredo.Action {
	text := func(name string) string {
		if given[name] == nil {
			return ""
		}
		return given[name].Value
	}
	d := &qredo.ActionDetails{
		Asset: qredo.AssetCode(text("asset")), Amount: l.units(given["amount"], text("asset")), NetAmount: l.units(given["net_amount"], text("asset")),
		Fees: l.units(given["fees"], text("asset")), RecipientName: text("recipient_name"), RecipientAddressName: text("whitelist_name"),
		InitiatedBy: text("initiator"), InitiatorName: text("initiator_name"), Reference: text("reference"), BenefitOf: text("benefit_of"),
		WalletID: qredo.WalletID(text("wallet")), FundID: qredo.FundID(text("fund")), CompanyID: qredo.CompanyID(text("company")),
	}
	switch text("sweep") {
	case "true":
		d.TxType = sweepWord
	case "", "false":
	default:
		l.fault(given["sweep"], "sweep must be true or false, is %q", text("sweep"))
	}
	if given["net_amount"] == nil {
		d.NetAmount = d.Amount - d.Fees
	}
	a := qredo.Action{Type: qredo.ActionType(text("type")), Details: d}
	switch a.Type {
	case qredo.ActionWithdraw:
		d.RecipientAddress = text("recipient")
	case qredo.ActionExternalSign:
		d.RecipientAddress = text("recipient")
		d.ClientData = map[string]any{}
		for name, key := range map[string]string{"value": "value", "gas": "gasPrice", "chain": "chainID", "data": "data"} {
			if given[name] != nil {
				d.ClientData[key] = given[name].Value
			}
		}
		d.ClientData["gasLimit"] = "1" // the case says what it comes to
		for name, key := range map[string]string{"value": "value", "gas": "gasPrice"} {
			if digits, ether := strings.CutSuffix(text(name), " ETH"); ether {
				if wei, err := parseFigure(digits, 18); err == nil {
					d.ClientData[key] = wei.String()
				}
			}
		}
		p := web3.Of(d)
		for name, missing := range map[string]bool{"value": p.Value == nil, "gas": p.Gas == nil, "chain": p.Chain == nil, "data": p.Data == nil} {
			if given[name] != nil && missing {
				l.fault(given[name], "%s cannot be %q", name, given[name].Value)
			}
		}
	default:
		d.RecipientID = text("recipient")
	}
	if given["receive_asset"] != nil {
		d.Receive = &qredo.AssetAmount{Asset: qredo.AssetCode(text("receive_asset")), Amount: l.units(given["receive_amount"], text("receive_asset"))}
	}
	if !slices.Contains(l.types, string(a.Type)) {
		l.fault(given["type"], "type must be one of %s, is %q", strings.Join(l.types, ", "), a.Type)
	}
	return a
}

// units reads an amount: a whole number of base units, or a figure with its asset, which must be the action's.
func (l *loader) units(node *yaml.Node, asset string) qredo.Amount {
	if node == nil {
		return 0
	}
	figure, of, found := strings.Cut(node.Value, " ")
	places, known := l.decimals[of]
	n, err := parseFigure(strings.ReplaceAll(figure, "_", ""), places)
	switch {
	case found && of != asset:
		l.fault(node, "%q is no amount of %s", node.Value, asset)
	case found && !known:
		l.fault(node, "the decimals of %q are not known", of)
	case err != nil:
		l.fault(node, "%q: %s", node.Value, err)
	case !n.IsInt64():
		l.fault(node, "%q is beyond 64 bits", node.Value)
	default:
		return qredo.Amount(n.Int64())
	}
	return 0
}

// try asks the rules.
func (c *ruleCase) try(ctx context.Context, r *Rules) (CaseResult, error) {
	now := c.at
	store := NewMemoryStore(WithClock(func() time.Time { return now }))
	result := CaseResult{Case: c.name, Line: c.line, Want: c.want, WantRule: c.rule}
	for i, e := range c.before {
		for n := range e.times {
			now = c.at.Add(-e.ago)
			d, err := r.settle(ctx, store, fmt.Sprint(i, "-", n), e.action, now)
			if err != nil {
				return result, err
			}
			if d.Verdict != Approve {
				result.Got, result.Reason = d.Verdict, fmt.Sprintf("what was approved before (line %d) is not approved: %s", e.line, d.Reason)
				return result, nil
			}
		}
	}
	now = c.at
	d, err := r.settle(ctx, store, "case", c.action, now)
	result.Got, result.Rule, result.Reason = d.Verdict, d.Rule, d.Reason
	result.Passed = d.Verdict == c.want && (c.rule == "" || c.rule == d.Rule)
	return result, err
}

// settle decides about an action and counts it, as an approver does.
func (r *Rules) settle(ctx context.Context, store Store, id string, a qredo.Action, now time.Time) (Decision, error) {
	a.ID = qredo.ActionID(id)
	d, err := r.decideAt(ContextWithSweep(ctx, false), a, now) // but where the case says so
	if err != nil {
		return failed(d.Rule, err), nil
	}
	rec := Record{ActionID: a.ID, Verdict: d.Verdict, Token: id, Decided: now}
	_, err = store.Reserve(ctx, rec, d.Spends)
	if over := (*OverLimitError)(nil); errors.As(err, &over) {
		d.Verdict, d.Reason = cmp.Or(d.OverLimit, Leave), over.Error()
		return d, nil
	}
	return d, err
}
