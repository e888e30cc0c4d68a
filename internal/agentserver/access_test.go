package agentserver_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/agentserver"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// awayUntil answers 503 until a channel is closed.
func awayUntil(back chan struct{}, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-back:
			next.ServeHTTP(w, r)
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
}

// A page of another origin, and a name that was made to lead here, get nothing done.
func TestBrowsersAreKeptOut(t *testing.T) {
	a, _ := newAgent(t)
	voted := 0
	a.vote = func(context.Context, string, qredo.ActionID) error { voted++; return nil }
	c := agentserver.Default()
	c.HTTP.CORSAllowOrigins = []string{"*", "https://ours.example"}
	c.HTTP.AllowHosts = []string{"agent.internal"}
	r := start(t, c, &backend{stored: a})
	r.open()
	const path = "/api/v1/client/action/a"
	for _, headers := range [][]string{
		{"Host", "evil.example"}, {"Host", "evil.example:8007"}, {"Host", "127.0.0.1.evil.example"}, {"Host", "agent.internal.evil.example"},
		{"Origin", "https://evil.example"}, {"Origin", "null"}, {"Origin", "*"}, {"Origin", "https://ours.example.evil.example"},
	} {
		got := r.call("PUT", path, "", headers...)
		require.Equal(t, 403, got.status, headers)
		require.Empty(t, got.header.Get("Access-Control-Allow-Origin"))
	}
	require.Zero(t, voted)
	for _, headers := range [][]string{
		{}, {"Host", "localhost:1"}, {"Host", "agent.internal:8007"}, {"Host", "AGENT.internal"}, {"Host", "192.0.2.7:8007"}, {"Host", "[2001:db8::1]"},
		{"Origin", r.base}, {"Origin", "https://ours.example"},
	} {
		require.Equal(t, 200, r.call("PUT", path, "", headers...).status, headers)
	}
	require.Equal(t, 8, voted)
	got := r.call("GET", "/api/v1/client", "", "Origin", "https://ours.example")
	require.Equal(t, "https://ours.example", got.header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "true", got.header.Get("Access-Control-Allow-Credentials"))
	preflight := func(origin, method string) answer {
		return r.call("OPTIONS", path, "", "Origin", origin, "Access-Control-Request-Method", method)
	}
	require.Equal(t, 200, preflight("https://ours.example", "PUT").status)
	require.Equal(t, 405, preflight("https://ours.example", "PATCH").status)
	require.Equal(t, 403, preflight("https://evil.example", "PUT").status)
	// Not even a page that may make calls may open the feed, as ever.
	require.Equal(t, 403, r.call("GET", "/api/v1/client/feed", "", "Origin", "https://ours.example", "Connection", "Upgrade", "Upgrade", "websocket").status)
}

// Checks of load balancers name another host, or none, as HTTP/1.0 may.
func TestProbesNeedNoHost(t *testing.T) {
	a, _ := newAgent(t)
	r := start(t, agentserver.Default(), &backend{stored: a})
	r.open()
	r.waitFor("/readyz", `"ready":true`)
	for _, path := range []string{"/livez", "/readyz"} {
		require.Equal(t, 200, r.call("GET", path, "", "Host", "balancer.example").status, path)
	}
	require.Equal(t, 403, r.call("GET", "/metrics", "", "Host", "balancer.example").status)
	for _, path := range []string{"/livez", "/api/v1/client"} {
		var dialer net.Dialer
		conn, err := dialer.DialContext(clienttest.Within(t, 20*time.Second), "tcp", strings.TrimPrefix(r.base, "http://"))
		require.NoError(t, err)
		_, err = io.WriteString(conn, "GET "+path+" HTTP/1.0\r\n\r\n")
		require.NoError(t, err)
		text, err := io.ReadAll(conn)
		require.NoError(t, err)
		require.Contains(t, string(text), "200 OK", path)
		require.NoError(t, conn.Close())
	}
}

func TestToken(t *testing.T) {
	a, _ := newAgent(t)
	c := agentserver.Default()
	c.HTTP.TokenFile = filepath.Join(t.TempDir(), "token")
	r := start(t, c, &backend{stored: a})
	data, err := os.ReadFile(c.HTTP.TokenFile) // it was made
	require.NoError(t, err)
	token := strings.TrimSpace(string(data))
	require.GreaterOrEqual(t, len(token), 50)
	for _, path := range []string{"/api/v1/client", "/api/v1/healthcheck/config", "/api/v1/client/feed", "/metrics", "/none"} {
		require.Equal(t, 401, r.call("GET", path, "").status, path)
		for _, wrong := range []string{"Bearer", "Bearer ", "Bearer x", "Basic " + token, token, "Bearer " + token + "x"} {
			require.Equal(t, 401, r.call("GET", path, "", "Authorization", wrong).status)
		}
	}
	require.Equal(t, 200, r.call("GET", "/livez", "").status)
	require.NotEqual(t, 401, r.call("GET", "/readyz", "").status)
	require.Equal(t, 200, r.call("GET", "/api/v1/client", "", "Authorization", "Bearer "+token).status)
	require.Equal(t, 200, r.call("GET", "/api/v1/client", "", "Authorization", "bearer "+token, "Host", "agent.example").status)
	require.NotContains(t, r.logs.String(), token)

	again, err := agentserver.New(c, &backend{}, agentserver.Options{})
	require.NoError(t, err, "the file stays")
	require.NotNil(t, again)
	require.NoError(t, os.WriteFile(c.HTTP.TokenFile, []byte("short\n"), 0o600))
	_, err = agentserver.New(c, &backend{}, agentserver.Options{})
	require.ErrorContains(t, err, "16 characters")
	require.NotContains(t, err.Error(), "short")
	if runtime.GOOS != "windows" {
		require.NoError(t, os.Chmod(c.HTTP.TokenFile, 0o644))
		_, err = agentserver.New(c, &backend{}, agentserver.Options{})
		require.ErrorContains(t, err, "chmod 600")
	}
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	certificate, authority := clienttest.Certificate(t)
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	require.NoError(t, err)
	write := func(name string, data []byte) string {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
		return filepath.Join(dir, name)
	}
	c := agentserver.Default()
	c.HTTP.TLS = agentserver.TLS{
		Enabled: true, CertFile: write("crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})),
		KeyFile: write("key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})),
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	transport := func(certificates ...tls.Certificate) *http.Transport {
		return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: clienttest.RelayHost, Certificates: certificates}}
	}
	r := start(t, c, &backend{})
	https := strings.Replace(r.base, "http:", "https:", 1)
	got := call(t, transport(), "GET", https+"/api/v1/client", "")
	require.Contains(t, got.body, `"wss://127.0.0.1:8007/api/v1/client/feed"`)
	require.Equal(t, 400, r.call("GET", "/api/v1/client", "").status, "HTTPS only")
	require.NoError(t, r.stop())

	c.HTTP.TLS.ClientCAFile = write("ca", authority)
	r = start(t, c, &backend{})
	https = strings.Replace(r.base, "http:", "https:", 1)
	require.Equal(t, 200, call(t, transport(certificate), "GET", https+"/livez", "").status)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, https+"/livez", nil)
	require.NoError(t, err)
	res, err := transport().RoundTrip(req)
	if err == nil {
		_ = res.Body.Close()
	}
	require.Error(t, err, "no certificate, no answer")

	c.HTTP.TLS.ClientCAFile = write("none", []byte("none"))
	_, err = agentserver.New(c, &backend{}, agentserver.Options{})
	require.ErrorContains(t, err, "no certificate in PEM")
	c.HTTP.TLS.CertFile = "tls/domain.crt"
	_, err = agentserver.New(c, &backend{}, agentserver.Options{})
	require.ErrorContains(t, err, "tls/domain.crt")
	c.HTTP.Addr = "8007"
	_, err = agentserver.New(c, &backend{}, agentserver.Options{})
	require.ErrorContains(t, err, "http.addr")
}

// What cannot go on ends the server.
func TestRunEnds(t *testing.T) {
	a, _ := newAgent(t)
	broken := errors.New("the store has lost its memory")
	a.decide = func(context.Context, func(qredo.ActionID)) error { return broken }
	r := start(t, agentserver.Default(), &backend{stored: a})
	require.ErrorIs(t, clienttest.Receive(t, r.done, "the end"), broken)

	damaged := errors.New("the file is damaged")
	r = start(t, agentserver.Default(), &backend{opens: []error{damaged}})
	require.ErrorIs(t, clienttest.Receive(t, r.done, "the end"), damaged)
}
