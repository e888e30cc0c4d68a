package agentcrypto

import (
	"crypto/sha256"
	"crypto/sha3"

	bls "github.com/cloudflare/circl/ecc/bls12381"
	"github.com/cloudflare/circl/ecc/bls12381/ff"
)

// hashMessage returns the point of G1 whose multiples are a message's signatures. It does not follow RFC 9380, which came
// later.
func hashMessage(message []byte) *bls.G1 { return mapToPoint(sha3.SumSHAKE256(message, ff.FpSize)) }

// hashID returns the point of G1 that stands for an M-Pin ID.
func hashID(id []byte) *bls.G1 {
	digest := sha256.Sum256(id)
	return mapToPoint(digest[:]) // a number: leading zero bytes change nothing
}

// mapToPoint tries x, starting with a number, until it finds a point, and clears its cofactor. The time it takes depends
// on the number.
func mapToPoint(number []byte) *bls.G1 {
	var x ff.Fp
	x.SetBytes(number) // modulo p
	for ; ; x.Add(&x, &one) {
		y, found := rootOf(rightSide(&x), 0)
		if !found {
			continue
		}
		cleared := (&curvePoint{x, *y, one}).times(cofactor[:])
		if cleared.z.IsZero() == 1 {
			continue
		}
		point, err := inSubgroup(cleared.affine())
		if err != nil {
			panic("agentcrypto: a cleared point is outside the subgroup")
		}
		return point
	}
}

// cofactor is the order of the whole curve divided by r. A shorter multiplier that also clears it gives different points.
var cofactor = [...]byte{0x39, 0x6c, 0x8c, 0x00, 0x55, 0x55, 0xe1, 0x56, 0x8c, 0x00, 0xaa, 0xab, 0x00, 0x00, 0xaa, 0xab}

var one, four, twelve = small(1), small(4), small(12)

func small(n uint64) (x ff.Fp) {
	x.SetUint64(n)
	return x
}

func squared(x *ff.Fp) *ff.Fp {
	var square ff.Fp
	square.Sqr(x)
	return &square
}

// rightSide returns x³ + 4.
func rightSide(x *ff.Fp) *ff.Fp {
	cube := squared(x)
	cube.Mul(cube, x)
	cube.Add(cube, &four)
	return cube
}

// rootOf returns the even (0) or odd (1) square root. Zero, which has only one root, does not occur: the curve's order is
// odd, so no point has y = 0.
func rootOf(square *ff.Fp, parity int) (root *ff.Fp, found bool) {
	root = &ff.Fp{}
	if root.Sqrt(square) == 0 {
		return nil, false
	}
	if root.Sgn0() != parity {
		root.Neg()
	}
	return root, true
}

// curvePoint is a point anywhere on the curve, in homogeneous coordinates.
type curvePoint struct{ x, y, z ff.Fp }

// times multiplies by a number, in a time that depends on it.
func (p *curvePoint) times(number []byte) *curvePoint {
	product := &curvePoint{y: one} // infinity
	for i := range 8 * len(number) {
		product = product.plus(product)
		if number[i/8]>>(7-i%8)&1 == 1 {
			product = product.plus(p)
		}
	}
	return product
}

// plus adds by algorithm 7 of Renes, Costello and Batina, Complete addition formulas for prime order elliptic curves
// (2016), with a = 0. It holds for all points of a curve whose order is odd, equal ones and infinity too.
func (p *curvePoint) plus(q *curvePoint) *curvePoint {
	var xx, yy, zz, xy, yz, xz ff.Fp // x₁x₂, …, x₁y₂ + x₂y₁, …
	xx.Mul(&p.x, &q.x)
	yy.Mul(&p.y, &q.y)
	zz.Mul(&p.z, &q.z)
	cross(&xy, &p.x, &p.y, &q.x, &q.y, &xx, &yy)
	cross(&yz, &p.y, &p.z, &q.y, &q.z, &yy, &zz)
	cross(&xz, &p.x, &p.z, &q.x, &q.z, &xx, &zz)

	var less, more, a, b ff.Fp
	zz.Mul(&zz, &twelve) // 3·4, of y² = x³ + 4
	xz.Mul(&xz, &twelve)
	less.Sub(&yy, &zz)
	more.Add(&yy, &zz)
	a.Add(&xx, &xx)
	xx.Add(&a, &xx) // 3x₁x₂

	var sum curvePoint
	a.Mul(&xy, &less)
	b.Mul(&yz, &xz)
	sum.x.Sub(&a, &b)
	a.Mul(&less, &more)
	b.Mul(&xx, &xz)
	sum.y.Add(&a, &b)
	a.Mul(&yz, &more)
	b.Mul(&xx, &xy)
	sum.z.Add(&a, &b)
	return &sum
}

// cross sets out to a₁b₂ + a₂b₁, of a₁a₂ and b₁b₂.
func cross(out, a1, b1, a2, b2, aa, bb *ff.Fp) {
	var left, right ff.Fp
	left.Add(a1, b1)
	right.Add(a2, b2)
	out.Mul(&left, &right)
	out.Sub(out, aa)
	out.Sub(out, bb)
}

// affine returns x and y of a point that is not infinity.
func (p *curvePoint) affine() []byte {
	var inverse, x, y ff.Fp
	inverse.Inv(&p.z)
	x.Mul(&p.x, &inverse)
	y.Mul(&p.y, &inverse)
	return coordinates(&x, &y)
}
