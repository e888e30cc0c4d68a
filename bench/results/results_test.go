package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// RESULTS.md is what results makes of what is kept: go run ./results report writes it.
func TestReport(t *testing.T) {
	t.Chdir("..")
	want, err := report()
	require.NoError(t, err)
	got, err := os.ReadFile(reportFile)
	require.NoError(t, err)
	assert.Equal(t, want, string(got))
}

// printed is what a run keeps, with turns of two benchmarks whose times are factors apart.
func printed(turns int, a, b func(turn int) float64) string {
	text := "cores: 2\nturns: 3\n\n"
	for i := range turns {
		text += fmt.Sprintf("BenchmarkA/x-2 100 %f ns/op 80 allocs/op\nBenchmarkA/y#0%d-2 100 %f ns/op 100 allocs/op\n", a(i), i, b(i))
	}
	return text
}

func judged(t *testing.T, text string, r row) verdict {
	t.Helper()
	m, err := parse([]byte(text))
	require.NoError(t, err)
	v, ok := m.judge(r)
	require.True(t, ok)
	return v
}

func TestJudge(t *testing.T) {
	faster := ratio("a by b", "A/x", "A/y", second, 0.9, "why")
	steady := func(ns float64) func(int) float64 { return func(int) float64 { return ns } }
	drifting := func(ns float64) func(int) float64 { return func(i int) float64 { return ns * (1 + float64(i)*0.05) } } // both alike
	jumping := func(ns float64) func(int) float64 { return func(i int) float64 { return ns * (1 + float64(i%2)*0.3) } }
	tests := []struct {
		name string
		text string
		row  row
		want string
	}{
		{"met", printed(8, steady(80), steady(100)), faster, "yes"},
		{"missed", printed(8, steady(95), steady(100)), faster, "**no**"},
		{"pairs hide what drifts", printed(20, drifting(80), drifting(100)), faster, "yes"},
		{"noise", printed(8, jumping(80), jumping(100)), faster, "not judged: noise 26 %"},
		{"noise of one of them", printed(8, steady(80), jumping(100)), faster, "not judged: noise 26 %"},
		{"nearly met", printed(8, func(i int) float64 { return 88 + float64(i%2)*4 }, steady(100)), faster, "yes?"},
		{"nearly missed", printed(9, func(i int) float64 { return 92 - float64(i%2)*4 }, steady(100)), faster, "**no**?"},
		{"too few", printed(2, steady(80), steady(100)), faster, "not judged: turns: 2"},
		{"at least", printed(8, steady(80), steady(100)), atLeast(faster), "**no**"},
		{"at least, met", printed(8, steady(100), steady(100)), atLeast(faster), "yes"},
		{"a figure", printed(8, steady(80), steady(100)), figure("a", "A/x", allocations, 80, "%.0f", "why"), "yes"},
		{"no target", printed(8, steady(80), steady(100)), atLeast(ratio("a", "A/x", "A/y", second, 0, "")), "–"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, judged(t, tt.text, tt.row).text) })
	}
	costs := "cores: 2\n\nBenchmarkC-2 1 5 ns/op 1 %cost\nBenchmarkC-2 1 5 ns/op 2 %cost\nBenchmarkC-2 1 5 ns/op 1.5 %cost\n"
	cost := figure("c", "C", "%cost", 3, "%.1f", "why")
	assert.Equal(t, "yes", judged(t, costs, cost).text)
	assert.Equal(t, "not judged: noise 6 %", judged(t, costs+"BenchmarkC-2 1 5 ns/op -10 %cost\n", cost).text)
	v := judged(t, printed(8, steady(2e6), steady(5e5)), row{top: "A/x", less: "A/y", unit: second, limit: 1, scale: 1e3})
	assert.InEpsilon(t, 1.0, v.value, 1e-9, "what the top has more than twice the other, in ms")
	uneven := "cores: 2\n\nBenchmarkM/1-2 1 10 ns/op\nBenchmarkM/1-2 1 30 ns/op\nBenchmarkM/1-2 1 20 ns/op\nBenchmarkM/9-2 1 40 ns/op\n"
	assert.InEpsilon(t, 2.0, judged(t, uneven, ratio("", "M/9", "M/1", second, 1, "")).value, 1e-9, "by the median of more turns")
	m, err := parse([]byte(printed(8, steady(1), steady(1))))
	require.NoError(t, err)
	_, ok := m.judge(ratio("", "A/x", "nothing", second, 1, ""))
	assert.False(t, ok)
	assert.Contains(t, m.table([]row{ratio("what is not there", "A/x", "nothing", second, 1, "")}), "Not measured in this run: what is not there.")
}

// The interval of the median by signs, from a table of the binomial distribution.
func TestInterval(t *testing.T) {
	numbers := func(n int) (list []float64) {
		for i := range n {
			list = append(list, float64(i+1))
		}
		return list
	}
	for n, want := range map[int][2]float64{1: {1, 1}, 5: {1, 5}, 6: {1, 6}, 8: {1, 8}, 9: {2, 8}, 12: {3, 10}, 20: {6, 15}, 30: {10, 21}} {
		from, to := interval(numbers(n))
		assert.Equal(t, want, [2]float64{from, to}, "%d samples", n)
	}
}

// Each target that can be missed has a text that says why.
func TestReasons(t *testing.T) {
	names := map[string]bool{}
	for _, r := range append(targets(true), growth()...) {
		assert.False(t, names[r.what], "%s: there twice", r.what)
		names[r.what] = true
		if r.limit > 0 {
			assert.True(t, strings.HasSuffix(r.ifMissed, "."), "%s: %q", r.what, r.ifMissed)
		}
	}
}

// What is measured again replaces what the same benchmarks said, and nothing else.
func TestAgain(t *testing.T) {
	before := "goos: linux\nBenchmarkCurve/file/payments=1000-2 1 5 ns/op\nBenchmarkReserve/file-2 1 6 ns/op\nPASS\n"
	assert.Equal(t, "BenchmarkCurve/file/payments=1000-2 1 5 ns/op\n", without(before, "BenchmarkReserve/redis-2 1 9 ns/op\nPASS\n"))
	m, err := parse([]byte("cores: 2\nagain: approver\n\n" + before))
	require.NoError(t, err)
	assert.Contains(t, m.about(), "Again: approver.")
	assert.Equal(t, []float64{5e-9}, m.samples["Curve/file/payments=1000"][second])
}
