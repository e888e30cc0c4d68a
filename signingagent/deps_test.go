package signingagent_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What stands above an agent must not come into it: a program that is one needs neither a sandbox nor a command.
func TestAnAgentStandsAboveTheApproverAndNothingElse(t *testing.T) {
	const module = "github.com/qredo-go/qredo"
	imports := func(packages ...string) string {
		out, err := exec.CommandContext(t.Context(), "go", append([]string{"list", "-f", `{{join .Imports "\n"}}`}, packages...)...).Output()
		require.NoError(t, err)
		return string(out)
	}
	var own []string
	for path := range strings.Lines(imports(".")) {
		if rest, ours := strings.CutPrefix(strings.TrimSpace(path), module); ours && !strings.HasPrefix(rest, "/internal/") {
			own = append(own, rest)
		}
	}
	assert.Equal(t, []string{"", "/approver"}, own)
	assert.NotContains(t, imports(module, module+"/approver", module+"/outbox", module+"/inbox", module+"/qapi", module+"/sandbox"), module+"/signingagent")
}
