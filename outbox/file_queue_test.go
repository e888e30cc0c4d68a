package outbox

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What somebody asks for by its key just as it is stored waits for a worker all the same, and not for the next start.
func TestTakenBeforeItWaits(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	want := Want{Lane: LaneNew, Now: now, Until: now.Add(time.Minute)}
	e := &Entry{Key: "key", Request: Transfer{}, State: StatePending, Due: now}
	take := func(t *testing.T, q *queues) Claim {
		t.Helper()
		c, ok := q.take("key", micros(now), micros(want.Until))
		require.True(t, ok)
		return c
	}
	for name, meanwhile := range map[string]func(t *testing.T, q *queues){
		"it was not stored yet": func(t *testing.T, q *queues) {
			t.Helper()
			c := take(t, q)
			q.enter(e)
			assert.Empty(t, q.claim(want, 10), "somebody has it")
			q.giveUp([]Claim{c})
		},
		"it is about to be stored again": func(t *testing.T, q *queues) {
			t.Helper()
			x, err := q.saving(take(t, q))
			require.NoError(t, err)
			q.enter(e)
			assert.Empty(t, q.claim(want, 10))
			q.saved(x, func(*waiting) bool { return false })
		},
		"the lease is over": func(t *testing.T, q *queues) {
			t.Helper()
			take(t, q)
			q.tell(micros(want.Until))
			q.enter(e)
		},
	} {
		t.Run(name, func(t *testing.T) {
			q := newQueues()
			meanwhile(t, q)
			later := want
			later.Now, later.Until = want.Until, want.Until.Add(time.Minute)
			claims := q.claim(later, 10)
			require.Len(t, claims, 1)
			assert.Equal(t, "key", claims[0].Entry.Key)
		})
	}
}

// What has been stored tells itself when it is due, also before the queue knows of it.
func TestDueOfWhatIsBeingStored(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	putOff := now.Add(time.Minute)
	q := newQueues()
	q.enter(&Entry{Key: "key", Request: Transfer{}, State: StatePending, Due: now})
	due := func(state State, stored time.Time) time.Time {
		e := Entry{Key: "key", Request: Transfer{}, State: state, Due: stored}
		q.due(&e)
		return e.Due
	}
	take := func() Claim {
		c, ok := q.take("key", micros(now), micros(now.Add(time.Minute)))
		require.True(t, ok)
		c.Entry.Due = putOff
		return c
	}
	c := take()
	require.NoError(t, q.settle(c, func(x *waiting) { x.due = micros(putOff) }))
	assert.Equal(t, putOff, due(StatePending, now))
	assert.Equal(t, now, due(StateDone, now), "it has ended, and the queue does not know yet")

	x, err := q.saving(take())
	require.NoError(t, err)
	assert.Equal(t, now.Add(time.Hour), due(StatePending, now.Add(time.Hour)), "it is being stored")
	q.saved(x, func(x *waiting) bool {
		x.due = micros(now.Add(time.Hour))
		return false
	})
	assert.Equal(t, now.Add(time.Hour), due(StatePending, now.Add(time.Hour)))
}

// What is being stored stays whoever's who stores it, also once the lease is over.
func TestTakenWhileItIsStored(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	q := newQueues()
	take := func(after time.Duration) (Claim, bool) {
		return q.take("key", micros(now.Add(after)), micros(now.Add(after+time.Minute)))
	}
	c, ok := take(0)
	require.True(t, ok)
	x, err := q.saving(c)
	require.NoError(t, err)
	_, ok = take(time.Hour)
	assert.False(t, ok)
	q.saved(x, func(*waiting) bool { return false })
	_, ok = take(time.Hour)
	assert.True(t, ok)
}
