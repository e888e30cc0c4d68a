package sandbox_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

// otherPath is where the hosted sandbox had the Partner API too.
const otherPath = "/qapi/v1/p"

// ask sends a signed request for a path of the server.
func (l listening) ask(t *testing.T, method, path, body string) answer {
	t.Helper()
	return newSigned(t, l.clock.Now(), method, l.URL+path, body).send(t, l.Client())
}

func TestTheOtherBasePath(t *testing.T) {
	l := listen(t)
	made := l.ask(t, "POST", otherPath+"/company", `{"name":"Acme"}`).ok().at("company_id")
	assert.Equal(t, "Acme", l.ask(t, "GET", basePath+"/company/"+made, "").ok().at("name"), "both bases are one API")
	for _, base := range []string{basePath, otherPath} {
		made := l.ask(t, "POST", base+"/coreclient", `{"name":"Approver"}`).ok()
		assert.Equal(t, "ws"+strings.TrimPrefix(l.URL, "http")+base+"/coreclient/"+made.at("id")+"/feed", made.at("feed"))
		l.ask(t, "GET", base+"/nothing", "").refused(404, "path")
	}
	t.Run("a signature over the other base's URL is none", func(t *testing.T) {
		req := newSigned(t, l.clock.Now(), "GET", l.URL+basePath+"/assets", "")
		req.url = l.URL + otherPath + "/assets"
		req.send(t, l.Client()).refused(401, "signature")
	})
	t.Run("a path that only begins like it is Qredo API v1's", func(t *testing.T) {
		newSigned(t, l.clock.Now(), "GET", l.URL+"/qapi/v1/people", "").send(t, l.Client()).refused(401, "empty token")
	})
	t.Run("as a public URL", func(t *testing.T) {
		const public = "https://sandbox-api.qredo.network" + otherPath
		l := listen(t, sandbox.WithPublicURL(public))
		req := newSigned(t, l.clock.Now(), "GET", public+"/assets", "")
		for _, base := range []string{basePath, otherPath} {
			req.url = l.URL + base + "/assets"
			req.send(t, l.Client()).ok()
		}
	})
	t.Run("explained", func(t *testing.T) {
		const url = "http://127.0.0.1:1" + otherPath + "/assets"
		for signedURL, part := range map[string]string{
			url:                                    "",
			"/assets":                              "the path below the base URL was signed, not the whole URL",
			"http://127.0.0.1:1" + otherPath + "/": "",
		} {
			req := newSigned(t, l.clock.Now(), "GET", signedURL, "")
			found, err := l.sandbox.Explain(sandbox.SignedRequest{Method: "GET", URL: url, Headers: req.header})
			require.NoError(t, err)
			assert.Equal(t, signedURL == url, found.Valid, signedURL)
			if part != "" {
				require.Len(t, found.Differences, 1)
				assert.Equal(t, part, found.Differences[0].Found)
			}
		}
	})
}

func TestASlashAtTheEndOfAPathMakesNoDifference(t *testing.T) {
	l := listen(t)
	for _, base := range []string{basePath, otherPath} {
		company := l.ask(t, "POST", base+"/company/", `{"name":"Acme at `+base+`"}`).ok().at("company_id")
		assert.Equal(t, "Acme at "+base, l.ask(t, "GET", base+"/company/"+company+"/", "").ok().at("name"))
		l.ask(t, "GET", base+"/company/search/?query=acme", "").ok()
		l.ask(t, "GET", base+"/company/"+company+"//", "").refused(404, "path")
	}
	t.Run("the URL is signed as it is sent", func(t *testing.T) {
		req := newSigned(t, l.clock.Now(), "GET", l.url("/assets"), "")
		req.url += "/"
		req.send(t, l.Client()).refused(401, "signature")
	})
	t.Run("at Qredo API v1", func(t *testing.T) {
		w := newWorld(t, withReportsKey())
		w.sign(w.request("GET", "/balance/")).ok()
		w.sign(w.request("GET", "/funds/"+w.fund+"/")).ok()
		w.sign(w.request("GET", "/")).refused(404, "path")
		w.sign(w.request("GET", "/people")).refused(404, "path")
	})
}

func TestFeedsAtEveryFormOfTheirPath(t *testing.T) {
	f := newFed(t)
	for _, path := range []string{basePath + "/wallets/feed/", otherPath + "/wallets/feed", otherPath + "/wallets/feed/"} {
		url := "ws" + strings.TrimPrefix(f.srv.URL, "http") + path
		_, status, _ := f.dialURL(url, newSigned(t, startOfTime, "GET", url, "").header)
		assert.Equal(t, 101, status, path)
		_, status, _ = f.dialURL(url, newSigned(t, startOfTime, "GET", f.url("/wallets/feed"), "").header)
		assert.Equal(t, 401, status, "signed for another form of %s", path)
	}
}

// TestUnsignedRequestsAreToldOfUnsignedMode: what a program of the hosted sandbox meets first.
func TestUnsignedRequestsAreToldOfUnsignedMode(t *testing.T) {
	l := listen(t)
	unsigned := func(s *sandbox.Sandbox, header map[string]string) answer {
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, withHeader(httptest.NewRequest("GET", l.url("/assets"), nil), signed{header: header}))
		return readAnswer(t, rec.Result())
	}
	got := unsigned(l.sandbox, map[string]string{"X-API-KEY": "own"})
	got.refused(401, "signature: ")
	got.refused(401, "--unsigned")
	assert.Equal(t, "errPartnerAuth", got.at("msg"))
	unsigned(l.sandbox, map[string]string{"X-API-KEY": "nobody"}).refused(401, "api key")
	for _, name := range []string{"x-sign", "x-timestamp", "x-nonce"} { // who signs, if wrongly, needs no other mode
		got := unsigned(l.sandbox, map[string]string{"X-API-KEY": "own", name: "1"})
		got.refused(401, "")
		assert.NotContains(t, got.at("detail.reason"), "--unsigned", name)
	}
	unsigned(listen(t, sandbox.WithUnsigned()).sandbox, map[string]string{"X-API-KEY": "own"}).ok()
}
