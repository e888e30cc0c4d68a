package control_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox/internal/control"
)

func TestCallsAreFoundByMethodAndPath(t *testing.T) {
	d := &diary{}
	_, err := d.ask("POST", "/people/a%2Fb%20c/remarks/%2e", "{}")
	require.NoError(t, err)
	got, err := d.ask("GET", "/remarks", "")
	require.NoError(t, err)
	assert.Equal(t, []string{"a/b c at .: "}, got)
	for _, test := range [][2]string{
		{"GET", ""}, {"GET", "/"}, {"GET", "/nothing"}, {"POST", "/remarks"}, {"DELETE", "/remarks"}, {"GET", "/clear"}, {"GET", "/remarks/"},
		{"POST", "/people//remarks/noon"}, {"GET", "x/remarks"}, {"GET", "/unserved"},
	} {
		_, err := d.ask(test[0], test[1], "")
		refusedWith(t, err, http.StatusNotFound)
	}
	assert.Len(t, d.said, 1)
}

func TestCallsAreForThisMachineOnly(t *testing.T) {
	for name, test := range map[string]struct {
		remote, host, origin string
		allowed              bool
	}{
		"loopback":                           {"127.0.0.1:40000", "127.0.0.1:8080", "", true},
		"loopback, other number":             {"127.8.9.1:40000", "127.0.0.1", "", true},
		"localhost":                          {"127.0.0.1:40000", "localhost:8080", "", true},
		"IPv6":                               {"[::1]:40000", "[::1]:8080", "", true},
		"IPv6 without a port":                {"[::1]:40000", "[::1]", "", true},
		"from another machine":               {"192.0.2.7:40000", "127.0.0.1:8080", "", false},
		"from another machine, IPv6":         {"[2001:db8::7]:40000", "[::1]:8080", "", false},
		"for another host":                   {"127.0.0.1:40000", "sandbox.example", "", false},
		"for a host that begins like one":    {"127.0.0.1:40000", "127.0.0.1.evil.example", "", false},
		"for a subdomain":                    {"127.0.0.1:40000", "localhost.evil.example:80", "", false},
		"for another machine's address":      {"127.0.0.1:40000", "192.0.2.7:8080", "", false},
		"for no host":                        {"127.0.0.1:40000", "", "", false},
		"from a page":                        {"127.0.0.1:40000", "127.0.0.1:8080", "https://evil.example", false},
		"from a page without an origin":      {"127.0.0.1:40000", "127.0.0.1:8080", "null", false},
		"from a page that this machine runs": {"127.0.0.1:40000", "127.0.0.1:8080", "http://127.0.0.1:3000", false},
		"from nowhere":                       {"", "127.0.0.1:8080", "", false},
		"over a socket":                      {"@", "127.0.0.1:8080", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/clear", nil)
			r.RemoteAddr, r.Host = test.remote, test.host
			if test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
			err := control.Gate{}.Admit(r)
			if test.allowed {
				require.NoError(t, err)
				return
			}
			refusedWith(t, err, http.StatusForbidden)
		})
	}
}

func TestCallsThatWerePassedOnAreRefused(t *testing.T) {
	for name, value := range map[string]string{
		"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "127.0.0.1", "X-Forwarded-Proto": "https", "Forwarded": "for=127.0.0.1",
		"Via": "1.1 proxy", "X-Real-IP": "127.0.0.1", "Sec-Fetch-Site": "cross-site", "sec-fetch-site": "none",
	} {
		r := httptest.NewRequest(http.MethodPost, "/clear", nil)
		r.RemoteAddr, r.Host = "127.0.0.1:40000", "127.0.0.1:8080"
		require.NoError(t, control.Gate{}.Admit(r))
		r.Header.Set(name, value)
		refusedWith(t, control.Gate{}.Admit(r), http.StatusForbidden)
	}
}
