package approver_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/approver"
)

// logrotate, or somebody who tidies up, moves the log of an approver that is at work.
func TestNothingIsApprovedOnceTheLogWasMoved(t *testing.T) {
	d := newDesk(t)
	log, err := approver.OpenAuditLog(d.logPath, approver.WithClock(d.clock.Now))
	require.NoError(t, err)
	defer func() { assert.NoError(t, log.Close()) }()
	done := d.run(rulesAt(t, rulesFile("true"), d.clock.Now), approver.WithAuditLog(log))
	tx := d.transfer(1, "")
	d.next(approver.EntryResult)
	require.True(t, d.approved(tx))
	require.NoError(t, os.Rename(d.logPath, d.logPath+".1"))
	tx = d.transfer(2, "")
	require.ErrorContains(t, <-done, "was moved, removed or replaced")
	assert.False(t, d.approved(tx))
	data, err := os.ReadFile(d.logPath + ".1")
	require.NoError(t, err)
	assert.NotContains(t, string(data), d.Action(t, tx).ID)
}
