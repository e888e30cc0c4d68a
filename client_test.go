package qredo_test

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

func TestBaseURLs(t *testing.T) {
	for base, want := range map[string]string{
		"https://example.com/api/v1/p":      "https://example.com/api/v1/p/assets",
		"https://example.com/api/v1/p/":     "https://example.com/api/v1/p/assets",
		"https://example.com///":            "https://example.com/assets",
		" https://example.com \n":           "https://example.com/assets",
		"https://example.com:8443/a":        "https://example.com:8443/a/assets",
		"HTTPS://example.com":               "https://example.com/assets",
		"https://API.Example.com/V1":        "https://api.example.com/V1/assets",
		"http://LOCALHOST:80":               "http://localhost:80/assets",
		"http://127.0.0.1:8765/api/v1/p":    "http://127.0.0.1:8765/api/v1/p/assets",
		"http://127.9.9.9":                  "http://127.9.9.9/assets",
		"http://[::1]:8765":                 "http://[::1]:8765/assets",
		"http://localhost:8765/api":         "http://localhost:8765/api/assets",
		"https://[2001:db8::1]/api":         "https://[2001:db8::1]/api/assets",
		"https://example.com/a%2Fb":         "https://example.com/a%2Fb/assets",
		string(qredo.EnvironmentProduction): "https://api.qredo.network/api/v1/p/assets",
		string(qredo.EnvironmentSandbox):    "https://sandbox-api.qredo.network/api/v1/p/assets",
		string(qredo.EnvironmentPlay):       "https://play-api.qredo.network/api/v1/p/assets",
		"https://localhost.example.com/x/":  "https://localhost.example.com/x/assets",
	} {
		t.Run(base, func(t *testing.T) {
			var urls []string
			client := clienttest.NewClient(t, clienttest.RecordURLs(&urls, `{"assets":[]}`), qredo.WithBaseURL(base))
			_, err := client.Assets.List(t.Context())
			require.NoError(t, err)
			require.Equal(t, []string{want}, urls)
		})
	}
}

func TestBadBaseURLs(t *testing.T) {
	for name, base := range map[string]string{
		"empty": "", "blank": "  ", "no scheme": "example.com/api", "host alone": "//example.com", "path alone": "/api/v1/p",
		"http": "http://example.com", "http to a private address": "http://192.168.1.1", "http to any address": "http://0.0.0.0",
		"http to a name like localhost": "http://localhost.example.com", "http to an address like loopback": "http://127.0.0.1.example.com",
		"http with loopback as user": "http://127.0.0.1@example.com", "ftp": "ftp://example.com", "wss": "wss://example.com",
		"file": "file:///etc/passwd", "opaque": "https:example.com", "no host": "https://", "no host but a path": "https:///api",
		"no host but a port": "https://:443", "user": "https://user@example.com", "user and password": "https://user:hunter2@example.com",
		"query": "https://example.com/?a=b", "empty query": "https://example.com?", "fragment": "https://example.com#top",
		"empty fragment": "https://example.com/#", "space": "https://exa mple.com", "bad port": "https://example.com:port",
		"bad escape": "https://example.com/%zz", "line break": "https://example.com/\nx", "beyond ASCII": "https://exämple.com",
		"bad user": "https://user:hunter2@exa mple.com",
	} {
		t.Run(name, func(t *testing.T) {
			client, err := qredo.NewClient(clienttest.NewAuth(t), qredo.WithBaseURL(base))
			require.Nil(t, client)
			clienttest.RequireInvalid(t, err, "base URL")
			require.NotContains(t, err.Error(), "hunter2", "a password is not repeated")
			_, err = qredo.NewClient(clienttest.NewAuth(t), qredo.WithEnvironment(qredo.Environment(base)))
			clienttest.RequireInvalid(t, err, "base URL")
		})
	}
}

// Which service to call is never guessed.
func TestNoBaseURL(t *testing.T) {
	t.Setenv("QREDO_BASE_URL", clienttest.BaseURL) // which is for ClientFromEnv alone
	client, err := qredo.NewClient(clienttest.NewAuth(t), qredo.WithRetry(clienttest.Once))
	require.Nil(t, client)
	rule := clienttest.RequireInvalid(t, err, "base URL")
	for _, way := range []string{"WithBaseURL", "WithEnvironment", "ClientFromEnv", "QREDO_BASE_URL"} {
		require.Contains(t, rule, way, "what to give")
	}
}

func TestClientFromEnv(t *testing.T) {
	for name, tc := range map[string]struct {
		env  map[string]string
		opts []qredo.Option
		want string // where requests go, or the field that is refused
	}{
		"all":                 {map[string]string{"QREDO_BASE_URL": "https://h.example/p"}, nil, "https://h.example/p/assets"},
		"an option counts":    {map[string]string{"QREDO_BASE_URL": "https://h.example/p"}, []qredo.Option{qredo.WithBaseURL("https://other.example")}, "https://other.example/assets"},
		"an option is enough": {nil, []qredo.Option{qredo.WithEnvironment(qredo.EnvironmentPlay)}, "https://play-api.qredo.network/api/v1/p/assets"},
		"no base URL":         {nil, nil, "base URL"},
		"a wrong base URL":    {map[string]string{"QREDO_BASE_URL": "h.example"}, nil, "base URL"},
		"no API key":          {map[string]string{"QREDO_BASE_URL": clienttest.BaseURL, "QREDO_API_KEY": ""}, nil, "QREDO_API_KEY"},
		"no private key":      {map[string]string{"QREDO_BASE_URL": clienttest.BaseURL, "QREDO_PRIVATE_KEY_FILE": ""}, nil, "QREDO_PRIVATE_KEY"},
	} {
		t.Run(name, func(t *testing.T) {
			for variable, value := range map[string]string{
				"QREDO_API_KEY": clienttest.APIKey, "QREDO_API_KEY_FILE": "", "QREDO_PRIVATE_KEY": "", "QREDO_PRIVATE_KEY_FILE": "testdata/private.pkcs8.pem", "QREDO_BASE_URL": "",
			} {
				t.Setenv(variable, value)
			}
			for variable, value := range tc.env {
				t.Setenv(variable, value)
			}
			var urls []string
			client, err := qredo.ClientFromEnv(append(tc.opts, qredo.WithHTTPClient(&http.Client{Transport: clienttest.RecordURLs(&urls, `{"assets":[]}`)}))...)
			if !strings.HasPrefix(tc.want, "https://") {
				require.Nil(t, client)
				clienttest.RequireInvalid(t, err, tc.want)
				return
			}
			require.NoError(t, err)
			_, err = client.Assets.List(t.Context())
			require.NoError(t, err)
			require.Equal(t, []string{tc.want}, urls)
		})
	}
}

func TestBadOptions(t *testing.T) {
	for field, opt := range map[string]qredo.Option{
		"option":       nil,
		"HTTP client":  qredo.WithHTTPClient(nil),
		"logger":       qredo.WithLogger(nil),
		"clock":        qredo.WithClock(nil),
		"user agent":   qredo.WithUserAgent("a\nb"),
		"max response": qredo.WithMaxResponse(0),
	} {
		client, err := qredo.NewClient(clienttest.NewAuth(t), opt)
		require.Nil(t, client)
		clienttest.RequireInvalid(t, err, field)
	}
	_, err := qredo.NewClient(clienttest.NewAuth(t), qredo.WithMaxResponse(-1))
	clienttest.RequireInvalid(t, err, "max response")
	for _, agent := range []string{"", "   ", "é"} {
		_, err = qredo.NewClient(clienttest.NewAuth(t), qredo.WithUserAgent(agent))
		clienttest.RequireInvalid(t, err, "user agent")
	}
}

// A limit can be any positive number, even the largest.
func TestWithMaxResponseWithoutBound(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"company_id":"c"}`), qredo.WithMaxResponse(math.MaxInt64))
	company, err := client.Companies.Get(t.Context(), "c")
	require.NoError(t, err)
	require.Equal(t, qredo.CompanyID("c"), company.ID)
}

func TestBadHeaders(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.RefuseAll(t))
	for field, header := range map[string][2]string{
		"header Idempotency-Key":   {"Idempotency-Key", "k"}, // with it, net/http would send a request again by itself
		"header x-idempotency-key": {"x-idempotency-key", "k"},
		"header":                   {"X-Trace", "a\nb"},
	} {
		_, err := client.Companies.Create(t.Context(), qredo.CompanyRequest{Name: "Acme"}, qredo.WithHeader(header[0], header[1]))
		clienttest.RequireInvalid(t, err, field)
	}
	for _, name := range []string{"", "X Trace", "X-Trace:", "X-Tracé"} {
		clienttest.RequireInvalid(t, client.Do(t.Context(), http.MethodGet, "/x", nil, nil, qredo.WithHeader(name, "1")), "header")
	}
}

func TestNilAuthenticators(t *testing.T) {
	for _, auth := range []qredo.Authenticator{nil, (*qredo.RSAAuth)(nil), (*qredo.HMACAuth)(nil)} {
		client, err := qredo.NewClient(auth)
		require.Nil(t, client)
		clienttest.RequireInvalid(t, err, "auth")
	}
}

// A program may have put a transport of its own in place of the default one: mocks and tracing do.
func TestReplacedDefaultTransport(t *testing.T) {
	before := http.DefaultTransport
	defer func() { http.DefaultTransport = before }()
	var urls []string
	http.DefaultTransport = clienttest.RecordURLs(&urls, `{"assets":[]}`)
	client, err := qredo.NewClient(clienttest.NewAuth(t), qredo.WithBaseURL(clienttest.BaseURL))
	require.NoError(t, err)
	_, err = client.Assets.List(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{clienttest.BaseURL + "/assets"}, urls)
}

func TestUserAgentAndHeaders(t *testing.T) {
	var got http.Header
	client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
		got = req.Header
		return clienttest.Answer(req, 200, `{}`), nil
	}), qredo.WithUserAgent("desk/2 (qredo)"))
	require.NoError(t, client.Do(t.Context(), http.MethodGet, "/x", nil, nil))
	require.Equal(t, "desk/2 (qredo)", got.Get("User-Agent"))
	require.NoError(t, client.Do(t.Context(), http.MethodGet, "/x", nil, nil, nil, // a nil option changes nothing
		qredo.WithHeader("Accept", "text/plain"), qredo.WithHeader("x-a", "1"), qredo.WithHeader("x-a", "2")))
	require.Equal(t, []string{"text/plain"}, got["Accept"])
	require.Equal(t, []string{"1", "2"}, got["X-A"])
}

func TestWithResponse(t *testing.T) {
	for _, status := range []int{200, 202, 404, 502} {
		client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
			resp := clienttest.Answer(req, status, `{"company_id":"c"}`)
			resp.Header.Set("X-Request-Id", "r-1")
			return resp, nil
		}))
		var resp qredo.Response
		_, err := client.Companies.Get(t.Context(), "c", qredo.WithResponse(&resp))
		require.Equal(t, status >= 300, err != nil)
		require.Equal(t, qredo.Response{
			Operation: "GET /company/{company_id}", StatusCode: status, Header: http.Header{"X-Request-Id": {"r-1"}}, Body: []byte(`{"company_id":"c"}`), Attempts: 1,
		}, resp)
	}
	untouched := qredo.Response{StatusCode: 7}
	_, err := clienttest.NewClient(t, clienttest.RefuseAll(t)).Companies.Get(t.Context(), "", qredo.WithResponse(&untouched))
	require.Error(t, err)
	require.Equal(t, qredo.Response{StatusCode: 7}, untouched)
}

func TestDo(t *testing.T) {
	type answerShape struct {
		WalletID qredo.WalletID `json:"wallet_id"`
		Amount   qredo.Amount   `json:"amount"`
	}
	var method, url, body string
	client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
		data := []byte{}
		if req.Body != nil {
			data, _ = io.ReadAll(req.Body)
		}
		method, url, body = req.Method, req.URL.String(), string(data)
		clienttest.VerifySignature(t, req.Header.Get("x-sign"), "1700000000", url, data)
		return clienttest.Answer(req, 200, ` {"walletID":"w","amount":"12345678901234567"} `), nil
	}))
	do := func(m, path string, in, out any) {
		t.Helper()
		require.NoError(t, client.Do(t.Context(), m, path, in, out))
	}

	var typed answerShape
	do(http.MethodPatch, "/new/thing?q=a+b&r=%C3%A9", map[string]int{"n": 1}, &typed)
	require.Equal(t, []string{"PATCH", clienttest.BaseURL + "/new/thing?q=a+b&r=%C3%A9", `{"n":1}`}, []string{method, url, body})
	require.Equal(t, answerShape{"w", 12345678901234567}, typed)

	var open map[string]any
	do(http.MethodPost, "/x", []byte(`{ "as": "it is" }`), &open)
	require.Equal(t, `{ "as": "it is" }`, body)
	require.Equal(t, map[string]any{"walletID": "w", "amount": "12345678901234567"}, open)

	var raw json.RawMessage
	do(http.MethodPut, "/a%2Fb/c", json.RawMessage(`[1]`), &raw)
	require.Equal(t, []string{clienttest.BaseURL + "/a%2Fb/c", `[1]`}, []string{url, body})
	require.True(t, bytes.HasPrefix(raw, []byte(` {"walletID"`)), "as it came")

	var plain []byte
	do(http.MethodDelete, "/x", nil, &plain)
	require.Empty(t, body)
	require.Equal(t, []byte(raw), plain)
}

// In an open type a number is kept as its text, because a float would round it.
// What a type of this package cannot do without, it cannot do without in Do either.
func TestDoDemandsWhatIsRequired(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"code":200}`))
	err := client.Do(t.Context(), http.MethodPost, "/x", nil, new(qredo.Submission))
	require.ErrorIs(t, err, qredo.ErrBadAnswer)
	require.ErrorContains(t, err, "tx_id: is missing")
}

// Do has no ID with which a response could be compared.
func TestDoReadsIdentifiedTypes(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"txID":"t","id":"a"}`))
	var tx qredo.Transaction
	require.NoError(t, client.Do(t.Context(), http.MethodGet, "/x", nil, &tx))
	require.Equal(t, qredo.TxID("t"), tx.ID)
	var action qredo.Action
	require.NoError(t, client.Do(t.Context(), http.MethodGet, "/x", nil, &action))
	require.Equal(t, qredo.ActionID("a"), action.ID)
}

func TestDoKeepsNumbers(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"n":9007199254740993,"l":[1.10]}`))
	var got map[string]any
	require.NoError(t, client.Do(t.Context(), http.MethodGet, "/x", nil, &got))
	require.Equal(t, map[string]any{"n": json.Number("9007199254740993"), "l": []any{json.Number("1.10")}}, got)
}

func TestDoRefusesPaths(t *testing.T) {
	for _, path := range []string{
		"", "/", "assets", "..", "../x", "/..", "/a/../b", "/a/..", "/./a", "/a/.", "/%2e%2e/a", "/a/%2E%2E", "/a%2f..%2fb", "//host/x", "///x",
		"http://example.com/x", "https://sandbox-api.qredo.network/api/v1/p/assets", "mailto:x", "/a//b", "/a/", "/a#b", "/a\nb", "/%zz",
		"/a?q=a b", "/a?q=é", "/a?q=\x7f", "?q=1", "#a",
	} {
		err := clienttest.NewClient(t, clienttest.RefuseAll(t)).Do(t.Context(), http.MethodGet, path, nil, nil)
		clienttest.RequireInvalid(t, err, "path")
	}
}

func TestDoRefusesBodies(t *testing.T) {
	err := clienttest.NewClient(t, clienttest.RefuseAll(t)).Do(t.Context(), http.MethodPost, "/x", func() {}, nil)
	var unsupported *json.UnsupportedTypeError
	require.ErrorAs(t, err, &unsupported)
	require.ErrorContains(t, err, "request body")
}

// Unmarshal decodes bytes like a response: the body that WithResponse keeps gives what the method returned.
func TestUnmarshalReadsWhatAnswersAreReadFrom(t *testing.T) {
	var kept qredo.Response
	client := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"TxId":"t,","tx_status":"approved_transfer","approver_count":"2","status":{"actionID":"a"},"new":{"x":1}}`))
	want, err := client.Transfers.Get(t.Context(), "c", "t", qredo.WithResponse(&kept))
	require.NoError(t, err)
	var got qredo.Transaction
	require.NoError(t, qredo.Unmarshal(kept.Body, &got))
	require.Equal(t, *want, got)

	var open map[string]any
	require.NoError(t, qredo.Unmarshal([]byte(`{"n":9007199254740993}`), &open))
	require.Equal(t, json.Number("9007199254740993"), open["n"])
	var amount struct {
		Amount qredo.Amount `json:"amount"`
	}
	for body, says := range map[string]string{
		`{"amount":1.5}`: "qredo: amount: 1.5 is not a whole number", `{"amount":`: "qredo: not JSON at byte 10", `{"amount":1,"Amount":2}`: "duplicate key",
	} {
		require.ErrorContains(t, qredo.Unmarshal([]byte(body), &amount), says)
	}
	require.ErrorContains(t, qredo.Unmarshal([]byte(`{"txStatus":"approved"}`), new(qredo.Transaction)), "txID: is missing")
	require.Error(t, qredo.Unmarshal([]byte(`{}`), nil))
}

func TestAs(t *testing.T) {
	var agents, keys []string
	note := clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
		agents, keys = append(agents, req.Header.Get("User-Agent")), append(keys, req.Header.Get("X-Api-Key")+req.Header.Get("Qredo-Api-Key"))
		return clienttest.Answer(req, http.StatusOK, `{}`), nil
	})
	client := clienttest.NewClient(t, note, qredo.WithUserAgent("first"))
	hmac, err := qredo.NewHMACAuth("other", "c2VjcmV0IHNlY3JldCBzZWNyZXQ")
	require.NoError(t, err)
	other, err := client.As(hmac)
	require.NoError(t, err)
	later, err := client.As(hmac, qredo.WithUserAgent("third"), qredo.WithClock(func() time.Time { return clienttest.Now.Add(time.Hour) }))
	require.NoError(t, err)
	for _, c := range []*qredo.Client{client, other, later, client} {
		require.NoError(t, c.Do(t.Context(), http.MethodGet, "/assets", nil, nil))
	}
	require.Equal(t, []string{"first", "first", "third", "first"}, agents)
	require.Equal(t, []string{clienttest.APIKey, "other", "other", clienttest.APIKey}, keys)
	at := qredo.TimeOf(clienttest.Now.Add(time.Minute))
	require.Equal(t, []bool{false, false, true}, []bool{client.Expired(at), other.Expired(at), later.Expired(at)}, "the clock of the new one alone")
	_, err = client.As(nil)
	clienttest.RequireInvalid(t, err, "auth")
	_, err = client.As(hmac, nil)
	clienttest.RequireInvalid(t, err, "option")
	_, err = client.As(hmac, qredo.WithBaseURL("ftp://example.com"))
	clienttest.RequireInvalid(t, err, "base URL")
}
