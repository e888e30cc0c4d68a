package agentserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/agentserver"
	"github.com/qredo-go/qredo/internal/clienttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// backend is one whose service is made up.
type backend struct {
	mu       sync.Mutex
	stored   *agent
	err      error // of Register
	storeErr error
	got      []agentserver.Registration
	opens    []error // what Open returns first
	service  *clienttest.FeedServer
}

func (b *backend) Open(context.Context) (agentserver.Agent, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.opens) > 0 {
		err := b.opens[0]
		b.opens = b.opens[1:]
		return nil, err
	}
	if b.stored == nil {
		return nil, agentserver.ErrNoAgent
	}
	return b.stored, nil
}

func (b *backend) Register(_ context.Context, r agentserver.Registration) (agentserver.Agent, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, r)
	if b.err != nil {
		return nil, b.err
	}
	b.stored = &agent{id: "agent-1", name: r.Name, service: b.service}
	return b.stored, nil
}

func (b *backend) CheckStore(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.storeErr
}

// agent votes with predefined results.
type agent struct {
	id      qredo.CoreClientID
	name    string
	service *clienttest.FeedServer
	vote    func(ctx context.Context, verb string, id qredo.ActionID) error
	decide  func(ctx context.Context, decided func(qredo.ActionID)) error
}

func (a *agent) ID() qredo.CoreClientID { return a.id }
func (a *agent) Name() string           { return a.name }

func (a *agent) Approve(ctx context.Context, id qredo.ActionID) error {
	return a.send(ctx, "approve", id)
}
func (a *agent) Reject(ctx context.Context, id qredo.ActionID) error {
	return a.send(ctx, "reject", id)
}

func (a *agent) send(ctx context.Context, verb string, id qredo.ActionID) error {
	if a.vote == nil {
		return nil
	}
	return a.vote(ctx, verb, id)
}

func (a *agent) Frames(ctx context.Context, opts ...qredo.FeedOption) iter.Seq2[json.RawMessage, error] {
	return qredo.Feed[json.RawMessage](ctx, a.service.Client, "/coreclient/feed", nil, opts...)
}

func (a *agent) Decide(ctx context.Context, decided func(qredo.ActionID)) error {
	if a.decide != nil {
		return a.decide(ctx, decided)
	}
	<-ctx.Done()
	return nil
}

// service is the service's feed: each connection gets what was sent before, and what is sent later.
type service struct {
	*clienttest.FeedServer
	frames chan string
	cut    chan struct{}
	first  []string // what each connection brings
}

func newService(t *testing.T, first ...string) *service {
	s := &service{frames: make(chan string), cut: make(chan struct{}), first: first}
	s.FeedServer = clienttest.ServeFeed(t, func(ctx context.Context, ws *websocket.Conn, _ int) {
		for _, frame := range s.first {
			_ = ws.Write(ctx, websocket.MessageText, []byte(frame))
		}
		for {
			select {
			case <-ctx.Done():
				return
			case <-s.cut:
				_ = ws.CloseNow()
				return
			case frame := <-s.frames:
				_ = ws.Write(ctx, websocket.MessageText, []byte(frame))
			}
		}
	})
	return s
}

// running is a server that serves.
type running struct {
	t    *testing.T
	base string // of the server, without /api/v1
	logs *logs
	stop func() error
	done chan error
}

type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func start(t *testing.T, c agentserver.Config, b agentserver.Backend, change ...func(*agentserver.Options)) *running {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &running{t: t, base: "http://" + listener.Addr().String(), logs: &logs{}}
	o := agentserver.Options{Log: slog.New(slog.NewTextHandler(r.logs, nil)), Now: time.Now, Listener: listener}
	for _, f := range change {
		f(&o)
	}
	server, err := agentserver.New(c, b, o)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	r.done = make(chan error, 1)
	go func() {
		r.done <- server.Run(ctx)
		close(r.done)
	}()
	r.stop = sync.OnceValue(func() error {
		cancel()
		return <-r.done
	})
	t.Cleanup(func() { _ = r.stop() })
	return r
}

// answer is a server's response.
type answer struct {
	status int
	header http.Header
	body   string
}

func (r *running) call(method, path, body string, headers ...string) answer {
	r.t.Helper()
	return call(r.t, http.DefaultTransport, method, r.base+path, body, headers...)
}

func call(t *testing.T, transport http.RoundTripper, method, url, body string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
			continue
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	req.Close = true
	res, err := transport.RoundTrip(req)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return answer{res.StatusCode, res.Header, string(text)}
}

// waitFor asks until an answer has a text.
func (r *running) waitFor(path, text string) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return strings.Contains(r.call("GET", path, "").body, text) }, 20*time.Second, 5*time.Millisecond,
		"%s does not say %s", path, text)
}

// open waits until the feed of the service is connected.
func (r *running) open() {
	r.t.Helper()
	r.waitFor("/api/v1/healthcheck/status", `"OPEN"`)
}

// subscribe opens a local feed.
func (r *running) subscribe() *websocket.Conn {
	r.t.Helper()
	ws, answer, err := clienttest.DialWebSocket(clienttest.Within(r.t, 20*time.Second), "ws"+strings.TrimPrefix(r.base, "http")+"/api/v1/client/feed", nil)
	require.NoError(r.t, err)
	if answer.Body != nil {
		_ = answer.Body.Close()
	}
	r.t.Cleanup(func() { _ = ws.CloseNow() })
	return ws
}

func next(t *testing.T, ws *websocket.Conn) string {
	t.Helper()
	_, data, err := ws.Read(clienttest.Within(t, 20*time.Second))
	require.NoError(t, err)
	return string(data)
}

func newAgent(t *testing.T, first ...string) (*agent, *service) {
	s := newService(t, first...)
	return &agent{id: "agent-1", name: "Desk", service: s.FeedServer}, s
}

func privatePEM(t *testing.T) []byte {
	data, err := os.ReadFile(clienttest.Testdata("private.pkcs1.pem"))
	require.NoError(t, err)
	return data
}
