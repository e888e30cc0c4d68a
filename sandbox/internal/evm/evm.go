// Package evm makes and signs transactions of the EVM. It is the only package but for tests and examples
// that uses go-ethereum, so that no user of the clients compiles that.
package evm

import (
	"encoding/hex"
	"errors"
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

// CheckAddress tells what is wrong with an address: its form, or a checksum if it has one.
func CheckAddress(text string) error {
	address, err := common.NewMixedcaseAddressFromString(text)
	digits := strings.TrimPrefix(text, "0x")
	switch {
	case err != nil || !IsAddress(text):
		return errors.New("is no address")
	case digits != strings.ToLower(digits) && digits != strings.ToUpper(digits) && !address.ValidChecksum():
		return errors.New("has a wrong checksum")
	}
	return nil
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
	Raw    string // what is signed: hexadecimal, with 0x
	Signed string // what a chain takes: the same
	Hash   string
}

// Sign signs a transaction, for one chain.
func (t Transaction) Sign(key []byte, nonce uint64) (Signed, error) {
	private, err := crypto.ToECDSA(key)
	if err != nil {
		return Signed{}, fmt.Errorf("evm: %w", err)
	}
	raw, err := t.unsigned(nonce)
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
	return Signed{Raw: "0x" + hex.EncodeToString(raw), Signed: "0x" + hex.EncodeToString(signed), Hash: tx.Hash().Hex()}, nil
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

// unsigned is what the signature is made over the hash of: with the chain's ID, as EIP-155 says.
func (t Transaction) unsigned(nonce uint64) ([]byte, error) {
	to := common.HexToAddress(t.To)
	if t.GasPrice != nil {
		return rlp.EncodeToBytes([]any{nonce, t.GasPrice, t.GasLimit, to, t.Value, t.Data, t.ChainID, uint(0), uint(0)})
	}
	list, err := rlp.EncodeToBytes([]any{
		t.ChainID, nonce, t.FeeTip, t.FeeCap, t.GasLimit, to, t.Value, t.Data, types.AccessList{},
	})
	return append([]byte{types.DynamicFeeTxType}, list...), err
}
