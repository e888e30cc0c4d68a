package agentcrypto

import (
	"errors"
	"fmt"

	bls "github.com/cloudflare/circl/ecc/bls12381"
	"github.com/cloudflare/circl/ecc/bls12381/ff"
)

// The lengths of what is sent, in bytes.
const (
	PublicKeySize = 4 * ff.FpSize   // x.c0, x.c1, y.c0, y.c1
	SignatureSize = 1 + ff.FpSize   // 02 for an even y or 03 for an odd one, and x
	PointSize     = 1 + 2*ff.FpSize // of a client secret and a token: 04, x, y
)

// Reasons for refusing a point.
var (
	errLength     = errors.New("has the wrong length")
	errTag        = errors.New("begins with the wrong byte for its format")
	errCoordinate = errors.New("has a coordinate that is not below the field's modulus")
	errCurve      = errors.New("is not on the curve")
	errSubgroup   = errors.New("is not in the subgroup of order r")
)

// parsePoint decodes a point of G1 from 04, x and y.
func parsePoint(data []byte) (*bls.G1, error) {
	if len(data) != PointSize {
		return nil, errLength
	}
	if data[0] != 4 {
		return nil, errTag
	}
	var x, y ff.Fp
	if x.UnmarshalBinary(data[1:1+ff.FpSize]) != nil || y.UnmarshalBinary(data[1+ff.FpSize:]) != nil {
		return nil, errCoordinate
	}
	square, side := squared(&y), rightSide(&x)
	if square.IsEqual(side) == 0 {
		return nil, errCurve
	}
	return inSubgroup(data[1:])
}

// parseSignature decodes a point of G1 from the parity of y, and x.
func parseSignature(data []byte) (*bls.G1, error) {
	if len(data) != SignatureSize {
		return nil, errLength
	}
	if data[0] != 2 && data[0] != 3 {
		return nil, errTag
	}
	var x ff.Fp
	if x.UnmarshalBinary(data[1:]) != nil {
		return nil, errCoordinate
	}
	y, found := rootOf(rightSide(&x), int(data[0]&1))
	if !found {
		return nil, errCurve
	}
	return inSubgroup(coordinates(&x, y))
}

// inSubgroup decodes a point of the curve from x and y, and checks its subgroup.
func inSubgroup(affine []byte) (*bls.G1, error) {
	var point bls.G1
	if point.SetBytes(affine) != nil {
		return nil, errSubgroup
	}
	return &point, nil
}

// pointBytes encodes a point as 04, x and y. Infinity, which occurs here with a probability of 1/r, has no encoding.
func pointBytes(point *bls.G1) []byte { return append([]byte{4}, point.Bytes()...) }

func signatureBytes(point *bls.G1) []byte {
	affine := point.Bytes()
	odd := affine[len(affine)-1] & 1
	return append([]byte{2 + odd}, affine[:ff.FpSize]...)
}

// parsePublicKey decodes a point of G2.
func parsePublicKey(data []byte) (*bls.G2, error) {
	if len(data) != PublicKeySize {
		return nil, errLength
	}
	affine := swapped(data)
	var x, y, side ff.Fp2
	if x.UnmarshalBinary(affine[:ff.Fp2Size]) != nil || y.UnmarshalBinary(affine[ff.Fp2Size:]) != nil {
		return nil, errCoordinate
	}
	side.Sqr(&x)
	side.Mul(&side, &x)
	side.Add(&side, &ff.Fp2{four, four}) // y² = x³ + 4(u + 1)
	y.Sqr(&y)
	if y.IsEqual(&side) == 0 {
		return nil, errCurve
	}
	var point bls.G2
	if point.SetBytes(affine) != nil {
		return nil, errSubgroup
	}
	return &point, nil
}

func publicKeyBytes(point *bls.G2) []byte { return swapped(point.Bytes()) }

// swapped changes c0, c1 to c1, c0, the order that circl uses, and back.
func swapped(data []byte) []byte {
	const size = ff.FpSize
	var out []byte
	for _, half := range [][]byte{data[size : 2*size], data[:size], data[3*size:], data[2*size : 3*size]} {
		out = append(out, half...)
	}
	return out
}

func coordinates(x, y *ff.Fp) []byte {
	first, _ := x.MarshalBinary() // never fails
	second, _ := y.MarshalBinary()
	return append(first, second...)
}

// invalid is the error for an invalid value.
func invalid(name string, why error) error { return fmt.Errorf("agentcrypto: %s: %w", name, why) }
