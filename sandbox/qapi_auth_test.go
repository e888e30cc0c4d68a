package sandbox_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// A secret whose base64 has the characters in which the two alphabets differ, and padding.
var hmacSecret = []byte("\xfb\xef\xbe\xff\xff\xff the secret of a key!\x00")

const qapiHost = "http://sandbox.example"

// hmacRequest is a request to Qredo API v1 before it is signed: every part can be made wrong.
type hmacRequest struct {
	method, path, body           string
	stamp                        string
	key                          string
	secret                       []byte
	signedMethod, signedURL, sig string // in place of what is right, if not empty
	signedBody                   string
}

func (w world) request(method, path string) hmacRequest {
	return hmacRequest{
		method: method, path: "/qapi/v1" + path, stamp: fmt.Sprint(w.clock.Now().Unix()), key: "reports", secret: hmacSecret,
	}
}

func (w world) sign(r hmacRequest) answer {
	w.t.Helper()
	req := httptest.NewRequest(r.method, qapiHost+r.path, strings.NewReader(r.body))
	mac := hmac.New(sha256.New, r.secret)
	mac.Write([]byte(r.stamp + orElse(r.signedMethod, r.method) + orElse(r.signedURL, qapiHost+r.path) + orElse(r.signedBody, r.body)))
	for name, value := range map[string]string{
		"qredo-api-key": r.key, "qredo-api-ts": r.stamp,
		"qredo-api-sig": orElse(r.sig, base64.RawURLEncoding.EncodeToString(mac.Sum(nil))),
	} {
		if value != "" && value != "-" {
			req.Header.Set(name, value)
		}
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, req)
	return readAnswer(w.t, rec.Result())
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func withReportsKey(permissions ...sandbox.Permission) sandbox.Option {
	return sandbox.WithHMACKey("reports", base64.StdEncoding.EncodeToString(hmacSecret), permissions...)
}

func TestHMACSecretForms(t *testing.T) {
	for name, encoding := range map[string]*base64.Encoding{
		"standard": base64.StdEncoding, "standard, bare": base64.RawStdEncoding, "URL": base64.URLEncoding, "URL, bare": base64.RawURLEncoding,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.WithHMACKey("reports", encoding.EncodeToString(hmacSecret)))
			w.sign(w.request("GET", "/balance")).ok()
		})
	}
}

func TestHMACIsVerified(t *testing.T) {
	w := newWorld(t, withReportsKey())
	at := func(d time.Duration) string { return fmt.Sprint(w.clock.Now().Add(d).Unix()) }
	for name, c := range map[string]struct {
		change func(r *hmacRequest)
		reason string // of the refusal; empty for none
	}{
		"right":                   {func(*hmacRequest) {}, ""},
		"method in small letters": {func(r *hmacRequest) { r.signedMethod = "get" }, "signature"},
		"another method":          {func(r *hmacRequest) { r.signedMethod = "POST" }, "signature"},
		"no method":               {func(r *hmacRequest) { r.signedURL, r.signedMethod = "balance", qapiHost+"/qapi/v1/" }, "signature"},
		"another secret":          {func(r *hmacRequest) { r.secret = []byte("x") }, "signature"},
		"another URL":             {func(r *hmacRequest) { r.signedURL = qapiHost + "/qapi/v1/funds" }, "signature"},
		"another host":            {func(r *hmacRequest) { r.signedURL = "http://other.example" + r.path }, "signature"},
		"a query not signed":      {func(r *hmacRequest) { r.path += "?a=1"; r.signedURL = qapiHost + "/qapi/v1/balance" }, "signature"},
		"a query signed":          {func(r *hmacRequest) { r.path += "?a=1" }, ""},
		"a body not signed":       {func(r *hmacRequest) { r.body, r.signedBody = "{}", "{ }" }, "signature"},
		"a padded signature":      {func(r *hmacRequest) { r.sig = "AAAA====" }, "signature"},
		"no signature":            {func(r *hmacRequest) { r.sig = "-" }, "signature"},
		"an unknown key":          {func(r *hmacRequest) { r.key = "nobody" }, "api key"},
		"no key":                  {func(r *hmacRequest) { r.key = "-" }, "empty token"},
		"blanks around the key":   {func(r *hmacRequest) { r.key = " reports " }, ""},
		"no timestamp":            {func(r *hmacRequest) { r.stamp = "-" }, "timestamp"},
		"a word for a timestamp":  {func(r *hmacRequest) { r.stamp = "now" }, "timestamp"},
		"5 minutes old":           {func(r *hmacRequest) { r.stamp = at(-5 * time.Minute) }, ""},
		"5 minutes ahead":         {func(r *hmacRequest) { r.stamp = at(5 * time.Minute) }, ""},
		"a second older":          {func(r *hmacRequest) { r.stamp = at(-5*time.Minute - time.Second) }, "timestamp"},
		"a second further ahead":  {func(r *hmacRequest) { r.stamp = at(5*time.Minute + time.Second) }, "timestamp"},
		"nanoseconds":             {func(r *hmacRequest) { r.stamp += "123456789" }, ""},
		"old nanoseconds":         {func(r *hmacRequest) { r.stamp = at(-6*time.Minute) + "000000000" }, "timestamp"},
		"too many digits":         {func(r *hmacRequest) { r.stamp += "12345678901234567890" }, "timestamp"},
	} {
		t.Run(name, func(t *testing.T) {
			w := w
			w.t = t
			r := w.request("GET", "/balance")
			c.change(&r)
			if c.reason == "" {
				w.sign(r).ok()
				return
			}
			w.sign(r).refused(http.StatusUnauthorized, c.reason)
		})
	}
}

// The known answer that the service itself published is accepted.
func TestHMACVector(t *testing.T) {
	data, err := os.ReadFile("../testdata/vectors.json")
	require.NoError(t, err)
	file := answer{t: t, Body: data}
	require.NoError(t, jsonUnmarshal(data, &file.value))
	stamp := time.Unix(1644848012, 0)
	s, err := sandbox.New(sandbox.WithHMACKey("key", file.at("hmac_secret")), sandbox.WithClock(func() time.Time { return stamp }))
	require.NoError(t, err)
	req := httptest.NewRequest(file.at("hmac.0.method"), file.at("hmac.0.url"), nil)
	req.Header.Set("qredo-api-key", "key")
	req.Header.Set("qredo-api-ts", file.at("hmac.0.stamp"))
	req.Header.Set("qredo-api-sig", file.at("hmac.0.qredo_api_sig"))
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, req)
	readAnswer(t, rec.Result()).ok()
}

func TestHMACPermissions(t *testing.T) {
	operations := []string{
		"GET /account", "GET /balance", "GET /funds", "GET /funds/x", "GET /funds/x/ledger", "GET /trustedparties", "GET /wallet/x/history",
		"GET /wallets/x/history",
		"POST /transaction", "GET /transactions/feed", "GET /transactions/x/approvals", "GET /transactions/x/status",
	}
	all := strings.Repeat("+", len(operations))
	for allowed, permissions := range map[string][]sandbox.Permission{
		all:            {},
		"-+----------": {sandbox.PermissionBalance},
		"++++++++-+++": {sandbox.PermissionRead},
		"--------++++": {sandbox.PermissionWeb3},
		"-+------++++": {sandbox.PermissionBalance, sandbox.PermissionWeb3},
	} {
		w := newWorld(t, withReportsKey(permissions...))
		got := ""
		for _, operation := range operations {
			method, path, _ := strings.Cut(operation, " ")
			if a := w.sign(w.request(method, path)); a.Status == http.StatusForbidden {
				a.refused(http.StatusForbidden, "insufficient privileges")
				got += "-"
			} else {
				require.NotEqual(t, http.StatusUnauthorized, a.Status)
				got += "+"
			}
		}
		assert.Equal(t, allowed, got, "%v", permissions)
	}
}

func TestQAPIPaths(t *testing.T) {
	w := newWorld(t, withReportsKey())
	w.sign(w.request("GET", "/nothing")).refused(http.StatusNotFound, "path")
	w.sign(w.request("GET", "/wallets/x/history")).refused(http.StatusNotFound, "no such wallet")
	w.sign(w.request("DELETE", "/balance")).refused(http.StatusMethodNotAllowed, "no operation")
	w.sign(w.request("GET", "/transactions/feed")).refused(http.StatusUpgradeRequired, "WebSocket")
	// A key of one API is none of the other's.
	w.as("reports").get("/assets").refused(http.StatusUnauthorized, "api key")
	r := w.request("GET", "/balance")
	r.key = "own"
	w.sign(r).refused(http.StatusUnauthorized, "api key")
}

func TestHMACKeyOptions(t *testing.T) {
	for name, option := range map[string]sandbox.Option{
		"no key": sandbox.WithHMACKey("", "c2VjcmV0"), "no secret": sandbox.WithHMACKey("k", ""), "not base64": sandbox.WithHMACKey("k", "?"),
		"no such permission": sandbox.WithHMACKey("k", "c2VjcmV0", "admin"),
	} {
		_, err := sandbox.New(option)
		require.Error(t, err, name)
	}
}

// The folder of keys has that of this API too, and a later sandbox the same.
func TestHMACKeyDir(t *testing.T) {
	dir := t.TempDir()
	url := qapiHost + "/qapi/v1/balance"
	ask := func(auth *qredo.HMACAuth, s *sandbox.Sandbox) int {
		req := httptest.NewRequest("GET", url, nil)
		require.NoError(t, auth.Authenticate(req, nil, time.Now()))
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, req)
		return rec.Code
	}
	first, err := sandbox.New(sandbox.WithKeyDir(dir))
	require.NoError(t, err)
	second, err := sandbox.New(sandbox.WithKeyDir(dir))
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, ask(first.HMACAuth(), second))
	other, err := sandbox.New()
	require.NoError(t, err)
	assert.Equal(t, http.StatusUnauthorized, ask(first.HMACAuth(), other))

	for _, name := range []string{"qapi-apikey", "qapi-secret"} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
	key, err := os.ReadFile(filepath.Join(dir, "qapi-apikey"))
	require.NoError(t, err)
	secret, err := os.ReadFile(filepath.Join(dir, "qapi-secret"))
	require.NoError(t, err)
	auth, err := qredo.NewHMACAuth(string(key), string(bytes.TrimSpace(secret)))
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, ask(auth, second))
	require.NoError(t, os.Remove(filepath.Join(dir, "qapi-secret")))
	_, err = sandbox.New(sandbox.WithKeyDir(dir))
	require.ErrorContains(t, err, "qapi-secret")
}

// What a shell makes of the sandbox's secret is right, whichever alphabet of base64 it decodes by.
func TestHMACByShell(t *testing.T) {
	for _, program := range []string{"sh", "openssl", "basenc", "od"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s here", program)
		}
	}
	dir := t.TempDir()
	s, err := sandbox.New(sandbox.WithKeyDir(dir))
	require.NoError(t, err)
	url, stamp := qapiHost+"/qapi/v1/balance", fmt.Sprint(time.Now().Unix())
	for _, decode := range []string{"basenc --base64 -d", "basenc --base64url -d", "openssl base64 -d -A"} {
		script := `key=$(tr -d '\n' < "$1/qapi-secret" | ` + decode + ` | od -An -v -tx1 | tr -d ' \n')
			printf '%sGET%s' "$2" "$3" | openssl dgst -sha256 -mac HMAC -macopt hexkey:$key -binary | basenc --base64url | tr -d '='`
		signature, err := exec.CommandContext(t.Context(), "sh", "-c", script, "sh", dir, stamp, url).Output()
		require.NoError(t, err, decode)
		key, err := os.ReadFile(filepath.Join(dir, "qapi-apikey"))
		require.NoError(t, err)
		req := httptest.NewRequest("GET", url, nil)
		req.Header.Set("qredo-api-key", strings.TrimSpace(string(key)))
		req.Header.Set("qredo-api-ts", stamp)
		req.Header.Set("qredo-api-sig", strings.TrimSpace(string(signature)))
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, req)
		readAnswer(t, rec.Result()).ok()
	}
}

// Behind a proxy or under the service's own name, clients sign for that URL.
func TestHMACPublicURL(t *testing.T) {
	w := newWorld(t, withReportsKey(), sandbox.WithPublicURL("https://api.qredo.network/qapi/v1"))
	r := w.request("GET", "/balance")
	r.signedURL = "https://api.qredo.network/qapi/v1/balance"
	w.sign(r).ok()
	r.signedURL = "https://api.qredo.network/qapi/v1/funds"
	w.sign(r).refused(http.StatusUnauthorized, "signature")
}

// Some clients leave the scheme's own port out of the Host header though the URL has it.
func TestHMACOwnPort(t *testing.T) {
	w := newWorld(t, withReportsKey())
	r := w.request("GET", "/balance")
	for port, status := range map[string]int{"": 200, ":80": 200, ":443": 401, ":8080": 401} {
		r.signedURL = "http://sandbox.example" + port + "/qapi/v1/balance"
		assert.Equal(t, status, w.sign(r).Status, port)
	}
}
