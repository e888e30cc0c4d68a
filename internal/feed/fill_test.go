package feed_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// hub is the hub's feed and its list in a bubble of time.
type hub struct {
	listed   func() (status, quotes int) // at each look at the list
	serve    func(ctx context.Context, ws *websocket.Conn)
	refuse   func() bool // connections
	looks    atomic.Int32
	connects atomic.Int32
}

func (h *hub) client(t *testing.T) *qredo.Client {
	return clienttest.ServePipes(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path != "/liquidityhub/feed" {
			h.looks.Add(1)
			status, quotes := h.listed()
			w.WriteHeader(status)
			list := ""
			for n := range quotes {
				list += fmt.Sprintf(`,{"tx_id":"t%d"}`, n)
			}
			fmt.Fprintf(w, `{"items":[%s]}`, list[min(1, len(list)):])
			return
		}
		if h.refuse != nil && h.refuse() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		ws, err := clienttest.AcceptWebSocket(w, req, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.CloseNow() }()
		h.connects.Add(1)
		h.serve(ws.CloseRead(req.Context()), ws)
	}), qredo.WithRetry(clienttest.Once))
}

// quiet is a connection that answers pings and delivers nothing.
func quiet(ctx context.Context, _ *websocket.Conn) { <-ctx.Done() }

// told is what a feed reported in a time, and when.
type told struct {
	events []string
	states []string
	errs   []error // of states
}

func (h *hub) follow(t *testing.T, d time.Duration, opts ...qredo.FeedOption) told {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var got told
	start := time.Now()
	at := func(what any) string { return fmt.Sprintf("%s %v", time.Since(start).Round(time.Second), what) }
	opts = append([]qredo.FeedOption{qredo.WithBackoff(time.Second, time.Second), qredo.WithFeedState(func(s qredo.FeedState) {
		got.states, got.errs = append(got.states, at(s.Status)), append(got.errs, s.Err)
	})}, opts...)
	for event, err := range h.client(t).Swaps.Feed(ctx, opts...) {
		require.NoError(t, err)
		got.events = append(got.events, at(event.TxID))
	}
	return got
}

// What a connection does not deliver that answers pings comes from the list, within five minutes or as one was told, and
// then there is another connection.
func TestADeafConnectionIsNoticed(t *testing.T) {
	for name, tc := range map[string]struct {
		opts  []qredo.FeedOption
		event string
		lost  string
	}{
		"by default":   {nil, "5m0s t0", "5m30s lost"},
		"as was told":  {[]qredo.FeedOption{qredo.WithFillEvery(time.Minute), qredo.WithPing(10 * time.Second)}, "2m0s t0", "2m10s lost"},
		"by an option": {[]qredo.FeedOption{qredo.WithFillEvery(100 * time.Second)}, "1m40s t0", "2m10s lost"},
	} {
		t.Run(name, func(t *testing.T) {
			clienttest.Bubble(t, func(t *testing.T) {
				start := time.Now()
				h := &hub{serve: quiet, listed: func() (int, int) {
					if time.Since(start) > 90*time.Second {
						return 200, 1
					}
					return 200, 0
				}}
				got := h.follow(t, 7*time.Minute, tc.opts...)
				require.Equal(t, []string{tc.event}, got.events)
				require.Len(t, got.states, 5)
				require.Equal(t, []string{"0s connected", "0s caught up", tc.lost}, got.states[:3])
				require.ErrorContains(t, got.errs[2], "delivers nothing")
				require.EqualValues(t, 2, h.connects.Load())
			})
		})
	}
}

// A connection is kept if it had nothing to deliver, or delivers a moment later what the list has.
func TestAQuietConnectionIsKept(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		start := time.Now()
		h := &hub{
			listed: func() (int, int) { return 200, int(time.Since(start) / (5 * time.Minute)) },
			serve: func(ctx context.Context, ws *websocket.Conn) {
				for n := 0; ctx.Err() == nil; n++ {
					clienttest.Elapse(ctx, 5*time.Minute)
					clienttest.Elapse(ctx, time.Second)
					_ = ws.Write(ctx, websocket.MessageText, quote(n))
				}
			},
		}
		got := h.follow(t, 29*time.Minute)
		require.Len(t, got.events, 5)
		require.Len(t, got.states, 2)
		h = &hub{serve: quiet, listed: func() (int, int) { return 200, 1 }}
		got = h.follow(t, 59*time.Minute)
		require.Len(t, got.events, 1)
		require.Len(t, got.states, 2)
		require.EqualValues(t, 12, h.looks.Load())
	})
}

// A message that does not end is given up after 30 seconds, although the other side answers pings between its parts.
func TestAMessageThatNeverEnds(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		h := &hub{listed: func() (int, int) { return 200, 0 }, serve: func(ctx context.Context, ws *websocket.Conn) {
			clienttest.Elapse(ctx, 10*time.Second)
			message, err := ws.Writer(ctx, websocket.MessageText)
			for err == nil {
				_, err = message.Write(bytes.Repeat([]byte("x"), 8<<10)) // more than is held back
				clienttest.Elapse(ctx, time.Second)
			}
		}}
		got := h.follow(t, time.Minute)
		require.Equal(t, "40s lost", got.states[2])
		require.ErrorContains(t, got.errs[2], "did not end within 30s")
		require.EqualValues(t, 2, h.connects.Load())
	})
}

// Events of a connection do not wait for a list that cannot be read. The failure is reported once a minute, and retried
// until it succeeds.
func TestAListThatCannotBeRead(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		start := time.Now()
		h := &hub{
			listed: func() (int, int) {
				if time.Since(start) < 150*time.Second {
					return 500, 0
				}
				return 200, 3
			},
			serve: func(ctx context.Context, ws *websocket.Conn) {
				clienttest.Elapse(ctx, 20*time.Second)
				_ = ws.Write(ctx, websocket.MessageText, quote(0))
				<-ctx.Done()
			},
		}
		got := h.follow(t, 4*time.Minute, qredo.WithGiveUp(time.Minute))
		assert.Equal(t, "20s t0", got.events[0])
		assert.Len(t, got.events, 3)
		require.Len(t, got.states, 5)
		assert.Equal(t, []string{"0s connected", "0s behind"}, got.states[:2])
		for _, err := range got.errs[1:4] {
			require.ErrorIs(t, err, qredo.ErrServer)
		}
		assert.EqualValues(t, 1, h.connects.Load())
		assert.Contains(t, got.states[4], "caught up")
		assert.Greater(t, h.looks.Load(), int32(150), "tried again and again")
	})
}

// A list that takes long does not hold up events of a connection.
func TestAListThatIsSlow(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		h := &hub{
			listed: func() (int, int) { clienttest.Elapse(t.Context(), 50*time.Second); return 200, 2 },
			serve: func(ctx context.Context, ws *websocket.Conn) {
				_ = ws.Write(ctx, websocket.MessageText, []byte(`{"txID":"t1","status":"taker_approved"}`))
				<-ctx.Done()
			},
		}
		got := h.follow(t, time.Minute)
		require.Equal(t, []string{"5s t1", "50s t0"}, got.events, "and the list of before does not say that t1 is open")
	})
}

// A connection that cannot be made is reported once a minute, with the reason. In the meantime the list is read.
func TestAConnectionThatCannotBeMade(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		start := time.Now()
		h := &hub{
			serve: quiet, refuse: func() bool { return time.Since(start) < 210*time.Second },
			listed: func() (int, int) { return 200, int(time.Since(start)/(2*time.Minute)) + 1 },
		}
		got := h.follow(t, 4*time.Minute, qredo.WithFillEvery(time.Minute))
		require.Equal(t, []string{"0s t0", "2m0s t1"}, got.events)
		require.Len(t, got.states, 6)
		for i, err := range got.errs[:4] {
			require.ErrorIs(t, err, qredo.ErrServer, "%d", i)
			require.Contains(t, got.states[i], "lost")
		}
	})
}

// A signing agent has no list: a connection that has delivered nothing for a while is replaced, since each new one
// delivers what is pending.
func TestAnAgentsConnectionIsRenewed(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		start := time.Now()
		var mu sync.Mutex // the handlers of two connections may overlap
		var connected []time.Duration
		client := clienttest.ServePipes(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			ws, err := clienttest.AcceptWebSocket(w, req, nil)
			if err != nil {
				return
			}
			mu.Lock()
			connected = append(connected, time.Since(start).Round(time.Second))
			again := len(connected) > 1
			mu.Unlock()
			ctx := ws.CloseRead(req.Context())
			if again {
				_ = ws.Write(ctx, websocket.MessageText, []byte(frameOf("a")))
			}
			<-ctx.Done()
		}))
		ctx, cancel := context.WithTimeout(t.Context(), 16*time.Minute)
		defer cancel()
		given := 0
		for _, err := range client.SigningAgent.Feed(ctx) {
			require.NoError(t, err)
			given++
		}
		require.Equal(t, 1, given)
		mu.Lock()
		defer mu.Unlock()
		require.Equal(t, []time.Duration{0, 5 * time.Minute, 15 * time.Minute}, connected)
	})
}
