package approver_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/qredo-go/qredo/approver"
)

// Anybody can name a core client as an approver of a fund of their own: what it approves there is theirs, and counts in limits.
func TestRulesThatApproveForOutsidersAreWarnedOf(t *testing.T) {
	about := func(when, rest string) string {
		file := "lists: {ours: [w1, w2]}\n" + strings.TrimSuffix(rulesFile(when), "\n") + rest + "\n"
		return strings.Join(rulesAt(t, file, at(noon)).Warnings(), "\n")
	}
	const limit = "\n    limits: [{per: asset, window: 24h, max_amount: 1 BTC}]"
	for _, when := range []string{
		"true", `recipient == "a" && amount <= "1 BTC"`, `type == "ApproveTransfer" && asset == "BTC"`, `wallet != "theirs"`, `fund not in ["f"]`, `!(company == "c")`,
		`wallet in ours || recipient == "a"`, `type == "ApproveSwap" && receive_asset == "BTC"`, `type == "ApproveExternalSign"`, `whitelisted && recipient_name == "x"`,
		`type in ["ApproveNewWalletConnect", "ApproveTransfer"]`,
	} {
		assert.Contains(t, about(when, ""), outsiders+": say the wallet, fund or company with == or in", when)
		if !strings.Contains(when, "ExternalSign") {
			assert.Contains(t, about(when, limit), outsiders+", and use up its limits: say", when)
		}
	}
	for _, when := range []string{
		`wallet == "w"`, `"w" == wallet`, `fund == "f" && amount <= "1 BTC"`, `company in ["c"]`, `wallet in ours`, `wallet in ours && recipient == "a" || fund == "f"`,
		`fund startsWith "f"`, `type == "ApproveTransfer" && !(wallet != "w")`,
	} {
		assert.NotContains(t, about(when, "")+about(when, limit), outsiders, when)
	}
	assert.NotContains(t, about(`type == "ApproveNewWalletConnect"`, ""), outsiders, "a wallet that is not known before")
	for _, then := range []approver.Verdict{approver.Reject, approver.Leave} {
		file := strings.Replace(rulesFile("amount > 5"), "approve", string(then), 1)
		assert.NotContains(t, strings.Join(rulesAt(t, file, at(noon)).Warnings(), "\n"), outsiders)
	}
}

// A rule that approves and looks at nothing was not told of.
func TestRulesThatApproveEverythingAreWarnedOf(t *testing.T) {
	for _, pattern := range []string{"", ".*", "^.*$", "^", "$", "^.+$", "(?s).", "[0-9A-Za-z]", "a?", "(bc1)?", "x*"} {
		for _, then := range []approver.Verdict{approver.Approve, approver.Reject} {
			assert.Contains(t, strings.Join(warned(t, "recipient matches \""+pattern+"\"", then), "\n"), "the pattern in recipient matches", pattern)
		}
	}
	for _, when := range []string{`asset matches "."`, `reference matches "^"`, `not (wallet matches "")`} {
		assert.Contains(t, strings.Join(warned(t, when, approver.Approve), "\n"), "matches all that can come", when)
	}
	for _, when := range []string{`recipient matches "^bc1"`, `recipient matches "^0x[0-9a-fA-F]{40}$"`, `asset matches "^(BTC|ETH)$"`, `reference matches "^invoice [0-9]+$"`, `reference matches "[a-z]"`} {
		assert.NotContains(t, strings.Join(warned(t, when, approver.Approve), "\n"), "matches all", when)
	}
	assert.Contains(t, strings.Join(warned(t, "true", approver.Approve), "\n"), "the rule approves every transfer and withdrawal")
	for _, then := range []approver.Verdict{approver.Reject, approver.Leave} {
		assert.Empty(t, warned(t, "true", then))
	}
}
