package approver_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/approver"
)

// What becomes of what a limit has counted when it is edited, and whether that is told.
func TestALimitThatBeginsAnewIsWarnedOf(t *testing.T) {
	file := func(name, limits string) string {
		return fmt.Sprintf("rules:\n  - {name: %s, when: type == \"ApproveTransfer\", then: approve, limits: [%s]}\n", name, limits)
	}
	const of = "{per: wallet, window: 24h, max_amount: 9000}"
	for name, c := range map[string]struct {
		file   string
		warned string // nothing if empty
		left   bool   // a payment that would go over the limit of before is left to people
	}{
		"the same":              {file("small", of), "", true},
		"another figure":        {file("small", "{per: wallet, window: 24h, max_amount: 9001}"), "", true},
		"another window":        {file("small", "{per: wallet, window: 48h, max_amount: 9000}"), "", true},
		"a much longer window":  {file("small", "{per: wallet, window: 49h, max_amount: 9000}"), "what was spent more than 48h0m0s ago may not be known", true},
		"renamed":               {file("tiny", of), `rule \"tiny\": a limit of max_amount per wallet begins to count from nothing`, false},
		"per something else":    {file("small", "{per: recipient, window: 24h, max_amount: 9000}"), "max_amount per recipient begins to count from nothing", false},
		"a number besides":      {file("small", of+", {per: wallet, window: 24h, max_count: 1}"), "max_count per wallet begins to count from nothing", true},
		"a number in its place": {file("small", "{per: wallet, window: 24h, max_count: 1}"), "max_count per wallet begins to count from nothing", false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			a, stop := d.startOne(rulesAt(t, file("small", of), d.clock.Now))
			d.transfer(5000, "")
			assert.Equal(t, approver.Approve, d.next(approver.EntryDecision).Verdict)
			d.next(approver.EntryResult)
			require.NoError(t, d.reload(a, false, c.file))
			d.transfer(5000, "")
			want := approver.Approve
			if c.left {
				want = approver.Leave
			}
			assert.Equal(t, want, d.next(approver.EntryDecision).Verdict)
			require.NoError(t, stop())
			if c.warned == "" {
				assert.NotContains(t, d.logged.String(), "count")
			} else {
				assert.Contains(t, d.logged.String(), c.warned)
			}
		})
	}
}

// A clock that is ahead ends windows before their time, while it is: package's description, Stores.
func TestAClockThatIsAheadEndsWindows(t *testing.T) {
	d := newDesk(t)
	d.start(rulesAt(t, "rules:\n  - {name: small, when: type == \"ApproveTransfer\", then: approve, limits: [{per: wallet, window: 30m, max_amount: 9000}]}\n", d.clock.Now))
	for _, verdict := range []approver.Verdict{approver.Approve, approver.Leave} {
		d.transfer(5000, "")
		assert.Equal(t, verdict, d.next(approver.EntryDecision).Verdict)
		d.next(approver.EntryResult)
	}
	d.clock.Forward(30 * time.Minute)
	d.transfer(5000, "")
	assert.Equal(t, approver.Approve, d.next(approver.EntryDecision).Verdict)
	d.next(approver.EntryResult)
	d.clock.Forward(-30 * time.Minute) // both count, until the second is as old as the window
	d.transfer(4000, "")
	assert.Equal(t, approver.Leave, d.next(approver.EntryDecision).Verdict)
}
