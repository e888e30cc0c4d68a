package trial

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/approver"
)

// windowShortened has a limit whose window is made shorter and longer again: what the long one needs is kept meanwhile.
func windowShortened(t *testing.T, s approver.Store, clock *Clock) {
	reserve, over := reserver(t, s)
	long := approver.Spend{Counter: "c", Amount: 1, Window: time.Minute, MaxCount: 2}
	short := long
	short.Window = time.Second
	reserve(long)
	clock.Forward(3 * time.Second)
	reserve(short)
	over(long, approver.Usage{Amount: 2, Count: 2})

	clock.Forward(100 * time.Second) // what is stored now is needed for longer than the first is kept
	reserve(short)
	clock.Forward(18 * time.Second)
	reserve(short)
	over(long, approver.Usage{Amount: 2, Count: 2})
	clock.Forward(42*time.Second - time.Microsecond)
	over(long, approver.Usage{Amount: 2, Count: 2})
	clock.Forward(time.Microsecond)
	reserve(long)
}

// rulesAtOnce has two replicas of which one still has the rules of before: its decisions forget nothing that the other needs.
func rulesAtOnce(t *testing.T, s approver.Store, clock *Clock) {
	reserve, over := reserver(t, s)
	long := approver.Spend{Counter: "c", Amount: 10, Window: time.Minute, MaxAmount: 400}
	short := approver.Spend{Counter: "c", Amount: 10, Window: time.Second, MaxCount: 1}
	for range 20 { // more than are looked at in one step
		reserve(long)
	}
	for range 20 {
		clock.Forward(2 * time.Second)
		reserve(short)
	}
	over(long, approver.Usage{Amount: 400, Count: 40})
	clock.Forward(20*time.Second - time.Microsecond) // a minute after the first 20
	over(long, approver.Usage{Amount: 400, Count: 40})
	clock.Forward(time.Microsecond)
	requireUsed(t, s, long, 200, 20)
	for range 19 {
		reserve(long)
		clock.Forward(time.Second)
	}
	clock.Forward(time.Hour)
	requireUsed(t, s, long, 0, 0)
	reserve(short)
	requireUsed(t, s, long, 10, 1)
}

// reserver returns what decides about another action each time: one that fits, and one that does not.
func reserver(t *testing.T, s approver.Store) (fits func(approver.Spend), over func(approver.Spend, approver.Usage)) {
	n := 0
	reserve := func(spend approver.Spend) error {
		n++
		_, err := s.Reserve(t.Context(), record(n), []approver.Spend{spend})
		return err
	}
	fits = func(spend approver.Spend) {
		t.Helper()
		require.NoError(t, reserve(spend))
	}
	over = func(spend approver.Spend, used approver.Usage) {
		t.Helper()
		var over *approver.OverLimitError
		require.ErrorAs(t, reserve(spend), &over)
		assert.Equal(t, used, over.Used)
	}
	return fits, over
}
