// Package web3 reads what an action says of a payment on an Ethereum chain, which has no amount that the service counts.
package web3

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strings"

	"github.com/qredo-go/qredo"
)

// Payment is what a Web3 transaction does. What the service does not say is nil.
type Payment struct {
	Value *big.Int // wei
	Chain *big.Int // 1 is Ethereum
	Gas   *big.Int // wei that it may cost besides, at most: its limit at the highest price that was asked for
	Data  *string  // "0x" and hexadecimal digits in lower case: what a contract is asked to do
}

var hexText = regexp.MustCompile(`^0[xX]([0-9a-fA-F]{2})*$`)

// Of reads the details of an action. Figures that are not exact count as not given.
func Of(d *qredo.ActionDetails) Payment {
	p := Payment{Value: number(d.ClientData["value"]), Chain: number(d.ClientData["chainID"])}
	limit, price := number(d.ClientData["gasLimit"]), number(d.ClientData["gasPrice"])
	if other := number(d.ClientData["maxFeePerGas"]); price == nil || other != nil && other.Cmp(price) > 0 {
		price = other
	}
	if limit != nil && price != nil {
		p.Gas = price.Mul(price, limit)
	}
	if text, ok := d.ClientData["data"].(string); ok {
		if text == "" {
			text = "0x"
		}
		if hexText.MatchString(text) {
			text = strings.ToLower(text)
			p.Data = &text
		}
	}
	return p
}

func number(v any) *big.Int {
	const exact = 1 << 53
	text := ""
	switch x := v.(type) {
	case string:
		text = x
	case json.Number:
		text = x.String()
	case float64:
		if x < 0 || x > exact || x != float64(int64(x)) {
			return nil
		}
		return big.NewInt(int64(x))
	}
	digits, base := text, 10
	if hexadecimal := strings.TrimPrefix(strings.ToLower(text), "0x"); hexadecimal != strings.ToLower(text) {
		digits, base = hexadecimal, 16
	}
	n, ok := new(big.Int).SetString(digits, base)
	if !ok || strings.ContainsAny(digits, "+-_") {
		return nil
	}
	return n
}

// Method is the part of the data that names what a contract is asked to do: its first four bytes. A payment without
// data has none: "".
func (p Payment) Method() string {
	if p.Data == nil || *p.Data == "0x" {
		return ""
	}
	return (*p.Data)[:min(len(*p.Data), len("0x12345678"))]
}

// decimals is the number of decimal places of a chain's coin: values are in wei, as on all chains compatible with
// Ethereum.
const decimals = 18

// String says in a few words what is paid: "1.5 of chain 1's coin (1500000000000000000 wei), data 0xa9059cbb…".
func (p Payment) String() string {
	value, gas, chain, data := "an unknown value", "unknown gas", "an unknown chain", "unknown data"
	if p.Chain != nil {
		chain = fmt.Sprintf("chain %s", p.Chain)
	}
	if p.Value != nil {
		value = Coins(p.Value)
	}
	if p.Gas != nil {
		gas = "gas of up to " + Coins(p.Gas)
	}
	if p.Data != nil {
		data = "data " + *p.Data
		if *p.Data == "0x" {
			data = "no data"
		}
	}
	return fmt.Sprintf("%s and %s on %s, %s", value, gas, chain, data)
}

// Coins writes wei in whole coins, exactly: "1.5 coins (1500000000000000000 wei)".
func Coins(wei *big.Int) string {
	digits := wei.String()
	if missing := decimals + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	whole, fraction := digits[:len(digits)-decimals], strings.TrimRight(digits[len(digits)-decimals:], "0")
	if fraction != "" {
		whole += "." + fraction
	}
	return fmt.Sprintf("%s coins (%s wei)", whole, wei)
}
