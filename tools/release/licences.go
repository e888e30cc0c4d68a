package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// check refuses whatever ships under a licence that is not allowed, or not known.
func (ms modules) check() error {
	var refused []error
	for _, m := range ms.sorted() {
		switch {
		case len(m.unknown) > 0:
			refused = append(refused, fmt.Errorf("%s: licence not known: %s", m, strings.Join(m.unknown, "; ")))
		case !permitted(m.licences):
			refused = append(refused, fmt.Errorf("%s: %s is not allowed in what ships", m, strings.Join(m.licences, " AND ")))
		}
	}
	return errors.Join(refused...)
}

// checkOthers refuses what is neither allowed nor listed, and what is listed without need.
func (ms modules) checkOthers() error {
	var refused []error
	needed := map[string]bool{}
	for _, m := range ms.sorted() {
		if len(m.unknown) == 0 && permitted(m.licences) {
			continue
		}
		needed[m.Path] = true
		found := strings.Join(append(slices.Clone(m.licences), m.unknown...), " AND ")
		if what := listed[m.Path]; what != found && (len(m.unknown) == 0 || !strings.HasPrefix(what, ownWords)) {
			refused = append(refused, fmt.Errorf("%s, in %s: %s; tools/release/listed.go says %q", m, m.where(), found, what))
		}
	}
	for _, path := range slices.Sorted(maps.Keys(listed)) {
		if !needed[path] {
			refused = append(refused, fmt.Errorf("%s is listed in tools/release/listed.go, and need not be", path))
		}
	}
	return errors.Join(refused...)
}

func (m *module) where() string { return strings.Join(slices.Sorted(maps.Keys(m.in)), " ") }

// counts says how many modules have which licences.
func (ms modules) counts() string {
	n := map[string]int{}
	for _, m := range ms {
		name := strings.Join(m.licences, " AND ")
		if len(m.unknown) > 0 {
			name = "words of their own"
		}
		n[name]++
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(n)) {
		all = append(all, fmt.Sprintf("%s %d", name, n[name]))
	}
	return fmt.Sprintf("%d modules: %s", len(ms), strings.Join(all, ", "))
}

// report writes what ships as a table: module, version, licences, and what it is linked into.
func (ms modules) report() ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	rows := [][]string{{"module", "version", "licence", "linked into"}}
	for _, m := range ms.sorted() {
		rows = append(rows, []string{m.Path, m.Version, strings.Join(m.licences, " AND "), m.where()})
	}
	err := w.WriteAll(rows)
	return out.Bytes(), err
}

// printOthers prints what tests and tools are made of: all licences in one line, and each that is not allowed in what ships.
func (ms modules) printOthers(w io.Writer) {
	fmt.Fprintln(w, "Only for tests, tools and examples:", ms.counts())
	for _, m := range ms.sorted() {
		if what, ok := listed[m.Path]; ok {
			fmt.Fprintf(w, "  %s, in %s: %s\n", m, m.where(), strings.TrimPrefix(what, ownWords))
		}
	}
}

// notice has the licences of all that is linked into the command, each text once, and what their authors want to be told.
func (ms modules) notice(version string) ([]byte, error) {
	type text struct {
		of   []string
		data string
	}
	var all []*text
	for _, m := range ms.sorted() {
		if !m.in["command"] {
			continue
		}
		for _, file := range m.files {
			data, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			of := m.String()
			if name := strings.TrimPrefix(file, m.root+string(filepath.Separator)); strings.Contains(name, string(filepath.Separator)) || noticeFile.MatchString(name) {
				of += ", " + filepath.ToSlash(name)
			}
			plain := strings.Trim(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")
			at := slices.IndexFunc(all, func(t *text) bool { return t.data == plain })
			if at < 0 {
				all = append(all, &text{data: plain})
				at = len(all) - 1
			}
			all[at].of = append(all[at].of, of)
		}
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "qredo %s is under the Apache License 2.0: see LICENSE. These are linked into it, under licences of their own.\n", version)
	for _, t := range all {
		fmt.Fprintf(&out, "\n%s\n%s\n\n%s\n", strings.Repeat("=", 80), strings.Join(t.of, "\n"), t.data)
	}
	return out.Bytes(), nil
}

// printLicences checks all that ships, and all else, and prints what it found.
func printLicences(w io.Writer, ship, others modules) error {
	table, err := ship.report()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s\nIn what ships: %s\n", table, ship.counts())
	others.printOthers(w)
	return errors.Join(ship.check(), others.checkOthers())
}
