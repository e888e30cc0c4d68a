package approver

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// What is open is in the checkpoint, and found without it.
func TestALogKnowsWhatIsOpen(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, checkpoint string){
		"with its checkpoint": func(*testing.T, string) {},
		"without":             func(t *testing.T, checkpoint string) { t.Helper(); require.NoError(t, os.Remove(checkpoint)) },
		"with one of before": func(t *testing.T, checkpoint string) {
			t.Helper()
			data, err := os.ReadFile(checkpoint)
			require.NoError(t, err)
			object, _, ok := unsealed(data)
			require.True(t, ok)
			i := bytes.Index(object, []byte(`,"open":`))
			require.Positive(t, i)
			line := bytes.Replace(object[:i], []byte(`"version":2`), []byte(`"version":1`), 1)
			require.NoError(t, os.WriteFile(checkpoint, append(line, hashField+hashOf(line)+lineEnd...), 0o600))
			require.Equal(t, 1, readMark(filepath.Join(filepath.Dir(checkpoint), "log")).Version)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			l, err := OpenAuditLog(path, WithClock(atNoon))
			require.NoError(t, err)
			for _, e := range []Entry{
				{Kind: EntrySeen, ActionID: "seen", Expires: noon},
				{Kind: EntryDecision, ActionID: "decided", Verdict: Approve, Rule: "r"},
				{Kind: EntryShadow, ActionID: "decided", Verdict: Leave}, // tried in shadow meanwhile
				{Kind: EntrySeen, ActionID: "later decided", Expires: noon},
				{Kind: EntryRepeat, ActionID: "later decided", Verdict: Reject},
				{Kind: EntryDecision, ActionID: "done", Verdict: Leave},
				{Kind: EntryResult, ActionID: "done", Outcome: OutcomeLeft},
				{Kind: EntrySeen, ActionID: "tried"},
				{Kind: EntryShadow, ActionID: "tried", Verdict: Approve},
			} {
				_, err := l.append(e, false)
				require.NoError(t, err)
			}
			require.NoError(t, l.Close())
			change(t, checkpointPath(path))
			l, err = OpenAuditLog(path, WithClock(atNoon))
			require.NoError(t, err)
			assert.Equal(t, map[qredo.ActionID]opened{
				"seen":          {At: noon, Expires: noon},
				"decided":       {At: noon, Verdict: Approve, Rule: "r"},
				"later decided": {At: noon, Expires: noon, Verdict: Reject},
			}, l.openActions())
			require.NoError(t, l.Close())
		})
	}
}
