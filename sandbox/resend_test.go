package sandbox_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// signedBy are the headers of a request, as names and values by turns.
func signedBy(t *testing.T, auth qredo.Authenticator, method, target, body string) []string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, target, nil)
	require.NoError(t, err)
	require.NoError(t, auth.Authenticate(req, []byte(body), time.Now()))
	var headers []string
	for name := range req.Header {
		headers = append(headers, name, req.Header.Get(name))
	}
	return headers
}

func TestRequestsAreSentAgain(t *testing.T) {
	own := sandbox.WithKey("own-key-of-somebody", &ownKey().PublicKey)
	srv := startServer(t, own)
	b := newBrowser(t, srv)
	const body = "{\"name\":  \"Zürich\"}\n"
	target := srv.BaseURL() + "/company"
	// One that was signed wrongly is right, signed anew.
	b.send("POST", target, body, append(signedBy(t, srv.Auth(), "POST", target, "other"), "Content-Type", "application/json"))
	first := latest(t, srv.Sandbox)
	assert.Equal(t, []any{401, true, ""}, []any{first.Status, first.Resendable, first.NotResendable})
	again, err := srv.Control().Resend(t.Context(), first.ID)
	require.NoError(t, err)
	assert.Equal(t, []any{200, first.ID, first.URL, first.RequestBody, first.Key}, []any{again.Status, again.ResentFrom, again.URL, again.RequestBody, again.Key})
	assert.Equal(t, latest(t, srv.Sandbox), again)
	once, err := srv.Resend(again.ID)
	require.NoError(t, err)
	assert.Equal(t, again.ID, once.ResentFrom)
	found, err := srv.Client().Companies.Search(t.Context(), "Zürich")
	require.NoError(t, err)
	assert.Len(t, found, 2, "a write is made once more")

	// What is signed is the URL byte for byte, and a nonce becomes a timestamp.
	target = srv.BaseURL() + "/company/search?query=Z%c3%bcrich%20+&x"
	headers := signedBy(t, srv.Auth(), "GET", target, "")
	signature, err := srv.Auth().Sign("once", target, nil)
	require.NoError(t, err)
	b.send("GET", target, "", []string{"X-Api-Key", value(headers, "X-Api-Key"), "x-nonce", "once", "x-sign", signature})
	first = latest(t, srv.Sandbox)
	assert.Equal(t, 200, first.Status)
	again, err = srv.Resend(first.ID)
	require.NoError(t, err)
	assert.Equal(t, []any{200, first.URL, first.AnswerBody}, []any{again.Status, again.URL, again.AnswerBody})

	target = srv.QAPIBaseURL() + "/balance"
	b.send("GET", target, "", signedBy(t, srv.HMACAuth(), "GET", target, ""))
	again, err = srv.Resend(latest(t, srv.Sandbox).ID)
	require.NoError(t, err)
	assert.Equal(t, []any{200, "qapi"}, []any{again.Status, again.API})

	for name, headers := range map[string][]string{
		"private key": {"X-Api-Key", "own-key-of-somebody", "x-timestamp", "1", "x-sign", "x"}, "private key ": nil, "signing agent": {"x-api-zkp", "00"},
	} {
		b.send("GET", srv.BaseURL()+"/assets", "", headers)
		d := latest(t, srv.Sandbox)
		assert.False(t, d.Resendable)
		assert.Contains(t, d.NotResendable, strings.TrimSpace(name))
		_, err = srv.Control().Resend(t.Context(), d.ID)
		require.ErrorIs(t, err, qredo.ErrConflict)
		var refused *sandbox.ControlError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, []any{409, "it cannot be sent again: " + d.NotResendable}, []any{refused.Status, refused.Reason})
	}
	b.send("GET", srv.QAPIBaseURL()+"/balance", "", []string{"qredo-api-key", "nobody"})
	assert.Contains(t, latest(t, srv.Sandbox).NotResendable, "not registered")
	b.send("POST", srv.BaseURL()+"/company", strings.Repeat(" ", 70_000), signedBy(t, srv.Auth(), "POST", srv.BaseURL()+"/company", ""))
	assert.Contains(t, latest(t, srv.Sandbox).NotResendable, "not kept completely")
	_, err = srv.Resend(4711)
	require.ErrorIs(t, err, qredo.ErrNotFound)
}

// value is that of a header in a list of names and values by turns.
func value(headers []string, name string) string {
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == name {
			return headers[i+1]
		}
	}
	return ""
}

// TestCurlLinesAreTaken runs the line that a request is shown as, in a shell, with what it says is to be filled in.
func TestCurlLinesAreTaken(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("needs curl")
	}
	srv := startServer(t)
	b := newBrowser(t, srv)
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/company", `{"name":"it's $HOME ` + "`id`" + ` \\ \"Zürich\""}` + "\n"},
		{"GET", "/company/search?query=a[1-2]{b,c}%20%c3%bc", ""},
		{"GET", "/company/../assets", ""},
	} {
		target := srv.BaseURL() + c.path
		b.send(c.method, target, c.body, append(signedBy(t, srv.Auth(), c.method, target, c.body), "Accept", "application/json"))
		d := latest(t, srv.Sandbox)
		headers := signedBy(t, srv.Auth(), c.method, d.URL, c.body)
		assert.NotContains(t, d.Curl, value(headers, "X-Api-Key"))
		run := exec.CommandContext(t.Context(), "sh", "-c", d.Curl)
		run.Env = append(run.Environ(), "QREDO_API_KEY="+value(headers, "X-Api-Key"), "TIMESTAMP="+value(headers, "X-Timestamp"), "SIGNATURE="+value(headers, "X-Sign"))
		out, err := run.CombinedOutput()
		require.NoError(t, err, "%s: %s", d.Curl, out)
		again := latest(t, srv.Sandbox)
		assert.NotEqual(t, d.ID, again.ID)
		assert.Equal(t, []any{d.Status, d.URL, d.RequestBody}, []any{again.Status, again.URL, again.RequestBody}, d.Curl)
		assert.NotEqual(t, 401, again.Status)
	}
}

// harFields are what the specification of HTTP archives, version 1.2, demands, by object.
var harFields = map[string]string{
	"log": "version creator entries", "creator": "name version",
	"entry":    "startedDateTime time request response cache timings",
	"request":  "method url httpVersion cookies headers queryString headersSize bodySize",
	"response": "status statusText httpVersion cookies headers content redirectURL headersSize bodySize",
	"content":  "size mimeType", "timings": "send wait receive", "postData": "mimeType params text", "header": "name value",
}

func TestHAR(t *testing.T) {
	srv := startServer(t)
	client := srv.Client()
	_, err := client.Companies.Create(t.Context(), qredo.CompanyRequest{Name: "Acme <script>"})
	require.NoError(t, err)
	_, err = client.Companies.Search(t.Context(), "a&b=ü")
	require.NoError(t, err)
	require.NoError(t, srv.SetFaults(1, sandbox.FaultRule{Kind: sandbox.FaultDropAnswer, Rate: 1, Times: 1}))
	_, err = client.Assets.List(t.Context())
	require.NoError(t, err)
	var file bytes.Buffer
	require.NoError(t, srv.Control().RequestsHAR(t.Context(), &file, sandbox.RequestFilter{}))
	has := func(object map[string]any, kind string) {
		for name := range strings.FieldsSeq(harFields[kind]) {
			assert.Contains(t, object, name, kind)
			assert.NotNil(t, object[name], "%s.%s", kind, name)
		}
	}
	object := func(v any, kind string) map[string]any {
		o, isObject := v.(map[string]any)
		require.True(t, isObject, kind)
		has(o, kind)
		return o
	}
	var whole map[string]any
	require.NoError(t, json.Unmarshal(file.Bytes(), &whole))
	log := object(whole["log"], "log")
	assert.Equal(t, "1.2", log["version"])
	object(log["creator"], "creator")
	entries, _ := log["entries"].([]any)
	require.Len(t, entries, 4, "the client tries again")
	for _, e := range entries {
		entry := object(e, "entry")
		began, err := time.Parse(time.RFC3339Nano, entry["startedDateTime"].(string))
		require.NoError(t, err)
		assert.WithinDuration(t, time.Now(), began, time.Minute)
		object(entry["timings"], "timings")
		request, response := object(entry["request"], "request"), object(entry["response"], "response")
		object(response["content"], "content")
		for _, h := range append(request["headers"].([]any), response["headers"].([]any)...) {
			object(h, "header")
		}
		if request["method"] == "POST" {
			assert.Equal(t, `{"name":"Acme \u003cscript\u003e"}`, object(request["postData"], "postData")["text"])
		}
	}
	second := entries[1].(map[string]any)["request"].(map[string]any)
	assert.Equal(t, []any{map[string]any{"name": "query", "value": "a&b=ü"}}, second["queryString"])
	third := entries[2].(map[string]any)
	assert.Equal(t, "fault drop_answer: not_sent", third["comment"])
	assert.EqualValues(t, 0, third["response"].(map[string]any)["status"])

	req, err := http.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)
	require.NoError(t, err)
	require.NoError(t, srv.Auth().Authenticate(req, nil, time.Now()))
	assert.NotContains(t, file.String(), req.Header.Get("X-Api-Key"))
	assert.NotContains(t, file.String(), req.Header.Get("X-Sign")[:40], "the stamp may differ: so may this")

	file.Reset()
	require.NoError(t, srv.RequestsHAR(&file, sandbox.RequestFilter{Search: "search", Limit: 1}))
	require.NoError(t, json.Unmarshal(file.Bytes(), &whole))
	assert.Len(t, whole["log"].(map[string]any)["entries"], 1)
	require.ErrorIs(t, srv.RequestsHAR(&file, sandbox.RequestFilter{Status: "x"}), qredo.ErrBadRequest)
	e := enter(t, srv)
	resp := e.get("/console/api/requests.har?status=2xx")
	assert.Contains(t, resp.Header.Get("Content-Disposition"), "attachment")
	for _, query := range []string{"status=x", "wrong=1"} {
		assert.Equal(t, http.StatusBadRequest, e.get("/console/api/requests.har?"+query).StatusCode)
	}
}

// TestAgentsSecretIsNotShown registers a signing agent, whose client secret is in the answer.
func TestAgentsSecretIsNotShown(t *testing.T) {
	s := newService(t)
	registered := s.newAgent().given.at("clientSecret")
	d := latest(t, s.Sandbox)
	assert.Contains(t, d.AnswerBody, "clientSecret")
	assert.NotContains(t, d.AnswerBody, registered)
	var file bytes.Buffer
	require.NoError(t, s.RequestsHAR(&file, sandbox.RequestFilter{}))
	assert.NotContains(t, file.String(), registered)
	list, err := s.Requests(sandbox.RequestFilter{Search: registered[:20]})
	require.NoError(t, err)
	assert.Empty(t, list.Requests)
}
