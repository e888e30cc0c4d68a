package wire_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/wire"
)

func TestParseInt(t *testing.T) {
	for text, want := range map[string]int64{
		`0`: 0, `-0`: 0, `7`: 7, `"7"`: 7, `-7`: -7, `"-7"`: -7, `7.0`: 7, `"7.000"`: 7, `7e0`: 7, `7E+2`: 700, `700e-2`: 7, `0.07e2`: 7,
		`-1.50e1`: -15, `0.0`: 0, `0e999999999999999999999`: 0, `0e-999999999999999999999`: 0, `-0.000e5`: 0,
		`9223372036854775807`: math.MaxInt64, `-9223372036854775808`: math.MinInt64, `9223372036854775807.0`: math.MaxInt64,
		`9.223372036854775807e18`: math.MaxInt64, `-922337203685477580800e-2`: math.MinInt64, `9007199254740993`: 9007199254740993,
		`1` + strings.Repeat("0", 60) + `e-60`:     1,
		`0.` + strings.Repeat("0", 60) + `1e61`:    1,
		`"5` + strings.Repeat("0", 90) + `.0e-89"`: 50,
	} {
		got, err := wire.ParseInt([]byte(text))
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for says, texts := range map[string][]string{
		"is not a number": {
			``, `""`, `"`, ` `, `" 7"`, `"7 "`, `+7`, `"+7"`, `-`, `.5`, `5.`, `1e`, `1e+`, `0x10`, `1_000`, `"1,000"`, `NaN`, `Infinity`, `true`, `null`, `{}`, `[7]`,
			`"\u0037"`, `"7""`, `""7""`, `٧`, `"７"`, `1 2`,
		},
		"is not a whole number": {`1.5`, `"1.5"`, `-0.1`, `1e-1`, `15e-1`, `1e-99999`, `1e-999999999999999999999`, `0.9999999999999999999999999`, `1.00000000000000000000001`},
		"does not fit in 64 bits": {
			`9223372036854775808`, `-9223372036854775809`, `1e19`, `1e41`, `1e99999`, `-1e999999999999999999999`, `92233720368547758080e-1`, strings.Repeat("9", 400),
		},
	} {
		for _, text := range texts {
			got, err := wire.ParseInt([]byte(text))
			require.Zero(t, got, text)
			require.ErrorContains(t, err, says, text)
			require.Less(t, len(err.Error()), 100)
		}
	}
}
