package agentserver_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/agentserver"
	"github.com/qredo-go/qredo/internal/clienttest"
)

const (
	jsonType  = "application/json"
	plainType = "text/plain; charset=utf-8"
	feedURL   = "ws://127.0.0.1:8007/api/v1/client/feed"
)

func requireAnswer(t *testing.T, got answer, status int, contentType, body string) {
	t.Helper()
	require.Equal(t, status, got.status, got.body)
	require.Equal(t, body, got.body)
	require.Equal(t, contentType, got.header.Get("Content-Type"))
}

func requireRefused(t *testing.T, got answer, status int, detail string) {
	t.Helper()
	require.Equal(t, status, got.status, got.body)
	require.True(t, strings.HasPrefix(got.body, fmt.Sprintf(`{"Code":%d,"Detail":"%s`, status, detail)), got.body)
	require.True(t, strings.HasSuffix(got.body, "}"), "no line end")
	require.Equal(t, jsonType, got.header.Get("Content-Type"))
	require.Equal(t, "nosniff", got.header.Get("X-Content-Type-Options"))
}

// What programs get that were written for the old one, while no agent is registered.
func TestAnswersWithoutAgent(t *testing.T) {
	r := start(t, agentserver.Default(), &backend{})
	r.waitFor("/readyz", "no agent is registered")
	requireAnswer(t, r.call("GET", "/api/v1/client", ""), 200, jsonType, `{"agentID":"","agentName":"","feedURL":"`+feedURL+`"}`+"\n")
	requireAnswer(t, r.call("GET", "/api/v1/healthcheck/version", ""), 200, jsonType, `{"buildVersion":"`+qredo.Version+`","buildType":"dev","buildDate":""}`+"\n")
	requireAnswer(t, r.call("GET", "/api/v1/healthcheck/status", ""), 200, jsonType,
		`{"websocket":{"readyState":"CLOSED","remoteFeedURL":"wss://sandbox-api.qredo.network/api/v1/p/coreclient/feed","localFeedURL":"`+feedURL+`","connectedClients":0}}`+"\n")
	requireAnswer(t, r.call("PUT", "/api/v1/client/action/a", ""), 404, jsonType, `{"Code":404,"Detail":"agentID"}`)
	requireAnswer(t, r.call("DELETE", "/api/v1/client/action/a", ""), 404, jsonType, `{"Code":404,"Detail":"agentID"}`)
	requireAnswer(t, r.call("PUT", "/api/v1/client/action/%20", ""), 400, jsonType, `{"Code":400,"Detail":"empty actionID"}`)
	requireAnswer(t, r.call("GET", "/api/v1/client/feed", ""), 200, jsonType, `{"Code":200,"Msg":"OK"}`)
	requireRefused(t, r.call("GET", "/api/v1/client/feed", "", "Connection", "Upgrade", "Upgrade", "websocket"), 503, "the agent is not connected")
}

func TestMethodsAndPaths(t *testing.T) {
	r := start(t, agentserver.Default(), &backend{})
	for _, path := range []string{"/register", "/client", "/client/action/a", "/client/feed", "/healthcheck/version", "/healthcheck/status", "/healthcheck/config"} {
		for _, method := range []string{"PATCH", "HEAD", "OPTIONS"} {
			got := r.call(method, "/api/v1"+path, "")
			requireAnswer(t, got, 405, "", "")
			require.Empty(t, got.header.Values("Allow"))
		}
	}
	requireAnswer(t, r.call("GET", "/api/v1/register", ""), 405, "", "")
	requireAnswer(t, r.call("POST", "/api/v1/client", ""), 405, "", "")
	requireAnswer(t, r.call("GET", "/api/v1/client/action/a", ""), 405, "", "")
	for _, path := range []string{
		"/", "/api/v1", "/api/v1/", "/client", "/api/v1/client/", "/api/v1/client/action/", "/api/v1/client/action/a/b", "/api/v1/client/action/a%2Fb",
		"/api/v1/register/", "/api/v1/../livez", "/api/v1/livez", "/livez/", "/API/v1/client",
	} {
		requireAnswer(t, r.call("GET", path, ""), 404, plainType, "404 page not found\n")
	}
}

func TestRegister(t *testing.T) {
	key := base64.StdEncoding.EncodeToString(privatePEM(t))
	body := func(name, apiKey, key string) string {
		return `{"name":"` + name + `","APIKey":"` + apiKey + `","base64PrivateKey":"` + key + `"}`
	}
	b := &backend{service: newService(t).FeedServer}
	r := start(t, agentserver.Default(), b)
	r.waitFor("/readyz", "no agent is registered")
	for name, tc := range map[string]struct {
		body   string
		status int
		detail string
	}{
		"no body":            {"", 400, `name"`},
		"empty object":       {"{}", 400, `name"`},
		"null":               {"null", 400, `name"`},
		"no JSON":            {"name=a", 400, `invalid json"`},
		"cut":                {`{"name":"a"`, 400, `invalid json"`},
		"another type":       {`{"name":7}`, 400, `invalid json"`},
		"a list":             {`[]`, 400, `invalid json"`},
		"blank name":         {body(" \\t ", "k", key), 400, `name"`},
		"long name":          {body(strings.Repeat("n", 257), "k", key), 400, `name"`},
		"no API key":         {body("n", " ", key), 400, `APIKey"`},
		"long API key":       {body("n", strings.Repeat("k", 257), key), 400, `APIKey"`},
		"no private key":     {body("n", "k", ""), 400, `base64PrivateKey"`},
		"long private key":   {body("n", "k", strings.Repeat("A", 16385)), 400, `base64PrivateKey"`},
		"no base64":          {body("n", "k", "!!"), 500, `decoding base64 RSA key: illegal base64 data at input byte 0"`},
		"URL's base64":       {body("n", "k", "_-_-"), 500, `decoding base64 RSA key: `},
		"no PEM":             {body("n", "k", "QUJD"), 400, `base64PrivateKey"`},
		"PEM of what is not": {body("n", "k", base64.StdEncoding.EncodeToString([]byte("-----BEGIN RSA PRIVATE KEY-----\nQUJD\n-----END RSA PRIVATE KEY-----\n"))), 500, `parse RSA key: `},
	} {
		t.Run(name, func(t *testing.T) {
			r.t = t
			requireRefused(t, r.call("POST", "/api/v1/register", tc.body), tc.status, tc.detail)
		})
	}
	r.t = t
	require.Equal(t, 413, r.call("POST", "/api/v1/register", `{"name":"`+strings.Repeat("n", 70<<10)).status)
	require.Empty(t, b.got, "nothing was registered")

	// Any capitals, unknown fields, blanks, and something after the object.
	odd := `{"NAME":" ` + strings.Repeat("n", 256) + ` ","apikey":" k ","BASE64privatekey":"` + key + `","more":[1]} junk`
	requireAnswer(t, r.call("POST", "/api/v1/register", odd), 200, jsonType, `{"agentID":"agent-1","feedURL":"`+feedURL+`"}`+"\n")
	require.Len(t, b.got, 1)
	require.Equal(t, strings.Repeat("n", 256), b.got[0].Name)
	require.Equal(t, "k", b.got[0].APIKey)
	require.True(t, clienttest.PrivateKey(t).Equal(b.got[0].Key))

	requireAnswer(t, r.call("POST", "/api/v1/register", "junk"), 400, jsonType, `{"Code":400,"Detail":"AgentID already exist. You can not set new one."}`)
	requireAnswer(t, r.call("GET", "/api/v1/client", ""), 200, jsonType,
		`{"agentID":"agent-1","agentName":"`+strings.Repeat("n", 256)+`","feedURL":"`+feedURL+`"}`+"\n")
	r.open()
	requireAnswer(t, r.call("GET", "/api/v1/client/feed", ""), 400, plainType, "Bad Request\n"+`{"Code":200,"Msg":"OK"}`)
	requireAnswer(t, r.call("POST", "/api/v1/client/feed", ""), 400, plainType, "Bad Request\n"+`{"Code":200,"Msg":"OK"}`)
	requireAnswer(t, r.call("GET", "/api/v1/client/feed", "", "Connection", "Upgrade", "Upgrade", "websocket", "Origin", "http://elsewhere.example"), 403, plainType, "Forbidden\n")
	require.NotContains(t, r.logs.String(), key[:40])
	require.NoError(t, r.stop())
}

// What registering fails with.
func TestRegisterFails(t *testing.T) {
	body := `{"name":"n","APIKey":"k","base64PrivateKey":"` + base64.StdEncoding.EncodeToString(privatePEM(t)) + `"}`
	refusal := clienttest.RequireError(t, func() error {
		_, err := clienttest.NewClient(t, clienttest.AnswerWith(401, `{"code":401,"msg":"errPartnerAuth"}`)).Companies.Get(t.Context(), "C")
		return err
	}())
	for _, tc := range []struct {
		err    error
		detail string
	}{
		{refusal, `GET https://play-api.example/p/company/C Status 401 (401 Unauthorized) with body: {\"code\":401,\"msg\":\"errPartnerAuth\"}"`},
		{&url.Error{Op: "Post", URL: "https://x", Err: errors.New("refused")}, `request error: Post \"https://x\": refused"`},
		{agentserver.ErrBadSecret, `extract pin: Invalid point"`},
	} {
		c := agentserver.Default()
		c.Base.QredoAPI = "https://play-api.example/p"
		r := start(t, c, &backend{err: tc.err})
		r.waitFor("/readyz", "no agent is registered")
		requireRefused(t, r.call("POST", "/api/v1/register", body), 500, tc.detail)
		requireRefused(t, r.call("POST", "/api/v1/register", body), 500, tc.detail) // and may be tried again
		require.NoError(t, r.stop())
	}
}

// A vote's answer is the service's.
func TestVotes(t *testing.T) {
	a, _ := newAgent(t)
	var sent []string
	votes := map[string]error{}
	a.vote = func(_ context.Context, verb string, id qredo.ActionID) error {
		sent = append(sent, verb+" "+string(id))
		return votes[string(id)]
	}
	votes["none"] = agentserver.ErrNoMessages
	votes["other"] = clienttest.RequireError(t, func() error {
		_, err := clienttest.NewClient(t, clienttest.AnswerWith(409, `{"code":409}`)).Companies.Get(t.Context(), "C")
		return err
	}())
	votes["odd"] = clienttest.NewClient(t, clienttest.RefuseAll(t)).CoreClients.Approve(t.Context(), "C", "..")
	c := agentserver.Default()
	c.Base.QredoAPI = "https://play-api.example/p"
	r := start(t, c, &backend{stored: a})
	r.open()
	requireAnswer(t, r.call("PUT", "/api/v1/client/action/x", ""), 200, jsonType, `{"actionID":"x","status":"approved"}`+"\n")
	requireAnswer(t, r.call("PUT", "/api/v1/client/action/x", "ignored"), 200, jsonType, `{"actionID":"x","status":"approved"}`+"\n")
	requireAnswer(t, r.call("DELETE", "/api/v1/client/action/y%3Fz", ""), 200, jsonType, `{"actionID":"y?z","status":"rejected"}`+"\n")
	requireAnswer(t, r.call("PUT", "/api/v1/client/action/none", ""), 404, jsonType, `{"Code":404,"Detail":"messages"}`)
	for range 2 { // and never "approved" afterwards
		requireRefused(t, r.call("PUT", "/api/v1/client/action/other", ""), 500, `GET https://play-api.example/p/company/C Status 409 (409 Conflict) with body: {\"code\":409}"`)
	}
	require.Error(t, votes["odd"])
	require.Equal(t, 400, r.call("PUT", "/api/v1/client/action/odd", "").status)
	assert.Equal(t, []string{"approve x", "approve x", "reject y?z", "approve none", "approve other", "approve other", "approve odd"}, sent)
	metrics := r.call("GET", "/metrics", "").body
	assert.Contains(t, metrics, `qredo_signing_agent_manual_votes_total{vote="approved",result="taken"} 2`+"\n")
	assert.Contains(t, metrics, `qredo_signing_agent_manual_votes_total{vote="approved",result="failed"} 4`+"\n")
	assert.Contains(t, metrics, `qredo_signing_agent_manual_votes_total{vote="rejected",result="taken"} 1`+"\n")
}

// The configuration is shown in its order, with all keys, and without secrets.
func TestConfigIsShownWithoutSecrets(t *testing.T) {
	c, _, err := agentserver.Parse([]byte("base: {pin: 4321}\nloadBalancing: {redis: {password: hunter2}}\n"))
	require.NoError(t, err)
	r := start(t, c, &backend{})
	requireAnswer(t, r.call("GET", "/api/v1/healthcheck/config", ""), 200, jsonType,
		`{"base":{"qredoAPI":"https://sandbox-api.qredo.network/api/v1/p","pin":null},`+
			`"http":{"addr":"127.0.0.1:8007","CORSAllowOrigins":[],"logAllRequests":false,"TLS":{"enabled":false,"certFile":"","keyFile":""}},`+
			`"logging":{"format":"json","level":"info"},`+
			`"loadBalancing":{"enable":false,"onLockErrorTimeoutMs":300,"actionIDExpirationSec":6,"redis":{"host":"redis","port":6379,"password":"[redacted]","db":0}},`+
			`"store":{"type":"file","file":"ccstore.db","oci":{"compartment":"","vault":"","secretEncryptionKey":"","configSecret":""},"aws":{"region":"","configSecret":""},"gcp":{"projectID":"","configSecret":""}},`+
			`"autoApproval":{"enabled":false,"retryIntervalMaxSec":300,"retryIntervalSec":5},`+
			`"websocket":{"qredoWebsocket":"wss://sandbox-api.qredo.network/api/v1/p/coreclient/feed","reconnectTimeoutSec":300,"reconnectIntervalSec":5,"pingPeriodSec":5,"pongWaitSec":10,"writeWaitSec":10,"readBufferSize":512,"writeBufferSize":1024}}`+"\n")
	for how, text := range clienttest.Printings(t, c) {
		require.NotContains(t, text, "4321", how)
		require.NotContains(t, text, "hunter2", how)
	}
}
