package bench

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/bench/canned"
	"github.com/qredo-go/qredo/bench/machine"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/inbox/postgres"
	"github.com/qredo-go/qredo/internal/pgtest"
)

var most = flag.Int("most", 1_000, "how many movements BenchmarkInboxCurve hands over at most: up to 1,000,000")

// BenchmarkInboxCurve has an inbox read a ledger of so many entries from the start, and hand each of them over.
func BenchmarkInboxCurve(b *testing.B) {
	database := pgtest.Database(b)
	b.Setenv(childWallets, "1")
	for n := 1_000; n <= *most; n *= 10 {
		client := newOurs(b, start(b, n), freeSigner{key}).Client
		for range max(1, min(7, *most/n/3)) { // small ones are soon done, and differ more
			b.Run(fmt.Sprintf("file/movements=%d", n), func(b *testing.B) {
				store, err := inbox.OpenStore(filepath.Join(b.TempDir(), "inbox.db"))
				check(b, err)
				defer store.Close()
				handAll(b, client, store, n, 0)
			})
			b.Run(fmt.Sprintf("postgres/movements=%d", n), func(b *testing.B) {
				pool, err := pgxpool.New(b.Context(), pgtest.Schema(b, database)+" pool_max_conns=32")
				check(b, err)
				defer pool.Close()
				store, err := postgres.New(b.Context(), pool)
				check(b, err)
				defer store.Close()
				backend := 0
				check(b, pool.QueryRow(b.Context(), `SELECT pg_backend_pid()`).Scan(&backend))
				handAll[pgx.Tx](b, client, store, n, backend)
			})
		}
	}
}

func handAll[Tx any](b *testing.B, client *qredo.Client, store inbox.Store[Tx], n, backend int) {
	b.Helper()
	in, err := inbox.New(client, store, inbox.FromStart(), inbox.WithFunds(canned.CompanyID, canned.FundID))
	check(b, err)
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	var (
		handed      atomic.Int64
		before, now runtime.MemStats
		peak        uint64
	)
	ended := make(chan error, 1)
	runtime.GC()
	runtime.ReadMemStats(&before)
	b.ResetTimer()
	own, server := machine.Self(), machine.Family(backend)
	go func() {
		ended <- in.Run(ctx, func(context.Context, Tx, inbox.Movement) error {
			if handed.Add(1) == int64(n) {
				stop()
			}
			return nil
		})
	}()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for running := true; running; {
		select {
		case err := <-ended:
			check(b, err)
			running = false
		case <-ticker.C:
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc)
		}
	}
	b.StopTimer()
	if handed.Load() < int64(n) {
		b.Fatalf("%d of %d", handed.Load(), n)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "items/s")
	b.ReportMetric(float64(machine.Self()-own)/float64(n), "cpu-ns/item")
	b.ReportMetric(float64(max(0, int64(peak)-int64(before.HeapAlloc)))/(1<<20), "MiB-above-start")
	if backend != 0 {
		b.ReportMetric(float64(machine.Family(backend)-server)/float64(n), "server-ns/item")
	}
}
