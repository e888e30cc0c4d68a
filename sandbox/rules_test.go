package sandbox_test

import (
	"go/ast"
	"go/parser"
	"go/token"
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

// Each row of RULES.md says where the code is that it speaks of, and each refusal in the code stands in a row.

// code is what the packages that rules name declare.
type code struct {
	declared map[string]bool // "world.Update.Deposit", "access.ErrProof"; of a route: "partner:POST /company"
	refusals map[string]bool // the functions that refuse something
}

// refusing are what a refusal is made by: the functions that make one, and the types that are one.
var refusing = map[string]string{
	"world":   "invalid notFound conflict Error",
	"serve":   "BadRequest NotFound Fault",
	"access":  "notProved errNoCredentials ErrProof Refusal",
	"control": "Refusal",
}

// makers only give a refusal its form, so that no row need name them.
var makers = []string{
	"world.invalid", "world.notFound", "world.conflict", "serve.BadRequest", "serve.NotFound", "serve.AsFault", "serve.accessFault",
	"serve.FaultOf", "serve.WriteFault", "sandbox.writeRefused", "access.notProved", "access.errNoCredentials", "access.ErrProof",
}

// readCode reads the packages of the sandbox, and those of the module that it reads requests by.
func readCode(t *testing.T) code {
	t.Helper()
	c := code{map[string]bool{}, map[string]bool{}}
	dirs, err := filepath.Glob("internal/*")
	require.NoError(t, err)
	for _, dir := range append(dirs, ".", "../internal/wire") {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(t, err)
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			for _, d := range file.Decls {
				c.add(file.Name.Name, d)
			}
		}
	}
	return c
}

func (c *code) add(pkg string, declaration ast.Decl) {
	switch d := declaration.(type) {
	case *ast.FuncDecl:
		name := pkg + "." + d.Name.Name
		if d.Recv != nil {
			name = pkg + "." + receiver(d.Recv.List[0].Type) + "." + d.Name.Name
		}
		c.declared[name] = true
		c.look(pkg, name, d.Body)
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				c.declared[pkg+"."+s.Name.Name] = true
			case *ast.ValueSpec:
				for i, name := range s.Names {
					c.declared[pkg+"."+name.Name] = true
					if i < len(s.Values) {
						c.look(pkg, pkg+"."+name.Name, s.Values[i])
					}
				}
			}
		}
	}
}

// receiver is the name of a method's type.
func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.IndexListExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

// look notes the routes that a declaration lists, and whether it refuses something.
func (c *code) look(pkg, name string, declaration ast.Node) {
	ast.Inspect(declaration, func(n ast.Node) bool {
		if n != nil && refuses(pkg, n) {
			c.refusals[name] = true
		}
		if literal, ok := n.(*ast.CompositeLit); ok {
			if method, path := field(literal, "Method"), field(literal, "Path"); method != "" && path != "" {
				c.declared[pkg+":"+method+" "+path] = true
			}
		}
		return true
	})
}

// refuses reports whether code in a package makes a refusal.
func refuses(pkg string, n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CallExpr:
		return isOneOf(pkg, n.Fun)
	case *ast.CompositeLit:
		return isOneOf(pkg, n.Type)
	case *ast.ReturnStmt:
		return slices.ContainsFunc(n.Results, func(e ast.Expr) bool { return isOneOf(pkg, e) })
	}
	return false
}

func isOneOf(pkg string, e ast.Expr) bool {
	name := ""
	switch e := e.(type) {
	case *ast.Ident:
		name = e.Name
	case *ast.SelectorExpr:
		if from, ok := e.X.(*ast.Ident); ok {
			pkg, name = from.Name, e.Sel.Name
		}
	}
	return name != "" && slices.Contains(strings.Fields(refusing[pkg]), name)
}

// field is the text of a field in a composite literal.
func field(literal *ast.CompositeLit, name string) string {
	for _, element := range literal.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		key, isName := pair.Key.(*ast.Ident)
		value, isText := pair.Value.(*ast.BasicLit)
		if isName && isText && key.Name == name {
			text, _ := strconv.Unquote(value.Value)
			return text
		}
	}
	return ""
}

// row is a rule, and where it says that it is.
type row struct {
	rule  string
	where []string // names of code; none for the form of an answer
}

const shape = "*shape*"

var nameOfCode = regexp.MustCompile("^`([^`]+)`$")

// readRules reads the rows of RULES.md. The first table says what the kinds of evidence are, and has no rules.
func readRules(t *testing.T) []row {
	t.Helper()
	data, err := os.ReadFile("RULES.md")
	require.NoError(t, err)
	var rows []row
	var head []string
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			head = nil
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case head == nil:
			head = cells
		case strings.HasPrefix(line, "|---") || head[0] == "evidence":
		default:
			require.Equal(t, "where", head[len(head)-1], "the table of %q", line)
			require.Len(t, cells, len(head), "%s", line)
			rows = append(rows, row{cells[0], whereOf(t, cells)})
		}
	}
	return rows
}

func whereOf(t *testing.T, cells []string) []string {
	t.Helper()
	where := cells[len(cells)-1]
	if where == shape {
		return nil
	}
	var names []string
	for part := range strings.SplitSeq(where, ", ") {
		name := nameOfCode.FindStringSubmatch(part)
		require.NotNil(t, name, "%q says neither where it is nor %s: %q", cells[0], shape, where)
		names = append(names, name[1])
	}
	return names
}

func TestEachRuleSaysWhereItIs(t *testing.T) {
	c, rows := readCode(t), readRules(t)
	require.NotEmpty(t, rows)
	named := map[string]bool{}
	for _, r := range rows {
		for _, name := range r.where {
			assert.True(t, c.declared[name], "%q: there is no %s", r.rule, name)
			named[name] = true
		}
	}
	require.NotEmpty(t, c.refusals)
	for name := range c.refusals {
		if !slices.Contains(makers, name) {
			assert.True(t, named[name], "%s refuses something, and no row of RULES.md names it", name)
		}
	}
	for _, name := range makers {
		assert.True(t, c.declared[name], "there is no %s to be left out", name)
	}
}
