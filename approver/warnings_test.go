package approver_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

const outsiders = "whoever knows the core client's ID can have it approve for a wallet of their own"

// warned are the warnings about a file with one rule, but for that of outsiders, which has tests of its own.
func warned(t *testing.T, when string, then approver.Verdict) []string {
	t.Helper()
	file := fmt.Sprintf("rules:\n  - name: only\n    when: %q\n    then: %s\n", when, then)
	return slices.DeleteFunc(rulesAt(t, file, at(noon)).Warnings(), func(warning string) bool { return strings.Contains(warning, outsiders) })
}

// What the service leaves empty is told where a rule matches for that reason.
func TestRulesThatMatchWhatIsEmptyAreWarnedOf(t *testing.T) {
	blank := newAction(withdrawal("bc1q", "payout"), func(a *qredo.Action) {
		a.Details.CompanyID, a.Details.InitiatedBy, a.Details.InitiatorName = "", "", ""
	})
	for _, when := range []string{
		`company != "A"`, `"A" != company`, `not (company == "A")`, `!(company == "A")`, `company not in ["A", "B"]`,
		`company == ""`, `company in ["", "A"]`, `company == "A" || company != "B"`, `lower(company) != "a"`,
		`not (lower(company) in ["a"])`, `"Acme" contains company`, `not (company startsWith "A")`,
		`company matches "^A*$"`, `not (company matches "^A$")`, `type == "ApproveWithdraw" && company != "A"`,
		`not (type == "ApproveTransfer" && company == "A")`, `initiator == initiator_name`, `initiator != "A"`,
		`initiator_name != "A"`, `trim(initiator_name) not in ["A"]`,
	} {
		t.Run(when, func(t *testing.T) {
			d, err := rulesAt(t, rulesFile(when), at(noon)).Decide(plain(t), blank)
			require.NoError(t, err)
			require.Equal(t, approver.Approve, d.Verdict, "it does match")
			for _, then := range []approver.Verdict{approver.Approve, approver.Reject, approver.Leave} {
				warnings := warned(t, when, then)
				require.NotEmpty(t, warnings, then)
				assert.Regexp(t, `^rules.yaml:2: rule "only": (company|initiator|initiator_name) is empty .* may match for that: say with == what it must be`, warnings[0])
			}
		})
	}
}

// A rule that asks for something is not met by what is empty: it approves nothing then, or stops nothing.
func TestRulesThatMissWhatIsEmptyAreWarnedOf(t *testing.T) {
	blank := newAction(func(a *qredo.Action) {
		a.Details.CompanyID, a.Details.InitiatedBy, a.Details.InitiatorName = "", "", ""
	})
	for _, when := range []string{
		`company == "A"`, `"A" == company`, `company in ["A", "B"]`, `lower(company) == "a"`, `company startsWith "A"`,
		`company endsWith "A"`, `company contains "A"`, `company matches "^A+$"`, `amount > 5 && company == "A"`,
		`company == "A" or initiator == "B"`, `initiator_name in ["A"]`, `initiator == "A" && not (asset == "ETH")`,
	} {
		t.Run(when, func(t *testing.T) {
			d, err := rulesAt(t, rulesFile(when), at(noon)).Decide(plain(t), blank)
			require.NoError(t, err)
			require.Equal(t, approver.Leave, d.Verdict, "it does not match")
			warnings := warned(t, when, approver.Approve)
			require.NotEmpty(t, warnings)
			assert.Contains(t, warnings[0], "approves nothing")
			for _, then := range []approver.Verdict{approver.Reject, approver.Leave} {
				warnings := warned(t, when, then)
				require.NotEmpty(t, warnings, then)
				assert.Contains(t, warnings[0], "stops nothing")
			}
		})
	}
}

func TestRulesThatDoNotUseWhatMayBeEmptyAreNotWarnedOf(t *testing.T) {
	for _, when := range []string{
		`asset != "BTC"`, `not (reference contains "STOP") && recipient == "a"`, `recipient != "company"`, `fund != "initiator"`, "fees > 3",
		`type == "ApproveTransfer" && recipient == "a" && amount < "5 BTC"`,
	} {
		for _, then := range []approver.Verdict{approver.Approve, approver.Reject, approver.Leave} {
			assert.Empty(t, warned(t, when, then), when)
		}
	}
	rules := rulesAt(t, threeRules, at(noon))
	assert.Equal(t, []string{`rules.yaml:10: rule "small": an amount is compared whatever its asset: say the asset, or an amount such as "0.5 BTC"`},
		slices.DeleteFunc(rules.Warnings(), func(warning string) bool { return strings.Contains(warning, outsiders) }))
	assert.Empty(t, warned(t, `type == "ApproveTransfer" && company == "A"`, approver.Reject), "transfers have a company")
	assert.NotEmpty(t, warned(t, `type == "ApproveWithdraw" && company == "A"`, approver.Reject))
}

func TestWarningsNameEachRuleAndName(t *testing.T) {
	rules := rulesAt(t, `
rules:
  - {name: a, when: company != "X" && initiator != "Y", then: approve}
  - {name: b, when: amount > 1, then: leave}
  - {name: c, when: initiator_name == "mallory", then: reject}
`, at(noon))
	warnings := rules.Warnings()
	warnings = slices.DeleteFunc(warnings, func(warning string) bool { return strings.Contains(warning, outsiders) })
	require.Len(t, warnings, 3)
	for i, begins := range []string{
		`rules.yaml:3: rule "a": company is empty for withdrawals; `, `rules.yaml:3: rule "a": initiator is empty`, `rules.yaml:5: rule "c": initiator_name is empty`,
	} {
		assert.Contains(t, warnings[i], begins)
	}
	warnings[0] = "changed"
	assert.NotEqual(t, warnings[0], rules.Warnings()[0], "they are the caller's own")

	d := newDesk(t)
	stop := d.start(rules)
	d.transfer(1000, "")
	d.next(approver.EntryResult)
	require.NoError(t, stop())
	assert.Contains(t, d.logged.String(), `level=WARN msg="approver: a rule may not do what it seems to" warning="rules.yaml:5: rule \"c\": `)
}
