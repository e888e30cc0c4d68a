package sandbox_test

import (
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
	"github.com/qredo-go/qredo/sandbox/internal/control"
)

// noLeaks demands that a test ends with the goroutines it began with.
func noLeaks(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		control.Default().CloseIdleConnections()
		goleak.VerifyNone(t, before)
	})
}

func TestServerServesUntilClosed(t *testing.T) {
	noLeaks(t)
	srv, err := sandbox.Start()
	require.NoError(t, err)
	host, _, err := net.SplitHostPort(strings.TrimPrefix(srv.URL(), "http://"))
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1", host, "nobody else's machine can reach it")
	assert.Equal(t, srv.URL()+"/api/v1/p", srv.BaseURL())

	ctx := t.Context()
	client := srv.Client()
	_, err = client.Assets.List(ctx)
	require.NoError(t, err)
	_, err = srv.Control().State(ctx)
	require.NoError(t, err)

	require.NoError(t, srv.Close())
	require.NoError(t, srv.Close(), "closing again does nothing")
	_, err = client.Assets.List(ctx)
	require.Error(t, err)
}

func TestServerIsClosedFromSeveralGoroutines(t *testing.T) {
	noLeaks(t)
	srv, err := sandbox.Start()
	require.NoError(t, err)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() { assert.NoError(t, srv.Close()) })
	}
	group.Wait()
}

func TestClosingEndsConnectionsThatWait(t *testing.T) {
	noLeaks(t)
	srv, err := sandbox.Start()
	require.NoError(t, err)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(srv.URL(), "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = conn.Write([]byte("GET /api/v1/p/assets HTTP/1.1\r\n")) // and no more
	require.NoError(t, err)
	require.NoError(t, srv.Close())
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err)
	assert.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the connection was ended")
}

func TestServersAreApart(t *testing.T) {
	noLeaks(t)
	one, err := sandbox.Start()
	require.NoError(t, err)
	defer one.Close()
	two, err := sandbox.Start()
	require.NoError(t, err)
	defer two.Close()
	ctx := t.Context()
	made, err := one.Client().Companies.Create(ctx, qredo.CompanyRequest{Name: "Acme"})
	require.NoError(t, err)
	_, err = two.Client().Companies.Get(ctx, made.ID)
	require.ErrorIs(t, err, qredo.ErrNotFound)
	foreign, err := qredo.NewClient(one.Auth(), qredo.WithBaseURL(two.BaseURL()))
	require.NoError(t, err)
	_, err = foreign.Assets.List(ctx)
	require.ErrorIs(t, err, qredo.ErrUnauthorized)
}

func TestStartThatFailsLeavesNothing(t *testing.T) {
	noLeaks(t)
	taken, err := sandbox.Start()
	require.NoError(t, err)
	defer taken.Close()
	for name, opt := range map[string]sandbox.Option{
		"an address that is taken": sandbox.WithListen(strings.TrimPrefix(taken.URL(), "http://")),
		"no address":               sandbox.WithListen("nonsense"),
		"an option that is wrong":  sandbox.WithKey("", nil),
	} {
		t.Run(name, func(t *testing.T) {
			srv, err := sandbox.Start(opt)
			require.Error(t, err)
			assert.Nil(t, srv)
		})
	}
	t.Run("an address that is free again", func(t *testing.T) {
		address := strings.TrimPrefix(taken.URL(), "http://")
		require.NoError(t, taken.Close())
		srv, err := sandbox.Start(sandbox.WithListen(address))
		require.NoError(t, err)
		defer srv.Close()
		assert.Equal(t, "http://"+address, srv.URL())
	})
}

func TestWrongOptionsAreNamed(t *testing.T) {
	for field, opt := range map[string]sandbox.Option{
		"key": sandbox.WithAccountKey("", "own", &ownKey().PublicKey), "clock": sandbox.WithClock(nil), "TLS": sandbox.WithTLS(""),
		"public URL": sandbox.WithPublicURL("nowhere"), "permissions": sandbox.WithHMACKey("own", "c2VjcmV0", "everything"),
		"secret": sandbox.WithHMACKey("own", "?"),
	} {
		_, err := sandbox.New(opt)
		var invalid *qredo.ValidationError
		require.ErrorAs(t, err, &invalid, field)
		assert.Equal(t, field, invalid.Field)
	}
	var invalid *qredo.ValidationError
	_, err := sandbox.NewControl("nowhere")
	require.ErrorAs(t, err, &invalid)
}

func TestControlUsesItsClient(t *testing.T) {
	srv, err := sandbox.Start(sandbox.WithTLS(t.TempDir()))
	require.NoError(t, err)
	defer srv.Close()
	control, err := sandbox.NewControl(srv.URL())
	require.NoError(t, err)
	_, err = control.State(t.Context())
	require.ErrorContains(t, err, "certificate", "the system does not trust it")
	control.HTTPClient = srv.Control().HTTPClient
	_, err = control.State(t.Context())
	require.NoError(t, err)
}

func TestServersClientFollowsTheClock(t *testing.T) {
	noLeaks(t)
	c := newClock()
	srv, err := sandbox.Start(sandbox.WithClock(c.Now))
	require.NoError(t, err)
	defer srv.Close()
	_, err = srv.Client().Assets.List(t.Context())
	require.NoError(t, err, "stamps come from the sandbox's clock, years away from the machine's")
	_, err = srv.QAPIClient().Account.Get(t.Context())
	require.NoError(t, err, "those of the other API too")
	c.forward(time.Hour)
	_, err = srv.Client().Assets.List(t.Context())
	require.NoError(t, err)
	_, err = srv.QAPIClient().Account.Get(t.Context())
	require.NoError(t, err)
}

func TestServersClientsTakeOptions(t *testing.T) {
	srv, err := sandbox.Start()
	require.NoError(t, err)
	defer srv.Close()
	var asked []string
	follow := qredo.WithHTTPClient(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.URL.String())
		return http.DefaultTransport.RoundTrip(r)
	})})
	_, err = srv.Client(follow).Assets.List(t.Context())
	require.NoError(t, err)
	_, err = srv.QAPIClient(follow).Account.Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{srv.BaseURL() + "/assets", srv.QAPIBaseURL() + "/account"}, asked)

	refused := qredo.WithBaseURL("nowhere")
	assert.Panics(t, func() { srv.Client(refused) })
	assert.Panics(t, func() { srv.QAPIClient(refused) })
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAnswersAreDatedByTheSandboxesClock(t *testing.T) {
	s := newService(t)
	require.NoError(t, s.Advance(time.Hour))
	for name, got := range map[string]answer{
		"a success": s.get("/assets"), "a refusal": s.as("nobody").get("/assets"),
	} {
		// Clients set their clocks by it. Stamps are held against the clock without what it was advanced by.
		assert.Equal(t, startOfTime.Format(http.TimeFormat), got.Header.Get("Date"), name)
	}
}

// A host's name has no capitals of its own: a client that is given some reaches the sandbox, and signs what it sends.
func TestHostInCapitals(t *testing.T) {
	srv, err := sandbox.Start()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, srv.Close()) })
	client := srv.Client(qredo.WithBaseURL(strings.Replace(srv.BaseURL(), "127.0.0.1", "LOCALHOST", 1)))
	_, err = client.Companies.List(t.Context())
	require.NoError(t, err)
}
