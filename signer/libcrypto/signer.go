package libcrypto

import (
	"context"
	"crypto"
	"crypto/fips140"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/qredo-go/qredo"
)

// The sizes of keys that the library signs with.
const (
	minBits = 2048
	maxBits = 4096
)

// Errors of this package.
var (
	// ErrUnavailable is a library that is demanded, and cannot be used: the text says why. Nothing was signed.
	ErrUnavailable = errors.New("libcrypto: the library cannot be used")
	// ErrFailed is a signature that the library did not make, made wrongly, or did not make in time, where Go may not or cannot make
	// it instead. No signature has left.
	ErrFailed = errors.New("libcrypto: the library failed")
	// ErrClosed is a [Signer] that was closed.
	ErrClosed = errors.New("libcrypto: the signer is closed")
)

// Implementation says what signs.
type Implementation struct {
	Name    Mode    // [ModeGo] or [ModeLibcrypto]
	Library string  // the library's file and version; empty if none was loaded
	Reason  string  // why this one signs
	Times   float64 // how many times as fast as Go the library was at the start, its verification by Go included; 0 if they were not compared
}

// String is a line of text.
func (i Implementation) String() string {
	name := "Go"
	if i.Name == ModeLibcrypto {
		name = i.Library
	}
	return name + ": " + i.Reason
}

// Signer signs with an RSA key, with PKCS #1 v1.5. It is safe for concurrent use, and prints as its name only. What it has of
// the library is freed by Close, or some time after it is no longer used.
type Signer struct {
	core func() *core // a function, because no printer or reflection looks into one
}

var _ crypto.Signer = (*Signer)(nil)

// New returns a Signer for a key that the program holds. With [ModeAuto] that succeeds with any key that Go can sign with, of 2048
// bits or more: where the library cannot be used for it, Go signs. With [ModeLibcrypto] that is [ErrUnavailable]. A key or an option
// that cannot be right is a [*qredo.ValidationError].
//
// The library and Go sign the same text several times first, for about 10 ms (30 ms with 4096 bits): their signatures must be equal, and with
// ModeAuto the library must be faster by a tenth. Where only FIPS 140 is allowed (GODEBUG=fips140=only), ModeAuto means Go, whose
// module that setting is about.
func New(key *rsa.PrivateKey, opts ...Option) (*Signer, error) {
	cfg, err := memoryConfig(opts)
	if err != nil {
		return nil, err
	}
	if key == nil || key.N == nil {
		return nil, invalid("private key", "must not be nil")
	}
	if bits := key.N.BitLen(); bits < minBits {
		return nil, invalid("private key", "must have %d bits or more, has %d", minBits, bits)
	}
	if err := key.Validate(); err != nil {
		return nil, invalid("private key", "is damaged: %v", err)
	}
	c := newCore(cfg, &key.PublicKey, key)
	c.impl = Implementation{Name: ModeGo}
	if why := unsuitable(cfg, key); why != "" {
		c.impl.Reason = why
	} else {
		c.compare()
	}
	if !c.active && cfg.mode == ModeLibcrypto {
		return nil, fmt.Errorf("%w: %s", ErrUnavailable, c.impl.Reason)
	}
	return newSigner(c), nil
}

// FromPEM is [New] for a key in PEM, as [qredo.ParsePrivateKey] reads it.
func FromPEM(pem []byte, opts ...Option) (*Signer, error) {
	key, err := qredo.ParsePrivateKey(pem)
	if err != nil {
		return nil, err
	}
	return New(key, opts...)
}

// FromURI returns a Signer for an RSA key of 2048 to 4096 bits that the library loads by a URI, such as
// pkcs11:token=custody;object=qredo or file:///etc/qredo/private.pem. Schemes other than file need a provider that
// OpenSSL's configuration activates: see [WithConfig]. Nobody is asked for a password or PIN; the URI may hold one
// (pin-value, pin-source), and is not repeated in errors.
//
// The key makes one signature at the start, which is verified. Go cannot sign with such a key: if the library cannot be
// used, the error is [ErrUnavailable], and if it fails later, [ErrFailed].
func FromURI(uri string, opts ...Option) (*Signer, error) {
	cfg, err := uriConfig(opts)
	if err != nil {
		return nil, err
	}
	switch {
	case strings.Contains(uri, "-----BEGIN"):
		return nil, invalid("URI", "must name a key, is one itself: see FromPEM")
	case uri == "" || strings.ContainsRune(uri, 0):
		return nil, invalid("URI", "must be a URI, such as pkcs11:token=custody;object=qredo")
	}
	type opened struct {
		*nativeKey
		public *rsa.PublicKey
	}
	found, err := start(cfg, func() (opened, error) {
		native, public, err := openURI(cfg, uri)
		return opened{native, public}, err
	}, func(o opened) { o.free() })
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if bits := found.public.N.BitLen(); bits < minBits || bits > maxBits {
		found.free()
		return nil, fmt.Errorf("%w: the key must have %d to %d bits, has %d", ErrUnavailable, minBits, maxBits, bits)
	}
	c := newCore(cfg, found.public, nil)
	c.use(found.nativeKey)
	c.impl = Implementation{Name: ModeLibcrypto, Library: found.library, Reason: "the key is the library's, by a URI"}
	if _, err := c.sign(context.Background(), crypto.SHA256, trial()); err != nil {
		c.close()
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return newSigner(c), nil
}

func newSigner(c *core) *Signer {
	s := &Signer{core: func() *core { return c }}
	runtime.AddCleanup(s, (*core).close, c)
	return s
}

// unsuitable says why the library is not to be tried, or "".
func unsuitable(cfg *config, key *rsa.PrivateKey) string {
	switch bits := key.N.BitLen(); {
	case cfg.mode == ModeGo:
		return "asked for"
	case cfg.mode == ModeAuto && fips140.Enforced():
		return "only FIPS 140 is allowed (GODEBUG=fips140=only), and that is Go's module"
	case bits > maxBits:
		return fmt.Sprintf("the library is used for keys of up to %d bits, and this one has %d", maxBits, bits)
	case len(key.Primes) != 2:
		return fmt.Sprintf("the library is used for keys of two primes, and this one has %d", len(key.Primes))
	}
	return ""
}

// Public returns the public half of the key, a [*rsa.PublicKey].
func (s *Signer) Public() crypto.PublicKey { return s.core().public }

// Implementation says what signs at the moment, and why.
func (s *Signer) Implementation() Implementation {
	c := s.core()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.impl
}

// Sign is SignContext without an end.
func (s *Signer) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.SignContext(context.Background(), random, digest, opts)
}

// SignContext signs a digest with PKCS #1 v1.5. The library makes signatures of SHA-256, SHA-384 and SHA-512; Go, where it may and has
// the key, also those of other hashes and with PSS. Without Go they are [errors.ErrUnsupported]. A library that fails is [ErrFailed]
// where Go does not sign in its place. The context's end ends the wait for the library, and is its error; random is not used for PKCS #1 v1.5.
func (s *Signer) SignContext(ctx context.Context, random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	defer runtime.KeepAlive(s) // its end frees the key
	c := s.core()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if opts == nil {
		return nil, errors.New("libcrypto: options must not be nil: give the hash, such as crypto.SHA256")
	}
	hash := opts.HashFunc()
	_, pss := opts.(*rsa.PSSOptions)
	known := !pss && (hash == crypto.SHA256 || hash == crypto.SHA384 || hash == crypto.SHA512)
	if known && len(digest) != hash.Size() {
		return nil, fmt.Errorf("libcrypto: a digest of %v has %d bytes, and this one has %d", hash, hash.Size(), len(digest))
	}
	native, mayGo, err := c.who()
	if err != nil {
		return nil, err
	}
	if native && known {
		signature, err := c.sign(ctx, hash, digest)
		if err == nil || !mayGo || ctx.Err() != nil || errors.Is(err, ErrClosed) {
			return signature, err
		}
	}
	if !mayGo {
		return nil, fmt.Errorf("libcrypto: only PKCS #1 v1.5 with SHA-256, SHA-384 or SHA-512: %w", errors.ErrUnsupported)
	}
	return c.goKey.Sign(random, digest, opts)
}

// who says whether the library signs, and whether Go may.
func (c *core) who() (native, mayGo bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	mayGo = c.goKey != nil && c.mode != ModeLibcrypto
	switch {
	case c.closed:
		return false, false, ErrClosed
	case c.broken != nil && !mayGo:
		return false, false, c.broken
	}
	return c.active, mayGo, nil
}

// Close frees what the library has of the key, once it no longer signs with it. Signatures that are being made may still succeed or
// return [ErrClosed], as all later ones do.
func (s *Signer) Close() { s.core().close() }

// String returns the type's name and no secret.
func (s Signer) String() string { return "libcrypto.Signer(redacted)" }

// GoString returns the type's name and no secret.
func (s Signer) GoString() string { return s.String() }

// Format prints the type's name and no secret, whatever the verb.
func (s Signer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }
