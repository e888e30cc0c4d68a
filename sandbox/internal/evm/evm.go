// Package evm makes and signs transactions of the EVM: legacy ones (EIP-155) and those of type 2 (EIP-1559). What it makes is judged by
// go-ethereum, in a module of its own: see judge.
package evm

import (
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"slices"

	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// Transaction is what a transaction does, but for the nonce. It is a legacy transaction if GasPrice is
// given, else one of type 2. Numbers are not negative; a chain's is not 0.
type Transaction struct {
	To             string
	Value, ChainID *big.Int
	GasLimit       uint64
	GasPrice       *big.Int
	FeeCap, FeeTip *big.Int
	Data           []byte
}

// Signed is a transaction in the forms that approval and chain need.
type Signed struct {
	Raw    string // without the signature, as the service wrote it
	Signed string // what a chain takes: hexadecimal, with 0x
	Hash   string
}

// dynamic is the byte before a transaction of type 2.
const dynamic = 0x02

// Sign signs a transaction, for one chain.
func (t Transaction) Sign(key []byte, nonce uint64) (Signed, error) {
	private, err := parseKey(key)
	if err != nil {
		return Signed{}, err
	}
	defer private.Zero()
	to, err := parseAddress(t.To)
	if err != nil {
		return Signed{}, err
	}
	fields := t.fields(to, nonce)
	// Where r is beyond the order, which no transaction will ever see, the parity has a second bit: chains do not take that one.
	compact := ecdsa.SignCompact(private, keccak(t.signing(fields)), false)
	parity, r, s := int64(compact[0]-27), new(big.Int).SetBytes(compact[1:33]), new(big.Int).SetBytes(compact[33:])
	signed := t.typed(fields, t.v(parity), r, s)
	return Signed{Raw: t.raw(fields), Signed: "0x" + hex.EncodeToString(signed), Hash: "0x" + hex.EncodeToString(keccak(signed))}, nil
}

// fields are the parts of a transaction before its signature.
func (t Transaction) fields(to []byte, nonce uint64) [][]byte {
	payment := [][]byte{encodeUint(t.GasLimit), encodeString(to), encodeInt(t.Value), encodeString(t.Data)}
	if t.GasPrice != nil {
		return slices.Concat([][]byte{encodeUint(nonce), encodeInt(t.GasPrice)}, payment)
	}
	noAccess := encodeList()
	return slices.Concat([][]byte{encodeInt(t.ChainID), encodeUint(nonce), encodeInt(t.FeeTip), encodeInt(t.FeeCap)}, payment, [][]byte{noAccess})
}

// signing is what the signature is of. A legacy transaction names its chain there, where the signature will be.
func (t Transaction) signing(fields [][]byte) []byte {
	if t.GasPrice != nil {
		return t.typed(fields, t.ChainID, nil, nil)
	}
	return append([]byte{dynamic}, encodeList(fields...)...)
}

// v is the first number of a signature. In a legacy transaction it names the chain too.
func (t Transaction) v(parity int64) *big.Int {
	v := big.NewInt(parity)
	if t.GasPrice != nil {
		v.Add(v, big.NewInt(35))
		v.Add(v, new(big.Int).Lsh(t.ChainID, 1))
	}
	return v
}

// typed is a transaction with a signature and its type, as a chain takes it.
func (t Transaction) typed(fields [][]byte, v, r, s *big.Int) []byte {
	list := encodeList(slices.Concat(fields, [][]byte{encodeInt(v), encodeInt(r), encodeInt(s)})...)
	if t.GasPrice != nil {
		return list
	}
	return append([]byte{dynamic}, list...)
}

// raw is a transaction with an empty signature, as the service wrote it: a legacy one in hexadecimal with 0x; one of
// type 2 as an RLP string, which is around it in no chain, in base64 without padding.
func (t Transaction) raw(fields [][]byte) string {
	raw := t.typed(fields, nil, nil, nil)
	if t.GasPrice != nil {
		return "0x" + hex.EncodeToString(raw)
	}
	return base64.RawStdEncoding.EncodeToString(encodeString(raw))
}
