package judge_test

import (
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rlp"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/qapi"
)

// What a chain takes comes out of every form that a signed transaction may have.
func TestSignedBytesOfEveryForm(t *testing.T) {
	key, err := crypto.GenerateKey()
	require.NoError(t, err)
	to := common.HexToAddress("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
	for name, data := range map[string]types.TxData{
		"legacy":                 &types.LegacyTx{Gas: 21_000, To: &to, Value: big.NewInt(1), GasPrice: big.NewInt(1)},
		"legacy with a call":     &types.LegacyTx{To: &to, GasPrice: new(big.Int), Data: make([]byte, 70_000)},
		"type 1":                 &types.AccessListTx{ChainID: big.NewInt(5), To: &to, Value: big.NewInt(1), GasPrice: big.NewInt(1)},
		"type 2":                 &types.DynamicFeeTx{ChainID: big.NewInt(5), GasTipCap: big.NewInt(1), GasFeeCap: big.NewInt(2000), Gas: 21, To: &to, Value: big.NewInt(1)},
		"type 2, 256 bytes":      &types.DynamicFeeTx{ChainID: big.NewInt(5), To: &to, Data: make([]byte, 148)},
		"type 2, a long call":    &types.DynamicFeeTx{ChainID: big.NewInt(5), To: &to, Data: make([]byte, 300)},
		"type 2, a longer one":   &types.DynamicFeeTx{ChainID: big.NewInt(5), To: &to, Data: make([]byte, 70_000)},
		"type 2 of a contract":   &types.DynamicFeeTx{ChainID: big.NewInt(5), Data: []byte{1}},
		"type 2 of another kind": &types.DynamicFeeTx{ChainID: big.NewInt(5), To: &to, Data: []byte{0xb8, 0x01}},
	} {
		t.Run(name, func(t *testing.T) {
			tx, err := types.SignNewTx(key, types.LatestSignerForChainID(big.NewInt(5)), data)
			require.NoError(t, err)
			plain, err := tx.MarshalBinary()
			require.NoError(t, err)
			wrapped, err := rlp.EncodeToBytes(tx) // within a block: an RLP string around a transaction with a type
			require.NoError(t, err)
			for _, raw := range [][]byte{plain, wrapped} {
				for _, text := range []string{
					"0x" + hex.EncodeToString(raw), hex.EncodeToString(raw), base64.StdEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw),
				} {
					got, err := (&qapi.Transaction{SignedTx: text}).SignedBytes()
					require.NoError(t, err)
					require.Equal(t, plain, got)
				}
			}
		})
	}
}
