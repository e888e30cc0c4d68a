package approver_test

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
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

// amount is one with fees of 10, if there is anything.
func amount(n qredo.Amount) func(*qredo.Action) {
	return func(a *qredo.Action) {
		if a.Details.Amount, a.Details.NetAmount = n, n-a.Details.Fees; n == 0 {
			a.Details.NetAmount, a.Details.Fees = 0, 0
		}
	}
}

func kind(t qredo.ActionType) func(*qredo.Action) {
	return func(a *qredo.Action) {
		if a.Type = t; t == qredo.ActionSwap || t == qredo.ActionSwapTake || t == qredo.ActionPolicyUpdate {
			a.Details.RecipientID, a.Details.RecipientName = "", "" // these pay nobody
		}
	}
}

// plain is a context in which transfers are no sweeps.
func plain(t *testing.T) context.Context {
	t.Helper()
	return approver.ContextWithSweep(t.Context(), false)
}

// update is a change of a wallet's policy. It moves nothing.
func update(a *qredo.Action) {
	kind(qredo.ActionPolicyUpdate)(a)
	amount(0)(a)
}

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
		{"amount in [999, 1000]", newAction(amount(1000)), noon, yes},
		{"amount in [999, 1000]", newAction(amount(1001)), noon, no},
		{"1000 >= amount", newAction(amount(1000)), noon, yes},
		{"1000 > amount", newAction(amount(1000)), noon, no},
		{"999 < amount <= 1000", newAction(amount(1000)), noon, yes},
		{"999 < amount <= 1000", newAction(amount(1001)), noon, no},

		// With their asset.
		{`amount <= "0.00001 BTC"`, newAction(amount(1000)), noon, yes},
		{`amount <= "0.00001 BTC"`, newAction(amount(1001)), noon, no},
		{`"0.00001 BTC" == amount`, newAction(amount(1000)), noon, yes},
		{`amount > "0.00001 BTC"`, newAction(amount(1001)), noon, yes},
		{`not (amount <= "0.00001 BTC")`, newAction(amount(1001)), noon, yes},
		{`amount - fees <= "1 BTC"`, newAction(), noon, yes},
		{`amount <= "1 ETH"`, newAction(), noon, no},
		{`amount > "0 ETH"`, newAction(), noon, no},
		{`not (amount <= "1 ETH")`, newAction(), noon, no},
		{"net_amount <= 990", newAction(), noon, yes},
		{"net_amount < 990", newAction(), noon, no},
		{"fees <= 10", newAction(), noon, yes},
		{"fees < 10", newAction(), noon, no},
		{"amount == net_amount + fees", newAction(), noon, yes},
		{"amount == net_amount + fees + 1", newAction(amount(1001)), noon, no},
		{"fees * 100 <= amount", newAction(), noon, yes},
		{"fees * 100 <= amount", newAction(amount(999)), noon, no},
		{"amount - fees >= 990", newAction(), noon, yes},
		{"net_amount <= 990", newAction(func(a *qredo.Action) { a.Details.NetAmount, a.Details.Fees = 0, 0 }), noon, no},
		{"not (fees > 10)", newAction(func(a *qredo.Action) { a.Details.NetAmount, a.Details.Fees = 0, 0 }), noon, no},
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
		{`upper(asset) in ["BTC"]`, newAction(), noon, yes},
		{`reference != "" and benefit_of contains "a"`, newAction(), noon, yes},
		{`reference endsWith "17"`, newAction(), noon, yes},
		{`"please pay invoice 17 now" contains reference`, newAction(), noon, yes},
		{`recipient != wallet`, newAction(), noon, yes},
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
		{"hour in 9..12", newAction(), noon, yes},
		{"hour not in 9..12", newAction(), noon, no},
		{"hour in 9..11 || minute in 0..29", newAction(), noon, no},
		{`time in "09:00".."12:30"`, newAction(), noon.Add(-time.Second), yes},
		{`time in "09:00".."12:30"`, newAction(), noon, no},
		{`time in "12:30".."17:00"`, newAction(), noon, yes},
		{`time >= "12:30" && time < "12:31"`, newAction(), noon.Add(59 * time.Second), yes},
		{`time != "12:30"`, newAction(), noon, no},
		{`weekday == "Wednesday"`, newAction(), noon, yes},
		{`weekday == "Wednesday"`, newAction(), noon.Add(11*time.Hour + 30*time.Minute), no},
		{`weekday not in ["Saturday", "Sunday"]`, newAction(), noon, yes},
		{`weekday not in ["Saturday", "Sunday"]`, newAction(), noon.AddDate(0, 0, 3), no},

		// What moves nothing is approved only by rules that ask for its type.
		{"amount <= 1000", newAction(connect), noon, no},
		{"amount <= 1000", newAction(update), noon, no},
		{`type matches "^Approve(UpdatePolicy|Transfer)$"`, newAction(update), noon, no},
		{`type == "ApproveUpdatePolicy"`, newAction(update), noon, yes},
		{`type == "ApproveNewWalletConnect" && wallet == "wallet-9"`, newAction(connect), noon, yes},
	} {
		t.Run(c.when, func(t *testing.T) {
			rules, err := approver.ParseRules("rules.yaml", []byte(rulesFile(c.when)), approver.WithClock(at(c.at)))
			require.NoError(t, err)
			d, err := rules.Decide(plain(t), c.action)
			require.NoError(t, err)
			assert.Equal(t, c.want, d.Verdict)
			explained := rules.Explain(plain(t), c.action)
			assert.Equal(t, d, explained.Decision)
			assert.Equal(t, c.want == yes, explained.Rules[0].Matches)
		})
	}
}

// Numbers have as many digits as they need: no result is wrong, and none fails.
func TestNumbersAreExact(t *testing.T) {
	for _, when := range []string{
		"amount + amount > 9223372036854775807", "amount + 1 > 9223372036854775807", "amount * amount > 9223372036854775807",
		"-1 * amount - 2 < -9223372036854775807", "amount % 2 == 1", "fees - 12 - amount < 0", "amount - 9223372036854775806 == 1",
		"fees * net_amount == 9223372036854775797 * 10", "9223372036854775807 + 1 > amount",
	} {
		t.Run(when, func(t *testing.T) {
			rules, err := approver.ParseRules("rules.yaml", []byte(rulesFile(when)), approver.WithClock(at(noon)))
			require.NoError(t, err)
			d, err := rules.Decide(plain(t), newAction(amount(math.MaxInt64)))
			require.NoError(t, err)
			assert.Equal(t, approver.Approve, d.Verdict)
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
		"sums that are wrong": newAction(func(a *qredo.Action) { a.Details.NetAmount = 991 }),
		"no net amount":       newAction(func(a *qredo.Action) { a.Details.NetAmount, a.Details.Fees = 0, 1000 }),
		"negative fees":       newAction(func(a *qredo.Action) { a.Details.NetAmount, a.Details.Fees = 1010, -10 }),
		"two recipients":      newAction(func(a *qredo.Action) { a.Details.RecipientAddress = "bc1q" }),
		"a swap without one":  newAction(kind(qredo.ActionSwap), amount(0)),
		"a withdrawal of nil": newAction(withdrawal("bc1q", ""), amount(0)),
	} {
		t.Run(name, func(t *testing.T) {
			d, err := rules.Decide(plain(t), action)
			require.Error(t, err)
			assert.Empty(t, d.Verdict)
			assert.Equal(t, approver.Leave, rules.Explain(plain(t), action).Decision.Verdict)
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
	d, err := rules.Decide(plain(t), newAction(stop, amount(9999)))
	require.NoError(t, err)
	assert.Equal(t, approver.Decision{Verdict: approver.Reject, Reason: "the reference says so", Rule: "blocked", OverLimit: approver.Leave}, d)

	d, err = rules.Decide(plain(t), newAction(amount(5001)))
	require.NoError(t, err)
	assert.Equal(t, approver.Leave, d.Verdict)
	assert.Equal(t, "by hand", d.Rule)
	assert.Equal(t, "amount > 5000", d.Reason)

	d, err = rules.Decide(plain(t), newAction())
	require.NoError(t, err)
	assert.Equal(t, approver.Approve, d.Verdict)
	assert.Equal(t, approver.Reject, d.OverLimit)
	assert.Equal(t, []approver.Spend{
		{Counter: `of rule "small", wallet "wallet-1", asset "BTC", sum`, Amount: 1000, Window: 24 * time.Hour, MaxAmount: 9000},
		{Counter: `of rule "small", wallet "wallet-1", count`, Window: 24 * time.Hour, MaxCount: 3},
		{Counter: `of rule "small", recipient "wallet-2", count`, Window: time.Hour, MaxCount: 2},
		{Counter: `of rule "small", asset "BTC", sum`, Amount: 1000, Window: 720 * time.Hour, MaxAmount: math.MaxInt64},
	}, d.Spends)

	d, err = rules.Decide(plain(t), newAction(connect))
	require.NoError(t, err)
	assert.Equal(t, approver.Decision{Verdict: approver.Leave, Reason: "no rule matches"}, d)
}

func TestExplanationAsText(t *testing.T) {
	rules, err := approver.ParseRules("rules.yaml", []byte(threeRules), approver.WithClock(at(noon)))
	require.NoError(t, err)
	e := rules.Explain(plain(t), newAction())
	assert.EqualValues(t, 1000, e.Values["amount"])
	assert.Equal(t, "Wednesday", e.Values["weekday"])
	assert.Equal(t, `approve: amount <= 5000
  it moves amount 1000, asset BTC
  rule "blocked" in line 3 does not match: reference contains "STOP"
  rule "by hand" in line 7 does not match: amount > 5000
  rule "small" in line 10 matches and decides: amount <= 5000
`, e.String())
}

// TestEveryKnownTypeOfActionCanBeNamed fails when package qredo learns of a type that this package does not know.
func TestEveryKnownTypeOfActionCanBeNamed(t *testing.T) {
	exports, err := os.ReadFile(filepath.Join("..", "api", "qredo.txt"))
	require.NoError(t, err)
	found := regexp.MustCompile(`(?m)^const Action\w+ ActionType = (".*")$`).FindAllSubmatch(exports, -1)
	require.NotEmpty(t, found)
	for _, constant := range found {
		_, err := approver.ParseRules("rules.yaml", []byte(rulesFile("type == "+string(constant[1]))), approver.WithClock(at(noon)))
		require.NoError(t, err)
	}
}

func TestLoadRules(t *testing.T) {
	_, err := approver.LoadRules(t.TempDir() + "/none.yaml")
	require.ErrorIs(t, err, fs.ErrNotExist)
}
