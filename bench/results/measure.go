package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo/bench/machine"
)

// group is a set of benchmarks that one program runs, one at a time.
type group struct {
	folder string // of the package
	bench  string // pattern
	time   string // -benchtime
	turns  int    // how many times it is run; 0 for as often as there is time
	limit  time.Duration
	args   []string
}

// compared are the benchmarks of targets. Those that run as often as there is time come last: each turn runs all of them
// next to each other, so that drift affects all alike.
func compared() []group {
	return []group{
		{folder: ".", bench: "^BenchmarkSandboxGrowth$", time: "100ms", turns: 1, limit: 4 * time.Minute},
		{folder: ".", bench: "^BenchmarkLedgerAll$", time: "1x", turns: 3, limit: time.Minute},
		{folder: ".", bench: "^BenchmarkInboxFeed$", time: "10x", turns: 3, limit: time.Minute},
		{folder: ".", bench: "^Benchmark(Load64|FreePair|Signers|SignedCalls)$", time: "8x", turns: 3, limit: 2 * time.Minute},
		{folder: ".", bench: "^Benchmark(Get|GetFree)$", time: "250ms", limit: time.Minute},
		{folder: ".", bench: "^Benchmark(Post|PostFree|Approval|Signature)$", time: "250ms", limit: time.Minute},
		{folder: ".", bench: "^Benchmark(Ledger10k|History10k)$", time: "300ms", limit: time.Minute},
		{folder: ".", bench: "^Benchmark(SandboxReads|SandboxTransfers)$", time: "200ms", limit: time.Minute},
		{folder: ".", bench: "^BenchmarkSandboxLog$", time: "4x", limit: 2 * time.Minute},
	}
}

func curves(million bool) []group {
	more := []string{"-most", "100000"}
	if million {
		more[1] = "1000000"
	}
	return []group{
		{folder: "outbox", bench: "^BenchmarkCurve$", time: "1x", turns: 1, limit: time.Hour, args: more},
		{folder: "approver", bench: "^BenchmarkReserve$", time: "200x", turns: 1, limit: 20 * time.Minute, args: []string{"-most", "1000000"}},
		{folder: ".", bench: "^BenchmarkInboxCurve$", time: "1x", turns: 1, limit: time.Hour, args: more},
	}
}

// measure runs groups until a time is over, and writes their output to a file, with the machine at the top.
func measure(file, only string, groups []group, long time.Duration) error {
	if only != "" {
		groups = slices.DeleteFunc(groups, func(g group) bool { return g.folder != only })
	}
	began := time.Now()
	until := began.Add(long)
	disk, err := machine.DiskOf(os.TempDir()) // where the benchmarks have their stores
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	binaries := map[string]string{}
	for _, g := range groups {
		if binaries[g.folder] != "" {
			continue
		}
		binary := filepath.Join(folder, filepath.Base(g.folder)+".test")
		if out, err := exec.Command("go", "test", "-c", "-o", binary, "./"+g.folder).CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		binaries[g.folder] = binary
	}
	watch := machine.Begin()
	var printed bytes.Buffer
	problems := ""
	turn := func(g group) time.Duration {
		from := time.Now()
		if err := g.run(binaries[g.folder], min(g.limit, time.Until(until)+30*time.Second), &printed); err != nil {
			problems += fmt.Sprintf("problem: %s %s: %s\n", g.folder, g.bench, err)
			fmt.Fprintln(os.Stderr, g.bench, err)
		}
		return time.Since(from)
	}
	var paired []group
	for _, g := range groups {
		if g.turns == 0 {
			paired = append(paired, g)
		}
		for range g.turns {
			if time.Now().Before(until) {
				turn(g)
			}
		}
	}
	turns, longest := 0, time.Duration(0)
	for ; len(paired) > 0 && time.Until(until) > longest; turns++ {
		took := time.Duration(0)
		for _, g := range paired {
			took += turn(g)
		}
		longest = max(longest, took)
	}
	noise := watch.End()
	commit, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		commit = []byte("unknown")
	}
	meanwhile := fmt.Sprintf("load %s to %s; other programs (PostgreSQL of the benchmarks too) used %.0f %% of the cores, the host took %.0f %%", noise.LoadBefore, noise.LoadAfter, 100*noise.Others, 100*noise.Steal)
	head := fmt.Sprintf(`on: %s
commit: %s
processor: %s
ifma: %t
cores: %d
goversion: %s
system: %s/%s
disk: %s
turns: %d
took: %s
noise: %s
`, began.UTC().Format("2006-01-02"), strings.TrimSpace(string(commit)), machine.Processor(), machine.HasIFMA(), runtime.NumCPU(), runtime.Version(),
		runtime.GOOS, runtime.GOARCH, disk, turns, time.Since(began).Round(time.Second), meanwhile)
	kept := ""
	if only != "" {
		before, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		top, rest, _ := strings.Cut(string(before), "\n\n")
		top += "\n"
		for line := range strings.SplitSeq(top, "\n") { // what could not be measured in that run
			if strings.HasPrefix(line, "problem: "+only+" ") {
				top = strings.Replace(top, line+"\n", "", 1)
			}
		}
		head = top + fmt.Sprintf("again: %s on %s at commit %s: %s\n", only, began.UTC().Format("2006-01-02"), strings.TrimSpace(string(commit)), meanwhile)
		kept = without(rest, printed.String())
	}
	return os.WriteFile(file, []byte(head+problems+"\n"+kept+printed.String()), 0o644)
}

// without returns the earlier output, except for benchmarks that were run again.
func without(before, now string) (kept string) {
	again := map[string]bool{}
	for line := range strings.SplitSeq(now, "\n") {
		again[benchmark(line)] = true
	}
	for line := range strings.SplitAfterSeq(before, "\n") {
		if name := benchmark(line); name != "" && !again[name] {
			kept += line
		}
	}
	return kept
}

// benchmark returns the name of the function that printed a line, if one did.
func benchmark(line string) string {
	if !strings.HasPrefix(line, "Benchmark") {
		return ""
	}
	name, _, _ := strings.Cut(line, "/")
	name, _, _ = strings.Cut(name, "-")
	return name
}

// run runs a group once.
func (g group) run(binary string, limit time.Duration, out io.Writer) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, append([]string{
		"-test.run", "^$", "-test.bench", g.bench, "-test.benchtime", g.time, "-test.timeout", (limit - time.Second).String(),
	}, g.args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = g.folder, io.MultiWriter(out, os.Stderr), os.Stderr
	cmd.WaitDelay = 10 * time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		return errors.New("it took longer than " + limit.Round(time.Second).String())
	}
	return err
}
