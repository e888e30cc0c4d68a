package postgres_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/pgtest"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/internal/storetest"
	"github.com/qredo-go/qredo/outbox/postgres"
)

// sizes are how many entries there are when something is measured.
var sizes = []int{1_000, 100_000, 1_000_000}

// payment is what benchmarks enqueue.
func payment() outbox.Request {
	return outbox.Transfer{CompanyID: "company", TransferRequest: qredo.TransferRequest{
		WalletID: "from", Counterparty: "to", Reference: "invoice", Expires: qredo.TimeOf(time.Now().Add(time.Hour)),
		Send: qredo.AssetAmount{Asset: "BTC", Amount: 100_000},
	}}
}

// fill copies n entries into the tables, as a change makes each of them.
func fill(b testing.TB, database string, n int, change func(i int, e *outbox.Entry)) {
	b.Helper()
	ctx := b.Context()
	conn, err := pgx.Connect(ctx, database)
	require.NoError(b, err)
	defer func() { require.NoError(b, conn.Close(ctx)) }()
	records := outbox.NewRecords(nil)
	made := make([]outbox.Entry, n)
	sums := make([][]byte, n)
	_, err = conn.CopyFrom(ctx, pgx.Identifier{"qredo_outbox"}, []string{"key", "state", "unknown", "tx_id", "updated", "entry", "sum"},
		pgx.CopyFromSlice(n, func(i int) ([]any, error) {
			e := storetest.Entry(fmt.Sprintf("filled-%08d", i))
			e.Due = e.Due.Add(time.Duration(i) * time.Millisecond)
			change(i, &e)
			data, sum, err := records.Encode(e)
			made[i], sums[i] = e, sum
			var id *string
			if e.TxID != "" {
				text := string(e.TxID)
				id = &text
			}
			return []any{e.Key, string(e.State), e.Unknown, id, e.Updated, string(data), sum}, err
		}))
	require.NoError(b, err)
	if !made[0].State.Ended() && made[0].State != outbox.StateHeld {
		_, err = conn.CopyFrom(ctx, pgx.Identifier{"qredo_outbox_work"}, []string{"key", "lane", "due", "token", "sum"},
			pgx.CopyFromSlice(n, func(i int) ([]any, error) {
				return []any{made[i].Key, int16(made[i].Lane()), made[i].Due, int64(0), sums[i]}, nil
			}))
		require.NoError(b, err)
	}
	_, err = conn.Exec(ctx, `VACUUM ANALYZE qredo_outbox, qredo_outbox_work`)
	require.NoError(b, err)
}

// ended makes an entry that is done.
func ended(_ int, e *outbox.Entry) {
	e.State, e.Attempts, e.TxID = outbox.StateDone, 1, qredo.TxID("tx-"+e.Key)
}

// followed makes an entry one whose transaction waits for approval.
func followed(i int, e *outbox.Entry) {
	e.State, e.Attempts, e.TxID, e.Due = outbox.StateSent, 1, qredo.TxID("tx-"+e.Key), storetest.Start.Add(time.Duration(i)*time.Microsecond)
}

// reader holds a snapshot open, as a report does.
func reader(b testing.TB, database string) {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), database)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, conn.Close(context.WithoutCancel(b.Context()))) })
	_, err = conn.Exec(b.Context(), `BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM qredo_outbox`)
	require.NoError(b, err)
}

func BenchmarkAdd(b *testing.B) {
	database := pgtest.Database(b)
	for _, goroutines := range []int{1, 8} {
		b.Run(fmt.Sprint("goroutines=", goroutines), func(b *testing.B) {
			s := openStore(b, pgtest.Schema(b, database))
			atOnce(b, goroutines, func(i int64) error {
				_, _, err := s.Add(b.Context(), storetest.Entry(strconv.FormatInt(i, 10)))
				return err
			})
		})
	}
}

func BenchmarkEnqueueTx(b *testing.B) {
	database := pgtest.Database(b)
	for _, goroutines := range []int{1, 8} {
		b.Run(fmt.Sprint("goroutines=", goroutines), func(b *testing.B) {
			pool := newPool(b, pgtest.Schema(b, database))
			s, err := postgres.New(b.Context(), pool)
			require.NoError(b, err)
			defer func() { require.NoError(b, s.Close()) }()
			atOnce(b, goroutines, func(i int64) error {
				return pgx.BeginFunc(b.Context(), pool, func(tx pgx.Tx) error {
					_, err := s.EnqueueTx(b.Context(), tx, strconv.FormatInt(i, 10), payment())
					return err
				})
			})
		})
	}
}

// atOnce has goroutines do something b.N times together.
func atOnce(b *testing.B, goroutines int, do func(i int64) error) {
	b.Helper()
	var n atomic.Int64
	failed := make(chan error, goroutines)
	b.ResetTimer()
	for range goroutines {
		go func() {
			for i := n.Add(1); i <= int64(b.N); i = n.Add(1) {
				if err := do(i); err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	for range goroutines {
		require.NoError(b, <-failed)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s")
}

// BenchmarkClaim claims one entry and puts it back.
func BenchmarkClaim(b *testing.B) {
	database := pgtest.Database(b)
	for _, there := range []struct {
		name   string
		change func(int, *outbox.Entry)
	}{
		{"new", func(int, *outbox.Entry) {}},
		{"followed", followed},
		{"ended", ended},
	} {
		for _, n := range sizes {
			b.Run(fmt.Sprintf("%s=%d", there.name, n), func(b *testing.B) {
				database := pgtest.Schema(b, database)
				s := openStore(b, database)
				fill(b, database, n, there.change)
				lanes := []outbox.Lane{outbox.LaneNew}
				if there.name == "followed" {
					lanes = append(lanes, outbox.LaneFollow)
				}
				_, _, err := s.Add(b.Context(), storetest.Entry("new"))
				require.NoError(b, err)
				for _, lane := range lanes {
					b.Run(fmt.Sprint("lane=", lane), func(b *testing.B) {
						b.Run("claim", func(b *testing.B) {
							var claims []outbox.Claim
							for i := 0; b.Loop(); i++ {
								now := storetest.Start.Add(time.Hour + time.Duration(i)*time.Minute)
								claims, err = s.Claim(b.Context(), outbox.Want{Lane: lane, Now: now, Until: now.Add(time.Second), Beyond: now.Add(24 * time.Hour), Limit: 1})
								require.NoError(b, err)
								require.Len(b, claims, 1)
							}
						})
					})
				}
			})
		}
	}
}

// BenchmarkWork brings new entries to their end one by one, as a worker does, and reports the time of the last thousand
// claims.
func BenchmarkWork(b *testing.B) {
	database := pgtest.Database(b)
	for _, snapshot := range []bool{false, true} {
		for _, n := range []int{1_000, 20_000} {
			b.Run(fmt.Sprintf("ended=%d/snapshot=%t", n, snapshot), func(b *testing.B) {
				database := pgtest.Schema(b, database)
				s := openStore(b, database)
				fill(b, database, n+2000, func(int, *outbox.Entry) {})
				if snapshot {
					reader(b, database)
				}
				step := func(limit int) {
					now := time.Now()
					claims, err := s.Claim(b.Context(), outbox.Want{Now: now, Until: now.Add(time.Minute), Beyond: now.Add(time.Hour), Limit: limit})
					require.NoError(b, err)
					if b.StopTimer(); len(claims) < limit {
						b.Fatalf("%d of %d", len(claims), limit)
					}
					send(b, s, claims)
					b.StartTimer()
				}
				b.StopTimer()
				for range n / 100 {
					step(100)
				}
				b.ResetTimer()
				b.StartTimer()
				for range b.N {
					step(1)
				}
			})
		}
	}
}

// send stores of entries that they are sent, and then that they are done.
func send(b testing.TB, s *postgres.Store, claims []outbox.Claim) {
	b.Helper()
	done := make(chan error, len(claims))
	for _, c := range claims {
		go func() {
			c.Entry.Attempts++
			err := s.Begin(b.Context(), c)
			if err == nil {
				c.Entry.State, c.Entry.TxID = outbox.StateDone, qredo.TxID("tx-"+c.Entry.Key)
				err = s.Release(b.Context(), c)
			}
			done <- err
		}()
	}
	for range claims {
		require.NoError(b, <-done)
	}
}

// BenchmarkPage lists the only unknown entry, and the first of those that are done and of those that changed last.
func BenchmarkPage(b *testing.B) {
	database := pgtest.Database(b)
	for _, n := range sizes {
		b.Run("entries="+strconv.Itoa(n), func(b *testing.B) {
			database := pgtest.Schema(b, database)
			s := openStore(b, database)
			fill(b, database, n, func(i int, e *outbox.Entry) {
				if ended(i, e); i == n/2 {
					e.Unknown, e.State = true, outbox.StateHeld
				}
				e.Updated = e.Updated.Add(time.Duration(i) * time.Millisecond)
			})
			for _, f := range []struct {
				name string
				outbox.Filter
			}{
				{"unknown", outbox.Filter{Unknown: true}},
				{"done", outbox.Filter{States: []outbox.State{outbox.StateDone}}},
				{"failed", outbox.Filter{States: []outbox.State{outbox.StateFailed}}},
				{"all", outbox.Filter{}},
				{"changes", outbox.Filter{UpdatedSince: storetest.Start.Add(time.Duration(n-500) * time.Millisecond)}},
				{"unknown changes", outbox.Filter{UpdatedSince: storetest.Start, Unknown: true}},
			} {
				b.Run(strings.ReplaceAll(f.name, " ", "-"), func(b *testing.B) {
					for b.Loop() {
						_, err := s.Page(b.Context(), f.Filter, outbox.Entry{}, 500)
						require.NoError(b, err)
					}
				})
			}
			b.Run("stats", func(b *testing.B) {
				for b.Loop() {
					_, err := s.Stats(b.Context())
					require.NoError(b, err)
				}
			})
		})
	}
}
