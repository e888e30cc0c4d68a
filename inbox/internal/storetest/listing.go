package storetest

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
)

// order sorts IDs and wallets by their bytes, unlike any language's order.
var order = []string{"A", "B", "Z", "a", "a b", "a!", "a-b", "ab", "b", "é", "☃"}

func next(t *testing.T, r inbox.Records, from qredo.WalletID, wallets, each int) []string {
	t.Helper()
	list, err := r.Next(t.Context(), fund, from, wallets, each)
	require.NoError(t, err)
	for _, e := range list {
		require.Equal(t, get(t, r, e.ID), e)
	}
	return idsOf(list)
}

func testNext(t *testing.T, r inbox.Records) {
	var seen []inbox.Sighting
	for _, wallet := range append([]string{""}, order...) {
		for i, id := range order { // the same time, except for the first and the last
			after := time.Minute
			switch i {
			case 0:
				after = time.Hour
			case len(order) - 1:
				after = -time.Hour
			}
			seen = append(seen, Seen("in "+wallet+": "+id, in(qredo.WalletID(wallet)), at(after)))
		}
	}
	var want []string
	for _, wallet := range append([]string{""}, order...) {
		list := append([]string{order[len(order)-1]}, order[1:len(order)-1]...)
		for _, id := range append(list, order[0]) {
			want = append(want, "in "+wallet+": "+id)
		}
	}
	slices.Reverse(seen)
	record(t, r, seen...)
	_, err := r.Record(t.Context(), lease(t, r, fund+"2"), Now, []inbox.Sighting{Seen("another source")})
	require.NoError(t, err)
	assert.Equal(t, want, next(t, r, "", 100, 100))

	// Due or not; entries that are not ready are not returned.
	_, err = r.Update(t.Context(), want[0], inbox.StateReady, Now, inbox.Change{State: inbox.StateReady, Due: Now.Add(time.Hour)})
	require.NoError(t, err)
	become(t, r, want[1], inbox.StateAside)
	become(t, r, want[2], inbox.StateSkipped)
	become(t, r, want[3], inbox.StateDone)
	want = slices.Delete(want, 1, 4)
	assert.Equal(t, want, next(t, r, "", 100, 100))
}

func testNextLimits(t *testing.T, r inbox.Records) {
	assert.Empty(t, next(t, r, "", 10, 10))
	for i, wallet := range []qredo.WalletID{"", "a", "ab", "b"} {
		for n := range i + 1 {
			record(t, r, Seen(fmt.Sprintf("%s%d", wallet, n), in(wallet), at(time.Duration(n)*time.Second)))
		}
	}
	for _, c := range []struct {
		from          qredo.WalletID
		wallets, each int
		want          []string
	}{
		{"", 10, 10, []string{"0", "a0", "a1", "ab0", "ab1", "ab2", "b0", "b1", "b2", "b3"}},
		{"", 10, 2, []string{"0", "a0", "a1", "ab0", "ab1", "b0", "b1"}},
		{"", 10, 1, []string{"0", "a0", "ab0", "b0"}},
		{"", 1, 10, []string{"0"}},
		{"", 2, 1, []string{"0", "a0"}},
		{"\x00", 2, 1, []string{"a0", "ab0"}},
		{"a", 2, 10, []string{"a0", "a1", "ab0", "ab1", "ab2"}},
		{"a\x00", 1, 10, []string{"ab0", "ab1", "ab2"}},
		{"aa", 2, 1, []string{"ab0", "b0"}},
		{"b", 2, 3, []string{"b0", "b1", "b2"}},
		{"b\x00", 10, 10, []string{}},
		{"c", 10, 10, []string{}},
		{"", 0, 10, []string{}},
		{"", 10, 0, []string{}},
	} {
		assert.Equal(t, c.want, next(t, r, c.from, c.wallets, c.each), "%+v", c)
	}
	list, err := r.Next(t.Context(), "fund:none", "", 10, 10)
	require.NoError(t, err)
	assert.Empty(t, list)
}

func testUpdate(t *testing.T, r inbox.Records) {
	ctx := t.Context()
	record(t, r, Seen("a"))
	later := Now.Add(time.Minute)
	failed := inbox.Change{State: inbox.StateReady, Attempts: 3, Due: later.Add(time.Second), Error: "because\t☃"}
	e, err := r.Update(ctx, "a", inbox.StateReady, later, failed)
	require.NoError(t, err)
	assert.Equal(t, inbox.Entry{
		ID: "a", Source: fund, Movement: Movement("a"), State: inbox.StateReady, Attempts: 3, Due: later.Add(time.Second), Error: "because\t☃", Updated: later,
	}, e)
	assert.Equal(t, e, get(t, r, "a"))
	refused := func(id string, seen inbox.State) error {
		t.Helper()
		before, err := r.Page(ctx, inbox.Filter{}, "", 10)
		require.NoError(t, err)
		e, err := r.Update(ctx, id, seen, later.Add(time.Hour), inbox.Change{State: inbox.StateDone})
		assert.Zero(t, e)
		after, notRead := r.Page(ctx, inbox.Filter{}, "", 10)
		require.NoError(t, notRead)
		assert.Equal(t, before, after)
		return err
	}
	require.ErrorIs(t, refused("none", inbox.StateReady), inbox.ErrNotFound)
	require.ErrorIs(t, refused("none", inbox.StateAside), inbox.ErrNotFound)
	wrong := (*inbox.StateError)(nil)
	require.ErrorAs(t, refused("a", inbox.StateAside), &wrong)
	assert.Equal(t, inbox.StateError{ID: "a", State: inbox.StateReady}, *wrong)

	aside, err := r.Update(ctx, "a", inbox.StateReady, later, inbox.Change{State: inbox.StateAside, Attempts: 4})
	require.NoError(t, err)
	assert.Equal(t, inbox.StateAside, aside.State)
	assert.Zero(t, aside.Due)
	assert.Empty(t, aside.Error)
	require.ErrorIs(t, refused("a", inbox.StateReady), inbox.ErrNotReady)
	require.ErrorAs(t, refused("a", inbox.StateSkipped), &wrong)
	assert.Equal(t, inbox.StateAside, wrong.State)
	again, err := r.Update(ctx, "a", inbox.StateAside, later, inbox.Change{State: inbox.StateReady, Error: "tried again by a person"})
	require.NoError(t, err)
	assert.Equal(t, again, get(t, r, "a"))
	assert.Zero(t, again.Attempts)
}

// testUpdateFound checks that all indexes find an entry after an update, and that the old ones no longer do.
func testUpdateFound(t *testing.T, r inbox.Records) {
	ctx := t.Context()
	record(t, r, Seen("a", alias("a2")))
	was := inbox.StateReady
	for _, state := range []inbox.State{inbox.StateAside, inbox.StateReady, inbox.StateReady, inbox.StateSkipped, inbox.StateReady, inbox.StateDone, inbox.StateReady} {
		_, err := r.Update(ctx, "a", was, Now, inbox.Change{State: state})
		require.NoError(t, err)
		was = state
		ready := next(t, r, "", 10, 10)
		assert.Equal(t, state == inbox.StateReady, len(ready) == 1)
		for _, one := range []inbox.State{inbox.StateWaiting, inbox.StateReady, inbox.StateDone, inbox.StateAside, inbox.StateSkipped, inbox.StateVoid} {
			page, err := r.Page(ctx, inbox.Filter{States: []inbox.State{one}}, "", 10)
			require.NoError(t, err)
			assert.Equal(t, one == state, len(page) == 1, "%s is %s", one, state)
		}
		sums, err := r.Sums(ctx, fund)
		require.NoError(t, err)
		one, want := inbox.Figure{Entries: 1, Amount: 5}, inbox.Sum{Asset: "BTC"}
		*map[inbox.State]*inbox.Figure{
			inbox.StateReady: &want.Ready, inbox.StateAside: &want.Aside, inbox.StateSkipped: &want.Skipped, inbox.StateDone: &want.Done,
		}[state] = one
		assert.Equal(t, map[qredo.WalletID]inbox.Sum{"wallet": want}, sums)
	}
	assert.Zero(t, record(t, r, Seen("a2")), "it is still found by its alias")
}

func testPage(t *testing.T, r inbox.Records) {
	ctx := t.Context()
	var seen []inbox.Sighting
	for i, id := range order {
		change := status(qredo.TxApproved)
		if i%3 == 0 {
			change = status(qredo.TxPending)
		}
		seen = append(seen, Seen(id, in(qredo.WalletID(fmt.Sprint("w", i%2))), change))
	}
	slices.Reverse(seen)
	record(t, r, seen[:6]...)
	_, err := r.Record(ctx, lease(t, r, "wallet:w"), Now, seen[6:])
	require.NoError(t, err)
	become(t, r, order[1], inbox.StateAside)
	var all []inbox.Entry
	for _, id := range order {
		all = append(all, get(t, r, id))
	}
	for _, f := range []inbox.Filter{
		{},
		{Source: fund},
		{Source: "wallet:w"},
		{Source: "none"},
		{Wallet: "w0"},
		{Wallet: "none"},
		{Source: fund, Wallet: "w1"},
		{States: []inbox.State{inbox.StateWaiting}},
		{States: []inbox.State{inbox.StateAside, inbox.StateWaiting, inbox.StateAside}},
		{States: []inbox.State{inbox.StateDone}},
		{States: []inbox.State{inbox.StateReady, "another"}, Wallet: "w0", Source: fund},
	} {
		var want []inbox.Entry
		for _, e := range all {
			if f.Match(e) {
				want = append(want, e)
			}
		}
		page, err := r.Page(ctx, f, "", 100)
		require.NoError(t, err)
		assert.Equal(t, idsOf(want), idsOf(page), "%+v", f)
		for _, limit := range []int{1, 2, 3} {
			var got []inbox.Entry
			for after := ""; ; {
				page, err := r.Page(ctx, f, after, limit)
				require.NoError(t, err)
				if len(page) == 0 {
					break
				}
				require.LessOrEqual(t, len(page), limit)
				got = append(got, page...)
				after = page[len(page)-1].ID
			}
			assert.Equal(t, want, got, "%+v by %d", f, limit)
		}
	}
	for after, want := range map[string]string{"Aa": "B", "a ": "a b", "a b": "a!", "~": "é"} { // also after an unknown ID
		page, err := r.Page(ctx, inbox.Filter{}, after, 1)
		require.NoError(t, err)
		assert.Equal(t, []string{want}, idsOf(page))
	}
	for _, limit := range []int{0, -1} {
		page, err := r.Page(ctx, inbox.Filter{}, "", limit)
		require.NoError(t, err)
		assert.Empty(t, page)
	}
}

func testWaiting(t *testing.T, r inbox.Records) {
	ctx, pending := t.Context(), status(qredo.TxPending)
	waiting := func(source string) (int, time.Time) {
		t.Helper()
		n, oldest, err := r.Waiting(ctx, source)
		require.NoError(t, err)
		return n, oldest
	}
	n, oldest := waiting(fund)
	assert.Zero(t, n)
	assert.Zero(t, oldest)
	record(t, r, Seen("a", pending, at(time.Hour)), Seen("b", pending, at(-time.Hour)), Seen("c", pending), Seen("ready", at(-48*time.Hour)))
	_, err := r.Record(ctx, lease(t, r, "wallet:w"), Now, []inbox.Sighting{Seen("other", pending, at(-24*time.Hour))})
	require.NoError(t, err)
	n, oldest = waiting(fund)
	assert.Equal(t, 3, n)
	assert.Equal(t, Now.Add(-time.Hour).Truncate(time.Second), oldest)
	record(t, r, Seen("b"))
	n, oldest = waiting(fund)
	assert.Equal(t, 2, n)
	assert.Equal(t, Now.Truncate(time.Second), oldest)
	n, _ = waiting("wallet:w")
	assert.Equal(t, 1, n)
}

func testSums(t *testing.T, r inbox.Records) {
	ctx := t.Context()
	eth := func(s *inbox.Sighting) { s.Movement.Asset = "ETH" }
	record(t, r,
		Seen("done 1", amount(10)), Seen("done 2", amount(-3)), Seen("ready", amount(7)), Seen("aside", amount(-4)), Seen("skipped", amount(1)),
		Seen("waits", amount(100), status(qredo.TxPending)), Seen("void", amount(100), status(qredo.TxRejected)),
		Seen("told", amount(100), status(qredo.TxPending), func(s *inbox.Sighting) { s.Tell = true }),
		Seen("only waits", in("waiting"), status(qredo.TxPending)),
		Seen("eth", in("eth"), eth), Seen("none btc", in("")), Seen("none eth", in(""), eth))
	for id, state := range map[string]inbox.State{
		"done 1": inbox.StateDone, "done 2": inbox.StateDone, "told": inbox.StateDone, "aside": inbox.StateAside, "skipped": inbox.StateSkipped,
	} {
		become(t, r, id, state)
	}
	_, err := r.Record(ctx, lease(t, r, "wallet:w"), Now, []inbox.Sighting{Seen("other", amount(1000))})
	require.NoError(t, err)
	sums, err := r.Sums(ctx, fund)
	require.NoError(t, err)
	five := inbox.Figure{Entries: 1, Amount: 5}
	assert.Equal(t, map[qredo.WalletID]inbox.Sum{
		"wallet": {Asset: "BTC", Done: inbox.Figure{Entries: 2, Amount: 7}, Ready: inbox.Figure{Entries: 1, Amount: 7}, Aside: inbox.Figure{Entries: 1, Amount: -4}, Skipped: inbox.Figure{Entries: 1, Amount: 1}},
		"eth":    {Asset: "ETH", Ready: five},
		"":       {Ready: inbox.Figure{Entries: 2, Amount: 10}},
	}, sums)
	sums, err = r.Sums(ctx, "none")
	require.NoError(t, err)
	assert.Empty(t, sums)
}

func testSumsSaturate(t *testing.T, r inbox.Records) {
	most, least := amount(math.MaxInt64), amount(math.MinInt64)
	record(t, r,
		Seen("a1", in("most"), most), Seen("a2", in("most"), amount(1)),
		Seen("b1", in("least"), least), Seen("b2", in("least"), amount(-1)),
		Seen("c1", in("back"), most), Seen("c2", in("back"), most), Seen("c3", in("back"), least), Seen("c4", in("back"), least),
		Seen("d1", in("just"), most), Seen("e1", in("just not"), least))
	sums, err := r.Sums(t.Context(), fund)
	require.NoError(t, err)
	for wallet, want := range map[qredo.WalletID]inbox.Figure{
		"most": {Entries: 2, Amount: math.MaxInt64}, "least": {Entries: 2, Amount: math.MinInt64}, "back": {Entries: 4, Amount: -2},
		"just": {Entries: 1, Amount: math.MaxInt64}, "just not": {Entries: 1, Amount: math.MinInt64},
	} {
		assert.Equal(t, want, sums[wallet].Ready, wallet)
	}
}

func testSources(t *testing.T, r inbox.Records) {
	list, err := r.Sources(t.Context())
	require.NoError(t, err)
	assert.Empty(t, list)
	reversed := slices.Clone(order)
	slices.Reverse(reversed)
	want := make([]inbox.Source, len(order))
	for i, id := range reversed {
		s := lease(t, r, id)
		s.Skipped = int64(i)
		require.NoError(t, r.Progress(t.Context(), s))
		want[len(order)-1-i] = s
	}
	list, err = r.Sources(t.Context())
	require.NoError(t, err)
	assert.Equal(t, want, list)
}
