// Command results runs the benchmarks and compares them: it prints a table of ratios and writes
// RESULTS.md.
//
//	go run ./results            # runs them; takes about half an hour
//	go run ./results FILE       # reads what an earlier run printed
package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/perf/benchfmt"
)

const (
	runs = 6
	raw  = "results.txt" // what the benchmarks printed, for benchstat
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "results:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	file := raw
	if len(args) == 1 {
		file = args[0]
	} else if err := measure(file); err != nil {
		return err
	}
	printed, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	samples, machine, err := read(printed)
	if err != nil {
		return err
	}
	report := write(samples, machine)
	if before, err := os.ReadFile("RESULTS.md"); err == nil { // what was measured by hand stays
		if at := strings.Index(string(before), "\n## The sandbox's store"); at >= 0 {
			report += string(before[at:])
		}
	}
	fmt.Print(report)
	return os.WriteFile("RESULTS.md", []byte(report), 0o644)
}

// measure runs all benchmarks so many times. The long ones get one turn a run, and the growth of the
// sandbox one run in all.
func measure(file string) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	for _, args := range [][]string{
		{"-bench", "^Benchmark(Get|Post|GetFree|PostFree|Get64|Ledger10k|Approval|Signature|SandboxReads|SandboxTransfers)$", "-count", fmt.Sprint(runs), "-benchtime", "1s"},
		{"-bench", "^BenchmarkLedgerAll$", "-count", fmt.Sprint(runs), "-benchtime", "1x"},
		{"-bench", "^BenchmarkSandboxGrowth$", "-count", "1", "-benchtime", "2s"},
		{"-bench", "^BenchmarkInboxWalk$", "-count", "1", "-benchtime", "1x"},
		{"-bench", "^BenchmarkInboxFeed$", "-count", fmt.Sprint(runs), "-benchtime", "50x"},
		{"-bench", "^BenchmarkReserve$", "-count", "1", "-benchtime", "2s", "./approver"},
	} {
		cmd := exec.Command("go", append([]string{"test", "-run", "^$", "-timeout", "60m"}, args...)...)
		cmd.Stdout, cmd.Stderr = io.MultiWriter(out, os.Stderr), os.Stderr
		if err := cmd.Run(); err != nil {
			return err
		}
	}
	return out.Close()
}

// samples are the figures of each benchmark and unit, over the runs.
type samples map[string]map[string][]float64

func read(printed []byte) (samples, string, error) {
	all, machine := samples{}, ""
	reader := benchfmt.NewReader(bytes.NewReader(printed), raw)
	for reader.Scan() {
		result, ok := reader.Result().(*benchfmt.Result)
		if !ok {
			continue
		}
		machine = result.GetConfig("cpu")
		name := strings.TrimSuffix(string(result.Name.Full()), fmt.Sprintf("-%d", runtime.NumCPU()))
		if all[name] == nil {
			all[name] = map[string][]float64{}
		}
		for _, v := range result.Values {
			all[name][v.Unit] = append(all[name][v.Unit], v.Value)
		}
	}
	return all, machine, reader.Err()
}

func (s samples) median(name, unit string) float64 {
	values := slices.Sorted(slices.Values(s[name][unit]))
	if len(values) == 0 {
		return 0
	}
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

// spread is how far the samples are apart, as a part of their median.
func (s samples) spread(name, unit string) string {
	values := s[name][unit]
	if len(values) < 2 {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", 100*(slices.Max(values)-slices.Min(values))/s.median(name, unit))
}

// comparison is one target: a ratio, or a figure, and what it has to be.
type comparison struct {
	what           string
	top, bottom    string // benchmarks; a figure has no bottom
	unit           string
	limit          float64
	atLeast        bool
	format, target string
	value          func(samples) float64 // where a ratio of two medians will not do
	ifMissed       string                // why, by the profile
}

func ratio(what, top, bottom, unit string, limit float64) comparison {
	return comparison{what: what, top: top, bottom: bottom, unit: unit, limit: limit, format: "%.3f", target: fmt.Sprintf("≤ %.2f", limit)}
}

// heap is how far the heap goes above its start.
func heap(what, name string) comparison {
	return comparison{
		what: what, top: name, unit: "MiB-above-start", limit: 16, format: "%.1f MiB", target: "≤ 16 MiB",
		value: func(s samples) float64 { return slices.Max(append(s[name]["MiB-above-start"], 0)) },
	}
}

func atLeast(c comparison) comparison {
	c.atLeast, c.target = true, fmt.Sprintf("≥ %.2f", c.limit)
	return c
}

func because(c comparison, reason string) comparison {
	c.ifMissed = reason
	return c
}

const second, perSecond = "sec/op", "requests/s"

func comparisons() []comparison {
	list := []comparison{
		ratio("signed GET ÷ limit, time", "Get/qredo", "Get/limit", second, 1.05),
		ratio("signed POST ÷ limit, time", "Post/qredo", "Post/limit", second, 1.05),
		ratio("free-signer GET ÷ generated, time", "GetFree/qredo", "GetFree/generated", second, 0.9),
		ratio("free-signer GET ÷ generated, allocations", "GetFree/qredo", "GetFree/generated", "allocs/op", 0.8),
		because(atLeast(ratio("64 goroutines: calls a second ÷ signatures a second", "Get64/signatures", "Get64/qredo", second, 0.95)),
			"The client and its server share the cores. In a profile of the client, 94 % of the time is in the signature, "+
				"1.3 % in decoding, and the rest in net/http and the kernel; what the server takes of the same cores comes on top."),
		ratio("ledger of 10,000 ÷ generated, time", "Ledger10k/qredo", "Ledger10k/generated", second, 1),
		ratio("ledger of 10,000 ÷ generated, allocations", "Ledger10k/qredo", "Ledger10k/generated", "allocs/op", 0.7),
		heap("LedgerAll over 1,000,000: heap above the start", "LedgerAll"),
		{
			what: "feed message → approval, beyond two signatures", top: "Approval", bottom: "Signature", unit: second, limit: 1e-3,
			format: "%.5f s", target: "≤ 1 ms",
			value: func(s samples) float64 { return s.median("Approval", second) - 2*s.median("Signature", second) },
		},
		atLeast(ratio("sandbox: signed reads a second ÷ verifications a second", "SandboxReads/clients=64", "SandboxReads/verifications", perSecond, 0.4)),
	}
	for _, request := range []string{"wallet", "ledger", "tx", "transfer"} {
		name := "SandboxGrowth/" + request + "/transactions="
		list = append(list, ratio("sandbox: "+request+" at 1,000,000 transactions ÷ at 1,000, time", name+"1000000", name+"1000", second, 1.5))
	}
	for _, store := range []string{"file", "postgres"} {
		list = append(list, heap("inbox: a ledger of 1,000,000, "+store+": heap above the start", "InboxWalk/"+store))
	}
	list = append(list, comparison{
		what: "inbox: deposit → handler, with the wallets feed", top: "InboxFeed", unit: second, limit: 0.1, format: "%.3f s", target: "≤ 100 ms",
		value: func(s samples) float64 { return s.median("InboxFeed", second) },
	})
	for _, store := range []string{"memory", "file", "redis", "postgres"} {
		name := "Reserve/" + store + "/payments="
		list = append(list, ratio("approver: a decision with 1,000,000 payments in the window ÷ with 1,000, "+store, name+"1000000", name+"1000", second, 1.5))
	}
	return list
}

func write(s samples, machine string) string {
	var b strings.Builder
	commit, _ := exec.Command("git", "rev-parse", "--short", "HEAD").Output() // absent outside a checkout
	fmt.Fprintf(&b, "# Results\n\nMeasured on %s, %d cores, %s, %s/%s, commit %s, %s. Medians of %d runs (growth: one\nrun); spread is the distance of the farthest runs. `make bench` measures again.\n\n",
		machine, runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH, strings.TrimSpace(string(commit)), time.Now().UTC().Format("2006-01-02"), runs)
	b.WriteString("| what | measured | target | met | spread |\n|---|---|---|---|---|\n")
	var missed []string
	for _, c := range comparisons() {
		value := 0.0
		if c.value != nil {
			value = c.value(s)
		} else if bottom := s.median(c.bottom, c.unit); bottom != 0 {
			value = s.median(c.top, c.unit) / bottom
		}
		met := value <= c.limit
		if c.atLeast {
			met = value >= c.limit
		}
		spread := s.spread(c.top, c.unit)
		if c.bottom != "" {
			spread += ", " + s.spread(c.bottom, c.unit)
		}
		if !met {
			missed = append(missed, "Missed: "+c.what+". "+cmp.Or(c.ifMissed, "The runs lie apart by "+spread+"."))
		}
		fmt.Fprintf(&b, "| %s | "+c.format+" | %s | %s | %s |\n", c.what, value, c.target, map[bool]string{true: "yes", false: "**no**"}[met], spread)
	}
	for _, reason := range missed {
		b.WriteString("\n" + reason + "\n")
	}
	b.WriteString("\n## Figures behind them\n\n| benchmark | time | allocations | requests a second |\n|---|---|---|---|\n")
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range s {
			if !yield(name) {
				return
			}
		}
	}) {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, duration(s.median(name, second)), count(s, name, "allocs/op"), count(s, name, perSecond))
	}
	return b.String()
}

func duration(seconds float64) string {
	return time.Duration(seconds * 1e9).Round(10 * time.Nanosecond).String()
}

func count(s samples, name, unit string) string {
	if len(s[name][unit]) == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f", s.median(name, unit))
}
