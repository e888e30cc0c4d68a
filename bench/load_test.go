//go:build linux

package bench

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/qredo-go/qredo/bench/canned"
	"github.com/qredo-go/qredo/bench/machine"
)

// What is in this file is measured in processor time of the client's process alone, in pairs: on a machine that others
// use too, the clock tells more about them.

// BenchmarkLoad64 makes calls from 64 goroutines, through this client and through net/http alone, and then as many signatures, again
// and again. Of-signatures is how many calls there are for what as many signatures alone would take: 1 is a client that costs nothing,
// and limit-of-signatures is the most that one can reach that sends by net/http.
func BenchmarkLoad64(b *testing.B) {
	digest := sha256.Sum256(nil)
	for _, name := range []string{"go", "libcrypto"} {
		b.Run(name, func(b *testing.B) {
			signer := crypto.Signer(key)
			if name == "libcrypto" {
				signer = libcryptoOf(b, key)
			}
			clients := callers(b, startApart(b), signer)
			spent := map[string][]float64{}
			turn := func(what string, call func() error) { spent[what] = append(spent[what], spend(b, 64, 512, call)) }
			ours := func() error { return clients["qredo"].get(context.Background()) }
			least := func() error { return clients["limit"].get(context.Background()) }
			spend(b, 64, 64, ours) // the connections are made
			spend(b, 64, 64, least)
			for b.Loop() {
				turn("call", ours)
				turn("limit", least)
				turn("signature", func() error {
					_, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256)
					return err
				})
			}
			report(b, "of-signatures", quotients(spent["signature"], spent["call"]))
			report(b, "limit-of-signatures", quotients(spent["signature"], spent["limit"]))
			for what, cost := range spent {
				b.ReportMetric(median(cost), "cpu-ns/"+what)
			}
		})
	}
}

// BenchmarkFreePair makes calls with the free signer through each client, in turns. Of-generated is our processor time by that
// of the generated client, and of-limit by that of net/http and encoding/json alone.
func BenchmarkFreePair(b *testing.B) {
	for name, call := range map[string]func(context.Context, caller) error{"get": get, "post": post} {
		for _, goroutines := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/goroutines=%d", name, goroutines), func(b *testing.B) {
				clients := callers(b, startApart(b), freeSigner{key})
				spent := map[string][]float64{}
				turn := func(who string) float64 {
					return spend(b, goroutines, 2000, func() error { return call(context.Background(), clients[who]) })
				}
				for _, who := range order {
					turn(who)
				}
				for b.Loop() {
					for _, who := range order {
						spent[who] = append(spent[who], turn(who))
					}
				}
				report(b, "of-generated", quotients(spent["qredo"], spent["generated"]))
				report(b, "of-limit", quotients(spent["qredo"], spent["limit"]))
				for who, cost := range spent {
					b.ReportMetric(median(cost), "cpu-ns/"+who)
				}
			})
		}
	}
}

// BenchmarkNetHTTP sends one request, made before, again and again, and reads no JSON: what is left are the allocations of net/http
// itself, once with its client's timeout, as clients have it that bring no HTTP client of their own.
func BenchmarkNetHTTP(b *testing.B) {
	for name, timeout := range map[string]time.Duration{"bare": 0, "timeout": time.Minute} {
		b.Run(name, func(b *testing.B) {
			client := newHTTPClient()
			client.Timeout = timeout
			req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, start(b, 0)+"/wallet/"+string(canned.WalletID), nil)
			if err != nil {
				b.Fatal(err)
			}
			req.Header = http.Header{
				"Accept": {"application/json"}, "Content-Type": {"application/json"}, "User-Agent": {"bench"}, "X-Api-Key": {apiKey},
				"X-Timestamp": {"1644500739"}, "X-Sign": {strings.Repeat("s", 342)},
			}
			body := make([]byte, 4096)
			b.ReportAllocs()
			for b.Loop() {
				resp, err := client.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				for err == nil {
					_, err = resp.Body.Read(body)
				}
				_ = resp.Body.Close()
			}
		})
	}
}

// spend makes so many calls from so many goroutines, and returns the processor time of one, in nanoseconds. The garbage of what
// was before is not counted.
func spend(b *testing.B, goroutines, calls int, call func() error) float64 {
	b.Helper()
	runtime.GC()
	var (
		wg   sync.WaitGroup
		next atomic.Int64
	)
	before := machine.Self()
	for range goroutines {
		wg.Go(func() {
			for next.Add(1) <= int64(calls) {
				if err := call(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return float64(machine.Self()-before) / float64(calls)
}

// startApart starts the server on the last core that this process may use, and keeps this process to the first one until the
// benchmark ends, so that neither takes time or cache of the other. Where there is one core only, they share it.
func startApart(b *testing.B) string {
	b.Helper()
	var all unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil || all.Count() < 2 {
		b.Log("client and server share a core: ", err)
		return start(b, 0)
	}
	var cores []int
	for core := range len(all) * 64 {
		if all.IsSet(core) {
			cores = append(cores, core)
		}
	}
	runtime.LockOSThread() // a process is started on the cores of the thread that starts it
	keepTo(b, only(cores[len(cores)-1]))
	url := start(b, 0)
	keepTo(b, only(cores[0]))
	runtime.UnlockOSThread()
	before := runtime.GOMAXPROCS(1)
	b.Cleanup(func() {
		runtime.GOMAXPROCS(before)
		keepTo(b, &all)
	})
	return url
}

func only(core int) *unix.CPUSet {
	var set unix.CPUSet
	set.Set(core)
	return &set
}

// keepTo keeps all threads of this process to some cores, and so those that they start.
func keepTo(b *testing.B, cores *unix.CPUSet) {
	b.Helper()
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		b.Fatal(err)
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			b.Fatal(err)
		}
		if err := unix.SchedSetaffinity(id, cores); err != nil && !errors.Is(err, unix.ESRCH) {
			b.Fatal(err)
		}
	}
}

// report says the median of ratios, and how far their middle half is apart, as a part of it.
func report(b *testing.B, unit string, ratios []float64) {
	b.Helper()
	slices.Sort(ratios)
	b.ReportMetric(median(ratios), unit)
	b.ReportMetric(100*(ratios[len(ratios)*3/4]-ratios[len(ratios)/4])/median(ratios), unit+"-%")
}

func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

func quotients(top, bottom []float64) []float64 {
	of := make([]float64, len(top))
	for i := range top {
		of[i] = top[i] / bottom[i]
	}
	return of
}
