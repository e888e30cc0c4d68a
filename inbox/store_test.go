package inbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
)

// A transaction that is refused after it was handed over is taken back once, whatever else it becomes.
func TestMergeTakesBackOnce(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	old := inbox.Entry{ID: "a", Source: "s", State: inbox.StateDone, Movement: inbox.Movement{Key: "a", Status: qredo.TxApproved, Moved: true, Amount: 5}}
	seen := inbox.Sighting{ID: "a", Movement: inbox.Movement{Key: "a", Status: qredo.TxChainRejected, Amount: 5}}
	write, counts := inbox.Merge(&old, seen, "s", now)
	require.Len(t, write, 2)
	assert.Equal(t, inbox.Recorded{Changed: 1, Ready: 1}, counts)
	assert.Equal(t, "a!", write[1].ID)
	assert.Equal(t, qredo.Amount(-5), write[1].Movement.Amount)

	seen.Movement.Status = qredo.TxExpired
	write, counts = inbox.Merge(&write[0], seen, "s", now)
	assert.Empty(t, write)
	assert.Zero(t, counts)
}

func TestChangeHasAnErrorThatCanBeKept(t *testing.T) {
	e := inbox.Change{Error: "a\x00b\xff"}.Apply(inbox.Entry{}, time.Time{})
	assert.Equal(t, "ab\uFFFD", e.Error)
}
