package agentcrypto

import (
	"bytes"
	"crypto/rand"
	"math/big"
	"testing"

	bls "github.com/cloudflare/circl/ecc/bls12381"
	"github.com/cloudflare/circl/ecc/bls12381/ff"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	modulus = new(big.Int).SetBytes(ff.FpOrder())
	order   = new(big.Int).SetBytes(bls.Order())
)

func inField(x *big.Int) *big.Int { return new(big.Int).Mod(x, modulus) }

func product(factors ...*big.Int) *big.Int {
	p := big.NewInt(1)
	for _, f := range factors {
		p = inField(p.Mul(p, f))
	}
	return p
}

// affinePoint is a point of the curve by the schoolbook; nil is infinity.
type affinePoint struct{ x, y *big.Int }

func (p *affinePoint) plus(q *affinePoint) *affinePoint {
	var rise, run *big.Int
	switch {
	case p == nil:
		return q
	case q == nil:
		return p
	case p.x.Cmp(q.x) == 0 && inField(new(big.Int).Add(p.y, q.y)).Sign() == 0:
		return nil
	case p.x.Cmp(q.x) == 0:
		rise, run = product(big.NewInt(3), p.x, p.x), product(big.NewInt(2), p.y)
	default:
		rise, run = new(big.Int).Sub(q.y, p.y), new(big.Int).Sub(q.x, p.x)
	}
	slope := product(rise, new(big.Int).ModInverse(inField(run), modulus))
	x := product(slope, slope)
	x = inField(x.Sub(x, p.x).Sub(x, q.x))
	y := product(slope, new(big.Int).Sub(p.x, x))
	return &affinePoint{x, inField(y.Sub(y, p.y))}
}

func (p *affinePoint) times(n *big.Int) (product *affinePoint) {
	for i := n.BitLen() - 1; i >= 0; i-- {
		product = product.plus(product)
		if n.Bit(i) == 1 {
			product = product.plus(p)
		}
	}
	return product
}

// mapped is mapToPoint by the schoolbook. It also tells how many x it tried, and how many of those were cleared to nothing.
func mapped(number []byte) (point *affinePoint, tried, cleared int) {
	h := new(big.Int).SetBytes(cofactor[:])
	x := inField(new(big.Int).SetBytes(number))
	for ; ; x = inField(x.Add(x, big.NewInt(1))) {
		tried++
		y := product(x, x, x)
		if y.ModSqrt(inField(y.Add(y, big.NewInt(4))), modulus) == nil {
			continue
		}
		if y.Bit(0) == 1 {
			y.Sub(modulus, y)
		}
		if point = (&affinePoint{new(big.Int).Set(x), y}).times(h); point != nil {
			return point, tried, cleared
		}
		cleared++
	}
}

func (p *affinePoint) bytes() []byte {
	data := make([]byte, 96)
	p.x.FillBytes(data[:48])
	p.y.FillBytes(data[48:])
	return append([]byte{4}, data...)
}

func TestMapToPointIsTheSchoolbooks(t *testing.T) {
	var numbers [][]byte
	for _, offset := range []int64{-2, -1, 0, 1} { // 0 and p are the x of a point of order 3
		numbers = append(numbers, new(big.Int).Add(modulus, big.NewInt(offset)).FillBytes(make([]byte, 48)))
	}
	numbers = append(numbers, make([]byte, 48), bytes.Repeat([]byte{0xff}, 48), bytes.Repeat([]byte{0xff}, 32))
	for range 12 {
		number := make([]byte, 48)
		_, _ = rand.Read(number)
		numbers = append(numbers, number)
	}
	more, nothing := 0, 0
	for _, number := range numbers {
		want, tried, cleared := mapped(number)
		require.Equal(t, want.bytes(), pointBytes(mapToPoint(number)), "%x", number)
		require.Nil(t, want.times(order))
		more += tried - 1
		nothing += cleared
	}
	assert.Positive(t, more, "every number was an x")
	assert.Positive(t, nothing, "no point was cleared to infinity")
}

func TestCofactorIsWhatTheOrderLeaves(t *testing.T) {
	h := new(big.Int).SetBytes(cofactor[:])
	z := new(big.Int).Neg(new(big.Int).SetUint64(0xd201000000010000)) // the curve's parameter: p + 1 - trace = h·r, and the trace is z + 1
	whole := new(big.Int).Sub(modulus, z)
	assert.Equal(t, whole, new(big.Int).Mul(h, order))
	assert.EqualValues(t, 1, whole.Bit(0), "there are points with y = 0")
}

func TestPlusIsComplete(t *testing.T) {
	generator := bls.G1Generator().Bytes()
	read := func(x, y []byte) *curvePoint {
		p := &curvePoint{z: one}
		require.NoError(t, p.x.UnmarshalBinary(x))
		require.NoError(t, p.y.UnmarshalBinary(y))
		return p
	}
	g := read(generator[:48], generator[48:])
	negative := *g
	negative.y.Neg()
	three := &curvePoint{y: small(2), z: one} // (0, 2), of order 3
	infinity := &curvePoint{y: one}
	isInfinity := func(p *curvePoint) bool { return p.x.IsZero() == 1 && p.y.IsZero() == 0 && p.z.IsZero() == 1 }

	assert.True(t, isInfinity(g.plus(&negative)))
	assert.True(t, isInfinity(infinity.plus(infinity)))
	assert.True(t, isInfinity(three.plus(three).plus(three)))
	assert.True(t, isInfinity(g.times(bls.Order())))
	assert.True(t, isInfinity(g.times(nil)))
	assert.Equal(t, g.affine(), g.plus(infinity).affine())
	assert.Equal(t, g.affine(), infinity.plus(g).affine())
	assert.Equal(t, three.affine(), three.times([]byte{4}).affine())
	double := bls.G1Generator()
	double.Double()
	assert.Equal(t, double.Bytes(), g.plus(g).affine())
	assert.Equal(t, double.Bytes(), g.times([]byte{2}).affine())
}

func TestReduceIsModuloOrder(t *testing.T) {
	numbers := [][]byte{make([]byte, 64), bytes.Repeat([]byte{0xff}, 64), bls.Order(), new(big.Int).Sub(order, big.NewInt(1)).Bytes()}
	for range 20 {
		number := make([]byte, 64)
		_, _ = rand.Read(number)
		numbers = append(numbers, number)
	}
	for _, number := range numbers {
		got, _ := reduce(number).MarshalBinary()
		want := new(big.Int).Mod(new(big.Int).SetBytes(number), order)
		require.Equal(t, want.FillBytes(make([]byte, 32)), got, "%x", number)
	}
}
