package main

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/pgtest"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // what does not end reports its state
	defer cancel()
	require.NoError(t, run(ctx, pgtest.Database(t), &out), out.String())
	assert.Contains(t, out.String(), "20 payouts are made, Ben has a house and Ann no castle, and what the books do not know is custody_rejected.")
	assert.Contains(t, out.String(), "ben has 299300 satoshi, of which 0 are held.")
	assert.Contains(t, out.String(), "ann has 899900 satoshi, of which 0 are held.")
	assert.Regexp(t, `"payments done": [12]\d\b`, out.String()) // 21, except for those that ended just as it was stopped
}
