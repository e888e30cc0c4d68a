//go:build unix

package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// Rules, a store and an audit log in a folder that others can write to: nothing is approved, unless somebody says so.
func TestAgentRunRefusesFilesThatOthersCanWrite(t *testing.T) {
	w := clienttest.NewWorld(t)
	safe, open := t.TempDir(), filepath.Join(t.TempDir(), "open")
	require.NoError(t, os.Mkdir(open, 0o700))
	require.NoError(t, os.Chmod(open, 0o777))
	for _, folder := range []string{safe, open} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, "policy"), []byte("rules:\n  - {name: all, when: type == \"ApproveTransfer\", then: approve}\n"), 0o600))
	}
	action := w.ActionOf(t, w.Send(t, 1000))
	run := func(ctx context.Context, policy, store, log string, more ...string) (code int, told string) {
		a, buffer := newTestApp(), &bytes.Buffer{}
		a.now, a.client, a.err = time.Now, w.Client, buffer
		a.env = func(name string) string { return map[string]string{"QREDO_CONFIG": filepath.Join(safe, "none")}[name] }
		args := []string{"agent", "run", string(w.Robot.ID), "--policy", policy + "/policy", "--store", store + "/store", "--audit-log", log + "/log"}
		return a.run(ctx, append(args, more...)), buffer.String()
	}
	for _, folders := range [][3]string{{open, safe, safe}, {safe, open, safe}, {safe, safe, open}} {
		code, told := run(t.Context(), folders[0], folders[1], folders[2])
		assert.NotEqual(t, exitDone, code)
		assert.Contains(t, told, "chmod go-w "+open)
		assert.Contains(t, told, "--insecure-files")
	}
	found, err := w.Client.CoreClients.GetAction(t.Context(), w.Robot.ID, action)
	require.NoError(t, err)
	require.Equal(t, qredo.ApprovalPending, found.Status)

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int)
	go func() {
		code, _ := run(ctx, open, open, open, "--insecure-files")
		done <- code
	}()
	assert.Eventually(t, func() bool {
		found, err := w.Client.CoreClients.GetAction(t.Context(), w.Robot.ID, action)
		return err == nil && found.Status == qredo.ApprovalApproved
	}, time.Minute, time.Millisecond)
	cancel()
	<-done
}
