package approver_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// TestWhatARuleThatApprovesCanMatch has each type of action, known, to come, and named by the file, by each form of
// condition on its type, alone and with conditions on what the action has.
func TestWhatARuleThatApprovesCanMatch(t *testing.T) {
	const added, strange = "ApproveAdded", "ApproveSomethingNew"
	types := []qredo.ActionType{
		qredo.ActionTransfer, qredo.ActionWithdraw, qredo.ActionSwap, qredo.ActionSwapTake,
		qredo.ActionWalletConnect, qredo.ActionExternalSign, qredo.ActionPolicyUpdate, added, strange,
	}
	without := []qredo.ActionType{qredo.ActionWalletConnect, qredo.ActionExternalSign, qredo.ActionPolicyUpdate, strange}
	action := func(of qredo.ActionType) qredo.Action {
		switch of {
		case qredo.ActionSwap, qredo.ActionSwapTake:
			return newAction(swap(7), kind(of), amount(1000))
		case qredo.ActionExternalSign:
			return newAction(ether)
		case qredo.ActionWalletConnect:
			return newAction(connect)
		case qredo.ActionWithdraw:
			return newAction(withdrawal("bc1q", "payee"))
		case qredo.ActionPolicyUpdate, strange:
			return newAction(kind(of), amount(0))
		default:
			return newAction(kind(of))
		}
	}
	all := `type in ["ApproveTransfer", "ApproveWithdraw", "ApproveSwap", "ApproveSwapTake", "ApproveNewWalletConnect", "ApproveExternalSign", "ApproveUpdatePolicy", "ApproveAdded"]`
	named := slices.DeleteFunc(slices.Clone(types), func(t qredo.ActionType) bool { return t == strange })
	plain := types[:2]
	// What a condition on the type alone lets a rule match.
	forms := map[string][]qredo.ActionType{
		"true":                            plain,
		all:                               named,
		`type != "ApproveWithdraw"`:       {qredo.ActionTransfer},
		`not (type == "ApproveWithdraw")`: {qredo.ActionTransfer},
		`type not in ["ApproveTransfer", "ApproveSwap"]`:                {qredo.ActionWithdraw},
		`type startsWith "Approve"`:                                     plain,
		`type matches "^Approve"`:                                       plain,
		`type contains "Approve" && type endsWith "r"`:                  {qredo.ActionTransfer},
		`lower(type) in ["approveswap", "approveexternalsign"]`:         nil,
		`asset != "DOGE"`:                                               plain,
		`not (` + all + `)`:                                             nil,
		`not (type != "ApproveUpdatePolicy")`:                           {qredo.ActionPolicyUpdate},
		`type != "ApproveWithdraw" && ` + all:                           slices.DeleteFunc(slices.Clone(named), func(t qredo.ActionType) bool { return t == qredo.ActionWithdraw }),
		`type == "ApproveExternalSign" || asset != "DOGE"`:              append(slices.Clone(plain), qredo.ActionExternalSign),
		`type == "ApproveExternalSign" && asset == "X" || asset != "Y"`: plain,
		`(type == "ApproveSwap" || asset != "DOGE") && (type == "ApproveAdded" || asset != "BCH")`: append(slices.Clone(plain), qredo.ActionSwap, added),
	}
	for _, of := range named {
		forms[`type == "`+string(of)+`"`] = []qredo.ActionType{of}
		forms[`"`+string(of)+`" == type && asset != "DOGE"`] = []qredo.ActionType{of}
		forms[`type in ["`+string(of)+`"]`] = []qredo.ActionType{of}
	}
	const limits = "    limits: [{per: asset, window: 1h, max_count: 5}]\n"
	for form, matched := range forms {
		for _, extra := range []struct {
			and, more string
			allows    func(qredo.ActionType) bool
		}{
			{"", "", func(qredo.ActionType) bool { return true }},
			{" && amount < 2000", "", func(t qredo.ActionType) bool { return !slices.Contains(without, t) }},
			{" && not (net_amount > 2000)", "", func(t qredo.ActionType) bool { return !slices.Contains(without, t) }},
			{" && (fees < 2000 || asset != \"DOGE\")", "", func(t qredo.ActionType) bool { return !slices.Contains(without, t) }},
			{"", limits, func(t qredo.ActionType) bool { return !slices.Contains(without, t) }},
			{"", "    limits: [{per: asset, window: 1h, max_amount: 5 BTC}]\n", func(t qredo.ActionType) bool { return !slices.Contains(without, t) }},
			{" && receive_amount < 2000", "", func(t qredo.ActionType) bool { return t == qredo.ActionSwap || t == qredo.ActionSwapTake }},
			{" && value > 2000", "", func(t qredo.ActionType) bool { return t == qredo.ActionExternalSign }},
		} {
			if form == "true" && extra.and != "" {
				continue
			}
			when := "(" + form + ")" + extra.and
			if extra.and == "" {
				when = form
			}
			file := "types: [ApproveAdded]\n" + rulesFile(when) + extra.more
			rules, err := approver.ParseRules("rules.yaml", []byte(file), approver.WithClock(at(noon)))
			var got, want []qredo.ActionType
			for _, of := range types {
				if slices.Contains(matched, of) && extra.allows(of) {
					want = append(want, of)
				}
				if err == nil && verdict(t, rules, action(of)) == approver.Approve {
					got = append(got, of)
				}
			}
			assert.Equal(t, want, got, "%s %s", when, extra.more)
			if err != nil {
				assert.Empty(t, want, "it can match something: %v", err)
				assert.ErrorContains(t, err, "can never", when)
			}
		}
	}
}
