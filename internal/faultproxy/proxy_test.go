package faultproxy

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// Most tests wait for something that does not come, so more of them run in parallel than there are processors.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// counting is a server that returns the number of the request, and what it was sent.
type counting struct{ requests atomic.Int64 }

func (c *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := c.requests.Add(1)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"n":%d,"path":%q,"body":%q}`, n, r.URL.Path, body)
}

// bench is a server, a proxy in front of it, and a client of net/http that never sends anything twice by itself.
type bench struct {
	*Proxy
	server *counting
	client *http.Client
	t      *testing.T
}

const patience = 10 * time.Second

func open(t *testing.T, config Config) *bench {
	t.Helper()
	b := &bench{server: &counting{}, t: t}
	server := httptest.NewServer(b.server)
	t.Cleanup(server.Close)
	config.Backend, config.Tag = server.URL, "X-Tag"
	var err error
	b.Proxy, err = Start(config)
	require.NoError(t, err)
	t.Cleanup(b.Close)
	b.client = b.newClient()
	return b
}

func (b *bench) newClient() *http.Client {
	transport := &http.Transport{ForceAttemptHTTP2: true, ResponseHeaderTimeout: patience, DisableCompression: true}
	if b.config.TLS {
		transport.TLSClientConfig = clientTLS(b.Proxy)
	}
	b.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// once has the first request go wrong, and no other.
func once(f Fault) func(Request) Fault {
	return func(r Request) Fault {
		if r.N == 1 {
			return f
		}
		return Fault{}
	}
}

// got is what a client received.
type got struct {
	status int
	proto  string
	header http.Header
	body   string
	err    error
}

func (b *bench) post(path, body string) got { return b.send(http.MethodPost, path, body) }

func (b *bench) send(method, path, body string) got {
	b.t.Helper()
	// A body that cannot be read twice is not sent twice.
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.URL()+path, io.NopCloser(strings.NewReader(body)))
	require.NoError(b.t, err)
	req.Header.Set("X-Tag", path)
	req.ContentLength = int64(len(body))
	res, err := b.client.Do(req)
	if err != nil {
		return got{err: err}
	}
	defer res.Body.Close()
	read, err := io.ReadAll(res.Body)
	return got{res.StatusCode, res.Proto, res.Header, string(read), err}
}

// only returns the one record that there is.
func (b *bench) only() Record {
	b.t.Helper()
	b.Settle()
	records := b.Records()
	require.Len(b.t, records, 1)
	assert.Len(b.t, records[0].Deliveries, int(b.server.requests.Load()), "the record says what the server knows")
	return records[0]
}

// each runs a test in each version of HTTP that a fault can strike.
func each(t *testing.T, f Fault, test func(t *testing.T, b *bench)) {
	t.Helper()
	for _, v := range []struct {
		name   string
		layer  Layer
		config Config
	}{{"HTTP1", HTTP1, Config{}}, {"HTTP1 over TLS", HTTP1, Config{TLS: true}}, {"HTTP2", HTTP2, Config{HTTP2: true}}} {
		if f.At&v.layer != 0 {
			t.Run(f.Name+" "+v.name, func(t *testing.T) {
				t.Parallel()
				v.config.Plan = once(f)
				test(t, open(t, v.config))
			})
		}
	}
}

func TestNothingGoesWrong(t *testing.T) {
	t.Parallel()
	for proto, config := range map[string]Config{"HTTP/1.1": {}, "HTTP/2.0": {HTTP2: true}} {
		b := open(t, config)
		large := strings.Repeat("x", 300<<10)
		for n := 1; n <= 3; n++ {
			g := b.post("/a", large)
			require.NoError(t, g.err)
			assert.Equal(t, []any{200, proto}, []any{g.status, g.proto})
			assert.Equal(t, fmt.Sprintf(`{"n":%d,"path":"/a","body":%q}`, n, large), g.body)
		}
		b.Settle()
		for _, r := range b.Records() {
			assert.Equal(t, []Delivery{{Status: 200}}, r.Deliveries)
			assert.Equal(t, []any{200, true, "", "/a"}, []any{r.Answered, r.Complete, r.Fault, r.Tag})
			assert.Contains(t, string(r.Body), `,"path":"/a","body":"xxx`)
		}
		assert.Len(t, b.RecordsOf("/a"), 3)
		assert.EqualValues(t, 1, b.connected.Load(), "connections are kept alive")
	}
}

// A server that is not there is answered for, as a gateway does, and the record says so.
func TestNoServer(t *testing.T) {
	t.Parallel()
	p, err := Start(Config{Backend: "http://127.0.0.1:1"})
	require.NoError(t, err)
	b := &bench{Proxy: p, server: &counting{}, t: t}
	t.Cleanup(b.Close)
	b.client = b.newClient()
	assert.Equal(t, 502, b.post("/", "").status)
	records := b.Records()
	require.Len(t, records, 1)
	require.Len(t, records[0].Deliveries, 1)
	assert.Contains(t, records[0].Deliveries[0].Err, "connection refused")
}

func TestBackendMustBeHTTP(t *testing.T) {
	t.Parallel()
	for _, backend := range []string{"", "https://127.0.0.1:1", "http://127.0.0.1", "\n"} {
		_, err := Start(Config{Backend: backend})
		require.Error(t, err, backend)
	}
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	resume := b.Refuse()
	require.ErrorIs(t, b.post("/", "").err, syscall.ECONNREFUSED)
	again := b.Refuse()
	require.NoError(t, again())
	require.NoError(t, resume())
	require.NoError(t, b.post("/", "").err)
	assert.Len(t, b.Records(), 1)
}

// Close ends a connection that nobody else ends.
func TestCloseEndsAll(t *testing.T) {
	t.Parallel()
	b := open(t, Config{Plan: once(Silent(AfterHead)), Connections: func(c Connection) Fault {
		if c.N == 2 {
			return SilentAtOnce
		}
		return Fault{}
	}})
	var conns []net.Conn
	for n := range 2 {
		c, _ := dial(t, b)
		_, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
		require.NoError(t, err)
		conns = append(conns, c)
		require.Eventually(t, func() bool { return b.connected.Load() == int64(n+1) }, patience, time.Millisecond)
	}
	b.Close()
	for _, c := range conns {
		_, err := c.Read(make([]byte, 1))
		require.Error(t, err)
	}
}

// The nth request meets the same in each run with the same seed, about as many as asked for go wrong, and none meets what
// its protocol does not have.
func TestMix(t *testing.T) {
	t.Parallel()
	faults := append(OfHTTP2(), OfHTTP1(JSON)...)
	a, b, c := Mix(1, 0.2, faults...), Mix(1, 0.2, faults...), Mix(2, 0.2, faults...)
	kinds := map[string]int{}
	struck, differ := 0, 0
	for n := range 10_000 {
		r := Request{N: n, Layer: HTTP2}
		f := a(r)
		assert.Equal(t, f.Name, b(r).Name)
		if f.Name != "" {
			struck++
			kinds[f.Kind]++
			assert.NotZero(t, f.At&HTTP2, f.Name)
		}
		if f.Name != c(r).Name {
			differ++
		}
	}
	assert.InDelta(t, 2000, struck, 200)
	assert.Greater(t, differ, 2000)
	for _, f := range OfHTTP2() {
		assert.InDelta(t, float64(struck)/float64(len(kinds)), float64(kinds[f.Kind]), 50, f.Kind)
	}
	assert.Empty(t, Mix(1, 1)(Request{N: 1, Layer: HTTP1}).Name)
}

// Names are what tables and records tell faults by.
func TestNamesAreUnique(t *testing.T) {
	t.Parallel()
	ofTLS, err := OfTLS()
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, list := range [][]Fault{AtOnce, ofTLS, OfConnections(), OfAnswers(Form{"own", "", func(int) string { return "" }}), OfHTTP1(JSON), OfHTTP2(), OfSockets("{}")} {
		for _, f := range list {
			assert.NotEmpty(t, f.Kind)
			assert.NotZero(t, f.At)
			assert.False(t, seen[f.Name], f.Name)
			seen[f.Name] = true
		}
	}
	t.Logf("%d faults", len(seen))
}

// dial opens a connection of TCP, in plain text.
func dial(t *testing.T, b *bench) (net.Conn, *bufio.Reader) {
	t.Helper()
	var dialer net.Dialer
	c, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(b.URL(), "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c, bufio.NewReader(c)
}
