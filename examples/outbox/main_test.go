package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// TestMain is the payer if it is started as one.
func TestMain(m *testing.M) {
	if isPayer() {
		if err := pay(context.Background(), os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func TestRun(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	require.NoError(t, run(ctx, &out))
	text := out.String()
	for _, p := range payments {
		assert.Contains(t, text, p.key+": pending, attempts so far: 0\n")
		assert.Regexp(t, p.key+`: pending, attempts so far: [1-9]`, text)
		assert.Regexp(t, p.key+`: done\n  enqueued \n(  unknown .*\n)+  sent .*: existing\n`, text)
	}
	assert.Contains(t, text, "The payer is killed: signal: killed")
	assert.Contains(t, text, "The recipient has 60000 satoshi.")
}
