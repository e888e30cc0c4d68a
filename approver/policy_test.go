package approver_test

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// noon is a Wednesday.
var noon = time.Date(2026, 3, 4, 12, 30, 0, 0, time.UTC)

func at(moment time.Time) func() time.Time { return func() time.Time { return moment } }

// newAction is a transfer of 1,000 satoshi, with what a test changes about it.
func newAction(change ...func(*qredo.Action)) qredo.Action {
	a := qredo.Action{
		ID: "action-1", CoreClientID: "core", Type: qredo.ActionTransfer, Status: qredo.ApprovalPending,
		Created: qredo.TimeOf(noon), Expires: qredo.TimeOf(noon.Add(time.Hour)),
		Details: &qredo.ActionDetails{
			TxID: "tx-1", Asset: "BTC", Amount: 1000, NetAmount: 990, Fees: 10, Reference: "invoice 17", BenefitOf: "Jane",
			CompanyID: "company", FundID: "fund", WalletID: "wallet-1", RecipientID: "wallet-2", RecipientName: "Acme",
			InitiatedBy: "user-1", InitiatorName: "alice",
		},
	}
	for _, f := range change {
		f(&a)
	}
	return a
}

func amount(n qredo.Amount) func(*qredo.Action) {
	return func(a *qredo.Action) { a.Details.Amount = n }
}

func kind(t qredo.ActionType) func(*qredo.Action) { return func(a *qredo.Action) { a.Type = t } }

func withdrawal(address, name string) func(*qredo.Action) {
	return func(a *qredo.Action) {
		a.Type, a.Details.RecipientID = qredo.ActionWithdraw, ""
		a.Details.RecipientAddress, a.Details.RecipientAddressName = address, name
	}
}

func connect(a *qredo.Action) {
	a.Type = qredo.ActionWalletConnect
	a.Details = &qredo.ActionDetails{Wallet: &qredo.ActionWallet{ID: "wallet-9", Asset: "ETH"}}
}

// rulesFile is a file with one rule that approves.
func rulesFile(when string) string {
	return "rules:\n  - name: only\n    when: " + fmt.Sprintf("%q", when) + "\n    then: approve\n"
}

func TestExpressions(t *testing.T) {
	const yes, no = approver.Approve, approver.Leave
	for _, c := range []struct {
		when   string
		action qredo.Action
		at     time.Time
		want   approver.Verdict
	}{
		// Amounts, at the boundary of each comparison.
		{"amount < 1000", newAction(amount(999)), noon, yes},
		{"amount < 1000", newAction(amount(1000)), noon, no},
		{"amount <= 1000", newAction(amount(1000)), noon, yes},
		{"amount <= 1000", newAction(amount(1001)), noon, no},
		{"amount > 1000", newAction(amount(1001)), noon, yes},
		{"amount > 1000", newAction(amount(1000)), noon, no},
		{"amount >= 1000", newAction(amount(1000)), noon, yes},
		{"amount >= 1000", newAction(amount(999)), noon, no},
		{"amount == 1000", newAction(amount(1000)), noon, yes},
		{"amount == 1000", newAction(amount(1001)), noon, no},
		{"amount != 1000", newAction(amount(1001)), noon, yes},
		{"amount != 1000", newAction(amount(1000)), noon, no},
		{"amount in 999..1000", newAction(amount(1000)), noon, yes},
		{"amount in 999..1000", newAction(amount(1001)), noon, no},
		{"net_amount <= 990", newAction(), noon, yes},
		{"net_amount < 990", newAction(), noon, no},
		{"fees <= 10", newAction(), noon, yes},
		{"fees < 10", newAction(), noon, no},
		{"amount == net_amount + fees", newAction(), noon, yes},
		{"amount == net_amount + fees", newAction(amount(1001)), noon, no},
		{"fees * 100 <= amount", newAction(), noon, yes},
		{"fees * 100 <= amount", newAction(amount(999)), noon, no},
		{"amount - fees >= 990", newAction(), noon, yes},
		{"amount % 1000 == 0", newAction(), noon, yes},

		// At the edge of 64 bits.
		{"amount == 9223372036854775807", newAction(amount(math.MaxInt64)), noon, yes},
		{"amount >= 9223372036854775807", newAction(amount(math.MaxInt64 - 1)), noon, no},
		{"amount < 9223372036854775807", newAction(amount(math.MaxInt64 - 1)), noon, yes},

		// Text.
		{`asset == "BTC"`, newAction(), noon, yes},
		{`asset == "btc"`, newAction(), noon, no},
		{`lower(asset) == "btc"`, newAction(), noon, yes},
		{`asset in ["ETH", "BTC"]`, newAction(), noon, yes},
		{`asset not in ["ETH", "BTC"]`, newAction(), noon, no},
		{`type == "ApproveTransfer"`, newAction(), noon, yes},
		{`type == "ApproveTransfer"`, newAction(kind(qredo.ActionSwap)), noon, no},
		{`type in ["ApproveTransfer", "ApproveWithdraw"]`, newAction(), noon, yes},
		{`recipient == "wallet-2"`, newAction(), noon, yes},
		{`recipient == "wallet-3"`, newAction(), noon, no},
		{`recipient == "bc1q"`, newAction(withdrawal("bc1q", "cold")), noon, yes},
		{`whitelist_name == "cold"`, newAction(withdrawal("bc1q", "cold")), noon, yes},
		{`whitelist_name == "cold"`, newAction(withdrawal("bc1q", "hot")), noon, no},
		{`whitelist_name != ""`, newAction(), noon, no},
		{`recipient_name == "Acme" && benefit_of == "Jane"`, newAction(), noon, yes},
		{`initiator == "user-1" and initiator_name == "alice"`, newAction(), noon, yes},
		{`initiator == "user-2"`, newAction(), noon, no},
		{`reference startsWith "invoice "`, newAction(), noon, yes},
		{`reference startsWith "invoice 18"`, newAction(), noon, no},
		{`reference matches "^invoice [0-9]+$"`, newAction(), noon, yes},
		{`wallet == "wallet-1" && fund == "fund" && company == "company"`, newAction(), noon, yes},

		// Time of day, in UTC, at the boundaries.
		{"hour >= 9 && hour < 17", newAction(), noon, yes},
		{"hour >= 9 && hour < 17", newAction(), noon.Add(-3*time.Hour - 30*time.Minute), yes},
		{"hour >= 9 && hour < 17", newAction(), noon.Add(-3*time.Hour - 30*time.Minute - time.Nanosecond), no},
		{"hour >= 9 && hour < 17", newAction(), noon.Add(4*time.Hour + 30*time.Minute - time.Nanosecond), yes},
		{"hour >= 9 && hour < 17", newAction(), noon.Add(4*time.Hour + 30*time.Minute), no},
		{"hour * 60 + minute >= 750", newAction(), noon, yes},
		{"hour * 60 + minute >= 750", newAction(), noon.Add(-time.Second), no},
		{"hour == 12", newAction(), noon.In(time.FixedZone("east", 7200)), yes},
		{`weekday == "Wednesday"`, newAction(), noon, yes},
		{`weekday == "Wednesday"`, newAction(), noon.Add(11*time.Hour + 30*time.Minute), no},
		{`weekday not in ["Saturday", "Sunday"]`, newAction(), noon, yes},
		{`weekday not in ["Saturday", "Sunday"]`, newAction(), noon.AddDate(0, 0, 3), no},

		// What moves nothing is approved only by rules that ask for its type.
		{"amount <= 1000", newAction(connect), noon, no},
		{"amount <= 1000", newAction(kind("ApproveUpdatePolicy")), noon, no},
		{`type matches "^ApproveUpdatePolicy$"`, newAction(kind("ApproveUpdatePolicy")), noon, yes},
		{`type == "ApproveNewWalletConnect" && wallet == "wallet-9"`, newAction(connect), noon, yes},
	} {
		t.Run(c.when, func(t *testing.T) {
			rules, err := approver.ParseRules("rules.yaml", []byte(rulesFile(c.when)), approver.WithClock(at(c.at)))
			require.NoError(t, err)
			d, err := rules.Decide(t.Context(), c.action)
			require.NoError(t, err)
			assert.Equal(t, c.want, d.Verdict)
			explained := rules.Explain(c.action)
			assert.Equal(t, d, explained.Decision)
			assert.Equal(t, c.want == yes, explained.Rules[0].Matches)
		})
	}
}

func TestExpressionsThatCannotBeWorkedOut(t *testing.T) {
	for when, problem := range map[string]string{
		"amount + amount > 0":                    "9223372036854775807 + 9223372036854775807: the result is beyond 64 bits",
		"amount + 1 > 0":                         "beyond 64 bits",
		"fees - 12 - amount > 0":                 "beyond 64 bits",
		"amount * 2 > 0":                         "beyond 64 bits",
		"-1 * amount - 2 < 0":                    "beyond 64 bits",
		"amount % (fees - 10) == 0":              "beyond 64 bits",
		"9223372036854775807 + 1 > 0":            "beyond 64 bits",
		"amount > 0 && fees * amount > 0":        "beyond 64 bits",
		`reference matches "[" + reference + ""`: "missing closing ]",
	} {
		t.Run(when, func(t *testing.T) {
			rules, err := approver.ParseRules("rules.yaml", []byte(rulesFile(when)), approver.WithClock(at(noon)))
			require.NoError(t, err)
			d, err := rules.Decide(t.Context(), newAction(amount(math.MaxInt64)))
			require.ErrorContains(t, err, problem)
			require.ErrorContains(t, err, `rule "only" in line 2`)
			assert.Empty(t, d.Verdict)
			explained := rules.Explain(newAction(amount(math.MaxInt64)))
			assert.Equal(t, approver.Leave, explained.Decision.Verdict)
			assert.True(t, explained.Rules[0].Decides, "the rules after it do not count")
			require.Error(t, explained.Rules[0].Err)
		})
	}
}

func TestActionsThatNoRuleDecides(t *testing.T) {
	rules, err := approver.ParseRules("rules.yaml", []byte(rulesFile("true")), approver.WithClock(at(noon)))
	require.NoError(t, err)
	for name, action := range map[string]qredo.Action{
		"without details":     newAction(func(a *qredo.Action) { a.Details = nil }),
		"without an amount":   newAction(amount(0)),
		"of a negative":       newAction(amount(-1)),
		"a swap without one":  newAction(kind(qredo.ActionSwap), amount(0)),
		"a withdrawal of nil": newAction(withdrawal("bc1q", ""), amount(0)),
	} {
		t.Run(name, func(t *testing.T) {
			d, err := rules.Decide(t.Context(), action)
			require.Error(t, err)
			assert.Empty(t, d.Verdict)
			assert.Equal(t, approver.Leave, rules.Explain(action).Decision.Verdict)
		})
	}
}

const threeRules = `
rules:
  - name: blocked
    when: reference contains "STOP"
    then: reject
    reason: the reference says so
  - name: by hand
    when: amount > 5000
    then: leave
  - name: small
    when: amount <= 5000
    then: approve
    limits:
      - {per: wallet, window: 24h, max_amount: 9_000, max_count: 3}
      - {per: recipient, window: 1h, max_count: 2}
      - {per: asset, window: 720h, max_amount: 0x7fffffffffffffff}
    over_limit: reject
`

func TestFirstMatchWins(t *testing.T) {
	rules, err := approver.ParseRules("rules.yaml", []byte(threeRules), approver.WithClock(at(noon)))
	require.NoError(t, err)
	assert.Len(t, rules.Hash(), 64)

	stop := func(a *qredo.Action) { a.Details.Reference = "please STOP" }
	d, err := rules.Decide(t.Context(), newAction(stop, amount(9999)))
	require.NoError(t, err)
	assert.Equal(t, approver.Decision{Verdict: approver.Reject, Reason: "the reference says so", Rule: "blocked", OverLimit: approver.Leave}, d)

	d, err = rules.Decide(t.Context(), newAction(amount(5001)))
	require.NoError(t, err)
	assert.Equal(t, approver.Leave, d.Verdict)
	assert.Equal(t, "by hand", d.Rule)
	assert.Equal(t, "amount > 5000", d.Reason)

	d, err = rules.Decide(t.Context(), newAction())
	require.NoError(t, err)
	assert.Equal(t, approver.Approve, d.Verdict)
	assert.Equal(t, approver.Reject, d.OverLimit)
	assert.Equal(t, []approver.Spend{
		{Counter: `of rule "small", wallet "wallet-1", asset "BTC", sum`, Amount: 1000, Window: 24 * time.Hour, MaxAmount: 9000},
		{Counter: `of rule "small", wallet "wallet-1", count`, Window: 24 * time.Hour, MaxCount: 3},
		{Counter: `of rule "small", recipient "wallet-2", count`, Window: time.Hour, MaxCount: 2},
		{Counter: `of rule "small", asset "BTC", sum`, Amount: 1000, Window: 720 * time.Hour, MaxAmount: math.MaxInt64},
	}, d.Spends)

	d, err = rules.Decide(t.Context(), newAction(connect))
	require.NoError(t, err)
	assert.Equal(t, approver.Decision{Verdict: approver.Leave, Reason: "no rule matches"}, d)
}

func TestExplanationAsText(t *testing.T) {
	rules, err := approver.ParseRules("rules.yaml", []byte(threeRules), approver.WithClock(at(noon)))
	require.NoError(t, err)
	e := rules.Explain(newAction())
	assert.EqualValues(t, 1000, e.Values["amount"])
	assert.Equal(t, "Wednesday", e.Values["weekday"])
	assert.Equal(t, `approve: amount <= 5000
  rule "blocked" in line 3 does not match: reference contains "STOP"
  rule "by hand" in line 7 does not match: amount > 5000
  rule "small" in line 10 matches and decides: amount <= 5000
`, e.String())
}

func TestRuleFilesThatDoNotLoad(t *testing.T) {
	rule := func(lines ...string) string { return "rules:\n  - name: r\n" + strings.Join(lines, "\n") + "\n" }
	limited := func(limit string) string {
		return rule("    when: amount < 5", "    then: approve", "    limits:", "      - "+limit)
	}
	when := func(expression string) string { return rule("    then: approve", "    when: "+expression) }
	for _, c := range []struct {
		name, file string
		line       int
		expression string
		problem    string
	}{
		{"an empty file", "", 0, "", "it is empty"},
		{"no YAML", "rules: [", 0, "", "line 1"},
		{"a list", "- a\n", 1, "", "here must be keys and values: rules"},
		{"no rules", "rules: []\n", 1, "", "at least one rule"},
		{"rules without a list", "rules:\n  name: a\n", 1, "", "must be a list"},
		{"a second document", rule("    when: 'true'", "    then: leave") + "---\nrules: []\n", 5, "", "only one document"},
		{"an unknown key of the file", "rules:\nversion: 1\n", 2, "", `unknown key "version"; known are rules`},
		{"an unknown key of a rule", rule("    if: amount < 5"), 3, "", `unknown key "if"; known are name, when, then`},
		{"a key in another case", rule("    When: amount < 5"), 3, "", `unknown key "When"`},
		{"a merged key", rule("    <<: {when: 'true'}"), 3, "", `unknown key "<<"`},
		{"a key twice", rule("    when: amount < 5", "    when: amount < 6"), 4, "", "when is given twice"},
		{"an alias", "rules:\n  - name: &n r\n    when: *n\n", 2, "", "anchors and aliases are not read"},
		{"a rule that is text", "rules:\n  - approve\n", 2, "", "here must be keys and values"},
		{"no name", "rules:\n  - when: amount < 5\n    then: approve\n", 2, "", "name is missing"},
		{"no when", rule("    then: approve"), 2, "", "when is missing"},
		{"an empty when", rule("    then: approve", "    when: ''"), 4, "", "when must be text"},
		{"a when that is null", rule("    then: approve", "    when:"), 4, "", "when must be text"},
		{"no then", rule("    when: amount < 5"), 2, "", "then is missing"},
		{"another then", rule("    when: amount < 5", "    then: allow"), 4, "", `then must be one of approve, reject, leave, is "allow"`},
		{"the first of several problems", rule("    then: allow", "    when: amuont < 5", "    limits: 5") + "  - approve\n", 4, "amuont < 5", "unknown name amuont"},
		{"a name twice", rule("    when: amount < 5", "    then: approve", "  - name: r", "    when: amount < 5", "    then: reject"), 5, "", "line 2 has a rule of this name"},

		{"an unknown variable", when("amuont < 5"), 4, "amuont < 5", "unknown name amuont (column 1)"},
		{"a variable in another case", when("Amount < 5"), 4, "Amount < 5", "unknown name Amount"},
		{"a number where text is", when(`asset == 5`), 4, "asset == 5", "mismatched types string and int"},
		{"text where a number is", when(`amount < "5"`), 4, `amount < "5"`, "mismatched types int64 and string"},
		{"no condition", when("amount"), 4, "amount", "expected bool, but got int64"},
		{"no condition but text", when(`asset + "x"`), 4, `asset + "x"`, "expected bool, but got string"},
		{"no expression", when("amount <"), 4, "amount <", "unexpected token EOF"},
		{"a fraction", when("amount < 1.5"), 4, "amount < 1.5", "amounts are whole numbers of base units"},
		{"a power of ten", when("amount < 1e6"), 4, "amount < 1e6", "amounts are whole numbers of base units"},
		{"a division", when("amount / 2 < 5"), 4, "amount / 2 < 5", "/ is not offered: its results are not exact"},
		{"a power", when("amount < 10 ** 8"), 4, "amount < 10 ** 8", "** is not offered"},
		{"a minus", when("-amount < 5"), 4, "-amount < 5", "- is not offered in front of a name"},
		{"more than 64 bits", when("amount < 9223372036854775808"), 4, "amount < 9223372036854775808", "value out of range"},
		{"the machine's clock", when("now().Hour() > 9"), 4, "now().Hour() > 9", "unknown name now"},
		{"another function", when("max(amount, 5) > 9"), 4, "max(amount, 5) > 9", "unknown name max"},
		{"a misspelled day", when(`'weekday in ["Monday", "Tusday"]'`), 4, `weekday in ["Monday", "Tusday"]`, `"Tusday" is no weekday`},
		{"a day in another case", when(`weekday == "monday"`), 4, `weekday == "monday"`, `"monday" is no weekday`},
		{"a misspelled type", when(`'type == "ApproveTranfer"'`), 4, `type == "ApproveTranfer"`, `"ApproveTranfer" is no type: they are written ApproveNewWalletConnect, ApproveSwap, ApproveSwapTake, ApproveTransfer, ApproveWithdraw`},
		{"a misspelled type on the left", when(`'"ApproveTranfer" != type'`), 4, `"ApproveTranfer" != type`, `"ApproveTranfer" is no type`},
		{"a misspelled type in a list", rule("    then: approve", "    when: |", "      amount < 5", `      && type not in ["ApproveTransfer", "approveSwap"]`), 6, "amount < 5\n&& type not in [\"ApproveTransfer\", \"approveSwap\"]", `"approveSwap" is no type`},
		{"the third line of an expression", rule("    then: approve", "    when: |", "      amount < 5", "      && asset == \"BTC\"", "      && foo"), 7, "amount < 5\n&& asset == \"BTC\"\n&& foo", "unknown name foo (column 4)"},
		{"a fraction in the second line", rule("    then: approve", "    when: |", "      amount < 5", "      && fees < .5"), 6, "amount < 5\n&& fees < .5", "whole numbers"},

		{"limits that are none", rule("    when: amount < 5", "    then: approve", "    limits: 5"), 5, "", "limits must be a list"},
		{"limits of a rejection", rule("    when: amount < 5", "    then: reject", "    limits: [{per: asset, window: 1h, max_count: 1}]"), 5, "", "limits are for rules that approve"},
		{"over_limit without limits", rule("    when: amount < 5", "    then: approve", "    over_limit: reject"), 5, "", "over_limit needs limits"},
		{"over_limit that approves", rule("    when: amount < 5", "    then: approve", "    over_limit: approve"), 5, "", "over_limit must be one of leave, reject"},
		{"an unknown key of a limit", limited("{per: asset, window: 1h, max: 5}"), 6, "", `unknown key "max"`},
		{"no per", limited("{window: 1h, max_count: 5}"), 6, "", "per is missing"},
		{"another per", limited("{per: user, window: 1h, max_count: 5}"), 6, "", `per must be one of asset, wallet, recipient, is "user"`},
		{"no window", limited("{per: asset, max_count: 5}"), 6, "", "window is missing"},
		{"a window without unit", limited("{per: asset, window: 24, max_count: 5}"), 6, "", `is "24"`},
		{"a window in days", limited("{per: asset, window: 1d, max_count: 5}"), 6, "", `is "1d"`},
		{"a window of nothing", limited("{per: asset, window: 0s, max_count: 5}"), 6, "", "more than zero"},
		{"a negative window", limited("{per: asset, window: -1h, max_count: 5}"), 6, "", "more than zero"},
		{"a window that is too long", limited("{per: asset, window: 8785h, max_count: 5}"), 6, "", "at most 8784h"},
		{"a limit of nothing", limited("{per: asset, window: 1h}"), 6, "", "a limit needs max_amount or max_count"},
		{"a limit of zero", limited("{per: asset, window: 1h, max_amount: 0}"), 6, "", "above zero"},
		{"a negative limit", limited("{per: asset, window: 1h, max_count: -1}"), 6, "", "above zero"},
		{"a limit with a fraction", limited("{per: asset, window: 1h, max_amount: 1.0}"), 6, "", `is "1.0"`},
		{"a limit as text", limited("{per: asset, window: 1h, max_amount: '5'}"), 6, "", `is "5"`},
		{"an amount that begins with 0", limited("{per: asset, window: 1h, max_amount: 0100}"), 6, "", `max_amount must not begin with 0, is "0100"`},
		{"a count that begins with 0", limited("{per: asset, window: 1h, max_count: 0_10}"), 6, "", `max_count must not begin with 0, is "0_10"`},
		{"a limit beyond 64 bits", limited("{per: asset, window: 1h, max_amount: 9223372036854775808}"), 6, "", "within 64 bits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := approver.ParseRules("rules.yaml", []byte(c.file), approver.WithClock(at(noon)))
			var e *approver.RuleError
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.line, e.Line, err)
			assert.Equal(t, c.expression, e.Expression)
			assert.Contains(t, e.Problem, c.problem)
			place := "rules.yaml:"
			if c.line > 0 {
				place = fmt.Sprintf("rules.yaml:%d: ", c.line)
			}
			assert.True(t, strings.HasPrefix(err.Error(), place), err)
			assert.Contains(t, err.Error(), c.problem)
			if c.expression != "" {
				assert.Contains(t, err.Error(), fmt.Sprintf("rule \"r\": expression %q", c.expression))
			}
		})
	}
}

// TestEveryKnownTypeOfActionCanBeNamed fails when package qredo learns of a type that this package does not know.
func TestEveryKnownTypeOfActionCanBeNamed(t *testing.T) {
	exports, err := os.ReadFile(filepath.Join("..", "api", "qredo.txt"))
	require.NoError(t, err)
	found := regexp.MustCompile(`(?m)^const Action\w+ ActionType = (".*")$`).FindAllSubmatch(exports, -1)
	require.NotEmpty(t, found)
	for _, constant := range found {
		_, err := approver.ParseRules("rules.yaml", []byte(rulesFile("type == "+string(constant[1]))), at(noon))
		require.NoError(t, err)
	}
}

func TestLoadRules(t *testing.T) {
	_, err := approver.LoadRules(t.TempDir() + "/none.yaml")
	require.ErrorIs(t, err, fs.ErrNotExist)
}
