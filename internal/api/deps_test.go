package api_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What importing this package may cost, in addition to the standard library and this module's own internal packages.
var allowedImports = []string{
	"github.com/google/go-querystring/query",
	"github.com/coder/websocket",
	"golang.org/x/time/rate",
}

func TestImportListStaysShort(t *testing.T) {
	const module = "github.com/qredo-go/qredo"
	var stderr strings.Builder
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", module)
	list.Stderr = &stderr
	out, err := list.Output()
	require.NoError(t, err, stderr.String())
	imports := strings.Fields(string(out))
	require.Contains(t, imports, module)
	for _, path := range imports {
		own := path == module || strings.HasPrefix(path, module+"/internal/")
		part := slices.ContainsFunc(allowedImports, func(allowed string) bool {
			return path == allowed || strings.HasPrefix(path, allowed+"/internal/")
		})
		if !own && !part {
			t.Errorf("the package imports %s: whoever imports the client would have to build it", path)
		}
	}
}
