package sandbox_test

import (
	"context"
	"crypto/fips140"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/sandbox"
)

// startTLS serves HTTPS, with a fake clock and a registered key.
func startTLS(t *testing.T, dir string, opts ...sandbox.Option) *sandbox.Server {
	t.Helper()
	noLeaks(t)
	srv, err := sandbox.Start(append([]sandbox.Option{
		sandbox.WithTLS(dir), sandbox.WithClock(newClock().Now), sandbox.WithKey("own", &ownKey().PublicKey),
	}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, srv.Close()) })
	return srv
}

// trusting is a client that trusts what is in a folder's ca.pem, and nothing else. It finds any host at the
// server, as a hosts entry makes it.
func trusting(t *testing.T, dir string, srv *sandbox.Server) *http.Client {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(data))
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(srv.URL(), "https://"))
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// failing is why a request gets no answer.
func failing(t *testing.T, client *http.Client, s signed) error {
	t.Helper()
	resp, err := client.Do(s.request(t))
	if err == nil {
		_ = resp.Body.Close()
	}
	return err
}

func TestTLS(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "if need be")
	srv := startTLS(t, dir)
	require.True(t, strings.HasPrefix(srv.URL(), "https://127.0.0.1:"), srv.URL())
	for _, name := range []string{"ca.pem", "ca-key.pem"} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
	newSigned(t, startOfTime, "GET", srv.BaseURL()+"/assets", "").send(t, trusting(t, dir, srv)).ok()
	_, err := srv.Client().Assets.List(t.Context())
	require.NoError(t, err, "its own client trusts it")
	_, err = srv.QAPIClient().Account.Get(t.Context())
	require.NoError(t, err, "and so does that of the other API")

	t.Run("a client that does not trust its authority", func(t *testing.T) {
		for name, roots := range map[string]*x509.CertPool{"the machine's": nil, "none": x509.NewCertPool()} {
			client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
			err := failing(t, client, newSigned(t, startOfTime, "GET", srv.BaseURL()+"/assets", ""))
			var unknown x509.UnknownAuthorityError
			require.ErrorAs(t, err, &unknown, name)
		}
	})
	t.Run("a client with an old TLS", func(t *testing.T) {
		if fips140.Enabled() {
			t.Skip("with FIPS 140 there is no client with TLS 1.1")
		}
		client := trusting(t, dir, srv)
		config := client.Transport.(*http.Transport).TLSClientConfig
		config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		err := failing(t, client, newSigned(t, startOfTime, "GET", srv.BaseURL()+"/assets", ""))
		require.ErrorContains(t, err, "protocol version")
	})
	t.Run("a client without TLS", func(t *testing.T) {
		url := strings.Replace(srv.BaseURL(), "https://", "http://", 1) + "/assets"
		got := newSigned(t, startOfTime, "GET", url, "").send(t, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}})
		assert.Equal(t, http.StatusBadRequest, got.Status)
	})
}

func TestTLSCertificateHasTheServicesHosts(t *testing.T) {
	dir := t.TempDir()
	srv := startTLS(t, dir, sandbox.WithPublicURL("https://custody.example:8443/qredo"), sandbox.WithPublicURL("https://192.0.2.1/p"))
	client := trusting(t, dir, srv)
	for host, want := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "[::1]": true, "api.qredo.network": true, "sandbox-api.qredo.network": true,
		"play-api.qredo.network": true, "custody.example": true, "192.0.2.1": true,
		"qredo.network": false, "other.qredo.network": false, "example.com": false, "192.0.2.2": false,
	} {
		t.Run(host, func(t *testing.T) {
			req := newSigned(t, startOfTime, "GET", "https://"+host+basePath+"/assets", "")
			if !want {
				var wrong x509.HostnameError
				require.ErrorAs(t, failing(t, client, req), &wrong)
				return
			}
			req.send(t, client).ok() // the URL that was signed is the one asked for
		})
	}
}

func TestTLSFoldersThatCannotBeUsed(t *testing.T) {
	noLeaks(t)
	whole := t.TempDir()
	require.NoError(t, startTLS(t, whole).Close())
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(whole, name))
		require.NoError(t, err)
		return data
	}
	ca, key := read("ca.pem"), read("ca-key.pem")
	for name, files := range map[string]map[string][]byte{
		"the certificate is cut": {"ca.pem": ca[:len(ca)/2], "ca-key.pem": key},
		"it is empty":            {"ca.pem": {}, "ca-key.pem": key},
		"the key is cut":         {"ca.pem": ca, "ca-key.pem": key[:len(key)/2]},
		"the key is missing":     {"ca.pem": ca},
		"the key is alone":       {"ca-key.pem": key},
		"the key is another's":   {"ca.pem": ca, "ca-key.pem": otherECKey(t)},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for name, data := range files {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
			}
			store := t.TempDir()
			_, err := sandbox.Start(sandbox.WithTLS(dir), sandbox.WithStore(store))
			require.ErrorContains(t, err, "certificate authority")
			srv, err := sandbox.Start(sandbox.WithStore(store)) // which was let go
			require.NoError(t, err)
			require.NoError(t, srv.Close())
		})
	}
	t.Run("it is a file", func(t *testing.T) {
		_, err := sandbox.Start(sandbox.WithTLS(filepath.Join(whole, "ca.pem")))
		require.Error(t, err)
	})
	_, err := sandbox.New(sandbox.WithTLS(""))
	require.ErrorContains(t, err, "folder")
}

// otherECKey is a key in the form of the authority's that is not the authority's.
func otherECKey(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, startTLS(t, dir).Close())
	data, err := os.ReadFile(filepath.Join(dir, "ca-key.pem"))
	require.NoError(t, err)
	return data
}

func TestPublicURL(t *testing.T) {
	const public = "https://api.qredo.network/api/v1/p"
	l := listen(t, sandbox.WithPublicURL(public), sandbox.WithPublicURL("http://gateway.example:81/custody/"), sandbox.WithPublicURL("https://Proxy.Example"))
	const body = `{"name":"Acme","ref":"r"}`
	for name, test := range map[string]struct {
		signedURL string
		taken     bool
	}{
		"the URL that was asked for":    {l.url("/company"), true},
		"the service's":                 {public + "/company", true},
		"another public one":            {"http://gateway.example:81/custody/company", true},
		"as it is given":                {"https://Proxy.Example/company", true},
		"a host in small letters":       {"https://proxy.example/company", true},
		"the service's, over http":      {"http://api.qredo.network/api/v1/p/company", false},
		"the service's with a port":     {"https://api.qredo.network:443/api/v1/p/company", false},
		"the service's, another path":   {public + "/company2", false},
		"the service's, with a query":   {public + "/company?x=1", false},
		"a host that is not public":     {"https://sandbox-api.qredo.network/api/v1/p/company", false},
		"a host that begins like one":   {"https://api.qredo.network.example/api/v1/p/company", false},
		"a public host, the other path": {"http://gateway.example:81/api/v1/p/company", false},
		"the path alone":                {basePath + "/company", false},
	} {
		t.Run(name, func(t *testing.T) {
			req := newSigned(t, startOfTime, "POST", test.signedURL, body)
			req.url = l.url("/company")
			if got := req.send(t, l.Client()); test.taken {
				assert.NotEqual(t, http.StatusUnauthorized, got.Status)
			} else {
				got.refused(401, "signature")
			}
		})
	}
	t.Run("with its query", func(t *testing.T) {
		req := newSigned(t, startOfTime, "GET", public+"/company/search?query=acme&at=/api/v1/p/x", "")
		req.url = l.url("/company/search?query=acme&at=/api/v1/p/x")
		req.send(t, l.Client()).ok()
	})
	t.Run("nothing corresponds to what lies below no base", func(t *testing.T) {
		req := newSigned(t, l.clock.Now(), "GET", public+strings.TrimPrefix(l.URL, "http://")+"/nothing", "")
		req.url = l.URL + "/nothing"
		req.send(t, l.Client()).refused(401, "signature")
	})
	t.Run("another's key does not help", func(t *testing.T) {
		req := newSigned(t, startOfTime, "GET", public+"/assets", "")
		req.url, req.header["X-API-KEY"] = l.url("/assets"), "second"
		req.send(t, l.Client()).refused(401, "signature")
	})
	t.Run("a nonce is used up for all URLs", func(t *testing.T) {
		req := newNonced(t, "1", public+"/assets")
		req.url = l.url("/assets")
		req.send(t, l.Client()).ok()
		newNonced(t, "1", l.url("/assets")).send(t, l.Client()).refused(401, "nonce")
	})
	t.Run("feeds in their own scheme", func(t *testing.T) {
		t.Cleanup(func() { _ = l.sandbox.Close() })
		f := fed{market: market{world: world{service: service{t: t, Sandbox: l.sandbox, clock: l.clock}}}, srv: l.Server}
		for url, want := range map[string]int{"wss://api.qredo.network/api/v1/p/wallets/feed": 101, public + "/wallets/feed": 401} {
			_, status, _ := f.dial("/wallets/feed", newSigned(t, startOfTime, "GET", url, "").header)
			assert.Equal(t, want, status, url)
		}
	})
	for _, bad := range []string{"", "api.qredo.network", "/api/v1/p", "https://", "https://a/p?x=1", "https://a/p#x", "://", "https://a b"} {
		_, err := sandbox.New(sandbox.WithPublicURL(bad))
		require.Error(t, err, bad)
	}
}

func TestHTTP2OverTLS(t *testing.T) {
	dir := t.TempDir()
	srv := startTLS(t, dir)
	for _, offered := range []bool{false, true} {
		client := trusting(t, dir, srv)
		client.Transport.(*http.Transport).ForceAttemptHTTP2 = offered
		resp, err := client.Do(newSigned(t, startOfTime, "GET", srv.BaseURL()+"/assets", "").request(t))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		assert.Equal(t, map[bool]int{false: 1, true: 2}[offered], resp.ProtoMajor)
	}
}

// A connection over HTTP/2 that has gone silent is left within seconds by the server and by its own clients.
func TestSilentConnectionsAreLeft(t *testing.T) {
	for name, call := range map[string]func(ctx context.Context, srv *sandbox.Server) error{
		"a client":    func(ctx context.Context, srv *sandbox.Server) error { return of(srv.Client().Assets.List(ctx)) },
		"one of qapi": func(ctx context.Context, srv *sandbox.Server) error { return of(srv.QAPIClient().Account.Get(ctx)) },
	} {
		t.Run(name, func(t *testing.T) {
			clienttest.Bubble(t, func(t *testing.T) {
				relay := clienttest.NewRelay(t)
				relay.BecomeDefault(t, nil)
				box, err := sandbox.New(sandbox.WithTLS(t.TempDir()))
				require.NoError(t, err)
				srv, err := sandbox.Serve(box, relay)
				require.NoError(t, err)
				require.NoError(t, call(t.Context(), srv))
				relay.Hush()
				hushed := time.Now()
				assert.Less(t, (<-relay.ServerLeft).Sub(hushed), 10*time.Second)
				assert.Less(t, (<-relay.ClientLeft).Sub(hushed), 10*time.Second)
				require.NoError(t, srv.Close())
			})
		})
	}
}

// of is the error of a call, whatever it returns besides.
func of[T any](_ T, err error) error { return err }
