package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out), out.String())
	for _, want := range []string{
		"payout-3 approve: a small payout", "payout-4 leave: limit of rule", "machine  leave: no rule matches", "fraud-1  reject: the reference is on the list of fraud",
		"refused: a wrong PIN (not authenticated)", "refused: another agent (not found)", "refused: another key (bad request)",
		"refused: zeros (bad request)", "refused: junk (bad request)", "what the agent has signed is approved, and nothing else",
	} {
		assert.Contains(t, out.String(), want)
	}
	assert.NotContains(t, out.String(), "4711")
}
