package qredo_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

func members(ids ...qredo.TrustedEntityID) []qredo.TrustedEntityID { return ids }

func TestFundsBadRequests(t *testing.T) {
	group := func(threshold int, m ...qredo.TrustedEntityID) *qredo.CustodyGroup {
		return &qredo.CustodyGroup{Threshold: threshold, Members: m}
	}
	wallet := func(w qredo.WalletRequest) qredo.FundRequest {
		return qredo.FundRequest{Name: "F", Wallets: []qredo.WalletRequest{{Asset: "BTC"}, w}}
	}
	for name, tc := range map[string]struct {
		req   qredo.FundRequest
		field string
	}{
		"no name":              {qredo.FundRequest{}, "name"},
		"blank name":           {qredo.FundRequest{Name: " "}, "name"},
		"threshold over":       {qredo.FundRequest{Name: "F", CustodyGroupWithdraw: group(3, "a", "b")}, "custodygroup_withdraw.threshold"},
		"threshold zero":       {qredo.FundRequest{Name: "F", CustodyGroupTx: group(0, "a", "b")}, "custodygroup_tx.threshold"},
		"threshold negative":   {qredo.FundRequest{Name: "F", CustodyGroupTx: group(-1, "a")}, "custodygroup_tx.threshold"},
		"no members":           {qredo.FundRequest{Name: "F", CustodyGroupTx: group(1)}, "custodygroup_tx.threshold"},
		"empty group":          {qredo.FundRequest{Name: "F", CustodyGroupTx: &qredo.CustodyGroup{}}, "custodygroup_tx.threshold"},
		"empty member":         {qredo.FundRequest{Name: "F", CustodyGroupTx: group(1, "a", "")}, "custodygroup_tx.members[1]"},
		"member twice":         {qredo.FundRequest{Name: "F", CustodyGroupTx: group(2, "a", "b", "a")}, "custodygroup_tx.members[2]"},
		"wallet without asset": {wallet(qredo.WalletRequest{Name: "W"}), "wallets[1].asset"},
		"wallet threshold": {
			wallet(qredo.WalletRequest{Asset: "BTC", CustodyGroupTx: group(2, "a")}), "wallets[1].custodygroup_tx.threshold",
		},
		"wallet member": {
			wallet(qredo.WalletRequest{Asset: "BTC", CustodyGroupWithdraw: group(1, "")}), "wallets[1].custodygroup_withdraw.members[0]",
		},
		"connect to nobody": {
			wallet(qredo.WalletRequest{Asset: "BTC", Connect: []qredo.ConnectRequest{{CounterpartyID: "c"}, {ClientID: "x"}}}),
			"wallets[1].connect[1].counterparty_id",
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, refuseAll(t))
			_, err := client.Funds.Create(t.Context(), companyID, tc.req)
			requireInvalid(t, err, tc.field)
			if len(tc.req.Wallets) > 0 { // what AddWallets takes is checked in the same way
				_, err = client.Funds.AddWallets(t.Context(), companyID, fundID, tc.req.Wallets)
				requireInvalid(t, err, tc.field)
			}
		})
	}
}

// The largest threshold that can be met is not refused.
func TestFundsThresholdOfAllMembers(t *testing.T) {
	client := newClient(t, answerWith(200, `{"fund_id":"f"}`))
	_, err := client.Funds.Create(t.Context(), companyID, qredo.FundRequest{
		Name: "F", CustodyGroupTx: &qredo.CustodyGroup{Threshold: 2, Members: members("a", "b")},
	})
	require.NoError(t, err)
}

func TestFundsBadLists(t *testing.T) {
	client := newClient(t, refuseAll(t))
	_, err := client.Funds.AddWallets(t.Context(), companyID, fundID, nil)
	requireInvalid(t, err, "wallets")
	_, err = client.Funds.AddAssets(t.Context(), companyID, fundID, nil)
	requireInvalid(t, err, "assets")
	_, err = client.Funds.AddAssets(t.Context(), companyID, fundID, []qredo.AssetCode{"BTC", ""})
	requireInvalid(t, err, "assets[1]")
}

func TestFundsBadWhitelistEntries(t *testing.T) {
	client := newClient(t, refuseAll(t))
	for _, tc := range []struct {
		entry qredo.WhitelistEntry
		field string
	}{
		{qredo.WhitelistEntry{Address: payoutAddress}, "asset"},
		{qredo.WhitelistEntry{Asset: "BTC"}, "address"},
		{qredo.WhitelistEntry{Asset: "BTC", Address: " \t"}, "address"},
	} {
		requireInvalid(t, client.Funds.AddToWhitelist(t.Context(), companyID, fundID, tc.entry), tc.field)
	}
}

func TestFundsBadLedgerOptions(t *testing.T) {
	client := newClient(t, refuseAll(t))
	for _, tc := range []struct {
		options qredo.LedgerOptions
		field   string
	}{
		{qredo.LedgerOptions{Offset: -1}, "offset"},
		{qredo.LedgerOptions{Limit: -1}, "limit"},
		{qredo.LedgerOptions{Direction: "sideways"}, "direction"},
	} {
		_, err := client.Funds.ListLedger(t.Context(), companyID, fundID, tc.options)
		requireInvalid(t, err, tc.field)
		yielded := 0
		for _, err := range client.Funds.LedgerAll(t.Context(), companyID, fundID, tc.options) {
			requireInvalid(t, err, tc.field)
			yielded++
		}
		require.Equal(t, 1, yielded)
	}
}
