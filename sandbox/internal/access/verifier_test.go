package access

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

// encoded is what a signature of a digest is made of, with the parts that a forger would change.
func encoded(size int, begin []byte, padding byte, separator byte, info, digest []byte) []byte {
	message := append([]byte{}, begin...)
	for len(message) < size-1-len(info)-len(digest) {
		message = append(message, padding)
	}
	return append(append(append(message, separator), info...), digest...)
}

// signRaw signs a number as it stands.
func signRaw(key *rsa.PrivateKey, message []byte) []byte {
	return new(big.Int).Exp(new(big.Int).SetBytes(message), key.D, key.N).FillBytes(make([]byte, key.Size()))
}

// TestVerifierAgreesWithCryptoRSA holds signatures that are right, and all kinds that are not, against crypto/rsa.
func TestVerifierAgreesWithCryptoRSA(t *testing.T) {
	digest := sha256.Sum256([]byte("text"))
	for _, bits := range []int{2048, 2056, 3072} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		require.NoError(t, err)
		size := key.Size()
		right, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
		require.NoError(t, err)
		begin := []byte{0, 1}
		wrongInfo := append([]byte{}, digestInfo...)
		wrongInfo[5]++
		changed := append([]byte{}, right...)
		changed[size/2] ^= 1
		sum := new(big.Int).Add(new(big.Int).SetBytes(right), key.N)
		lastOfPadding := encoded(size, begin, 0xff, 0, digestInfo, digest[:])
		lastOfPadding[size-len(digestInfo)-len(digest)-2]--
		signatures := map[string][]byte{
			"right":             right,
			"made by hand":      signRaw(key, encoded(size, begin, 0xff, 0, digestInfo, digest[:])),
			"changed":           changed,
			"shorter":           right[1:],
			"longer":            append([]byte{0}, right...),
			"none":              nil,
			"zero":              make([]byte, size),
			"one":               new(big.Int).SetInt64(1).FillBytes(make([]byte, size)),
			"the modulus":       key.N.FillBytes(make([]byte, size)),
			"block type 2":      signRaw(key, encoded(size, []byte{0, 2}, 0xff, 0, digestInfo, digest[:])),
			"block type 0":      signRaw(key, encoded(size, []byte{0, 0}, 0xff, 0, digestInfo, digest[:])),
			"other padding":     signRaw(key, encoded(size, begin, 0xfe, 0, digestInfo, digest[:])),
			"first of padding":  signRaw(key, encoded(size, []byte{0, 1, 0xfe}, 0xff, 0, digestInfo, digest[:])),
			"last of padding":   signRaw(key, lastOfPadding),
			"no separator":      signRaw(key, encoded(size, begin, 0xff, 0xff, digestInfo, digest[:])),
			"other info":        signRaw(key, encoded(size, begin, 0xff, 0, wrongInfo, digest[:])),
			"no info":           signRaw(key, encoded(size, begin, 0xff, 0, nil, digest[:])),
			"other digest":      signRaw(key, encoded(size, begin, 0xff, 0, digestInfo, make([]byte, 32))),
			"short and garbage": signRaw(key, append(append(append([]byte{0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0}, digestInfo...), digest[:]...), make([]byte, size-11-len(digestInfo)-32)...)),
		}
		if sum.BitLen() <= 8*size {
			signatures["and the modulus"] = sum.FillBytes(make([]byte, size))
		}
		v := newVerifier(&key.PublicKey)
		require.NotNil(t, v.modulus)
		for name, signature := range signatures {
			want := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], signature) == nil
			require.Equal(t, want, v.verify(digest, signature), "%d bits, %s", bits, name)
			isRight := name == "right" || name == "made by hand"
			require.Equal(t, isRight, v.verify(digest, signature), "%d bits, %s", bits, name)
		}
	}
}

// TestOtherKeysAreLeftToCryptoRSA has keys that the verifier is not made for.
func TestOtherKeysAreLeftToCryptoRSA(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	even := new(big.Int).Sub(key.N, big.NewInt(1))
	for _, public := range []*rsa.PublicKey{{N: key.N, E: 3}, {N: key.N, E: 1}, {N: even, E: 65537}, {N: big.NewInt(35), E: 65537}} {
		v := newVerifier(public)
		require.Nil(t, v.modulus)
		require.False(t, v.verify(sha256.Sum256(nil), make([]byte, 256)))
	}
}

// FuzzVerifier holds any signature against crypto/rsa.
func FuzzVerifier(f *testing.F) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(f, err)
	digest := sha256.Sum256(nil)
	right, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	require.NoError(f, err)
	v := newVerifier(&key.PublicKey)
	f.Add(right, false)
	f.Add(encoded(256, []byte{0, 1}, 0xff, 0, digestInfo, digest[:]), true)
	f.Add(right[:100], false)
	f.Fuzz(func(t *testing.T, data []byte, sign bool) {
		if sign && new(big.Int).SetBytes(data).Cmp(key.N) < 0 {
			data = signRaw(key, data)
		}
		require.Equal(t, rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], data) == nil, v.verify(digest, data))
	})
}
