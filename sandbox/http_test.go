package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBadBodiesAreRefused(t *testing.T) {
	w := newWorld(t)
	writes := map[string]string{
		"company": "/company", "trusted party": w.inCompany("/trustedparty"), "fund": w.inCompany("/fund"),
		"wallets": w.inFund("/wallet"), "assets": w.inFund("/asset"), "whitelist": w.inFund("/whitelist"),
		"transfer": w.inCompany("/transfer"), "withdrawal": w.inCompany("/withdraw"), "fees": "/fees",
	}
	bodies := map[string]string{
		"none": "", "white space": " \n", "cut": `{"name":"Acme"`, "two values": `{"name":"Acme"} {}`, "not JSON": "name=Acme",
		"a list": `[{"name":"Acme"}]`, "a text": `"Acme"`, "a number": "1", "null": "null", "empty object": "{}",
		"nested wrongly": `{"name":{"x":1},"address":[],"wallets":[1],"assets":{},"send":[],"wallet_id":{},"asset":{}}`,
		"deep":           strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000),
		"over the limit": `{"name":"` + strings.Repeat("a", 1<<20) + `"}`,
	}
	for write, path := range writes {
		for name, body := range bodies {
			t.Run(write+", "+name, func(t *testing.T) {
				w.post(path, body).refused(http.StatusBadRequest, "")
			})
		}
	}
	t.Run("a body of the very limit is taken", func(t *testing.T) {
		head, tail := `{"name":"Long","ref":"`, `"}`
		w.post("/company", head+strings.Repeat("a", 1<<20-len(head)-len(tail))+tail).ok()
	})
}

func TestPathsAndMethodsThatAreNot(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		method, path string
		status       int
	}{
		{"GET", "", 404}, {"GET", "/", 404}, {"GET", "/nothing", 404}, {"GET", "/assets//", 404}, {"GET", "/wallet/", 404},
		{"GET", "//assets", 404}, {"GET", "/ASSETS", 404}, {"GET", "s", 404}, {"GET", w.inCompany("/fund//"), 404},
		{"GET", w.inCompany("/nothing"), 404}, {"GET", "/company/", 405}, {"GET", w.inCompany("/fund/"), 405},
		{"POST", "/assets", 405}, {"GET", "/fees", 405}, {"GET", "/company", 405}, {"DELETE", w.inCompany(""), 405},
		{"PATCH", w.inCompany(""), 405}, {"PUT", w.inFund("/whitelist"), 405}, {"HEAD", "/assets", 405}, {"OPTIONS", "/assets", 405},
		{"DELETE", "/company/search", 405},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.path, func(t *testing.T) { w.call(test.method, test.path, nil).refused(test.status, "") })
	}
	t.Run("outside of the base path", func(t *testing.T) {
		for _, path := range []string{"/", "/api/v1/assets", "/api/v2/p/assets", "/favicon.ico", "/api/v1/passets", "/qapi/v2/p/assets"} {
			w.send(httptest.NewRequest("GET", "http://sandbox.example"+path, nil)).refused(404, "path")
		}
		w.send(httptest.NewRequest("GET", "http://sandbox.example/assets", nil)).
			refused(404, "no such path: check that the base URL ends with /api/v1/p, or /qapi/v1 for Qredo API v1")
		w.send(httptest.NewRequest("GET", "http://sandbox.example/api/v1/p/nothing", nil)).refused(404, "no such path")
	})
	t.Run("without a key, nothing can be learnt about paths", func(t *testing.T) {
		w.as("").get("/nothing").refused(401, "empty token")
		w.as("nobody").call("PATCH", "/assets", nil).refused(401, "api key")
	})
}

func TestSuccessesAreJSON(t *testing.T) {
	got := newService(t).get("/assets")
	assert.Equal(t, http.StatusOK, got.Status)
	assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
	assert.NotZero(t, got.count("assets"))
}

func TestPathsAreReadWithTheirEscapes(t *testing.T) {
	w := newWorld(t)
	escaped := strings.Replace(w.company, w.company[:1], "%"+hexOf(w.company[0]), 1)
	assert.Equal(t, w.company, w.get("/company/"+escaped).ok().at("company_id"))
	w.get("/company/"+w.company+"%2Ffund").refused(404, "company")
	w.get("/company/..%2F"+w.company).refused(404, "company")
}

func hexOf(c byte) string {
	const digits = "0123456789ABCDEF"
	return string([]byte{digits[c>>4], digits[c&15]})
}
