package scenario_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// integration is a program that was written for the service: its URL is compiled in, its key comes from
// files. All that a test sets up is around it: where the host is found, and whom the machine trusts.
func integration(t *testing.T, keys string, transport http.RoundTripper, base string) *qredo.Client {
	t.Helper()
	apiKey, err := os.ReadFile(filepath.Join(keys, "apikey"))
	require.NoError(t, err)
	private, err := qredo.LoadPrivateKey(filepath.Join(keys, "private.pem"))
	require.NoError(t, err)
	auth, err := qredo.NewRSAAuth(string(apiKey), private)
	require.NoError(t, err)
	client, err := qredo.NewClient(auth, qredo.WithBaseURL(base), qredo.WithHTTPClient(&http.Client{Transport: transport}))
	require.NoError(t, err)
	return client
}

// hostsEntry finds one host, on any port, at the sandbox, and nothing else anywhere. It trusts the authority
// in a folder alone.
func hostsEntry(t *testing.T, host string, srv *sandbox.Server, dir string) *http.Transport {
	t.Helper()
	u, err := url.Parse(srv.URL())
	require.NoError(t, err)
	ca, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(ca))
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if name, _, err := net.SplitHostPort(address); err != nil || name != host {
				return nil, &net.DNSError{Err: "no such host", Name: address, IsNotFound: true}
			}
			return new(net.Dialer).DialContext(ctx, network, u.Host)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// TestProgramsForTheServiceRunUnchanged does the main job with the service's URLs compiled in.
func TestProgramsForTheServiceRunUnchanged(t *testing.T) {
	for _, environment := range []qredo.Environment{qredo.EnvironmentProduction, qredo.EnvironmentSandbox, qredo.EnvironmentPlay} {
		t.Run(string(environment), func(t *testing.T) {
			dir := t.TempDir()
			srv := start(t, sandbox.WithTLS(dir), sandbox.WithKeyDir(dir))
			u, err := url.Parse(string(environment))
			require.NoError(t, err)
			client := integration(t, dir, hostsEntry(t, u.Hostname(), srv, dir), string(environment))
			x := newExchange(t, client, srv.Sandbox, 2)
			doMainJob(t, x)
			core, err := client.CoreClients.Create(t.Context(), "Robot")
			require.NoError(t, err)
			assert.Equal(t, "wss://"+u.Host+u.Path+"/coreclient/"+string(core.ID)+"/feed", core.Feed)
		})
	}
}

// TestFeedsOfProgramsForTheService reads a feed at the URL that the service would have.
func TestFeedsOfProgramsForTheService(t *testing.T) {
	dir := t.TempDir()
	srv := start(t, sandbox.WithTLS(dir), sandbox.WithKeyDir(dir))
	client := integration(t, dir, hostsEntry(t, "api.qredo.network", srv, dir), string(qredo.EnvironmentProduction))
	x := newExchange(t, client, srv.Sandbox, 1)
	wallet := x.connectedWallet()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	told := []qredo.Amount{}
	caughtUp := qredo.WithFeedState(func(s qredo.FeedState) {
		if s.Status == qredo.FeedCaughtUp {
			for _, amount := range []qredo.Amount{1000, 999} {
				_, err := srv.Deposit(wallet.Address, amount)
				assert.NoError(t, err)
			}
		}
	})
	for event, err := range client.Wallets.Feed(ctx, caughtUp) {
		require.NoError(t, err)
		if told = append(told, event.Amount); len(told) == 2 {
			break
		}
	}
	assert.Equal(t, []qredo.Amount{1000, 999}, told)
}

// TestProgramsBehindAGateway reaches the sandbox through a proxy that terminates TLS and changes the host, as gateways
// do: the sandbox receives another URL than the program signed.
func TestProgramsBehindAGateway(t *testing.T) {
	dir := t.TempDir()
	for name, test := range map[string]struct {
		opts  []sandbox.Option
		taken bool
	}{
		"that the sandbox knows":         {[]sandbox.Option{sandbox.WithPublicURL(string(qredo.EnvironmentProduction))}, true},
		"that it does not":               {nil, false},
		"when it knows another":          {[]sandbox.Option{sandbox.WithPublicURL(string(qredo.EnvironmentSandbox))}, false},
		"among several that it knows of": {[]sandbox.Option{sandbox.WithPublicURL(string(qredo.EnvironmentPlay)), sandbox.WithPublicURL(string(qredo.EnvironmentProduction))}, true},
	} {
		t.Run(name, func(t *testing.T) {
			srv := start(t, append(test.opts, sandbox.WithKeyDir(dir))...)
			transport := &http.Transport{}
			t.Cleanup(transport.CloseIdleConnections)
			program := integration(t, dir, rerouting{transport, srv.URL()}, string(qredo.EnvironmentProduction))
			if !test.taken {
				_, err := program.Assets.List(t.Context())
				require.ErrorIs(t, err, qredo.ErrBadSignature)
				return
			}
			doMainJob(t, newExchange(t, program, srv.Sandbox, 2))
			direct := integration(t, dir, transport, srv.BaseURL())
			_, err := direct.Assets.List(t.Context())
			require.NoError(t, err, "the real URL is taken too")
		})
	}
}

// rerouting sends requests elsewhere than their URL says, after they were signed.
type rerouting struct {
	next http.RoundTripper
	to   string
}

func (r rerouting) RoundTrip(req *http.Request) (*http.Response, error) {
	changed := req.Clone(req.Context())
	u, err := url.Parse(r.to + req.URL.EscapedPath())
	if err != nil {
		return nil, err
	}
	u.RawQuery = req.URL.RawQuery
	changed.URL, changed.Host = u, u.Host
	return r.next.RoundTrip(changed)
}
