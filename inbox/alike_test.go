package inbox

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// What is alike and was there before the inbox began does not count.
func TestAlikeBeforeAndAfterTheBegin(t *testing.T) {
	now := time.Now().Unix()
	hist := []qredo.HistoryEntry{
		{WalletID: "w", ChainTxID: "c", Amount: 5, Time: qredo.Unix(now - 601)}, // before the inbox began
		{WalletID: "w", ChainTxID: "c", Amount: 5, Time: qredo.Unix(now - 599)}, // after
	}
	f := &fake{history: func(_ string, since int64) any {
		var out []qredo.HistoryEntry
		for _, e := range hist {
			if e.Time.Unix() > since {
				out = append(out, e)
			}
		}
		return map[string]any{"history": out}
	}}
	g := newRig(t, f, time.Unix(now-600, 0))
	w, s := g.wallet(t, "w")
	w.measured = time.Now().Add(time.Hour)
	_, err := w.look(t.Context(), s)
	require.NoError(t, err)
	assert.Len(t, g.ids(t), 1)
	// 5 min after: another one; the window is from -300-... : the first is out of it
	hist = append(hist, qredo.HistoryEntry{WalletID: "w", ChainTxID: "d", Amount: 9, Time: qredo.Unix(now - 599 + 300)})
	for range 2 {
		_, err = w.look(t.Context(), s)
		require.NoError(t, err)
	}
	assert.Len(t, g.ids(t), 2, "%v", g.ids(t))
}

// What is alike is counted across pages.
func TestAlikeAtTheEndOfAPage(t *testing.T) {
	now := time.Now().Unix()
	var led []qredo.LedgerEntry // newest first
	for i := range 2000 {
		led = append(led, dep(fmt.Sprint("d", i), 1, "w", now-int64(i)*60))
	}
	led[full-2].ChainTxID, led[full].ChainTxID = "c", "c"
	f := &fake{ledger: func(_ string, o, l int) any { return map[string]any{"List": slice(led, o, l), "Total": len(led)} }}
	g := newRig(t, f, time.Time{})
	fr, s := g.fund(t, "f")
	for range 4 {
		fr.whole, fr.deep = time.Time{}, time.Time{}
		_, err := fr.look(t.Context(), s)
		require.NoError(t, err)
	}
	assert.Contains(t, g.ids(t), "in:w:c:1#2", "missed %d", s.Missed)
}

// However much of it there is.
func TestMoreAlikeThanAPage(t *testing.T) {
	now := time.Now().Unix()
	for _, most := range []int{1000, 100} {
		var led []qredo.LedgerEntry
		for range 1500 {
			led = append(led, dep("c", 546, "w", now))
		}
		f := &fake{ledger: func(_ string, o, l int) any {
			return map[string]any{"List": slice(led, o, min(l, most)), "Total": len(led)}
		}}
		g := newRig(t, f, time.Time{})
		fr, s := g.fund(t, "f")
		for range 4 {
			fr.whole, fr.deep = time.Time{}, time.Time{}
			_, err := fr.look(t.Context(), s)
			require.NoError(t, err)
		}
		assert.Len(t, g.ids(t), 1500, "pages of %d: missed %d", most, s.Missed)
	}
}

// Pages that are equal, since one transaction pays again and again, do not stop a ledger.
func TestDustDoesNotStopALedger(t *testing.T) {
	for name, c := range map[string]struct{ most, dust int }{"400, pages of 100": {100, 400}, "1400, pages as they are asked for": {1000, 1400}} {
		t.Run(name, func(t *testing.T) {
			now := time.Now().Unix()
			led := []qredo.LedgerEntry{dep("first", 1, "w", now-4000)} // oldest first
			f := &fake{ledger: func(_ string, o, l int) any {
				return map[string]any{"List": slice(newestFirst(led), o, min(l, c.most)), "Total": len(led)}
			}}
			g := newRig(t, f, time.Time{})
			fr, s := g.fund(t, "f")
			look := func() error { // as follower.rounds: after an error, as it is stored
				_, err := fr.look(t.Context(), s)
				if err != nil {
					*s, _ = g.Lease(t.Context(), s.ID, "me", time.Hour)
				}
				return err
			}
			require.NoError(t, look())
			led = append(led, dep("victim", 1_000_000, "customer", now-3001))
			for range c.dust {
				led = append(led, dep("dust", 546, "attacker", now-3000))
			}
			for range 3 {
				t.Log(look())
			}
			before := f.requests["ledger"]
			for i := range 2000 { // hours later
				led = append(led, dep(fmt.Sprint("n", i), 1, "w", now-2000+int64(i)))
			}
			require.NoError(t, look())
			assert.Less(t, f.requests["ledger"]-before, 100)
			t.Log("requests of one look:", f.requests["ledger"]-before)
			assert.Contains(t, g.ids(t), "in:customer:victim:1000000")

			anew := newRig(t, f, time.Time{})
			fr, s = anew.fund(t, "f")
			require.NoError(t, look(), "FromStart")
			assert.True(t, s.Whole, "else nothing is ever handed over")
		})
	}
}

// A person is told if a skipped movement is taken back.
func TestWhatWasSkippedAndIsRefused(t *testing.T) {
	now := time.Now().Unix()
	led := []qredo.LedgerEntry{{TxID: "t", WalletID: "w", Status: qredo.TxApproved, Type: qredo.EntryTransferIn, ChainTxID: "c", Amount: 5, NetAmount: 5, Asset: "BTC", Time: qredo.Unix(now)}}
	f := &fake{ledger: func(_ string, o, l int) any { return map[string]any{"List": slice(led, o, l), "Total": len(led)} }}
	g := newRig(t, f, time.Time{})
	fr, s := g.fund(t, "f")
	_, err := fr.look(t.Context(), s)
	require.NoError(t, err)
	people, err := Operate(g.FileStore)
	require.NoError(t, err)
	_, err = people.Skip(t.Context(), "in:w:c:5", "dana: booked by hand, ticket 17")
	require.NoError(t, err)
	led[0].Status = qredo.TxChainRejected
	_, err = fr.look(t.Context(), s)
	require.NoError(t, err)
	e, err := g.Get(t.Context(), "in:w:c:5")
	require.NoError(t, err)
	assert.Equal(t, "dana: booked by hand, ticket 17", e.Error, "state %s", e.State)
	assert.Len(t, g.ids(t), 2, "something tells somebody: log %q", g.logs)
}

// An old page does not undo a person's decision.
func TestAnOldPageAfterASkip(t *testing.T) {
	now := time.Now().Unix()
	led := []qredo.LedgerEntry{{TxID: "t", WalletID: "w", Status: qredo.TxPending, Type: qredo.EntryTransferOut, Amount: 5, NetAmount: 5, Asset: "BTC", Time: qredo.Unix(now)}}
	f := &fake{ledger: func(_ string, o, l int) any { return map[string]any{"List": slice(led, o, l), "Total": len(led)} }}
	g := newRig(t, f, time.Time{})
	fr, s := g.fund(t, "f")
	look := func(status qredo.TxStatus) {
		led[0].Status = status
		_, err := fr.look(t.Context(), s)
		require.NoError(t, err)
	}
	look(qredo.TxPending)
	look(qredo.TxApproved)
	people, err := Operate(g.FileStore)
	require.NoError(t, err)
	_, err = people.Skip(t.Context(), "out:w:t", "dana: booked by hand, ticket 17")
	require.NoError(t, err)
	look(qredo.TxPending) // a page from before
	look(qredo.TxApproved)
	e, err := g.Get(t.Context(), "out:w:t")
	require.NoError(t, err)
	assert.Equal(t, StateSkipped, e.State)
}

// Nor does it change what was set aside.
func TestAnOldPageAfterSomethingWasSetAside(t *testing.T) {
	now := time.Now().Unix()
	led := []qredo.LedgerEntry{{TxID: "t", WalletID: "w", Status: qredo.TxApproved, Type: qredo.EntryTransferOut, Amount: 5, NetAmount: 5, Asset: "BTC", Time: qredo.Unix(now)}}
	f := &fake{ledger: func(_ string, o, l int) any { return map[string]any{"List": slice(led, o, l), "Total": len(led)} }}
	g := newRig(t, f, time.Time{})
	fr, s := g.fund(t, "f")
	look := func(status qredo.TxStatus) {
		led[0].Status = status
		_, err := fr.look(t.Context(), s)
		require.NoError(t, err)
	}
	look(qredo.TxApproved)
	_, err := g.Update(t.Context(), "out:w:t", StateReady, time.Now(), Change{State: StateAside, Attempts: 10, Error: "no account"})
	require.NoError(t, err)
	look(qredo.TxPending)
	look(qredo.TxApproved)
	e, err := g.Get(t.Context(), "out:w:t")
	require.NoError(t, err)
	assert.Equal(t, StateAside, e.State)
}
