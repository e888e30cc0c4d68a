package inbox

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// A time ahead of the service's clock does not have what follows passed over.
func TestAHistoryThatIsAheadOfItsTime(t *testing.T) {
	now := time.Now().Unix()
	hist := []qredo.HistoryEntry{{WalletID: "w", ChainTxID: "a", Amount: 1, Time: qredo.Unix(now + 50*60)}}
	f := &fake{history: func(_ string, since int64) any {
		var out []qredo.HistoryEntry
		for _, e := range hist {
			if e.Time.Unix() > since {
				out = append(out, e)
			}
		}
		return map[string]any{"history": out}
	}}
	g := newRig(t, f, time.Unix(now-60, 0))
	w, s := g.wallet(t, "w")
	w.measured = time.Now().Add(time.Hour)
	_, err := w.look(t.Context(), s)
	require.NoError(t, err)
	hist = append(hist, qredo.HistoryEntry{WalletID: "w", ChainTxID: "b", Amount: 7, Time: qredo.Unix(now + 60)})
	for range 3 {
		_, err := w.look(t.Context(), s)
		require.NoError(t, err)
	}
	assert.Len(t, g.ids(t), 2, "what moved now, beside an entry whose time is 50 min ahead")
}

// An entry that comes late by all of the overlap is found, although the service leaves out the very second that it is asked for.
func TestAHistoryThatIsLateByTheOverlap(t *testing.T) {
	at := time.Now().Unix() - 60
	hist := []qredo.HistoryEntry{{WalletID: "w", ChainTxID: "a", Amount: 1, Time: qredo.Unix(at)}}
	f := &fake{history: func(_ string, since int64) any {
		var out []qredo.HistoryEntry
		for _, e := range hist {
			if e.Time.Unix() > since {
				out = append(out, e)
			}
		}
		return map[string]any{"history": out}
	}}
	g := newRig(t, f, time.Time{})
	w, s := g.wallet(t, "w")
	for range 2 {
		_, err := w.look(t.Context(), s)
		require.NoError(t, err)
		hist = append(hist, qredo.HistoryEntry{WalletID: "w", ChainTxID: "b", Amount: 7, Time: qredo.Unix(at - int64(overlap/time.Second))})
	}
	assert.Len(t, g.ids(t), 2)
}

// Nor in a ledger.
func TestALedgerThatIsAheadOfItsTime(t *testing.T) {
	now := time.Now().Unix()
	led := []qredo.LedgerEntry{dep("old", 1, "w", now-9000), dep("ahead", 1, "w", now+50*60)}
	f := &fake{ledger: func(_ string, o, l int) any { return map[string]any{"List": slice(newestFirst(led), o, l)} }}
	g := newRig(t, f, time.Time{})
	fr, s := g.fund(t, "f")
	_, err := fr.look(t.Context(), s)
	require.NoError(t, err)
	var more []qredo.LedgerEntry
	for i := range 150 {
		more = append(more, dep(fmt.Sprint("n", i), 3, "w", now+int64(i)))
	}
	led = append(append(led[:1:1], more...), led[1])
	for range 3 {
		fr.whole, fr.deep = time.Time{}, time.Time{}
		_, err = fr.look(t.Context(), s)
		require.NoError(t, err)
	}
	assert.Len(t, g.ids(t), 152)
}

// A ledger that begins with the oldest and does not say how many there are is read to its end.
func TestOldestFirstWithoutATotal(t *testing.T) {
	for _, start := range []bool{true, false} {
		t.Run(fmt.Sprint("FromStart ", start), func(t *testing.T) {
			now := time.Now().Unix()
			var led []qredo.LedgerEntry
			for i := range 1500 {
				led = append(led, dep(fmt.Sprint("old", i), 1, "w", now-100000+int64(i)))
			}
			f := &fake{ledger: func(_ string, o, l int) any { return map[string]any{"List": slice(led, o, l)} }}
			from := time.Unix(now-60, 0)
			if start {
				from = time.Time{}
			}
			g := newRig(t, f, from)
			fr, s := g.fund(t, "f")
			fr.measured = time.Now().Add(time.Hour)
			_, err := fr.look(t.Context(), s)
			require.NoError(t, err)
			led = append(led, dep("new", 7, "w", now))
			for range 5 {
				_, err := fr.look(t.Context(), s)
				require.NoError(t, err)
			}
			assert.Contains(t, g.ids(t), "in:w:new:7", "after 6 looks; log: %s; source %+v; %d of %d", g.logs, s.Reading, len(g.ids(t)), len(led))
		})
	}
}

// A total that counts the page does not end the walk.
func TestATotalOfThePage(t *testing.T) {
	now := time.Now().Unix()
	var led []qredo.LedgerEntry
	for i := range 2500 {
		led = append(led, dep(fmt.Sprint("d", i), 1, "w", now-100000+int64(i)))
	}
	f := &fake{ledger: func(_ string, o, l int) any {
		list := slice(newestFirst(led), o, l)
		return map[string]any{"List": list, "Total": len(list)}
	}}
	g := newRig(t, f, time.Time{})
	fr, s := g.fund(t, "f")
	for range 3 {
		_, err := fr.look(t.Context(), s)
		require.NoError(t, err)
	}
	assert.Len(t, g.ids(t), 2500, "log %s", g.logs)
}

// A deposit whose wallet is not known yet is handed over once, when it is.
func TestAnAddressThatIsListedLater(t *testing.T) {
	now := time.Now().Unix()
	d := dep("c", 500, "", now)
	d.Address = "addr1"
	led := []qredo.LedgerEntry{d}
	var wallets []map[string]any
	f := &fake{
		ledger: func(_ string, o, l int) any { return map[string]any{"List": slice(led, o, l), "Total": len(led)} },
		fund:   func(string) any { return map[string]any{"fund_id": "f", "wallets": wallets} },
	}
	g := newRig(t, f, time.Time{})
	fr, s := g.fund(t, "f")
	_, err := fr.look(t.Context(), s)
	require.NoError(t, err)
	t.Log(g.ids(t))
	wallets = append(wallets, map[string]any{"wallet_id": "w1", "name": "n", "address": "addr1", "asset": "BTC"})
	fr, s = g.fund(t, "f") // after a restart, or in another program
	_, err = fr.look(t.Context(), s)
	require.NoError(t, err)
	assert.Len(t, g.ids(t), 1, "%v", g.ids(t))
}

// Also where that is long after, when other deposits have come.
func TestAnAddressThatIsListedLongAfter(t *testing.T) {
	now := time.Now().Unix()
	d := dep("c", 500, "", now-7200)
	d.Address = "addr1"
	led := []qredo.LedgerEntry{dep("later", 1, "w2", now), d}
	var wallets []map[string]any
	f := &fake{
		ledger: func(_ string, o, l int) any { return map[string]any{"List": slice(led, o, l), "Total": len(led)} },
		fund:   func(string) any { return map[string]any{"fund_id": "f", "wallets": wallets} },
	}
	g := newRig(t, f, time.Time{})
	fr, s := g.fund(t, "f")
	for range 2 {
		_, err := fr.look(t.Context(), s)
		require.NoError(t, err)
	}
	assert.Equal(t, []string{"in:w2:later:1"}, g.ids(t))
	assert.Equal(t, int64(1), s.Missed)
	wallets = append(wallets, map[string]any{"wallet_id": "w1", "name": "n", "address": "addr1", "asset": "BTC"})
	fr.whole, fr.addressed = time.Time{}, time.Time{} // some time later
	_, err := fr.look(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, []string{"in:w1:c:500", "in:w2:later:1"}, g.ids(t))
	assert.Zero(t, s.Missed)
}

// One whose address is listed no more keeps its key.
func TestAnAddressThatChanges(t *testing.T) {
	now := time.Now().Unix()
	d := dep("c", 500, "", now)
	d.Address = "addr1"
	led := []qredo.LedgerEntry{d}
	address := "addr1"
	f := &fake{
		ledger: func(_ string, o, l int) any {
			return map[string]any{"List": slice(newestFirst(led), o, l), "Total": len(led)}
		},
		fund: func(string) any {
			return map[string]any{"fund_id": "f", "wallets": []any{map[string]any{"wallet_id": "w1", "name": "n", "address": address, "asset": "BTC"}}}
		},
	}
	g := newRig(t, f, time.Time{})
	fr, s := g.fund(t, "f")
	_, err := fr.look(t.Context(), s)
	require.NoError(t, err)
	address = "addr2"
	fr, s = g.fund(t, "f") // after a restart
	_, err = fr.look(t.Context(), s)
	require.NoError(t, err)
	assert.Len(t, g.ids(t), 1, "%v", g.ids(t))
}

// A service that starts to name wallets reports nothing new by that.
func TestAWalletThatIsNamedLater(t *testing.T) {
	now := time.Now().Unix()
	e := qredo.LedgerEntry{TxID: "t", ChainTxID: "c", Status: qredo.TxApproved, Type: qredo.EntryTransferIn, Amount: 5, NetAmount: 5, Asset: "BTC", Time: qredo.Unix(now)}
	led := []qredo.LedgerEntry{e}
	f := &fake{ledger: func(_ string, o, l int) any { return map[string]any{"List": slice(led, o, l), "Total": len(led)} }}
	g := newRig(t, f, time.Time{})
	fr, s := g.fund(t, "f")
	_, err := fr.look(t.Context(), s)
	require.NoError(t, err)
	led[0].WalletID = "w"
	_, err = fr.look(t.Context(), s)
	require.NoError(t, err)
	assert.Len(t, g.ids(t), 1, "%v", g.ids(t))
}

// Histories without their wallet's ID are of the wallet that was asked for.
func TestHistoriesThatNameNoWallet(t *testing.T) {
	now := time.Now().Unix()
	f := &fake{history: func(string, int64) any {
		return map[string]any{"history": []qredo.HistoryEntry{{ChainTxID: "c", Amount: 5, Time: qredo.Unix(now)}}}
	}}
	g := newRig(t, f, time.Time{})
	for _, id := range []string{"w1", "w2"} {
		w, s := g.wallet(t, id)
		_, err := w.look(t.Context(), s)
		require.NoError(t, err)
	}
	assert.Len(t, g.ids(t), 2, "%v", g.ids(t))
}

// An address of several wallets is one for each asset.
func TestOneAddressOfSeveralWallets(t *testing.T) {
	now := time.Now().Unix()
	d := dep("c", 500, "", now)
	d.Address, d.Asset = "0xabc", "ETH"
	led := []qredo.LedgerEntry{d}
	f := &fake{
		ledger: func(_ string, o, l int) any { return map[string]any{"List": slice(led, o, l), "Total": len(led)} },
		fund: func(string) any {
			return map[string]any{"fund_id": "f", "wallets": []any{
				map[string]any{"wallet_id": "weth", "name": "n", "address": "0xabc", "asset": "ETH"},
				map[string]any{"wallet_id": "wusdc", "name": "n", "address": "0xabc", "asset": "USDC"},
			}}
		},
	}
	g := newRig(t, f, time.Time{})
	fr, s := g.fund(t, "f")
	_, err := fr.look(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, []string{"in:weth:c:500"}, g.ids(t))
}

// A page that looks as if the order were another does not turn the ledger round.
func TestAPageThatLooksTheOtherWayRound(t *testing.T) {
	now := time.Now().Unix()
	var led []qredo.LedgerEntry // newest first
	for i := range 150 {
		led = append(led, dep(fmt.Sprint("n", i), 1, "w", now-3600-int64(i)))
	}
	for i := range 2000 {
		led = append(led, dep(fmt.Sprint("o", i), 1, "w", now-90000))
	}
	f := &fake{ledger: func(_ string, o, l int) any { return map[string]any{"List": slice(led, o, l), "Total": len(led)} }}
	g := newRig(t, f, time.Unix(now-60, 0))
	fr, s := g.fund(t, "f")
	fr.measured = time.Now().Add(time.Hour)
	look := func() {
		fr.whole, fr.deep = time.Time{}, time.Time{}
		_, err := fr.look(t.Context(), s)
		require.NoError(t, err)
	}
	look()
	save := led[99]
	led[99].Time = qredo.Unix(now - 1) // settled now, and keeps its place
	look()
	led[99] = save
	led = append([]qredo.LedgerEntry{dep("new", 7, "w", now)}, led...)
	for range 4 {
		look()
	}
	assert.Contains(t, g.ids(t), "in:w:new:7", "%+v\n%s", s.Reading, g.logs)
}

// A total that is too high does not stop a ledger.
func TestATotalThatIsTooHigh(t *testing.T) {
	for _, oldest := range []bool{false, true} {
		now := time.Now().Unix()
		var led []qredo.LedgerEntry
		for i := range 1200 {
			led = append(led, dep(fmt.Sprint("d", i), 1, "w", now-100000+int64(i)))
		}
		f := &fake{ledger: func(_ string, o, l int) any {
			list := led
			if !oldest {
				list = newestFirst(led)
			}
			return map[string]any{"List": slice(list, o, l), "Total": len(led) + 2}
		}}
		g := newRig(t, f, time.Time{})
		fr, s := g.fund(t, "f")
		for range 3 {
			_, err := fr.look(t.Context(), s)
			require.NoError(t, err, "oldest first %v", oldest)
			*s, _ = g.Lease(t.Context(), s.ID, "me", time.Hour)
		}
		assert.True(t, s.Whole, "oldest first %v", oldest)
	}
}
