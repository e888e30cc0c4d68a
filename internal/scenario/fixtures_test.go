package scenario_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/clienttest"
)

// TestFixturesNameTheirMethods keeps fixtures, methods and their API lines together: the file
// funds_create.json holds the operation that FundsService.Create says it calls.
func TestFixturesNameTheirMethods(t *testing.T) {
	operations := documentedOperations(t)
	files, err := filepath.Glob("../../qredotest/fixtures/*.json")
	require.NoError(t, err)
	require.Len(t, files, 56, "one for every operation, and for each feed that is none")
	placeholder := regexp.MustCompile(`\\\{[a-z_]+\\\}`)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		f := clienttest.LoadFixture(t, name)
		assert.Equal(t, operations[strings.ReplaceAll(name, "_", "")], f.Operation, name)
		_, template, _ := strings.Cut(f.Operation, " ")
		pattern := placeholder.ReplaceAllString(regexp.QuoteMeta(template), "[0-9A-Za-z]+")
		assert.Regexp(t, "^"+pattern+"$", f.Path, name)
	}
}

// documentedOperations maps methods, such as "fundscreate", to the operation on their API line.
func documentedOperations(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../../*.go")
	require.NoError(t, err)
	found := map[string]string{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, decl := range parsed.Decls {
			method, ok := decl.(*ast.FuncDecl)
			if !ok || method.Recv == nil || method.Doc == nil {
				continue
			}
			receiver := types.ExprString(method.Recv.List[0].Type)
			service, isService := strings.CutSuffix(strings.TrimPrefix(receiver, "*"), "Service")
			_, operation, documented := strings.Cut(method.Doc.Text(), "\nAPI: ")
			if isService && documented {
				found[strings.ToLower(service+method.Name.Name)] = strings.TrimSpace(operation)
			}
		}
	}
	return found
}
