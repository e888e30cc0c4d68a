package spec

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

var apiLine = regexp.MustCompile(`(?m)^API: ((?:GET|POST|PUT|DELETE) /\S*)$`)

// methodsOf returns the client's methods by the operations that their doc comments name. It is an error if a method names
// none, or an unknown operation, or another one than its body calls.
func methodsOf(t *testing.T) map[string][]string {
	t.Helper()
	return readClient(t).methodsFor(t, Partner, publishedStatuses)
}

func (s *goSource) methodsFor(t *testing.T, api *API, statuses map[string][]string) map[string][]string {
	t.Helper()
	methods := map[string][]string{}
	var called []string
	for _, m := range s.methods {
		if !strings.HasSuffix(m.receiver, "Service") || !ast.IsExported(m.receiver) || !ast.IsExported(m.name) {
			continue
		}
		name := m.receiver + "." + m.name
		lines := apiLine.FindAllStringSubmatch(m.doc, -1)
		assert.NotEmpty(t, lines, "%s has no line that begins with API:", name)
		assert.Len(t, lines, strings.Count(m.doc, "API:"), "%s has a line API: that cannot be read", name)
		var documented []string
		for _, line := range lines {
			operation := line[1]
			documented = append(documented, operation)
			_, known := statuses[operation]
			assert.True(t, known || slices.Contains(api.feeds, operation), "%s names %s, which is no operation", name, operation)
			methods[operation] = append(methods[operation], name)
		}
		if m.calls != nil { // else it is made of other methods
			assert.Equal(t, documented, m.calls, "%s: the lines API: of its comment, and what its body has", name)
		}
		called = append(called, m.calls...)
	}
	for operation := range statuses {
		assert.True(t, slices.Contains(called, operation), "no method's body has %s", operation)
	}
	return methods
}

func TestSpecEveryOperationHasAMethod(t *testing.T) {
	methods := methodsOf(t)
	for _, op := range Partner.Operations() {
		assert.NotEmpty(t, methods[op.String()], "no method of the client names %s", op)
	}
}
