// Package approver_test measures what a decision takes in each store of package approver, with more and more payments in the
// window of its limit.
package approver_test

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	goredis "github.com/redis/go-redis/v9"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/postgres"
	"github.com/qredo-go/qredo/approver/redis"
	"github.com/qredo-go/qredo/bench/machine"
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

// store is a kind of store, and a way to have so many payments counted by the busy limit before anything is measured. A store
// with a server tells how much processor time that has used.
type store struct {
	name string
	open func(b *testing.B, n int) (s approver.Store, server func() time.Duration)
}

var stores = []store{
	{"memory", func(b *testing.B, n int) (approver.Store, func() time.Duration) {
		return filled(b, approver.NewMemoryStore(), n, 1), nil
	}},
	{"file", func(b *testing.B, n int) (approver.Store, func() time.Duration) {
		s, err := approver.OpenStore(filepath.Join(b.TempDir(), "store"))
		check(b, err)
		b.Cleanup(func() { check(b, s.Close()) })
		return filled(b, s, n, 1000), nil // who comes together shares a write to the disk
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

func openRedis(b *testing.B, n int) (approver.Store, func() time.Duration) {
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
	return s, func() time.Duration {
		used := 0.0
		for line := range strings.Lines(client.Info(b.Context(), "cpu").Val()) {
			if name, value, _ := strings.Cut(strings.TrimSpace(line), ":"); name == "used_cpu_sys" || name == "used_cpu_user" {
				seconds, err := strconv.ParseFloat(value, 64)
				check(b, err)
				used += seconds
			}
		}
		return time.Duration(used * float64(time.Second))
	}
}

func openPostgres(b *testing.B, n int) (approver.Store, func() time.Duration) {
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
	b.Cleanup(func() { check(b, conn.Close(context.WithoutCancel(b.Context()))) })
	backend := int(conn.PgConn().PID())
	return s, func() time.Duration { return machine.Family(backend) }
}

var most = flag.Int("most", 1_000, "how many payments BenchmarkReserve has in the window at most: up to 1,000,000")

// BenchmarkReserve takes decisions one after the other, with so many payments in the window: by turns, so that what else the
// machine does hits all alike. Each turn adds to the window what it decides.
func BenchmarkReserve(b *testing.B) {
	for _, kind := range stores {
		b.Run(kind.name, func(all *testing.B) {
			opened := map[int]approver.Store{}
			servers := map[int]func() time.Duration{}
			decided := 0
			for range 9 {
				for n := 1_000; n <= *most; n *= 10 {
					all.Run(fmt.Sprint("payments=", n), func(b *testing.B) {
						s := opened[n]
						if s == nil {
							s, servers[n] = kind.open(all, n)
							opened[n] = s
							used, err := s.Usage(b.Context(), []approver.Spend{busy()})
							check(b, err)
							if want := (approver.Usage{Amount: 1000 * int64(n), Count: int64(n)}); used[0] != want {
								b.Fatalf("the window holds %v, not %v", used[0], want)
							}
						}
						server := servers[n]
						if server == nil {
							server = func() time.Duration { return 0 }
						}
						b.ResetTimer()
						before, serverBefore := machine.Self(), server()
						for range b.N {
							decided++
							check(b, decide(b.Context(), s, fmt.Sprint("decided", decided)))
						}
						b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
						b.ReportMetric(float64(machine.Self()-before)/float64(b.N), "cpu-ns/item")
						if servers[n] != nil {
							b.ReportMetric(float64(server()-serverBefore)/float64(b.N), "server-ns/item")
						}
					})
				}
			}
		})
	}
}
