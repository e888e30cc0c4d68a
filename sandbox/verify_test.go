package sandbox_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

// signature is the contract's x-sign, made with nothing but crypto/rsa.
func signature(t testing.TB, key *rsa.PrivateKey, stamp, url, body string) string {
	t.Helper()
	digest := sha256.Sum256([]byte(stamp + url + body))
	raw, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	require.NoError(t, err)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// signed is a request as a foreign client makes it. Tests change parts of it after it was signed.
type signed struct {
	method, url, body string
	host              string // of the Host header, if not the URL's
	header            map[string]string
}

// newSigned makes a request stamped with the moment now.
func newSigned(t testing.TB, now time.Time, method, url, body string) signed {
	t.Helper()
	stamp := strconv.FormatInt(now.Unix(), 10)
	return signed{method: method, url: url, body: body, header: map[string]string{
		"X-API-KEY": "own", "x-timestamp": stamp, "x-sign": signature(t, ownKey(), stamp, url, body),
	}}
}

// newNonced makes a request with a nonce.
func newNonced(t testing.TB, nonce, url string) signed {
	t.Helper()
	return signed{method: "GET", url: url, header: map[string]string{
		"X-API-KEY": "own", "x-nonce": nonce, "x-sign": signature(t, ownKey(), nonce, url, ""),
	}}
}

func (s signed) request(t testing.TB) *http.Request {
	t.Helper()
	req, err := http.NewRequest(s.method, s.url, bytes.NewReader([]byte(s.body)))
	require.NoError(t, err)
	for name, value := range s.header {
		req.Header[name] = []string{value} // as it is spelled
	}
	if s.host != "" {
		req.Host = s.host
	}
	return req
}

func (s signed) send(t testing.TB, client *http.Client) answer {
	t.Helper()
	resp, err := client.Do(s.request(t))
	require.NoError(t, err)
	return readAnswer(t, resp)
}

// listening is a sandbox that demands signatures, on a real socket.
type listening struct {
	*httptest.Server
	sandbox *sandbox.Sandbox
	clock   *clock
}

func listen(t testing.TB, opts ...sandbox.Option) listening {
	t.Helper()
	c := newClock()
	all := append([]sandbox.Option{
		sandbox.WithClock(c.Now),
		sandbox.WithKey("own", &ownKey().PublicKey), sandbox.WithKey("second", &otherKey().PublicKey),
	}, opts...)
	s, err := sandbox.New(all...)
	require.NoError(t, err)
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return listening{srv, s, c}
}

func (l listening) url(path string) string { return l.URL + basePath + path }

// unsignedMsg is the msg of a request that cannot be verified.
const unsignedMsg = "errPartnerAuth"

func TestRightSignatureIsTaken(t *testing.T) {
	l := listen(t)
	newSigned(t, l.clock.Now(), "GET", l.url("/assets"), "").send(t, l.Client()).ok()
	body := `{ "name":"Acme",  "ref":"ü" }`
	newSigned(t, l.clock.Now(), "POST", l.url("/company"), body).send(t, l.Client()).ok()

	t.Run("over TLS, where the scheme is https", func(t *testing.T) {
		srv := httptest.NewTLSServer(l.sandbox)
		defer srv.Close()
		req := newSigned(t, l.clock.Now(), "GET", srv.URL+basePath+"/assets", "")
		require.True(t, strings.HasPrefix(req.url, "https://"))
		req.send(t, srv.Client()).ok()
	})
	t.Run("for the host that was asked for", func(t *testing.T) {
		req := newSigned(t, l.clock.Now(), "GET", "http://sandbox-api.qredo.network"+basePath+"/assets", "")
		req.url, req.host = l.url("/assets"), "sandbox-api.qredo.network"
		req.send(t, l.Client()).ok()
	})
	for name, newRequest := range map[string]func(s signed) *http.Request{
		"recorder, request as a server reads it": func(s signed) *http.Request {
			return withHeader(httptest.NewRequest(s.method, s.url, strings.NewReader(s.body)), s)
		},
		"recorder, request without any body": func(s signed) *http.Request {
			req, err := http.NewRequest(s.method, s.url, nil)
			require.NoError(t, err)
			return withHeader(req, s)
		},
	} {
		t.Run(name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			l.sandbox.ServeHTTP(rec, newRequest(newSigned(t, l.clock.Now(), "GET", "http://any.example"+basePath+"/company/search?query=acm&x=%41", "")))
			readAnswer(t, rec.Result()).ok()
		})
	}
}

func withHeader(req *http.Request, s signed) *http.Request {
	for name, value := range s.header {
		req.Header.Set(name, value)
	}
	return req
}

func TestWhatWasChangedAfterSigningIsRefused(t *testing.T) {
	l := listen(t)
	const body = `{"name":"Acme","ref":"r1"}`
	search := "/company/search?query=acme&page=1"
	stampOff := func(by int64) func(*signed) {
		return func(s *signed) { s.header["x-timestamp"] = strconv.FormatInt(startOfTime.Unix()+by, 10) }
	}
	tests := map[string]struct {
		method, path, body string
		change             func(s *signed)
	}{
		"one byte of the body":     {"POST", "/company", body, func(s *signed) { s.body = strings.Replace(body, "r1", "r2", 1) }},
		"white space in the body":  {"POST", "/company", body, func(s *signed) { s.body = body + "\n" }},
		"no body":                  {"POST", "/company", body, func(s *signed) { s.body = "" }},
		"a body to a GET":          {"GET", "/assets", "", func(s *signed) { s.body = "{}" }},
		"path":                     {"GET", "/company/1111", "", func(s *signed) { s.url = l.url("/company/1112") }},
		"slash at the end":         {"GET", "/assets", "", func(s *signed) { s.url += "/" }},
		"value in the query":       {"GET", search, "", func(s *signed) { s.url = l.url("/company/search?query=acmf&page=1") }},
		"order of the query":       {"GET", search, "", func(s *signed) { s.url = l.url("/company/search?page=1&query=acme") }},
		"query dropped":            {"GET", search, "", func(s *signed) { s.url = l.url("/company/search") }},
		"query added":              {"GET", "/assets", "", func(s *signed) { s.url += "?a=1" }},
		"a lone question mark":     {"GET", "/assets", "", func(s *signed) { s.url += "?" }},
		"spelling of an escape":    {"GET", "/company/search?query=a%2fb", "", func(s *signed) { s.url = l.url("/company/search?query=a%2Fb") }},
		"escape instead of plus":   {"GET", "/company/search?query=a+b", "", func(s *signed) { s.url = l.url("/company/search?query=a%20b") }},
		"escape in the path":       {"GET", "/company/abc", "", func(s *signed) { s.url = l.url("/company/%61bc") }},
		"host":                     {"GET", "/assets", "", func(s *signed) { s.host = "localhost" }},
		"port":                     {"GET", "/assets", "", func(s *signed) { s.host = "127.0.0.1" }},
		"stamp, a second later":    {"GET", "/assets", "", stampOff(1)},
		"stamp, a second earlier":  {"GET", "/assets", "", stampOff(-1)},
		"stamp spelled otherwise":  {"GET", "/assets", "", func(s *signed) { s.header["x-timestamp"] = "0" + s.header["x-timestamp"] }},
		"stamp given as the nonce": {"GET", "/assets", "", func(s *signed) { delete(s.header, "x-timestamp"); s.header["x-nonce"] = "7" }},
		"another key's name":       {"GET", "/assets", "", func(s *signed) { s.header["X-API-KEY"] = "second" }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			req := newSigned(t, startOfTime, test.method, l.url(test.path), test.body)
			test.change(&req)
			got := req.send(t, l.Client())
			assert.Equal(t, http.StatusUnauthorized, got.Status)
			assert.JSONEq(t, `{"code":401,"msg":"errPartnerAuth","detail":{"reason":"signature"}}`, string(got.Body))
		})
	}
	t.Run("scheme", func(t *testing.T) {
		req := newSigned(t, startOfTime, "GET", strings.Replace(l.url("/assets"), "http:", "https:", 1), "")
		req.url = l.url("/assets")
		req.send(t, l.Client()).refused(401, "signature")
	})
	t.Run("the method is not part of what is signed", func(t *testing.T) {
		req := newSigned(t, startOfTime, "GET", l.url("/assets"), "")
		req.method = "DELETE"
		assert.Equal(t, http.StatusMethodNotAllowed, req.send(t, l.Client()).Status)
	})
	state, err := l.sandbox.State()
	require.NoError(t, err)
	assert.Empty(t, state.Companies, "a refused request changes nothing")
}

func TestQueryAndPathAreVerifiedAsTheyWereSent(t *testing.T) {
	l := listen(t)
	for _, path := range []string{
		"/company/search?query=acme&b=2&a=1", "/company/search?a=1&query=acme", "/company/search?query=ac+me",
		"/company/search?query=ac%20me", "/company/search?query=%c3%bcber", "/company/search?query=%C3%BCber&&x",
		"/company/search?query=acme#", "/assets?", "/assets?x=~!*'()", "/%61ssets",
	} {
		t.Run(path, func(t *testing.T) {
			req := newSigned(t, startOfTime, "GET", l.url(strings.TrimSuffix(path, "#")), "")
			got := req.send(t, l.Client())
			assert.NotEqual(t, http.StatusUnauthorized, got.Status, "%s", got.Body)
		})
	}
}

func TestWrongSignaturesAreRefused(t *testing.T) {
	l := listen(t)
	url := l.url("/assets")
	stamp := strconv.FormatInt(startOfTime.Unix(), 10)
	right := signature(t, ownKey(), stamp, url, "")
	raw, err := base64.RawURLEncoding.DecodeString(right)
	require.NoError(t, err)
	flipped := append([]byte(nil), raw...)
	flipped[len(flipped)-1] ^= 1
	last := right[:len(right)-1] + string(right[len(right)-1]+1)
	digest := sha256.Sum256([]byte(stamp + url))
	pss, err := rsa.SignPSS(rand.Reader, ownKey(), crypto.SHA256, digest[:], nil)
	require.NoError(t, err)
	twice := sha256.Sum256(digest[:])
	overDigest, err := rsa.SignPKCS1v15(rand.Reader, ownKey(), crypto.SHA256, twice[:])
	require.NoError(t, err)
	for name, sign := range map[string]string{
		"none":                       "",
		"garbage":                    "garbage!",
		"base64 of nothing":          "AAAA",
		"padded":                     base64.URLEncoding.EncodeToString(raw),
		"not for URLs, with padding": base64.StdEncoding.EncodeToString(raw),
		"hex":                        strings.Repeat("ab", 256),
		"one bit changed":            base64.RawURLEncoding.EncodeToString(flipped),
		"last letter changed":        last,
		"shortened":                  right[:len(right)-4],
		"lengthened":                 right + "AAAA",
		"of another key":             signature(t, otherKey(), stamp, url, ""),
		"PSS":                        base64.RawURLEncoding.EncodeToString(pss),
		"over the digest of the digest, which the words of the contract could be taken for": base64.RawURLEncoding.EncodeToString(overDigest),
	} {
		t.Run(name, func(t *testing.T) {
			req := newSigned(t, startOfTime, "GET", url, "")
			req.header["x-sign"] = sign
			req.send(t, l.Client()).refused(401, "signature")
		})
	}
}
