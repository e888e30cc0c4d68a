package spec

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// goSource is the client's own source: most of its wire types are unexported, and its doc comments have to be read.
type goSource struct {
	structs map[string]*ast.StructType // by type; those within a method by "Type.Method", "Type.Method#2", …
	methods []method
}

type method struct {
	receiver, name, doc string
	calls               []string // the operations that its body names
}

func readClient(t *testing.T) *goSource { return readPackage(t, "../../") }

func readPackage(t *testing.T, dir string) *goSource {
	t.Helper()
	paths, err := filepath.Glob(dir + "*.go")
	require.NoError(t, err)
	src := &goSource{structs: map[string]*ast.StructType{}}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			src.add(decl)
		}
	}
	return src
}

func (s *goSource) add(decl ast.Decl) {
	switch d := decl.(type) {
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if named, ok := spec.(*ast.TypeSpec); ok {
				if st, ok := named.Type.(*ast.StructType); ok {
					s.structs[named.Name.Name] = st
				}
			}
		}
	case *ast.FuncDecl:
		if d.Recv == nil {
			return
		}
		m := method{receiver: elementName(d.Recv.List[0].Type), name: d.Name.Name, doc: d.Doc.Text()}
		count := 0
		ast.Inspect(d.Body, func(n ast.Node) bool {
			if operation := operationIn(n); operation != "" {
				m.calls = append(m.calls, operation)
			}
			if st, ok := n.(*ast.StructType); ok {
				count++
				name := m.receiver + "." + m.name
				if count > 1 {
					name += "#" + strconv.Itoa(count)
				}
				s.structs[name] = st
			}
			return true
		})
		s.methods = append(s.methods, m)
	}
}

// operationIn gives the operation that a piece of source is: a text such as "POST /fees", or "/wallets/feed",
// which is read. It gives nothing for any other.
func operationIn(n ast.Node) string {
	text, ok := n.(*ast.BasicLit)
	if !ok {
		return ""
	}
	found := operationText.FindStringSubmatch(text.Value)
	if found == nil {
		return ""
	}
	return cmp.Or(found[1], http.MethodGet) + " " + found[2]
}

var operationText = regexp.MustCompile(`^"(?:(GET|POST|PUT|DELETE) )?(/[a-z].*)"$`)

// goField is a field of a Go struct as JSON has it.
type goField struct {
	name    string // of its tag
	alias   bool   // a further name that is read
	omitted bool   // when it is zero
	list    bool
	element string // the type's name, without pointer and slice
}

// fields gives a struct's fields by their folded names, those of embedded structs among them.
func (s *goSource) fields(t *testing.T, typeName string) map[string]goField {
	t.Helper()
	st := s.structs[typeName]
	require.NotNil(t, st, "there is no struct %s", typeName)
	fields := map[string]goField{}
	for _, f := range st.Fields.List {
		if len(f.Names) == 0 {
			maps.Copy(fields, s.fields(t, elementName(f.Type)))
			continue
		}
		if f.Tag == nil {
			continue
		}
		text, err := strconv.Unquote(f.Tag.Value)
		require.NoError(t, err)
		tag := reflect.StructTag(text)
		name, options, _ := strings.Cut(tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		_, list := f.Type.(*ast.ArrayType)
		own := goField{name: name, omitted: options == "omitzero", list: list, element: elementName(f.Type)}
		fields[fold(name)] = own
		if other := tag.Get("alias"); other != "" {
			own.alias = true
			for alias := range strings.SplitSeq(other, ",") {
				fields[fold(alias)] = own
			}
		}
	}
	return fields
}

// queryNames gives the names that a struct has in a query.
func (s *goSource) queryNames(t *testing.T, typeName string) []string {
	t.Helper()
	st := s.structs[typeName]
	require.NotNil(t, st, "there is no struct %s", typeName)
	var names []string
	for _, f := range st.Fields.List {
		name, _, _ := strings.Cut(reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("url"), ",")
		names = append(names, name)
	}
	return names
}

// embeds tells whether a struct is another or embeds it.
func (s *goSource) embeds(typeName, other string) bool {
	if typeName == other {
		return true
	}
	st := s.structs[typeName]
	if st == nil {
		return false
	}
	for _, f := range st.Fields.List {
		if len(f.Names) == 0 && s.embeds(elementName(f.Type), other) {
			return true
		}
	}
	return false
}

func elementName(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.StarExpr:
		return elementName(x.X)
	case *ast.ArrayType:
		return elementName(x.Elt)
	case *ast.Ident:
		return x.Name
	}
	return ""
}

// fold writes a key as the client compares keys.
func fold(key string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(key))
}
