//go:build (linux && !android && (amd64 || arm64)) || (darwin && !ios)

//nolint:gosec // C is given pointers, and its ints are the lower half of registers
package libcrypto

import (
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"os"
	"runtime"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// openURI has the library open a key by a URI. Its errors do not repeat the URI, which may contain a PIN.
func openURI(cfg *config, uri string) (*nativeKey, *rsa.PublicKey, error) {
	c, err := openLibrary(cfg.libraries)
	if err != nil {
		return nil, nil, err
	}
	k := &nativeKey{library: c.name, c: c}
	var public *rsa.PublicKey
	err = c.onThread(func() error {
		if cfg.openssl != "" {
			if err := k.configure(cfg.openssl); err != nil {
				return err
			}
		}
		if err := k.find(uri); err != nil {
			return err
		}
		var err error
		public, err = k.public()
		return err
	})
	if err != nil {
		_ = c.onThread(func() error { k.free(); return nil })
		return nil, nil, err
	}
	return k, public, nil
}

// configured are the library contexts that were made, by library and configuration. They are never freed: each thread
// that has signed keeps a reference into them, which would be dangling when the thread ends.
var configured = struct {
	sync.Mutex
	made map[configuration]uintptr
}{made: map[configuration]uintptr{}}

type configuration struct {
	library, file string
	text          [sha256.Size]byte
}

// configure finds or makes the library context that a configuration file describes. A file that has changed since counts
// as another one.
func (k *nativeKey) configure(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("the configuration file: %w", err)
	}
	configured.Lock()
	defer configured.Unlock()
	of := configuration{k.c.name, file, sha256.Sum256(text)}
	if k.lib = configured.made[of]; k.lib != 0 {
		return nil
	}
	lib, _, _ := purego.SyscallN(k.c.libNew)
	if lib == 0 {
		return k.c.failed("making a library context")
	}
	name := append([]byte(file), 0)
	ok, _, _ := purego.SyscallN(k.c.libConfig, lib, uintptr(unsafe.Pointer(&name[0])))
	if !yes(ok) {
		err := fmt.Errorf("the configuration file %s: %w", file, k.c.failed("reading it"))
		purego.SyscallN(k.c.libFree, lib) // nothing was done with it
		return err
	}
	k.lib, configured.made[of] = lib, lib
	return nil
}

// find loads the only private key at a URI.
func (k *nativeKey) find(uri string) error {
	const privateKey = 4 // OSSL_STORE_INFO_PKEY
	text := make([]byte, len(uri)+1)
	copy(text, uri)
	defer clear(text)
	// Without a password callback: nothing waits for a person here.
	store, _, _ := purego.SyscallN(k.c.storeOpen, uintptr(unsafe.Pointer(&text[0])), k.lib, 0, 0, 0, 0, 0, 0)
	runtime.KeepAlive(text)
	if store == 0 {
		return k.c.failed("opening the URI")
	}
	defer purego.SyscallN(k.c.storeClose, store)
	purego.SyscallN(k.c.storeExpect, store, privateKey) // a hint
	for {
		info, _, _ := purego.SyscallN(k.c.storeLoad, store)
		if info != 0 {
			kind, _, _ := purego.SyscallN(k.c.infoType, info)
			var key uintptr
			if int32(kind) == privateKey {
				key, _, _ = purego.SyscallN(k.c.infoKey, info)
			}
			purego.SyscallN(k.c.infoFree, info)
			switch {
			case key == 0:
			case k.key == 0:
				k.key = key
			default:
				purego.SyscallN(k.c.keyFree, key)
				return errors.New("there are several private keys at the URI: make it name one")
			}
		}
		if end, _, _ := purego.SyscallN(k.c.storeEnd, store); int32(end) != 0 {
			break
		}
		if info == 0 && k.key == 0 {
			return k.c.failed("loading from the URI")
		}
		if info == 0 {
			break
		}
	}
	if k.key == 0 {
		return fmt.Errorf("there is no private key at the URI: %w", k.c.failed("looking"))
	}
	return nil
}

// public is the public half of the key.
func (k *nativeKey) public() (*rsa.PublicKey, error) {
	if is, _, _ := purego.SyscallN(k.c.keyIs, k.key, uintptr(unsafe.Pointer(&[]byte("RSA\x00")[0]))); !yes(is) {
		return nil, errors.New("the key is not RSA")
	}
	n, err := k.number("n\x00")
	if err != nil {
		return nil, err
	}
	e, err := k.number("e\x00")
	if err != nil {
		return nil, err
	}
	const most = 1<<31 - 1 // as in crypto/rsa
	if !e.IsInt64() || e.Int64() > most {
		return nil, errors.New("the key's public exponent is too large")
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
}

func (k *nativeKey) number(name string) (*big.Int, error) {
	text := []byte(name)
	var number uintptr
	ok, _, _ := purego.SyscallN(k.c.keyNumber, k.key, uintptr(unsafe.Pointer(&text[0])), uintptr(unsafe.Pointer(&number)))
	runtime.KeepAlive(text)
	if !yes(ok) || number == 0 {
		return nil, k.c.failed("reading the public key")
	}
	defer purego.SyscallN(k.c.numberFree, number)
	buffer := make([]byte, 2*maxBits/8) // no usable key has longer numbers
	length, _, _ := purego.SyscallN(k.c.numberBytes, number, uintptr(unsafe.Pointer(&buffer[0])), uintptr(len(buffer)))
	if int32(length) < 0 {
		return nil, fmt.Errorf("the key has more than %d bits", maxBits)
	}
	return new(big.Int).SetBytes(buffer), nil
}
