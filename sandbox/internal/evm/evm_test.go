package evm_test

import (
	"bytes"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rlp"
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
}

func TestSign(t *testing.T) {
	large, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	for name, tx := range map[string]evm.Transaction{
		"legacy":  {GasPrice: large},
		"type 2":  {FeeCap: large, FeeTip: big.NewInt(1)},
		"no tip":  {FeeCap: big.NewInt(7), FeeTip: new(big.Int)},
		"no cost": {GasPrice: new(big.Int)},
	} {
		t.Run(name, func(t *testing.T) {
			address, key := evm.NewAddress(bytes.Repeat([]byte{7}, 32))
			tx.To, tx.Value, tx.ChainID, tx.GasLimit, tx.Data = "0x"+strings.Repeat("ab", 20), large, big.NewInt(5), 90_000, []byte{1, 2}
			signed, err := tx.Sign(key, 3)
			require.NoError(t, err)

			var decoded types.Transaction
			require.NoError(t, decoded.UnmarshalBinary(hexutil.MustDecode(signed.Signed)))
			signer := types.LatestSignerForChainID(big.NewInt(5))
			from, err := types.Sender(signer, &decoded)
			require.NoError(t, err)
			assert.Equal(t, address, strings.ToLower(from.Hex()))
			raw := decodeRaw(t, signed.Raw)
			assert.Equal(t, signer.Hash(&decoded), signer.Hash(raw), "the raw form is the same transaction")
			v, r, s := raw.RawSignatureValues()
			assert.Equal(t, []int{0, 0, 0}, []int{v.Sign(), r.Sign(), s.Sign()}, "without its signature")
			assert.Equal(t, decoded.Hash().Hex(), signed.Hash)
			assert.Equal(t, uint64(3), decoded.Nonce())
			assert.Equal(t, uint64(90_000), decoded.Gas())
			assert.Equal(t, large, decoded.Value())
			assert.Equal(t, []byte{1, 2}, decoded.Data())
			assert.Equal(t, tx.GasPrice == nil, decoded.Type() == types.DynamicFeeTxType)
		})
	}
}

// decodeRaw reads a transaction as it is written where nothing marks its type: in a block.
func decodeRaw(t *testing.T, text string) *types.Transaction {
	t.Helper()
	raw, err := hexutil.Decode(text)
	if err != nil {
		raw, err = base64.RawStdEncoding.DecodeString(text)
	}
	require.NoError(t, err)
	tx := new(types.Transaction)
	require.NoError(t, rlp.DecodeBytes(raw, tx))
	return tx
}

// The two transactions that the service has published, byte for byte.
func TestRawKnownAnswers(t *testing.T) {
	legacy, err := evm.Transaction{
		To: "0x3d6a96164c95b143d1e0eb9fab95710b9c99faff", Value: big.NewInt(1), ChainID: big.NewInt(5), GasLimit: 21, GasPrice: big.NewInt(1),
	}.Raw(0)
	require.NoError(t, err)
	assert.Equal(t, "0xdd800115943d6a96164c95b143d1e0eb9fab95710b9c99faff0180808080", legacy)
	dynamic, err := evm.Transaction{
		To: "0x" + strings.Repeat("0", 40), Value: big.NewInt(1), ChainID: big.NewInt(5), GasLimit: 21, FeeCap: big.NewInt(2000), FeeTip: big.NewInt(1),
	}.Raw(0)
	require.NoError(t, err)
	assert.Equal(t, "pALiBYABggfQFZQAAAAAAAAAAAAAAAAAAAAAAAAAAAGAwICAgA", dynamic)
}

func TestSignNeedsAKey(t *testing.T) {
	_, err := evm.Transaction{Value: new(big.Int), ChainID: big.NewInt(1), GasPrice: new(big.Int)}.Sign(nil, 0)
	require.Error(t, err)
}

func TestNewAddress(t *testing.T) {
	address, key := evm.NewAddress(bytes.Repeat([]byte{0x46}, 32))
	assert.Equal(t, "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f", address)
	assert.Len(t, key, 32)
	for _, outOfRange := range [][]byte{make([]byte, 32), bytes.Repeat([]byte{0xff}, 32)} {
		address, key := evm.NewAddress(outOfRange)
		private, err := crypto.ToECDSA(key)
		require.NoError(t, err)
		assert.Equal(t, address, strings.ToLower(crypto.PubkeyToAddress(private.PublicKey).Hex()))
	}
}

func TestHasChecksum(t *testing.T) {
	for _, good := range []string{
		"0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f", "0x9D8A62F656A8D1615C1294FD71E9CFB3E4855A4F", "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F",
	} {
		assert.True(t, evm.HasChecksum(good), good)
	}
	for _, bad := range []string{
		"0x9D8A62f656a8d1615C1294fd71e9CFb3E4855A4F", "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4f", "0x9d8A62f656a8d1615C1294fd71e9Cfb3E4855A4F",
	} {
		assert.False(t, evm.HasChecksum(bad), bad)
	}
}
