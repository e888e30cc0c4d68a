package main

import (
	"bytes"
	"embed"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
)

//go:embed *.tmpl
var texts embed.FS

var templates = template.Must(template.ParseFS(texts, "*.tmpl"))

// file is the header of a file.
type file struct {
	Package           string
	Standard, Imports []string // its imports
}

// importing adds the import of a package.
func (f *file) importing(path string) {
	list := &f.Imports
	if !strings.Contains(path, ".") {
		list = &f.Standard
	}
	if !slices.Contains(*list, path) {
		*list = append(*list, path)
		slices.Sort(*list)
	}
}

// interfaces is the file of all interfaces.
type interfaces struct {
	file

	Services []*service
}

// service is a service of a client.
type service struct {
	file

	Client, Import string // the client's package, with its path
	Name, Kit      string // "Transfers", and the qualifier of package qredotest
	Methods        []method
}

type method struct {
	Name    string
	Service string
	Params  []param
	Results []string
	Element string // of the values that the iterator yields
}

type param struct {
	Name, Type string
	Variadic   bool
}

// Field is the parameter's field in the recorded call.
func (p param) Field() string { return strings.ToUpper(p.Name[:1]) + p.Name[1:] }

// Kept is the type of that field.
func (p param) Kept() string { return strings.Replace(p.Type, "...", "[]", 1) }

// Signature is the part of the declaration after the method's name.
func (m method) Signature() string {
	params := make([]string, len(m.Params))
	for i, p := range m.Params {
		params[i] = p.Name + " " + p.Type
	}
	results := strings.Join(m.Results, ", ")
	if len(m.Results) > 1 {
		results = "(" + results + ")"
	}
	return "(" + strings.Join(params, ", ") + ") " + results
}

// Arguments passes the parameters on.
func (m method) Arguments() string {
	args := make([]string, len(m.Params))
	for i, p := range m.Params {
		args[i] = p.Name
		if p.Variadic {
			args[i] += "..."
		}
	}
	return strings.Join(args, ", ")
}

// Values are the types of its results, except for the error.
func (m method) Values() []string { return m.Results[:len(m.Results)-1] }

// Noted are the values of the fields of a recorded call.
func (m method) Noted() string {
	values := make([]string, len(m.Params))
	for i, p := range m.Params {
		values[i] = p.Name
	}
	return strings.Join(values, ", ")
}

// Generate returns the files for the services in a folder of source, by their names.
func Generate(folder, importPath, name string) (map[string][]byte, error) {
	services, err := read(folder, importPath, name)
	if err != nil {
		return nil, err
	}
	all := interfaces{file: file{Package: name}, Services: services}
	files := map[string][]byte{}
	write := func(file, template string, data any) {
		var text bytes.Buffer
		if err == nil {
			err = templates.ExecuteTemplate(&text, template, data)
		}
		if err == nil {
			files[file], err = format.Source(text.Bytes())
		}
	}
	for _, s := range services {
		for _, path := range slices.Concat(s.Standard, s.Imports) {
			all.importing(path)
		}
		s.importing(modulePath + "/qredotest/internal/fake")
		if name != "qredotest" {
			s.Kit = "qredotest."
			s.importing(modulePath + "/qredotest")
		}
		write("fake_"+strings.ToLower(s.Name)+".go", "fake.go.tmpl", s)
	}
	write("interfaces.go", "interfaces.go.tmpl", all)
	return files, err
}

// read finds the services: the exported types that end in Service, with their exported methods in alphabetical order.
func read(folder, importPath, into string) ([]*service, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	set, found := token.NewFileSet(), map[string]*service{}
	for _, name := range paths {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, decl := range parsed.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv == nil || !f.Name.IsExported() {
				continue
			}
			receiver := strings.TrimPrefix(types.ExprString(f.Recv.List[0].Type), "*")
			short, ok := strings.CutSuffix(receiver, "Service")
			if !ok || !ast.IsExported(receiver) {
				continue
			}
			s := found[short]
			if s == nil {
				s = &service{file: file{Package: into}, Client: path.Base(importPath), Import: importPath, Name: short}
				s.importing(importPath)
				found[short] = s
			}
			if err := s.add(f); err != nil {
				return nil, fmt.Errorf("%s.%s: %w", receiver, f.Name.Name, err)
			}
		}
	}
	var all []*service
	for _, s := range found {
		slices.SortFunc(s.Methods, func(a, b method) int { return strings.Compare(a.Name, b.Name) })
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *service) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

const modulePath = "github.com/qredo-go/qredo"

// add adds a method.
func (s *service) add(f *ast.FuncDecl) error {
	m := method{Name: f.Name.Name, Service: s.Client + "." + s.Name + "Service"}
	for _, field := range f.Type.Params.List {
		text := s.typeOf(field.Type)
		_, variadic := field.Type.(*ast.Ellipsis)
		for _, n := range field.Names {
			m.Params = append(m.Params, param{n.Name, text, variadic})
		}
		if len(field.Names) == 0 {
			return fmt.Errorf("a parameter has no name")
		}
	}
	for _, field := range f.Type.Results.List {
		for range max(1, len(field.Names)) {
			m.Results = append(m.Results, s.typeOf(field.Type))
		}
	}
	last := m.Results[len(m.Results)-1]
	if element, ok := strings.CutPrefix(last, "iter.Seq2["); ok {
		m.Element = strings.TrimSuffix(element, ", error]")
	} else if last != "error" {
		return fmt.Errorf("its last result is %s, so a fake could not report that the method is not set", last)
	}
	s.Methods = append(s.Methods, m)
	return nil
}

// typeOf formats a type of the client's package as other packages refer to it.
func (s *service) typeOf(expr ast.Expr) string {
	switch t := expr.(type) {
	case *ast.Ident:
		if types.Universe.Lookup(t.Name) != nil {
			return t.Name
		}
		return s.Client + "." + t.Name
	case *ast.SelectorExpr:
		name := t.X.(*ast.Ident).Name
		if name == "qredo" {
			name = modulePath
		}
		s.importing(name)
		return types.ExprString(t)
	case *ast.StarExpr:
		return "*" + s.typeOf(t.X)
	case *ast.ArrayType:
		return "[]" + s.typeOf(t.Elt)
	case *ast.MapType:
		return "map[" + s.typeOf(t.Key) + "]" + s.typeOf(t.Value)
	case *ast.Ellipsis:
		return "..." + s.typeOf(t.Elt)
	case *ast.IndexListExpr:
		args := make([]string, len(t.Indices))
		for i, index := range t.Indices {
			args[i] = s.typeOf(index)
		}
		return s.typeOf(t.X) + "[" + strings.Join(args, ", ") + "]"
	}
	return types.ExprString(expr)
}
