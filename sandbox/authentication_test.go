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

// What is answered to a request that is not let in. Which requests those are is tested beside what tells.
func TestRefusalsOfRequests(t *testing.T) {
	l := listen(t)
	unsigned := "signature: the request is not signed; with --unsigned (WithUnsigned) the sandbox takes it"
	newNonced(t, "1", l.url("/assets")).send(t, l.Client()).ok()
	for name, test := range map[string]struct {
		change      func(s *signed)
		msg, reason string
	}{
		"no key":        {func(s *signed) { delete(s.header, "X-API-KEY") }, "Unauthorized", "empty token"},
		"unknown key":   {func(s *signed) { s.header["X-API-KEY"] = "nobody" }, "errPartnerAuth", "api key"},
		"not signed":    {func(s *signed) { s.header = map[string]string{"X-API-KEY": "own"} }, "errPartnerAuth", unsigned},
		"two stamps":    {func(s *signed) { s.header["x-nonce"] = "2" }, "errPartnerAuth", "timestamp or nonce: exactly one must be given"},
		"old":           {func(s *signed) { *s = newSigned(t, startOfTime.Add(-time.Hour), "GET", s.url, "") }, "errPartnerAuth", "timestamp"},
		"wrongly so":    {func(s *signed) { s.header["x-sign"] = "AAAA" }, "errPartnerAuth", "signature"},
		"a nonce again": {func(s *signed) { *s = newNonced(t, "1", s.url) }, "errPartnerAuth", "nonce"},
	} {
		t.Run(name, func(t *testing.T) {
			req := newSigned(t, startOfTime, "GET", l.url("/assets"), "")
			test.change(&req)
			got := req.send(t, l.Client())
			assert.Equal(t, http.StatusUnauthorized, got.Status)
			assert.JSONEq(t, string(mustJSON(t, object{"code": 401, "msg": test.msg, "detail": object{"reason": test.reason}})), string(got.Body))
		})
	}
}

func TestHeadersOfKeys(t *testing.T) {
	l := listen(t)
	t.Run("white space reaches the sandbox when no connection has trimmed it", func(t *testing.T) {
		s := newService(t)
		s.as(" own\n").get("/assets").ok()
	})
	t.Run("names of headers in any case", func(t *testing.T) {
		for _, spell := range []func(string) string{strings.ToUpper, strings.ToLower, http.CanonicalHeaderKey} {
			req := newSigned(t, startOfTime, "GET", l.url("/assets"), "")
			spelled := map[string]string{}
			for name, value := range req.header {
				spelled[spell(name)] = value
			}
			req.header = spelled
			req.send(t, l.Client()).ok()
		}
	})
}

func TestStampsAndTheSandbox(t *testing.T) {
	l := listen(t)
	t.Run("a timestamp goes with the clock", func(t *testing.T) {
		l := listen(t)
		req := newSigned(t, startOfTime, "GET", l.url("/assets"), "")
		l.clock.forward(300 * time.Second)
		req.send(t, l.Client()).ok()
		l.clock.forward(time.Second)
		req.send(t, l.Client()).refused(401, "timestamp")
	})
	t.Run("what the clock was advanced by does not lock clients out", func(t *testing.T) {
		l := listen(t)
		require.NoError(t, l.sandbox.Advance(24*time.Hour))
		newSigned(t, startOfTime, "GET", l.url("/assets"), "").send(t, l.Client()).ok()
	})
	t.Run("a nonce is used up by a request that is refused for its content", func(t *testing.T) {
		missing := newNonced(t, "11", l.url("/company/none"))
		missing.send(t, l.Client()).refused(404, "company")
		missing.send(t, l.Client()).refused(401, "nonce")
	})
	t.Run("nonces outlive a reset, which would open old requests to repetition", func(t *testing.T) {
		require.NoError(t, l.sandbox.Reset())
		newNonced(t, "11", l.url("/assets")).send(t, l.Client()).refused(401, "nonce")
	})
}

func TestUnsignedMode(t *testing.T) {
	for name, test := range map[string]struct {
		opts    []sandbox.Option
		allowed bool
	}{"off by default": {nil, false}, "on": {[]sandbox.Option{sandbox.WithUnsigned()}, true}} {
		t.Run(name, func(t *testing.T) {
			l := listen(t, test.opts...)
			bare := signed{method: "GET", url: l.url("/assets"), header: map[string]string{"X-API-KEY": "own"}}.send(t, l.Client())
			if test.allowed {
				bare.ok()
			} else {
				bare.refused(401, "not signed")
			}
			newSigned(t, startOfTime, "GET", l.url("/assets"), "").send(t, l.Client()).ok()
			wrong := newSigned(t, startOfTime, "GET", l.url("/assets"), "")
			wrong.header["x-sign"] = "AAAA"
			wrong.send(t, l.Client()).refused(401, "signature")
		})
	}
}
