package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/qredo-go/qredo/bench/machine"
	"github.com/qredo-go/qredo/sandbox"
)

// BenchmarkSandboxLog tells what the log of requests costs signed reads: rounds of two sandboxes by turns, one with
// the log, full as it is after an hour, one without, and one with it that a console listens to. The figures are of the middle round, in
// hundredths of the processor's time, which others on the machine change less than the clock's: with what sends the reads and, of the
// third, what listens.
func BenchmarkSandboxLog(b *testing.B) {
	const round = 500
	banks := []*bank{openBank(b), openBank(b, sandbox.WithoutRequestLog()), openBank(b)}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	listen, err := http.NewRequestWithContext(ctx, http.MethodGet, banks[2].srv.URL()+"/sandbox/v1/live", nil)
	check(b, err)
	live, err := http.DefaultClient.Do(listen)
	check(b, err)
	defer live.Body.Close()
	if live.StatusCode != http.StatusOK {
		b.Fatal(live.Status)
	}
	go func() { _, _ = io.Copy(io.Discard, live.Body) }() // until the benchmark ends
	reads := make([][]byte, len(banks))
	conns := make([]connection, len(banks))
	for i, k := range banks {
		reads[i], conns[i] = k.request(b, http.MethodGet, "/wallet/"+string(k.from.ID), ""), dial(b, k.srv.URL())
		defer conns[i].Close()
		for range 11_000 {
			check(b, conns[i].send(reads[i]))
		}
	}
	var costs [2][]float64
	for b.Loop() {
		var took [3]time.Duration
		for _, i := range []int{0, 1, 2, 2, 1, 0} { // what drifts hits all
			began := machine.Self()
			for range round {
				check(b, conns[i].send(reads[i]))
			}
			took[i] += machine.Self() - began
		}
		costs[0] = append(costs[0], 100*(float64(took[0])/float64(took[1])-1))
		costs[1] = append(costs[1], 100*(float64(took[2])/float64(took[1])-1))
	}
	for i, unit := range []string{"%cost", "%console"} {
		slices.Sort(costs[i])
		b.ReportMetric(costs[i][len(costs[i])/2], unit)
		b.Log(fmt.Sprintf("%s: rounds %d, from %.1f to %.1f", unit, len(costs[i]), costs[i][0], costs[i][len(costs[i])-1]))
	}
}
