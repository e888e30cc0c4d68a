//go:build (linux && !android && (amd64 || arm64)) || (darwin && !ios)

//nolint:gosec // C is given pointers, and its ints are the lower half of registers
package libcrypto

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/ebitengine/purego"
)

// nativeKey is a key in the library.
type nativeKey struct {
	library  string // its file and version
	c        *functions
	key, lib uintptr // EVP_PKEY; OSSL_LIB_CTX, 0 for the library's own
}

// slotContexts are a slot's EVP_PKEY_CTX by hash, 0 before the first signature.
type slotContexts [3]uintptr

func contextOf(hash crypto.Hash) int {
	switch hash {
	case crypto.SHA384:
		return 1
	case crypto.SHA512:
		return 2
	default:
		return 0
	}
}

// yes reports whether a function's C int result means success.
func yes(result uintptr) bool { return int32(result) == 1 }

// onThread runs f while it alone uses the thread's error queue in the library.
func (c *functions) onThread(f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	purego.SyscallN(c.errClear)
	err := f()
	purego.SyscallN(c.errClear)
	return err
}

// failed is an error with what the library says about it: the first entries of its error queue, without data that a
// caller passed.
func (c *functions) failed(doing string) error {
	const most = 3 // the cause is among them; later ones come from outer functions
	var said []string
	for range most {
		code, _, _ := purego.SyscallN(c.errGet)
		if code == 0 {
			break
		}
		text := make([]byte, 256)
		purego.SyscallN(c.errString, code, uintptr(unsafe.Pointer(&text[0])), uintptr(len(text)))
		if line := cString(text); !slices.Contains(said, line) {
			said = append(said, line)
		}
	}
	if len(said) == 0 {
		return fmt.Errorf("%s failed", doing)
	}
	return fmt.Errorf("%s failed: %s", doing, strings.Join(said, "; "))
}

// openMemory gives the library a private key.
func openMemory(cfg *config, key *rsa.PrivateKey) (*nativeKey, error) {
	c, err := openLibrary(cfg.libraries)
	if err != nil {
		return nil, err
	}
	k := &nativeKey{library: c.name, c: c}
	err = c.onThread(func() error {
		der := x509.MarshalPKCS1PrivateKey(key)
		defer clear(der)
		at := uintptr(unsafe.Pointer(&der[0])) // the call advances it to the end: not a pointer, which must not point there
		k.key, _, _ = purego.SyscallN(c.parse, 0, uintptr(unsafe.Pointer(&at)), uintptr(len(der)))
		runtime.KeepAlive(der)
		if k.key == 0 {
			return c.failed("reading the key")
		}
		return nil
	})
	return k, err
}

// sign signs a slot's digest. It may block for as long as the library does.
func (k *nativeKey) sign(s *slot, hash crypto.Hash) error {
	return k.c.onThread(func() error {
		context := &s.contexts[contextOf(hash)]
		used := *context != 0
		err := k.signOnce(s, context, hash)
		if err != nil && used { // its session with a token may have ended
			purego.SyscallN(k.c.errClear)
			err = k.signOnce(s, context, hash)
		}
		return err
	})
}

func (k *nativeKey) signOnce(s *slot, context *uintptr, hash crypto.Hash) error {
	if *context == 0 {
		var err error
		if *context, err = k.newContext(hash); err != nil {
			return err
		}
	}
	s.length = uintptr(len(s.signature))
	ok, _, _ := purego.SyscallN(k.c.sign, *context, uintptr(unsafe.Pointer(&s.signature[0])), uintptr(unsafe.Pointer(&s.length)),
		uintptr(unsafe.Pointer(&s.digest[0])), uintptr(hash.Size()))
	if yes(ok) {
		return nil
	}
	err := k.c.failed("signing")
	purego.SyscallN(k.c.contextFree, *context)
	*context = 0
	return err
}

func (k *nativeKey) newContext(hash crypto.Hash) (uintptr, error) {
	context, _, _ := purego.SyscallN(k.c.contextNew, k.lib, k.key, 0)
	if context == 0 {
		return 0, k.c.failed("making a context")
	}
	const pkcs1 = 1 // RSA_PKCS1_PADDING
	digest, _, _ := purego.SyscallN(k.c.hashes[contextOf(hash)])
	for _, step := range []struct {
		doing string
		fn    uintptr
		arg   uintptr
	}{
		{"beginning to sign", k.c.signInit, 0},
		{"setting the padding", k.c.setPadding, pkcs1},
		{"setting the hash", k.c.setHash, digest},
	} {
		if ok, _, _ := purego.SyscallN(step.fn, context, step.arg); !yes(ok) {
			err := k.c.failed(step.doing)
			purego.SyscallN(k.c.contextFree, context)
			return 0, err
		}
	}
	return context, nil
}

// freeSlot frees what a slot has in the library. Nothing signs with it any more.
func (k *nativeKey) freeSlot(s *slot) {
	for i, context := range s.contexts {
		if context != 0 {
			purego.SyscallN(k.c.contextFree, context)
			s.contexts[i] = 0
		}
	}
}

// free frees the key, which the library overwrites. All slots must have been freed. A library context stays: see
// [configured].
func (k *nativeKey) free() {
	purego.SyscallN(k.c.keyFree, k.key)
	k.key = 0
}

// threadTime is the processor time that this thread has used.
func (k *nativeKey) threadTime() time.Duration {
	clock := uintptr(3) // CLOCK_THREAD_CPUTIME_ID
	if runtime.GOOS == "darwin" {
		clock = 16
	}
	var now struct{ seconds, nanoseconds int64 }
	purego.SyscallN(k.c.clock, clock, uintptr(unsafe.Pointer(&now)))
	return time.Duration(now.seconds)*time.Second + time.Duration(now.nanoseconds)
}
