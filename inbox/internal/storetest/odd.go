package storetest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
)

// odd are texts that not every store can keep.
var odd = []string{
	"a\x00b", "\x00", "a\xffb", "\xc3", "\xed\xa0\x80", "\uFFFD", "\uFFFE", "\\u0000", `\`, `'"`, "\u2028", "\U0010FFFF", "%s %d", "{}", " ", "\n",
	strings.Repeat("☃", 500), strings.Repeat("x", 20_000), strings.Repeat("long", 20_000),
}

// testOddTexts puts odd texts wherever possible: they are kept unchanged, or nothing of them is stored.
func testOddTexts(t *testing.T, r inbox.Records) {
	ctx := t.Context()
	record(t, r, Seen("before"))
	before, err := r.Sources(ctx)
	require.NoError(t, err)
	for _, text := range odd {
		for field, seen := range map[string]inbox.Sighting{
			"ID":        Seen(text),
			"alias":     Seen("an alias", alias("alias "+text)),
			"wallet":    Seen("a wallet", in(qredo.WalletID(text))),
			"asset":     Seen("an asset", func(s *inbox.Sighting) { s.Movement.Asset = qredo.AssetCode(text) }),
			"status":    Seen("a status", func(s *inbox.Sighting) { s.Movement.Status = qredo.TxStatus(text) }),
			"kind":      Seen("a kind", func(s *inbox.Sighting) { s.Movement.Kind = inbox.Kind(text) }),
			"key":       Seen("a key", func(s *inbox.Sighting) { s.Movement.Key = text }),
			"chain":     Seen("a chain", func(s *inbox.Sighting) { s.Movement.ChainTxID = text }),
			"name":      Seen("a name", func(s *inbox.Sighting) { s.Movement.CounterpartyName = text }),
			"reference": Seen("a reference", func(s *inbox.Sighting) { s.Movement.Reference = text }),
		} {
			if field != "ID" {
				seen.ID += " " + strings.ToValidUTF8(strings.ReplaceAll(text[:min(len(text), 100)], "\x00", "0"), "?")
			}
			testOddText(t, r, field, text, seen)
		}
	}
	assert.Equal(t, Movement("before"), get(t, r, "before").Movement)
	page, err := r.Page(ctx, inbox.Filter{}, "", 1000)
	require.NoError(t, err)
	after, err := r.Sources(ctx)
	require.NoError(t, err)
	assert.Equal(t, int64(len(page)), after[0].Rows)
	for _, text := range odd {
		s, err := r.Lease(ctx, text, "odd", 0)
		if err != nil {
			continue
		}
		assert.Equal(t, text, s.ID)
		require.NoError(t, r.Progress(ctx, s))
	}
	for _, text := range odd {
		s, err := r.Lease(ctx, "wallet:"+text[:min(len(text), 10)], text, 0)
		if err == nil {
			assert.Equal(t, text, s.Holder)
		}
	}
	sources, err := r.Sources(ctx)
	require.NoError(t, err)
	assert.Contains(t, sources, after[0])
	assert.NotEmpty(t, before)
	for _, s := range sources {
		if s.Holder == "odd" {
			assert.Contains(t, odd, s.ID)
		}
	}
}

func testOddText(t *testing.T, r inbox.Records, field, text string, seen inbox.Sighting) {
	t.Helper()
	ctx, short := t.Context(), text[:min(len(text), 20)]
	counts, err := r.Record(ctx, lease(t, r, fund), Now, []inbox.Sighting{seen})
	if err != nil {
		require.NotErrorIs(t, err, inbox.ErrLeaseLost)
		assert.Zero(t, counts)
		if _, err := r.Get(ctx, seen.ID); err == nil {
			assert.Fail(t, "it was refused, and stored", "%s %q", field, short)
		}
		return
	}
	assert.Equal(t, 1, counts.New, "%s %q", field, short)
	e := get(t, r, seen.ID)
	assert.Equal(t, seen.Movement, e.Movement, "%s %q", field, short)
	assert.Equal(t, seen.Alias, e.Alias)
	seen.Movement.Moved, seen.Movement.Status = true, qredo.TxApproved
	again := record(t, r, seen)
	assert.Zero(t, again.New, "%s %q", field, short)
	if e.State == inbox.StateReady {
		list, err := r.Next(ctx, fund, e.Movement.Wallet, 1, 1000)
		require.NoError(t, err)
		assert.Contains(t, idsOf(list), e.ID, "%s %q", field, short)
	}
	page, err := r.Page(ctx, inbox.Filter{Wallet: e.Movement.Wallet}, "", 1000)
	require.NoError(t, err)
	assert.Contains(t, idsOf(page), e.ID, "%s %q", field, short)
}

// testOddError has a handler fail with any text: the failure must be stored.
func testOddError(t *testing.T, r inbox.Records) {
	record(t, r, Seen("a"))
	for i, text := range odd {
		e, err := r.Update(t.Context(), "a", inbox.StateReady, Now, inbox.Change{State: inbox.StateReady, Attempts: i, Error: text})
		require.NoError(t, err, "%.20q", text)
		assert.Equal(t, strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "\uFFFD"), e.Error)
		assert.Equal(t, e, get(t, r, "a"))
	}
}
