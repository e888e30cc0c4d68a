package storetest

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/outbox"
)

// changes are ways in which a record can be damaged.
func changes() map[string]func(data []byte) []byte {
	return map[string]func(data []byte) []byte{
		"another amount": func(data []byte) []byte {
			return bytes.Replace(data, []byte("9223372036854775807"), []byte("9223372036854775707"), 1)
		},
		"another outcome": func(data []byte) []byte {
			return bytes.Replace(data, []byte(`"unknown":false`), []byte(`"unknown":true `), 1)
		},
		"another form": func([]byte) []byte { return []byte(`{"of": "a later version"}`) },
	}
}

// assertDamaged asserts that an entry reports that it cannot be read.
func assertDamaged(t *testing.T, e outbox.Entry, key string) {
	t.Helper()
	assert.Equal(t, key, e.Key)
	assert.Nil(t, e.Request)
	assert.Equal(t, outbox.StateHeld, e.State)
	assert.True(t, e.Unknown)
	assert.Contains(t, e.Reason, key)
}

func testDamageRead(t *testing.T, s outbox.Store, damage func(key string)) {
	add(t, s, Entry("a"), Entry("b"), Entry("c"))
	damage("b")
	assertDamaged(t, get(t, s, "b"), "b")
	for _, f := range []outbox.Filter{{}, {UpdatedSince: Start}} {
		entries, err := s.Page(t.Context(), f, outbox.Entry{}, 10)
		require.NoError(t, err)
		require.Len(t, entries, 3)
		assertDamaged(t, entries[1], "b")
		assert.Equal(t, Entry("a"), entries[0])
		assert.Equal(t, Entry("c"), entries[2])
	}
	stored, added, err := s.Add(t.Context(), Entry("b"))
	require.NoError(t, err)
	assert.False(t, added)
	assertDamaged(t, stored, "b")
}

func testDamageClaimed(t *testing.T, s outbox.Store, damage func(key string)) {
	for _, l := range []outbox.Lane{outbox.LaneNew, outbox.LaneRetry, outbox.LaneFollow} {
		suffix := fmt.Sprint(int(l))
		add(t, s, lane(l, "b"+suffix), lane(l, "c"+suffix))
		a := lane(l, "a"+suffix)
		a.Due = Start.Add(-time.Second) // the first
		add(t, s, a)
		damage(a.Key)
		assert.Equal(t, []string{"b" + suffix}, claimed(claim(t, s, l, 0, 1)), "it takes no place")
		assert.Equal(t, []string{"c" + suffix}, claimed(claim(t, s, l, 0, 10)))
		assertDamaged(t, get(t, s, a.Key), a.Key)
	}
	aside := []string{"a0", "a1", "a2"}
	assert.Equal(t, aside, page(t, s, outbox.Filter{Unknown: true}, outbox.Entry{}, 10))
	assert.Equal(t, aside, page(t, s, states(outbox.StateHeld), outbox.Entry{}, 10))
	assert.Len(t, page(t, s, outbox.Filter{}, outbox.Entry{}, 10), 9)
	stats, err := s.Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 3, stats.States[outbox.StateHeld])
	assert.Equal(t, 4, stats.States[outbox.StatePending])
	assert.Equal(t, 2, stats.States[outbox.StateSent])
	assert.Equal(t, 3, stats.Unknown)
	// Listing by change, page by page, terminates.
	seen := map[string]bool{}
	for after := (outbox.Entry{}); ; {
		entries, err := s.Page(t.Context(), outbox.Filter{UpdatedSince: time.Unix(0, 0)}, after, 1)
		require.NoError(t, err)
		if len(entries) == 0 {
			break
		}
		after = entries[0]
		require.False(t, seen[after.Key], after.Key)
		seen[after.Key] = true
	}
	assert.Len(t, seen, 9)
	for _, l := range []outbox.Lane{outbox.LaneNew, outbox.LaneRetry, outbox.LaneFollow} {
		assert.Len(t, claim(t, s, l, time.Hour, 10), 2, "it is no longer in a lane")
	}
}

func testDamageTaken(t *testing.T, s outbox.Store, damage func(key string)) {
	ctx := t.Context()
	add(t, s, lane(outbox.LaneRetry, "a"))
	damage("a")
	for range 2 {
		c, err := s.Take(ctx, "a", Start, Start.Add(time.Minute))
		require.NoError(t, err)
		assertDamaged(t, c.Entry, "a")
		require.NoError(t, s.Postpone(ctx, c))
		assert.Empty(t, claim(t, s, outbox.LaneRetry, time.Hour, 10))
		assertDamaged(t, get(t, s, "a"), "a")
	}
}

func testDamageStays(t *testing.T, s outbox.Store, damage func(key string)) {
	done := Entry("a")
	done.State = outbox.StateDone
	add(t, s, done, Entry("b"))
	damage("a")
	require.NoError(t, s.Remove(t.Context(), []string{"a", "b"}))
	assertDamaged(t, get(t, s, "a"), "a")
	get(t, s, "b")
	// Removing everything that is listed as ended terminates.
	assert.Empty(t, page(t, s, states(outbox.StateDone), outbox.Entry{}, 10))
}
