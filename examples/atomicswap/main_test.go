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
	// Each side pays a fee of a thousandth on top of what the other gets.
	for _, line := range []string{
		"Maker has 0.4995 BTC-TESTNET (49950000 base units)",
		"Maker has 8 ETH-TESTNET (8000000000 base units)",
		"Taker has 1.992 ETH-TESTNET (1992000000 base units)",
		"Taker has 0.5 BTC-TESTNET (50000000 base units)",
		"taker_approved",
	} {
		assert.Contains(t, out.String(), line)
	}
}
