package agentcrypto

import (
	"crypto/sha256"
	"errors"

	bls "github.com/cloudflare/circl/ecc/bls12381"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// SeedSize is how many random bytes an agent makes its key of.
const SeedSize = 48

var (
	errEmpty     = errors.New("is empty")
	errZero      = errors.New("gives a zero key: use another one")
	errSignature = errors.New("is not a signature of this message by this key")
)

// Key is an agent's secret key, with the public halves that it registers with.
type Key struct {
	hidden
	secret veiled[*bls.Scalar]
	public *PublicKey
	ec     []byte
}

// NewKey makes the key of a seed, and does not keep that: the agent does. An agent's seed has [SeedSize] bytes; any length but
// none is taken.
func NewKey(seed []byte) (*Key, error) {
	secret, err := scalarOf(seed)
	if err != nil {
		return nil, err
	}
	var public bls.G2
	public.ScalarMult(secret, bls.G2Generator())
	return &Key{secret: veil(secret), public: &PublicKey{&public}, ec: ecKey(seed).PubKey().SerializeUncompressed()}, nil
}

// scalarOf returns the first scalar that AMCL's generator draws.
func scalarOf(seed []byte) (*bls.Scalar, error) {
	if len(seed) == 0 {
		return nil, invalid("seed", errEmpty)
	}
	secret := newGenerator(seed).scalar()
	if secret.IsZero() == 1 {
		return nil, invalid("seed", errZero)
	}
	return secret, nil
}

// ecKey is a second key from the same seed, on secp256k1. An agent sends its public half.
func ecKey(seed []byte) *secp256k1.PrivateKey {
	digest := sha256.Sum256(seed)
	return secp256k1.PrivKeyFromBytes(digest[:])
}

// PublicKey returns the BLS public key.
func (k *Key) PublicKey() *PublicKey { return k.public }

// ECPublicKey returns the public key on secp256k1, in the uncompressed form of 65 bytes.
func (k *Key) ECPublicKey() []byte { return append([]byte(nil), k.ec...) }

// Sign returns the signature of a message, of [SignatureSize] bytes. The service sends messages in hexadecimal: what is signed
// is the bytes. An empty one is signed like any other, though approving nothing is for the caller to refuse.
func (k *Key) Sign(message []byte) []byte {
	var signature bls.G1
	signature.ScalarMult(k.secret(), hashMessage(message))
	return signatureBytes(&signature)
}

// PublicKey is a BLS public key.
type PublicKey struct{ point *bls.G2 }

// ParsePublicKey reads a public key of [PublicKeySize] bytes.
func ParsePublicKey(data []byte) (*PublicKey, error) {
	point, err := parsePublicKey(data)
	if err != nil {
		return nil, invalid("BLS public key", err)
	}
	return &PublicKey{point}, nil
}

// Bytes returns what [ParsePublicKey] reads.
func (k *PublicKey) Bytes() []byte { return publicKeyBytes(k.point) }

// Verify returns an error unless a signature is the one that this key makes of a message.
func (k *PublicKey) Verify(message, signature []byte) error {
	point, err := parseSignature(signature)
	if err != nil {
		return invalid("signature", err)
	}
	// e(signature, G2) / e(hash, public key)
	ratio := bls.ProdPairFrac([]*bls.G1{point, hashMessage(message)}, []*bls.G2{bls.G2Generator(), k.point}, []int{1, -1})
	if !ratio.IsIdentity() {
		return invalid("signature", errSignature)
	}
	return nil
}
