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

// TestLLMs holds docs/llms.txt to its form, a title, a summary and lists of links, and to the pages that there are.
func TestLLMs(t *testing.T) {
	text, err := os.ReadFile("../../docs/llms.txt")
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^# [^\n]+\n\n> [^\n]+\n\n`).Match(text) {
		t.Error("docs/llms.txt does not begin with a title and a summary")
	}
	item := regexp.MustCompile(`^- \[[^\]]+\]\(([^)\s]+)\): \S`)
	linked := map[string]bool{}
	lists := false
	for line := range strings.Lines(string(text)) {
		lists = lists || strings.HasPrefix(line, "## ")
		match := item.FindStringSubmatch(line)
		switch {
		case match != nil:
			linked[match[1]] = true
			if _, err := os.Stat(filepath.Join("../../docs", match[1])); err != nil {
				t.Errorf("docs/llms.txt: link to %s: %v", match[1], err)
			}
		case lists && strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "## "):
			t.Errorf("docs/llms.txt: %q is neither a heading nor a link with a description", line)
		}
	}
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal("no pages in docs", err)
	}
	for _, page := range pages {
		if !linked[filepath.Base(page)] {
			t.Errorf("docs/llms.txt has no line for docs/%s", filepath.Base(page))
		}
	}
}
