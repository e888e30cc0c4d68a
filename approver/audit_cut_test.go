package approver

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A log is cut while it is open, which ends the run; or after its program was killed. What was noticed must not be forgotten by the next start.
func TestALogThatWasCutIsNotOpenedAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l, err := OpenAuditLog(path, WithClock(atNoon))
	require.NoError(t, err)
	end := int64(0) // of line 5
	for n := range 11 {
		_, err := l.append(Entry{Kind: EntryDecision, ActionID: "action"}, n%2 == 0)
		require.NoError(t, err)
		if n == 4 {
			end = l.size
		}
	}
	assert.EqualValues(t, 8, readMark(path).Head.Seq, "a kill forgets less than half of a short log")
	require.NoError(t, os.Truncate(path, end))
	_, err = l.append(Entry{Kind: EntryDecision}, true)
	require.ErrorContains(t, err, "something else has cut it")
	require.ErrorContains(t, err, "see by qredo agent verify-log that all lines are there")
	assert.EqualValues(t, 11, readMark(path).Head.Seq, "at once")
	require.NoError(t, l.Close())
	for range 2 {
		_, err = OpenAuditLog(path, WithClock(atNoon))
		require.ErrorAs(t, err, new(*LogError))
		require.ErrorContains(t, err, "line 6 is missing: the log had 11 lines")
		require.ErrorContains(t, err, "Put them back")
		require.ErrorContains(t, err, path+".head")
	}
}

// A log that was removed while it was open is not begun anew in silence either.
func TestALogThatWasRemovedIsNotBegunAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l, err := OpenAuditLog(path, WithClock(atNoon))
	require.NoError(t, err)
	_, err = l.append(Entry{Kind: EntryDecision}, true)
	require.NoError(t, err)
	require.NoError(t, os.Remove(path))
	_, err = l.append(Entry{Kind: EntryDecision}, true)
	require.ErrorContains(t, err, "was moved, removed or replaced")
	require.NoError(t, l.Close())
	_, err = OpenAuditLog(path, WithClock(atNoon))
	require.ErrorContains(t, err, "line 1 is missing: the log had 1 lines")
}
