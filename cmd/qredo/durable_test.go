package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/durable/durabletest"
)

// What the command writes is on the disk when it says so, name and all: keys, an export that replaces another.
func TestWhatIsWrittenIsOnTheDisk(t *testing.T) {
	s := serve(t, nil)
	dir := t.TempDir()
	out := filepath.Join(dir, "ledger.csv")
	require.NoError(t, os.WriteFile(out, []byte("of yesterday"), 0o600))
	for _, args := range [][]string{
		{"keys", "new", "--dir", dir},
		{"ledger", "export", string(s.Fund), "--out", out, "--force"},
		{"config", "set", "--config", filepath.Join(dir, "config.yaml"), "base_url", "http://127.0.0.1:1/api/v1/p"},
	} {
		assert.True(t, durabletest.SyncsFolder(t, dir, func() {
			said, err := qredoCommand(t, s.environ(), args...).CombinedOutput()
			require.NoError(t, err, string(said))
		}), strings.Join(args[:2], " "))
	}
	assert.NotContains(t, read(t, out), "of yesterday")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, entry := range left {
		names = append(names, entry.Name())
	}
	assert.Equal(t, []string{"config.yaml", "ledger.csv", "private.pem", "public.pem"}, names, "and nothing else")
}
