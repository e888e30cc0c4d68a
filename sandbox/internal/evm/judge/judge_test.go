// Package judge has go-ethereum say whether what package evm and the client make of transactions is what a chain takes. It is a module of
// its own: go-ethereum and what it needs stay out of the programs of who uses the others.
package judge_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rlp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox/internal/evm"
)

// random is what a run draws from. A failure names the seed and which draw it was.
type random struct{ *rand.Rand }

func newRandom(t *testing.T) random {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return random{rand.New(rand.NewPCG(seed, 0))}
}

func (r random) bytes(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(r.Uint32())
	}
	return out
}

func pick[T any](r random, of ...T) T { return of[r.IntN(len(of))] }

// number is one of up to so many bits, often of those where an encoding changes its form.
func (r random) number(bits int) *big.Int {
	last := new(big.Int).Lsh(big.NewInt(1), uint(bits))
	last.Sub(last, big.NewInt(1))
	edge := pick(r, 0, 1, 0x7f, 0x80, 0xff, 0x100)
	n := pick(r, big.NewInt(int64(edge)), last, new(big.Int).SetBytes(r.bytes(1+r.IntN(bits/8))))
	return n.And(n, last)
}

func (r random) nonce() uint64 {
	return pick(r, 0, 1, 0x7f, 0x80, math.MaxUint64, r.Uint64()>>r.IntN(64))
}

func (r random) data() []byte {
	switch r.IntN(4) {
	case 0:
		return []byte{byte(pick(r, 0, 1, 0x7f, 0x80, 0xff))}
	case 1:
		return r.bytes(r.IntN(400))
	default:
		sizes := []int{0, 2, 54, 55, 56, 57, 255, 256, 257}
		if r.IntN(20) == 0 {
			sizes = []int{65_535, 65_536, 65_537}
		}
		return r.bytes(pick(r, sizes...))
	}
}

func (r random) transaction() evm.Transaction {
	tx := evm.Transaction{
		To: common.BytesToAddress(r.bytes(r.IntN(21))).Hex(), Value: r.number(256), ChainID: r.number(64), GasLimit: r.nonce(), Data: r.data(),
	}
	if tx.ChainID.Sign() == 0 {
		tx.ChainID.SetInt64(1)
	}
	if r.IntN(2) == 0 {
		tx.GasPrice = r.number(256)
	} else {
		tx.FeeCap, tx.FeeTip = r.number(256), r.number(256)
	}
	return tx
}

func TestTransactionsDecodeAndRecoverToTheSender(t *testing.T) {
	rnd := newRandom(t)
	half := new(big.Int).Rsh(crypto.S256().Params().N, 1)
	seen := map[uint8]int{}
	for i := range 6000 {
		address, key := evm.NewAddress(rnd.bytes(32))
		want, nonce := rnd.transaction(), rnd.nonce()
		signed, err := want.Sign(key, nonce)
		require.NoError(t, err, i)

		var got types.Transaction
		require.NoError(t, got.UnmarshalBinary(hexutil.MustDecode(signed.Signed)), i)
		signer := types.LatestSignerForChainID(want.ChainID)
		from, err := types.Sender(signer, &got)
		require.NoError(t, err, i)
		require.Equal(t, address, strings.ToLower(from.Hex()), i)
		require.Equal(t, got.Hash().Hex(), signed.Hash, i)
		requireFields(t, want, nonce, &got, i)
		_, r, s := got.RawSignatureValues()
		require.Positive(t, r.Sign(), i)
		require.LessOrEqual(t, s.Cmp(half), 0, "%d: the lower of two that would do", i)

		raw := decodeRaw(t, signed.Raw)
		require.Equal(t, signer.Hash(&got), signer.Hash(raw), "%d: the raw form is the same transaction", i)
		v, r, s := raw.RawSignatureValues()
		require.Equal(t, []int{0, 0, 0}, []int{v.Sign(), r.Sign(), s.Sign()}, "%d: without its signature", i)

		// go-ethereum draws its nonces as RFC 6979 says too, so that the bytes are the same.
		private, err := crypto.ToECDSA(key)
		require.NoError(t, err)
		theirs, err := types.SignTx(raw, signer, private)
		require.NoError(t, err)
		written, err := theirs.MarshalBinary()
		require.NoError(t, err)
		require.Equal(t, hexutil.Encode(written), signed.Signed, i)
		seen[got.Type()]++
	}
	assert.Greater(t, seen[types.LegacyTxType], 2000)
	assert.Greater(t, seen[types.DynamicFeeTxType], 2000)
	assert.Len(t, seen, 2)
}

func requireFields(t *testing.T, want evm.Transaction, nonce uint64, got *types.Transaction, i int) {
	t.Helper()
	number := func(name string, want, got *big.Int) {
		require.Zero(t, want.Cmp(got), "%d: %s is %s, not %s", i, name, got, want)
	}
	require.Equal(t, common.HexToAddress(want.To), *got.To(), i)
	require.Equal(t, nonce, got.Nonce(), i)
	require.Equal(t, want.GasLimit, got.Gas(), i)
	require.True(t, bytes.Equal(want.Data, got.Data()), i)
	number("value", want.Value, got.Value())
	number("chain", want.ChainID, got.ChainId())
	if want.GasPrice != nil {
		require.Equal(t, uint8(types.LegacyTxType), got.Type(), i)
		require.True(t, got.Protected(), i)
		number("gas price", want.GasPrice, got.GasPrice())
		return
	}
	require.Equal(t, uint8(types.DynamicFeeTxType), got.Type(), i)
	require.Empty(t, got.AccessList(), i)
	number("fee", want.FeeCap, got.GasFeeCap())
	number("tip", want.FeeTip, got.GasTipCap())
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

func TestAddresses(t *testing.T) {
	rnd := newRandom(t)
	small := func(n uint64) []byte { return binary.BigEndian.AppendUint64(make([]byte, 24), n) }
	for i := range uint64(2000) {
		for _, bytes := range [][]byte{rnd.bytes(32), small(i), small(rnd.Uint64())} {
			address, key := evm.NewAddress(bytes)
			private, err := crypto.ToECDSA(key)
			require.NoError(t, err)
			want := crypto.PubkeyToAddress(private.PublicKey)
			require.Equal(t, strings.ToLower(want.Hex()), address)
			sum, err := qapi.ChecksumAddress(address)
			require.NoError(t, err)
			require.Equal(t, want.Hex(), sum)
		}
	}
}

// Texts that are nearly addresses: what is one, and has the checksum, is the same to both.
func TestTextsThatMayBeAddresses(t *testing.T) {
	rnd := newRandom(t)
	found := map[bool]int{}
	for range 20_000 {
		text := []byte(common.BytesToAddress(rnd.bytes(20)).Hex())
		for range rnd.IntN(3) {
			text[rnd.IntN(len(text))] = pick(rnd, []byte("0fFgGxX\x00 \xff")...)
		}
		if rnd.IntN(4) == 0 {
			text = text[:rnd.IntN(len(text)+1)]
		}
		is := strings.HasPrefix(string(text), "0x") && common.IsHexAddress(string(text))
		require.Equal(t, is, evm.IsAddress(string(text)), "%q", text)
		digits, _ := strings.CutPrefix(string(text), "0x")
		right := is && (digits == strings.ToLower(digits) || digits == strings.ToUpper(digits) || common.HexToAddress(digits).Hex() == string(text))
		_, err := qapi.ChecksumAddress(string(text))
		require.Equal(t, right, err == nil, "%q", text)
		found[right]++
	}
	assert.Greater(t, min(found[true], found[false]), 3000)
}
