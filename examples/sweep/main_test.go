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
	for _, line := range []string{
		"1 of 2 approvals, pending",
		"approves alone: approved",
		"At the exchange 29930000 satoshi",
		"Own             20000000 satoshi",
		"Treasury        50000000 satoshi",
	} {
		assert.Contains(t, out.String(), line)
	}
}
