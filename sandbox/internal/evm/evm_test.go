package evm_test

import (
	"bytes"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox/internal/evm"
)

func TestIsAddress(t *testing.T) {
	digits := "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
	for text, want := range map[string]bool{
		"0x" + digits: true, "0x" + strings.ToUpper(digits): true, "0x" + strings.ToLower(digits): true,
		digits: false, "0X" + digits: false, "0x" + digits[1:]: false, "0x" + digits + "0": false, "0x" + digits[1:] + "g": false,
		" 0x" + digits: false, "": false, "0x": false, "00" + digits: false, "1BoatSLRHtKNngkdXEeobR76b53LETtpyT": false,
	} {
		assert.Equal(t, want, evm.IsAddress(text), text)
	}
}

// The example of EIP-155 itself.
func TestSignKnownAnswer(t *testing.T) {
	tx := evm.Transaction{
		To: "0x3535353535353535353535353535353535353535", Value: big.NewInt(1e18), ChainID: big.NewInt(1),
		GasLimit: 21000, GasPrice: big.NewInt(20e9),
	}
	signed, err := tx.Sign(bytes.Repeat([]byte{0x46}, 32), 9)
	require.NoError(t, err)
	assert.Equal(t, "0xec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080808080", signed.Raw)
	assert.Equal(t, "0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025"+
		"a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"+
		"a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83", signed.Signed)
	assert.Equal(t, "0x33469b22e9f636356c4160a87eb19df52b7412e8eac32a4a55ffe88ea8350788", signed.Hash)
}

// The two transactions that the service has published, byte for byte.
func TestRawKnownAnswers(t *testing.T) {
	for want, tx := range map[string]evm.Transaction{
		"0xdd800115943d6a96164c95b143d1e0eb9fab95710b9c99faff0180808080": {To: "0x3d6a96164c95b143d1e0eb9fab95710b9c99faff", GasPrice: big.NewInt(1)},
		"pALiBYABggfQFZQAAAAAAAAAAAAAAAAAAAAAAAAAAAGAwICAgA":             {To: "0x" + strings.Repeat("0", 40), FeeCap: big.NewInt(2000), FeeTip: big.NewInt(1)},
	} {
		tx.Value, tx.ChainID, tx.GasLimit = big.NewInt(1), big.NewInt(5), 21
		signed, err := tx.Sign(bytes.Repeat([]byte{7}, 32), 0)
		require.NoError(t, err)
		assert.Equal(t, want, signed.Raw)
	}
}

func TestSignNeedsKeyAndAddress(t *testing.T) {
	tx := evm.Transaction{To: "0x" + strings.Repeat("0", 40), Value: new(big.Int), ChainID: big.NewInt(1), GasPrice: new(big.Int)}
	for name, key := range outOfRange {
		_, err := tx.Sign(key, 0)
		require.ErrorContains(t, err, "private key", name)
	}
	for _, to := range []string{"", "0x94", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"} {
		tx.To = to
		_, err := tx.Sign(bytes.Repeat([]byte{7}, 32), 0)
		require.ErrorContains(t, err, "an address", to)
	}
}

// order is the number of points of secp256k1, from its standard.
var order, _ = new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)

// What a library would take for another key than was meant.
var outOfRange = map[string][]byte{
	"none": nil, "zero": make([]byte, 32), "the order": order.Bytes(), "beyond it": bytes.Repeat([]byte{0xff}, 32),
	"short": bytes.Repeat([]byte{7}, 31), "long": bytes.Repeat([]byte{7}, 33),
}

func TestNewAddress(t *testing.T) {
	one := append(make([]byte, 31), 1)
	last := new(big.Int).Sub(order, big.NewInt(1)).Bytes()
	for want, random := range map[string][]byte{
		"0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f": bytes.Repeat([]byte{0x46}, 32), // EIP-155's
		"0x7e5f4552091a69125d5dfcb7b8c2659029395bdf": one,
		"0x80c0dbf239224071c59dd8970ab9d542e3414ab2": last,
	} {
		address, key := evm.NewAddress(random)
		assert.Equal(t, want, address)
		assert.Equal(t, random, key)
	}
	for name, random := range outOfRange {
		address, key := evm.NewAddress(random)
		again, same := evm.NewAddress(key)
		assert.Equal(t, address, again, name)
		assert.Equal(t, key, same, name)
		assert.NotEqual(t, random, key, name)
	}
}
