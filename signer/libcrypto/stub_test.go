//go:build linux && (amd64 || arm64)

package libcrypto

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ebitengine/purego"
	"github.com/stretchr/testify/require"
)

// The modes of testdata/stub.c.
const (
	stubRight = iota
	stubFails
	stubFlips
	stubLong
	stubBlocks
	stubSlow
	stubShort
	stubOpenBlocks
	stubFreeBlocks // and makes wrong signatures
)

// stub is a libcrypto that misbehaves on command.
type stub struct {
	*testing.T
	path   string
	handle uintptr
}

var buildStub = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "stub") // of all tests
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	return compile(dir, filepath.Join("testdata", "stub.c"), "-Wl,--no-as-needed", "-l:libcrypto.so.3", "-ldl", "-lpthread")
})

// compile makes a library of C.
func compile(dir, source string, more ...string) ([]byte, error) {
	out := filepath.Join(dir, "stub.so")
	args := append([]string{"-shared", "-fPIC", "-O1", "-o", out, source}, more...)
	if said, err := exec.Command("gcc", args...).CombinedOutput(); err != nil { //nolint:noctx // ends by itself
		return nil, &exec.Error{Name: "gcc: " + string(said), Err: err}
	}
	return os.ReadFile(out)
}

func needCompiler(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("needs gcc, to make libraries that misbehave")
	}
}

// newStub gives a test a stub of its own.
func newStub(t *testing.T, mode int) *stub {
	t.Helper()
	needCompiler(t)
	needLibrary(t)
	built, err := buildStub()
	if err != nil {
		t.Skip("the stub does not compile here: ", err)
	}
	s := &stub{T: t, path: filepath.Join(t.TempDir(), "libcrypto.so")}
	require.NoError(t, os.WriteFile(s.path, built, 0o600))
	s.handle, err = purego.Dlopen(s.path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	require.NoError(t, err)
	s.set(mode)
	return s
}

func (s *stub) call(name string, args ...uintptr) int {
	fn, err := purego.Dlsym(s.handle, name)
	require.NoError(s, err)
	result, _, _ := purego.SyscallN(fn, args...)
	return int(int32(result))
}

func (s *stub) set(mode int)    { s.call("stub_mode", uintptr(mode)) }
func (s *stub) waitBlocked()    { s.call("stub_blocked", 1) }
func (s *stub) signatures() int { return s.call("stub_calls") }

// nothingHeld waits until the library holds nothing of a signer: goroutines of their own release it.
func (s *stub) nothingHeld() {
	s.Helper()
	require.Eventually(s, func() bool { return s.call("stub_contexts") == 0 && s.call("stub_keys") == 0 }, 10*time.Second, time.Millisecond)
}
