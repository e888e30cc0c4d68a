package signingagent

import (
	"bytes"
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/qredo-go/qredo"
)

// Sealer encrypts what a store keeps, and detects changes to it: [Passphrase], [SignerKey], or the encrypt and decrypt calls of
// a key management service. Seal and Open get a few hundred bytes. Their errors must not contain any of them.
type Sealer interface {
	// Seal encrypts.
	Seal(ctx context.Context, plain []byte) ([]byte, error)
	// Open returns what Seal was given. If it cannot, the error should wrap [ErrSealed].
	Open(ctx context.Context, sealed []byte) ([]byte, error)
}

// box is the output of this package's sealers: AES-256-GCM, with a key derived from a salt and the sealer's secret.
// Changing any of its fields changes the key.
type box struct {
	By     string `json:"by"`
	Rounds int    `json:"rounds,omitzero"`
	Salt   []byte `json:"salt"`
	Box    []byte `json:"box"`
}

const (
	saltSize = 32
	keySize  = 32
)

// keyed is a sealer of this package.
type keyed struct {
	by     string
	advice string // what to do if it cannot be opened
	rounds int    // of the sealed data
	key    func(ctx context.Context, salt []byte, rounds int) ([]byte, error)

	mu   sync.Mutex
	last func() made // a function, because no printer looks into one; nil before the first
}

// made is the key that was derived last. It is reused, with another nonce, since deriving one takes time: a registration
// seals three times.
type made struct {
	salt   []byte
	rounds int
	key    []byte
}

// keyFor returns the key for a salt. Without a salt, it returns the last key and its salt, if it was derived with the
// same number of rounds, or one with a new salt.
func (k *keyed) keyFor(ctx context.Context, salt []byte, rounds int) (made, error) {
	if last := k.lastMade(made{}); last.key != nil && last.rounds == rounds && (salt == nil || bytes.Equal(salt, last.salt)) {
		return last, nil
	}
	if salt == nil {
		salt = make([]byte, saltSize)
		_, _ = rand.Read(salt) // never fails
	}
	key, err := k.key(ctx, salt, rounds)
	if err != nil {
		return made{}, err
	}
	return made{salt, rounds, key}, nil
}

// lastMade returns the key that was derived last, after replacing it if another is given: one that has sealed or opened
// something.
func (k *keyed) lastMade(next made) made {
	k.mu.Lock()
	defer k.mu.Unlock()
	if next.key != nil {
		k.last = func() made { return next }
	}
	if k.last == nil {
		return made{}
	}
	return k.last()
}

// Format prints only the kind of sealer, whatever the verb.
func (k *keyed) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "signingagent.Sealer("+k.by+")")
}

func (k *keyed) Seal(ctx context.Context, plain []byte) ([]byte, error) {
	made, err := k.keyFor(ctx, nil, k.rounds)
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(made.key)
	if err != nil {
		return nil, err
	}
	k.lastMade(made)
	sealed := aead.Seal(nil, nil, plain, nil) //nolint:gosec // it draws a nonce itself
	return json.Marshal(box{By: k.by, Rounds: k.rounds, Salt: made.salt, Box: sealed})
}

func (k *keyed) Open(ctx context.Context, sealed []byte) ([]byte, error) {
	var b box
	switch {
	case json.Unmarshal(sealed, &b) != nil:
		return nil, fmt.Errorf("%w: the sealed data is damaged: restore the file from a copy", ErrSealed)
	case b.By != k.by:
		return nil, fmt.Errorf("%w: it was not sealed by %s", ErrSealed, k.by)
	case len(b.Salt) != saltSize || b.Rounds < 0 || b.Rounds > mostRounds:
		return nil, fmt.Errorf("%w: the sealed data is damaged: restore the file from a copy", ErrSealed)
	}
	made, err := k.keyFor(ctx, b.Salt, b.Rounds)
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(made.key)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, nil, b.Box, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %s, or the file is damaged: then restore it from a copy", ErrSealed, k.advice)
	}
	k.lastMade(made)
	return plain, nil
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// PBKDF2 and not a memory-hard function such as scrypt: it is in the standard library, and FIPS 140 allows it. The
// passphrase has to make up for the cheaper guesses: see Passphrase.
const (
	rounds     = 600_000
	mostRounds = 10 * rounds // from a file: some seconds
	fewest     = 8           // bytes of a passphrase
)

// Passphrase encrypts with a passphrase: PBKDF2 (HMAC-SHA-512, 600,000 rounds, about half a second) and AES-256-GCM, which also
// work with GODEBUG=fips140=only. A machine can guess thousands of passphrases a second: use one drawn at random, of 80 bits or
// more, for example from openssl rand -base64 15. A passphrase of fewer than 8 bytes is a [*qredo.ValidationError] when
// something is sealed. Each byte counts, including a newline at the end.
func Passphrase[T ~string | ~[]byte](text T) Sealer { return passphrase([]byte(text), rounds) }

func passphrase(text []byte, rounds int) Sealer {
	secret := string(text) // a copy
	return &keyed{
		by: "a passphrase", advice: "the passphrase is not the one that it was sealed with", rounds: rounds,
		key: func(ctx context.Context, salt []byte, rounds int) ([]byte, error) {
			if len(secret) < fewest {
				return nil, &qredo.ValidationError{Field: "passphrase", Rule: fmt.Sprintf("must have at least %d bytes", fewest)}
			}
			if rounds < 1 {
				return nil, fmt.Errorf("%w: the sealed data is damaged: restore the file from a copy", ErrSealed)
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			return pbkdf2.Key(sha512.New, secret, salt, rounds, keySize)
		},
	}
}

// sealedText is what SignerKey has signed. The API signs texts that begin with a time, so this is never one of them.
const sealedText = "qredo-go signing agent, sealing of an identity, version 1, salt "

// SignerKey encrypts with a key that can sign, which may be in an HSM or a key management service: RSA (PKCS #1 v1.5, SHA-256)
// or Ed25519, whose signatures of the same text are always the same. HKDF derives the AES-256-GCM key from the signature of a
// text with a salt. So anyone who can have that text signed can decrypt the store; without the key nobody can. A signer with a
// method SignContext is called through that; others are called through Sign, which ctx cannot interrupt. Any other kind of key
// is a [*qredo.ValidationError].
func SignerKey(key crypto.Signer) Sealer {
	return &keyed{
		by: "a signer's key", advice: "the key is not the one that it was sealed with",
		key: func(ctx context.Context, salt []byte, _ int) ([]byte, error) {
			text := append([]byte(sealedText), salt...)
			first, err := signed(ctx, key, text)
			if err != nil {
				return nil, err
			}
			again, err := signed(ctx, key, text)
			if err != nil {
				return nil, err
			}
			if !bytes.Equal(first, again) {
				return nil, errors.New("signingagent: the key's signatures are not deterministic, so the sealed data could not be opened again")
			}
			return hkdf.Key(sha256.New, first, salt, sealedText, keySize)
		},
	}
}

// signed signs a text, and checks that the signature scheme is deterministic.
func signed(ctx context.Context, key crypto.Signer, text []byte) ([]byte, error) {
	wrong := &qredo.ValidationError{Field: "signer", Rule: "must be an RSA or Ed25519 key"}
	if key == nil {
		return nil, wrong
	}
	digest := sha256.Sum256(text)
	var check func(signature []byte) bool
	data, opts := text, crypto.SignerOpts(crypto.Hash(0))
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		data, opts = digest[:], crypto.SHA256
		check = func(s []byte) bool { return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], s) == nil }
	case ed25519.PublicKey:
		check = func(s []byte) bool { return ed25519.Verify(public, text, s) }
	default:
		return nil, wrong
	}
	sign := key.Sign
	if asked, ok := key.(interface {
		SignContext(ctx context.Context, rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error)
	}); ok {
		sign = func(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
			return asked.SignContext(ctx, rand, digest, opts)
		}
	}
	signature, err := sign(rand.Reader, data, opts)
	if err != nil {
		return nil, fmt.Errorf("signingagent: the key that seals the identity did not sign: %w", err)
	}
	if !check(signature) {
		return nil, errors.New("signingagent: the key that seals the identity made a wrong signature, or one of another scheme")
	}
	return signature, nil
}
