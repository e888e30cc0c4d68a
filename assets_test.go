package qredo_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/internal/fieldcheck"
)

func TestAssetsList(t *testing.T) {
	client := clienttest.ServeFixture(t, "assets_list")
	got, err := client.Assets.List(t.Context())
	require.NoError(t, err)
	want := []qredo.Asset{
		{Code: "BTC-TESTNET", Name: "Bitcoin Testnet", UnitCode: "BTC-TEST", Scale: 100_000_000, Enabled: true, TestAsset: true},
		{Code: "ETH", Name: "Ethereum", UnitCode: "ETH", Scale: 1_000_000_000},
	}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

func TestAssetsFind(t *testing.T) {
	client := clienttest.ServeFixture(t, "assets_list")
	got, err := client.Assets.Find(t.Context(), "ETH")
	require.NoError(t, err)
	require.Equal(t, &qredo.Asset{Code: "ETH", Name: "Ethereum", UnitCode: "ETH", Scale: 1_000_000_000}, got)
}

func TestAssetsFindUnknown(t *testing.T) {
	client := clienttest.ServeFixture(t, "assets_list")
	got, err := client.Assets.Find(t.Context(), "eth")
	require.ErrorIs(t, err, qredo.ErrNotFound)
	require.ErrorContains(t, err, `"eth"`)
	require.Nil(t, got)
}

// The schema says that assets is one object.
func TestAssetsListOneObject(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"assets":{"code":"BTC","unit_code":"BTC","scale":1e8,"enabled":"true"}}`))
	got, err := client.Assets.List(t.Context())
	require.NoError(t, err)
	require.Equal(t, []qredo.Asset{{Code: "BTC", UnitCode: "BTC", Scale: 100_000_000, Enabled: true}}, got)
}

func TestAssetsFees(t *testing.T) {
	client := clienttest.ServeFixture(t, "assets_get_fees")
	got, err := client.Assets.GetFees(t.Context(), qredo.FeesRequest{Type: qredo.FeeTransferOut, Asset: "BTC-TESTNET", Amount: 200_000})
	require.NoError(t, err)
	want := &qredo.Fees{NetAmount: 200_000, AmountToSend: 200_200, Fees: 200}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

func TestAssetsFeesBadRequests(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.RefuseAll(t))
	good := qredo.FeesRequest{Type: qredo.FeeWithdraw, Asset: "BTC", Amount: 1}
	for field, spoil := range map[string]func(*qredo.FeesRequest){
		"type":   func(r *qredo.FeesRequest) { r.Type = "" },
		"asset":  func(r *qredo.FeesRequest) { r.Asset = "" },
		"amount": func(r *qredo.FeesRequest) { r.Amount = 0 },
	} {
		bad := good
		spoil(&bad)
		_, err := client.Assets.GetFees(t.Context(), bad)
		clienttest.RequireInvalid(t, err, field)
	}
	_, err := client.Assets.GetFees(t.Context(), qredo.FeesRequest{Type: qredo.FeeSwap, Asset: "BTC", Amount: -1})
	require.Contains(t, clienttest.RequireInvalid(t, err, "amount"), "-1")
}
