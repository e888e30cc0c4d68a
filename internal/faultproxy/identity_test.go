package faultproxy

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func clientTLS(p *Proxy) *tls.Config {
	return &tls.Config{RootCAs: p.Roots(), MinVersion: tls.VersionTLS12}
}

// onFirst has the first connection go wrong.
func onFirst(f Fault) func(Connection) Fault {
	return func(c Connection) Fault {
		if c.N == 1 {
			return f
		}
		return Fault{}
	}
}

func TestHandshakes(t *testing.T) {
	t.Parallel()
	faults, err := OfTLS()
	require.NoError(t, err)
	for _, f := range faults {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			b := open(t, Config{HTTP2: true, Connections: onFirst(f)})
			b.client.Timeout = patience / 4
			g := b.post("/", "x")
			require.Error(t, g.err)
			assert.Empty(t, b.Records(), "no request came through")
			want := map[string]string{
				"TLS: reset within the handshake": "reset", "TLS: closed within the handshake": "EOF", "TLS: no answer to the hello": "Timeout",
				"TLS: an answer in plain text": "server gave HTTP response to HTTPS client", "TLS: alert internal_error": "internal error",
				"TLS: certificate of another authority": "unknown authority", "TLS: certificate for another name": "cannot validate", "TLS: certificate that has expired": "expired",
			}[f.Name]
			require.NotEmpty(t, want)
			require.ErrorContains(t, g.err, want)
			require.NoError(t, b.post("/", "x").err, "the next connection is right")
		})
	}
}

func TestRoots(t *testing.T) {
	t.Parallel()
	b := open(t, Config{TLS: true})
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(b.RootsPEM()))
	dialer := &tls.Dialer{Config: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	c, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(b.URL(), "https://"))
	require.NoError(t, err)
	_ = c.Close()
}
