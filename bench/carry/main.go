// Command carry tells how many payments a second programs with an outbox in PostgreSQL carry, by the model of docs/scale.md, with figures of
// your own.
//
//	go run ./carry -programs 4 -workers 64 -latency 80ms -sync 1ms -limit 200
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/qredo-go/qredo/bench/model"
)

func main() {
	p := model.Usual()
	flag.IntVar(&p.Replicas, "programs", p.Replicas, "programs that share the database")
	flag.IntVar(&p.Workers, "workers", p.Workers, "of each: outbox.WithConcurrency")
	flag.IntVar(&p.Cores, "cores", p.Cores, "of each program")
	flag.IntVar(&p.Database.Cores, "database-cores", p.Database.Cores, "of PostgreSQL")
	flag.IntVar(&p.Database.Connections, "connections", p.Database.Connections, "of all programs to PostgreSQL together")
	flag.DurationVar(&p.Service.Latency, "latency", p.Service.Latency, "until the service answers")
	flag.Float64Var(&p.Service.Limit, "limit", 0, "calls a second that the service answers (default no limit)")
	flag.DurationVar(&p.Signature, "signature", p.Signature, "what one takes")
	flag.DurationVar(&p.Sync, "sync", p.Sync, "what a commit takes, there and back")
	flag.DurationVar(&p.Statement, "statement", p.Statement, "what a statement takes that need not wait for the disk, there and back")
	flag.Float64Var(&p.Retries, "retries", p.Retries, "share of calls that are made again, below 1")
	flag.Float64Var(&p.Hot, "row", 0, "share of payments that are booked on one and the same row (default 0)")
	approved := flag.Duration("approved", 2*time.Second, "until a payment is approved")
	arriving := flag.Float64("arriving", 0, "payments a second that come at random times, to tell how long they wait (default 0.8 of the most)")
	flag.Parse()
	p.Looks = model.Looks(*approved)
	if n := p.Replicas * p.Workers; n < 1 || n > 4096 || p.Cores < 1 || p.Database.Cores < 1 || p.Database.Connections < 1 || p.Retries < 0 || p.Retries >= 1 {
		fmt.Fprintln(os.Stderr, "carry: programs, workers, cores and connections are 1 or more, workers of all programs 4096 or fewer, retries from 0 to below 1")
		os.Exit(2)
	}
	r := p.Solve()
	if *arriving == 0 {
		*arriving = 0.8 * r.PerSecond
	}
	fmt.Printf("%.1f payments a second at most, with %.0f calls each; first: %s\n", r.PerSecond, (1+p.Looks)/(1-p.Retries), r.First())
	for _, u := range r.Busy {
		fmt.Printf("%5.0f %%  %s: a payment waits %s for others there\n", 100*u.Share, u.Name, u.Waiting.Round(10*time.Microsecond))
	}
	if wait, share := r.Wait(*arriving); *arriving < r.PerSecond {
		fmt.Printf("%.1f a second: %.0f %% wait for a worker, %s on average over all\n", *arriving, 100*share, wait.Round(10*time.Microsecond))
	} else {
		fmt.Printf("%.1f a second: more than are made; the rest is ever later\n", *arriving)
	}
}
