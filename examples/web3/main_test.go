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
		"2 of 2 approve",
		"a legacy transaction: 1500000000000000000 wei",
		"is created", "bob@acme.example approves",
		"approved, type 0, nonce 0,", "approved, type 2, nonce 1,", "signed by 0x",
	} {
		assert.Contains(t, out.String(), line)
	}
}
