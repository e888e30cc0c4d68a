package qredo_test

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

// follower ranges over a feed in a goroutine of its own.
type follower[E any] struct {
	events chan E
	errs   chan error
	states chan qredo.FeedState
	stop   func() // ends the feed and waits for that
}

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// follow begins to follow a feed, and ends with the test.
func follow[E any](t *testing.T, feed func(context.Context, ...qredo.FeedOption) iter.Seq2[E, error], opts ...qredo.FeedOption) *follower[E] {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &follower[E]{events: make(chan E, 10_000), errs: make(chan error, 10_000), states: make(chan qredo.FeedState, 10_000)}
	opts = append([]qredo.FeedOption{
		qredo.WithBackoff(time.Millisecond, 10*time.Millisecond),
		qredo.WithFeedState(func(s qredo.FeedState) { f.states <- s }),
	}, opts...)
	var done sync.WaitGroup
	done.Go(func() {
		for event, err := range feed(ctx, opts...) {
			if err != nil {
				f.errs <- err
			} else {
				f.events <- event
			}
		}
	})
	f.stop = func() {
		cancel()
		done.Wait()
	}
	t.Cleanup(f.stop)
	return f
}

func receive[V any](t *testing.T, from <-chan V, what string) V {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		require.Fail(t, "nothing came", "%s", what)
		panic("unreachable")
	}
}

func (f *follower[E]) next(t *testing.T) E {
	t.Helper()
	return receive(t, f.events, "event")
}

func (f *follower[E]) failure(t *testing.T) error {
	t.Helper()
	return receive(t, f.errs, "error")
}

// reaches waits until the feed gets into a state.
func (f *follower[E]) reaches(t *testing.T, want qredo.FeedStatus) qredo.FeedState {
	t.Helper()
	for {
		if got := receive(t, f.states, string(want)); got.Status == want {
			return got
		}
	}
}

// requireQuiet asserts that the feed gave nothing but what was taken.
func (f *follower[E]) requireQuiet(t *testing.T) {
	t.Helper()
	f.stop()
	require.Empty(t, f.events)
	require.Empty(t, f.errs)
}

// feedServer is a service that has feeds and nothing else: lists are empty. serve is called for each
// connection, with its number.
type feedServer struct {
	*qredo.Client
	server      *httptest.Server
	connections atomic.Int32
}

// emptyLists answers every list of the service with nothing in it.
const emptyLists = `{"actions":[],"items":[],"history":[]}`

func serveFeed(t *testing.T, serve func(ctx context.Context, ws *websocket.Conn, connection int)) *feedServer {
	t.Helper()
	f := &feedServer{}
	f.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !strings.HasSuffix(req.URL.Path, "/feed") {
			_, _ = w.Write([]byte(emptyLists))
			return
		}
		ws, err := websocket.Accept(w, req, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.CloseNow() }()
		serve(ws.CloseRead(req.Context()), ws, int(f.connections.Add(1)))
	}))
	t.Cleanup(f.server.Close)
	client, err := qredo.NewClient(newAuth(t), qredo.WithBaseURL(f.server.URL))
	require.NoError(t, err)
	f.Client = client
	return f
}

// actions is the feed of the fixtures' core client.
func (f *feedServer) actions(ctx context.Context, opts ...qredo.FeedOption) iter.Seq2[qredo.Action, error] {
	return f.CoreClients.Feed(ctx, coreID, opts...)
}

// barrier is a client whose connections to feeds are refused while it is closed.
func (w *world) barrier(opts ...qredo.Option) (client *qredo.Client, closed *atomic.Bool) {
	closed = &atomic.Bool{}
	return w.through(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		if closed.Load() && strings.HasSuffix(req.URL.Path, "/feed") {
			return nil, errRefused
		}
		return next.RoundTrip(req)
	}, opts...), closed
}
