package clienttest

import (
	"context"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// Follower ranges over a feed in a goroutine of its own.
type Follower[E any] struct {
	Events chan E
	errs   chan error
	States chan qredo.FeedState
	Stop   func() // ends the feed and waits for that
}

// Patience is how long a test waits for what must come.
const Patience = 10 * time.Second

// Follow begins to follow a feed, and ends with the test.
func Follow[E any](t *testing.T, feed func(context.Context, ...qredo.FeedOption) iter.Seq2[E, error], opts ...qredo.FeedOption) *Follower[E] {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &Follower[E]{Events: make(chan E, 10_000), errs: make(chan error, 10_000), States: make(chan qredo.FeedState, 10_000)}
	opts = append([]qredo.FeedOption{
		qredo.WithBackoff(time.Millisecond, 10*time.Millisecond),
		qredo.WithFeedState(func(s qredo.FeedState) { f.States <- s }),
	}, opts...)
	var done sync.WaitGroup
	done.Go(func() {
		for event, err := range feed(ctx, opts...) {
			if err != nil {
				f.errs <- err
			} else {
				f.Events <- event
			}
		}
	})
	f.Stop = func() {
		cancel()
		done.Wait()
	}
	t.Cleanup(f.Stop)
	return f
}

// Receive returns what comes, within Patience.
func Receive[V any](t *testing.T, from <-chan V, what string) V {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(Patience):
		require.Fail(t, "nothing came", "%s", what)
		panic("unreachable")
	}
}

// Next returns the next event.
func (f *Follower[E]) Next(t *testing.T) E {
	t.Helper()
	return Receive(t, f.Events, "event")
}

// Failure returns the next error.
func (f *Follower[E]) Failure(t *testing.T) error {
	t.Helper()
	return Receive(t, f.errs, "error")
}

// Reaches waits until the feed gets into a state.
func (f *Follower[E]) Reaches(t *testing.T, want qredo.FeedStatus) qredo.FeedState {
	t.Helper()
	for {
		if got := Receive(t, f.States, string(want)); got.Status == want {
			return got
		}
	}
}

// RequireQuiet asserts that the feed gave nothing but what was taken.
func (f *Follower[E]) RequireQuiet(t *testing.T) {
	t.Helper()
	f.Stop()
	require.Empty(t, f.Events)
	require.Empty(t, f.errs)
}

// FeedServer is a service that has feeds and nothing else: lists are empty. serve is called for each
// connection, with its number.
type FeedServer struct {
	*qredo.Client
	Server      *httptest.Server
	Connections atomic.Int32
}

// emptyLists answers every list operation of the service with an empty list.
const emptyLists = `{"actions":[],"items":[],"history":[],"clients":[],"wallets":[]}`

// ServeFeed serves feeds, and calls serve for each connection, with its number.
func ServeFeed(t *testing.T, serve func(ctx context.Context, ws *websocket.Conn, connection int)) *FeedServer {
	t.Helper()
	f := &FeedServer{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !strings.HasSuffix(req.URL.Path, "/feed") {
			_, _ = w.Write([]byte(emptyLists))
			return
		}
		ws, err := AcceptWebSocket(w, req, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.CloseNow() }()
		serve(ws.CloseRead(req.Context()), ws, int(f.Connections.Add(1)))
	}))
	t.Cleanup(f.Server.Close)
	client, err := qredo.NewClient(NewAuth(t), qredo.WithBaseURL(f.Server.URL))
	require.NoError(t, err)
	f.Client = client
	return f
}

// Actions is the feed of the fixtures' core client.
func (f *FeedServer) Actions(ctx context.Context, opts ...qredo.FeedOption) iter.Seq2[qredo.Action, error] {
	return f.CoreClients.Feed(ctx, CoreID, opts...)
}

// Barrier is a client whose connections to feeds are refused while it is closed.
func (w *World) Barrier(opts ...qredo.Option) (client *qredo.Client, closed *atomic.Bool) {
	closed = &atomic.Bool{}
	return w.Through(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		if closed.Load() && strings.HasSuffix(req.URL.Path, "/feed") {
			return nil, ErrRefused
		}
		return next.RoundTrip(req)
	}, opts...), closed
}

// Drain ranges over a feed or a walk to its end and returns the last error.
func Drain[E any](all func(func(E, error) bool)) (last error) {
	for _, err := range all {
		last = err
	}
	return last
}
