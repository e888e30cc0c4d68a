package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// dependency is a module in a folder of the test, with files.
func dependency(t *testing.T, path string, files map[string]string) *module {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return &module{
		Path: path, Version: "v1.0.0", root: dir, dirs: map[string]bool{filepath.Join(dir, "used"): true, dir: true},
		in: map[string]bool{"command": true},
	}
}

func read(t *testing.T, all ...*module) modules {
	t.Helper()
	ms := modules{}
	for _, m := range all {
		ms[m.String()] = m
	}
	if err := ms.read(); err != nil {
		t.Fatal(err)
	}
	return ms
}

func says(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("it was not refused; want %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q is not in: %v", w, err)
		}
	}
}

const gpl = "GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007\n"

func TestWhatShipsIsRefused(t *testing.T) {
	mit := known(t, "MIT")
	good := dependency(t, "example.com/good", map[string]string{"LICENSE": mit, "used/x.go": "", "other/LICENSE": gpl})
	if err := read(t, good).check(); err != nil {
		t.Error(err) // other is not used
	}
	bad := dependency(t, "example.com/bad", map[string]string{"LICENSE": mit, "used/COPYING": gpl})
	says(t, read(t, good, bad).check(), "example.com/bad v1.0.0: GPL-3.0 AND MIT is not allowed")
	for _, name := range []string{"GPL-LICENSE.txt", "used/GPL.LICENSE", "COPYING.LIB", "LICENSES/GPL-3.0-only.txt", "THIRD_PARTY_LICENSES"} {
		besides := dependency(t, "example.com/besides", map[string]string{"LICENSE": mit, name: gpl, "used/x.go": ""})
		says(t, read(t, besides).check(), "example.com/besides v1.0.0: GPL-3.0 AND MIT is not allowed")
	}
	odd := dependency(t, "example.com/odd", map[string]string{"LICENSE.md": mit + "\nNot for Mondays.\n", "used/x.go": ""})
	says(t, read(t, odd).check(), "example.com/odd", "LICENSE.md", "not for mondays")
	none := dependency(t, "example.com/none", map[string]string{"license.go": "package none", "used/x.go": ""})
	says(t, read(t, none).check(), "example.com/none", "no file with a licence")
}

func TestOthersAreListed(t *testing.T) {
	before := listed
	t.Cleanup(func() { listed = before })
	copyleft := dependency(t, "example.com/gpl", map[string]string{"LICENSE": gpl, "used/x.go": ""})
	odd := dependency(t, "example.com/odd", map[string]string{"LICENSE": "Do as you like.", "used/x.go": ""})
	all := read(t, copyleft, odd)

	listed = map[string]string{}
	says(t, all.checkOthers(), "example.com/gpl", "example.com/odd", "do as you like")
	listed = map[string]string{"example.com/gpl": "MPL-2.0", "example.com/odd": ownWords + "anything"}
	says(t, all.checkOthers(), "GPL-3.0", `says "MPL-2.0"`)
	listed["example.com/gpl"] = ownWords + "MIT" // it is known, and something else
	says(t, all.checkOthers(), "example.com/gpl")
	listed["example.com/gpl"] = "GPL-3.0"
	if err := all.checkOthers(); err != nil {
		t.Error(err)
	}
	listed["example.com/gone"] = "MPL-2.0"
	says(t, all.checkOthers(), "example.com/gone", "need not be")
	delete(listed, "example.com/gone")
	var out strings.Builder
	all.printOthers(&out)
	for _, line := range []string{"2 modules: GPL-3.0 1, words of their own 1", "example.com/gpl v1.0.0, in command: GPL-3.0", "example.com/odd v1.0.0, in command: anything"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("%q is not in:\n%s", line, out.String())
		}
	}
}

// Each text is there once, with all whose it is, and notices too; and nothing of what only a package is linked with.
func TestNoticeAndReport(t *testing.T) {
	mit := known(t, "MIT")
	first := dependency(t, "example.com/a", map[string]string{"LICENSE": mit, "NOTICE": "A was made by A.", "used/x.go": ""})
	second := dependency(t, "example.com/b", map[string]string{"LICENSE": mit + "\n", "used/LICENSE": known(t, "ISC")})
	third := dependency(t, "example.com/c", map[string]string{"LICENSE": known(t, "BSD-3-Clause"), "used/x.go": ""})
	third.in = map[string]bool{"outbox": true, "inbox": true}
	all := read(t, first, second, third)
	notice, err := all.notice("9.9.9")
	if err != nil {
		t.Fatal(err)
	}
	text := string(notice)
	if strings.Count(text, "Permission is hereby granted") != 1 || !strings.Contains(text, "example.com/a v1.0.0\nexample.com/b v1.0.0\n\nPermission is") {
		t.Errorf("the licence of two modules is not there once, with both:\n%s", text)
	}
	for _, want := range []string{"qredo 9.9.9", "example.com/a v1.0.0, NOTICE\n\nA was made by A.", "example.com/b v1.0.0, used/LICENSE\n\nPermission to use"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "example.com/c") {
		t.Error("it names what is not linked into the command")
	}
	report, err := all.report()
	if err != nil {
		t.Fatal(err)
	}
	want := "module,version,licence,linked into\nexample.com/a,v1.0.0,MIT,command\nexample.com/b,v1.0.0,ISC AND MIT,command\nexample.com/c,v1.0.0,BSD-3-Clause,inbox outbox\n"
	if string(report) != want {
		t.Errorf("the report is\n%s", report)
	}
}
