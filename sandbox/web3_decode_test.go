package sandbox_test

import (
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/sha3"
)

// chainTx is a signed transaction as a chain reads it.
type chainTx struct {
	kind                       byte
	chainID, nonce, gas, value *big.Int
	gasPrice, feeCap, feeTip   *big.Int
	to, data, hash             string
}

// decodeSigned reads a signed transaction as a chain does, and returns it with who signed it. It is simpler than a chain in that it takes
// numbers with leading zeros: of that go-ethereum is the judge, in a module of its own.
func decodeSigned(t testing.TB, signed string) (tx chainTx, sender string) {
	t.Helper()
	data, err := hex.DecodeString(strings.TrimPrefix(signed, "0x"))
	require.NoError(t, err)
	tx.hash = "0x" + hex.EncodeToString(keccak(data))
	list := data
	if data[0] < 0x80 {
		tx.kind, list = data[0], data[1:]
	}
	whole, body, rest := rlpItem(t, list)
	require.Equal(t, list, whole)
	require.Empty(t, rest)
	var encoded, items [][]byte
	for len(body) > 0 {
		var item, content []byte
		item, content, body = rlpItem(t, body)
		encoded, items = append(encoded, item), append(items, content)
	}
	number := func(i int) *big.Int { return new(big.Int).SetBytes(items[i]) }
	text := func(i int) string { return "0x" + hex.EncodeToString(items[i]) }
	last := len(items) - 3
	parity := number(last)
	var message []byte
	if tx.kind == 0 {
		require.Len(t, items, 9)
		tx.nonce, tx.gasPrice, tx.gas, tx.to, tx.value, tx.data = number(0), number(1), number(2), text(3), number(4), text(5)
		v := new(big.Int).Sub(parity, big.NewInt(35))
		tx.chainID, parity = new(big.Int).Rsh(v, 1), v.And(v, big.NewInt(1))
		require.Less(t, tx.chainID.Uint64(), uint64(1<<30), "no longer chain ID is tried here")
		chain := encodedNumber(tx.chainID)
		message = rlpList(append(encoded[:last:last], chain, []byte{0x80}, []byte{0x80}))
	} else {
		require.EqualValues(t, 2, tx.kind)
		require.Len(t, items, 12)
		tx.chainID, tx.nonce, tx.feeTip, tx.feeCap, tx.gas, tx.to, tx.value, tx.data = number(0), number(1), number(2), number(3), number(4), text(5), number(6), text(7)
		message = append([]byte{2}, rlpList(encoded[:last])...)
	}
	compact := append([]byte{27 + byte(parity.Uint64())}, number(last+1).FillBytes(make([]byte, 32))...)
	compact = append(compact, number(last+2).FillBytes(make([]byte, 32))...)
	public, _, err := ecdsa.RecoverCompact(compact, keccak(message))
	require.NoError(t, err)
	return tx, "0x" + hex.EncodeToString(keccak(public.SerializeUncompressed()[1:])[12:])
}

// rlpItem takes the first item off: as it is encoded, and what it holds.
func rlpItem(t testing.TB, data []byte) (item, content, rest []byte) {
	t.Helper()
	first := int(data[0])
	if first < 0x80 {
		return data[:1], data[:1], data[1:]
	}
	base := 0x80
	if first >= 0xc0 {
		base = 0xc0
	}
	head, size := 1, first-base
	if size > 55 {
		head += size - 55
		size = int(new(big.Int).SetBytes(data[1:head]).Uint64())
	}
	require.LessOrEqual(t, head+size, len(data))
	return data[:head+size], data[head : head+size], data[head+size:]
}

// rlpList makes a list of less than 256 bytes of encoded items.
func rlpList(items [][]byte) []byte {
	var body []byte
	for _, item := range items {
		body = append(body, item...)
	}
	if len(body) <= 55 {
		return append([]byte{0xc0 + byte(len(body))}, body...)
	}
	return append([]byte{0xf8, byte(len(body))}, body...)
}

func encodedNumber(n *big.Int) []byte {
	digits := n.Bytes()
	if len(digits) == 1 && digits[0] < 0x80 {
		return digits
	}
	return append([]byte{0x80 + byte(len(digits))}, digits...)
}

func keccak(data []byte) []byte {
	hash := sha3.NewLegacyKeccak256()
	hash.Write(data)
	return hash.Sum(nil)
}
