package qredo_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/fieldcheck"
)

func TestWalletsGet(t *testing.T) {
	client := serveFixture(t, "wallets_get")
	got, err := client.Wallets.Get(t.Context(), walletID)
	require.NoError(t, err)
	fieldcheck.RequireAllSet(t, tradingWallet)
	require.Equal(t, &tradingWallet, got)
}

func TestWalletsHistory(t *testing.T) {
	client := serveFixture(t, "wallets_list_history")
	got, err := client.Wallets.ListHistory(t.Context(), walletID, qredo.HistoryOptions{Since: qredo.Unix(1668000000)})
	require.NoError(t, err)
	want := []qredo.HistoryEntry{
		{
			WalletID: walletID, TxID: transferID, ChainTxID: chainTxID, Asset: "BTC-TESTNET",
			Amount: -100_100, Fees: -100, NetAmount: -100_000, Time: qredo.Unix(1668070000),
		},
		{
			WalletID: walletID, ChainTxID: reverse(chainTxID), Asset: "BTC-TESTNET",
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
	client := newClient(t, recordURLs(&urls, `{"history":null}`))
	got, err := client.Wallets.ListHistory(t.Context(), walletID, qredo.HistoryOptions{})
	require.NoError(t, err)
	require.Empty(t, got)
	require.Equal(t, []string{testBase + "/wallet/" + walletID + "/history"}, urls)
}

// What a wallet is connected to comes as a list, as one object, as null, or not at all; its type is a
// number of which more are seen than are documented.
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
			got, err := newClient(t, answerWith(200, tc.body)).Wallets.Get(t.Context(), walletID)
			require.NoError(t, err)
			require.Equal(t, &tc.want, got)
		})
	}
}
