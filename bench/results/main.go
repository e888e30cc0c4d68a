// Command results runs the benchmarks, compares what belongs together, and writes RESULTS.md.
//
//	go run ./results            # what clients, sandbox and approver take: 15 minutes
//	go run ./results curves     # what outbox, inbox and approver take with more and more to do
//	go run ./results -only approver curves   # again, only the named one, whose earlier figures are replaced
//	go run ./results report     # writes RESULTS.md again, from the last measurements
//
// The measurements are kept in results/bench.txt and results/curves.txt, in the format of Go's benchmarks, with the machine at
// the top. RESULTS.md is made of these two, and of results/by-hand.md.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"time"
)

const (
	benchFile  = "results/bench.txt"
	curvesFile = "results/curves.txt"
	handFile   = "results/by-hand.md"
	reportFile = "RESULTS.md"
)

func main() {
	long := flag.Duration("for", 0, "how long to measure (default 14m for what is compared, 50m for curves)")
	million := flag.Bool("million", false, "have all curves go up to 1,000,000")
	only := flag.String("only", "", "measure the benchmarks of one folder only, and keep what else there is")
	flag.Parse()
	if err := run(flag.Arg(0), *only, *long, *million); err != nil {
		fmt.Fprintln(os.Stderr, "results:", err)
		os.Exit(1)
	}
}

func run(what, only string, long time.Duration, million bool) (err error) {
	switch what {
	case "":
		err = measure(benchFile, only, compared(), orElse(long, 14*time.Minute)) // a minute is for building
	case "curves":
		err = measure(curvesFile, only, curves(million), orElse(long, 50*time.Minute))
	case "report":
	default:
		err = fmt.Errorf("%q: nothing, curves or report", what)
	}
	if err != nil {
		return err
	}
	text, err := report()
	if err != nil {
		return err
	}
	fmt.Print(text)
	return os.WriteFile(reportFile, []byte(text), 0o644)
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}

// report is the content of RESULTS.md, from the available results.
func report() (string, error) {
	bench, err := readRun(benchFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	curves, err := readRun(curvesFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	hand, err := os.ReadFile(handFile)
	if err != nil {
		return "", err
	}
	return write(bench, curves, string(hand)), nil
}
