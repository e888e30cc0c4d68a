//go:build linux && (amd64 || arm64)

package libcrypto

import (
	"crypto"
	"crypto/rand"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A library that blocks while freeing something keeps nobody from Go's signature.
func TestBlocksWhereItFrees(t *testing.T) {
	s, stub := starts(t, ModeAuto, WithParallel(2))
	signsTogether(t, s, 8) // so that each slot has something to be freed
	stub.set(stubFreeBlocks)
	signsRight(t, s, testKey(t, 2048), crypto.SHA256, "by Go")
	fallsBack(t, s, "a wrong signature")
	stub.set(stubRight)
	<-s.core().freed
	stub.nothingHeld()
}

// Threads that have signed by a configuration of its own, and end after the signer was closed, do not take the program with them.
func TestThreadsThatEndAfterClose(t *testing.T) {
	needLibrary(t)
	own := filepath.Join(t.TempDir(), "openssl.cnf")
	require.NoError(t, os.WriteFile(own, []byte("openssl_conf = init\n[init]\nproviders = p\n[p]\ndefault = d\n[d]\nactivate = 1\n"), 0o600))
	for range 3 {
		s, err := FromURI(fileURI(t, "rsa2048.pem"), WithConfig(own))
		require.NoError(t, err)
		signsTogether(t, s, 32)
		s.Close()
		<-s.core().freed
		// A goroutine that ends with its thread locked ends the thread. All wait for each other, so that they have threads of their own.
		var all, ended sync.WaitGroup
		all.Add(100)
		for range 100 {
			ended.Go(func() {
				runtime.LockOSThread()
				all.Done()
				all.Wait()
			})
		}
		ended.Wait()
	}
}

func signsTogether(t *testing.T, s *Signer, goroutines int) {
	t.Helper()
	var signing sync.WaitGroup
	for range goroutines {
		signing.Go(func() {
			for range 10 {
				_, err := s.Sign(rand.Reader, trial(), crypto.SHA256)
				assert.NoError(t, err)
			}
		})
	}
	signing.Wait()
}
