package feed_test

import (
	"context"
	"crypto/sha1"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"fmt"
	"testing/synctest"

	"github.com/coder/websocket"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/sandbox"
)

func TestActionFeed(t *testing.T) {
	w := clienttest.NewWorld(t)
	before := w.Asked(t, 3)
	f := clienttest.Follow(t, w.RobotFeed(w.Client))
	for range 3 {
		event := f.Next(t)
		require.Contains(t, before, event.ID, "what is pending comes first")
		delete(before, event.ID)
		event.ID = ""
		require.Equal(t, qredo.Action{
			CoreClientID: w.Robot.ID, Type: qredo.ActionTransfer, Status: qredo.ApprovalPending, Created: event.Created, Expires: event.Expires,
		}, event)
		require.NotZero(t, event.Expires)
	}
	for range 3 {
		id := w.ActionOf(t, w.Send(t, 1000))
		require.Equal(t, id, f.Next(t).ID, "then what is new")
	}
	f.RequireQuiet(t)
}

// Whatever is done to the connection, each action comes once.
func TestActionFeedLosesNothing(t *testing.T) {
	for name, disturb := range map[string]func(t *testing.T, srv *sandbox.Server, f *clienttest.Follower[qredo.Action]){
		"nothing": func(*testing.T, *sandbox.Server, *clienttest.Follower[qredo.Action]) {},
		"repeated": func(_ *testing.T, srv *sandbox.Server, _ *clienttest.Follower[qredo.Action]) {
			srv.DuplicateFeeds(true)
		},
		"delayed": func(_ *testing.T, srv *sandbox.Server, _ *clienttest.Follower[qredo.Action]) {
			srv.DelayFeeds(20 * time.Millisecond)
		},
		"dropped": func(_ *testing.T, srv *sandbox.Server, _ *clienttest.Follower[qredo.Action]) { srv.DropFeeds() },
		"frozen":  func(_ *testing.T, srv *sandbox.Server, _ *clienttest.Follower[qredo.Action]) { srv.FreezeFeeds() },
		"dropped and back before": func(t *testing.T, srv *sandbox.Server, f *clienttest.Follower[qredo.Action]) {
			srv.DropFeeds()
			f.Reaches(t, qredo.FeedLost)
			f.Reaches(t, qredo.FeedCaughtUp)
		},
		"all of it": func(_ *testing.T, srv *sandbox.Server, _ *clienttest.Follower[qredo.Action]) {
			srv.DuplicateFeeds(true)
			srv.DelayFeeds(time.Millisecond)
			srv.FreezeFeeds()
			srv.DropFeeds()
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := clienttest.NewWorld(t)
			f := clienttest.Follow(t, w.RobotFeed(w.Client), qredo.WithPing(50*time.Millisecond))
			f.Reaches(t, qredo.FeedCaughtUp)
			asked := w.Asked(t, 3)
			disturb(t, w.Srv, f)
			for id := range w.Asked(t, 3) {
				asked[id] = true
			}
			require.Len(t, asked, 6)
			for range 6 {
				id := f.Next(t).ID
				require.Contains(t, asked, id)
				delete(asked, id)
			}
			last := w.ActionOf(t, w.Send(t, 1000))
			require.Equal(t, last, f.Next(t).ID)
			f.RequireQuiet(t)
		})
	}
}

// What happened while the feed could not connect is filled in: what ended meanwhile is not asked for.
func TestActionFeedFillsGaps(t *testing.T) {
	w := clienttest.NewWorld(t)
	client, closed := w.Barrier()
	f := clienttest.Follow(t, w.RobotFeed(client))
	kept := w.ActionOf(t, w.Send(t, 1000))
	require.Equal(t, kept, f.Next(t).ID)

	closed.Store(true)
	w.Srv.DropFeeds()
	f.Reaches(t, qredo.FeedLost)
	w.Approve(t, w.Send(t, 1000))
	missed := w.ActionOf(t, w.Send(t, 1000))
	require.NoError(t, w.Client.CoreClients.Approve(t.Context(), w.Robot.ID, kept))
	closed.Store(false)
	require.Equal(t, missed, f.Next(t).ID)
	f.Reaches(t, qredo.FeedCaughtUp)
	require.Equal(t, w.ActionOf(t, w.Send(t, 1000)), f.Next(t).ID)
	f.RequireQuiet(t)
}

func TestFeedStates(t *testing.T) {
	w := clienttest.NewWorld(t)
	w.Asked(t, 1)
	f := clienttest.Follow(t, w.RobotFeed(w.Client))
	var got []qredo.FeedStatus
	take := func(n int) {
		for range n {
			state := clienttest.Receive(t, f.States, "state")
			got = append(got, state.Status)
			require.Equal(t, state.Status == qredo.FeedLost, state.Err != nil)
		}
	}
	take(2)
	w.Srv.DropFeeds()
	take(3)
	w.Srv.DropFeeds()
	take(3)
	f.Stop()
	require.Empty(t, f.States, "an end that was asked for is no loss")
	require.Equal(t, []qredo.FeedStatus{
		qredo.FeedConnected, qredo.FeedCaughtUp, qredo.FeedLost, qredo.FeedConnected, qredo.FeedCaughtUp,
		qredo.FeedLost, qredo.FeedConnected, qredo.FeedCaughtUp,
	}, got)
}

// A connection that is open and dead is noticed within two periods.
func TestHalfOpenConnectionIsNoticed(t *testing.T) {
	t.Parallel()
	w := clienttest.NewWorld(t)
	const period = time.Second
	f := clienttest.Follow(t, w.RobotFeed(w.Client), qredo.WithPing(period))
	for range 3 {
		f.Reaches(t, qredo.FeedCaughtUp)
		frozen := time.Now()
		w.Srv.FreezeFeeds()
		lost := f.Reaches(t, qredo.FeedLost)
		require.ErrorContains(t, lost.Err, "no answer to a ping")
		assert.Less(t, time.Since(frozen), 2*period)
	}
}

// Two loops over one feed are two feeds.
func TestFeedIsRangedOverTwice(t *testing.T) {
	w := clienttest.NewWorld(t)
	asked := w.Asked(t, 1)
	feed := w.Client.CoreClients.Feed(clienttest.Within(t, clienttest.Patience), w.Robot.ID)
	for range 2 {
		count := 0
		for action, err := range feed {
			require.NoError(t, err)
			require.Contains(t, asked, action.ID)
			count++
			break
		}
		require.Equal(t, 1, count)
	}
}

// However a feed ends, nothing of it goes on.
func TestFeedLeavesNothingBehind(t *testing.T) {
	w := clienttest.NewWorld(t)
	w.Asked(t, 3)
	for name, end := range map[string]func(ctx context.Context, cancel func(), programs *qredo.CoreClientsService){
		"break": func(ctx context.Context, _ func(), programs *qredo.CoreClientsService) {
			for _, err := range programs.Feed(ctx, w.Robot.ID) {
				require.NoError(t, err)
				break
			}
		},
		"cancel in the loop": func(ctx context.Context, cancel func(), programs *qredo.CoreClientsService) {
			for _, err := range programs.Feed(ctx, w.Robot.ID) {
				require.NoError(t, err)
				cancel()
			}
		},
		"break in an error": func(ctx context.Context, _ func(), programs *qredo.CoreClientsService) {
			for _, err := range programs.Feed(ctx, "nobody") {
				require.ErrorIs(t, err, qredo.ErrNotFound)
				break
			}
		},
		"panic": func(ctx context.Context, _ func(), programs *qredo.CoreClientsService) {
			defer func() { require.Equal(t, "the consumer", recover()) }()
			for _, err := range programs.Feed(ctx, w.Robot.ID) {
				require.NoError(t, err)
				panic("the consumer")
			}
		},
		"lost connections": func(ctx context.Context, _ func(), programs *qredo.CoreClientsService) {
			lost := 0
			for _, err := range programs.Feed(ctx, w.Robot.ID, qredo.WithBackoff(1, 1), qredo.WithFeedState(func(s qredo.FeedState) {
				if s.Status == qredo.FeedCaughtUp && lost < 5 {
					lost++
					w.Srv.DropFeeds()
					w.Send(t, 1000)
				}
			})) {
				require.NoError(t, err)
				if lost == 5 {
					break
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), clienttest.Patience)
			defer cancel()
			before := goleak.IgnoreCurrent()
			transport := &http.Transport{}
			client := w.Srv.Client(qredo.WithHTTPClient(&http.Client{Transport: transport}))
			end(ctx, cancel, client.CoreClients)
			transport.CloseIdleConnections()
			goleak.VerifyNone(t, before)
		})
	}
}

// serveInTime serves the feed of the hub in a bubble of time, and returns when connections are made.
func serveInTime(t *testing.T, options websocket.AcceptOptions, serve func(ctx context.Context, ws *websocket.Conn)) (*qredo.Client, *[]time.Time) {
	var connected []time.Time
	return clienttest.ServePipes(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path != "/liquidityhub/feed" {
			fmt.Fprint(w, `{"items":[]}`)
			return
		}
		ws, err := clienttest.AcceptWebSocket(w, req, &options)
		if err != nil {
			return
		}
		defer func() { _ = ws.CloseNow() }()
		connected = append(connected, time.Now())
		serve(ws.CloseRead(req.Context()), ws)
	})), &connected
}

func quote(n int) []byte { return fmt.Appendf(nil, `{"txID":"t%d","status":"taker_pending"}`, n) }

// Connections that end at once make the pauses grow, as failed ones do. A connection that delivered something, or lasted,
// resets them.
func TestPausesGrowWhileConnectionsEndAtOnce(t *testing.T) {
	const shortest, longest, ping = time.Second, 16 * time.Second, 30 * time.Second
	for name, tc := range map[string]struct {
		serve func(ctx context.Context, ws *websocket.Conn, n int)
		grow  bool
	}{
		"ends at once":              {func(context.Context, *websocket.Conn, int) {}, true},
		"ends before a ping is due": {func(ctx context.Context, _ *websocket.Conn, _ int) { clienttest.Elapse(ctx, ping-time.Millisecond) }, true},
		"gives something and ends": {func(ctx context.Context, ws *websocket.Conn, n int) {
			_ = ws.Write(ctx, websocket.MessageText, quote(n))
		}, false},
		"holds for a while and ends": {func(ctx context.Context, _ *websocket.Conn, _ int) { clienttest.Elapse(ctx, ping) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			clienttest.Bubble(t, func(t *testing.T) {
				var ended []time.Time
				n := 0
				client, connected := serveInTime(t, websocket.AcceptOptions{}, func(ctx context.Context, ws *websocket.Conn) {
					n++
					tc.serve(ctx, ws, n)
					ended = append(ended, time.Now())
				})
				long := 5 * time.Minute
				if tc.grow {
					long = time.Hour
				}
				ctx, cancel := context.WithTimeout(t.Context(), long)
				defer cancel()
				require.NoError(t, clienttest.Drain(client.Swaps.Feed(ctx, qredo.WithBackoff(shortest, longest), qredo.WithPing(ping))))
				synctest.Wait() // until the last connection has ended for the server, too
				most := time.Duration(0)
				for i, at := range (*connected)[1:] {
					most = max(most, at.Sub(ended[i]))
				}
				if tc.grow {
					assert.Greater(t, most, longest/2)
				} else {
					assert.Less(t, most, 2*shortest) // the pause, and the time to end and to make a connection
				}
				assert.Less(t, most, longest+shortest)
			})
		})
	}
}

// A busy connection whose pongs are late is alive: it is cut only when nothing arrives any more.
func TestBusyConnectionsAreNotCutForALatePong(t *testing.T) {
	const ping = 10 * time.Second
	clienttest.Bubble(t, func(t *testing.T) {
		silent := websocket.AcceptOptions{OnPingReceived: func(context.Context, []byte) bool { return false }}
		var last time.Time
		client, connected := serveInTime(t, silent, func(ctx context.Context, ws *websocket.Conn) {
			for n := range 60 {
				if ws.Write(ctx, websocket.MessageText, quote(n)) != nil {
					return
				}
				last = time.Now()
				clienttest.Elapse(ctx, 5*time.Second)
			}
			<-ctx.Done()
		})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var lost time.Time
		given := 0
		for _, err := range client.Swaps.Feed(ctx, qredo.WithPing(ping), qredo.WithFillEvery(time.Hour), qredo.WithFeedState(func(s qredo.FeedState) {
			if s.Status == qredo.FeedLost && lost.IsZero() {
				lost = time.Now()
				cancel()
			}
		})) {
			require.NoError(t, err)
			given++
		}
		assert.Equal(t, 60, given, "five minutes of it")
		assert.Len(t, *connected, 1)
		assert.True(t, lost.After(last))
		assert.LessOrEqual(t, lost.Sub(last), 2*ping+5*time.Second)
	})
}

// If only the algorithms of FIPS 140 are allowed, feeds work all the same, over TLS too.
func TestFeedsWithFIPS140Only(t *testing.T) {
	if !clienttest.FIPS140Only(t) {
		return
	}
	for name, opts := range map[string][]sandbox.Option{"HTTP": nil, "TLS": {sandbox.WithTLS(t.TempDir())}} {
		t.Run(name, func(t *testing.T) {
			w := clienttest.NewWorld(t, opts...)
			f := clienttest.Follow(t, w.RobotFeed(w.Client))
			f.Reaches(t, qredo.FeedCaughtUp)
			action := w.ActionOf(t, w.Send(t, 1000))
			require.Equal(t, action, f.Next(t).ID)
			clienttest.Follow(t, w.Client.Wallets.Feed).Reaches(t, qredo.FeedCaughtUp)
			clienttest.Follow(t, w.Client.Swaps.Feed).Reaches(t, qredo.FeedCaughtUp)
			clienttest.Follow(t, w.Srv.QAPIClient().Transactions.Feed).Reaches(t, qredo.FeedCaughtUp)
			require.Panics(t, func() { sha1.New().Sum(nil) }, "it is not allowed anywhere else")
		})
	}
}
