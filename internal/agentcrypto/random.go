package agentcrypto

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"

	bls "github.com/cloudflare/circl/ecc/bls12381"
)

// generator is AMCL's random number generator: a subtract-with-borrow generator whose output is hashed. It has no branch
// that depends on its seed.
type generator struct {
	words  [21]uint32
	at     int
	borrow uint32
	pool   [sha256.Size]byte
	used   int // of pool
}

func newGenerator(seed []byte) *generator {
	g := &generator{}
	digest := sha256.Sum256(seed)
	for i := 0; i < len(digest); i += 4 {
		g.stir(binary.LittleEndian.Uint32(digest[i:]))
	}
	g.fill()
	return g
}

func (g *generator) stir(s uint32) {
	g.at, g.borrow = 0, 0
	g.words[0] ^= s
	m := uint32(1)
	for i := 1; i < len(g.words); i++ {
		g.words[8*i%len(g.words)] ^= m
		m, s = s-m, m
	}
	for range 10_000 {
		g.word()
	}
}

func (g *generator) word() uint32 {
	if g.at++; g.at < len(g.words) {
		return g.words[g.at]
	}
	g.at = 0
	for i, k := 0, 15; i < len(g.words); i, k = i+1, (k+1)%len(g.words) {
		g.words[i], g.borrow = bits.Sub32(g.words[k], g.words[i], g.borrow)
	}
	return g.words[0]
}

func (g *generator) fill() {
	var low [128]byte
	for i := range low {
		low[i] = byte(g.word() & 0xff)
	}
	g.pool, g.used = sha256.Sum256(low[:]), 0
}

func (g *generator) byte() byte {
	b := g.pool[g.used]
	if g.used++; g.used == len(g.pool) {
		g.fill()
	}
	return b
}

// scalar draws 510 bits, the most significant first, and of each byte the lowest first.
func (g *generator) scalar() *bls.Scalar {
	const drawn = 510
	var number [64]byte
	var from byte
	for i := range drawn {
		if i%8 == 0 {
			from = g.byte()
		}
		place := drawn - 1 - i
		number[len(number)-1-place/8] |= (from >> (i % 8) & 1) << (place % 8)
	}
	return reduce(number[:])
}

// randomScalar returns a non-zero scalar from the system's randomness.
func randomScalar() *bls.Scalar {
	for {
		var wide [64]byte         // 257 bits more than r has: the bias is negligible
		_, _ = rand.Read(wide[:]) // never fails
		if s := reduce(wide[:]); s.IsZero() == 0 {
			return s
		}
	}
}

// reduce returns a number modulo r. Its length in bytes is a multiple of eight. circl's scalars use math/big for this, in
// a time that depends on the number.
func reduce(number []byte) *bls.Scalar {
	var sum, word, shift bls.Scalar
	shift.SetUint64(1 << 32)
	shift.Sqr(&shift)
	for ; len(number) > 0; number = number[8:] {
		word.SetUint64(binary.BigEndian.Uint64(number))
		sum.Mul(&sum, &shift)
		sum.Add(&sum, &word)
	}
	return &sum
}
