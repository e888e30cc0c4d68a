package approver_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/internal/trial"
)

// Of two limits by the same within the same time the smaller one counts, and an action counts once in both.
func TestLimitsWithinTheSameTimeAreOne(t *testing.T) {
	clock := trial.NewClock(noon)
	rules := rulesAt(t, rulesFile("amount <= 5000")+`    limits:
      - {per: wallet, window: 24h, max_amount: 9_000, max_count: 3}
      - {per: wallet, window: 1h, max_amount: 4_000}
      - {per: wallet, window: 1440m, max_amount: 8_000, max_count: 30}
`, clock.Now)
	d, err := rules.Decide(plain(t), newAction())
	require.NoError(t, err)
	const wallet = `of rule "only", wallet "wallet-1", `
	assert.Equal(t, []approver.Spend{
		{Counter: wallet + `asset "BTC", sum`, Amount: 1000, Window: 24 * time.Hour, MaxAmount: 8000},
		{Counter: wallet + "count", Window: 24 * time.Hour, MaxCount: 3},
		{Counter: wallet + `asset "BTC", sum`, Amount: 1000, Window: time.Hour, MaxAmount: 4000},
	}, d.Spends)
	require.NoError(t, approver.CheckSpends(d.Spends))
	_, err = approver.NewMemoryStore().Reserve(t.Context(), approver.Record{ActionID: "a"}, d.Spends)
	require.NoError(t, err)
}

func TestAWindowThatIsTooShortIsRefused(t *testing.T) {
	_, err := approver.ParseRules("rules.yaml", []byte(rulesFile("amount <= 5000")+"    limits: [{per: wallet, window: 999us, max_count: 3}]\n"))
	require.ErrorContains(t, err, "at least 1ms")
}
