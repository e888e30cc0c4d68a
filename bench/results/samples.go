package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// measured is the results of a run.
type measured struct {
	head     map[string]string // what it was measured on
	problems []string
	again    []string // what was measured later than the rest
	samples
}

// samples are the figures of each benchmark and unit, in the order of measurement.
type samples map[string]map[string][]float64

func readRun(file string) (measured, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return measured{}, err
	}
	return parse(data)
}

// again is what package testing appends to the name of a benchmark that it has run before.
var again = regexp.MustCompile(`#\d+`)

func parse(data []byte) (measured, error) {
	m := measured{head: map[string]string{}, samples: samples{}}
	top, rest, _ := strings.Cut(string(data), "\n\n")
	for line := range strings.SplitSeq(top, "\n") {
		switch name, value, _ := strings.Cut(line, ": "); name {
		case "problem":
			m.problems = append(m.problems, value)
		case "again":
			m.again = append(m.again, value)
		default:
			m.head[name] = value
		}
	}
	reader := benchfmt.NewReader(bytes.NewReader([]byte(rest)), "results")
	for reader.Scan() {
		result, ok := reader.Result().(*benchfmt.Result)
		if !ok {
			continue
		}
		name := strings.TrimSuffix(string(result.Name.Full()), "-"+m.head["cores"])
		name = again.ReplaceAllString(name, "")
		if m.samples[name] == nil {
			m.samples[name] = map[string][]float64{}
		}
		for _, v := range result.Values {
			m.samples[name][v.Unit] = append(m.samples[name][v.Unit], v.Value)
		}
	}
	m.samples.addWork()
	return m, reader.Err()
}

// addWork adds up the processor use of program and server, for benchmarks that measure their server.
func (s samples) addWork() {
	for _, units := range s {
		for i, own := range units["cpu-sec/item"] {
			if server := units["server-sec/item"]; i < len(server) {
				own += server[i]
			}
			units[work] = append(units[work], own)
		}
	}
}

// each returns the samples of one benchmark, or the ratios of two: each turn's top by its bottom. If one had more turns,
// as few items have compared with many, it divides by the bottom's median.
func (s samples) each(top, bottom, unit string) []float64 {
	values := s[top][unit]
	if bottom == "" {
		return values
	}
	by := s[bottom][unit]
	if len(values) == 0 || len(by) == 0 {
		return nil
	}
	if len(by) != len(values) {
		by = slices.Repeat([]float64{median(by)}, len(values))
	}
	ratios := make([]float64, len(values))
	for i := range ratios {
		if ratios[i] = values[i] / by[i]; by[i] == 0 {
			ratios[i] = 0
		}
	}
	return ratios
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// interval is the range that contains the true median in 95 of 100 runs, by the sign test, which makes no assumption
// about the distribution of samples. With fewer than six samples it is the range from the least to the most, without that
// guarantee.
func interval(values []float64) (from, to float64) {
	n := len(values)
	if n == 0 {
		return 0, 0
	}
	sorted := slices.Sorted(slices.Values(values))
	cut, below, term := 0, 0.0, math.Pow(0.5, float64(n))
	for k := 0; ; k++ {
		if below += term; below > 0.025 {
			break
		}
		cut = k + 1
		term *= float64(n-k) / float64(k+1)
	}
	cut = max(0, cut-1)
	return sorted[cut], sorted[n-1-cut]
}

// noise is how much a benchmark varies: the median difference between one turn and the one before.
func (s samples) noise(name, unit string) float64 {
	values := s[name][unit]
	var steps []float64
	for i := 1; i < len(values); i++ {
		if values[i] > 0 && values[i-1] > 0 {
			steps = append(steps, math.Abs(math.Log(values[i]/values[i-1])))
		}
	}
	return median(steps)
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }
