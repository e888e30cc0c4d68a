package readme

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPages checks what the pages in docs say against programs: those of docs/amounts.md, and the command that the pages for operators
// name. They are built together, since linking is most of the test.
func TestPages(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	docs := filepath.Join(root, "docs")
	blocks := readBlocks(t, filepath.Join(docs, "amounts.md"))
	bin := build(t, root, blocks)
	t.Run("amounts", func(t *testing.T) { checkAmounts(t, bin, blocks) })
	t.Run("commands", func(t *testing.T) { checkCommands(t, docs, filepath.Join(bin, "qredo")) })
}

// checkAmounts runs the programs of docs/amounts.md. A text block after a program is what it prints, so that no figure on the page is wrong.
func checkAmounts(t *testing.T, bin string, blocks []block) {
	programs := 0
	for i, b := range blocks {
		if b.language != "go" {
			continue
		}
		if i+1 == len(blocks) || blocks[i+1].language != "text" || !strings.HasPrefix(b.text, "package main\n") {
			t.Fatalf("docs/amounts.md:%d: is no program with its output after it", b.line)
		}
		programs++
		if printed := run(t, t.TempDir(), filepath.Join(bin, b.name())); printed != blocks[i+1].text {
			t.Errorf("docs/amounts.md:%d: it prints\n%s\nthe page says\n%s", b.line, printed, blocks[i+1].text)
		}
	}
	if programs == 0 {
		t.Error("docs/amounts.md has no programs any more")
	}
}

// checkCommands asks the command for its help about each command that the pages for operators name: nobody should find out at night that
// one is misspelled.
func checkCommands(t *testing.T, docs, qredo string) {
	global := run(t, t.TempDir(), qredo, "help", "configuration")
	span, word := regexp.MustCompile("`qredo ([^`]+)`"), regexp.MustCompile(`^[a-z][a-z-]*$`)
	helps := map[string]string{}
	for _, page := range []string{"README.md", "production.md", "operating.md", "security.md", "releasing.md"} {
		text, err := os.ReadFile(filepath.Join(docs, page))
		if err != nil {
			t.Fatal(err)
		}
		found := span.FindAllStringSubmatch(string(text), -1)
		if len(found) == 0 {
			t.Errorf("docs/%s names no command any more", page)
		}
		for _, match := range found {
			var name []string
			words := strings.Fields(match[1])
			for len(words) > 0 && word.MatchString(words[0]) {
				name, words = append(name, words[0]), words[1:]
			}
			command := strings.Join(name, " ")
			if _, known := helps[command]; !known {
				helps[command] = run(t, t.TempDir(), qredo, append(name, "--help")...)
			}
			if !regexp.MustCompile(`(?m)^\s*qredo ` + command + `( |$)`).MatchString(helps[command]) {
				t.Errorf("docs/%s: there is no command %q", page, command)
			}
			for _, flag := range words {
				if strings.HasPrefix(flag, "--") && !strings.Contains(helps[command]+global, flag+" ") {
					t.Errorf("docs/%s: %q has no flag %s", page, command, flag)
				}
			}
		}
	}
}
