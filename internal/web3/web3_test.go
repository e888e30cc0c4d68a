package web3_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/web3"
)

func TestPayment(t *testing.T) {
	for name, c := range map[string]struct {
		data         map[string]any
		text, method string
	}{
		"a payment": {
			map[string]any{"value": "1000000000000000000000", "chainID": "1", "data": "0x"},
			"1000 coins (1000000000000000000000 wei) and unknown gas on chain 1, no data", "",
		},
		"without data, as empty text": {map[string]any{"value": "1", "chainID": json.Number("5"), "data": ""}, "0.000000000000000001 coins (1 wei) and unknown gas on chain 5, no data", ""},
		"a price of gas": {
			map[string]any{"value": "1", "gasLimit": "21000", "gasPrice": "1152921504606846976", "maxFeePerGas": "0"},
			"0.000000000000000001 coins (1 wei) and gas of up to 24211.351596743786496 coins (24211351596743786496000 wei) on an unknown chain, unknown data", "",
		},
		"the highest price of gas": {
			map[string]any{"gasLimit": json.Number("2"), "gasPrice": nil, "maxFeePerGas": json.Number("5"), "maxPriorityFeePerGas": json.Number("1")},
			"an unknown value and gas of up to 0.00000000000000001 coins (10 wei) on an unknown chain, unknown data", "",
		},
		"a call": {
			map[string]any{"value": json.Number("0"), "chainID": float64(137), "data": "0xA9059CBB0000"},
			"0 coins (0 wei) and unknown gas on chain 137, data 0xa9059cbb0000", "0xa9059cbb",
		},
		"short data":        {map[string]any{"value": "0xde0b6b3a7640000", "data": "0x12"}, "1 coins (1000000000000000000 wei) and unknown gas on an unknown chain, data 0x12", "0x12"},
		"nothing":           {nil, "an unknown value and unknown gas on an unknown chain, unknown data", ""},
		"what is not exact": {map[string]any{"value": 1e21, "chainID": 1.5, "data": "0x1"}, "an unknown value and unknown gas on an unknown chain, unknown data", ""},
		"what is negative":  {map[string]any{"value": "-1", "chainID": float64(-1), "data": 5}, "an unknown value and unknown gas on an unknown chain, unknown data", ""},
		"no figures":        {map[string]any{"value": "much", "chainID": "0x", "data": "rent"}, "an unknown value and unknown gas on an unknown chain, unknown data", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := web3.Of(&qredo.ActionDetails{ClientData: c.data})
			assert.Equal(t, c.text, p.String())
			assert.Equal(t, c.method, p.Method())
		})
	}
}
