package world

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEncode holds encode against division by one digit at a time: identifiers of stores remain what they are.
func TestEncode(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for size := range 80 {
		for _, alphabet := range []string{base58, base62} {
			raw := make([]byte, size)
			for i := range raw {
				raw[i] = byte(r.IntN(256)) * byte(min(r.IntN(4), 1))
			}
			n, base, rest := new(big.Int).SetBytes(raw), big.NewInt(int64(len(alphabet))), new(big.Int)
			var digits []byte
			for n.Sign() > 0 {
				n.DivMod(n, base, rest)
				digits = append(digits, alphabet[rest.Int64()])
			}
			slices.Reverse(digits)
			require.Equal(t, string(digits), encode(raw, alphabet), "%x", raw)
		}
	}
}

func BenchmarkAccountCode(b *testing.B) {
	for b.Loop() {
		AccountCode("7wjHwFx1Z3YRZZMkNX9B9jqyD2Q1nQdeCjs1uFZ4Efar")
	}
}
