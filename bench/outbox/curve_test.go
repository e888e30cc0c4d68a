package outbox_test

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/qredo-go/qredo/bench/machine"
	"github.com/qredo-go/qredo/internal/pgtest"
)

var most = flag.Int("most", 1_000, "how many payments BenchmarkCurve has wait at most: up to 1,000,000")

// BenchmarkCurve has so many payments wait, and then made: by the outbox in a file and in PostgreSQL, and by River on the same
// server, by turns.
func BenchmarkCurve(b *testing.B) {
	const workers = 64
	database := pgtest.Database(b)
	for n := 1_000; n <= *most; n *= 10 {
		for turn := range max(1, min(7, *most/n/3)) { // small ones are soon done, and differ more
			for i := range 3 {
				name := []string{"file", "river", "postgres"}[(i+turn)%3]
				b.Run(fmt.Sprintf("%s/payments=%d", name, n), func(b *testing.B) {
					if name == "file" {
						curve(b, inFile(b), n, workers, 0)
						return
					}
					pool := openPool(b, pgtest.Schema(b, database))
					open := inPostgres
					if name == "river" {
						open = inRiver
					}
					curve(b, open(b, pool), n, workers, backend(b, pool))
				})
			}
		}
	}
}

// backend is the process of a connection, by which the server is found; 0 if it is on another machine.
func backend(b *testing.B, pool *pgxpool.Pool) (pid int) {
	b.Helper()
	err := pgx.BeginFunc(b.Context(), pool, func(tx pgx.Tx) error {
		return tx.QueryRow(b.Context(), `SELECT pg_backend_pid() WHERE inet_server_addr() = '127.0.0.1' OR inet_server_addr() IS NULL`).Scan(&pid)
	})
	if err != nil && err != pgx.ErrNoRows {
		b.Fatal(err)
	}
	return pid
}

// curve stores n payments from 16 goroutines, and has them made.
func curve(b *testing.B, q queue, n, workers, backend int) {
	b.Helper()
	began := time.Now()
	var (
		filling sync.WaitGroup
		stored  atomic.Int64
	)
	for range 16 {
		filling.Go(func() {
			for stored.Add(1) <= int64(n) {
				if err := q.add(b.Context(), nextKey()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	filling.Wait()
	added := time.Since(began)
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	var left atomic.Int64
	left.Store(int64(n))
	ended := make(chan error, 1)
	runtime.GC()
	b.ResetTimer()
	own, server := machine.Self(), machine.Family(backend)
	go func() {
		ended <- q.run(ctx, workers, func() {
			if left.Add(-1) == 0 {
				stop()
			}
		})
	}()
	select {
	case <-ctx.Done():
	case err := <-ended:
		b.Fatal("it ended before its work: ", err)
	}
	b.StopTimer()
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "items/s")
	b.ReportMetric(float64(n)/added.Seconds(), "added/s")
	b.ReportMetric(float64(machine.Self()-own)/float64(n), "cpu-ns/item")
	if backend != 0 {
		b.ReportMetric(float64(machine.Family(backend)-server)/float64(n), "server-ns/item")
	}
	if err := <-ended; err != nil {
		b.Error(err)
	}
}
