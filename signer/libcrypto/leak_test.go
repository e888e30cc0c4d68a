//go:build linux && (amd64 || arm64)

package libcrypto

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	signatures = flag.Int("signatures", 4000, "how many signatures the check for leaks makes")
	signers    = flag.Int("signers", 60, "how many signers it makes")
)

// resident is how much memory this process uses, C's included, once Go has released what it can.
func resident(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory()
	data, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	pages, err := strconv.Atoi(strings.Fields(string(data))[1])
	require.NoError(t, err)
	return pages * os.Getpagesize()
}

// shortKey is too short for a Signer.
func shortKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "rsa1024.pem"))
	require.NoError(t, err)
	block, _ := pem.Decode(data)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(t, err)
	return key.(*rsa.PrivateKey)
}

// TestMemoryStaysFlat makes signatures with a short key, which the library makes as it does others but sooner. What a leak of 16 bytes a signature
// would add is found with a million of them: -signatures 1000000.
func TestMemoryStaysFlat(t *testing.T) {
	needLibrary(t)
	cfg, err := memoryConfig([]Option{WithMode(ModeLibcrypto), WithParallel(4)})
	require.NoError(t, err)
	key := shortKey(t)
	native, err := openMemory(cfg, key)
	require.NoError(t, err)
	c := newCore(cfg, &key.PublicKey, key)
	c.use(native)
	digest := trial()
	sign := func(n int) {
		var group sync.WaitGroup
		for range c.parallel {
			group.Go(func() {
				for range n / c.parallel {
					if _, err := c.sign(t.Context(), crypto.SHA256, digest); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
	}
	sign(2000)
	before := resident(t)
	sign(*signatures)
	grown := resident(t) - before
	t.Logf("%d signatures: %d KiB before, %+d KiB after", *signatures, before>>10, grown>>10)
	const most = 4 << 20 // threads and their arenas come and go
	assert.Less(t, grown, most)
	c.close()
	<-c.freed
}

func TestSignersLeaveNothing(t *testing.T) {
	stub := newStub(t, stubRight)
	key := testKey(t, 2048)
	signWith := func(n int) {
		for i := range n {
			opts := []Option{WithLibrary(stub.path), WithMode(ModeLibcrypto), WithParallel(4)}
			s, err := New(key, opts...)
			if i%2 == 0 {
				s, err = FromURI(fileURI(t, "rsa2048.pem"), opts...)
			}
			require.NoError(t, err)
			_, err = s.Sign(nil, trial(), crypto.SHA256)
			require.NoError(t, err)
			if i%3 == 0 {
				s.Close()
			}
		}
		for stub.call("stub_keys") != 0 { // those that were not closed
			runtime.GC()
		}
	}
	signWith(20)
	before := resident(t)
	signWith(*signers)
	grown := resident(t) - before
	t.Logf("%d signers: %d KiB before, %+d KiB after", *signers, before>>10, grown>>10)
	const most = 4 << 20
	assert.Less(t, grown, most)
	stub.nothingHeld()
}
