package spec

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// answering is a server that gives one answer.
func answering(status int, contentType, body string) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.Body != nil {
			if _, err := io.ReadAll(req.Body); err != nil {
				return nil, err
			}
		}
		return &http.Response{
			StatusCode: status, Header: http.Header{"Content-Type": {contentType}},
			Body: io.NopCloser(strings.NewReader(body)), Request: req,
		}, nil
	})
}

func newRequest(t *testing.T, operation, body string) *http.Request {
	t.Helper()
	method, path, _ := strings.Cut(operation, " ")
	req, err := http.NewRequestWithContext(t.Context(), method, "https://any.example"+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	for _, name := range []string{"X-API-KEY", "x-timestamp", "x-sign"} {
		req.Header.Set(name, "1")
	}
	return req
}

const (
	asset     = `{"code":"BTC","name":"Bitcoin","unitCode":"BTC","scale":100000000,"enabled":true,"testAsset":false}`
	fees      = `{"netAmount":1,"amountToSend":2,"fees":1}`
	askFees   = `{"type":"swap","asset":"BTC","amount":2}`
	transfer  = `{"wallet_id":"w","counterparty_wallet_address":"v","expires":1,"send":{"symbol":"BTC","amount":9223372036854775807}}`
	submitted = `{"tx_id":"t","status":"new"}`
	failure   = `{"code":404,"msg":"Not Found","detail":{"reason":"no such company"}}`
)

func TestSpecChecker(t *testing.T) {
	const base = "/api/v1/p"
	for _, test := range []struct {
		name, operation, body string
		status                int
		answer                string
		violation             string // a part of it, or empty
	}{
		{"as described", "GET " + base + "/assets", "", 200, `{"assets":[` + asset + `]}`, ""},
		{"the largest amount", "POST " + base + "/company/c/transfer", transfer, 200, submitted, ""},
		{"an unknown value of an open set", "POST " + base + "/company/c/transfer", transfer, 200, `{"tx_id":"t","status":"odd"}`, ""},
		{"a further field in a request", "POST " + base + "/fees", `{"more":1,` + askFees[1:], 200, fees, ""},
		{"a documented failure", "GET " + base + "/company/c", "", 404, failure, ""},
		{"a failure that is in no list", "GET " + base + "/company/c", "", 429, failure, ""},
		{"a failure without detail", "GET " + base + "/company/c", "", 500, `{"code":500,"msg":"no"}`, ""},
		{"a wrong request that is refused", "POST " + base + "/fees", `{}`, 400, failure, ""},
		{"another method", "PUT " + base + "/fees", askFees, 405, failure, ""},
		{"another path", "GET " + base + "/nothing", "", 404, failure, ""},
		{"a control call", "POST /sandbox/v1/reset", "?", 200, "?", ""},
		{"a name that is also an ID's place", "GET " + base + "/company/search?query=abc", "", 200, `{"total_count":0,"matches":[]}`, ""},

		{"a further field in an answer", "POST " + base + "/fees", askFees, 200, `{"more":1,` + fees[1:], `"more" is unsupported`},
		{"a further field in a list", "GET " + base + "/assets", "", 200, `{"assets":[{"more":1,` + asset[1:] + `]}`, `"more" is unsupported`},
		{"a field is missing", "POST " + base + "/fees", askFees, 200, `{"netAmount":1,"fees":1}`, `"amountToSend" is missing`},
		{"text for a number", "POST " + base + "/fees", askFees, 200, `{"netAmount":"1","amountToSend":2,"fees":1}`, "must be an integer"},
		{"null for a list", "GET " + base + "/assets", "", 200, `{"assets":null}`, "Value is not nullable"},
		{"no body", "GET " + base + "/assets", "", 200, "", "failed to decode response body"},
		{"another status of success", "POST " + base + "/fees", askFees, 201, fees, "no such status of success"},
		{"a failure in another form", "GET " + base + "/company/c", "", 404, `{"error":"x"}`, "the answer"},
		{"a failure of no operation in another form", "GET " + base + "/nothing", "", 404, `{"error":"x"}`, "the answer"},
		{"a wrong request that is taken", "POST " + base + "/fees", `{"type":"deposit","asset":"BTC","amount":2}`, 200, fees, "the request"},
		{"a wrong request of unknown outcome", "POST " + base + "/fees", `{}`, 500, failure, "the request"},
		{"a body too many", "GET " + base + "/assets", "{}", 200, `{"assets":[]}`, "request body not allowed"},
		{"an unknown query", "GET " + base + "/company/search?query=abc&page=2", "", 200, `{"total_count":0,"matches":[]}`, `"page", which is unknown`},
		{"an agent's call without its proof", "POST " + base + "/coreclient/finish", `{"idDocSignatureHex":"ab"}`, 200, `{"feed":"f"}`, "x-api-zkp is missing"},
		{"no operation", "GET " + base + "/nothing", "", 200, "{}", "no such operation"},
	} {
		t.Run(test.name, func(t *testing.T) {
			checker := Partner.New()
			client := &http.Client{Transport: checker.Transport(answering(test.status, "application/json", test.answer))}
			resp, err := client.Do(newRequest(t, test.operation, test.body))
			require.NoError(t, err)
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			assert.Equal(t, test.answer, string(body), "the answer must stay readable")
			if test.violation == "" {
				assert.Empty(t, checker.Violations())
			} else if assert.Len(t, checker.Violations(), 1) {
				assert.Contains(t, checker.Violations()[0], test.violation)
			}
		})
	}
}

func TestSpecCheckerCountsSuccesses(t *testing.T) {
	checker := Partner.New()
	for _, status := range []int{200, 400, 200} {
		answer := fees
		if status == 400 {
			answer = failure
		}
		resp, err := checker.Transport(answering(status, "application/json", answer)).RoundTrip(newRequest(t, "POST /api/v1/p/fees", askFees))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	assert.Empty(t, checker.Violations())
	assert.Equal(t, map[Operation]int{{Method: "POST", Path: "/fees", ID: "quoteFees"}: 2}, checker.Called())
}

// What stands in between may answer in a form of its own.
func TestSpecCheckerTakesAProxysPage(t *testing.T) {
	checker := Partner.New()
	resp, err := checker.Transport(answering(502, "text/html", "<html>")).RoundTrip(newRequest(t, "GET /api/v1/p/assets", ""))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Empty(t, checker.Violations())
}

func TestSpecCheckerLetsUpgradesPass(t *testing.T) {
	for path, violations := range map[string]int{
		"/coreclient/feed": 0, "/coreclient/c/feed": 0, "/liquidityhub/feed": 0, "/wallets/feed": 0, "/assets": 1, "/feed": 1,
	} {
		checker := Partner.New()
		req := newRequest(t, "GET /api/v1/p"+path, "")
		req.Header.Set("x-api-zkp", "1")
		connection := struct{ io.ReadWriteCloser }{}
		upgrade := roundTripper(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusSwitchingProtocols, Body: connection}, nil
		})
		resp, err := checker.Transport(upgrade).RoundTrip(req) //nolint:bodyclose // it is no body
		require.NoError(t, err)
		assert.Equal(t, connection, resp.Body, "%s: the connection must stay as it is", path)
		assert.Len(t, checker.Violations(), violations, path)
	}
}

// An answer that is cut reaches the client as it came.
func TestSpecCheckerKeepsACutAnswer(t *testing.T) {
	checker, broken := Partner.New(), errors.New("broken")
	cut := roundTripper(func(*http.Request) (*http.Response, error) {
		body := io.MultiReader(bytes.NewReader([]byte(`{"ass`)), failing{broken})
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(body)}, nil
	})
	resp, err := checker.Transport(cut).RoundTrip(newRequest(t, "GET /api/v1/p/assets", ""))
	require.NoError(t, err)
	data, err := io.ReadAll(resp.Body)
	require.ErrorIs(t, err, broken)
	assert.Equal(t, `{"ass`, string(data))
	require.NoError(t, resp.Body.Close())
	assert.Empty(t, checker.Violations())
}
