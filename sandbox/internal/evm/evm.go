// Package evm makes and signs transactions of the EVM. It is the only package but for tests and examples
// that uses go-ethereum, so that no user of the clients compiles that.
package evm

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rlp"
)

// NewAddress makes a private key of 32 random bytes, and the address that belongs to it in small letters.
func NewAddress(random []byte) (address string, key []byte) {
	for {
		private, err := crypto.ToECDSA(random)
		if err == nil {
			return strings.ToLower(crypto.PubkeyToAddress(private.PublicKey).Hex()), random
		}
		random = crypto.Keccak256(random) // out of range, which is as good as impossible
	}
}

// IsAddress reports whether a text has the form of an address, whatever its capitals.
func IsAddress(text string) bool { return strings.HasPrefix(text, "0x") && common.IsHexAddress(text) }

// HasChecksum reports whether an address has a right checksum, or has none since its letters are of one kind.
func HasChecksum(address string) bool {
	digits := strings.TrimPrefix(address, "0x")
	return digits == strings.ToLower(digits) || digits == strings.ToUpper(digits) || address == common.HexToAddress(address).Hex()
}

// Transaction is what a transaction does, but for the nonce. It is a legacy transaction if GasPrice is
// given, else one of type 2.
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
	Raw    string // without the signature: see Transaction.Raw
	Signed string // what a chain takes: hexadecimal, with 0x
	Hash   string
}

// Sign signs a transaction, for one chain.
func (t Transaction) Sign(key []byte, nonce uint64) (Signed, error) {
	private, err := crypto.ToECDSA(key)
	if err != nil {
		return Signed{}, fmt.Errorf("evm: %w", err)
	}
	raw, err := t.Raw(nonce)
	if err != nil {
		return Signed{}, fmt.Errorf("evm: %w", err)
	}
	tx, err := types.SignNewTx(private, types.LatestSignerForChainID(t.ChainID), t.data(nonce))
	if err != nil {
		return Signed{}, fmt.Errorf("evm: %w", err)
	}
	signed, err := tx.MarshalBinary()
	if err != nil {
		return Signed{}, fmt.Errorf("evm: %w", err)
	}
	return Signed{Raw: raw, Signed: "0x" + hex.EncodeToString(signed), Hash: tx.Hash().Hex()}, nil
}

func (t Transaction) data(nonce uint64) types.TxData {
	to := common.HexToAddress(t.To)
	if t.GasPrice != nil {
		return &types.LegacyTx{
			Nonce: nonce, GasPrice: t.GasPrice, Gas: t.GasLimit, To: &to, Value: t.Value, Data: t.Data,
		}
	}
	return &types.DynamicFeeTx{
		ChainID: t.ChainID, Nonce: nonce, GasTipCap: t.FeeTip, GasFeeCap: t.FeeCap, Gas: t.GasLimit, To: &to,
		Value: t.Value, Data: t.Data,
	}
}

// Raw is a transaction with an empty signature, as the service wrote it: a legacy one in hexadecimal with 0x; one of
// type 2 as an RLP string, which is around it in no chain, in base64 without padding.
func (t Transaction) Raw(nonce uint64) (string, error) {
	raw, err := rlp.EncodeToBytes(types.NewTx(t.data(nonce)))
	if t.GasPrice != nil {
		return "0x" + hex.EncodeToString(raw), err
	}
	return base64.RawStdEncoding.EncodeToString(raw), err
}
