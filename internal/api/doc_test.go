package api

import (
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDocumented requires a doc comment on each package and everything it exports: constants and variables on their own
// or as a group, functions, types, methods, and the methods of interfaces. A comment begins with the name, as is usual in
// Go, and the targets of its links exist.
func TestDocumented(t *testing.T) {
	read := map[string]*documented{}
	var all []*documented
	for _, p := range public(t) {
		d := readDoc(t, p)
		read[p.ImportPath] = d
		all = append(all, d)
	}
	for _, d := range all {
		d.check(t, read)
	}
}

// documented is a package with its documentation.
type documented struct {
	*doc.Package
	names map[string]bool // that a link can lead to: "Client", "Client.Do", "Client.Funds"
}

func readDoc(t *testing.T, p pkg) *documented {
	t.Helper()
	files, set := []*ast.File(nil), token.NewFileSet()
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, file)
	}
	read, err := doc.NewFromFiles(set, files, p.ImportPath)
	require.NoError(t, err)
	d := &documented{read, map[string]bool{}}
	values := slices.Concat(read.Consts, read.Vars)
	funcs := read.Funcs
	for _, of := range read.Types {
		values = slices.Concat(values, of.Consts, of.Vars)
		funcs = slices.Concat(funcs, of.Funcs)
		d.names[of.Name] = true
		for _, method := range of.Methods {
			d.names[of.Name+"."+method.Name] = true
		}
		for _, member := range members(of) {
			for _, name := range member.Names {
				d.names[of.Name+"."+name.Name] = true
			}
		}
	}
	for _, value := range values {
		for _, name := range value.Names {
			d.names[name] = true
		}
	}
	for _, f := range funcs {
		d.names[f.Name] = true
	}
	return d
}

// members are the fields of a struct or the methods of an interface.
func members(of *doc.Type) []*ast.Field {
	for _, spec := range of.Decl.Specs {
		named, ok := spec.(*ast.TypeSpec)
		if !ok || named.Name.Name != of.Name {
			continue
		}
		switch kind := named.Type.(type) {
		case *ast.StructType:
			return kind.Fields.List
		case *ast.InterfaceType:
			return kind.Methods.List
		}
	}
	return nil
}

// unlinked is what looks like a link in the text of a comment but leads nowhere.
var unlinked = regexp.MustCompile(`\[\*?(\w+\.)*[A-Z]\w*\]`)

func (d *documented) check(t *testing.T, read map[string]*documented) {
	t.Helper()
	links := func(name, text string) {
		d.checkLinks(t, name, d.Parser().Parse(text).Content, read)
	}
	named := func(name, text string) {
		first, _, _ := strings.Cut(text, " ")
		if strings.TrimSpace(text) == "" {
			t.Errorf("%s.%s has no doc comment", d.Name, name)
		} else if begin := name[strings.LastIndex(name, ".")+1:]; strings.TrimSpace(first) != begin {
			t.Errorf("%s.%s: its doc comment does not begin with %s", d.Name, name, begin)
		}
		links(name, text)
	}
	grouped := func(values []*doc.Value) {
		for _, value := range values {
			if strings.TrimSpace(value.Doc) == "" {
				t.Errorf("%s: the group of %s has no doc comment", d.Name, strings.Join(value.Names, ", "))
			}
			links(value.Names[0], value.Doc)
		}
	}
	functions := func(funcs []*doc.Func, prefix string) {
		for _, f := range funcs {
			named(prefix+f.Name, f.Doc)
		}
	}
	if !strings.HasPrefix(d.Doc, "Package "+d.Name+" ") {
		t.Errorf("%s: its comment does not begin with Package %s", d.ImportPath, d.Name)
	}
	links("the package's comment", d.Doc)
	grouped(d.Consts)
	grouped(d.Vars)
	functions(d.Funcs, "")
	for _, of := range d.Types {
		named(of.Name, of.Doc)
		grouped(of.Consts)
		grouped(of.Vars)
		functions(of.Funcs, "")
		functions(of.Methods, of.Name+".")
		for _, member := range members(of) {
			_, method := member.Type.(*ast.FuncType)
			if method && len(member.Names) == 1 && member.Doc.Text() == "" && member.Comment.Text() == "" {
				t.Errorf("%s.%s.%s has no doc comment", d.Name, of.Name, member.Names[0].Name)
			}
		}
	}
}

// checkLinks follows the links of a doc comment within this module.
func (d *documented) checkLinks(t *testing.T, name string, blocks []comment.Block, read map[string]*documented) {
	t.Helper()
	texts := func(all []comment.Text) {
		for _, text := range all {
			switch text := text.(type) {
			case comment.Plain:
				for _, found := range unlinked.FindAllString(string(text), -1) {
					t.Errorf("%s.%s: %s in its doc comment leads nowhere", d.Name, name, found)
				}
			case *comment.DocLink:
				target, symbol := d, text.Name
				if text.Recv != "" {
					symbol = text.Recv + "." + text.Name
				}
				if text.ImportPath != "" {
					target = read[text.ImportPath]
				}
				if target != nil && symbol != "" && !target.names[symbol] {
					t.Errorf("%s.%s: its doc comment links to %s.%s, which is not there", d.Name, name, target.Name, symbol)
				}
			}
		}
	}
	for _, block := range blocks {
		switch block := block.(type) {
		case *comment.Paragraph:
			texts(block.Text)
		case *comment.Heading:
			texts(block.Text)
		case *comment.List:
			for _, item := range block.Items {
				d.checkLinks(t, name, item.Content, read)
			}
		}
	}
}
