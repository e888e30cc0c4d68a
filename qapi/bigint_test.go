package qapi_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/qapi"
)

var largest = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))

func TestBigIntReads(t *testing.T) {
	for text, want := range map[string]string{
		`0`: "0", `"0"`: "0", `7`: "7", `"7"`: "7", `" 7 "`: "7", `"007"`: "7", `-0`: "0", `7.0`: "7", `"7.0"`: "7", `1e18`: "1000000000000000000",
		`1.5e1`: "15", `"150e-1"`: "15", `0e999999`: "0", `9223372036854775808`: "9223372036854775808",
		`"123456789012345678901234567890"`: "123456789012345678901234567890", `9007199254740993`: "9007199254740993",
		largest.String(): largest.String(), `"` + largest.String() + `"`: largest.String(),
		`""`: "", `null`: "", `" "`: "",
	} {
		var b qapi.BigInt
		require.NoError(t, json.Unmarshal([]byte(text), &b), text)
		assert.Equal(t, want, b.String(), text)
		assert.Equal(t, want == "", b.IsZero(), text)
		back, err := json.Marshal(b)
		require.NoError(t, err)
		assert.Equal(t, `"`+want+`"`, string(back), text)
	}
}

func TestBigIntRefuses(t *testing.T) {
	beyond := new(big.Int).Add(largest, big.NewInt(1)).String()
	for says, texts := range map[string][]string{
		"is not a number":          {`"x"`, `"0x10"`, `true`, `{}`, `[1]`, `"1_000"`, `"1,0"`, `"+1"`, `".5"`, `"1e"`, `"NaN"`, `"٧"`},
		"is not a whole number":    {`1.5`, `"0.1"`, `1e-1`, `1e-999999999999999999999`, `15e-400`},
		"is negative":              {`-1`, `"-1"`, `-1e30`},
		"does not fit in 256 bits": {beyond, `"` + beyond + `"`, `1e78`, `1e800`, `1e999999999999999999999`, strings.Repeat("9", 401)},
	} {
		for _, text := range texts {
			b := qapi.NewBigInt(5)
			require.ErrorContains(t, b.UnmarshalJSON([]byte(text)), says, text)
			assert.Equal(t, "5", b.String(), "%s must not change the figure", text)
		}
	}
}

func TestBigIntText(t *testing.T) {
	b, err := qapi.ParseBigInt(largest.String())
	require.NoError(t, err)
	assert.Zero(t, b.Cmp(largest))
	text, err := b.MarshalText()
	require.NoError(t, err)
	var back qapi.BigInt
	require.NoError(t, back.UnmarshalText(text))
	assert.Zero(t, back.Cmp(largest))
	assert.Equal(t, "5 5 5 ff []", fmt.Sprintf("%v %s %d %x [%v]", qapi.NewBigInt(5), qapi.NewBigInt(5), qapi.NewBigInt(5), qapi.NewBigInt(255), qapi.BigInt{}))
	for _, bad := range []string{"", "-1", "1e3", "1.0", " 1", "x", new(big.Int).Lsh(big.NewInt(1), 256).String()} {
		_, err := qapi.ParseBigInt(bad)
		requireInvalid(t, err, "figure")
	}
}

// A figure in an answer names its field when it is wrong.
func TestBigIntErrorsNameTheField(t *testing.T) {
	_, err := answering(t, 200, `{"txID":"t","value":1.5}`).Transactions.Get(t.Context(), "t")
	require.ErrorContains(t, err, "value: is not a whole number")
}

// The examples of EIP-55 itself.
func TestChecksumAddress(t *testing.T) {
	for _, address := range []string{
		"0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
		"0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
		"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
	} {
		for _, form := range []string{address, strings.ToLower(address), "0x" + strings.ToUpper(address[2:])} {
			got, err := qapi.ChecksumAddress(form)
			require.NoError(t, err, form)
			assert.Equal(t, address, got)
		}
	}
	for _, bad := range badAddresses {
		_, err := qapi.ChecksumAddress(bad)
		requireInvalid(t, err, "address")
	}
}

var badAddresses = []string{
	"", "0x", "0x94", "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0X5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
	"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed0", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg",
	"0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed", " 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
}

// Whatever encodes a figure writes its digits, also where it is not given: none of the encodings of the number within
// is used.
func TestBigIntInEveryEncoding(t *testing.T) {
	for digits, figure := range map[string]qapi.BigInt{"": {}, "0": qapi.NewBigInt(0), "21000": qapi.NewBigInt(21000)} {
		text, err := figure.AppendText([]byte("is "))
		require.NoError(t, err)
		require.Equal(t, "is "+digits, string(text))
		data, err := json.Marshal(map[qapi.BigInt]int{figure: 1})
		require.NoError(t, err)
		require.Equal(t, `{"`+digits+`":1}`, string(data))

		var buffer bytes.Buffer
		require.NoError(t, gob.NewEncoder(&buffer).Encode([]qapi.BigInt{figure}))
		var back []qapi.BigInt
		require.NoError(t, gob.NewDecoder(&buffer).Decode(&back))
		require.Equal(t, digits, back[0].String())
		require.Equal(t, figure.IsZero(), back[0].IsZero())
	}
	var read qapi.BigInt
	_, err := fmt.Sscan(" 21000 ", &read)
	require.NoError(t, err)
	require.Equal(t, "21000", read.String())
	for _, bad := range []string{"-1", "0x10", "1.5", "ten"} {
		_, err := fmt.Sscan(bad, &read)
		require.Error(t, err, bad)
	}
}
