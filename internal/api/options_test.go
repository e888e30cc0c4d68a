package api

import (
	"fmt"
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOptions holds docs/options.md to the options of all packages and to their comments. With -update it writes the page.
func TestOptions(t *testing.T) {
	var page strings.Builder
	page.WriteString("# Options\n\nEvery option of every package, made from the doc comments: `go test ./internal/api -update`. `go doc` has the whole texts.\n")
	count := 0
	for _, p := range public(t) {
		rows := options(readDoc(t, p))
		if len(rows) == 0 {
			continue
		}
		count += len(rows)
		fmt.Fprintf(&page, "\n## %s\n\n| option | of | what it does | default |\n|---|---|---|---|\n%s\n",
			strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module+"/"), "github.com/qredo-go/"), strings.Join(rows, "\n"))
	}
	require.Greater(t, count, 100)
	file := filepath.Join("..", "..", "docs", "options.md")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(page.String()), 0o644))
		return
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	if diff := difference(lines(text), lines([]byte(page.String()))); diff != "" {
		t.Errorf("docs/options.md is not what the comments say:\n%sgo test ./internal/api -update writes it.", diff)
	}
}

// options are the rows of a package's options: its functions that return a type whose name ends in Option.
func options(d *documented) []string {
	var rows []string
	funcs := slices.Clone(d.Funcs)
	for _, of := range d.Types {
		funcs = append(funcs, of.Funcs...)
	}
	for _, f := range funcs {
		results := f.Decl.Type.Results
		if results == nil || len(results.List) != 1 {
			continue
		}
		of, ok := results.List[0].Type.(*ast.Ident)
		if !ok || !strings.HasSuffix(of.Name, "Option") {
			continue
		}
		does, byDefault := summary(d, f.Name, f.Doc)
		rows = append(rows, fmt.Sprintf("| `%s` | `%s` | %s | %s |", f.Name, of.Name, does, byDefault))
	}
	slices.Sort(rows)
	return rows
}

var defaults = regexp.MustCompile(`Default: (.*?)\.(?: [A-Z\[]|$)`)

// summary is the first sentence of a comment, without the name that it begins with, and the default that it tells.
func summary(d *documented, name, text string) (does, byDefault string) {
	plain := strings.NewReplacer("|", `\|`, "[", "", "]", "").Replace(strings.Join(strings.Fields(text), " "))
	if found := defaults.FindStringSubmatch(plain); found != nil {
		byDefault = found[1]
	}
	does = strings.TrimSpace(strings.TrimPrefix(strings.NewReplacer("|", `\|`, "[", "", "]", "").Replace(d.Synopsis(text)), name))
	return strings.TrimSuffix(does, "."), byDefault
}
