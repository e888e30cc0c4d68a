package outbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/qredo-go/qredo/outbox"
)

// TestInWords: what may have been made is never said not to be, and the other way round.
func TestInWords(t *testing.T) {
	r := transfer(5)
	before, after := r.Expires.Add(-time.Second), r.Expires.Time
	const maybe, sure = "may have been made", "(?i)nothing moved|no transaction|not sent|no attempt"
	for _, c := range []struct {
		entry outbox.Entry
		now   time.Time
		says  string
		never string
	}{
		{outbox.Entry{State: outbox.StatePending}, before, "not been sent yet", maybe},
		{outbox.Entry{State: outbox.StatePending, Sending: true, Attempts: 1}, before, "is being sent, or was", sure},
		{outbox.Entry{State: outbox.StatePending, Attempts: 2}, before, "No attempt has made", maybe},
		{outbox.Entry{State: outbox.StatePending, Late: true}, after, "seems to have expired", maybe},
		{outbox.Entry{State: outbox.StatePending, Unknown: true, Attempts: 2}, before, maybe, sure},
		{outbox.Entry{State: outbox.StatePending, Unknown: true, Attempts: 2, Late: true}, after, "a person has to find out", sure},
		{outbox.Entry{State: outbox.StateHeld, Unknown: true}, before, maybe, sure},
		{outbox.Entry{State: outbox.StateHeld, Unknown: true}, after, "may have been made, and the request has expired", sure},
		{outbox.Entry{State: outbox.StateHeld}, before, "waits for a person's decision", sure},
		{outbox.Entry{State: outbox.StateSent}, before, "Its transaction was made", sure},
		{outbox.Entry{State: outbox.StateSent, Named: true}, before, "A person has named", sure},
		{outbox.Entry{State: outbox.StateDone}, before, "the money moved", sure},
		{outbox.Entry{State: outbox.StateDone, Named: true}, before, "a person has named", sure},
		{outbox.Entry{State: outbox.StateFailed}, before, "There is no transaction", maybe},
		{outbox.Entry{State: outbox.StateRejected}, before, "rejected, and nothing moved", maybe},
		{outbox.Entry{State: outbox.StateExpired}, after, "not sent in time", maybe},
		{outbox.Entry{State: outbox.StateExpired, TxID: "tx"}, after, "not approved in time", maybe},
		{outbox.Entry{State: "new", Unknown: true}, before, "another version", sure},
	} {
		c.entry.Request = r
		assert.Contains(t, c.entry.InWords(c.now), c.says)
		assert.NotRegexp(t, c.never, c.entry.InWords(c.now))
	}
	damaged := outbox.NewRecords(nil).Damaged("key", assert.AnError)
	assert.Contains(t, damaged.InWords(before), "can no longer be read")
	assert.NotRegexp(t, sure, damaged.InWords(before))
}
