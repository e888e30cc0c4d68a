package sandbox_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// layers are the packages of the sandbox, from the top, and which others of them each imports, and whether it imports
// the cryptography of signing agents, which is the module's. An arrow that is not here is one that somebody has to think about.
var layers = map[string]string{
	"":                     "internal/access internal/console internal/control internal/custody internal/forms internal/keyfile internal/live internal/partner internal/qredoapi internal/requestlog internal/serve internal/store internal/world internal/worldfile",
	"/internal/partner":    "internal/access internal/custody internal/forms internal/serve internal/world",
	"/internal/qredoapi":   "internal/access internal/custody internal/forms internal/serve internal/world",
	"/internal/serve":      "internal/access internal/world",
	"/internal/forms":      "internal/custody internal/world",
	"/internal/world":      "agentcrypto internal/custody internal/evm internal/ledger",
	"/internal/worldfile":  "internal/custody internal/world",
	"/internal/access":     "agentcrypto internal/keyfile",
	"/internal/console":    "internal/control internal/serve",
	"/internal/control":    "",
	"/internal/custody":    "",
	"/internal/evm":        "",
	"/internal/keyfile":    "",
	"/internal/ledger":     "",
	"/internal/live":       "",
	"/internal/requestlog": "",
	"/internal/store":      "",
}

// knowsNoWire are the layers that must not learn how anything is sent: neither HTTP nor the forms of JSON that
// clients send.
var knowsNoWire = []string{"/internal/world", "/internal/custody", "/internal/ledger", "/internal/evm", "/internal/store", "/internal/worldfile"}

func TestLayersImportWhatLiesBelow(t *testing.T) {
	const module = "github.com/qredo-go/qredo"
	const own = module + "/sandbox"
	var stderr strings.Builder
	list := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.ImportPath}}{{range .Imports}} {{.}}{{end}}", "./...")
	list.Stderr = &stderr
	out, err := list.Output()
	require.NoError(t, err, stderr.String())
	found := map[string]string{}
	for line := range strings.Lines(string(out)) {
		imports := strings.Fields(line)
		layer := strings.TrimPrefix(imports[0], own)
		var others []string
		for _, path := range imports[1:] {
			if other, isOurs := strings.CutPrefix(path, own+"/"); isOurs {
				others = append(others, other)
			}
			if path == module+"/internal/agentcrypto" {
				others = append(others, "agentcrypto")
			}
			if slices.Contains(knowsNoWire, layer) {
				assert.False(t, path == "net/http" || path == module+"/internal/wire", "%s imports %s", layer, path)
			}
		}
		found[layer] = strings.Join(others, " ")
	}
	assert.Equal(t, layers, found)
}

// linked are the modules that every program which embeds the sandbox has in it. Their licenses (BSD, ISC, MIT, Apache) ask of such a
// program only to be named, and they are few.
const linked = `filippo.io/bigmod github.com/cloudflare/circl github.com/coder/websocket github.com/decred/dcrd/dcrec/secp256k1/v4
	github.com/gofrs/flock github.com/google/go-querystring github.com/qredo-go/qredo go.etcd.io/bbolt
	go.yaml.in/yaml/v3 golang.org/x/crypto golang.org/x/sys golang.org/x/text golang.org/x/time`

func TestModulesLinked(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".").Output()
	require.NoError(t, err)
	found := strings.Fields(string(out))
	slices.Sort(found)
	assert.Equal(t, strings.Fields(linked), slices.Compact(found))
}
