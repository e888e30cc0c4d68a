// Package api tests that each package exports what its file in api/ says, so that a change to it is seen, and
// that all it exports is documented. After a change that is meant:
//
//	go test ./internal/api -update
//
// A file has a line for each constant, function, variable, type, field and method, in the order of the
// alphabet. Struct tags are not in it: the fixtures and internal/spec test the wire format.
package api

import (
	"encoding/json"
	"errors"
	"flag"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/qredo-go/qredo"

var update = flag.Bool("update", false, "rewrite the files in api/")

// pkg is a package as listed by go list.
type pkg struct {
	ImportPath string   `json:"ImportPath"`
	Name       string   `json:"Name"`
	Dir        string   `json:"Dir"`
	Export     string   `json:"Export"` // the file with its exports
	GoFiles    []string `json:"GoFiles"`
}

// file is where the package's exports are written down: api/outbox-postgres.txt for outbox/postgres.
func (p pkg) file() string {
	name := strings.ReplaceAll(strings.TrimPrefix(p.ImportPath, module+"/"), "/", "-")
	if p.ImportPath == module {
		name = "qredo"
	}
	return filepath.Join("..", "..", "api", name+".txt")
}

// goList returns the packages that go list lists.
func goList(t *testing.T, args ...string) []pkg {
	t.Helper()
	var stderr strings.Builder
	list := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json=ImportPath,Name,Dir,Export,GoFiles"}, args...)...)
	list.Dir, list.Stderr = filepath.Join("..", ".."), &stderr
	out, err := list.Output()
	require.NoError(t, err, stderr.String())
	var all []pkg
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, p)
	}
}

// public returns the packages of this module that others can import.
func public(t *testing.T) []pkg {
	t.Helper()
	all := slices.DeleteFunc(goList(t, "./..."), func(p pkg) bool {
		return p.Name == "main" || len(p.GoFiles) == 0 || slices.Contains(strings.Split(p.ImportPath, "/"), "internal")
	})
	require.NotEmpty(t, all)
	return all
}

// loaded is a package with its exports.
type loaded struct {
	pkg
	types *types.Package
}

// load reads the packages' exports from their compiled form.
func load(t *testing.T) (all []loaded) {
	t.Helper()
	packages := public(t)
	args := []string{"-export", "-deps"}
	for _, p := range packages {
		args = append(args, p.ImportPath)
	}
	compiled := map[string]string{}
	for _, p := range goList(t, args...) {
		compiled[p.ImportPath] = p.Export
	}
	from := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(compiled[path])
	})
	for _, p := range packages {
		read, err := from.Import(p.ImportPath)
		require.NoError(t, err)
		all = append(all, loaded{p, read})
	}
	return all
}

func TestExports(t *testing.T) {
	known := map[string]bool{}
	for _, p := range load(t) {
		have := exports(p.types)
		known[p.file()] = true
		if *update {
			require.NoError(t, os.WriteFile(p.file(), []byte(strings.Join(have, "\n")+"\n"), 0o644))
			continue
		}
		text, err := os.ReadFile(p.file())
		require.NoError(t, err, "a package without its file: go test ./internal/api -update writes it")
		if diff := difference(lines(text), have); diff != "" {
			t.Errorf("%s exports something else than %s says:\n%sIf that is meant: go test ./internal/api -update, and a line in CHANGELOG.md.",
				p.ImportPath, filepath.Base(p.file()), diff)
		}
	}
	files, err := filepath.Glob(filepath.Join("..", "..", "api", "*"))
	require.NoError(t, err)
	for _, file := range files {
		if !known[file] {
			t.Errorf("%s is the file of no package: remove it", file)
		}
	}
}

// lines are the lines of a file, however it was checked out.
func lines(text []byte) []string {
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n"), "\n")
}

// difference shows what was removed from the file and what was added, line by line.
func difference(file, have []string) string {
	var b strings.Builder
	for _, line := range file {
		if !slices.Contains(have, line) {
			b.WriteString("  - " + line + "\n")
		}
	}
	for _, line := range have {
		if !slices.Contains(file, line) {
			b.WriteString("  + " + line + "\n")
		}
	}
	if b.Len() == 0 && !slices.Equal(file, have) {
		return "  the same lines in another order, or twice\n"
	}
	return b.String()
}

// exports describes what a package exports, a line each.
func exports(p *types.Package) []string {
	var out []string
	name := func(other *types.Package) string {
		if other == p {
			return ""
		}
		return other.Name()
	}
	text := func(t types.Type) string { return types.TypeString(t, name) }
	for _, identifier := range p.Scope().Names() {
		object := p.Scope().Lookup(identifier)
		if !object.Exported() {
			continue
		}
		switch object := object.(type) {
		case *types.Const:
			out = append(out, "const "+identifier+" "+text(object.Type())+" = "+object.Val().ExactString())
		case *types.TypeName:
			out = append(out, exportedType(object, text)...)
		case *types.Func:
			out = append(out, "func "+identifier+signature(object, text))
		default:
			out = append(out, "var "+identifier+" "+text(object.Type()))
		}
	}
	slices.Sort(out)
	return out
}

// signature describes a function's parameters and results. Only parameters are named, and only if all of them are: other
// names are an internal matter.
func signature(f *types.Func, text func(types.Type) string) string {
	s := f.Signature()
	if s.TypeParams().Len() > 0 {
		return strings.TrimPrefix(text(s), "func") // as it is: its parameters cannot be put into another
	}
	parameters := s.Params()
	for p := range parameters.Variables() {
		if !token.IsIdentifier(p.Name()) || p.Name() == "_" {
			parameters = unnamed(parameters)
			break
		}
	}
	clean := types.NewSignatureType(nil, nil, nil, parameters, unnamed(s.Results()), s.Variadic())
	return strings.TrimPrefix(text(clean), "func")
}

func unnamed(all *types.Tuple) *types.Tuple {
	var out []*types.Var
	for v := range all.Variables() {
		out = append(out, types.NewParam(token.NoPos, v.Pkg(), "", v.Type()))
	}
	return types.NewTuple(out...)
}

// exportedType describes a type, its fields and its methods.
func exportedType(object *types.TypeName, text func(types.Type) string) []string {
	head := "type " + text(object.Type())
	if object.IsAlias() {
		return []string{"type " + object.Name() + " = " + text(types.Unalias(object.Type()))}
	}
	var out []string
	switch under := object.Type().Underlying().(type) {
	case *types.Struct:
		out = append(out, head+" struct")
		for field := range under.Fields() {
			switch {
			case field.Embedded() && field.Exported():
				out = append(out, head+" struct, embedded "+text(field.Type()))
			case field.Exported():
				out = append(out, head+" struct, "+field.Name()+" "+text(field.Type()))
			}
		}
	case *types.Interface:
		out = append(out, head+" interface")
		closed := false
		for method := range under.Methods() {
			if method.Exported() {
				out = append(out, head+" interface, "+method.Name()+signature(method, text))
			}
			closed = closed || !method.Exported()
		}
		if closed {
			out = append(out, head+" interface, unexported methods")
		}
	default:
		out = append(out, head+" "+text(under))
	}
	named, ok := object.Type().(*types.Named)
	if !ok {
		return out
	}
	for method := range named.Methods() {
		if !method.Exported() {
			continue
		}
		kind := ", method "
		if _, pointer := method.Signature().Recv().Type().(*types.Pointer); pointer {
			kind = ", pointer method "
		}
		out = append(out, head+kind+method.Name()+signature(method, text))
	}
	return out
}

// TestDifference shows what a reader of a failed test sees.
func TestDifference(t *testing.T) {
	file := []string{"func A()", "func B() error", "func D()"}
	require.Empty(t, difference(file, slices.Clone(file)))
	require.Equal(t, "  - func B() error\n  + func B() (int, error)\n  + func C()\n",
		difference(file, []string{"func A()", "func B() (int, error)", "func C()", "func D()"}))
	require.Equal(t, "  the same lines in another order, or twice\n",
		difference(file, []string{"func A()", "func A()", "func B() error", "func D()"}))
}
