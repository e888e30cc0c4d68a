// Package outbox_test measures the outbox against River, a queue of jobs in PostgreSQL, on the same server in the same run. A job of River's makes the same
// two calls as a payment needs: the request for a transaction, and a look at it. The service answers within the process, and
// nothing is signed, so that what is measured is the queue.
package outbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/bench/canned"
	"github.com/qredo-go/qredo/internal/pgtest"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/postgres"
)

// service answers without a network: each PartnerTxID has a transaction, which is approved.
type service struct{}

func (service) RoundTrip(req *http.Request) (*http.Response, error) {
	body := `{"txID":"` + req.URL.Path[strings.LastIndex(req.URL.Path, "/")+1:] + `","txStatus":"approved"}`
	if req.Method == http.MethodPost {
		var sent qredo.TransferRequest
		if err := json.NewDecoder(req.Body).Decode(&sent); err != nil {
			return nil, err
		}
		body = `{"tx_id":"tx-` + string(sent.PartnerTxID) + `","status":"new"}`
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

type unsigned struct{}

func (unsigned) Authenticate(*http.Request, []byte, time.Time) error { return nil }

func payer(b *testing.B) *qredo.Client {
	b.Helper()
	client, err := qredo.NewClient(unsigned{}, qredo.WithBaseURL("http://127.0.0.1/p"), qredo.WithHTTPClient(&http.Client{Transport: service{}}))
	if err != nil {
		b.Fatal(err)
	}
	return client
}

func transfer(partner qredo.PartnerTxID) qredo.TransferRequest {
	return qredo.TransferRequest{
		WalletID: canned.WalletID, Counterparty: "to", PartnerTxID: partner, Reference: "invoice 4711",
		Expires: qredo.TimeOf(time.Now().Add(24 * time.Hour)), Send: qredo.AssetAmount{Asset: "BTC", Amount: 1000},
	}
}

func payment() outbox.Request {
	return outbox.Transfer{CompanyID: canned.CompanyID, TransferRequest: transfer("")}
}

// pay is a job of River's.
type pay struct {
	Company qredo.CompanyID       `json:"company"`
	Request qredo.TransferRequest `json:"request"`
}

func (pay) Kind() string { return "pay" }

type payWorker struct {
	river.WorkerDefaults[pay]
	client *qredo.Client
	done   func()
}

func (w *payWorker) Work(ctx context.Context, job *river.Job[pay]) error {
	made, err := w.client.Transfers.Create(ctx, job.Args.Company, job.Args.Request)
	if err == nil {
		_, err = w.client.Transfers.Get(ctx, job.Args.Company, made.TxID)
	}
	if err == nil {
		w.done()
	}
	return err
}

// queue is the outbox, or River.
type queue struct {
	add   func(ctx context.Context, key string) error
	addTx func(ctx context.Context, tx pgx.Tx, key string) error // nil where it has none
	run   func(ctx context.Context, workers int, done func()) error
}

func openPool(b *testing.B, database string) *pgxpool.Pool {
	b.Helper()
	pool, err := pgxpool.New(b.Context(), database+" pool_max_conns=80")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	return pool
}

func inStore(b *testing.B, store outbox.Store) queue {
	b.Helper()
	client := payer(b)
	box, err := outbox.New(client, store)
	if err != nil {
		b.Fatal(err)
	}
	return queue{
		add: func(ctx context.Context, key string) error {
			_, err := box.Enqueue(ctx, key, payment())
			return err
		},
		run: func(ctx context.Context, workers int, done func()) error {
			box, err := outbox.New(client, store, outbox.WithConcurrency(workers), outbox.WithPollInterval(100*time.Millisecond),
				outbox.WithObserver(func(_ context.Context, e outbox.Entry) {
					if e.State == outbox.StateDone {
						done()
					}
				}))
			if err != nil {
				return err
			}
			return box.Run(ctx)
		},
	}
}

func inFile(b *testing.B) queue {
	b.Helper()
	store, err := outbox.OpenStore(filepath.Join(b.TempDir(), "outbox.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	return inStore(b, store)
}

func inPostgres(b *testing.B, pool *pgxpool.Pool) queue {
	b.Helper()
	store, err := postgres.New(b.Context(), pool)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	q := inStore(b, store)
	q.addTx = func(ctx context.Context, tx pgx.Tx, key string) error {
		_, err := store.EnqueueTx(ctx, tx, key, payment())
		return err
	}
	return q
}

func inRiver(b *testing.B, pool *pgxpool.Pool) queue {
	b.Helper()
	driver := riverpgxv5.New(pool)
	migrator, err := rivermigrate.New(driver, nil)
	if err == nil {
		_, err = migrator.Migrate(b.Context(), rivermigrate.DirectionUp, nil)
	}
	if err != nil {
		b.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	inserter, err := river.NewClient(driver, &river.Config{Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	job := func(key string) pay { return pay{canned.CompanyID, transfer(qredo.PartnerTxID(key))} }
	return queue{
		add: func(ctx context.Context, key string) error {
			_, err := inserter.Insert(ctx, job(key), nil)
			return err
		},
		addTx: func(ctx context.Context, tx pgx.Tx, key string) error {
			_, err := inserter.InsertTx(ctx, tx, job(key), nil)
			return err
		},
		run: func(ctx context.Context, workers int, done func()) error {
			all := river.NewWorkers()
			river.AddWorker(all, &payWorker{client: payer(b), done: done})
			client, err := river.NewClient(driver, &river.Config{
				Logger: quiet, Workers: all, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}},
				FetchCooldown: river.FetchCooldownMin, // by default it fetches ten times a second at most
			})
			if err != nil {
				return err
			}
			if err := client.Start(ctx); err != nil {
				return err
			}
			<-ctx.Done()
			stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			return client.Stop(stopping)
		},
	}
}

// eachQueue runs a benchmark with each queue, on one server.
func eachQueue(b *testing.B, bench func(b *testing.B, q queue, pool *pgxpool.Pool)) {
	database := pgtest.Database(b)
	b.Run("file", func(b *testing.B) { bench(b, inFile(b), nil) })
	for name, open := range map[string]func(*testing.B, *pgxpool.Pool) queue{"river": inRiver, "postgres": inPostgres} {
		b.Run(name, func(b *testing.B) {
			pool := openPool(b, pgtest.Schema(b, database))
			bench(b, open(b, pool), pool)
		})
	}
}

var keys atomic.Int64

func nextKey() string { return fmt.Sprint("payment-", keys.Add(1)) }

// BenchmarkEnqueue stores payments, from one goroutine and from eight.
func BenchmarkEnqueue(b *testing.B) {
	for _, goroutines := range []int{1, 8} {
		b.Run(fmt.Sprint(goroutines), func(b *testing.B) {
			eachQueue(b, func(b *testing.B, q queue, _ *pgxpool.Pool) {
				atOnce(b, goroutines, func() error { return q.add(b.Context(), nextKey()) })
			})
		})
	}
}

// BenchmarkEnqueueTx stores payments in the caller's transactions, which change a row of its own besides.
func BenchmarkEnqueueTx(b *testing.B) {
	for _, goroutines := range []int{1, 8} {
		b.Run(fmt.Sprint(goroutines), func(b *testing.B) {
			eachQueue(b, func(b *testing.B, q queue, pool *pgxpool.Pool) {
				if q.addTx == nil {
					b.Skip("a file has no transactions of the caller's")
				}
				if _, err := pool.Exec(b.Context(), `CREATE TABLE debits (key text PRIMARY KEY)`); err != nil {
					b.Fatal(err)
				}
				atOnce(b, goroutines, func() error {
					key := nextKey()
					return pgx.BeginFunc(b.Context(), pool, func(tx pgx.Tx) error {
						if _, err := tx.Exec(b.Context(), `INSERT INTO debits VALUES ($1)`, key); err != nil {
							return err
						}
						return q.addTx(b.Context(), tx, key)
					})
				})
			})
		})
	}
}

// atOnce does something b.N times from several goroutines.
func atOnce(b *testing.B, goroutines int, do func() error) {
	b.Helper()
	var (
		wg   sync.WaitGroup
		next atomic.Int64
	)
	b.ResetTimer()
	for range goroutines {
		wg.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if err := do(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "payments/s")
}

// BenchmarkPay makes payments that are stored already, by 8 and by 64 workers.
func BenchmarkPay(b *testing.B) {
	for _, workers := range []int{8, 64} {
		b.Run(fmt.Sprint(workers), func(b *testing.B) {
			eachQueue(b, func(b *testing.B, q queue, _ *pgxpool.Pool) {
				var filling sync.WaitGroup
				for range 16 {
					filling.Go(func() {
						for range (b.N + 15) / 16 {
							if err := q.add(b.Context(), nextKey()); err != nil {
								b.Error(err)
							}
						}
					})
				}
				filling.Wait()
				ctx, stop := context.WithCancel(b.Context())
				var left atomic.Int64
				left.Store(int64(b.N))
				ended := make(chan error, 1)
				b.ResetTimer()
				go func() {
					ended <- q.run(ctx, workers, func() {
						if left.Add(-1) == 0 {
							stop()
						}
					})
				}()
				<-ctx.Done()
				b.StopTimer()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "payments/s")
				if err := <-ended; err != nil {
					b.Error(err)
				}
			})
		})
	}
}
