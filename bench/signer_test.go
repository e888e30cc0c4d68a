//go:build linux

package bench

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/qredo-go/qredo/signer/libcrypto"
)

// processTime is what the processor has spent on this process. It is exact, unlike getrusage, which counts in ticks where the kernel does.
func processTime(b *testing.B) time.Duration {
	b.Helper()
	const clock = 2 // CLOCK_PROCESS_CPUTIME_ID
	var now syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&now)), 0); errno != 0 {
		b.Skip(errno)
	}
	return time.Duration(now.Nano())
}

// libcryptoOf is a signer of the library's, whether it is faster here or not.
func libcryptoOf(b *testing.B, key *rsa.PrivateKey) *libcrypto.Signer {
	b.Helper()
	signer, err := libcrypto.New(key, libcrypto.WithMode(libcrypto.ModeLibcrypto))
	if err != nil {
		b.Skip(err)
	}
	b.Cleanup(signer.Close)
	return signer
}

// inPairs has two do the same in turn, and reports what the processor spent on each and the median of the ratios of neighbours, with the
// distance of their quarters as noise.
func inPairs(b *testing.B, names [2]string, do [2]func() error) {
	b.Helper()
	var took [2][]float64
	var ratios []float64
	for _, f := range do { // connections, contexts
		check(b, f())
	}
	b.ResetTimer()
	for b.Loop() {
		var pair [2]float64
		for i, f := range do {
			start := processTime(b)
			check(b, f())
			pair[i] = float64(processTime(b)-start) / float64(time.Microsecond)
			took[i] = append(took[i], pair[i])
		}
		ratios = append(ratios, pair[0]/pair[1])
	}
	for i, name := range names {
		slices.Sort(took[i])
		b.ReportMetric(took[i][len(took[i])/2], name+"-µs")
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
	b.ReportMetric((ratios[len(ratios)*3/4]-ratios[len(ratios)/4])/ratios[len(ratios)/2], "noise")
}

// BenchmarkSigners compares Go and libcrypto, whose signatures Go verifies, signature by signature: ratio is how many times as fast it is.
func BenchmarkSigners(b *testing.B) {
	for _, bits := range []int{2048, 3072, 4096} {
		b.Run(fmt.Sprint(bits), func(b *testing.B) {
			key, err := rsa.GenerateKey(rand.Reader, bits)
			check(b, err)
			digest := sha256.Sum256(nil)
			sign := func(signer crypto.Signer) func() error {
				return func() error {
					_, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256)
					return err
				}
			}
			inPairs(b, [2]string{"go", "libcrypto"}, [2]func() error{sign(key), sign(libcryptoOf(b, key))})
		})
	}
}

// BenchmarkSignerAlone counts the allocations of a signature.
func BenchmarkSignerAlone(b *testing.B) {
	signer, digest := libcryptoOf(b, key), sha256.Sum256(nil)
	b.ReportAllocs()
	for b.Loop() {
		_, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256)
		check(b, err)
	}
}

// BenchmarkSignedCalls compares signed calls with either.
func BenchmarkSignedCalls(b *testing.B) {
	url := start(b, 0)
	call := func(signer crypto.Signer) func() error {
		client := callers(b, url, signer)["qredo"]
		return func() error { return client.get(context.Background()) }
	}
	inPairs(b, [2]string{"go", "libcrypto"}, [2]func() error{call(key), call(libcryptoOf(b, key))})
}
