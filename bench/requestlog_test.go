package bench

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/qredo-go/qredo/sandbox"
)

// BenchmarkSandboxLog tells what the log of requests costs signed reads: rounds of two sandboxes by turns, one with
// the log, full as it is after an hour, and one without. The figure is of the middle round, in hundredths.
func BenchmarkSandboxLog(b *testing.B) {
	const round = 500
	banks := []*bank{openBank(b), openBank(b, sandbox.WithoutRequestLog())}
	reads := make([][]byte, len(banks))
	conns := make([]connection, len(banks))
	for i, k := range banks {
		reads[i], conns[i] = k.request(b, http.MethodGet, "/wallet/"+string(k.from.ID), ""), dial(b, k.srv.URL())
		defer conns[i].Close()
		for range 11_000 {
			check(b, conns[i].send(reads[i]))
		}
	}
	var costs []float64
	for b.Loop() {
		var took [2]time.Duration
		for n := range 2 * 2 { // with, without, without, with: what drifts hits both
			i := []int{0, 1, 1, 0}[n]
			began := time.Now()
			for range round {
				check(b, conns[i].send(reads[i]))
			}
			took[i] += time.Since(began)
		}
		costs = append(costs, 100*(float64(took[0])/float64(took[1])-1))
	}
	slices.Sort(costs)
	b.ReportMetric(costs[len(costs)/2], "%cost")
	b.Log(fmt.Sprintf("rounds %d, from %.1f to %.1f", len(costs), costs[0], costs[len(costs)-1]))
}
