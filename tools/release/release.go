package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// release is the making of a release.
type release struct {
	environment
	repository, version string
	platforms           []string
	trial               bool
	commit, notes       string
	at                  time.Time // of the commit
}

var (
	versionForm  = regexp.MustCompile(`^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?$`)
	versionConst = regexp.MustCompile(`(?m)^const Version = "([^"]*)"$`)
	newestGo     = regexp.MustCompile(`(?m)^newer=(go[0-9.]+)$`)
)

// prepare finds out what is released, and refuses what should not be.
func (r *release) prepare(ctx context.Context) error {
	for _, p := range r.platforms {
		if !slices.Contains(platforms, p) {
			return fmt.Errorf("-platforms: %q is not one of %s", p, strings.Join(platforms, ", "))
		}
	}
	var err error
	if r.commit, err = r.git(ctx, "rev-parse", "HEAD"); err != nil {
		return err
	}
	date, err := r.git(ctx, "-c", "log.showSignature=false", "show", "-s", "--format=%cI", r.commit)
	if err != nil {
		return err
	}
	if r.at, err = time.Parse(time.RFC3339, date); err != nil {
		return err
	}
	ci, err := r.git(ctx, "cat-file", "blob", r.commit+":.ci/run")
	if err != nil {
		return err
	}
	if want := newestGo.FindStringSubmatch(ci); want == nil {
		return errors.New(".ci/run does not say which version of Go is the newer one")
	} else if want[1] != runtime.Version() {
		return fmt.Errorf("this is %s, but releases are made with %s, as .ci/run says. Run it by make release", runtime.Version(), want[1])
	}
	client, err := r.git(ctx, "cat-file", "blob", r.commit+":client.go")
	if err != nil {
		return err
	}
	said := versionConst.FindStringSubmatch(client)
	if said == nil {
		return errors.New("client.go has no Version")
	}
	if r.trial {
		r.version = said[1]
		fmt.Fprintf(os.Stdout, "A trial with commit %.12s, whatever has changed since.\n", r.commit)
		return nil
	}
	changelog, err := r.git(ctx, "cat-file", "blob", r.commit+":CHANGELOG.md")
	if err != nil {
		return err
	}
	changes, err := r.git(ctx, "status", "--porcelain")
	if err != nil {
		return err
	}
	tagged, err := r.git(ctx, "for-each-ref", "--format=%(objectname) %(*objectname)", "refs/tags/v"+r.version)
	if err != nil {
		return err
	}
	r.notes, err = releasable(r.version, said[1], changelog, changes)
	if tagged != "" && !strings.Contains(tagged, r.commit) {
		err = errors.Join(err, fmt.Errorf("there is a tag v%s of another commit", r.version))
	}
	return err
}

func (r *release) git(ctx context.Context, args ...string) (string, error) {
	return r.text(ctx, r.repository, "git", args...)
}

// releasable says why a version cannot be released, or what is new in it.
func releasable(version, inClient, changelog, changes string) (notes string, err error) {
	if !versionForm.MatchString(version) {
		return "", fmt.Errorf("%q is no version; one is 0.2.0: make release VERSION=0.2.0", version)
	}
	if version != inClient {
		err = errors.Join(err, fmt.Errorf("client.go has Version %s, not %s", inClient, version))
	}
	if changes != "" {
		err = errors.Join(err, fmt.Errorf("commit or remove what has changed first:\n%s", changes))
	}
	heading := regexp.MustCompile(`(?m)^## \[` + regexp.QuoteMeta(version) + `\].*\n`).FindStringIndex(changelog)
	if heading == nil {
		return "", errors.Join(err, fmt.Errorf("CHANGELOG.md has no section [%s]", version))
	}
	notes, _, _ = strings.Cut(changelog[heading[1]:], "\n## ")
	return strings.TrimSpace(notes) + "\n", err
}

// make makes all files twice, from two clones, the second time with nothing that was compiled before. If all are the same, it puts them into out.
func (r *release) make(ctx context.Context, out string) error {
	dir, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	tools := filepath.Join(dir, "cyclonedx-gomod")
	if _, err := r.output(ctx, ".", "go", "build", "-trimpath", "-buildvcs=false", "-o", tools, "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod"); err != nil {
		return err
	}
	var made []map[string][]byte
	for i, place := range []struct{ folder, zone string }{{"1", "UTC"}, {"the second time", "Asia/Kolkata"}} {
		began := time.Now()
		s := stage{release: r, dir: filepath.Join(dir, place.folder), sbomTool: tools}
		s.environment = r.with(s.own(place.zone))
		if i > 0 {
			s.environment["GOCACHE"] = filepath.Join(s.dir, "cache")
		}
		files, err := s.make(ctx)
		if err != nil {
			return err
		}
		made = append(made, files)
		fmt.Fprintf(os.Stdout, "Made %d files in %s.\n", len(files), time.Since(began).Round(time.Second))
	}
	if err := same(made[0], made[1]); err != nil {
		return err
	}
	files := made[0]
	files["SHA256SUMS"] = sums(files)
	if r.trial {
		printSizes(os.Stdout, files)
		return nil
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil { //nolint:gosec // they are for everybody
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(out, name), files[name], readable); err != nil { //nolint:gosec // they are for everybody
			return err
		}
	}
	printSizes(os.Stdout, files)
	return nil
}

// same says which files are not the same.
func same(a, b map[string][]byte) error {
	var differ []error
	names := slices.Concat(slices.Collect(maps.Keys(a)), slices.Collect(maps.Keys(b)))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		first, ok := a[name]
		second, again := b[name]
		switch {
		case ok != again:
			differ = append(differ, fmt.Errorf("%s: was made only once", name))
		case !bytes.Equal(first, second):
			differ = append(differ, fmt.Errorf("%s: the second time it is not the same: %d bytes, then %d", name, len(first), len(second)))
		}
	}
	return errors.Join(differ...)
}

// sums are the files' checksums, in the form that sha256sum reads.
func sums(files map[string][]byte) []byte {
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&out, "%x  %s\n", sha256.Sum256(files[name]), name)
	}
	return out.Bytes()
}

func printSizes(w io.Writer, files map[string][]byte) {
	fmt.Fprintln(w, "All were the same, byte by byte:")
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(w, "%10d  %s\n", len(files[name]), name)
	}
}
