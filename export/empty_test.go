package export_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/export"
)

// TestALedgerWithoutEntriesHasItsHead, which programs that read CSV need, as one with entries has: and JSON lines have none.
func TestALedgerWithoutEntriesHasItsHead(t *testing.T) {
	full, path := filepath.Join(t.TempDir(), "full.csv"), filepath.Join(t.TempDir(), "out.csv")
	_, err := newExport(t, deposits(3)).ToFile(t.Context(), full)
	require.NoError(t, err)
	made, err := os.ReadFile(full)
	require.NoError(t, err)
	head, _, _ := strings.Cut(string(made), "\n")
	for format, want := range map[export.Format]string{export.CSV: head + "\n", export.JSONLines: ""} {
		l := &ledger{}
		done, err := newExport(t, l, export.WithFormat(format), export.WithReplace()).ToFile(t.Context(), path)
		require.NoError(t, err)
		assert.Zero(t, done.Entries)
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, want, string(got))
		var out bytes.Buffer
		_, err = newExport(t, l, export.WithFormat(format)).To(t.Context(), &out)
		require.NoError(t, err)
		assert.Equal(t, want, out.String())
	}
	assert.NoFileExists(t, path+".part")
	assert.NoFileExists(t, path+".part.json")
}
