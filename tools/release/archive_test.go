package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

var someTime = time.Date(2026, 11, 30, 23, 15, 8, 999, time.FixedZone("", 5*60*60))

func TestArchivesAreTheSame(t *testing.T) {
	entries := []entry{{"q/qredo", []byte("program"), executable}, {"q/LICENSE", []byte("text"), readable}, {name: "q/data/", mode: executable}}
	want := "q/LICENSE -rw-r--r-- text|q/data/ drwxr-xr-x |q/qredo -rwxr-xr-x program"
	for name, pack := range map[string]func([]entry, time.Time) ([]byte, error){"tar": tarball, "zip": zipped} {
		t.Run(name, func(t *testing.T) {
			first, err := pack(entries, someTime)
			if err != nil {
				t.Fatal(err)
			}
			turned := slices.Clone(entries)
			slices.Reverse(turned)
			again, err := pack(turned, someTime.UTC())
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(first, again) {
				t.Error("another order of files or another time zone makes another archive")
			}
			list := listTar
			if name == "zip" {
				list = listZip
			}
			if found := list(t, first); found != want {
				t.Errorf("it has\n%s\nnot\n%s", found, want)
			}
			if _, err := pack(append(turned, entry{name: "q/LICENSE"}), someTime); err == nil || !strings.Contains(err.Error(), "duplicate entry q/LICENSE") {
				t.Errorf("two files of one name: %v", err)
			}
		})
	}
}

func listTar(t *testing.T, data []byte) string {
	t.Helper()
	gz, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if gz.Name != "" || !gz.ModTime.IsZero() {
		t.Errorf("gzip knows %q, %s", gz.Name, gz.ModTime)
	}
	var all []string
	for r := tar.NewReader(gz); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return strings.Join(all, "|")
		} else if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "" || !h.ModTime.Equal(someTime.Truncate(time.Second)) {
			t.Errorf("%s belongs to %d %q, %d %q, and is of %s", h.Name, h.Uid, h.Uname, h.Gid, h.Gname, h.ModTime)
		}
		all = append(all, fmt.Sprint(h.Name, " ", h.FileInfo().Mode(), " ", string(text)))
	}
}

func listZip(t *testing.T, data []byte) string {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range r.File {
		open, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(open)
		if err != nil {
			t.Fatal(err)
		}
		if !f.Modified.Equal(someTime.Truncate(time.Second)) {
			t.Errorf("%s is of %s", f.Name, f.Modified)
		}
		all = append(all, fmt.Sprint(f.Name, " ", f.Mode(), " ", string(text)))
	}
	return strings.Join(all, "|")
}

func TestReleasable(t *testing.T) {
	const changelog = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n### Added\n\n- This.\n\n## [0.1.0] - 2026-11-21\n\n- That.\n"
	notes, err := releasable("0.2.0", "0.2.0", changelog, "")
	if err != nil || notes != "### Added\n\n- This.\n" {
		t.Errorf("%q, %v", notes, err)
	}
	_, err = releasable("0.3.0", "0.2.0", changelog, " M client.go")
	says(t, err, "client.go has Version 0.2.0, not 0.3.0", "commit or remove what has changed first:\n M client.go", "CHANGELOG.md has no section [0.3.0]")
	_, err = releasable("0.2.0", "0.2.0", changelog, "?? new.go")
	says(t, err, "new.go")
	_, err = releasable("0.1.0", "0.2.0", changelog, "")
	says(t, err, "not 0.1.0")
	for _, version := range []string{"", "v0.2.0", "0.2", "00.2.0", "0.2.0 ", "../0.2.0"} {
		_, err = releasable(version, version, changelog, "")
		says(t, err, "is no version")
	}
}

func TestWhatDiffersIsNamed(t *testing.T) {
	a := map[string][]byte{"a": {1}, "b": {1, 2}, "c": {1}}
	if err := same(a, map[string][]byte{"a": {1}, "b": {1, 2}, "c": {1}}); err != nil {
		t.Error(err)
	}
	says(t, same(a, map[string][]byte{"a": {1}, "b": {1, 3}, "d": {}}), "b: the second time it is not the same: 2 bytes, then 2", "c: was made only once", "d: was made only once")
}

// The sums are those that sha256sum knows.
func TestSums(t *testing.T) {
	const want = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\nba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b\n"
	if found := string(sums(map[string][]byte{"b": []byte("abc"), "a": {}})); found != want {
		t.Errorf("%s", found)
	}
}

func TestBillOfMaterialsIsWhatIsLinked(t *testing.T) {
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Component: &cdx.Component{Version: "v0.2.0"}}
	bom.Components = &[]cdx.Component{{Name: "std", Version: "go1.27.4"}, {Name: "example.com/a", Version: "v1.0.0"}}
	setLicences(bom, modules{"std": {licences: []string{"BSD-3-Clause"}}}, modules{"example.com/a v1.0.0": {licences: []string{"Apache-2.0", "MIT"}}})
	for i, want := range []string{"BSD-3-Clause", "Apache-2.0 MIT"} {
		var ids []string
		if licences := (*bom.Components)[i].Licenses; licences != nil {
			for _, l := range *licences {
				ids = append(ids, l.License.ID)
			}
		}
		if found := strings.Join(ids, " "); found != want {
			t.Errorf("component %d is under %q", i, found)
		}
	}
	if err := checkSBOM(bom, "0.2.0"); err != nil {
		t.Error(err)
	}
	says(t, checkSBOM(bom, "0.3.0"), "v0.2.0")
	says(t, checkSBOM(cdx.NewBOM(), "0.2.0"), "empty")
	linked := modules{"example.com/a v1.0.0": {Path: "example.com/a", Version: "v1.0.0"}}
	if err := linked.same(bom); err != nil {
		t.Error(err)
	}
	says(t, modules{"example.com/a v1.1.0": {Path: "example.com/a", Version: "v1.1.0"}}.same(bom), "it has example.com/a v1.0.0, which is not linked", "it lacks example.com/a v1.1.0")
}
