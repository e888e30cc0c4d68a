package sandbox_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/durable/durabletest"
	"github.com/qredo-go/qredo/sandbox"
)

// exported is the world as a text, without keys, which each sandbox makes for itself.
func exported(t *testing.T, s *sandbox.Sandbox) string {
	t.Helper()
	var all bytes.Buffer
	require.NoError(t, s.Export(&all, sandbox.WithPrivateKeys()))
	var text strings.Builder
	for line := range strings.Lines(all.String()) {
		if !strings.HasPrefix(line, `{"key":`) && !strings.HasPrefix(line, `{"end":`) {
			text.WriteString(line)
		}
	}
	return text.String() + fmt.Sprintf(`{"end":{"lines":%d,"sha256":"%x"}}`, strings.Count(text.String(), "\n"), sha256.Sum256([]byte(text.String()))) + "\n"
}

// atFixture is a moment at which the withdrawal of the fixtures waits still.
func atFixture() time.Time { return time.Date(2026, 11, 30, 22, 40, 0, 0, time.UTC) }

// TestStoreOfFirstVersion opens a folder that the code of version 0.1.0 has written: all of its world is there. It then is the world that is
// in testdata/world-form1.jsonl, in this version's form: that fails when another form 1 is written, or form 1 cannot be read.
func TestStoreOfFirstVersion(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Rename(durabletest.Unpack(t, "journal-0.1.0.db"), filepath.Join(dir, "journal.db")))
	for range 2 { // once in the old form, and once in the new
		s, err := sandbox.New(sandbox.WithStore(dir), sandbox.WithClock(atFixture), sandbox.WithSeed(7))
		require.NoError(t, err)
		state, err := s.State()
		require.NoError(t, err)
		require.Len(t, state.Companies, 1)
		assert.Equal(t, "Acme", state.Companies[0].Name)
		assert.Equal(t, 4, state.Transactions, "a deposit, and withdrawals that were approved, rejected and wait")
		pending, err := s.Pending("alice@example.com")
		require.NoError(t, err)
		assert.Len(t, pending, 1)
		durabletest.Is(t, exported(t, s), "world-form1.jsonl")
		require.NoError(t, s.Close())
	}
}

// A world of this form, as one of its texts and as a folder's snapshot, is read and written as it was.
func TestWorldForm(t *testing.T) {
	text, err := os.ReadFile("testdata/world-form1.jsonl")
	require.NoError(t, err)
	dir := t.TempDir()
	for range 2 {
		s, err := sandbox.New(sandbox.WithStore(dir), sandbox.WithWorld(bytes.NewReader(text)), sandbox.WithClock(atFixture))
		require.NoError(t, err)
		assert.Equal(t, string(text), exported(t, s))
		require.NoError(t, s.Close())
	}
	before := exportedFiles(t, dir)
	_, err = sandbox.New(sandbox.WithWorld(strings.NewReader(strings.Replace(string(text), `"version":1`, `"version":2`, 1))))
	require.ErrorContains(t, err, "line 1: it has version 2")
	assert.Equal(t, before, exportedFiles(t, dir))
}

func exportedFiles(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
