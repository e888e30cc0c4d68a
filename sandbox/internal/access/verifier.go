package access

import (
	"bytes"
	"crypto"
	"crypto/fips140"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"

	"filippo.io/bigmod"
)

// verifier verifies signatures by one public key. crypto/rsa prepares the modulus anew for each signature, which takes two fifths of its time:
// here it is prepared once. It is the arithmetic of the standard library, outside of it.
type verifier struct {
	public  *rsa.PublicKey
	modulus *bigmod.Modulus // nil: the key is of a form that is left to crypto/rsa, or nothing but FIPS 140 is allowed
}

func newVerifier(public *rsa.PublicKey) *verifier {
	v := &verifier{public: public}
	const usual = 65537
	if !fips140.Enforced() && public.E == usual && public.N.BitLen() >= keyBits && public.N.Bit(0) == 1 {
		own := new(big.Int).Set(public.N) // nobody changes it
		if modulus, err := bigmod.NewModulus(own.Bytes()); err == nil {
			v.modulus = modulus
		}
	}
	return v
}

// digestInfo is what stands before a digest of SHA-256 (RFC 8017, 9.2).
var digestInfo = []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}

// verify reports whether a signature is that of a digest, by RSASSA-PKCS1-v1_5 with SHA-256. Nothing of it is secret.
func (v *verifier) verify(digest [sha256.Size]byte, signature []byte) bool {
	if v.modulus == nil {
		return rsa.VerifyPKCS1v15(v.public, crypto.SHA256, digest[:], signature) == nil
	}
	size := v.modulus.Size()
	if len(signature) != size {
		return false
	}
	number, err := bigmod.NewNat().SetBytes(signature, v.modulus)
	if err != nil { // it is not less than the modulus
		return false
	}
	message := bigmod.NewNat().ExpShortVarTime(number, uint(v.public.E), v.modulus).Bytes(v.modulus)
	padding := message[:size-len(digestInfo)-len(digest)]
	rest := message[len(padding):]
	last := len(padding) - 1
	if padding[0] != 0 || padding[1] != 1 || padding[last] != 0 || !bytes.HasPrefix(rest, digestInfo) || !bytes.Equal(rest[len(digestInfo):], digest[:]) {
		return false
	}
	for _, c := range padding[2:last] {
		if c != 0xff {
			return false
		}
	}
	return true
}
