package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/pgtest"
)

// TestMain is the teller if it is started as one.
func TestMain(m *testing.M) {
	if isTeller() {
		if err := tell(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestRun(t *testing.T) {
	database := pgtest.Database(t)
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), database, &out), out.String())
	assert.Regexp(t, `[1-9][0-9] tellers were killed`, out.String())
	assert.Contains(t, out.String(), "Customers were paid 60000 satoshi by the books, 60000 by the sandbox, and have 140000 left. 1 payout was refused")
}
