package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
)

func page(t *testing.T, s outbox.Store, f outbox.Filter, after outbox.Entry, limit int) []string {
	t.Helper()
	entries, err := s.Page(t.Context(), f, after, limit)
	require.NoError(t, err)
	list := []string{}
	for _, e := range entries {
		list = append(list, e.Key)
	}
	return list
}

func states(list ...outbox.State) outbox.Filter { return outbox.Filter{States: list} }

func testPage(t *testing.T, s outbox.Store) {
	for _, key := range []string{"b", "a", "a b", "Z", "ä", "c"} {
		e := Entry(key)
		switch key {
		case "b":
			e.State = outbox.StateDone
		case "c":
			e.Unknown = true
		case "Z":
			e.State = outbox.StateSent
		}
		add(t, s, e)
	}
	keys := func(f outbox.Filter, after string, limit int) []string {
		t.Helper()
		return page(t, s, f, outbox.Entry{Key: after}, limit)
	}
	all := outbox.Filter{}
	assert.Equal(t, []string{"Z", "a", "a b", "b", "c", "ä"}, keys(all, "", 100))
	assert.Equal(t, []string{"Z", "a"}, keys(all, "", 2))
	assert.Equal(t, []string{"a b", "b"}, keys(all, "a", 2))
	assert.Equal(t, []string{"b"}, keys(all, "aa", 1), "an unknown key")
	assert.Empty(t, keys(all, "ä", 2))
	assert.Empty(t, keys(all, "", 0))
	assert.Equal(t, []string{"b"}, keys(states(outbox.StateDone), "", 100))
	assert.Equal(t, []string{"Z", "b"}, keys(states(outbox.StateDone, outbox.StateSent), "", 100))
	assert.Equal(t, []string{"a", "a b"}, keys(states(outbox.StatePending), "", 2))
	assert.Equal(t, []string{"c", "ä"}, keys(states(outbox.StatePending), "a b", 2))
	assert.Equal(t, []string{"ä"}, keys(states(outbox.StatePending), "d", 2))
	assert.Equal(t, []string{"c"}, keys(outbox.Filter{Unknown: true}, "", 100))
	assert.Empty(t, keys(outbox.Filter{Unknown: true}, "c", 100))
	assert.Empty(t, keys(outbox.Filter{Unknown: true, States: []outbox.State{outbox.StateDone}}, "", 100))
	assert.Empty(t, keys(states("of a later version"), "", 100))

	c := claim(t, s, outbox.LaneNew, 0, 10)
	require.Len(t, c, 4)
	for _, c := range c { // a changed entry is found at its new place
		release(t, s, c, func(e *outbox.Entry) { e.State, e.Unknown = outbox.StateHeld, !e.Unknown })
	}
	assert.Empty(t, keys(states(outbox.StatePending), "", 100))
	assert.Equal(t, []string{"a", "a b", "c", "ä"}, keys(states(outbox.StateHeld), "", 100))
	assert.Equal(t, []string{"a", "a b", "ä"}, keys(outbox.Filter{Unknown: true}, "", 100))
}

func testPageByChange(t *testing.T, s outbox.Store) {
	// The order of the keys differs from that of the changes; c and d changed at the same time.
	at := map[string]time.Duration{"e": 0, "b": time.Second, "d": 2 * time.Second, "c": 2 * time.Second, "a": 3 * time.Second}
	entries := map[string]outbox.Entry{}
	for key, after := range at {
		e := Entry(key)
		e.Updated = Start.Add(after)
		if key == "b" || key == "d" {
			e.State = outbox.StateDone
		}
		entries[key] = e
		add(t, s, e)
	}
	since := func(after time.Duration) outbox.Filter { return outbox.Filter{UpdatedSince: Start.Add(after)} }
	assert.Equal(t, []string{"e", "b", "c", "d", "a"}, page(t, s, since(0), outbox.Entry{}, 100))
	assert.Equal(t, []string{"e", "b", "c", "d", "a"}, page(t, s, since(-time.Hour), outbox.Entry{}, 100))
	assert.Equal(t, []string{"b", "c", "d", "a"}, page(t, s, since(time.Microsecond), outbox.Entry{}, 100))
	assert.Equal(t, []string{"b", "c"}, page(t, s, since(time.Second), outbox.Entry{}, 2))
	assert.Equal(t, []string{"d", "a"}, page(t, s, since(0), entries["c"], 2))
	assert.Equal(t, []string{"c", "d", "a"}, page(t, s, since(0), entries["b"], 100))
	assert.Empty(t, page(t, s, since(0), entries["a"], 2))
	assert.Empty(t, page(t, s, since(time.Minute), outbox.Entry{}, 2))
	before := outbox.Filter{UpdatedBefore: Start.Add(2 * time.Second)}
	assert.Equal(t, []string{"e", "b"}, page(t, s, before, outbox.Entry{}, 100))
	assert.Equal(t, []string{"b"}, page(t, s, before, entries["e"], 100))
	before.UpdatedSince = Start.Add(time.Second)
	assert.Equal(t, []string{"b"}, page(t, s, before, outbox.Entry{}, 100))
	done := since(0)
	done.States = []outbox.State{outbox.StateDone}
	assert.Equal(t, []string{"b", "d"}, page(t, s, done, outbox.Entry{}, 100))
	assert.Equal(t, []string{"d"}, page(t, s, done, entries["b"], 100))
	done.States = append(done.States, outbox.StatePending)
	assert.Equal(t, []string{"e", "b", "c", "d", "a"}, page(t, s, done, outbox.Entry{}, 100))
	assert.Empty(t, page(t, s, outbox.Filter{UpdatedSince: Start, Unknown: true}, outbox.Entry{}, 100))

	for _, c := range claim(t, s, outbox.LaneNew, 0, 1) { // e or another one that is pending
		moved := release(t, s, c, func(e *outbox.Entry) { e.Updated, e.Unknown = Start.Add(time.Hour), true })
		assert.Equal(t, []string{moved.Key}, page(t, s, since(time.Minute), outbox.Entry{}, 100))
		list := page(t, s, since(0), outbox.Entry{}, 100)
		require.Len(t, list, 5)
		assert.Equal(t, moved.Key, list[4])
		assert.Equal(t, []string{moved.Key}, page(t, s, outbox.Filter{UpdatedSince: Start, Unknown: true}, outbox.Entry{}, 100))
	}
}

// testPages checks that all orders and filters yield the same in pages of any size as in one.
func testPages(t *testing.T, s outbox.Store) {
	const entries = 60
	list := []outbox.State{outbox.StatePending, outbox.StateSent, outbox.StateHeld, outbox.StateDone}
	for i := range entries {
		e := Entry(fmt.Sprintf("key-%02d", i*7%entries))
		e.State, e.Unknown, e.Updated = list[i%4], i%8 == 0, Start.Add(time.Duration(i/3)*time.Second)
		add(t, s, e)
	}
	for _, f := range []outbox.Filter{
		{}, states(outbox.StateSent, outbox.StateDone), {Unknown: true}, {UpdatedSince: Start},
		{UpdatedSince: Start, States: []outbox.State{outbox.StatePending, outbox.StateHeld}},
		{UpdatedBefore: Start.Add(15 * time.Second), Unknown: true},
	} {
		whole := page(t, s, f, outbox.Entry{}, 1000)
		require.NotEmpty(t, whole)
		for _, size := range []int{1, 2, 7} {
			parts := []string{}
			for after := (outbox.Entry{}); ; {
				part, err := s.Page(t.Context(), f, after, size)
				require.NoError(t, err)
				for _, e := range part {
					assert.True(t, f.Match(e))
					parts = append(parts, e.Key)
				}
				if len(part) < size {
					break
				}
				after = part[len(part)-1]
			}
			assert.Equal(t, whole, parts)
		}
	}
}

func testStats(t *testing.T, s outbox.Store) {
	stats := func() outbox.Stats {
		t.Helper()
		stats, err := s.Stats(t.Context())
		require.NoError(t, err)
		return stats
	}
	empty := stats()
	assert.Zero(t, empty.States[outbox.StatePending])
	assert.Zero(t, empty.Unknown)
	assert.True(t, empty.OldestDue.IsZero())

	followed, held := lane(outbox.LaneFollow, "followed"), Entry("held")
	followed.Due = Start.Add(-time.Minute)
	held.State, held.Unknown, held.Due = outbox.StateHeld, true, Start.Add(-time.Hour)
	add(t, s, Entry("a"), Entry("b"), followed, held)
	some := stats()
	assert.Equal(t, 2, some.States[outbox.StatePending])
	assert.Equal(t, 1, some.States[outbox.StateSent])
	assert.Equal(t, 1, some.States[outbox.StateHeld])
	assert.Equal(t, 1, some.Unknown)
	assert.True(t, followed.Due.Equal(some.OldestDue), "the held one waits for no worker")

	release(t, s, claimOne(t, s, outbox.LaneFollow, 0), func(e *outbox.Entry) { e.State, e.TxStatus = outbox.StateDone, qredo.TxApproved })
	for _, c := range claim(t, s, outbox.LaneNew, 0, 1) {
		release(t, s, c, func(e *outbox.Entry) { e.Unknown, e.Attempts, e.Due = true, 1, Start.Add(time.Hour) })
	}
	later := stats()
	assert.Equal(t, 2, later.States[outbox.StatePending])
	assert.Zero(t, later.States[outbox.StateSent])
	assert.Equal(t, 1, later.States[outbox.StateDone])
	assert.Equal(t, 2, later.Unknown)
	assert.True(t, Start.Equal(later.OldestDue), "the other one's, which was never sent")
}
