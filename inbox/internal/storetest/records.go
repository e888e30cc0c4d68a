package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
)

func testRecord(t *testing.T, r inbox.Records) {
	full := Seen("full ☃ '; --", alias("another name"))
	full.Movement.Reversal, full.Movement.Fees, full.Movement.Amount = true, 9_223_372_036_854_775_807, -9_223_372_036_854_775_808
	bare := inbox.Sighting{ID: "bare", Movement: inbox.Movement{Moved: true}} // also a missing time
	for i, seen := range []inbox.Sighting{full, bare} {
		assert.Equal(t, inbox.Recorded{New: 1, Ready: 1}, record(t, r, seen))
		assert.Equal(t, inbox.Entry{
			ID: seen.ID, Alias: seen.Alias, Source: fund, Movement: seen.Movement, State: inbox.StateReady, Updated: Now,
		}, get(t, r, seen.ID))
		assert.Equal(t, int64(i+1), lease(t, r, fund).Rows)
	}
	none(t, r, "none", "", "another name")
	assert.Equal(t, inbox.Recorded{}, record(t, r), "nothing was told of")
	// The clock of the store does not matter.
	_, err := r.Record(t.Context(), lease(t, r, fund), Now.Add(time.Hour), []inbox.Sighting{Seen("later")})
	require.NoError(t, err)
	assert.Equal(t, Now.Add(time.Hour), get(t, r, "later").Updated)
}

func testStates(t *testing.T, r inbox.Records) {
	old := func(s *inbox.Sighting) { s.Old = true }
	tell := func(s *inbox.Sighting) { s.Tell = true }
	for id, c := range map[string]struct {
		seen   inbox.Sighting
		state  inbox.State
		counts inbox.Recorded
	}{
		"moved":        {Seen("moved"), inbox.StateReady, inbox.Recorded{New: 1, Ready: 1}},
		"waits":        {Seen("waits", status(qredo.TxPending)), inbox.StateWaiting, inbox.Recorded{New: 1}},
		"void":         {Seen("void", status(qredo.TxRejected)), inbox.StateVoid, inbox.Recorded{New: 1}},
		"told":         {Seen("told", status(qredo.TxPending), tell), inbox.StateReady, inbox.Recorded{Changed: 1, Ready: 1}},
		"old":          {Seen("old", old), "", inbox.Recorded{}},
		"old void":     {Seen("old void", status(qredo.TxExpired), old), "", inbox.Recorded{}},
		"old and wait": {Seen("old and wait", status(qredo.TxPending), old), inbox.StateWaiting, inbox.Recorded{New: 1}},
	} {
		assert.Equal(t, c.counts, record(t, r, c.seen), id)
		if c.state == "" {
			none(t, r, id)
			continue
		}
		assert.Equal(t, c.state, get(t, r, id).State, id)
	}
	assert.Equal(t, int64(4), lease(t, r, fund).Rows)
}

func testRecordAgain(t *testing.T, r inbox.Records) {
	seen := []inbox.Sighting{Seen("a"), Seen("b", status(qredo.TxPending)), Seen("c", alias("c2")), Seen("d", status(qredo.TxRejected))}
	assert.Equal(t, inbox.Recorded{New: 4, Ready: 2}, record(t, r, seen...))
	become(t, r, "a", inbox.StateDone)
	before := []inbox.Entry{get(t, r, "a"), get(t, r, "b"), get(t, r, "c"), get(t, r, "d")}
	for i := range seen {
		seen[i].Movement.Amount++ // it treats them as the same status
	}
	for range 2 {
		counts, err := r.Record(t.Context(), lease(t, r, fund), Now.Add(time.Hour), seen)
		require.NoError(t, err)
		assert.Zero(t, counts)
	}
	for _, e := range before {
		assert.Equal(t, e, get(t, r, e.ID))
	}
	assert.Equal(t, int64(4), lease(t, r, fund).Rows)
}

func testChanges(t *testing.T, r inbox.Records) {
	record(t, r, Seen("a", alias("a2"), status(qredo.TxPending)), Seen("b", status(qredo.TxPending)), Seen("c"))
	later := Now.Add(time.Minute)
	moved := Seen("a", in("other"), at(time.Hour), amount(7))
	counts, err := r.Record(t.Context(), lease(t, r, fund), later, []inbox.Sighting{moved, Seen("b", status(qredo.TxExpired)), Seen("d")})
	require.NoError(t, err)
	assert.Equal(t, inbox.Recorded{New: 1, Changed: 2, Ready: 2}, counts)
	assert.Equal(t, inbox.Entry{
		ID: "a", Alias: "a2", Source: fund, Movement: moved.Movement, State: inbox.StateReady, Updated: later,
	}, get(t, r, "a"))
	assert.Equal(t, inbox.StateVoid, get(t, r, "b").State)
	assert.Equal(t, int64(4), lease(t, r, fund).Rows)

	// It is found where it is now, and nowhere else.
	list, err := r.Next(t.Context(), fund, "", 10, 10)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "c", "d"}, idsOf(list))
	n, _, err := r.Waiting(t.Context(), fund)
	require.NoError(t, err)
	assert.Zero(t, n)
	sums, err := r.Sums(t.Context(), fund)
	require.NoError(t, err)
	assert.Equal(t, inbox.Figure{Entries: 1, Amount: 7}, sums["other"].Ready)

	// An entry that somebody has put aside becomes ready again when it changes.
	become(t, r, "a", inbox.StateAside)
	assert.Equal(t, inbox.Recorded{Changed: 1}, record(t, r, Seen("a", status(qredo.TxChainRejected))))
	assert.Equal(t, inbox.StateVoid, get(t, r, "a").State)
}

func testAliases(t *testing.T, r inbox.Records) {
	pending := status(qredo.TxPending)
	record(t, r, Seen("a", alias("a2"), pending), Seen("b", pending), Seen("c", alias("c2"), pending), Seen("d", pending))
	for id, seen := range map[string]inbox.Sighting{
		"a": Seen("a2"),               // its ID is the other's alias
		"b": Seen("b3", alias("b")),   // its alias is the other's ID
		"c": Seen("c3", alias("c2")),  // both have the alias
		"d": Seen("d", alias("none")), // the ID is enough
	} {
		assert.Equal(t, inbox.Recorded{Changed: 1, Ready: 1}, record(t, r, seen), id)
		e := get(t, r, id)
		assert.Equal(t, inbox.StateReady, e.State, id)
		assert.Equal(t, id, e.Movement.Key, "the key stays")
	}
	none(t, r, "a2", "b3", "c3")
	assert.Equal(t, "a2", get(t, r, "a").Alias)
	assert.Empty(t, get(t, r, "b").Alias)
	assert.Equal(t, int64(4), lease(t, r, fund).Rows)
	// An empty alias does not count.
	assert.Equal(t, inbox.Recorded{New: 2, Ready: 2}, record(t, r, Seen("e"), Seen("f")))
	// The ID takes precedence over the alias.
	record(t, r, Seen("g", pending), Seen("h", pending))
	assert.Equal(t, inbox.Recorded{Changed: 1, Ready: 1}, record(t, r, Seen("g", alias("h"))))
	assert.Equal(t, inbox.StateReady, get(t, r, "g").State)
	assert.Equal(t, inbox.StateWaiting, get(t, r, "h").State)
}

func testSeveral(t *testing.T, r inbox.Records) {
	pending := status(qredo.TxPending)
	counts := record(t, r,
		Seen("new"), Seen("new", amount(6)), // the first counts
		Seen("turns", pending), Seen("turns"),
		Seen("x", alias("y"), pending), Seen("y"),
		Seen("p", pending), Seen("q", alias("p")),
		Seen("u", alias("v"), pending), Seen("w", alias("v")),
	)
	assert.Equal(t, inbox.Recorded{New: 5, Changed: 4, Ready: 5}, counts)
	assert.Equal(t, qredo.Amount(5), get(t, r, "new").Movement.Amount)
	for _, id := range []string{"new", "turns", "x", "p", "u"} {
		e := get(t, r, id)
		assert.Equal(t, inbox.StateReady, e.State, id)
		assert.Equal(t, id, e.Movement.Key, id)
	}
	none(t, r, "y", "q", "w")
	assert.Equal(t, int64(5), lease(t, r, fund).Rows)

	// The same for stored entries.
	record(t, r, Seen("there", alias("here"), pending))
	assert.Equal(t, inbox.Recorded{Changed: 1, Ready: 1}, record(t, r, Seen("there"), Seen("here")))
	become(t, r, "turns", inbox.StateDone)
	counts = record(t, r, Seen("turns", status(qredo.TxChainRejected)), Seen("turns"), Seen("turns", status(qredo.TxRejected)))
	assert.Equal(t, inbox.Recorded{Changed: 1, Ready: 1}, counts)
	assert.Equal(t, qredo.TxChainRejected, get(t, r, "turns").Movement.Status)
	assert.Equal(t, inbox.StateReady, get(t, r, "turns!").State)
}

func testReversal(t *testing.T, r inbox.Records) {
	record(t, r, Seen("a", alias("a2")))
	become(t, r, "a", inbox.StateDone)
	later := Now.Add(time.Hour).Truncate(time.Second)
	refused := Seen("a2", status(qredo.TxChainRejected), at(time.Hour))
	assert.Equal(t, inbox.Recorded{Changed: 1, Ready: 1}, record(t, r, refused))
	told, back := get(t, r, "a"), get(t, r, "a!")
	assert.Equal(t, inbox.StateDone, told.State)
	assert.Equal(t, qredo.TxChainRejected, told.Movement.Status)
	assert.Equal(t, "a2", told.Alias)
	assert.Equal(t, inbox.StateReady, back.State)
	assert.Empty(t, back.Alias)
	want := Movement("a!")
	want.Reversal, want.Amount, want.Status, want.Time = true, -5, qredo.TxChainRejected, later
	assert.Equal(t, want, back.Movement)
	assert.Equal(t, int64(1), lease(t, r, fund).Rows, "the ledger has it once")

	become(t, r, "a!", inbox.StateDone)
	for _, again := range []qredo.TxStatus{qredo.TxChainRejected, qredo.TxRejected, qredo.TxApproved} {
		for _, id := range []string{"a", "a2"} {
			assert.Zero(t, record(t, r, Seen(id, status(again))), again)
		}
	}
	assert.Equal(t, inbox.StateDone, get(t, r, "a!").State)
	sums, err := r.Sums(t.Context(), fund)
	require.NoError(t, err)
	assert.Equal(t, inbox.Figure{Entries: 2}, sums["wallet"].Done)
}

// testTwoSources has a wallet followed both with its fund and on its own.
func testTwoSources(t *testing.T, r inbox.Records) {
	ctx := t.Context()
	record(t, r, Seen("a", status(qredo.TxPending)))
	wallet := lease(t, r, "wallet:w")
	counts, err := r.Record(ctx, wallet, Now, []inbox.Sighting{Seen("a"), Seen("b")})
	require.NoError(t, err)
	assert.Equal(t, inbox.Recorded{New: 1, Changed: 1, Ready: 2}, counts)
	assert.Equal(t, fund, get(t, r, "a").Source, "who told of it first has it")
	assert.Equal(t, "wallet:w", get(t, r, "b").Source)
	assert.Equal(t, int64(1), lease(t, r, fund).Rows)
	assert.Equal(t, int64(1), lease(t, r, "wallet:w").Rows)
	for source, id := range map[string]string{fund: "a", "wallet:w": "b"} {
		list, err := r.Next(ctx, source, "", 10, 10)
		require.NoError(t, err)
		assert.Equal(t, []string{id}, idsOf(list))
	}
}

func testThousand(t *testing.T, r inbox.Records) {
	var seen []inbox.Sighting
	for i := range 1000 {
		s := Seen(fmt.Sprintf("%04d", i), in(qredo.WalletID(fmt.Sprint("wallet-", i%7))), at(time.Duration(1000-i)*time.Second))
		if i%2 == 0 {
			alias(fmt.Sprintf("alias-%04d", i))(&s)
		}
		seen = append(seen, s)
	}
	assert.Equal(t, inbox.Recorded{New: 1000, Ready: 1000}, record(t, r, seen...))
	assert.Zero(t, record(t, r, seen...))
	page, err := r.Page(t.Context(), inbox.Filter{}, "", 2000)
	require.NoError(t, err)
	require.Len(t, page, 1000)
	for i, e := range page {
		require.Equal(t, seen[i].Movement, e.Movement)
		status(qredo.TxChainRejected)(&seen[i])
	}
	assert.Equal(t, inbox.Recorded{Changed: 1000}, record(t, r, seen...))
	list, err := r.Next(t.Context(), fund, "", 10, 10)
	require.NoError(t, err)
	assert.Empty(t, list)
	assert.Equal(t, int64(1000), lease(t, r, fund).Rows)
}

// testRecordTogether has sources report the same movements at the same time: each is new once.
func testRecordTogether(t *testing.T, r inbox.Records) {
	var (
		wg                  sync.WaitGroup
		fresh, moved, ready atomic.Int64
	)
	const entries = 20
	for i := range 4 {
		wg.Go(func() {
			s, err := r.Lease(t.Context(), fmt.Sprint("wallet:", i), "holder", time.Hour)
			if !assert.NoError(t, err) { //nolint:testifylint // require ends only the test's own goroutine
				return
			}
			for _, change := range []qredo.TxStatus{qredo.TxPending, qredo.TxApproved} {
				for n := range entries {
					counts, err := r.Record(t.Context(), s, Now, []inbox.Sighting{Seen(fmt.Sprint(n), status(change))})
					if !assert.NoError(t, err) { //nolint:testifylint // as above
						return
					}
					fresh.Add(int64(counts.New))
					moved.Add(int64(counts.Changed))
					ready.Add(int64(counts.Ready))
				}
			}
		})
	}
	wg.Wait()
	assert.Equal(t, int64(entries), fresh.Load())
	assert.GreaterOrEqual(t, moved.Load(), int64(entries))
	sources, err := r.Sources(t.Context())
	require.NoError(t, err)
	rows := int64(0)
	for _, s := range sources {
		rows += s.Rows
	}
	assert.Equal(t, int64(entries), rows)
}

func testRefused(t *testing.T, r inbox.Records) {
	s := lease(t, r, fund)
	for _, wrong := range []inbox.Sighting{
		{Movement: Movement("")},
		Seen("\xff"),
		Seen("b", func(s *inbox.Sighting) { s.Movement.Reference = "\xff" }),
		Seen("b", func(s *inbox.Sighting) { s.Movement.Time = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) }),
	} {
		counts, err := r.Record(t.Context(), s, Now, []inbox.Sighting{Seen("a"), wrong, Seen("c")})
		if err == nil && wrong.ID == "\xff" {
			t.Fatalf("a key that JSON cannot hold was stored")
		}
		require.Error(t, err)
		require.NotErrorIs(t, err, inbox.ErrLeaseLost)
		assert.Zero(t, counts)
		none(t, r, "a", "b", "c")
	}
	sources, err := r.Sources(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []inbox.Source{s}, sources)
	assert.Equal(t, inbox.Recorded{New: 1, Ready: 1}, record(t, r, Seen("a")))
}
