package libcrypto

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/qredo-go/qredo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testKey reads a key that was made for these tests.
func testKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := qredo.LoadPrivateKey(filepath.Join("testdata", fmt.Sprintf("rsa%d.pem", bits)))
	require.NoError(t, err)
	return key
}

// needLibrary skips the test if there is no library.
func needLibrary(t testing.TB) {
	t.Helper()
	s, err := New(testKey(t, 2048), WithMode(ModeLibcrypto))
	if err != nil {
		t.Skip("needs OpenSSL: ", err)
	}
	s.Close()
}

func newTestSigner(t testing.TB, bits int, opts ...Option) *Signer {
	t.Helper()
	s, err := New(testKey(t, bits), opts...)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func digestOf(hash crypto.Hash, text string) []byte {
	h := hash.New()
	h.Write([]byte(text))
	return h.Sum(nil)
}

// signsRight has a signer sign, and compares with what Go makes.
func signsRight(t testing.TB, s *Signer, key *rsa.PrivateKey, hash crypto.Hash, text string) {
	t.Helper()
	digest := digestOf(hash, text)
	got, err := s.Sign(rand.Reader, digest, hash)
	require.NoError(t, err)
	want, err := rsa.SignPKCS1v15(nil, key, hash, digest)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestSignsAsGoDoes(t *testing.T) {
	needLibrary(t)
	for _, bits := range []int{2048, 3072, 4096} {
		s := newTestSigner(t, bits, WithMode(ModeLibcrypto))
		impl := s.Implementation()
		assert.Equal(t, ModeLibcrypto, impl.Name)
		assert.Contains(t, impl.String(), "OpenSSL")
		assert.Positive(t, impl.Times)
		for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA256} {
			signsRight(t, s, testKey(t, bits), hash, "text")
		}
		assert.Equal(t, &testKey(t, bits).PublicKey, s.Public())
	}
}

func TestAtTheSameTime(t *testing.T) {
	needLibrary(t)
	key := testKey(t, 2048)
	s := newTestSigner(t, 2048, WithMode(ModeLibcrypto), WithParallel(3))
	var group sync.WaitGroup
	for i := range 32 {
		group.Go(func() {
			for j := range 4 {
				signsRight(t, s, key, []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512}[(i+j)%3], fmt.Sprint(i, j))
			}
		})
	}
	group.Wait()
}

func TestGoSigns(t *testing.T) {
	multi, err := rsa.GenerateMultiPrimeKey(rand.Reader, 3, 2048) //nolint:staticcheck // there are such keys
	require.NoError(t, err)
	for name, c := range map[string]struct {
		key    *rsa.PrivateKey
		opts   []Option
		reason string
	}{
		"asked for":    {testKey(t, 2048), []Option{WithMode(ModeGo)}, "asked for"},
		"too long":     {testKey(t, 4352), nil, "up to 4096 bits"},
		"three primes": {multi, nil, "two primes"},
		"no library":   {testKey(t, 2048), []Option{WithLibrary("/nowhere/libcrypto.so.3")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := New(c.key, c.opts...)
			require.NoError(t, err)
			defer s.Close()
			assert.Equal(t, ModeGo, s.Implementation().Name)
			assert.True(t, strings.HasPrefix(s.Implementation().String(), "Go: "))
			assert.Contains(t, s.Implementation().Reason, c.reason)
			signsRight(t, s, c.key, crypto.SHA256, "text")
			if name == "asked for" {
				return
			}
			_, err = New(c.key, append(c.opts, WithMode(ModeLibcrypto))...)
			require.ErrorIs(t, err, ErrUnavailable)
			assert.ErrorContains(t, err, c.reason)
		})
	}
}

func TestOtherSignatures(t *testing.T) {
	key := testKey(t, 2048)
	auto := newTestSigner(t, 2048)
	digest := digestOf(crypto.SHA256, "text")
	pss := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	signature, err := auto.Sign(rand.Reader, digest, pss)
	require.NoError(t, err)
	require.NoError(t, rsa.VerifyPSS(&key.PublicKey, crypto.SHA256, digest, signature, pss))
	old := sha1.Sum([]byte("text"))
	signature, err = auto.Sign(rand.Reader, old[:], crypto.SHA1)
	require.NoError(t, err)
	require.NoError(t, rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA1, old[:], signature))

	for _, wrong := range [][]byte{nil, digest[:31], append(digest[:32:32], 0)} {
		_, err = auto.Sign(rand.Reader, wrong, crypto.SHA256)
		require.ErrorContains(t, err, "has 32 bytes")
	}
	_, err = auto.Sign(rand.Reader, digest, nil)
	require.ErrorContains(t, err, "give the hash")

	needLibrary(t)
	demanded := newTestSigner(t, 2048, WithMode(ModeLibcrypto))
	_, err = demanded.Sign(rand.Reader, digest, pss)
	require.ErrorIs(t, err, errors.ErrUnsupported)
	_, err = demanded.Sign(rand.Reader, old[:], crypto.SHA1)
	require.ErrorIs(t, err, errors.ErrUnsupported)
}

func TestWhatCannotBeRight(t *testing.T) {
	key := testKey(t, 2048)
	damaged := *key
	damaged.D = nil
	short := *key
	short.N = short.Primes[0]
	for name, make := range map[string]func() (*Signer, error){
		"mode":            func() (*Signer, error) { return New(key, WithMode("fast")) },
		"library":         func() (*Signer, error) { return New(key, WithLibrary("")) },
		"configuration":   func() (*Signer, error) { return New(key, WithConfig("openssl.cnf")) },
		"parallel":        func() (*Signer, error) { return New(key, WithParallel(0)) },
		"deadline":        func() (*Signer, error) { return New(key, WithDeadline(-time.Second)) },
		"option":          func() (*Signer, error) { return New(key, nil) },
		"private key":     func() (*Signer, error) { return New(nil) },
		"private key of ": func() (*Signer, error) { return New(&short) },
		"private key is":  func() (*Signer, error) { return New(&damaged) },
		"private key PEM": func() (*Signer, error) { return FromPEM([]byte("nothing")) },
		"URI":             func() (*Signer, error) { return FromURI("") },
		"URI with PEM":    func() (*Signer, error) { return FromURI("-----BEGIN PRIVATE KEY-----") },
		"mode of URI":     func() (*Signer, error) { return FromURI("pkcs11:", WithMode(ModeGo)) },
		"parallel of URI": func() (*Signer, error) { return FromURI("pkcs11:", WithParallel(5000)) },
	} {
		var invalid *qredo.ValidationError
		s, err := make()
		require.ErrorAs(t, err, &invalid, name)
		assert.Nil(t, s, name)
	}
}

func TestPrintsNoSecret(t *testing.T) {
	key := testKey(t, 2048)
	s := newTestSigner(t, 2048)
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb, s, *s)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("text", "signer", s)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("text", "signer", s)
	require.NoError(t, json.NewEncoder(&out).Encode(s)) //nolint:staticcheck // that nothing comes out is what is tested
	assert.Contains(t, out.String(), "libcrypto.Signer(redacted)")
	for _, secret := range []string{key.D.String(), key.Primes[0].String(), fmt.Sprintf("%x", key.D), key.N.String()[:20]} {
		assert.NotContains(t, out.String(), secret)
	}
}

func TestClosed(t *testing.T) {
	needLibrary(t)
	for _, mode := range []Mode{ModeGo, ModeLibcrypto} {
		s := newTestSigner(t, 2048, WithMode(mode))
		s.Close()
		s.Close()
		_, err := s.Sign(rand.Reader, trial(), crypto.SHA256)
		require.ErrorIs(t, err, ErrClosed)
	}
}

func TestContextThatHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := newTestSigner(t, 2048).SignContext(ctx, rand.Reader, trial(), crypto.SHA256)
	require.ErrorIs(t, err, context.Canceled)
}

// TestCollected: a signer that is no longer referenced, and was not closed, is cleaned up.
func TestCollected(t *testing.T) {
	needLibrary(t)
	s, err := New(testKey(t, 2048), WithMode(ModeLibcrypto))
	require.NoError(t, err)
	signsRight(t, s, testKey(t, 2048), crypto.SHA256, "text")
	freed := s.core().freed
	for range 1000 { // the second would do
		runtime.GC()
		select {
		case <-freed:
			return
		default:
			runtime.Gosched()
		}
	}
	t.Fatal("its key is still in the library")
}

func TestFaster(t *testing.T) {
	for _, c := range []struct {
		goTook, libraryTook time.Duration
		fast                bool
	}{{1000, 500, true}, {1000, 905, true}, {1000, 915, false}, {1000, 2000, false}, {1000, 0, true}} {
		fast, _ := faster(c.goTook, c.libraryTook)
		assert.Equal(t, c.fast, fast, c)
	}
}

// TestOnlyFIPS runs itself where only Go's own module may be used.
func TestOnlyFIPS(t *testing.T) {
	if os.Getenv("QREDO_TEST_FIPS") != "" {
		s := newTestSigner(t, 2048)
		signsRight(t, s, testKey(t, 2048), crypto.SHA256, "text")
		assert.Equal(t, ModeGo, s.Implementation().Name)
		assert.Contains(t, s.Implementation().Reason, "FIPS 140")
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOnlyFIPS$", "-test.count=1", "-test.v")
	cmd.Env = append(os.Environ(), "QREDO_TEST_FIPS=1", "GODEBUG=fips140=only")
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, string(said))
	assert.Contains(t, string(said), "--- PASS: TestOnlyFIPS")
}

func FuzzSign(f *testing.F) {
	needLibrary(f)
	keys := map[uint8]*rsa.PrivateKey{0: testKey(f, 2048), 1: testKey(f, 3072), 2: testKey(f, 4096)}
	signers := map[uint8]*Signer{}
	for i, key := range keys {
		s, err := New(key, WithMode(ModeLibcrypto))
		require.NoError(f, err)
		f.Cleanup(s.Close)
		signers[i] = s
	}
	f.Add(uint8(0), uint(crypto.SHA256), digestOf(crypto.SHA256, ""))
	f.Add(uint8(1), uint(crypto.SHA384), make([]byte, 48))
	f.Add(uint8(2), uint(crypto.SHA512), digestOf(crypto.SHA512, "x"))
	f.Add(uint8(0), uint(0), []byte{1})
	f.Fuzz(func(t *testing.T, which uint8, hash uint, digest []byte) {
		h := crypto.Hash(hash)
		got, err := signers[which%3].Sign(rand.Reader, digest, h)
		if h != crypto.SHA256 && h != crypto.SHA384 && h != crypto.SHA512 {
			require.ErrorIs(t, err, errors.ErrUnsupported)
			return
		}
		if len(digest) != h.Size() {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		want, err := rsa.SignPKCS1v15(nil, keys[which%3], h, digest)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

// FuzzKey gives the library keys of any kind of damage: what Go takes, it signs with as Go does or not at all.
func FuzzKey(f *testing.F) {
	needLibrary(f)
	for _, bits := range []int{2048, 3072} {
		f.Add(x509.MarshalPKCS1PrivateKey(testKey(f, bits)), 0, byte(0))
		f.Add(x509.MarshalPKCS1PrivateKey(testKey(f, bits)), 300, byte(1))
	}
	pem, err := os.ReadFile(filepath.Join("testdata", "rsa2048.pem"))
	require.NoError(f, err)
	f.Add(pem, 40, byte(0))
	f.Fuzz(func(t *testing.T, data []byte, at int, flip byte) {
		if at >= 0 && at < len(data) {
			data = append([]byte(nil), data...)
			data[at] ^= flip
		}
		key, err := x509.ParsePKCS1PrivateKey(data)
		if err != nil {
			key, err = qredo.ParsePrivateKey(data)
		}
		s, failed := FromPEM(data)
		if failed == nil {
			s.Close()
		}
		if err != nil || key.N.BitLen() > maxBits {
			return
		}
		if s, err = New(key); err != nil {
			return
		}
		defer s.Close()
		signsRight(t, s, key, crypto.SHA256, "text")
	})
}
