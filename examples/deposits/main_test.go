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

func TestFiles(t *testing.T) { credit(t, "") }

func TestDatabase(t *testing.T) { credit(t, pgtest.Database(t)) }

func credit(t *testing.T, database string) {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), database, &out), out.String())
	assert.Contains(t, out.String(), "2 tellers were killed in the middle of a credit")
	assert.Regexp(t, `50 customers have [0-9]+ satoshi together`, out.String())
}
