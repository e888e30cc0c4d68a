package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/qapi"
)

func TestSnakeCase(t *testing.T) {
	for name, want := range map[string]string{
		"ID": "id", "TxID": "tx_id", "PartnerTxID": "partner_tx_id", "ChainTxID": "chain_tx_id", "LayerOneTxIDs": "layer_one_tx_ids",
		"CustodyGroupTx": "custody_group_tx", "URL": "url", "LogoURL": "logo_url", "RPCNetworks": "rpc_networks", "APIKeys": "api_keys",
		"MaxFeePerGas": "max_fee_per_gas", "IDDocument": "id_document", "Name": "name",
	} {
		assert.Equal(t, want, snakeCase(name))
	}
}

// TestEncodeJSON demands the wire's names and values: what is printed can be read back with qredo.Unmarshal.
func TestEncodeJSON(t *testing.T) {
	at := qredo.TimeOf(time.Date(2026, 1, 31, 15, 4, 5, 0, time.UTC))
	for name, c := range map[string]struct {
		value any
		want  string
	}{
		"names":    {qredo.CompanyRef{ID: "c", Ref: "r"}, `{"company_id":"c","ref":"r"}`},
		"time":     {qredo.CoreClient{ID: "i", Created: at}, `{"id":"i","name":"","feed":"","timestamp":1769871845}`},
		"embedded": {qredo.SwapSubmission{Submission: qredo.Submission{TxID: "a", PartnerTxID: "k"}, URL: "u"}, `{"tx_id":"a","partner_txID":"k","tx_url":"u"}`},
		"map":      {map[qredo.AssetCode]qredo.Amount{"ETH": 2, "BTC": 1}, `{"BTC":1,"ETH":2}`},
		"secret":   {struct{ Secret qredo.Secret }{"s3cret"}, `{"Secret":"[redacted]"}`},
		"big":      {qapi.TransactionRequest{Value: qapi.NewBigInt(5)}, `{"from":"","to":"","value":"5","gasLimit":""}`},
		"text":     {qredo.FundMatch{Name: "<a> & \"b\" 日本"}, `{"id":"","name":"<a> & \"b\" 日本"}`},
		"int64":    {qredo.Holding{Asset: "BTC", Amount: 9223372036854775807}, `{"code":"BTC","amount":9223372036854775807}`},
		"entry":    {outbox.Entry{Key: "k", Request: outbox.Transfer{CompanyID: "c"}}, `"request":{"transfer":{"company_id":"c",`},
		"line":     {ledgerLine{qapi.LedgerEntry{Amount: "0.5"}, 1, 2, 3}, `"amount":1,"fees":2,"netAmount":3}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := encodeJSON(c.value)
			require.NoError(t, err)
			assert.Contains(t, string(got), c.want)
		})
	}
	written, err := encodeJSON(qredo.Wallet{ID: "w", Balance: 9223372036854775807})
	require.NoError(t, err)
	var back qredo.Wallet
	require.NoError(t, qredo.Unmarshal(written, &back))
	assert.Equal(t, qredo.Amount(9223372036854775807), back.Balance)
}

func TestMoney(t *testing.T) {
	a := newTestApp()
	a.assets.source = func(context.Context) ([]qredo.Asset, error) {
		return []qredo.Asset{
			{Code: "BTC", UnitCode: "BTC", Scale: 100_000_000}, {Code: "BTC-TESTNET", UnitCode: "BTC-TEST", Scale: 100_000_000},
			{Code: "USDC", UnitCode: "USDC", Scale: 1_000_000},
		}, nil
	}
	for text, want := range map[string]qredo.AssetAmount{
		"0.015BTC": {Asset: "BTC", Amount: 1_500_000}, "1BTC-TEST": {Asset: "BTC-TESTNET", Amount: 100_000_000},
		" 1.5 BTC-TESTNET ": {Asset: "BTC-TESTNET", Amount: 150_000_000}, "0.00000001btc": {Asset: "BTC", Amount: 1},
		"92233720368.54775807BTC": {Asset: "BTC", Amount: 9223372036854775807}, "20usdc": {Asset: "USDC", Amount: 20_000_000},
	} {
		got, err := a.money(t.Context(), "amount", text, false, "")
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", "5", "BTC", "0BTC", "-1BTC", "1,5BTC", "1 000BTC", "1e3BTC", "0x1BTC", "0.000000001BTC", "92233720368.54775808BTC",
		"1DOGE", "1BTC2", "٣BTC", "1.BTC.", "½BTC", "NaNBTC", "1BTCETH",
	} {
		_, err := a.money(t.Context(), "amount", text, false, "")
		require.ErrorAs(t, err, new(usageError), text)
	}
	got, err := a.money(t.Context(), "amount", "1500", true, "BTC")
	require.NoError(t, err)
	assert.Equal(t, qredo.AssetAmount{Asset: "BTC", Amount: 1500}, got)
	for _, text := range []string{"", "1.5", "1500BTC", "0", "-1", "9223372036854775808", "1_000", "+ 5"} {
		_, err := a.money(t.Context(), "amount", text, true, "BTC")
		require.ErrorAs(t, err, new(usageError), text)
	}
	_, err = a.money(t.Context(), "amount", "1BTC", false, "BTC-TESTNET")
	require.ErrorContains(t, err, "is in BTC, but must be in BTC-TESTNET here")
	offline := newTestApp()
	offline.assets.source = func(context.Context) ([]qredo.Asset, error) { return nil, errors.New("no network") }
	_, err = offline.money(t.Context(), "amount", "1BTC", false, "")
	require.ErrorContains(t, err, "no network")
	assert.Equal(t, "150 base units BTC", offline.figure(150, "BTC"))
}

func TestWei(t *testing.T) {
	for text, want := range map[string]string{
		"1ETH": "1000000000000000000", "0.5eth": "500000000000000000", "20gwei": "20000000000", "1.5 gwei": "1500000000",
		"7wei": "7", "0wei": "0", "0.000000000000000001ETH": "1", "123456789012345678901234567890wei": "123456789012345678901234567890",
	} {
		got, err := wei("value", text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got.String(), text)
	}
	for _, text := range []string{"1", "ETH", ".5ETH", "-1ETH", "1.5wei", "1e3wei", "1,5ETH", "0.0000000000000000001ETH", "1BTC", "1..5gwei", "1.2.3gwei"} {
		_, err := wei("value", text)
		require.ErrorAs(t, err, new(usageError), text)
	}
	half, err := wei("value", "1.05ETH")
	require.NoError(t, err)
	assert.Equal(t, "1.05 ETH (1050000000000000000 wei)", ether(half))
}

func TestExitCode(t *testing.T) {
	waiting := &submission{resume: "qredo transfer wait"}
	for name, c := range map[string]struct {
		err  error
		want int
	}{
		"usage":                {usagef("no"), exitUsage},
		"refused before":       {&qredo.ValidationError{Field: "a", Rule: "b"}, exitUsage},
		"refused":              {&qredo.Error{StatusCode: 400, Method: http.MethodPost}, exitRefused},
		"not found":            {&qredo.Error{StatusCode: 404, Code: 404, Msg: "Not Found", Method: http.MethodGet}, exitNotFound},
		"not found, a page":    {&qredo.Error{StatusCode: 404, Method: http.MethodGet}, exitService},
		"limited":              {&qredo.Error{StatusCode: 429}, exitLimited},
		"unknown":              {&qredo.UnknownOutcomeError{Err: errors.New("x")}, exitUnknown},
		"unknown, wrapped 500": {&qredo.UnknownOutcomeError{Err: &qredo.Error{StatusCode: 500}}, exitUnknown},
		"write, unknown":       {fmt.Errorf("adding: %w", qredo.ErrOutcomeUnknown), exitUnknown},
		"read, 500":            {&qredo.Error{StatusCode: 500, Method: http.MethodGet}, exitService},
		"ended":                {&qredo.TxError{TxID: "x", Status: qredo.TxExpired}, exitEnded},
		"waiting ended":        {waiting.waited("x", context.DeadlineExceeded), exitUnknown},
		"waiting failed":       {waiting.waited("x", &qredo.Error{StatusCode: 500, Method: http.MethodGet}), exitUnknown},
		"waiting refused":      {waiting.waited("x", &qredo.Error{StatusCode: 403, Method: http.MethodGet}), exitRefused},
		"waiting, rejected":    {waiting.waited("x", &qredo.TxError{}), exitEnded},
		"anything":             {errors.New("x"), exitFailed},
	} {
		_, code := classify(c.err)
		assert.Equal(t, c.want, code, name)
	}
}

func TestPlain(t *testing.T) {
	assert.Equal(t, `a\u001b[31mb\nc\u202ed`, plain("a\x1b[31mb\nc\u202ed"))
	assert.Equal(t, "é 日本", plain("é 日本"))
}

// TestCheckAgent leaves it to a feed to wait for a service that does not answer, and to nobody to wait for what
// there is not.
func TestCheckAgent(t *testing.T) {
	auth, err := qredo.NewHMACAuth("key", "c2VjcmV0IG9mIGEga2V5")
	require.NoError(t, err)
	check := func(base string) error {
		client, err := qredo.NewClient(auth, qredo.WithBaseURL(base), qredo.WithRetry(qredo.RetryPolicy{MaxAttempts: 1}))
		require.NoError(t, err)
		return newTestApp().checkAgent(t.Context(), client, "c1")
	}
	for status, want := range map[int]string{
		http.StatusOK: "", http.StatusBadGateway: "", http.StatusTooManyRequests: "",
		http.StatusNotFound: "no core client c1; see qredo agent list", http.StatusForbidden: "403",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(`{"actions":[]}`))
		}))
		err := check(server.URL)
		if want == "" {
			require.NoError(t, err, status)
		} else {
			require.ErrorContains(t, err, want)
		}
		server.Close()
		require.NoError(t, check(server.URL), "nothing listens there any more")
	}
	for body, fits := range map[string]bool{
		`{"actions":[{"id":"a","expireTime":"2027-01-01"},{"id":"b"}]}`: true, `{"actions":[{"id":"a","coreClientID":"another"}]}`: true,
		`{}`: false, `<html>`: false, `{"actions":null,"x":1}`: true,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		if err := check(server.URL); fits {
			require.NoError(t, err, body)
		} else {
			require.ErrorIs(t, err, qredo.ErrBadAnswer, body)
		}
		server.Close()
	}
}

func TestWrap(t *testing.T) {
	a := newTestApp()
	assert.Equal(t, "a text that is longer than a line", a.wrap("a text that is longer than a line", 2), "no terminal")
	a.width = 24
	for text, want := range map[string]string{
		"":                            "",
		"short":                       "short",
		"exactly twenty-two  char":    "exactly twenty-two \n  char",
		"one two three four five six": "one two three four\n  five six",
		"tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx whole": "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx\n  whole",
		"日本語 日本語 日本語 日本語 日本語 日本語":                          "日本語 日本語 日本語\n  日本語 日本語 日本語",
	} {
		assert.Equal(t, want, a.wrap(text, 2))
	}
	assert.Equal(t, "one two three four five six", a.wrap("one two three four five six", 5), "too narrow to be of use")
}
