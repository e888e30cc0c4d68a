package bench

import (
	"context"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/bench/canned"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/inbox/postgres"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/internal/pgtest"
)

// BenchmarkInboxWalk has an inbox read a ledger of 1,000,000 entries from the start, and reports how far the heap goes above its own
// start.
func BenchmarkInboxWalk(b *testing.B) {
	const entries = 1_000_000
	client := newOurs(b, start(b, entries), freeSigner{key})
	b.Run("file", func(b *testing.B) {
		store, err := inbox.OpenStore(filepath.Join(b.TempDir(), "inbox.db"))
		check(b, err)
		defer store.Close()
		walk(b, client.Client, store, entries)
	})
	b.Run("postgres", func(b *testing.B) {
		store, err := postgres.Open(b.Context(), pgtest.Start(b).Database())
		check(b, err)
		defer store.Close()
		walk[pgx.Tx](b, client.Client, store, entries)
	})
}

// walk has the ledger read once: a second walk would find everything known.
func walk[Tx any](b *testing.B, client *qredo.Client, store inbox.Store[Tx], entries int64) {
	b.Helper()
	in, err := inbox.New(client, store, inbox.FromStart(), inbox.WithFunds(canned.CompanyID, canned.FundID))
	check(b, err)
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	ended := make(chan error, 1)
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	b.ResetTimer()
	go func() {
		ended <- in.Run(ctx, func(ctx context.Context, _ Tx, _ inbox.Movement) error { // it has been read to its end
			stop()
			return ctx.Err()
		})
	}()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for peak := uint64(0); ; {
		select {
		case err := <-ended:
			check(b, err)
			b.StopTimer()
			sources, err := store.Sources(b.Context())
			check(b, err)
			if len(sources) != 1 || sources[0].Rows != entries {
				b.Fatal(sources)
			}
			b.ReportMetric(float64(int64(peak)-int64(before.HeapAlloc))/(1<<20), "MiB-above-start")
			return
		case <-ticker.C:
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc)
		}
	}
}

// BenchmarkInboxFeed measures from a deposit in a connected dedicated wallet to the handler, by the default pauses, with the wallets feed.
func BenchmarkInboxFeed(b *testing.B) {
	w := clienttest.NewWorld(b)
	store, err := inbox.OpenStore(filepath.Join(b.TempDir(), "inbox.db"))
	check(b, err)
	defer store.Close()
	connected := make(chan struct{})
	in, err := inbox.New(w.Client, store, inbox.WithFunds(w.Company, w.Fund), inbox.WithFeed(qredo.WithFeedState(func(s qredo.FeedState) {
		if s.Status == qredo.FeedCaughtUp {
			close(connected)
		}
	})))
	check(b, err)
	handed := make(chan time.Time, 100) // also what there was shortly before
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	go func() {
		_ = in.Run(ctx, func(context.Context, inbox.NoTx, inbox.Movement) error { handed <- time.Now(); return nil })
	}()
	<-connected
	for drained := false; !drained; {
		select {
		case <-handed:
		case <-time.After(4 * time.Second): // the shortest pause is over
			drained = true
		}
	}
	slowest := time.Duration(0)
	for b.Loop() {
		b.StopTimer()
		<-time.After(1100 * time.Millisecond) // it looks once a second at most, and is to be at rest
		b.StartTimer()
		began := time.Now()
		_, err := w.Srv.Deposit(string(w.Dedicated), 1)
		check(b, err)
		slowest = max(slowest, (<-handed).Sub(began))
	}
	b.ReportMetric(float64(slowest.Milliseconds()), "ms-slowest")
}
