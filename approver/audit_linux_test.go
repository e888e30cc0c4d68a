package approver

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Linux takes what is written to the null device, and refuses to bring it to a disk. After that nobody knows what of a log
// is on the disk: it takes no more lines, also none that need not be there at once.
func TestAuditLogThatCouldNotBeSyncedTakesNothingMore(t *testing.T) {
	l, err := OpenAuditLog(os.DevNull, WithClock(atNoon))
	require.NoError(t, err)
	defer func() { assert.NoError(t, l.Close()) }()
	_, err = l.append(Entry{Kind: EntryDecision}, true)
	require.ErrorContains(t, err, "sync "+os.DevNull)
	_, err = l.append(Entry{Kind: EntryResult}, false)
	require.ErrorContains(t, err, "sync "+os.DevNull)
	assert.Zero(t, l.Head())
}
