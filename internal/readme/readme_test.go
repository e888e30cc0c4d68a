// Package readme tests that what README.md shows works: its Go blocks compile, its programs and tests run,
// its shell blocks run where they need no network, and its links lead somewhere.
//
// A Go block is a whole file, a function, or a part of one. A whole file of package main is run, one of
// another package is a test and is run as one. A part is compiled inside a function with the parameters of
// [wrapper].
// A text block after a program is what the program prints. All blocks are worked through in the order of
// the page, in one directory.
package readme

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"go/format"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The first two commands of the page.
const (
	commandRun  = "go run ./examples/walkthrough"
	commandTest = "go test ./..."
)

// commandServe begins the command that serves what the shell blocks after it call.
const commandServe = "go run ./cmd/qredo sandbox serve "

// listens is the address of the page's server. The test has it listen on a free port instead.
const listens = "127.0.0.1:8765"

// stateCall is the call by which a shell block shows what the calls before it have made.
const stateCall = "/sandbox/v1/state"

// wrapper is the function that a part of a file is compiled in. Its parameters are what the parts leave out.
const wrapper = `
func part%s(ctx context.Context, client *qredo.Client, companyID qredo.CompanyID, fundID qredo.FundID,
	walletID, otherWalletID qredo.WalletID, txID qredo.TxID, coreClientID qredo.CoreClientID, pool *pgxpool.Pool,
) (err error) {
	%s
	return err
}
`

// imports begins the file of the functions and parts, with the packages that they may use.
const imports = `package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/inbox/postgres"
	"github.com/qredo-go/qredo/sandbox"
	"github.com/qredo-go/qredo/signingagent"
)

var _, _, _, _, _, _, _, _, _ = errors.New, fmt.Sprint, os.Getenv, time.Now, sandbox.Start, inbox.Operate, postgres.Open, approver.New, signingagent.Open

var _ pgx.Tx

func main() {}
`

// testMain makes a program of a file with tests.
const testMain = `
func main() {
	all := func(string, string) (bool, error) { return true, nil }
	testing.Main(all, []testing.InternalTest{{Name: %q, F: %[1]s}}, nil, nil)
}
`

// block is a fenced block of the page.
type block struct {
	page, language, text string
	line                 int
}

func (b block) name() string { return fmt.Sprintf("%s%d", strings.TrimSuffix(b.page, ".md"), b.line) }

func TestBlocks(t *testing.T) {
	page := t // what a block starts may outlive it, and ends with the page
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	blocks := readBlocks(t, filepath.Join(root, "README.md"))
	address := freeAddress(t)
	for i := range blocks {
		blocks[i].text = strings.ReplaceAll(blocks[i].text, listens, address)
	}
	if !slices.ContainsFunc(blocks, func(b block) bool { return b.language == "sh" && strings.Contains(b.text, stateCall) }) {
		t.Errorf("no shell block looks at the state, so that what the blocks do is not checked: %s", stateCall)
	}
	parts := readBlocks(t, filepath.Join(root, "docs", "client.md")) // compiled, as the parts of the README are
	bin := build(t, root, slices.Concat(blocks, parts))
	dir := t.TempDir()
	for i, b := range blocks {
		ok := t.Run(b.name(), func(t *testing.T) {
			switch {
			case b.language == "go" && strings.HasPrefix(b.text, "package "):
				printed := run(t, dir, filepath.Join(bin, b.name()))
				if i+1 < len(blocks) && blocks[i+1].language == "text" && printed != blocks[i+1].text {
					t.Errorf("it prints %q, the page says %q", printed, blocks[i+1].text)
				}
			case b.language == "sh" && strings.HasPrefix(b.text, commandRun):
				run(t, dir, filepath.Join(bin, "walkthrough")) // and not the tests, of which this is one
			case b.language == "sh" && strings.HasPrefix(b.text, commandServe):
				arguments := strings.Fields(strings.TrimPrefix(b.text, "go run ./cmd/qredo "))
				serve(page, filepath.Join(bin, "qredo"), dir, arguments...)
			case b.language == "sh":
				needShell(t)
				runShell(t, dir, b.text)
			}
		})
		if !ok {
			return // what follows may build on it
		}
	}
}

func TestFirstCommands(t *testing.T) {
	for _, b := range readBlocks(t, "../../README.md") {
		if b.language == "sh" {
			if want := commandRun + "\n" + commandTest + "\n"; b.text != want {
				t.Errorf("the first shell block is %q, not %q", b.text, want)
			}
			break
		}
	}
	checks, err := os.ReadFile("../../.ci/run")
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^\s*run ` + regexp.QuoteMeta(commandTest) + `$`).Match(checks) {
		t.Errorf(".ci/run does not run %q, which README.md says is the test", commandTest)
	}
}

// TestLinks follows the links of the documents that lead to files, and to headings within them.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	documents := []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "sandbox/RULES.md", "examples/README.md", "otelqredo/README.md"}
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		documents = append(documents, "docs/"+filepath.Base(page))
	}
	for _, document := range documents {
		path := filepath.Join("../..", document)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range link.FindAllStringSubmatch(string(text), -1) {
			file, heading, _ := strings.Cut(match[1], "#")
			if strings.Contains(file, "://") {
				continue
			}
			target := path
			if file != "" {
				target = filepath.Join(filepath.Dir(path), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: link to %s: %v", document, match[1], err)
			} else if heading != "" && !headings(t, target)[heading] {
				t.Errorf("%s: link to %s: no such heading", document, match[1])
			}
		}
	}
}

// headings returns the names by which a document's headings are linked to.
func headings(t *testing.T, path string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			name := strings.ReplaceAll(strings.ToLower(strings.TrimSpace(title)), " ", "-")
			names[regexp.MustCompile(`[^\w-]`).ReplaceAllString(name, "")] = true
		}
	}
	return names
}

func readBlocks(t *testing.T, path string) []block {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	inside, number := false, 0
	for line := range strings.Lines(string(page)) {
		number++
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && inside:
			inside = false
		case isFence:
			inside = true
			blocks = append(blocks, block{page: filepath.Base(path), language: strings.TrimSpace(fence), line: number})
		case inside:
			blocks[len(blocks)-1].text += line
		}
	}
	if inside || len(blocks) == 0 {
		t.Fatalf("%s: blocks are missing or not closed", path)
	}
	return blocks
}

// build compiles the walkthrough, each whole file, and all parts together, with one go build and without
// writing into the source tree, and returns where the programs are.
func build(t *testing.T, root string, blocks []block) string {
	t.Helper()
	dir := t.TempDir()
	overlay := map[string]string{}
	arguments := []string{"build", "-buildvcs=false", "-overlay", filepath.Join(dir, "overlay.json"), "-o", filepath.Join(dir, "bin") + "/", "./examples/walkthrough", "./cmd/qredo"}
	add := func(name, source string) {
		path := filepath.Join(dir, name+".go")
		writeFile(t, path, source)
		overlay[filepath.Join(root, "internal", "readme", name, "main.go")] = path
		arguments = append(arguments, "./internal/readme/"+name)
	}
	parts := imports
	for _, b := range blocks {
		if b.language != "go" {
			continue
		}
		if formatted, err := format.Source([]byte(b.text)); err != nil || string(formatted) != b.text {
			t.Errorf("%s:%d: is not as gofmt writes it (%v)", b.page, b.line, err)
		}
		packageLine := regexp.MustCompile(`^package \w+`)
		switch {
		case strings.HasPrefix(b.text, "func "):
			parts += "\n" + b.text
		case !packageLine.MatchString(b.text):
			parts += fmt.Sprintf(wrapper, b.name(), b.text)
		case strings.HasPrefix(b.text, "package main\n"):
			add(b.name(), b.text)
		default:
			test := regexp.MustCompile(`(?m)^func (Test\w+)`).FindStringSubmatch(b.text)
			if test == nil {
				t.Fatalf("%s:%d: a whole file must be a program or a test", b.page, b.line)
			}
			add(b.name(), packageLine.ReplaceAllString(b.text, "package main")+fmt.Sprintf(testMain, test[1]))
		}
	}
	if parts != imports {
		add("parts", parts)
	}
	replace, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "overlay.json"), string(replace))
	t.Setenv("GOPROXY", "off") // what is shown must need no more than this module does
	run(t, root, "go", arguments...)
	return filepath.Join(dir, "bin")
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs a program to its end and returns what it prints.
func run(t *testing.T, dir, name string, arguments ...string) string {
	t.Helper()
	var printed, complaints bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, arguments...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &printed, &complaints
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", filepath.Base(name), err, printed.String(), complaints.String())
	}
	return printed.String()
}

// needShell skips what this machine has not got the programs for.
func needShell(t *testing.T) {
	t.Helper()
	for _, program := range []string{"sh", "openssl", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the shell blocks need %s: %v", program, err)
		}
	}
}

func runShell(t *testing.T, dir, text string) {
	t.Helper()
	printed := run(t, dir, "sh", "-euc", text)
	if strings.Contains(text, stateCall) && (!strings.Contains(printed, `"name":"Acme"`) || !strings.Contains(printed, "alice@example.com")) {
		t.Errorf("the state does not show what the calls before made: %s", printed)
	}
}

// serve starts a program that does not end by itself, waits until it says that it is ready, and ends it
// with the test of the page.
func serve(t *testing.T, program, dir string, arguments ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, arguments...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	printed, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // the end of the context has killed it
	if line, err := bufio.NewReader(printed).ReadString('\n'); err != nil || !strings.Contains(line, " is running at ") {
		t.Fatalf("%s says %q: %v", program, line, err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return listener.Addr().String()
}
