package approver_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// A call of a contract is the same, however its hexadecimal digits are written. Rules that named it in capitals were passed.
func TestCapitalsOfDataMeanNothing(t *testing.T) {
	for _, when := range []string{
		`method == "0xA9059CBB"`, `method in ["0x095ea7b3", "0xA9059CBB"]`, `data startsWith "0xA9059CBB"`, `data contains "A9059CBB"`,
		`data matches "^0xA9059CBB"`, `!(method != "0xa9059cBB")`, `data == "0xa9059cbb00"`,
	} {
		for _, data := range []string{"0xA9059CBB00", "0xa9059cbb00"} {
			written := newAction(ether, func(a *qredo.Action) { a.Details.ClientData["data"] = data })
			rejects := rulesAt(t, fmt.Sprintf("rules:\n  - {name: no, when: '%s', then: reject}\n  - {name: all, when: type == \"ApproveExternalSign\", then: approve}\n", when), at(noon))
			assert.Equal(t, approver.Reject, verdict(t, rejects, written), "%s of %s", when, data)
			others := rulesAt(t, fmt.Sprintf("rules:\n  - {name: others, when: 'type == \"ApproveExternalSign\" && !(%s)', then: approve}\n", when), at(noon))
			assert.Equal(t, approver.Leave, verdict(t, others, written), "not %s of %s", when, data)
		}
	}
	for _, wrong := range []string{"a9059cbb", "0xa9059c", "0xa9059cbb00", "transfer"} {
		_, err := approver.ParseRules("rules.yaml", []byte(rulesFile(fmt.Sprintf("type == \"ApproveExternalSign\" && method == %q", wrong))))
		assert.ErrorContains(t, err, "is no method", wrong)
	}
}

// Whoever asks for a Web3 payment chooses what its gas may cost, which can be more than the value.
func TestGasIsSeen(t *testing.T) {
	rules := rulesAt(t, rulesFile(`type == "ApproveExternalSign" && value <= "0.001 ETH" && gas <= "0.01 ETH" && chain == 1`), at(noon))
	paying := func(data map[string]any) qredo.Action {
		data["value"], data["chainID"], data["data"] = "1000", "1", "0x"
		return newAction(ether, func(a *qredo.Action) { a.Details.ClientData = data })
	}
	for _, c := range []struct {
		data map[string]any
		want approver.Verdict
	}{
		{map[string]any{"gasLimit": "21000", "gasPrice": "20000000000"}, approver.Approve},
		{map[string]any{"gasLimit": "21000", "gasPrice": "1152921504606846976"}, approver.Leave},
		{map[string]any{"gasLimit": "21000", "gasPrice": "0", "maxFeePerGas": "1152921504606846976"}, approver.Leave},
		{map[string]any{"gasLimit": "9000000000", "gasPrice": "20000000000"}, approver.Leave},
		{map[string]any{"gasPrice": "1"}, approver.Leave},
		{map[string]any{"gasLimit": "21000"}, approver.Leave},
	} {
		assert.Equal(t, c.want, verdict(t, rules, paying(c.data)), c.data)
	}
}

func TestExplanationsOfPaymentsNeverSayZero(t *testing.T) {
	rules := rulesAt(t, rulesFile(`type == "ApproveExternalSign" && value < 5`), at(noon))
	e := rules.Explain(plain(t), newAction(ether))
	assert.NotContains(t, e.Values, "amount")
	assert.Equal(t, "1000000000000000000000", e.Values["value"].(*big.Int).String())
	assert.Contains(t, e.String(), "it moves an amount that is not known, asset ETH-TESTNET, value 1000000000000000000000, chain 1, data 0xa9059cbb00\n")
	written, err := json.Marshal(e)
	require.NoError(t, err)
	assert.NotContains(t, string(written), `"amount"`)
	assert.Contains(t, string(written), `"value":1000000000000000000000`)
	for _, name := range []string{"decision", "verdict", "rules", "when", "decides", "line"} {
		assert.Contains(t, string(written), `"`+name+`":`)
	}
	assert.Contains(t, rules.Explain(plain(t), newAction(connect)).String(), "it moves an amount that is not known, asset ETH\n")
}

// What the service does not say of a payment is missing, and is not taken for zero, or for nothing.
func TestWhatAPaymentDoesNotSayIsNotKnown(t *testing.T) {
	silent := newAction(ether, func(a *qredo.Action) { a.Details.ClientData = map[string]any{"value": "much", "chainID": "-1"} })
	for _, condition := range []string{"value <= 5", "value >= 0", "chain == 1", `method == ""`, `data == "0x"`, "not (value > 5)", `method != "0xa9059cbb"`, `data not in ["0x12"]`} {
		rules := rulesAt(t, rulesFile(`type == "ApproveExternalSign" && `+condition), at(noon))
		assert.Equal(t, approver.Leave, verdict(t, rules, silent), condition)
	}
	plain := newAction(ether, func(a *qredo.Action) {
		a.Details.ClientData = map[string]any{"value": json.Number("5"), "chainID": 1.0, "data": ""}
	})
	rules := rulesAt(t, rulesFile(`type == "ApproveExternalSign" && value == 5 && chain == 1 && method == "" && data == "0x"`), at(noon))
	assert.Equal(t, approver.Approve, verdict(t, rules, plain))
}

// Commit 4e8818f approved a Web3 payment of 1000 ETH by the first of these rules, as it did wallet connections, and
// counted nothing.
func TestWhatComesWithoutAnAmountIsNotApprovedByAmountsAndLimits(t *testing.T) {
	limit := "\n    limits: [{per: asset, window: 24h, max_amount: 1_000_000}]\n"
	file := func(when, rest string) string {
		return strings.TrimSuffix(rulesFile(when), "\n") + rest
	}
	for _, c := range []struct {
		when, rest string
		action     func(*qredo.Action)
		want       approver.Verdict
	}{
		{`type != "ApproveWithdraw" && amount <= 1_000_000`, limit, ether, approver.Leave},
		{`type != "ApproveWithdraw" && amount <= 1_000_000`, limit, connect, approver.Leave},
		{`type != "ApproveWithdraw" && amount <= 1_000_000`, limit, kind("ApproveSomethingNew"), approver.Leave},
		{`type != "ApproveWithdraw" && amount <= 1_000_000`, limit, kind(qredo.ActionTransfer), approver.Approve},
		{`type in ["ApproveExternalSign", "ApproveTransfer"]`, limit, ether, approver.Leave},
		{`type in ["ApproveExternalSign", "ApproveTransfer"]`, "\n    limits: [{per: wallet, window: 24h, max_count: 1}]\n", ether, approver.Leave},
		{`type in ["ApproveExternalSign", "ApproveTransfer"] && fees < 5`, "\n", ether, approver.Leave},
		{`type in ["ApproveExternalSign", "ApproveTransfer"] || amount < 5`, "\n", ether, approver.Leave},
		{`not (type != "ApproveExternalSign")`, "\n", ether, approver.Approve},
		{`not (type in ["ApproveWithdraw"])`, "\n", ether, approver.Leave},
		{`type == "ApproveWithdraw" || reference == ""`, "\n", ether, approver.Leave},
		{`type == "ApproveExternalSign" && value == 5 || wallet == "wallet-1"`, "\n", ether, approver.Leave},
		{`type == "ApproveExternalSign" && value <= "1000 ETH" && chain == 1 && method == "0xa9059cbb"`, "\n", ether, approver.Approve},
		{`type == "ApproveExternalSign" && value < "1000 ETH" && chain == 1`, "\n", ether, approver.Leave},
		{`type == "ApproveExternalSign" && value * 1000 < 9223372036854775807 * 9223372036854775807 && data == "0xa9059cbb00"`, "\n", ether, approver.Approve},
		{`type == "ApproveExternalSign" && value == 1000 * 1000000000000000000`, "\n", ether, approver.Approve},
	} {
		rules := rulesAt(t, file(c.when, c.rest), at(noon))
		assert.Equal(t, c.want, verdict(t, rules, newAction(c.action)), c.when)
	}
	for _, when := range []string{`type == "ApproveExternalSign"`, `type in ["ApproveExternalSign", "ApproveNewWalletConnect"]`, `value > 5 && wallet == "w"`, "receive_amount > 5"} {
		_, err := approver.ParseRules("rules.yaml", []byte(file(when, limit)))
		require.ErrorContains(t, err, "the rule can never match", when)
	}
}
