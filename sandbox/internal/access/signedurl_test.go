package access_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox/internal/access"
)

func TestRequestURL(t *testing.T) {
	for name, test := range map[string]struct {
		target, host, upgrade string
		secure                bool
		want                  string
	}{
		"as a server reads it":  {"/api/v1/p/assets?a=%41&b", "sandbox.example:80", "", false, "http://sandbox.example:80/api/v1/p/assets?a=%41&b"},
		"a lone question mark":  {"/assets?", "sandbox.example", "", false, "http://sandbox.example/assets?"},
		"an escape in the path": {"/%61ssets/a%2fb", "sandbox.example", "", false, "http://sandbox.example/%61ssets/a%2fb"},
		"over TLS":              {"/assets", "sandbox.example", "", true, "https://sandbox.example/assets"},
		"a feed":                {"/feed", "sandbox.example", "WebSocket", false, "ws://sandbox.example/feed"},
		"a feed over TLS":       {"/feed", "sandbox.example", "websocket", true, "wss://sandbox.example/feed"},
		"another upgrade":       {"/feed", "sandbox.example", "h2c", false, "http://sandbox.example/feed"},
		"as a proxy's client":   {"http://other.example/assets?x=1", "sandbox.example", "", false, "http://sandbox.example/assets?x=1"},
	} {
		r := httptest.NewRequest(http.MethodGet, test.target, nil)
		r.Host, r.TLS = test.host, nil
		if test.secure {
			r.TLS = &tls.ConnectionState{}
		}
		r.Header.Set("Upgrade", test.upgrade)
		assert.Equal(t, test.want, access.RequestURL(r), name)
	}
	made, err := http.NewRequest(http.MethodGet, "http://sandbox.example/assets?x=1", nil)
	require.NoError(t, err)
	assert.Equal(t, "http://sandbox.example/assets?x=1", access.RequestURL(made), "made in this process")
}

func TestSignedURLs(t *testing.T) {
	var public []*url.URL
	for _, base := range []string{"https://api.qredo.network/api/v1/p", "http://gateway.example:81/custody"} {
		u, err := url.Parse(base)
		require.NoError(t, err)
		public = append(public, u)
	}
	const base = "/api/v1/p"
	for name, test := range map[string]struct {
		asked, base string
		public      []*url.URL
		want        []string
	}{
		"with a port":          {"http://a.example:8080/api/v1/p/x", base, nil, []string{"http://a.example:8080/api/v1/p/x"}},
		"without, http":        {"http://a.example/api/v1/p/x", base, nil, []string{"http://a.example/api/v1/p/x", "http://a.example:80/api/v1/p/x"}},
		"without, https":       {"https://a.example/api/v1/p/x", base, nil, []string{"https://a.example/api/v1/p/x", "https://a.example:443/api/v1/p/x"}},
		"without, a feed's":    {"wss://a.example/api/v1/p/x", base, nil, []string{"wss://a.example/api/v1/p/x", "wss://a.example:443/api/v1/p/x"}},
		"without, its query":   {"http://a.example/x?at=b:1", "", nil, []string{"http://a.example/x?at=b:1", "http://a.example:80/x?at=b:1"}},
		"below public URLs":    {"http://a:1/api/v1/p/x?q=/api/v1/p/y", base, public, []string{"http://a:1/api/v1/p/x?q=/api/v1/p/y", "https://api.qredo.network/api/v1/p/x?q=/api/v1/p/y", "http://gateway.example:81/custody/x?q=/api/v1/p/y"}},
		"a feed below them":    {"ws://a:1/api/v1/p/feed", base, public, []string{"ws://a:1/api/v1/p/feed", "wss://api.qredo.network/api/v1/p/feed", "ws://gateway.example:81/custody/feed"}},
		"below no base":        {"http://a:1/nothing", "", public, []string{"http://a:1/nothing"}},
		"public, another base": {"http://a:1/qapi/v1/balance", "/qapi/v1", public[:1], []string{"http://a:1/qapi/v1/balance", "https://api.qredo.network/api/v1/p/balance"}},
	} {
		assert.Equal(t, test.want, access.SignedURLs(test.asked, test.base, test.public), name)
	}
}
