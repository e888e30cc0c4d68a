package qapi_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
)

const (
	apiKey = "an-api-key"
	secret = "c2VjcmV0IG9mIGEga2V5"
)

var testNow = time.Unix(1700000000, 0)

func newAuth(t testing.TB) *qredo.HMACAuth {
	t.Helper()
	auth, err := qredo.NewHMACAuth(apiKey, secret)
	require.NoError(t, err)
	return auth
}

// roundTrip is a transport made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func answer(req *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{}, Request: req, ProtoMajor: 1, ProtoMinor: 1, Body: io.NopCloser(strings.NewReader(body)),
	}
}

// answering is a client that gets one answer to everything.
func answering(t testing.TB, status int, body string) *qapi.Client {
	t.Helper()
	return newClient(t, func(req *http.Request) (*http.Response, error) { return answer(req, status, body), nil })
}

// refusing is a client for tests in which nothing may be sent.
func refusing(t testing.TB) *qapi.Client {
	t.Helper()
	return newClient(t, func(req *http.Request) (*http.Response, error) {
		t.Errorf("a request was sent: %s %s", req.Method, req.URL)
		return answer(req, http.StatusOK, "{}"), nil
	})
}

func newClient(t testing.TB, transport roundTrip, opts ...qredo.Option) *qapi.Client {
	t.Helper()
	client, err := qapi.NewClient(newAuth(t), append([]qredo.Option{
		qredo.WithEnvironment(qapi.EnvironmentProduction), qredo.WithHTTPClient(&http.Client{Transport: transport}), qredo.WithClock(func() time.Time { return testNow }),
	}, opts...)...)
	require.NoError(t, err)
	return client
}

func requireInvalid(t testing.TB, err error, field string) {
	t.Helper()
	var refused *qredo.ValidationError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, field, refused.Field, "%v", err)
	require.NotEmpty(t, refused.Rule)
}

// The known answers are sent byte for byte.
func TestClientSignsTheVectors(t *testing.T) {
	data, err := os.ReadFile("../testdata/vectors.json")
	require.NoError(t, err)
	var vectors struct {
		Secret string `json:"hmac_secret"`
		HMAC   []struct {
			Name   string `json:"name"`
			Method string `json:"method"`
			Stamp  string `json:"stamp"`
			URL    string `json:"url"`
			Body   string `json:"body"`
			Sig    string `json:"qredo_api_sig"`
		} `json:"hmac"`
	}
	require.NoError(t, json.Unmarshal(data, &vectors))
	require.Len(t, vectors.HMAC, 4)
	for _, v := range vectors.HMAC {
		if v.Name == "nanoseconds" {
			continue // a client stamps with seconds
		}
		t.Run(v.Name+v.Stamp, func(t *testing.T) {
			base, path, _ := strings.Cut(v.URL, "/qapi/v1")
			seconds, err := strconv.ParseInt(v.Stamp, 10, 64)
			require.NoError(t, err)
			auth, err := qredo.NewHMACAuth(apiKey, vectors.Secret)
			require.NoError(t, err)
			var sent *http.Request
			client, err := qapi.NewClient(auth, qredo.WithBaseURL(base+"/qapi/v1"),
				qredo.WithClock(func() time.Time { return time.Unix(seconds, 0) }),
				qredo.WithHTTPClient(&http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
					sent = req
					if v.Body != "" {
						body, err := io.ReadAll(req.Body)
						if err != nil {
							return nil, err
						}
						assert.Equal(t, v.Body, string(body))
					}
					return answer(req, http.StatusOK, "{}"), nil
				})}))
			require.NoError(t, err)
			var body any
			if v.Body != "" {
				body = []byte(v.Body)
			}
			require.NoError(t, client.Do(t.Context(), v.Method, path, body, nil))
			assert.Equal(t, v.URL, sent.URL.String())
			assert.Equal(t, apiKey, sent.Header.Get("qredo-api-key"))
			assert.Equal(t, v.Stamp, sent.Header.Get("qredo-api-ts"))
			assert.Equal(t, v.Sig, sent.Header.Get("qredo-api-sig"))
		})
	}
}

func TestClientEnvironments(t *testing.T) {
	for want, opts := range map[string][]qredo.Option{
		"https://api.qredo.network/qapi/v1/balance":         nil,
		"https://sandbox-api.qredo.network/qapi/v1/balance": {qredo.WithEnvironment(qapi.EnvironmentSandbox)},
		"https://h.example/x/balance":                       {qredo.WithBaseURL("https://h.example/x")},
	} {
		client := newClient(t, func(req *http.Request) (*http.Response, error) {
			assert.Equal(t, want, req.URL.String())
			return answer(req, http.StatusOK, `{"assets":{}}`), nil
		}, opts...)
		_, err := client.Balance.Get(t.Context())
		require.NoError(t, err)
	}
}

func TestNewClientRefuses(t *testing.T) {
	_, err := qapi.NewClient(nil)
	requireInvalid(t, err, "auth")
	_, err = qapi.NewClient(newAuth(t), qredo.WithBaseURL("ftp://h"))
	requireInvalid(t, err, "base URL")
	_, err = qapi.NewClient(newAuth(t))
	requireInvalid(t, err, "base URL")
	require.ErrorContains(t, err, "QREDO_QAPI_BASE_URL", "what to give")
}

func TestClientFromEnv(t *testing.T) {
	environment(t, map[string]string{"QREDO_QAPI_KEY": apiKey, "QREDO_QAPI_SECRET": secret})
	t.Setenv("QREDO_BASE_URL", "https://partner.example") // the other API's
	t.Setenv("QREDO_QAPI_BASE_URL", "")
	_, err := qapi.ClientFromEnv()
	requireInvalid(t, err, "base URL")

	t.Setenv("QREDO_QAPI_BASE_URL", "https://h.example/x")
	var asked string
	client, err := qapi.ClientFromEnv(qredo.WithHTTPClient(&http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
		asked = req.URL.String()
		return answer(req, http.StatusOK, `{"assets":{}}`), nil
	})}))
	require.NoError(t, err)
	_, err = client.Balance.Get(t.Context())
	require.NoError(t, err)
	require.Equal(t, "https://h.example/x/balance", asked)

	environment(t, map[string]string{"QREDO_QAPI_KEY": apiKey})
	_, err = qapi.ClientFromEnv()
	requireInvalid(t, err, "QREDO_QAPI_SECRET")
}

// What would change the path, or leaves it without an ID, is not sent.
func TestBadIDs(t *testing.T) {
	client, ctx := refusing(t), t.Context()
	for _, id := range []string{"", ".", "..", "a/b", `a\b`, "a?b", "a#b", "a%2fb", "a b", "a\n", "a\x7f"} {
		_, err := client.Funds.Get(ctx, qredo.FundID(id))
		requireInvalid(t, err, "fund_id")
		_, err = client.Funds.ListLedger(ctx, qredo.FundID(id))
		requireInvalid(t, err, "fund_id")
		if id != "a b" { // which may be a short code
			_, err = client.Wallets.ListHistory(ctx, qredo.WalletID(id))
			requireInvalid(t, err, "wallet_id")
		}
		_, err = client.Transactions.Get(ctx, qredo.TxID(id))
		requireInvalid(t, err, "tx_id")
		_, err = client.Transactions.ListApprovals(ctx, qredo.TxID(id))
		requireInvalid(t, err, "tx_id")
		_, err = client.Transactions.Wait(ctx, qredo.TxID(id))
		requireInvalid(t, err, "tx_id")
	}
}

// Other characters are escaped, each ID on its own.
func TestIDsAreEscaped(t *testing.T) {
	client := newClient(t, func(req *http.Request) (*http.Response, error) {
		assert.Equal(t, "/qapi/v1/funds/a&b=%C3%A9+%3Bc", req.URL.EscapedPath())
		return answer(req, http.StatusNotFound, `{"code":"404","msg":"no"}`), nil
	})
	_, err := client.Funds.Get(t.Context(), "a&b=é+;c")
	require.ErrorIs(t, err, qredo.ErrNotFound)
	var failure *qredo.Error
	require.ErrorAs(t, err, &failure)
	assert.Equal(t, 404, failure.Code, "a code that is text")
}

// get calls every method that reads.
func get(t *testing.T, c *qapi.Client) map[string]error {
	t.Helper()
	ctx, errs := t.Context(), map[string]error{}
	_, errs["account"] = c.Account.Get(ctx)
	_, errs["balance"] = c.Balance.Get(ctx)
	_, errs["funds"] = c.Funds.List(ctx, qapi.FundsOptions{})
	_, errs["fund"] = c.Funds.Get(ctx, "f")
	_, errs["ledger"] = c.Funds.ListLedger(ctx, "f")
	_, errs["trusted"] = c.TrustedParties.List(ctx)
	_, errs["history"] = c.Wallets.ListHistory(ctx, "w")
	_, errs["status"] = c.Transactions.Get(ctx, "t")
	_, errs["approvals"] = c.Transactions.ListApprovals(ctx, "t")
	_, errs["wait"] = c.Transactions.Wait(ctx, "t")
	return errs
}

func TestAnswersThatCannotBeUsed(t *testing.T) {
	for _, body := range []string{"", "[1", `"text"`, `<html>`, "{}", `{"code":200,"msg":"OK"}`} {
		for name, err := range get(t, answering(t, http.StatusOK, body)) {
			require.ErrorIs(t, err, qredo.ErrBadAnswer, "%s: %q", name, body)
		}
	}
	// If there is nothing, the service may return null; but not for something that was asked for by its ID.
	for _, body := range []string{"null", " null "} {
		for name, err := range get(t, answering(t, http.StatusOK, body)) {
			if name == "fund" || name == "status" || name == "wait" {
				require.ErrorIs(t, err, qredo.ErrBadAnswer, name)
			} else {
				require.NoError(t, err, name)
			}
		}
	}
	_, err := answering(t, http.StatusOK, `{"fundInfo":{"name":"n"}}`).Funds.Get(t.Context(), "f")
	require.ErrorIs(t, err, qredo.ErrBadAnswer)
	for name, err := range get(t, answering(t, http.StatusForbidden, `{"code":403,"msg":"insufficient privileges"}`)) {
		require.ErrorIs(t, err, qredo.ErrForbidden, name)
	}
}
