package approver

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/durable/durabletest"
)

// TestAuditLogForm fails when lines of form 2 are written otherwise, or those that were written do not verify. Those of version 0.1.0 have
// a test of their own: TestOldLogsStillVerify.
func TestAuditLogForm(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	writeLines(t, path, 3)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	durabletest.Is(t, string(text), "audit-v2.jsonl")
	golden, err := os.Open("testdata/audit-v2.jsonl")
	require.NoError(t, err)
	require.NoError(t, VerifyLog(golden))
	require.NoError(t, golden.Close())
}
