package bench

import (
	"testing"

	"github.com/qredo-go/qredo/bench/machine"
)

// processor reports what this program alone has used of the processors for each operation, which does not grow with what other programs
// do as time by the clock does. It is called at the end.
func processor(b *testing.B) (end func()) {
	b.Helper()
	before := machine.Self()
	return func() { b.ReportMetric(float64(machine.Self()-before)/float64(b.N), "cpu-ns/op") }
}
