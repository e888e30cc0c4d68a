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
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", `{{join .Imports "\n"}}`, ".").Output()
	require.NoError(t, err)
	var own []string
	for path := range strings.Lines(string(out)) {
		path = strings.TrimSpace(path)
		if rest, ours := strings.CutPrefix(path, module); ours {
			own = append(own, rest)
		} else {
			assert.NotContains(t, path, ".", "nothing but the standard library")
		}
	}
	assert.Equal(t, []string{"", "/approver", "/internal/agentcrypto", "/internal/durable"}, own)
	out, err = exec.CommandContext(t.Context(), "go", "list", "-f", `{{join .Imports "\n"}}`, module+"/approver", module+"/outbox", module+"/inbox", module+"/sandbox", module).Output()
	require.NoError(t, err)
	assert.NotContains(t, string(out), module+"/signingagent")
}
