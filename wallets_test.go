package qredo_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/internal/fieldcheck"
)

func TestWalletsGet(t *testing.T) {
	client := clienttest.ServeFixture(t, "wallets_get")
	got, err := client.Wallets.Get(t.Context(), clienttest.WalletID)
	require.NoError(t, err)
	fieldcheck.RequireAllSet(t, clienttest.TradingWallet)
	require.Equal(t, &clienttest.TradingWallet, got)
}

func TestWalletsHistory(t *testing.T) {
	client := clienttest.ServeFixture(t, "wallets_list_history")
	got, err := client.Wallets.ListHistory(t.Context(), clienttest.WalletID, qredo.HistoryOptions{Since: qredo.Unix(1668000000)})
	require.NoError(t, err)
	want := []qredo.HistoryEntry{
		{
			WalletID: clienttest.WalletID, TxID: clienttest.TransferID, ChainTxID: clienttest.ChainTxID, Asset: "BTC-TESTNET",
			Amount: -100_100, Fees: -100, NetAmount: -100_000, Time: qredo.Unix(1668070000),
		},
		{
			WalletID: clienttest.WalletID, ChainTxID: reverse(clienttest.ChainTxID), Asset: "BTC-TESTNET",
			Amount: math.MaxInt64, NetAmount: math.MaxInt64, Time: qredo.Unix(1668060000),
		},
	}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

func reverse(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

func TestWalletsHistoryFromTheBeginning(t *testing.T) {
	var urls []string
	client := clienttest.NewClient(t, clienttest.RecordURLs(&urls, `{"history":null}`))
	got, err := client.Wallets.ListHistory(t.Context(), clienttest.WalletID, qredo.HistoryOptions{})
	require.NoError(t, err)
	require.Empty(t, got)
	require.Equal(t, []string{clienttest.BaseURL + "/wallet/" + clienttest.WalletID + "/history"}, urls)
}

// What a wallet is connected to comes as a list, as one object, as null, or not at all; its type is a number, with more
// values in use than are documented.
func TestWalletsOtherForms(t *testing.T) {
	account := []qredo.ConnectedAccount{{ClientID: "c", CounterpartyID: "p", Name: "n", Status: "s"}}
	for name, tc := range map[string]struct {
		body string
		want qredo.Wallet
	}{
		"list":          {`{"wallet_id":"w","connected":[{"client_id":"c","counterparty_id":"p","name":"n","status":"s"}]}`, qredo.Wallet{ID: "w", Connected: account}},
		"object":        {`{"walletID":"w","connected":{"clientID":"c","counterpartyID":"p","name":"n","status":"s"}}`, qredo.Wallet{ID: "w", Connected: account}},
		"null":          {`{"wallet_id":"w","connected":null}`, qredo.Wallet{ID: "w"}},
		"absent":        {`{"wallet_id":"w"}`, qredo.Wallet{ID: "w"}},
		"type 3":        {`{"wallet_id":"w","type":3}`, qredo.Wallet{ID: "w", Type: 3}},
		"type 91827364": {`{"wallet_id":"w","type":"91827364","status":"frozen"}`, qredo.Wallet{ID: "w", Type: 91827364, Status: "frozen"}},
		"balance text":  {`{"wallet_id":"w","balance":"9223372036854775807"}`, qredo.Wallet{ID: "w", Balance: math.MaxInt64}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := clienttest.NewClient(t, clienttest.AnswerWith(200, tc.body)).Wallets.Get(t.Context(), "w")
			require.NoError(t, err)
			require.Equal(t, &tc.want, got)
		})
	}
}

func TestWalletsMaxAmount(t *testing.T) {
	got, err := clienttest.ServeFixture(t, "wallets_get_max_amount").Wallets.GetMaxAmount(t.Context(), clienttest.WalletID, qredo.MaxAmountOptions{
		Pending: true, Type: qredo.MaxWithdraw,
	})
	require.NoError(t, err)
	want := &qredo.Fees{NetAmount: 99_900, AmountToSend: 100_000, Fees: 100}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

func TestWalletsMaxAmountQueries(t *testing.T) {
	for want, options := range map[string]qredo.MaxAmountOptions{
		"":                            {},
		"?tx_type=swap":               {Type: qredo.MaxSwap},
		"?pending=1&tx_type=transfer": {Pending: true, Type: qredo.MaxTransfer},
	} {
		var urls []string
		_, err := clienttest.NewClient(t, clienttest.RecordURLs(&urls, `{"fees":1}`)).Wallets.GetMaxAmount(t.Context(), clienttest.WalletID, options)
		require.NoError(t, err)
		require.Equal(t, []string{clienttest.BaseURL + "/wallet/" + clienttest.WalletID + "/max" + want}, urls)
	}
	client := clienttest.NewClient(t, clienttest.RefuseAll(t))
	_, err := client.Wallets.GetMaxAmount(t.Context(), clienttest.WalletID, qredo.MaxAmountOptions{Type: "transferOut"})
	clienttest.RequireInvalid(t, err, "tx_type")
}

func TestWalletsUpdatePolicy(t *testing.T) {
	client := clienttest.ServeFixture(t, "wallets_update_policy")
	require.NoError(t, client.Wallets.UpdatePolicy(t.Context(), clienttest.CompanyID, clienttest.FundID, clienttest.WalletID, clienttest.GoodPolicy()))
}

func TestWalletsUpdatePolicyRefused(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.RefuseAll(t))
	for name, tc := range map[string]struct {
		field string
		spoil func(*qredo.PolicyRequest)
	}{
		"no policy":      {"policy_id", func(r *qredo.PolicyRequest) { r.PolicyID = "" }},
		"no type":        {"type", func(r *qredo.PolicyRequest) { r.Type = "" }},
		"other type":     {"type", func(r *qredo.PolicyRequest) { r.Type = "policy-swap" }},
		"nobody":         {"threshold", func(r *qredo.PolicyRequest) { r.Threshold = 0 }},
		"more than all":  {"threshold", func(r *qredo.PolicyRequest) { r.Threshold = 3 }},
		"twice the same": {"members[1]", func(r *qredo.PolicyRequest) { r.Members[1] = r.Members[0] }},
		"without ID":     {"members[0]", func(r *qredo.PolicyRequest) { r.Members[0] = "" }},
	} {
		t.Run(name, func(t *testing.T) {
			req := clienttest.GoodPolicy()
			tc.spoil(&req)
			clienttest.RequireInvalid(t, client.Wallets.UpdatePolicy(t.Context(), clienttest.CompanyID, clienttest.FundID, clienttest.WalletID, req), tc.field)
		})
	}
}

func TestWalletsExchanges(t *testing.T) {
	got, err := clienttest.ServeFixture(t, "wallets_list_exchanges").Wallets.ListExchanges(t.Context())
	require.NoError(t, err)
	want := []qredo.Exchange{{
		ID: clienttest.ExchangeID, Name: "Exchange Ltd", URL: "https://exchange.example", LogoURL: "https://exchange.example/logo.png",
		Client: qredo.ExchangeClient{Fields: []qredo.ExchangeField{{ID: "1", Type: "text", Name: "account"}}},
	}}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

// A movement has the same key wherever it is reported, and says how it changed the balance.
func TestMovementsOfLedgers(t *testing.T) {
	const hash = "00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff"
	for name, tc := range map[string]struct {
		entry  qredo.LedgerEntry
		key    string
		signed qredo.Amount
		moved  bool
	}{
		"deposit": {qredo.LedgerEntry{Type: qredo.EntryDeposit, WalletID: "w", ChainTxID: hash, Amount: 5, NetAmount: 5}, "in:w:" + strings.ToLower(hash) + ":5", 5, true},
		"base58": {qredo.LedgerEntry{Type: qredo.EntryDeposit, WalletID: "w", ChainTxID: "4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofMA", Amount: 5},
			"in:w:4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofMA:5", 5, true},
		"in": {qredo.LedgerEntry{Type: qredo.EntryTransferIn, TxID: "t", Status: qredo.TxApproved, WalletID: "w", ChainTxID: "c", Amount: 5}, "in:w:c:5", 5, true},
		"in with the sender's fee": {qredo.LedgerEntry{Type: qredo.EntryTransferIn, Status: qredo.TxApproved, WalletID: "w", ChainTxID: "c", Amount: 6, Fees: 1, NetAmount: 5},
			"in:w:c:5", 5, true},
		"in without a chain": {qredo.LedgerEntry{Type: qredo.EntrySwapIn, TxID: "t", Status: qredo.TxTakerApproved, WalletID: "w", Amount: 5}, "in:w:t:5", 5, true},
		"out":                {qredo.LedgerEntry{Type: qredo.EntryWithdraw, TxID: "t", Status: qredo.TxApproved, WalletID: "w", ChainTxID: "c", Amount: 6, Fees: 1, NetAmount: 5}, "out:w:t", -6, true},
		"out that waits":     {qredo.LedgerEntry{Type: qredo.EntryTransferOut, TxID: "t", Status: qredo.TxPending, WalletID: "w", Amount: 6, Fees: 1}, "out:w:t", -6, false},
		"out of the chain":   {qredo.LedgerEntry{Type: qredo.EntrySwapOut, TxID: "t", Status: qredo.TxChainRejected, WalletID: "w", Amount: 6}, "out:w:t", -6, false},
		"without a wallet":   {qredo.LedgerEntry{Type: qredo.EntryTransferOut, TxID: "t", Status: qredo.TxApproved, FundID: "f", Amount: 6}, "out:f:t", -6, true},
		"of no direction":    {qredo.LedgerEntry{Type: qredo.EntrySwap, TxID: "t", Status: qredo.TxApproved, WalletID: "w", Amount: 6}, "out:w:t", 0, true},
		"without any name":   {qredo.LedgerEntry{Type: qredo.EntryDeposit, WalletID: "w", Amount: 6}, "", 6, true},
	} {
		assert.Equal(t, tc.key, tc.entry.Key(), name)
		assert.Equal(t, tc.signed, tc.entry.Signed(), name)
		assert.Equal(t, tc.moved, tc.entry.Moved(), name)
		assert.Equal(t, name == "deposit" || name == "base58" || name == "without any name", tc.entry.IsDeposit(), name)
	}
	for want, entry := range map[string]qredo.HistoryEntry{
		"in:w:c:5":  {WalletID: "w", TxID: "t", ChainTxID: "c", Amount: 5, NetAmount: 5},
		"out:w:t":   {WalletID: "w", TxID: "t", ChainTxID: "c", Amount: -6, Fees: -1, NetAmount: -5},
		"out:w:t2":  {WalletID: "w", TxID: "t2", ChainTxID: "c", Amount: 6, Fees: -1, NetAmount: 5}, // as the schema has it
		"in:w:t:5":  {WalletID: "w", TxID: "t", Amount: 5},
		"out:w:c58": {WalletID: "w", ChainTxID: "c58", Amount: -6},
	} {
		assert.Equal(t, want, entry.Key())
		event := qredo.WalletEvent{WalletID: entry.WalletID, TxID: entry.TxID, ChainTxID: entry.ChainTxID, Amount: entry.Amount, Fees: entry.Fees, NetAmount: entry.NetAmount}
		assert.Equal(t, want, event.Key())
	}
}
