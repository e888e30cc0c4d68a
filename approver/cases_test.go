package approver_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

const testedRules = `
lists:
  payees: ["0x52908400098527886e0f7030069857d2e4169ee7"]
decimals: {USDC: 6}
rules:
  - name: night
    when: time in "22:00".."06:00"
    then: reject
  - name: payouts
    when: type == "ApproveWithdraw" && recipient in payees && amount <= "0.05 BTC"
    then: approve
    limits:
      - {per: wallet, window: 24h, max_amount: 0.1 BTC, max_count: 3}
  - name: dollars
    when: type == "ApproveTransfer" && net_amount <= "100.5 USDC" && fees < 10
    then: approve
  - name: calls
    when: type == "ApproveExternalSign" && value <= "0.5 ETH" && method == "" && recipient in payees
    then: approve
  - name: swaps
    when: type == "ApproveSwap" && receive_asset == "BTC" && receive_amount >= "0.1 BTC" && asset == "ETH" && amount <= 1_000
    then: approve
`

const goodCases = `
cases:
  - name: one payout
    at: 2026-03-04T12:30:00Z
    action: &none {type: ApproveWithdraw, asset: BTC, amount: 0.05 BTC, recipient: 0x52908400098527886E0F7030069857D2E4169EE7, wallet: W}
    want: approve
`

func TestCases(t *testing.T) {
	rules := rulesAt(t, testedRules, at(noon))
	const payout = "{type: ApproveWithdraw, asset: BTC, amount: 0.05 BTC, recipient: 0x52908400098527886E0F7030069857D2E4169EE7, wallet: W}"
	one := func(action, more string) string {
		return "cases:\n  - name: c\n    at: 2026-03-04T12:30:00Z\n    action: " + action + "\n" + more
	}
	for name, c := range map[string]struct {
		file   string
		got    approver.Verdict
		rule   string
		reason string
		passed bool
	}{
		"a payout":                       {one(payout, "    want: approve\n    rule: payouts\n"), approver.Approve, "payouts", "", true},
		"another verdict":                {one(payout, "    want: leave\n"), approver.Approve, "payouts", "", false},
		"another rule":                   {one(payout, "    want: approve\n    rule: dollars\n"), approver.Approve, "payouts", "", false},
		"at night":                       {"cases:\n  - {name: c, at: 2026-03-04T05:59:59Z, want: reject, rule: night, action: " + payout + "}\n", approver.Reject, "night", "", true},
		"in the morning":                 {"cases:\n  - {name: c, at: 2026-03-04T06:00:00Z, want: approve, action: " + payout + "}\n", approver.Approve, "payouts", "", true},
		"two before it fit":              {one(payout, "    before: [{ago: 2h, amount: 0.02 BTC, times: 2}]\n    want: approve\n"), approver.Approve, "payouts", "", true},
		"three before it do not":         {one(payout, "    before: [{ago: 2h, amount: 0.01 BTC, times: 3}]\n    want: leave\n    rule: payouts\n"), approver.Leave, "payouts", "3 actions of at most 3", true},
		"nor do two that are too much":   {one(payout, "    before: [{ago: 2h, amount: 0.03 BTC}, {ago: 23h59m, amount: 3000000}]\n    want: leave\n"), approver.Leave, "payouts", "6000000 of at most 10000000", true},
		"those of the day before fit":    {one(payout, "    before: [{ago: 24h, times: 3, amount: 0.03 BTC}]\n    want: approve\n"), approver.Approve, "payouts", "", true},
		"those of another wallet":        {one(payout, "    before: [{ago: 1h, times: 3, amount: 1_000, wallet: V}]\n    want: approve\n"), approver.Approve, "payouts", "", true},
		"before it the night":            {one(payout, "    before: [{ago: 7h}]\n    want: approve\n"), approver.Reject, "", `what was approved before (line 5) is not approved: time in "22:00".."06:00"`, false},
		"dollars":                        {one("{type: ApproveTransfer, asset: USDC, amount: 100500005, fees: 5}", "    want: approve\n"), approver.Approve, "dollars", "", true},
		"more dollars":                   {one("{type: ApproveTransfer, asset: USDC, amount: 100.500006 USDC, net_amount: 100.500001 USDC, fees: 5}", "    want: leave\n"), approver.Leave, "", "no rule matches", true},
		"a call":                         {one("{type: ApproveExternalSign, value: 0.5 ETH, chain: 1, data: 0x, recipient: 0x52908400098527886E0F7030069857D2E4169EE7}", "    want: approve\n"), approver.Approve, "calls", "", true},
		"a call elsewhere":               {one("{type: ApproveExternalSign, value: 5, chain: 137, data: 0x, recipient: 0x52908400098527886E0F7030069857D2E4169EE7}", "    want: leave\n"), approver.Leave, "", "", true},
		"a swap":                         {one("{type: ApproveSwap, asset: ETH, amount: 1000, receive_asset: BTC, receive_amount: 0.1 BTC}", "    want: approve\n"), approver.Approve, "swaps", "", true},
		"a swap without a price":         {one("{type: ApproveSwap, asset: ETH, amount: 1000}", "    want: leave\n"), approver.Leave, "", "", true},
		"a transfer that may be a sweep": {one("{type: ApproveTransfer, asset: USDC, amount: 5, sweep: true}", "    want: leave\n"), approver.Leave, "", `it may be a sweep, which nobody else approves, and rule "dollars" does not name sweeps`, true},
		"and one that is none":           {one("{type: ApproveTransfer, asset: USDC, amount: 5, sweep: false}", "    want: approve\n"), approver.Approve, "dollars", "", true},
		"no amount":                      {one("{type: ApproveTransfer, asset: USDC}", "    want: leave\n"), approver.Leave, "", "the action's amount is 0", true},
	} {
		t.Run(name, func(t *testing.T) {
			results, err := rules.Test(t.Context(), "cases.yaml", []byte(c.file))
			require.NoError(t, err)
			require.Len(t, results, 1)
			r := results[0]
			assert.Equal(t, []any{"c", 2, c.got, c.rule, c.passed}, []any{r.Case, r.Line, r.Got, r.Rule, r.Passed}, r.Reason)
			assert.Contains(t, r.Reason, c.reason)
		})
	}
	for problem, file := range map[string]string{
		"cases.yaml:5: anchors and aliases are not read":                       goodCases,
		"cases.yaml: it is empty":                                              "",
		"cases.yaml:1: cases must be a list":                                   "cases: []\n",
		"cases.yaml:2: at is missing":                                          "cases:\n- name: c\n  want: leave\n",
		"cases.yaml:1: action is missing":                                      "cases: [{name: c, want: leave, at: 2026-03-04T05:59:59Z}]\n",
		"at must be a time such as":                                            "cases: [{name: c, want: leave, at: noon}]\n",
		"want must be one of approve, reject, leave":                           "cases: [{name: c, want: yes, at: 2026-03-04T05:59:59Z}]\n",
		"type must be one of":                                                  one("{type: ApproveTransfers, asset: BTC, amount: 5}", "    want: leave\n"),
		`unknown key "hour"`:                                                   one("{type: ApproveTransfer, hour: 5}", "    want: leave\n"),
		`"0.5 ETH" is no amount of BTC`:                                        one("{type: ApproveTransfer, asset: BTC, amount: 0.5 ETH}", "    want: leave\n"),
		`the decimals of "DOGE" are not known`:                                 one("{type: ApproveTransfer, asset: DOGE, amount: 5 DOGE}", "    want: leave\n"),
		"it must be a decimal number and an asset":                             one("{type: ApproveTransfer, asset: BTC, amount: -5}", "    want: leave\n"),
		"beyond 64 bits":                                                       one("{type: ApproveTransfer, asset: BTC, amount: 9223372036854775808}", "    want: leave\n"),
		`sweep must be true or false, is "maybe"`:                              one("{type: ApproveTransfer, sweep: maybe}", "    want: leave\n"),
		`value cannot be "much"`:                                               one("{type: ApproveExternalSign, value: much}", "    want: leave\n"),
		"ago must be a duration":                                               one(payout, "    before: [{ago: soon}]\n    want: leave\n"),
		"ago is missing":                                                       one(payout, "    before: [{times: 2}]\n    want: leave\n"),
		"times must be a whole number above zero and within 64 bits, is \"0\"": one(payout, "    before: [{ago: 1h, times: 0}]\n    want: leave\n"),
	} {
		_, err := rules.Test(t.Context(), "cases.yaml", []byte(file))
		require.ErrorAs(t, err, new(*approver.RuleError), file)
		require.ErrorContains(t, err, problem)
	}
	path := filepath.Join(t.TempDir(), "cases.yaml")
	_, err := rules.TestFile(t.Context(), path)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(path, []byte(one(payout, "    want: approve\n")), 0o600))
	results, err := rules.TestFile(t.Context(), path)
	require.NoError(t, err)
	assert.True(t, results[0].Passed)
}

func TestWhatARuleFileSaysBesideItsRules(t *testing.T) {
	rule := "rules:\n  - {name: r, when: asset in hot, then: reject}\n"
	for problem, file := range map[string]string{
		`rules.yaml:1: "asset" cannot be the name of a list`:   "lists: {asset: [a]}\n" + rule,
		`"in" cannot be the name of a list`:                    "lists: {in: [a]}\n" + rule,
		`"a b" cannot be the name`:                             "lists: {a b: [a]}\n" + rule,
		"lists must have keys and values":                      "lists: []\n" + rule,
		"hot must be a list of at least one text":              "lists: {hot: []}\n" + rule,
		"hot must be texts":                                    "lists: {hot: [[a]]}\n" + rule,
		"set 5 in quotes":                                      "lists: {hot: [5]}\n" + rule,
		"without space around them":                            "lists: {hot: [\"a \"]}\n" + rule,
		"duplicate a":                                          "lists: {hot: [a, a]}\n" + rule,
		"duplicate 0X52908400098527886E0F7030069857D2E4169EE7": "lists: {hot: [\"0x52908400098527886e0f7030069857d2e4169ee7\", \"0X52908400098527886E0F7030069857D2E4169EE7\"]}\n" + rule,
		"hot is given twice":                                   "lists:\n  hot: [a]\n  hot: [b]\n" + rule,
		`"ApproveSwap": types are those that are not known`:    "types: [ApproveSwap]\n" + rule,
		`"Approve": types are those`:                           "types: [Approve]\n" + rule,
		"BTC has 8 decimals":                                   "decimals: {BTC: 6}\n" + rule,
		"decimals of USDC must be a whole number from 0 to 18": "decimals: {USDC: 19}\n" + rule,
		`the decimals of "DOGE" are not known`:                 "rules:\n  - {name: r, when: fees < 5, then: approve, limits: [{per: asset, window: 1h, max_amount: 5 DOGE}]}\n",
		`"0 BTC" must be above zero`:                           "rules:\n  - {name: r, when: fees < 5, then: approve, limits: [{per: asset, window: 1h, max_amount: 0 BTC}]}\n",
		`"1.5.5 BTC": it must be a decimal number`:             "rules:\n  - {name: r, when: fees < 5, then: approve, limits: [{per: asset, window: 1h, max_amount: 1.5.5 BTC}]}\n",
		`hot is a list: write … in hot`:                        "lists: {hot: [a]}\nrules:\n  - {name: r, when: asset == hot, then: reject}\n",
		`"Mnday" is no weekday`:                                "lists: {hot: [Mnday]}\nrules:\n  - {name: r, when: weekday in hot, then: reject}\n",
	} {
		_, err := approver.ParseRules("rules.yaml", []byte(file))
		require.ErrorAs(t, err, new(*approver.RuleError), file)
		require.ErrorContains(t, err, problem)
	}
	rules := rulesAt(t, "lists: {hot: [BTC], cold: [ETH]}\n"+rule, at(noon))
	assert.Equal(t, []string{"rules.yaml:1: no rule asks for list cold"}, rules.Warnings())
	assert.Equal(t, approver.Reject, verdict(t, rules, newAction()))
	assert.Equal(t, approver.Leave, verdict(t, rules, newAction(of("ETH"))))

	limited := rulesAt(t, rulesFile("fees < 50")+"    limits: [{per: wallet, window: 1h, max_amount: 0.00002 BTC}]\n", at(noon))
	d, err := limited.Decide(plain(t), newAction())
	require.NoError(t, err)
	assert.EqualValues(t, 2000, d.Spends[0].MaxAmount)
	assert.Equal(t, approver.Leave, verdict(t, limited, newAction(of("ETH"))), "a limit in bitcoin counts nothing else")
}

func TestDecimalsAreHeldAgainstTheService(t *testing.T) {
	rules := rulesAt(t, "decimals: {USDC: 6, DOGE: 3}\n"+rulesFile(`amount <= "5 USDC" || amount <= "1 BTC"`), at(noon))
	usdc, btc := qredo.Asset{Code: "USDC", Scale: 1_000_000}, qredo.Asset{Code: "BTC", Scale: 100_000_000}
	require.NoError(t, rules.CheckDecimals([]qredo.Asset{btc, usdc}))
	require.ErrorContains(t, rules.CheckDecimals([]qredo.Asset{btc}), "the service has no asset USDC")
	usdc.Scale *= 10
	require.ErrorContains(t, rules.CheckDecimals([]qredo.Asset{btc, usdc}), "USDC is counted with 6 decimals, but the service has 10000000 units in one")
	limited := rulesAt(t, rulesFile("fees < 50")+"    limits: [{per: wallet, window: 1h, max_amount: 0.00002 BTC}]\n", at(noon))
	require.Error(t, limited.CheckDecimals(nil))
	require.NoError(t, rulesAt(t, rulesFile(`type == "ApproveExternalSign" && value < "1 ETH"`), at(noon)).CheckDecimals(nil), "which is in wei")
}

// The table of facts in the package's description has those that there are, with who chooses each.
func TestEveryFactIsDescribed(t *testing.T) {
	source, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	values := rulesAt(t, rulesFile("true"), at(noon)).Explain(plain(t), newAction(swap(5))).Values
	for name := range rulesAt(t, rulesFile("true"), at(noon)).Explain(plain(t), newAction(ether)).Values {
		values[name] = nil
	}
	require.Len(t, values, 27)
	for name := range values {
		assert.Regexp(t, `(?m)^//\t([a-z_]+, )*`+name+`(, [a-z_]+)* +[AOWST]  `, string(source))
	}
}
