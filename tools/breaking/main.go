// Breaking compares what the packages here export with what they exported in another commit, says which of the changes break programs, and
// fails if CHANGELOG.md does not name one that does:
//
//	go -C tools run ./breaking            # since the last tag
//	go -C tools run ./breaking -base REF  # since REF
//
// What the type checker does not see counts too: the constraints of generic functions, and the tags of exported fields. Version may change its value.
//
// Before version 1.0.0 a minor version may break programs, if the section of CHANGELOG.md that is above the last version has a part
// "### Breaking" with each name, as this program prints it. A patch version may not, and after 1.0.0 nothing may.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/semver"
)

func main() {
	base := flag.String("base", "", "the commit to compare with (default: the tag of the last version)")
	dir := flag.String("dir", "", "a folder of the repository (default: this one)")
	flag.Parse()
	if err := run(os.Stdout, *dir, *base); err != nil {
		fmt.Fprintln(os.Stderr, "breaking:", err)
		os.Exit(1)
	}
}

// modules are those that others import. One that the base does not have is new.
var modules = []string{".", "otelqredo"}

func run(out io.Writer, dir, base string) error {
	root, err := git(dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	if base == "" {
		if base, err = released(root, "HEAD"); err != nil {
			return err
		}
		if base == "" {
			fmt.Fprintln(out, "There is no tag such as v0.1.0 to compare with: nothing was compared. Give a commit with -base.")
			return nil
		}
	}
	changelog, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	breaks, err := compare(out, root, base)
	if err != nil {
		return err
	}
	last, err := released(root, base)
	if err != nil {
		return err
	}
	var unlisted []error
	rule := allowed(string(changelog), cmp.Or(last, "v0.0.0"))
	for _, b := range breaks {
		if err := rule(b); err != nil {
			unlisted = append(unlisted, err)
		}
	}
	return errors.Join(unlisted...)
}

// compare prints the changes since a commit, and returns the names of what breaks programs.
func compare(out io.Writer, root, base string) (breaks []string, err error) {
	before, err := os.MkdirTemp("", "breaking-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(before)) }()
	if err := extract(root, base, before); err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "Compared with %s.\n", base)
	changed := false
	for _, module := range modules {
		was, err := load(filepath.Join(before, module))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", base, err)
		}
		is, err := load(filepath.Join(root, module))
		if err != nil {
			return nil, err
		}
		found, breaking := report(was, is)
		for _, line := range found {
			fmt.Fprintln(out, line)
		}
		changed = changed || len(found) > 0
		breaks = append(breaks, breaking...)
	}
	if !changed {
		fmt.Fprintln(out, "Nothing has changed.")
	}
	return breaks, nil
}

// extract writes the files of a commit to a folder. What is not committed, and the repository itself, it leaves alone.
func extract(root, ref, to string) error {
	commit, err := git(root, "rev-parse", "--verify", "--end-of-options", ref+"^{commit}")
	if err != nil {
		return fmt.Errorf("%s: %w", ref, err)
	}
	archive := exec.Command("git", "-C", root, "archive", "--format=tar", commit)
	unpack := exec.Command("tar", "-x", "-f", "-", "-C", to)
	var said strings.Builder
	archive.Stderr, unpack.Stderr = &said, &said
	pipe, err := archive.StdoutPipe()
	if err != nil {
		return err
	}
	unpack.Stdin = pipe
	if err := errors.Join(unpack.Start(), archive.Run(), unpack.Wait()); err != nil {
		return fmt.Errorf("git archive %s: %w: %s", ref, err, strings.TrimSpace(said.String()))
	}
	return nil
}

// released is the tag of the last version that a commit contains, or "". Versions before a release, such as v0.2.0-rc.1, and tags that only look
// like a version do not count.
func released(root, ref string) (string, error) {
	tags, err := git(root, "tag", "--list", "v*", "--merged", ref)
	if err != nil {
		return "", err
	}
	last := ""
	for _, tag := range strings.Fields(tags) {
		if semver.Canonical(tag) == tag && semver.Prerelease(tag) == "" && semver.Compare(tag, last) > 0 {
			last = tag
		}
	}
	return last, nil
}

func git(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	var said strings.Builder
	cmd.Stderr = &said
	text, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(said.String()))
	}
	return strings.TrimSpace(string(text)), nil
}
