package qredo_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/internal/fieldcheck"
)

func TestFundsCreate(t *testing.T) {
	client := clienttest.ServeFixture(t, "funds_create")
	got, err := client.Funds.Create(t.Context(), clienttest.CompanyID, qredo.FundRequest{
		Name:                 "Treasury",
		Description:          "Cold reserves",
		CustodyGroupWithdraw: &qredo.CustodyGroup{Threshold: 2, Members: []qredo.TrustedEntityID{clienttest.AliceID, clienttest.BobID}},
		CustodyGroupTx:       &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{clienttest.AliceID, clienttest.CoreID}},
		Wallets: []qredo.WalletRequest{
			{Name: "Reserve", Asset: "BTC-TESTNET"},
			{
				Name: "Trading", Asset: "ETH-TESTNET", Type: qredo.WalletDedicated,
				CustodyGroupWithdraw: &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{clienttest.BobID}},
				CustodyGroupTx:       &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{clienttest.CoreID}},
				Connect:              []qredo.ConnectRequest{{CounterpartyID: clienttest.ExchangeID, ClientID: "client-77"}},
			},
		},
	})
	require.NoError(t, err)
	want := &qredo.CreatedFund{ID: clienttest.FundID, CustodyGroupWithdraw: clienttest.PolicyWithdrawID, CustodyGroupTx: clienttest.PolicyTxID}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

func TestFundsGet(t *testing.T) {
	client := clienttest.ServeFixture(t, "funds_get")
	got, err := client.Funds.Get(t.Context(), clienttest.CompanyID, clienttest.FundID)
	require.NoError(t, err)
	want := &qredo.Fund{
		ID: clienttest.FundID, Name: "Treasury", Description: "Cold reserves",
		CustodyGroupWithdraw: clienttest.PolicyWithdrawID, CustodyGroupTx: clienttest.PolicyTxID,
		PolicyWithdraw: &clienttest.WithdrawPolicy, PolicyTx: &clienttest.TxPolicy,
		Members: []qredo.FundMember{
			{Entity: clienttest.Alice, Permissions: qredo.Permissions{Admin: true, Withdraw: true, Transfer: true, Swap: true}},
			{Entity: clienttest.Core, Permissions: qredo.Permissions{Transfer: true}},
		},
		Assets:  []qredo.AssetCode{"BTC-TESTNET", "ETH-TESTNET"},
		Wallets: []qredo.Wallet{clienttest.TradingWallet},
	}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

func TestFundsSearch(t *testing.T) {
	client := clienttest.ServeFixture(t, "funds_search")
	got, err := client.Funds.Search(t.Context(), clienttest.CompanyID, "Trésor")
	require.NoError(t, err)
	want := []qredo.FundMatch{{ID: clienttest.FundID, Name: "Trésor"}, {ID: clienttest.OtherFundID, Name: "Trésor 2"}}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

func TestFundsAddWallets(t *testing.T) {
	client := clienttest.ServeFixture(t, "funds_add_wallets")
	got, err := client.Funds.AddWallets(t.Context(), clienttest.CompanyID, clienttest.FundID, []qredo.WalletRequest{
		{
			Name: "Spare", Asset: "BTC-TESTNET", Type: qredo.WalletMultiCounterparty,
			CustodyGroupTx: &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{clienttest.AliceID, clienttest.CoreID}},
			Connect:        []qredo.ConnectRequest{{CounterpartyID: clienttest.ExchangeID}},
		},
		{Asset: "ETH-TESTNET"},
	})
	require.NoError(t, err)
	require.Equal(t, []qredo.WalletID{clienttest.WalletID, clienttest.OtherWalletID}, got)
}

func TestFundsAddAssets(t *testing.T) {
	client := clienttest.ServeFixture(t, "funds_add_assets")
	got, err := client.Funds.AddAssets(t.Context(), clienttest.CompanyID, clienttest.FundID, []qredo.AssetCode{"BTC-TESTNET", "ETH-TESTNET"})
	require.NoError(t, err)
	require.Equal(t, []qredo.WalletID{clienttest.WalletID, clienttest.OtherWalletID}, got)
}

func TestFundsDepositAddresses(t *testing.T) {
	client := clienttest.ServeFixture(t, "funds_list_deposit_addresses")
	got, err := client.Funds.ListDepositAddresses(t.Context(), clienttest.CompanyID, clienttest.FundID)
	require.NoError(t, err)
	want := []qredo.DepositAddress{
		{Asset: "BTC-TESTNET", Address: clienttest.BTCAddress, Balance: 150_000_000},
		{Asset: "ETH-TESTNET", Address: clienttest.ETHAddress, Balance: 2_000_000_000},
	}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

// An example of the service has items, but a total_count of 0: the items count.
func TestFundsDepositAddressesIgnoresCount(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"total_count":0,"list":[{"asset":"BTC","address":"a","balance":"12"}]}`))
	got, err := client.Funds.ListDepositAddresses(t.Context(), clienttest.CompanyID, clienttest.FundID)
	require.NoError(t, err)
	require.Equal(t, []qredo.DepositAddress{{Asset: "BTC", Address: "a", Balance: 12}}, got)
}

func TestFundsWhitelist(t *testing.T) {
	client := clienttest.ServeFixture(t, "funds_list_whitelist")
	got, err := client.Funds.ListWhitelist(t.Context(), clienttest.CompanyID, clienttest.FundID,
		qredo.WhitelistOptions{Address: clienttest.PayoutAddress, Asset: "BTC-TESTNET"})
	require.NoError(t, err)
	want := []qredo.WhitelistEntry{{Asset: "BTC-TESTNET", Address: clienttest.PayoutAddress, Name: "payouts"}}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

func TestFundsAddToWhitelist(t *testing.T) {
	client := clienttest.ServeFixture(t, "funds_add_to_whitelist")
	err := client.Funds.AddToWhitelist(t.Context(), clienttest.CompanyID, clienttest.FundID,
		qredo.WhitelistEntry{Asset: "BTC-TESTNET", Address: clienttest.PayoutAddress, Name: "payouts"})
	require.NoError(t, err)
}

func TestFundsLedger(t *testing.T) {
	client := clienttest.ServeFixture(t, "funds_list_ledger")
	got, err := client.Funds.ListLedger(t.Context(), clienttest.CompanyID, clienttest.FundID, qredo.LedgerOptions{
		Asset: "BTC-TESTNET", WalletID: clienttest.WalletID, Direction: qredo.DirectionOut, Offset: 4, Limit: 2,
	})
	require.NoError(t, err)
	want := &qredo.LedgerPage{Total: 6, Entries: []qredo.LedgerEntry{
		{
			TxID: clienttest.TransferID, Type: qredo.EntryTransferOut, Status: qredo.TxApproved, Asset: "BTC-TESTNET",
			Amount: 100_100, NetAmount: 100_000, Fees: 100, FundID: clienttest.FundID, WalletID: clienttest.WalletID,
			Address: clienttest.OtherWalletID, CounterpartyID: clienttest.ExchangeID, CounterpartyName: "Exchange Ltd",
			Reference: "invoice 42", BenefitOf: "Client 9", AccountNo: "ACC-1",
			Time: qredo.Unix(1668070000), Expires: qredo.Unix(1668080000),
		},
		{
			TxID: clienttest.WithdrawalID, Type: qredo.EntryWithdraw, Status: qredo.TxApproved, Asset: "BTC-TESTNET",
			Amount: 50_050, NetAmount: 50_000, Fees: 50, FundID: clienttest.FundID, WalletID: clienttest.WalletID,
			Address: clienttest.PayoutAddress, ChainTxID: clienttest.ChainTxID,
			Time: qredo.Unix(1668071000), Expires: qredo.Unix(1668090000),
		},
	}}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

// What is empty is left out of the query.
func TestFundsQueriesWithoutOptions(t *testing.T) {
	var urls []string
	client := clienttest.NewClient(t, clienttest.RecordURLs(&urls, `{"list":[]}`))
	_, err := client.Funds.ListLedger(t.Context(), "c", "f", qredo.LedgerOptions{})
	require.NoError(t, err)
	_, err = client.Funds.ListWhitelist(t.Context(), "c", "f", qredo.WhitelistOptions{})
	require.NoError(t, err)
	_, err = client.Funds.ListWhitelist(t.Context(), "c", "f", qredo.WhitelistOptions{Asset: "A&B C"})
	require.NoError(t, err)
	require.Equal(t, []string{
		clienttest.BaseURL + "/company/c/fund/f/ledger",
		clienttest.BaseURL + "/company/c/fund/f/whitelist",
		clienttest.BaseURL + "/company/c/fund/f/whitelist?asset=A%26B+C",
	}, urls)
}

// Other forms that the service and its documents have for a fund and its policies.
func TestFundsOtherForms(t *testing.T) {
	for name, body := range map[string]string{
		"members wrapped":   `{"ID":"f","policy_tx":{"id":"p","threshold":"2","members":[{"dedicated":"true","entity":{"id":"m","type":"core-client","coreClient":{"name":"n"}}}]}}`,
		"entity in place":   `{"fundID":"f","policyTx":{"id":"p","threshold":2,"members":[{"dedicated":true,"id":"m","type":"core-client","core-client":{"name":"n"}}]}}`,
		"one member":        `{"fund_id":"f","policy_tx":{"id":"p","threshold":2,"members":{"dedicated":true,"entity":{"id":"m","type":"core-client","core_client":{"name":"n"}}}}}`,
		"null beside":       `{"fund_id":"f","description":null,"policy_withdraw":null,"members":null,"policy_tx":{"id":"p","threshold":2.0,"members":[{"dedicated":true,"entity":{"id":"m","type":"core-client","coreClient":{"name":"n"},"user":null}}]}}`,
		"unknown keys":      `{"fund_id":"f","x":[{"y":"}"}],"policy_tx":{"id":"p","threshold":2,"z":"\"","members":[{"dedicated":true,"entity":{"id":"m","type":"core-client","coreClient":{"name":"n"}}}]}}`,
		"spaced and broken": "{ \"fund_id\" : \"f\" ,\r\n \"policy_tx\"\t:{\"id\":\"p\",\"threshold\": 2 ,\"members\":[ {\"dedicated\":true ,\"entity\":{\"id\":\"m\",\"type\":\"core-client\",\"coreClient\":{\"name\":\"n\"}}} ] } } ",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := clienttest.NewClient(t, clienttest.AnswerWith(200, body)).Funds.Get(t.Context(), clienttest.CompanyID, "f")
			require.NoError(t, err)
			require.Equal(t, &qredo.Fund{ID: "f", PolicyTx: &qredo.Policy{
				ID: "p", Threshold: 2, Members: []qredo.PolicyMember{{Dedicated: true, Entity: qredo.Entity{
					ID: "m", Type: qredo.TrustedPartyCoreClient, CoreClient: &qredo.EntityCoreClient{Name: "n"},
				}}},
			}}, got)
		})
	}
}

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
			client := clienttest.NewClient(t, clienttest.RefuseAll(t))
			_, err := client.Funds.Create(t.Context(), clienttest.CompanyID, tc.req)
			clienttest.RequireInvalid(t, err, tc.field)
			if len(tc.req.Wallets) > 0 { // what AddWallets takes is checked in the same way
				_, err = client.Funds.AddWallets(t.Context(), clienttest.CompanyID, clienttest.FundID, tc.req.Wallets)
				clienttest.RequireInvalid(t, err, tc.field)
			}
		})
	}
}

// The largest threshold that can be met is not refused.
func TestFundsThresholdOfAllMembers(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"fund_id":"f"}`))
	_, err := client.Funds.Create(t.Context(), clienttest.CompanyID, qredo.FundRequest{
		Name: "F", CustodyGroupTx: &qredo.CustodyGroup{Threshold: 2, Members: members("a", "b")},
	})
	require.NoError(t, err)
}

func TestFundsBadLists(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.RefuseAll(t))
	_, err := client.Funds.AddWallets(t.Context(), clienttest.CompanyID, clienttest.FundID, nil)
	clienttest.RequireInvalid(t, err, "wallets")
	_, err = client.Funds.AddAssets(t.Context(), clienttest.CompanyID, clienttest.FundID, nil)
	clienttest.RequireInvalid(t, err, "assets")
	_, err = client.Funds.AddAssets(t.Context(), clienttest.CompanyID, clienttest.FundID, []qredo.AssetCode{"BTC", ""})
	clienttest.RequireInvalid(t, err, "assets[1]")
}

func TestFundsBadWhitelistEntries(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.RefuseAll(t))
	for _, tc := range []struct {
		entry qredo.WhitelistEntry
		field string
	}{
		{qredo.WhitelistEntry{Address: clienttest.PayoutAddress}, "asset"},
		{qredo.WhitelistEntry{Asset: "BTC"}, "address"},
		{qredo.WhitelistEntry{Asset: "BTC", Address: " \t"}, "address"},
	} {
		clienttest.RequireInvalid(t, client.Funds.AddToWhitelist(t.Context(), clienttest.CompanyID, clienttest.FundID, tc.entry), tc.field)
	}
}

func TestFundsBadLedgerOptions(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.RefuseAll(t))
	for _, tc := range []struct {
		options qredo.LedgerOptions
		field   string
	}{
		{qredo.LedgerOptions{Offset: -1}, "offset"},
		{qredo.LedgerOptions{Limit: -1}, "limit"},
		{qredo.LedgerOptions{Direction: "sideways"}, "direction"},
	} {
		_, err := client.Funds.ListLedger(t.Context(), clienttest.CompanyID, clienttest.FundID, tc.options)
		clienttest.RequireInvalid(t, err, tc.field)
		yielded := 0
		for _, err := range client.Funds.LedgerAll(t.Context(), clienttest.CompanyID, clienttest.FundID, tc.options) {
			clienttest.RequireInvalid(t, err, tc.field)
			yielded++
		}
		require.Equal(t, 1, yielded)
	}
}
