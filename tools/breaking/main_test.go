package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const changelog = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- Something.\n\n## [0.1.0] - 2026-11-21\n\n### Breaking\n\n- `shop.Buy` of before.\n"

// shop is a module before a change.
var shop = map[string]string{
	"go.mod": "module example.com/shop\n\ngo 1.26\n",
	"shop.go": "package shop\n\nimport \"example.com/shop/internal/in\"\n\nfunc Buy(item string) error { return nil }\n\nfunc Sell(item string) error { return nil }\n\n" +
		"type Store interface{ Get(key string) (string, error) }\n\ntype Client struct{ Name string }\n\nfunc (c *Client) Do(times int) {}\n\n" +
		"func Each[T any](all []T) {}\n\ntype Order struct{ in.Base }\n\nconst Version = \"0.1.0\"\n\nconst Currency = \"EUR\"\n",
	"pack/pack.go":      "package pack\n\nfunc Pack() {}\n",
	"internal/in/in.go": "package in\n\nfunc In() {}\n\ntype Base struct{}\n\nfunc (Base) Refund() {}\n",
	"cmd/shop/main.go":  "package main\n\nfunc Main() {}\n\nfunc main() {}\n",
	"CHANGELOG.md":      changelog,
}

// repository makes a git repository with a module in it, tags it, and then changes files: old text, new text. It is not committed.
func repository(t *testing.T, tag string, changes ...[3]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range shop {
		write(t, dir, name, text)
	}
	for _, args := range [][]string{
		{"init", "-q"},
		{"add", "-A"},
		{"-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false", "commit", "-q", "-m", "shop"},
		{"tag", "--no-sign", tag},
	} {
		if _, err := git(dir, args...); err != nil {
			t.Fatal(err)
		}
	}
	for _, change := range changes {
		name, from, to := change[0], change[1], change[2]
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(text), from) {
			t.Fatalf("%s has no %q: %v", name, from, err)
		}
		write(t, dir, name, strings.Replace(string(text), from, to, 1))
	}
	return dir
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	at := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The changes that the tests know: of which file, what, into what.
var (
	removed     = [3]string{"shop.go", "func Sell(item string) error { return nil }\n", ""}
	signature   = [3]string{"shop.go", "Buy(item string)", "Buy(item string, count int)"}
	method      = [3]string{"shop.go", "Do(times int)", "Do(times int64)"}
	inInterface = [3]string{"shop.go", "(string, error) }", "(string, error); Put(key, value string) error }"}
	field       = [3]string{"shop.go", "Name string", "Name, Address string"}
	added       = [3]string{"shop.go", "type Client", "func Rent() {}\n\ntype Client"}
	within      = [3]string{"internal/in/in.go", "func In() {}", "func Out() {}"}
	tag         = [3]string{"shop.go", "Name string", "Name string `json:\"name\"`"}
	constraint  = [3]string{"shop.go", "Each[T any]", "Each[T comparable]"}
	parameter   = [3]string{"shop.go", "Each[T any](all []T)", "Each[Item any](all []Item)"}
	promotion   = [3]string{"internal/in/in.go", "func (Base) Refund() {}\n", ""}
	version     = [3]string{"shop.go", `Version = "0.1.0"`, `Version = "0.1.1"`}
	value       = [3]string{"shop.go", `Currency = "EUR"`, `Currency = "USD"`}
	command     = [3]string{"cmd/shop/main.go", "func Main() {}", ""}
)

// listed is a section that names something.
func listed(title string, names ...string) [3]string {
	return [3]string{"CHANGELOG.md", "### Added\n", "### " + title + "\n\n- `" + strings.Join(names, "`, `") + "`: gone.\n\n### Added\n"}
}

func named(version string, names ...string) [3]string {
	change := listed("Breaking", names...)
	return [3]string{change[0], "## [Unreleased]\n\n" + change[1], "## [" + version + "] - 2026-12-24\n\n" + change[2]}
}

func TestBreaking(t *testing.T) {
	for name, c := range map[string]struct {
		tag     string // default: v0.1.0
		changes [][3]string
		prints  []string
		fails   []string // one error for each
	}{
		"nothing":            {prints: []string{"Nothing has changed."}},
		"a function removed": {changes: [][3]string{removed}, prints: []string{"shop\n  breaking    Sell: removed\n"}, fails: []string{"as `shop.Sell`"}},
		"another signature": {
			changes: [][3]string{signature, method}, fails: []string{"as `shop.Client.Do`", "as `shop.Buy`"},
			prints: []string{"breaking    Buy: changed from func(string) error to func(string, int) error\n", "breaking    (*Client).Do: changed from func(int) to func(int64)\n"},
		},
		"a method in an interface": {
			changes: [][3]string{inInterface}, prints: []string{"breaking    Store.Put: added\n"}, fails: []string{"as `shop.Store.Put`"},
		},
		"a field in a struct": {changes: [][3]string{field}, prints: []string{"shop\n  compatible  Client.Address: added\n"}},
		"a function added":    {changes: [][3]string{added}, prints: []string{"shop\n  compatible  Rent: added\n"}},
		"an internal package": {changes: [][3]string{within, command}, prints: []string{"Nothing has changed."}},

		"a tag":                     {changes: [][3]string{tag}, prints: []string{`breaking    Client.Name: tag changed from "" to "json:\"name\""`}, fails: []string{"as `shop.Client.Name`"}},
		"a constraint":              {changes: [][3]string{constraint}, prints: []string{"breaking    Each: changed from [any] to [comparable]\n"}, fails: []string{"as `shop.Each`"}},
		"a type parameter's name":   {changes: [][3]string{parameter}, prints: []string{"Nothing has changed."}},
		"what an embedded type has": {changes: [][3]string{promotion}, fails: []string{"as `shop.Order.Refund`"}},
		"a constant's value":        {changes: [][3]string{value}, prints: []string{`breaking    Currency: value changed from "EUR" to "USD"`}, fails: []string{"as `shop.Currency`"}},
		"the version":               {changes: [][3]string{version}, prints: []string{"compatible  Version: value changed"}},

		"listed as changes":           {changes: [][3]string{removed, listed("Breaking changes", "shop.Sell")}},
		"listed":                      {changes: [][3]string{removed, listed("Breaking", "shop.Sell")}, prints: []string{"breaking    Sell: removed\n"}},
		"listed elsewhere":            {changes: [][3]string{removed, listed("Removed", "shop.Sell")}, fails: []string{"shop.Sell"}},
		"one of two listed":           {changes: [][3]string{removed, signature, listed("Breaking", "shop.Sell")}, fails: []string{"as `shop.Buy`"}}, // the section before has it
		"in a minor version":          {changes: [][3]string{removed, named("0.2.0", "shop.Sell")}},
		"in a minor version, unnamed": {changes: [][3]string{removed, signature, named("0.2.0", "shop.Sell")}, fails: []string{"in section 0.2.0"}},
		"in a patch version":          {changes: [][3]string{removed, named("0.1.1", "shop.Sell")}, fails: []string{"make 0.1.1 a minor version"}},
		"no section": {
			changes: [][3]string{removed, {"CHANGELOG.md", "## [Unreleased]\n\n### Added\n\n- Something.\n\n", ""}}, fails: []string{"no section for the version after v0.1.0"},
		},
		"after 1.0.0":            {tag: "v1.2.0", changes: [][3]string{removed, listed("Breaking", "shop.Sell")}, fails: []string{"may not happen after v1.2.0"}},
		"compatible after 1.0.0": {tag: "v1.2.0", changes: [][3]string{added, field}, prints: []string{"compatible  Rent: added"}},
	} {
		t.Run(name, func(t *testing.T) {
			tag := c.tag
			if tag == "" {
				tag = "v0.1.0"
			}
			expect(t, repository(t, tag, c.changes...), "", c.prints, c.fails)
		})
	}
}

// expect runs the check and holds it against what it is to print, and why it is to fail.
func expect(t *testing.T, dir, base string, prints, fails []string) {
	t.Helper()
	var out strings.Builder
	err := run(&out, dir, base)
	for _, want := range prints {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not print %q, but:\n%s", want, &out)
		}
	}
	var said []string
	if err != nil {
		said = strings.Split(err.Error(), "\n")
	}
	if len(said) != len(fails) {
		t.Fatalf("%d errors, want %d: %q", len(said), len(fails), said)
	}
	for _, want := range fails {
		if !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, want) }) {
			t.Errorf("no error says %q: %q", want, said)
		}
	}
}

func TestRenamedPackage(t *testing.T) {
	dir := repository(t, "v0.1.0")
	if err := os.Rename(filepath.Join(dir, "pack"), filepath.Join(dir, "wrap")); err != nil {
		t.Fatal(err)
	}
	expect(t, dir, "", []string{"pack\n  breaking    the package: removed\n", "wrap\n  compatible  the package: added\n"}, []string{"as `pack`"})
}

func TestBase(t *testing.T) {
	dir := repository(t, "shop-1", removed)
	expect(t, dir, "", []string{"There is no tag such as v0.1.0 to compare with"}, nil)
	expect(t, dir, "shop-1", []string{"Compared with shop-1.", "breaking    Sell: removed"}, []string{"as `shop.Sell`"})
	expect(t, dir, "v9.9.9", nil, []string{"v9.9.9: git rev-parse: "})
}

func TestErrors(t *testing.T) {
	expect(t, repository(t, "v0.1.0", [3]string{"shop.go", "return nil", "return 1"}), "", nil, []string{"example.com/shop: "})
}

// The last version counts: no tag that only begins with a v, and none of a version before a release.
func TestLastVersion(t *testing.T) {
	dir := repository(t, "v0.9.0", removed)
	for _, tag := range []string{"v0.10.0", "v0.10.0-rc.1", "v0.11.0-rc.1", "vendor-2", "v1", "otelqredo/v2.0.0"} {
		if _, err := git(dir, "tag", tag); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, dir, "", []string{"Compared with v0.10.0."}, []string{"as `shop.Sell`"})
}

// What only another system has is not compared, and so is refused.
func TestOtherSystems(t *testing.T) {
	dir := repository(t, "v0.1.0")
	write(t, dir, "client_linux.go", "package shop\n\nfunc (*Client) Lock() {}\n\nfunc On() {}\n")
	write(t, dir, "client_windows.go", "package shop\n\nimport \"os\"\n\nvar is = os.Args\n\nfunc (*Client) Lock() {}\n\nfunc On() {}\n")
	expect(t, dir, "", []string{"compatible  On: added"}, nil)
	for _, only := range []string{"func (*Client) Unlock() {}", "func Off() {}", "type Handle uintptr", "const Slash, Path = 1, 2"} {
		write(t, dir, "client_windows.go", "package shop\n\n"+only+"\n")
		expect(t, dir, "", nil, []string{"is exported only on other systems"})
	}
}
