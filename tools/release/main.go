// Release makes the files of a release, twice, and compares them: make release VERSION=0.2.0. docs/releasing.md says what they are.
//
//	go run . -version 0.2.0    makes a release in dist
//	go run . -trial            does all of it with the last commit, and keeps nothing
//	go run . -licences         checks the licences of all that is imported
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

var platforms = []string{"darwin/amd64", "darwin/arm64", "linux/amd64", "linux/arm64", "windows/amd64", "windows/arm64"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	version := flags.String("version", "", "version to release, such as 0.2.0")
	out := flags.String("out", "dist", "folder for the files, below the repository's; what is in it is removed")
	on := flags.String("platforms", strings.Join(platforms, ","), "what to build for")
	trial := flags.Bool("trial", false, "make the files of the last commit, whatever its version, compare them, and keep none")
	licences := flags.Bool("licences", false, "only check licences")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("what is %q? See -help", flags.Arg(0))
	}
	e, err := newEnvironment(ctx)
	if err != nil {
		return err
	}
	repository, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	if *licences {
		return e.checkLicences(ctx, repository)
	}
	began := time.Now()
	r := release{environment: e, repository: repository, version: *version, platforms: strings.Split(*on, ","), trial: *trial}
	if !*trial {
		if err := replaceable(repository, *out); err != nil {
			return err
		}
	}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	if err := r.make(ctx, filepath.Join(repository, *out)); err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "It took %s.\n", time.Since(began).Round(time.Second))
	return nil
}

// replaceable refuses a folder for a release's files, all of which are removed first, if something else is in it.
func replaceable(repository, out string) error {
	if !filepath.IsLocal(out) || filepath.Clean(out) == "." {
		return fmt.Errorf("-out %s: give a folder below the repository's", out)
	}
	dir := filepath.Join(repository, out)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	release := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == "SHA256SUMS" })
	if len(entries) > 0 && !release {
		return fmt.Errorf("-out: %s is not empty, and is no release (it has no SHA256SUMS): remove it, or give another folder", dir)
	}
	return nil
}

func (e environment) checkLicences(ctx context.Context, repository string) error {
	ship, err := e.shipped(ctx, repository, platforms)
	if err != nil {
		return err
	}
	others, err := e.others(ctx, repository, ship)
	if err != nil {
		return err
	}
	return printLicences(os.Stdout, ship, others)
}
