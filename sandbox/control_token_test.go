package sandbox_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

const controlToken = "correct-horse-battery.staple~1"

// elsewhere is a handler that all requests come to from another machine.
func elsewhere(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = "192.0.2.7:40000"
		h.ServeHTTP(w, r)
	})
}

func TestControlToken(t *testing.T) {
	const other, local = "192.0.2.7:40000", "127.0.0.1:40000"
	with := newService(t, sandbox.WithControlToken(controlToken)).Sandbox
	without := newService(t).Sandbox
	for name, c := range map[string]struct {
		of            *sandbox.Sandbox
		from          string
		authorization string
		header        string
		status        int
	}{
		"from elsewhere":                       {with, other, "Bearer " + controlToken, "", 200},
		"the scheme in small letters":          {with, other, "bearer " + controlToken, "", 200},
		"spaces":                               {with, other, "Bearer   " + controlToken + " ", "", 200},
		"passed on":                            {with, other, "Bearer " + controlToken, "X-Forwarded-For", 200},
		"from here":                            {with, local, "Bearer " + controlToken, "", 200},
		"from here without":                    {with, local, "", "", 200},
		"from here with another":               {with, local, "Bearer nonsense-of-some-length", "", 401},
		"none":                                 {with, other, "", "", 401},
		"from here, passed on":                 {with, local, "", "Via", 401},
		"another":                              {with, other, "Bearer nonsense-of-some-length", "", 401},
		"empty":                                {with, other, "Bearer ", "", 401},
		"a part":                               {with, other, "Bearer " + controlToken[:len(controlToken)-1], "", 401},
		"more":                                 {with, other, "Bearer " + controlToken + "x", "", 401},
		"other capitals":                       {with, other, "Bearer " + strings.ToUpper(controlToken), "", 401},
		"another scheme":                       {with, other, "Basic " + controlToken, "", 401},
		"no scheme":                            {with, other, controlToken, "", 401},
		"from a page":                          {with, other, "Bearer " + controlToken, "Origin", 403},
		"from a page here":                     {with, local, "", "Sec-Fetch-Site", 403},
		"where there is none":                  {without, other, "Bearer " + controlToken, "", 403},
		"where there is none, an empty one":    {without, other, "Bearer ", "", 403},
		"where there is none, from here":       {without, local, "", "", 200},
		"where there is none, from here, some": {without, local, "Bearer " + controlToken, "", 200},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8765/sandbox/v1/state", nil)
			if r.RemoteAddr = c.from; c.from == other {
				r.Host = "sandbox:8765"
			}
			if c.authorization != "" {
				r.Header.Set("Authorization", c.authorization)
			}
			if c.header != "" {
				r.Header.Set(c.header, "https://sandbox:8765")
			}
			got := httptest.NewRecorder()
			c.of.ServeHTTP(got, r)
			assert.Equal(t, c.status, got.Code, got.Body)
			assert.Equal(t, map[bool]string{true: "Bearer"}[c.status == 401], got.Header().Get("WWW-Authenticate"))
			assert.NotContains(t, got.Body.String(), controlToken)
		})
	}
}

func TestControlTokensThatWillNotDo(t *testing.T) {
	for _, token := range []string{"", "short", strings.Repeat("a", 19), strings.Repeat("a", 30) + " b", strings.Repeat("a", 30) + "\n", strings.Repeat("ä", 20)} {
		_, err := sandbox.New(sandbox.WithControlToken(token))
		var wrong *qredo.ValidationError
		require.ErrorAs(t, err, &wrong, "%q", token)
		if token != "" {
			assert.NotContains(t, err.Error(), token)
		}
	}
}

func TestControlFromElsewhere(t *testing.T) {
	srv := httptest.NewServer(elsewhere(newService(t, sandbox.WithControlToken(controlToken)).Sandbox))
	defer srv.Close()
	c, err := sandbox.NewControl(srv.URL)
	require.NoError(t, err)
	c.HTTPClient = srv.Client()
	_, err = c.State(t.Context())
	require.ErrorIs(t, err, qredo.ErrUnauthorized)
	require.ErrorContains(t, err, "control calls from elsewhere need the control token")
	c.Token = "nonsense-of-some-length"
	_, err = c.State(t.Context())
	require.ErrorIs(t, err, qredo.ErrUnauthorized)
	assert.NotContains(t, err.Error(), c.Token)
	c.Token = controlToken
	_, err = c.State(t.Context())
	require.NoError(t, err)
}

// Where it listens on all addresses, it tells one that works, and is reached by every other, to which requests are signed as it is
// reached.
func TestServerOnAllAddresses(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:0", "[::]:0", ":0"} {
		t.Run(listen, func(t *testing.T) {
			noLeaks(t)
			srv, err := sandbox.Start(sandbox.WithListen(listen), sandbox.WithControlToken(controlToken))
			require.NoError(t, err)
			defer func() { require.NoError(t, srv.Close()) }()
			assert.Regexp(t, `^http://127\.0\.0\.1:\d+$`, srv.URL())
			_, err = srv.Client().Assets.List(t.Context())
			require.NoError(t, err)
			_, err = srv.Control().State(t.Context())
			require.NoError(t, err)
			_, port, err := net.SplitHostPort(strings.TrimPrefix(srv.URL(), "http://"))
			require.NoError(t, err)
			for _, host := range []string{"localhost:" + port, "127.0.0.2:" + port} {
				_, err = srv.Client(qredo.WithBaseURL("http://" + host + basePath)).Assets.List(t.Context())
				require.NoError(t, err, host)
			}
		})
	}
}

// A container is reached by names that it does not know.
func TestRequestsAreSignedForTheHostThatIsAskedFor(t *testing.T) {
	l := listen(t)
	for _, host := range []string{"sandbox:8765", "qredo", "10.1.2.3:80", "[2001:db8::1]:8765"} {
		req := newSigned(t, startOfTime, "GET", "http://"+host+basePath+"/assets", "").request(t)
		req.URL.Host, req.Host = strings.TrimPrefix(l.URL, "http://"), host
		resp, err := l.Client().Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, http.StatusOK, resp.StatusCode, host)
		req.Host = "another:8765"
		resp, err = l.Client().Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, http.StatusUnauthorized, resp.StatusCode, host)
	}
}

func TestHealth(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := newService(t, sandbox.WithStore(dir)).Sandbox
	srv := httptest.NewServer(elsewhere(s))
	defer srv.Close()
	c, err := sandbox.NewControl(srv.URL)
	require.NoError(t, err)
	c.HTTPClient = srv.Client()
	require.NoError(t, c.Health(t.Context()), "to everybody")
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, file := range files {
		assert.NotContains(t, file.Name(), "health", "nothing is left")
	}

	dir = filepath.Join(t.TempDir(), "store")
	s = newService(t, sandbox.WithStore(dir)).Sandbox // which was not asked before
	require.NoError(t, os.Rename(dir, dir+".away"))
	srv.Config.Handler = elsewhere(s)
	err = c.Health(t.Context())
	require.ErrorContains(t, err, "503 Service Unavailable: the store cannot be written")
	assert.NotContains(t, err.Error(), dir, "which is not everybody's to know")
	require.ErrorContains(t, s.Health(), dir)
	for _, path := range []string{"/sandbox/v1/healthz/", "/sandbox/v1/healthz%2f", "/sandbox/v1/state"} {
		resp, err := srv.Client().Get(srv.URL + path) //nolint:noctx // a test's
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, http.StatusForbidden, resp.StatusCode, path)
	}
	require.NoError(t, newService(t).Health(), "without a store")
}
