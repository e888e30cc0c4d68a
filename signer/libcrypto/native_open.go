//go:build (linux && !android && (amd64 || arm64)) || (darwin && !ios)

//nolint:gosec // C is given pointers, and its ints are the lower half of registers
package libcrypto

import (
	"bytes"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/ebitengine/purego"
)

// functions are those of a loaded library. It stays loaded: threads use its memory.
type functions struct {
	name string // the library's file and version

	init, parse, keyFree, contextNew, contextFree, signInit, setPadding, setHash, sign uintptr
	errClear, errGet, errString                                                        uintptr
	hashes                                                                             [3]uintptr

	storeOpen, storeExpect, storeEnd, storeLoad, storeClose, infoType, infoKey, infoFree uintptr
	clock, keyIs, keyNumber, numberBytes, numberFree, libNew, libFree, libConfig         uintptr
}

// table maps names to functions.
func (c *functions) table() map[string]*uintptr {
	return map[string]*uintptr{
		"OPENSSL_init_crypto": &c.init, "d2i_AutoPrivateKey": &c.parse, "EVP_PKEY_free": &c.keyFree,
		"EVP_PKEY_CTX_new_from_pkey": &c.contextNew, "EVP_PKEY_CTX_free": &c.contextFree, "EVP_PKEY_sign_init": &c.signInit,
		"EVP_PKEY_CTX_set_rsa_padding": &c.setPadding, "EVP_PKEY_CTX_set_signature_md": &c.setHash, "EVP_PKEY_sign": &c.sign,
		"EVP_sha256": &c.hashes[0], "EVP_sha384": &c.hashes[1], "EVP_sha512": &c.hashes[2],
		"ERR_clear_error": &c.errClear, "ERR_get_error": &c.errGet, "ERR_error_string_n": &c.errString,
		"OSSL_STORE_open_ex": &c.storeOpen, "OSSL_STORE_expect": &c.storeExpect, "OSSL_STORE_eof": &c.storeEnd,
		"OSSL_STORE_load": &c.storeLoad, "OSSL_STORE_close": &c.storeClose,
		"OSSL_STORE_INFO_get_type": &c.infoType, "OSSL_STORE_INFO_get1_PKEY": &c.infoKey, "OSSL_STORE_INFO_free": &c.infoFree,
		"EVP_PKEY_is_a": &c.keyIs, "EVP_PKEY_get_bn_param": &c.keyNumber,
		"BN_bn2binpad": &c.numberBytes, "BN_clear_free": &c.numberFree,
		"clock_gettime":    &c.clock, // of the C library, which it is linked with
		"OSSL_LIB_CTX_new": &c.libNew, "OSSL_LIB_CTX_free": &c.libFree, "OSSL_LIB_CTX_load_config": &c.libConfig,
	}
}

// defaultLibraries are where the library may be. On macOS they are absolute paths: there, the current folder is searched
// too, and a name without a version terminates the program.
var defaultLibraries = func() []string {
	if runtime.GOOS != "darwin" {
		return []string{"libcrypto.so.4", "libcrypto.so.3"}
	}
	var files []string
	for _, version := range []string{"4", "3"} {
		for _, folder := range []string{"/opt/homebrew/opt/openssl@" + version + "/lib", "/usr/local/opt/openssl@" + version + "/lib", "/opt/local/lib", "/opt/local/libexec/openssl" + version + "/lib"} {
			files = append(files, filepath.Join(folder, "libcrypto."+version+".dylib"))
		}
	}
	return files
}()

var (
	loadedMu sync.Mutex
	loaded   = map[string]*functions{} // usable libraries, by file
)

// openLibrary loads the first library that can be used.
func openLibrary(files []string) (*functions, error) {
	var first error
	for _, file := range files {
		c, err := load(file)
		if err == nil {
			return c, nil
		}
		if first == nil || !missing(err) {
			first = err
		}
	}
	if len(files) > 1 && missing(first) {
		return nil, fmt.Errorf("no library was found: tried %s", strings.Join(files, ", "))
	}
	return nil, first
}

func load(file string) (*functions, error) {
	loadedMu.Lock()
	c := loaded[file]
	loadedMu.Unlock()
	if c != nil {
		return c, nil
	}
	// Not under the lock: a library that blocks here must not hold up others.
	handle, err := purego.Dlopen(file, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, &loadError{file, err.Error(), true}
	}
	version, err := versionOf(file, handle)
	if err != nil {
		return nil, err
	}
	c = &functions{name: file + " (OpenSSL " + version + ")"}
	for name, fn := range c.table() {
		if *fn, err = purego.Dlsym(handle, name); err != nil {
			return nil, &loadError{file, "has no function " + name, false}
		}
	}
	if err := c.start(); err != nil {
		return nil, &loadError{file, err.Error(), false}
	}
	loadedMu.Lock()
	loaded[file] = c
	loadedMu.Unlock()
	return c, nil
}

// start initialises the library with its configuration, as other programs do, and so that it does not clean up at the
// program's exit: other threads may still be in it. It must be the first call of all: others, even those of the error
// queue, initialise it differently.
func (c *functions) start() error {
	const loadConfig, noAtExit = 0x40, 0x80000
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var err error
	if ok, _, _ := purego.SyscallN(c.init, loadConfig|noAtExit, 0); !yes(ok) {
		err = c.failed("its start")
	}
	purego.SyscallN(c.errClear)
	return err
}

// versionOf refuses anything but OpenSSL 3 or 4, before any other function is called.
func versionOf(file string, handle uintptr) (string, error) {
	var version [3]uint32
	for i, name := range []string{"OPENSSL_version_major", "OPENSSL_version_minor", "OPENSSL_version_patch"} {
		fn, err := purego.Dlsym(handle, name)
		if err != nil {
			return "", &loadError{file, "is older than OpenSSL 3, or something else", false}
		}
		number, _, _ := purego.SyscallN(fn)
		version[i] = uint32(number)
	}
	text := fmt.Sprintf("%d.%d.%d", version[0], version[1], version[2])
	if version[0] < 3 || version[0] > 4 {
		return "", &loadError{file, "is OpenSSL " + text + ", and 3 and 4 are known", false}
	}
	return text, nil
}

// loadError is a library that cannot be used.
type loadError struct {
	file, problem string
	missing       bool
}

func (e *loadError) Error() string {
	if strings.Contains(e.problem, e.file) { // in the loader's words
		return e.problem
	}
	return e.file + " " + e.problem
}

func missing(err error) bool {
	e, ok := err.(*loadError) //nolint:errorlint // of load alone, which does not wrap it
	return ok && e.missing
}

// cString is the text before the first zero byte.
func cString(text []byte) string {
	text, _, _ = bytes.Cut(text, []byte{0})
	return string(text)
}
