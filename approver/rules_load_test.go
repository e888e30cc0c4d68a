package approver_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/approver"
)

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
		{"a number where text is", when(`asset == 5`), 4, "asset == 5", "asset is text, and 5 is a number: they cannot be compared (column 7)"},
		{"text where a number is", when(`amount < "5"`), 4, `amount < "5"`, "\"5\" is no amount such as \"0.5 BTC\""},
		{"no condition", when("amount"), 4, "amount", "amount is a number, not a condition"},
		{"no condition but text", when(`asset + "x"`), 4, `asset + "x"`, "+ is for numbers"},
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
		{"a misspelled type", when(`'type == "ApproveTranfer"'`), 4, `type == "ApproveTranfer"`, `"ApproveTranfer" is no type: they are written ApproveExternalSign, ApproveNewWalletConnect, ApproveSwap, ApproveSwapTake, ApproveTransfer, ApproveUpdatePolicy, ApproveWithdraw, and`},
		{"a misspelled type on the left", when(`'"ApproveTranfer" != type'`), 4, `"ApproveTranfer" != type`, `"ApproveTranfer" is no type`},
		{"a misspelled type in a list", rule("    then: approve", "    when: |", "      amount < 5", `      && type not in ["ApproveTransfer", "approveSwap"]`), 6, "amount < 5\n&& type not in [\"ApproveTransfer\", \"approveSwap\"]", `"approveSwap" is no type`},
		{"the third line of an expression", rule("    then: approve", "    when: |", "      amount < 5", "      && asset == \"BTC\"", "      && foo"), 7, "amount < 5\n&& asset == \"BTC\"\n&& foo", "unknown name foo (column 4)"},
		{"a fraction in the second line", rule("    then: approve", "    when: |", "      amount < 5", "      && fees < .5"), 6, "amount < 5\n&& fees < .5", "whole numbers"},

		{"a name for a value", when(`'let t = "ApproveTransfer"; type != t'`), 4, `let t = "ApproveTransfer"; type != t`, "let is not offered"},
		{"a choice", when(`'asset == "BTC" ? true : false'`), 4, `asset == "BTC" ? true : false`, "what depends on a condition is not offered"},
		{"if and else", when(`'if true { true } else { false }'`), 4, `if true { true } else { false }`, "not offered"},
		{"a default", when(`'(asset ?? "BTC") == "BTC"'`), 4, `(asset ?? "BTC") == "BTC"`, "?? is not offered here"},
		{"a part of a text", when(`'asset[0] == "B"'`), 4, `asset[0] == "B"`, "not offered"},
		{"a comment", rule("    then: approve", "    when: >", "      amount < 5 // ours", "      && asset == \"BTC\""), 5, "amount < 5 // ours && asset == \"BTC\"", "it has a comment"},
		{"a comment of several lines", rule("    then: approve", "    when: |", "      asset == \"//\" /* ours", "      && amount < 5 */"), 5, "asset == \"//\" /* ours\n&& amount < 5 */", "it has a comment"},
		{"a function of lists", when(`'all([1], # > 0)'`), 4, `all([1], # > 0)`, "unknown name all"},
		{"two expressions", when("'true; true'"), 4, "true; true", "not offered"},
		{"nothing", when("'asset == nil'"), 4, "asset == nil", "nil is not offered"},
		{"bytes", when(`'asset == b"BTC"'`), 4, `asset == b"BTC"`, "not offered"},
		{"true within an expression", when("'amount < 5 || true'"), 4, "amount < 5 || true", "true stands for a whole expression only"},
		{"false", when("'false'"), 4, "false", "it can never hold"},
		{"a condition that is compared", when(`'whitelisted == whitelisted'`), 4, `whitelisted == whitelisted`, "compared with itself"},
		{"a fact with itself", when("'reference matches reference'"), 4, "reference matches reference", "compared with itself"},
		{"an amount with itself", when("'amount <= amount * 2'"), 4, "amount <= amount * 2", "compared with itself"},
		{"no fact", when("'1 == 1'"), 4, "1 == 1", "no fact is compared here"},
		{"no fact in a list", when(`'"a" in ["a"]'`), 4, `"a" in ["a"]`, "in needs a fact"},
		{"a pattern that is not fixed", when("'reference matches benefit_of'"), 4, "reference matches benefit_of", "a pattern in quotes"},
		{"a wrong pattern", when(`'reference matches "["'`), 4, `reference matches "["`, "missing closing ]"},
		{"a remainder of 0", when("'amount % 0 == 1'"), 4, "amount % 0 == 1", "needs a number that is not 0"},
		{"a remainder of what may be 0", when("'amount % fees == 1'"), 4, "amount % fees == 1", "needs a number that is not 0"},
		{"a range of amounts", when("'amount in 1..100000000'"), 4, "amount in 1..100000000", "write what amount is at least and at most, with >= and <="},
		{"a range that goes down", when("'hour in 22..6'"), 4, "hour in 22..6", `can never hold: for a time over midnight write time in "22:00".."06:00"`},
		{"a range of one time", when(`'time in "06:00".."06:00"'`), 4, `time in "06:00".."06:00"`, "the two times are one"},
		{"no time of day", when(`'time < "25:00"'`), 4, `time < "25:00"`, "a time of day is written"},
		{"a time as a number", when(`'time < 5'`), 4, `time < 5`, "they cannot be compared"},
		{"texts by their size", when(`'asset < "BTC"'`), 4, `asset < "BTC"`, "< is for numbers"},
		{"a list that is empty", when(`'asset in []'`), 4, `asset in []`, "in needs a list"},
		{"a list that there is not", when(`'asset in hot'`), 4, `asset in hot`, "in needs a list"},
		{"a list with a name in it", when(`'asset in ["BTC", reference]'`), 4, `asset in ["BTC", reference]`, "reference is no text in quotes"},
		{"what is never capital", when(`'upper(asset) == "btc"'`), 4, `upper(asset) == "btc"`, "can never hold"},
		{"what never begins with a space", when(`'trim(asset) == " BTC"'`), 4, `trim(asset) == " BTC"`, "can never hold"},
		{"what everything contains", when(`'reference contains ""'`), 4, `reference contains ""`, "always holds"},
		{"an amount of an asset whose decimals are not known", when(`'amount < "5 DOGE"'`), 4, `amount < "5 DOGE"`, "no amount such as"},
		{"an amount with too many decimals", when(`'amount < "0.123456789 BTC"'`), 4, `amount < "0.123456789 BTC"`, "more than 8 decimals"},
		{"a negative amount of an asset", when(`'amount < "-5 BTC"'`), 4, `amount < "-5 BTC"`, "must be a decimal number"},
		{"an hour as an amount", when(`'hour < "5 BTC"'`), 4, `hour < "5 BTC"`, "hour cannot be an amount"},
		{"a value in bitcoin", when(`'value < "5 BTC"'`), 4, `value < "5 BTC"`, "with wei"},

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
		{"a window of nothing", limited("{per: asset, window: 0s, max_count: 5}"), 6, "", "at least 1ms"},
		{"a negative window", limited("{per: asset, window: -1h, max_count: 5}"), 6, "", "at least 1ms"},
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

// Brackets in brackets without end took the stack, and with it a program that was at work and was to reload its rules.
func TestExpressionsWithoutEndAreRefused(t *testing.T) {
	brackets := 3_000_000
	if testing.Short() {
		brackets = 100_000
	}
	file := rulesFile(strings.Repeat("(", brackets) + "fees > 5" + strings.Repeat(")", brackets))
	_, err := approver.ParseRules("rules.yaml", []byte(file))
	var wrong *approver.RuleError
	require.ErrorAs(t, err, &wrong)
	assert.Contains(t, wrong.Problem, "more than 65536")
	assert.Less(t, len(err.Error()), 1000)
}
