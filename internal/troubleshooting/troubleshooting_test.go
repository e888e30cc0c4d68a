// Package troubleshooting tests that docs/troubleshooting.md has each error that the packages export, with its
// cause and its remedy, and no other; and that it has each reason for which the sandbox answers 401.
package troubleshooting

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var root = filepath.Join("..", "..")

// sources returns the parsed files of the packages that others can import, by their folder below the root.
func sources(t *testing.T) map[string][]*ast.File {
	t.Helper()
	all, set := map[string][]*ast.File{}, token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		if err != nil || path == root {
			return err
		}
		if entry.IsDir() {
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil || name == "internal" || name == "testdata" || strings.HasPrefix(name, ".") {
				return filepath.SkipDir // another module, or not for others
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil || file.Name.Name == "main" {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		all[folder] = append(all[folder], file)
		return err
	})
	require.NoError(t, err)
	require.Contains(t, all, ".")
	require.Contains(t, all, "sandbox")
	return all
}

// exportedErrors are the variables Err… and the types …Error of a file, as the page names them.
func exportedErrors(file *ast.File) []string {
	var out []string
	for _, declared := range file.Decls {
		group, ok := declared.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range group.Specs {
			switch spec := spec.(type) {
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					if group.Tok == token.VAR && strings.HasPrefix(name.Name, "Err") {
						out = append(out, file.Name.Name+"."+name.Name)
					}
				}
			case *ast.TypeSpec:
				if spec.Name.IsExported() && strings.HasSuffix(spec.Name.Name, "Error") {
					out = append(out, "*"+file.Name.Name+"."+spec.Name.Name)
				}
			}
		}
	}
	return out
}

// unauthorized are the reasons with which a file refuses who asks: the arguments of notProved, and of a Refusal
// without credentials.
func unauthorized(file *ast.File) []string {
	var out []string
	text := func(e ast.Expr) {
		if literal, ok := e.(*ast.BasicLit); ok {
			if reason, err := strconv.Unquote(literal.Value); err == nil {
				out = append(out, reason)
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "notProved" && len(n.Args) == 1 {
				text(n.Args[0])
			}
		case *ast.CompositeLit:
			if kind, ok := n.Type.(*ast.Ident); ok && kind.Name == "Refusal" && len(n.Elts) == 2 {
				if why, ok := n.Elts[0].(*ast.Ident); ok && why.Name == "NoCredentials" {
					text(n.Elts[1])
				}
			}
		}
		return true
	})
	return out
}

func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "troubleshooting.md"))
	require.NoError(t, err)
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

var heading = regexp.MustCompile("(?m)^### `(.*)`$")

func TestErrors(t *testing.T) {
	text := page(t)
	var want, have []string
	for _, files := range sources(t) {
		for _, file := range files {
			want = append(want, exportedErrors(file)...)
		}
	}
	found := heading.FindAllStringSubmatchIndex(text, -1)
	for _, at := range found {
		name, section := text[at[2]:at[3]], text[at[1]:]
		if end := strings.Index(section, "\n#"); end >= 0 {
			section = section[:end]
		}
		have = append(have, name)
		assert.Regexp(t, `(?s)^\n\n\*\*Cause\.\*\* .+\n\n\*\*Remedy\.\*\* .+`, section, "what the page says of %s", name)
	}
	slices.Sort(want)
	slices.Sort(have)
	require.Greater(t, len(want), 15)
	assert.Equal(t, want, have, "what the code exports, and what docs/troubleshooting.md has")
}

func TestReasonsOf401(t *testing.T) {
	var want, have []string
	files, err := filepath.Glob(filepath.Join(root, "sandbox", "internal", "access", "*.go"))
	require.NoError(t, err)
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		want = append(want, unauthorized(file)...)
	}
	slices.Sort(want)
	want = slices.Compact(want)
	_, section, ok := strings.Cut(page(t), "\n## Why a request is 401\n")
	require.True(t, ok)
	section, _, _ = strings.Cut(section, "\n## ")
	for _, row := range regexp.MustCompile("(?m)^\\| `(.*?)` \\| .+ \\| .+ \\|$").FindAllStringSubmatch(section, -1) {
		have = append(have, row[1])
	}
	slices.Sort(have)
	require.Greater(t, len(want), 5)
	assert.Equal(t, want, have, "the reasons in the sandbox's code, and those in docs/troubleshooting.md")
}
