// Package approver_test measures what a decision takes in each store of package approver, with more and more payments in the
// window of its limit.
package approver_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	goredis "github.com/redis/go-redis/v9"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/postgres"
	"github.com/qredo-go/qredo/approver/redis"
	"github.com/qredo-go/qredo/internal/pgtest"
	"github.com/qredo-go/qredo/internal/redistest"
)

// busy is the limit whose window is full of payments.
func busy() approver.Spend {
	return approver.Spend{Counter: "busy", Amount: 1000, Window: 24 * time.Hour, MaxAmount: 1 << 50, MaxCount: 1 << 30}
}

// decide stores a decision that counts for the busy limit, and for one of a recipient that comes once.
func decide(ctx context.Context, s approver.Store, id string) error {
	now := time.Now()
	_, err := s.Reserve(ctx, approver.Record{
		ActionID: qredo.ActionID(id), Digest: "d", PolicyHash: "p", Verdict: approver.Approve, Rule: "r", Token: id, Decided: now, Expires: now.Add(time.Hour),
	}, []approver.Spend{busy(), {Counter: id, Amount: 1000, Window: time.Hour, MaxCount: 3}})
	return err
}

// store is a kind of store, and a way to have so many payments counted by the busy limit before anything is measured.
type store struct {
	name string
	open func(b *testing.B, n int) approver.Store
}

var stores = []store{
	{"memory", func(b *testing.B, n int) approver.Store { return filled(b, approver.NewMemoryStore(), n, 1) }},
	{"file", func(b *testing.B, n int) approver.Store {
		s, err := approver.OpenStore(filepath.Join(b.TempDir(), "store"))
		check(b, err)
		b.Cleanup(func() { check(b, s.Close()) })
		return filled(b, s, n, 1000) // who comes together shares a write to the disk
	}},
	{"redis", openRedis},
	{"postgres", openPostgres},
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// filled has goroutines decide n times.
func filled(b *testing.B, s approver.Store, n, goroutines int) approver.Store {
	b.Helper()
	var all sync.WaitGroup
	failed := make(chan error, goroutines)
	for g := range goroutines {
		all.Go(func() {
			for i := g; i < n; i += goroutines {
				if _, err := s.Reserve(b.Context(), approver.Record{ActionID: qredo.ActionID(fmt.Sprint("filled", i))}, []approver.Spend{busy()}); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	select {
	case err := <-failed:
		b.Fatal(err)
	default:
	}
	return s
}

// fillRedis adds entries as the script of package redis does.
const fillRedis = `
for i = ARGV[1], ARGV[2] do
  local sum = i * 1000
  redis.call('ZADD', KEYS[1], string.format('%.0f', ARGV[3] + i), string.format('%016.0f:0.%.0f.%.0f:0.1000:172800000000', i, math.floor(sum / 4294967296), sum % 4294967296))
end`

func openRedis(b *testing.B, n int) approver.Store {
	client := goredis.NewClient(&goredis.Options{Addr: redistest.Start(b, redistest.Durable...).Address})
	b.Cleanup(func() { check(b, client.Close()) })
	s, err := redis.New(b.Context(), client, "bench")
	check(b, err)
	since := time.Now().Add(-time.Hour).UnixMicro()
	const atOnce = 10_000
	for from := 1; from <= n; from += atOnce {
		if err := client.Eval(b.Context(), fillRedis, []string{"bench:sums:busy"}, from, min(from+atOnce-1, n), since).Err(); err != goredis.Nil {
			check(b, err)
		}
	}
	return s
}

func openPostgres(b *testing.B, n int) approver.Store {
	database := pgtest.Schema(b, pgtest.Database(b))
	s, err := postgres.Open(b.Context(), database)
	check(b, err)
	b.Cleanup(func() { check(b, s.Close()) })
	conn, err := pgx.Connect(b.Context(), database)
	check(b, err)
	_, err = conn.Exec(b.Context(), `
		INSERT INTO qredo_approver_spent (counter, at, number, amount, sum, ends)
		SELECT sha256('busy'), since + i, i, 1000, i * 1000, since + i + 172800000000
		FROM generate_series(1, `+fmt.Sprint(n)+`) i, LATERAL (SELECT (extract(epoch FROM now()) * 1000000)::bigint - 3600000000 AS since) t`)
	check(b, err)
	_, err = conn.Exec(b.Context(), `VACUUM ANALYZE qredo_approver_spent`)
	check(b, err)
	check(b, conn.Close(b.Context()))
	return s
}

// BenchmarkReserve takes decisions one after the other, with so many payments in the window.
func BenchmarkReserve(b *testing.B) {
	for _, kind := range stores {
		for _, n := range []int{1_000, 10_000, 100_000, 1_000_000} {
			b.Run(fmt.Sprintf("%s/payments=%d", kind.name, n), func(b *testing.B) {
				s := kind.open(b, n)
				used, err := s.Usage(b.Context(), []approver.Spend{busy()})
				check(b, err)
				if want := (approver.Usage{Amount: 1000 * int64(n), Count: int64(n)}); used[0] != want {
					b.Fatalf("the window holds %v, not %v", used[0], want)
				}
				b.ResetTimer()
				for i := range b.N {
					check(b, decide(b.Context(), s, fmt.Sprint("decided", i)))
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
			})
		}
	}
}
