package cli

import (
	"fmt"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// TestLikeNamesLeadNowhereElse: who may choose a name draws nothing to it that is meant for another.
func TestLikeNamesLeadNowhereElse(t *testing.T) {
	const id = "GUDvXRyD3rBVCB2C3HgcXPeUEJcVdKia8U3X6UrcbkjK"
	for _, text := range []string{id, id + " ", " " + id, id + "\r", id + "\n", "Ｇ" + id[1:]} {
		assert.True(t, isID(text), "%q", text)
	}
	assert.False(t, isID("Client assets of the Example Exchange"))
	assert.Equal(t, id, typed(" "+id+"\r\n"))
	alice := thing{ID: "1", Name: "Alice", Other: "alice@example.com"}
	mallory := thing{ID: "2", Name: "carol@example.com", Other: "mallory@example.com"}
	found, err := pick("trusted party", "", "ALICE@example.com", []thing{alice, mallory})
	require.NoError(t, err)
	assert.Equal(t, "1", found.ID)
	_, err = pick("trusted party", "", "carol@example.com", []thing{alice, mallory})
	require.Error(t, err)
}

// TestNamesThatLookAlikeAreSeveral has names that the service's search keeps apart, and people do not: in spaces, capitals and forms of Unicode.
func TestNamesThatLookAlikeAreSeveral(t *testing.T) {
	s := serveDemo(t, nil)
	client := s.client(t)
	company := qredo.CompanyID(s.env["QREDO_COMPANY"])
	group := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{qredo.TrustedEntityID(s.party(t))}}
	for _, names := range [][]string{
		{"Cold store", "Cold  store"}, {"Caf\u00e9", "Cafe\u0301"}, {"Warm\u00a0store", "warm store"}, {"\uff21cme", "ACME"}, {"Stra\u00dfe", "STRASSE"},
	} {
		var funds, companies []string
		for i, name := range names {
			fund, err := client.Funds.Create(t.Context(), company, qredo.FundRequest{Name: name, CustodyGroupWithdraw: group, CustodyGroupTx: group})
			require.NoError(t, err)
			made, err := client.Companies.Create(t.Context(), qredo.CompanyRequest{Name: name, Domain: fmt.Sprint(i, ".example")})
			require.NoError(t, err)
			funds, companies = append(funds, string(fund.ID)), append(companies, string(made.ID))
		}
		for _, name := range names {
			for kind, ids := range map[string][]string{"fund": funds, "company": companies} {
				_, said, code := s.run(t, "", kind, "get", name)
				assert.Equal(t, exitUsage, code, "%s %q: %s", kind, name, said)
				for _, id := range ids {
					assert.Contains(t, said, id, "%s %q", kind, name)
				}
			}
		}
	}
}

// TestListsLoseNothing: a list in several lines is refused, where its first line alone would be taken.
func TestListsLoseNothing(t *testing.T) {
	var got []string
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	listVar(flags, &got, "approver", "")
	require.NoError(t, flags.Parse([]string{"--approver", `a,"b, c"`, "--approver", "d"}))
	assert.Equal(t, []string{"a", "b, c", "d"}, got)
	require.ErrorContains(t, flags.Parse([]string{"--approver", "a\nb"}), "several lines")
}

// TestKeysAreNotShownAsFiles knows a key where a file is meant.
func TestKeysAreNotShownAsFiles(t *testing.T) {
	for text, is := range map[string]bool{
		"-----BEGIN PRIVATE KEY-----": true, "eyJrZXlfaWQiOiJhIiwia2V5IjoiYiIsInNhbmRib3giOnRydWV9": true, "a\nb": true,
		"keys/private.pem": false, "/home/me/a/rather/long/path/to/the/private/key/of/the/sandbox": false, "apikey": false,
	} {
		assert.Equal(t, is, keyItself(text), text)
	}
}

// TestANameThatCouldBeAShortCodePaysNobody has a wallet whose name is three words, as the short code of another could be.
func TestANameThatCouldBeAShortCodePaysNobody(t *testing.T) {
	s := serveDemo(t, nil)
	_, err := s.client(t).Funds.AddWallets(t.Context(), qredo.CompanyID(s.env["QREDO_COMPANY"]), qredo.FundID(s.fund()),
		[]qredo.WalletRequest{{Name: "maple otter cloud", Asset: "BTC-TESTNET"}})
	require.NoError(t, err)
	_, said, code := s.run(t, "n\n", "transfer", "create", "--from", s.wallet("Treasury"), "--to", "Maple otter cloud", "--amount", "0.1BTC-TESTNET")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, said, "could be the short code of another: give the ID")
}
