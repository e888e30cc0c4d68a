//go:build linux && (amd64 || arm64)

package libcrypto

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/ebitengine/purego"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fallsBack checks that Go signs with a key, and why.
func fallsBack(t *testing.T, s *Signer, reason string) {
	t.Helper()
	signsRight(t, s, testKey(t, 2048), crypto.SHA256, "after")
	impl := s.Implementation()
	assert.Equal(t, ModeGo, impl.Name)
	assert.Contains(t, impl.Reason, reason)
}

func TestLibrariesThatCannotBeUsed(t *testing.T) {
	needCompiler(t)
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	ofC := func(name, source string) string {
		built, err := compile(t.TempDir(), write(name+".c", []byte(source)))
		require.NoError(t, err)
		return write(name, built)
	}
	const version = "unsigned OPENSSL_version_major(void) { return MAJOR; } unsigned OPENSSL_version_minor(void) { return 1; } unsigned OPENSSL_version_patch(void) { return 2; }"
	for name, c := range map[string]struct{ path, reason string }{
		"missing":           {filepath.Join(dir, "nothing"), "No such file"},
		"no library":        {write("text", []byte("text")), "file too short"},
		"OpenSSL 1.1":       {ofC("1.1", "unsigned long OpenSSL_version_num(void) { return 0x1010117fL; }"), "is older than OpenSSL 3"},
		"version 5":         {ofC("5", "#define MAJOR 5\n"+version), "is OpenSSL 5.1.2, and 3 and 4 are known"},
		"functions missing": {ofC("3", "#define MAJOR 3\n"+version), "has no function"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestSigner(t, 2048, WithLibrary(c.path))
			fallsBack(t, s, c.reason)
			_, err := New(testKey(t, 2048), WithLibrary(c.path), WithMode(ModeLibcrypto))
			require.ErrorIs(t, err, ErrUnavailable)
			require.ErrorContains(t, err, c.reason)
			_, err = FromURI(fileURI(t, "rsa2048.pem"), WithLibrary(c.path))
			require.ErrorIs(t, err, ErrUnavailable)
			require.ErrorContains(t, err, c.reason)
		})
	}
}

// TestSearch: the first usable library is taken, and an unusable one is not reported as missing.
func TestSearch(t *testing.T) {
	needLibrary(t)
	c, err := openLibrary(append([]string{"/nowhere/libcrypto.so.4"}, defaultLibraries...))
	require.NoError(t, err)
	assert.Contains(t, c.name, "OpenSSL")
	_, err = openLibrary([]string{"/nowhere/libcrypto.so.4", "/nowhere/libcrypto.so.3"})
	require.EqualError(t, err, "no library was found: tried /nowhere/libcrypto.so.4, /nowhere/libcrypto.so.3")
	text := filepath.Join(t.TempDir(), "text")
	require.NoError(t, os.WriteFile(text, []byte("text"), 0o600))
	_, err = openLibrary([]string{"libc.so.6", "/nowhere/libcrypto.so.3"})
	require.EqualError(t, err, "libc.so.6 is older than OpenSSL 3, or something else")
}

func TestFailsAtTheStart(t *testing.T) {
	for name, c := range map[string]struct {
		mode   int
		reason string
	}{
		"errors":      {stubFails, "signing failed: error:02000044:rsa routines"},
		"wrong bytes": {stubFlips, "a wrong signature"},
		"too long":    {stubLong, "a wrong signature"},
		"too short":   {stubShort, "a wrong signature"},
	} {
		t.Run(name, func(t *testing.T) {
			stub := newStub(t, c.mode)
			fallsBack(t, newTestSigner(t, 2048, WithLibrary(stub.path)), c.reason)
			stub.nothingHeld()
			_, err := New(testKey(t, 2048), WithLibrary(stub.path), WithMode(ModeLibcrypto))
			require.ErrorIs(t, err, ErrUnavailable)
			require.ErrorContains(t, err, c.reason)
			stub.nothingHeld()
			_, err = FromURI(fileURI(t, "rsa2048.pem"), WithLibrary(stub.path))
			require.ErrorIs(t, err, ErrUnavailable)
			require.ErrorContains(t, err, c.reason)
		})
	}
}

func TestSlowerThanGo(t *testing.T) {
	stub := newStub(t, stubSlow)
	fallsBack(t, newTestSigner(t, 2048, WithLibrary(stub.path)), "is not faster")
	stub.nothingHeld()
	demanded := newTestSigner(t, 2048, WithLibrary(stub.path), WithMode(ModeLibcrypto))
	assert.Equal(t, ModeLibcrypto, demanded.Implementation().Name)
	assert.Less(t, demanded.Implementation().Times, 1.0)
}

// TestBlocksAtTheStart: what blocks is left behind, and cleared up if it ends after all.
func TestBlocksAtTheStart(t *testing.T) {
	for name, mode := range map[string]int{"reading the key": stubOpenBlocks, "signing": stubBlocks} {
		t.Run(name, func(t *testing.T) {
			stub, clock := newStub(t, mode), newClock()
			defer stub.set(stubRight)
			made := make(chan *Signer)
			key := testKey(t, 2048)
			go func() {
				s, err := New(key, WithLibrary(stub.path), clock.option())
				assert.NoError(t, err)
				made <- s
			}()
			stub.waitBlocked()
			clock.expire()
			s := <-made
			defer s.Close()
			fallsBack(t, s, "did not answer in time")
		})
	}
}

// starts makes a signer whose library is right, so far.
func starts(t *testing.T, mode Mode, opts ...Option) (*Signer, *stub) {
	t.Helper()
	stub := newStub(t, stubRight)
	s := newTestSigner(t, 2048, append(opts, WithLibrary(stub.path), WithMode(mode))...)
	if mode == ModeAuto && s.Implementation().Name != ModeLibcrypto {
		t.Skip("the library is not faster here: ", s.Implementation())
	}
	before := stub.signatures()
	signsRight(t, s, testKey(t, 2048), crypto.SHA256, "before")
	require.Equal(t, before+1, stub.signatures())
	return s, stub
}

func TestFailsLater(t *testing.T) {
	for name, c := range map[string]struct {
		mode   int
		reason string
	}{
		"errors":      {stubFails, "signing failed: error:02000044:rsa routines"},
		"wrong bytes": {stubFlips, "a wrong signature"},
		"too long":    {stubLong, "a wrong signature"},
		"too short":   {stubShort, "a wrong signature"},
	} {
		t.Run(name, func(t *testing.T) {
			s, stub := starts(t, ModeAuto)
			stub.set(c.mode)
			fallsBack(t, s, c.reason)
			stub.set(stubRight)
			before := stub.signatures()
			fallsBack(t, s, c.reason) // for good
			assert.Equal(t, before, stub.signatures())
			<-s.core().freed
			stub.nothingHeld()
		})
		t.Run(name+", demanded", func(t *testing.T) {
			s, stub := starts(t, ModeLibcrypto)
			stub.set(c.mode)
			for range 2 {
				_, err := s.Sign(rand.Reader, trial(), crypto.SHA256)
				require.ErrorIs(t, err, ErrFailed)
				require.ErrorContains(t, err, c.reason)
				stub.set(stubRight) // too late
			}
			assert.Equal(t, ModeLibcrypto, s.Implementation().Name)
			assert.Contains(t, s.Implementation().Reason, "no more signatures")
		})
		t.Run(name+", by URI", func(t *testing.T) {
			stub := newStub(t, stubRight)
			s, err := FromURI(fileURI(t, "rsa2048.pem"), WithLibrary(stub.path))
			require.NoError(t, err)
			defer s.Close()
			stub.set(c.mode)
			_, err = s.Sign(rand.Reader, trial(), crypto.SHA256)
			require.ErrorIs(t, err, ErrFailed)
			require.ErrorContains(t, err, c.reason)
			stub.set(stubRight)
			signsRight(t, s, testKey(t, 2048), crypto.SHA256, "a token may come back")
		})
	}
}

func TestBlocks(t *testing.T) {
	for _, mode := range []Mode{ModeAuto, ModeLibcrypto} {
		t.Run(string(mode), func(t *testing.T) {
			clock := newClock()
			s, stub := starts(t, mode, clock.option())
			stub.set(stubBlocks)
			clock.forget()
			failed := make(chan error)
			go func() {
				_, err := s.Sign(rand.Reader, trial(), crypto.SHA256)
				failed <- err
			}()
			stub.waitBlocked()
			clock.expire()
			if err := <-failed; mode == ModeAuto {
				require.NoError(t, err)
				fallsBack(t, s, "did not answer in time")
			} else {
				require.ErrorIs(t, err, ErrFailed)
			}
			stub.set(stubRight)
			<-s.core().freed
			stub.nothingHeld()
		})
	}
}

// TestContextEndsWhileItSigns: that a caller gives up says nothing of the library, but that it never ends does.
func TestContextEndsWhileItSigns(t *testing.T) {
	for _, ends := range []bool{true, false} {
		clock := newClock()
		s, stub := starts(t, ModeAuto, clock.option())
		stub.set(stubBlocks)
		clock.forget()
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error)
		go func() {
			_, err := s.SignContext(ctx, rand.Reader, trial(), crypto.SHA256)
			failed <- err
		}()
		stub.waitBlocked()
		cancel()
		require.ErrorIs(t, <-failed, context.Canceled)
		assert.Equal(t, ModeLibcrypto, s.Implementation().Name)
		if ends {
			stub.set(stubRight)
			signsRight(t, s, testKey(t, 2048), crypto.SHA256, "again")
			assert.Equal(t, ModeLibcrypto, s.Implementation().Name)
			continue
		}
		<-clock // of the caller, who has gone
		clock.expire()
		<-s.core().ended
		fallsBack(t, s, "did not answer in time")
		stub.set(stubRight)
		<-s.core().freed
		stub.nothingHeld()
	}
}

func TestWaitForATurn(t *testing.T) {
	s, stub := starts(t, ModeLibcrypto, WithParallel(1))
	stub.set(stubBlocks)
	results := make(chan error)
	sign := func(ctx context.Context) {
		_, err := s.SignContext(ctx, rand.Reader, trial(), crypto.SHA256)
		results <- err
	}
	go sign(t.Context())
	stub.waitBlocked()
	ctx, cancel := context.WithCancel(t.Context())
	go sign(ctx)
	cancel()
	require.ErrorIs(t, <-results, context.Canceled)
	go sign(t.Context())
	for range 100 {
		runtime.Gosched() // it may wait by now; either way it must end
	}
	s.Close()
	for range 2 {
		require.ErrorIs(t, <-results, ErrClosed)
	}
	stub.set(stubRight)
	<-s.core().freed
	stub.nothingHeld()
}

// TestTokenThatHangs: by URI the wait for a turn has an end, and a token that answers again is used again.
func TestTokenThatHangs(t *testing.T) {
	stub, clock := newStub(t, stubRight), newClock()
	s, err := FromURI(fileURI(t, "rsa2048.pem"), WithLibrary(stub.path), WithParallel(1), clock.option())
	require.NoError(t, err)
	defer s.Close()
	stub.set(stubBlocks)
	clock.forget()
	failed := make(chan error)
	sign := func() {
		_, err := s.Sign(rand.Reader, trial(), crypto.SHA256)
		failed <- err
	}
	go sign()
	stub.waitBlocked()
	clock.expire()
	require.ErrorIs(t, <-failed, ErrFailed)
	clock.forget()
	go sign() // has no turn
	clock.expire()
	require.ErrorIs(t, <-failed, ErrFailed)
	stub.set(stubRight)
	signsRight(t, s, testKey(t, 2048), crypto.SHA256, "again")
}

// TestErrorsOfAThread: the library's errors stay on their thread, and are neither kept nor mistaken for another's.
func TestErrorsOfAThread(t *testing.T) {
	needLibrary(t)
	c, err := openLibrary(defaultLibraries)
	require.NoError(t, err)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	fails := func() {
		context, _, _ := purego.SyscallN(c.contextNew, 0, 0, 0) // of no key
		require.Zero(t, context)
	}
	fails()
	err = c.onThread(func() error { return c.failed("nothing of the kind") })
	require.EqualError(t, err, "nothing of the kind failed")
	err = c.onThread(func() error { fails(); fails(); return c.failed("making a context") })
	require.ErrorContains(t, err, "making a context failed: error:")
	left, _, _ := purego.SyscallN(c.errGet)
	require.Zero(t, left)
}

// TestNoWrongSignatureLeaves has a library go wrong while many sign.
func TestNoWrongSignatureLeaves(t *testing.T) {
	s, stub := starts(t, ModeAuto)
	key := testKey(t, 2048)
	signed := make(chan error, 64)
	for i := range cap(signed) {
		if i == cap(signed)/2 {
			stub.set(stubFlips)
		}
		go func() {
			digest := trial()
			signature, err := s.Sign(rand.Reader, digest, crypto.SHA256)
			if err == nil {
				err = rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest, signature)
			}
			signed <- err
		}()
	}
	for range cap(signed) {
		require.NoError(t, <-signed)
	}
	fallsBack(t, s, "a wrong signature")
}
