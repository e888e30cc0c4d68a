package cli

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

const (
	treasuryID = "8Qx3bWDP7fFLeVCwJaSnjVkWgGpUtBsPz2TLhNdqm4Yr"
	tradingID  = "9zCrm3ZPx367EMxCiu52cRyCo3KWpjjbrRXwkEqjTFRU"
	opsID      = "3YsX8LpN2JhTZ43wnm6nnj9A5Y35JvJKq5j8uFQ83j3j"
	fourthID   = "6jXdbzwj7nGStYEaVHDDYaue7ZyDDZQuptwP12k9gTAP"
)

// TestPick says what a text means. Where it could mean two things it means neither, and the error names both.
func TestPick(t *testing.T) {
	wallets := []thing{
		{ID: treasuryID, Code: "copper lantern valley", Name: "Treasury", Where: "in fund Client assets"},
		{ID: tradingID, Code: "maple otter cloud", Name: "Trading"},
		{ID: opsID, Code: "polar crystal falcon", Name: "Ops", Where: "in fund One"},
		{ID: fourthID, Code: "amber river stone", Name: "ops", Where: "in fund Two"},
	}
	other := func(name string) []thing { return append(wallets[:3:3], thing{ID: fourthID, Name: name}) }
	for _, c := range []struct {
		name, text string
		things     []thing
		want       string   // ID
		could      []string // else what the error names
	}{
		{"an ID", tradingID, wallets, tradingID, nil},
		{"a short code", "Maple-Otter-Cloud", wallets, tradingID, nil},
		{"a name", "Treasury", wallets, treasuryID, nil},
		{"a name in other capitals", "tREASURY", wallets, treasuryID, nil},
		{"a name with spaces around", " Treasury ", wallets, treasuryID, nil},
		{"a part of a name", "Treas", wallets, "", []string{treasuryID, tradingID}},
		{"nothing", " ", wallets, "", []string{treasuryID}},
		{"two that differ in capitals", "Ops", wallets, "", []string{opsID, fourthID, "in fund One", "in fund Two"}},
		{"two of the same name", "Treasury", other("Treasury"), "", []string{treasuryID, fourthID}},
		{"one written in another form of Unicode", "Cafe\u0301", []thing{{ID: treasuryID, Name: "Caf\u00e9"}, {ID: tradingID, Name: "Cafe\u0301"}}, "", []string{treasuryID, tradingID}},
		{"one with two spaces", "Client assets", []thing{{ID: treasuryID, Name: "Client assets"}, {ID: tradingID, Name: "Client  assets"}}, "", []string{treasuryID, tradingID}},
		{"a name that is another's ID", tradingID, other(tradingID), tradingID, nil},
		{"a name that is another's short code", "maple otter cloud", other("maple otter cloud"), tradingID, nil},
		{"a look-alike letter is another", "Tre\u0430sury", wallets, "", []string{treasuryID}},
		{"a hidden letter is another", "Treasury", other("Treasury\u200b"), treasuryID, nil},
		{"one thing that is listed twice", "Treasury", append(other("x"), wallets[0]), treasuryID, nil},
		{"an address", "alice@example.com", []thing{{ID: opsID, Name: "Alice", Other: "alice@example.com"}}, opsID, nil},
		{"an address that is another's name", "alice@example.com",
			[]thing{{ID: opsID, Name: "Alice", Other: "alice@example.com"}, {ID: fourthID, Name: "alice@example.com"}}, "", []string{opsID, fourthID}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := pick("wallet", "company X", c.text, c.things)
			assert.Equal(t, c.want, got.ID)
			if c.could == nil {
				require.NoError(t, err)
				return
			}
			for _, text := range c.could {
				require.ErrorContains(t, err, text)
			}
			several := strings.Contains(err.Error(), "could be any of")
			assert.Equal(t, !several, errors.Is(err, qredo.ErrNotFound))
			assert.Equal(t, several, errors.As(err, new(usageError)))
		})
	}
}

// TestNamesAreShownWhole has names that would play with the terminal, and a list that is too long to be shown.
func TestNamesAreShownWhole(t *testing.T) {
	_, err := pick("wallet", "", "x\x1b[2J", []thing{{ID: treasuryID, Name: "evil\x1b]0;\n\u202e"}})
	require.EqualError(t, err, `no wallet has the ID or name "x\u001b[2J"; there are: `+treasuryID+` (evil\u001b]0;\n\u202e)`)
	many := make([]thing, 12)
	for i := range many {
		many[i] = thing{ID: string(rune('a' + i)), Name: "Same"}
	}
	_, err = pick("trusted party", "", "same", many)
	require.ErrorContains(t, err, `"same" could be any of 12 trusted parties; give the ID: a (Same); b (Same)`)
	require.ErrorContains(t, err, "j (Same); 2 more")
	_, err = pick("fund", "company X", "a", nil)
	require.EqualError(t, err, `no fund has the ID or name "a": there is none in company X`)
}

func TestForms(t *testing.T) {
	for text, want := range map[string]struct{ id, code bool }{
		treasuryID:                    {true, false},
		"2J4KcJ1FvXQZ7xpVxLq0hZmWvDA": {true, false},
		"Treasury":                    {false, false},
		"ClientAssetsOfEurope":        {true, false}, // twenty letters: it could be one
		"copper lantern valley":       {false, true},
		"Copper-Lantern-Valley":       {false, true},
		"Client assets":               {false, false},
		"Client assets 2026":          {false, false},
		"":                            {false, false},
	} {
		assert.Equal(t, want.id, isID(text), text)
		assert.Equal(t, want.code, isShortCode(text), text)
	}
}
