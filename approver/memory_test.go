package approver

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// Recipients come once each, and not again: what was counted of them goes.
func TestMemoryStoreForgetsCountersThatNobodyUses(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	m := NewMemoryStore(WithClock(func() time.Time { return now }))
	for i := range 10_000 {
		now = now.Add(time.Minute)
		_, err := m.Reserve(t.Context(), Record{ActionID: qredo.ActionID(fmt.Sprint(i))}, []Spend{
			{Counter: fmt.Sprint(i), Window: time.Hour, MaxCount: 3}, {Counter: "all", Window: time.Hour},
		})
		require.NoError(t, err)
	}
	assert.LessOrEqual(t, len(m.spent), 2*(2*60+1), "those of two windows, and as many again")
	assert.Len(t, m.spent["all"], 2*60)
}
