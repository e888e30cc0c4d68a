package qredo_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"testing/quick"

	"github.com/stretchr/testify/require"

	"errors"
	"math/big"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/internal/fieldcheck"
)

var (
	btc   = qredo.Asset{Code: "BTC", Scale: 100_000_000}
	eth   = qredo.Asset{Code: "ETH", Scale: 1_000_000_000}
	whole = qredo.Asset{Code: "POINT", Scale: 1}
)

func TestAssetParse(t *testing.T) {
	for _, tc := range []struct {
		asset  qredo.Asset
		figure string
		want   qredo.Amount
	}{
		{btc, "1.5", 150_000_000},
		{btc, "0", 0},
		{btc, "-0", 0},
		{btc, "0.00000001", 1},
		{btc, "-0.00000001", -1},
		{btc, "1.12345678", 112_345_678},
		{btc, "1.10", 110_000_000},
		{btc, "007", 700_000_000},
		{btc, "000000000000000000000000000001", 100_000_000},
		{btc, "92233720368.54775807", math.MaxInt64},
		{btc, "-92233720368.54775808", math.MinInt64},
		{eth, "1.123456789", 1_123_456_789},
		{whole, "42", 42},
		{whole, "9223372036854775807", math.MaxInt64},
	} {
		got, err := tc.asset.Parse(tc.figure)
		require.NoError(t, err, tc.figure)
		require.Equal(t, tc.want, got, tc.figure)
	}
}

func TestAssetParseRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		asset   qredo.Asset
		figures []string
		field   string
		says    string
	}{
		"not a figure": {btc, []string{
			"", ".", "1.", ".5", "-", "-.5", "--1", "+1", "1e3", "1E3", "1,5", "1 000", " 1", "1 ", "1\n", "1.5.2", "1.-5", "1_000",
			"0x10", "NaN", "Inf", "١٢", "１", "1.５", "−1", "1\x00", "BTC 1", "1'000",
		}, "amount", "must be a decimal number"},
		"too fine for BTC": {btc, []string{"1.123456789", "0.000000000", "-1.000000001"}, "amount", "more than the 8 decimals of BTC"},
		"too fine for ETH": {eth, []string{"1.1234567891"}, "amount", "more than the 9 decimals of ETH"},
		"not divisible":    {whole, []string{"1.0", "1.5"}, "amount", "more than the 0 decimals"},
		"over 64 bits": {btc, []string{
			"92233720368.54775808", "-92233720368.54775809", "92233720369", "1" + strings.Repeat("0", 400),
		}, "amount", "beyond 64 bits"},
		"scale zero":         {qredo.Asset{Code: "X"}, []string{"1"}, "scale", "is 0"},
		"scale negative":     {qredo.Asset{Code: "X", Scale: -100}, []string{"1"}, "scale", "is -100"},
		"scale no power":     {qredo.Asset{Code: "X", Scale: 15}, []string{"1"}, "scale", "power of ten, is 15"},
		"scale of two tens":  {qredo.Asset{Code: "X", Scale: 200}, []string{"1"}, "scale", "power of ten, is 200"},
		"scale the greatest": {qredo.Asset{Code: "X", Scale: math.MaxInt64}, []string{"1"}, "scale", "power of ten"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, figure := range tc.figures {
				got, err := tc.asset.Parse(figure)
				require.Zero(t, got, "%q", figure)
				require.Contains(t, clienttest.RequireInvalid(t, err, tc.field), tc.says, "%q", figure)
			}
		})
	}
}

func TestAssetFormat(t *testing.T) {
	for _, tc := range []struct {
		asset  qredo.Asset
		amount qredo.Amount
		want   string
	}{
		{btc, 0, "0"},
		{btc, 1, "0.00000001"},
		{btc, -1, "-0.00000001"},
		{btc, 150_000_000, "1.5"},
		{btc, 100_000_000, "1"},
		{btc, 1_000_000_000, "10"},
		{btc, 99_999_999, "0.99999999"},
		{btc, math.MaxInt64, "92233720368.54775807"},
		{btc, math.MinInt64, "-92233720368.54775808"},
		{eth, 1, "0.000000001"},
		{whole, math.MinInt64, "-9223372036854775808"},
		{whole, 100, "100"},
		{qredo.Asset{Code: "X", Scale: 15}, 150, "150 base units"},
		{qredo.Asset{Code: "X"}, -3, "-3 base units"},
	} {
		require.Equal(t, tc.want, tc.asset.Format(tc.amount))
	}
}

// What Format writes Parse reads, for every amount and every scale that is a power of ten.
func TestAssetRoundTrip(t *testing.T) {
	check := func(amount int64, zeros uint8) bool {
		asset := qredo.Asset{Code: "A", Scale: int64(math.Pow10(int(zeros % 19)))}
		figure := asset.Format(qredo.Amount(amount))
		got, err := asset.Parse(figure)
		if err != nil || int64(got) != amount {
			t.Logf("%d at scale %d is %q, read as %d: %v", amount, asset.Scale, figure, got, err)
			return false
		}
		return true
	}
	for zeros := range uint8(19) {
		for _, amount := range []int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64} {
			require.True(t, check(amount, zeros))
		}
	}
	require.NoError(t, quick.Check(check, &quick.Config{MaxCount: 20_000}))
}

func TestAmountJSON(t *testing.T) {
	for text, want := range map[string]qredo.Amount{
		`5`: 5, `"5"`: 5, `-5`: -5, `"-5"`: -5, `5.0`: 5, `5e2`: 500, `"1.50e1"`: 15, `0`: 0, `-0`: 0,
		`9223372036854775807`: math.MaxInt64, `"-9223372036854775808"`: math.MinInt64,
		`9007199254740993`: 9007199254740993, // beyond what a float can hold
	} {
		var got qredo.Amount
		require.NoError(t, json.Unmarshal([]byte(text), &got), text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{
		`1.5`, `"1.5"`, `1e-1`, `9223372036854775808`, `-9223372036854775809`, `"9223372036854775808"`, `1e19`, `1e999999999999`,
		`""`, `" 5"`, `"+5"`, `"5 BTC"`, `true`, `{}`, `[5]`, `"0x10"`,
	} {
		got := qredo.Amount(77)
		require.Error(t, json.Unmarshal([]byte(text), &got), text)
		require.Equal(t, qredo.Amount(77), got, "what cannot be read changes nothing")
	}
	got := qredo.Amount(77)
	require.NoError(t, json.Unmarshal([]byte(`null`), &got))
	require.Equal(t, qredo.Amount(77), got)
	data, err := json.Marshal(qredo.Amount(math.MaxInt64))
	require.NoError(t, err)
	require.Equal(t, `9223372036854775807`, string(data), "a number, not text")
}

// A figure is read exactly or refused, whatever the text: the reference is arithmetic without bounds.
func FuzzAssetParse(f *testing.F) {
	for _, figure := range []string{
		"1.5", "-0.00000001", "92233720368.54775807", "-92233720368.54775808", "92233720368.54775808", "", ".", "1.", ".5", "+1", "1e3", "１", "0",
	} {
		for _, zeros := range []uint8{0, 8, 18} {
			f.Add(figure, zeros)
		}
	}
	f.Fuzz(func(t *testing.T, figure string, zeros uint8) {
		asset := qredo.Asset{Code: "A", Scale: int64(math.Pow10(int(zeros % 19)))}
		got, err := asset.Parse(figure)
		if err != nil {
			var refused *qredo.ValidationError
			if !errors.As(err, &refused) || got != 0 {
				t.Fatalf("%q: %v, %v", figure, got, err)
			}
			return
		}
		if strings.Trim(figure, "-.0123456789") != "" {
			t.Fatalf("%q was read as %d", figure, got)
		}
		exact, ok := new(big.Rat).SetString(figure)
		if !ok {
			t.Fatalf("%q was read as %d", figure, got)
		}
		exact.Mul(exact, new(big.Rat).SetInt64(asset.Scale))
		if exact.Cmp(new(big.Rat).SetInt64(int64(got))) != 0 {
			t.Fatalf("%q at scale %d was read as %d", figure, asset.Scale, got)
		}
		if again, err := asset.Parse(asset.Format(got)); err != nil || again != got {
			t.Fatalf("%d is written %q, read as %d: %v", got, asset.Format(got), again, err)
		}
	})
}

func TestAssetParsePositive(t *testing.T) {
	got, err := btc.ParsePositive("0.5")
	require.NoError(t, err)
	require.Equal(t, qredo.Amount(50_000_000), got)
	sum, err := btc.AssetAmount("0.5")
	require.NoError(t, err)
	require.Equal(t, qredo.AssetAmount{Asset: "BTC", Amount: 50_000_000}, sum)
	for _, bad := range []string{"0", "-0", "0.00", "-0.5", "", "x", "0.000000001", "1e3", "99999999999999999999"} {
		amount, err := btc.ParsePositive(bad)
		clienttest.RequireInvalid(t, err, "amount")
		require.Zero(t, amount)
		sum, err := btc.AssetAmount(bad)
		clienttest.RequireInvalid(t, err, "amount")
		require.Zero(t, sum)
	}
	_, err = qredo.Asset{Code: "X", Scale: 3}.AssetAmount("1")
	clienttest.RequireInvalid(t, err, "scale")
}

// A quantity is written in whole units with the asset that it is of. With another one it would be another sum.
func TestAssetAmountIn(t *testing.T) {
	for want, tc := range map[string]struct {
		sum   qredo.AssetAmount
		asset qredo.Asset
	}{
		"0.5 BTC":                    {qredo.AssetAmount{Asset: "BTC", Amount: 50_000_000}, btc},
		"-0.00000001 BTC":            {qredo.AssetAmount{Asset: "BTC", Amount: -1}, btc},
		"0 ETH":                      {qredo.AssetAmount{Asset: "ETH"}, eth},
		"50000000 base units of BTC": {qredo.AssetAmount{Asset: "BTC", Amount: 50_000_000}, eth},
		"7 base units of ODD":        {qredo.AssetAmount{Asset: "ODD", Amount: 7}, qredo.Asset{Code: "ODD", Scale: 3}},
		"8 base units of BTC":        {qredo.AssetAmount{Asset: "BTC", Amount: 8}, qredo.Asset{}},
	} {
		require.Equal(t, want, tc.sum.In(tc.asset))
	}
}

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
