// Package bench measures this module's client against others, all against the same server on the
// loopback.
package bench

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/bench/canned"
)

// order keeps the clients' turns the same in each run.
var order = []string{"limit", "generated", "qredo"}

func benchmarkCall(b *testing.B, signer crypto.Signer, call func(context.Context, caller) error) {
	clients := callers(b, start(b, 0), signer)
	for _, name := range order {
		b.Run(name, func(b *testing.B) {
			defer processor(b)()
			b.ReportAllocs()
			for b.Loop() {
				if err := call(b.Context(), clients[name]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func get(ctx context.Context, c caller) error  { return c.get(ctx) }
func post(ctx context.Context, c caller) error { return c.post(ctx) }

func BenchmarkGet(b *testing.B)      { benchmarkCall(b, key, get) }
func BenchmarkPost(b *testing.B)     { benchmarkCall(b, key, post) }
func BenchmarkGetFree(b *testing.B)  { benchmarkCall(b, freeSigner{key}, get) }
func BenchmarkPostFree(b *testing.B) { benchmarkCall(b, freeSigner{key}, post) }

// BenchmarkGet64 makes calls from 64 goroutines at once; signatures are made alike, by as many goroutines,
// to compare with.
func BenchmarkGet64(b *testing.B) {
	clients := callers(b, start(b, 0), key)
	digest := sha256.Sum256(nil)
	for name, call := range map[string]func() error{
		"qredo": func() error { return clients["qredo"].get(context.Background()) },
		"signatures": func() error {
			_, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			defer processor(b)()
			var (
				wg   sync.WaitGroup
				next atomic.Int64
			)
			for range 64 {
				wg.Go(func() {
					for next.Add(1) <= int64(b.N) {
						if err := call(); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// BenchmarkLedger10k decodes a page of 10,000 entries, with the free signer.
func BenchmarkLedger10k(b *testing.B) {
	benchmark10k(b, caller.ledger)
}

// BenchmarkHistory10k decodes a history of 10,000 entries, with the free signer.
func BenchmarkHistory10k(b *testing.B) {
	benchmark10k(b, caller.history)
}

func benchmark10k(b *testing.B, read func(caller, context.Context) (int, error)) {
	b.Helper()
	const entries = 10_000
	clients := callers(b, start(b, entries), freeSigner{key})
	for _, name := range order {
		b.Run(name, func(b *testing.B) {
			defer processor(b)()
			b.ReportAllocs()
			for b.Loop() {
				n, err := read(clients[name], b.Context())
				if err != nil || n != entries {
					b.Fatal(n, err)
				}
			}
		})
	}
}

// BenchmarkLedgerAll walks a ledger of 1,000,000 entries and reports how far the heap goes above its start.
func BenchmarkLedgerAll(b *testing.B) {
	const entries = 1_000_000
	client := newOurs(b, start(b, entries), freeSigner{key})
	for b.Loop() {
		var before, now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		n, peak := 0, uint64(0)
		for _, err := range client.Funds.LedgerAll(b.Context(), canned.CompanyID, canned.FundID, qredo.LedgerOptions{Limit: 1000}) {
			if err != nil {
				b.Fatal(err)
			}
			if n++; n%1000 == 0 {
				runtime.ReadMemStats(&now)
				peak = max(peak, now.HeapAlloc)
			}
		}
		if n != entries {
			b.Fatal(fmt.Errorf("%d entries", n))
		}
		b.ReportMetric(float64(int64(peak)-int64(before.HeapAlloc))/(1<<20), "MiB-above-start")
	}
}
