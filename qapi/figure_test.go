package qapi_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
)

// A figure is kept letter for letter, whether it comes as a number or as text.
func TestFigureReads(t *testing.T) {
	for text, want := range map[string]qapi.Figure{
		`0.001156`: "0.001156", `"0.001156"`: "0.001156", `1`: "1", `"1"`: "1", `" 1 "`: "1", `1.0`: "1.0", `-0.5`: "-0.5", `1.156e-3`: "1.156e-3", `1E5`: "1E5",
		`0.1000000000000000055511151231257827`: "0.1000000000000000055511151231257827", `9223372036854775808`: "9223372036854775808",
		`null`: "", `""`: "", `" "`: "",
	} {
		var f qapi.Figure
		require.NoError(t, json.Unmarshal([]byte(text), &f), text)
		assert.Equal(t, want, f, text)
		back, err := json.Marshal(f)
		require.NoError(t, err, text)
		if want == "" {
			want = "null"
		}
		assert.Equal(t, string(want), string(back), text)
	}
}

func TestFigureRefuses(t *testing.T) {
	for _, text := range []string{
		`"x"`, `true`, `{}`, `[1]`, `"1,5"`, `"1_000"`, `"+1"`, `".5"`, `"1."`, `"1e"`, `"007"`, `"0x10"`, `"NaN"`, `"Infinity"`, `"1 2"`, `"٧"`, `"-"`,
	} {
		f := qapi.Figure("5")
		require.ErrorContains(t, f.UnmarshalJSON([]byte(text)), "is not a number", text)
		assert.Equal(t, qapi.Figure("5"), f, "%s must not change the figure", text)
	}
	_, err := answering(t, 200, `{"list":[{},{"netAmount":"1,5"}]}`).Funds.ListLedger(t.Context(), "F1")
	require.ErrorIs(t, err, qredo.ErrBadAnswer)
	require.ErrorContains(t, err, "list[1].netAmount: is not a number")
	_, err = json.Marshal(qapi.Figure("1,5"))
	require.Error(t, err)
}

func asset(scale int64) qredo.Asset { return qredo.Asset{Code: "X", Scale: scale} }

func TestFigureWholeUnits(t *testing.T) {
	for _, c := range []struct {
		figure qapi.Figure
		scale  int64
		want   qredo.Amount
	}{
		{"0.001156", 100_000_000, 115_600}, {"1.156e-3", 100_000_000, 115_600}, {"115600E-8", 100_000_000, 115_600}, {"1", 100_000_000, 100_000_000},
		{"0.00000001", 100_000_000, 1}, {"-0.00000001", 100_000_000, -1}, {"0.000000010", 100_000_000, 1}, {"0", 100_000_000, 0}, {"-0.0", 1, 0},
		{"0e99999999999999999999", 1, 0}, {"0e-99999999999999999999", 1, 0}, {"7", 1, 7}, {"7.00", 1, 7}, {"1.5", 1_000_000_000, 1_500_000_000},
		{"92233720368.54775807", 100_000_000, math.MaxInt64}, {"-92233720368.54775808", 100_000_000, math.MinInt64},
	} {
		got, err := c.figure.WholeUnits(asset(c.scale))
		require.NoError(t, err, c.figure)
		assert.Equal(t, c.want, got, "%s at %d", c.figure, c.scale)
	}
	for figure, says := range map[qapi.Figure]string{
		"0.000000001": "0.000000001 has more than the 8 decimals of X", "1e-9": "more than the 8 decimals", "92233720368.54775808": "beyond 64 bits",
		"1e99999999999999999999": "64 bits", "1e-99999999999999999999": "decimals", "1e9223372036854775807": "64 bits",
		"": "must be a decimal number", "1,5": "must be a decimal number", "x": "must be a decimal number", " 1": "must be a decimal number",
	} {
		_, err := figure.WholeUnits(asset(100_000_000))
		requireInvalid(t, err, "figure")
		require.ErrorContains(t, err, says)
	}
	for _, scale := range []int64{0, -1, 12} {
		_, err := qapi.Figure("1").WholeUnits(asset(scale))
		requireInvalid(t, err, "scale")
	}
}

func TestFigureBaseUnits(t *testing.T) {
	for figure, want := range map[qapi.Figure]qredo.Amount{
		"115600": 115_600, "-5": -5, "1e3": 1000, "1.0": 1, "0": 0, "9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64,
	} {
		got, err := figure.BaseUnits()
		require.NoError(t, err, figure)
		assert.Equal(t, want, got, figure)
	}
	for figure, says := range map[qapi.Figure]string{
		"0.001156": "has a fraction, so it is not in base units", "1e-1": "fraction", "9223372036854775808": "64 bits", "": "must be a decimal number", "1,5": "must be a decimal number",
	} {
		_, err := figure.BaseUnits()
		requireInvalid(t, err, "figure")
		require.ErrorContains(t, err, says)
	}
}

// Figures come from outside. What is read is never lost, rounded or taken for another; the reference is arithmetic
// without bounds.
func FuzzFigure(f *testing.F) {
	for _, seed := range []string{
		`0.001156`, `"0.001156"`, `1`, `-1.5e-3`, `1e18`, `9223372036854775808`, `null`, `""`, `"1,5"`, `0e-9999`, `92233720368.54775807`, `1e-8`, `100000000e-8`, `[`,
	} {
		f.Add([]byte(seed), uint8(8))
	}
	f.Fuzz(func(t *testing.T, data []byte, decimals uint8) {
		var figure qapi.Figure
		if json.Unmarshal(data, &figure) != nil || figure == "" {
			return
		}
		back, err := json.Marshal(figure)
		require.NoError(t, err)
		var again qapi.Figure
		require.NoError(t, json.Unmarshal(back, &again))
		require.Equal(t, figure, again)
		if _, exponent, found := strings.Cut(strings.ToLower(string(figure)), "e"); found {
			if n, err := strconv.Atoi(exponent); err != nil || n > 5000 || n < -5000 {
				return // beyond what the reference can write out
			}
		}
		exact, ok := new(big.Rat).SetString(string(figure))
		require.True(t, ok, figure)
		check := func(scale int64, got qredo.Amount, err error) {
			want := new(big.Rat).Mul(exact, new(big.Rat).SetInt64(scale))
			if fits := want.IsInt() && want.Num().IsInt64(); fits != (err == nil) || fits && want.Num().Int64() != int64(got) {
				t.Fatalf("%s at %d is %s, read as %d, %v", figure, scale, want, got, err)
			}
		}
		scale := int64(math.Pow10(int(decimals % 19)))
		got, err := figure.WholeUnits(asset(scale))
		check(scale, got, err)
		got, err = figure.BaseUnits()
		check(1, got, err)
	})
}
