package sandbox_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

// What else is refused is tested beside what verifies.
func TestHMACIsVerified(t *testing.T) {
	w := newWorld(t, withReportsKey())
	for name, c := range map[string]struct {
		change func(r *hmacRequest)
		reason string // of the refusal; empty for none
	}{
		"right":              {func(*hmacRequest) {}, ""},
		"another method":     {func(r *hmacRequest) { r.signedMethod = "POST" }, "signature"},
		"another secret":     {func(r *hmacRequest) { r.secret = []byte("of another key") }, "signature"},
		"another host":       {func(r *hmacRequest) { r.signedURL = "http://other.example" + r.path }, "signature"},
		"a query not signed": {func(r *hmacRequest) { r.path += "?a=1"; r.signedURL = qapiHost + "/qapi/v1/balance" }, "signature"},
		"a query signed":     {func(r *hmacRequest) { r.path += "?a=1" }, ""},
		"a body not signed":  {func(r *hmacRequest) { r.body, r.signedBody = "{}", "{ }" }, "signature"},
		"an unknown key":     {func(r *hmacRequest) { r.key = "nobody" }, "api key"},
		"no key":             {func(r *hmacRequest) { r.key = "-" }, "empty token"},
		"no timestamp":       {func(r *hmacRequest) { r.stamp = "-" }, "timestamp"},
		"nanoseconds":        {func(r *hmacRequest) { r.stamp += "123456789" }, ""},
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

// The folder of keys has that of this API too, and a later sandbox the same.
func TestHMACKeyDir(t *testing.T) {
	dir := t.TempDir()
	first, err := sandbox.New(sandbox.WithKeyDir(dir))
	require.NoError(t, err)
	second, err := sandbox.New(sandbox.WithKeyDir(dir))
	require.NoError(t, err)
	other, err := sandbox.New()
	require.NoError(t, err)
	for s, status := range map[*sandbox.Sandbox]int{first: 200, second: 200, other: 401} {
		req := httptest.NewRequest("GET", qapiHost+"/qapi/v1/balance", nil)
		require.NoError(t, first.HMACAuth().Authenticate(req, nil, time.Now()))
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, req)
		assert.Equal(t, status, rec.Code)
	}
}
