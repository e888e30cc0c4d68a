package approver_test

import (
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/durable/durabletest"
)

// TestHoldAuditLog is the other process of TestAuditLogBetweenProcesses.
func TestHoldAuditLog(t *testing.T) {
	durabletest.Hold(t, func(path string) (io.Closer, error) { return approver.OpenAuditLog(path) })
}

// A log that is open in another process, which ends in good order or is killed.
func TestAuditLogBetweenProcesses(t *testing.T) {
	for _, kill := range []bool{false, true} {
		t.Run(fmt.Sprintf("killed %t", kill), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "audit.jsonl")
			end := durabletest.InProcess(t, "TestHoldAuditLog", path)
			_, err := approver.OpenAuditLog(path)
			require.ErrorContains(t, err, "another process may be writing it")
			end(kill)
			log, err := approver.OpenAuditLog(path)
			require.NoError(t, err)
			_, err = approver.OpenAuditLog(path)
			require.ErrorContains(t, err, "another process may be writing it", "nor may this process write it twice")
			require.NoError(t, log.Close())
		})
	}
}
