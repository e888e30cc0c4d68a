package feed_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

func frameOf(id string) string {
	return `{"id":"` + id + `","coreClientID":"c","type":"ApproveTransfer","status":"pending","timestamp":1,"expireTime":9000000000}`
}

// sized is a frame of exactly the given number of bytes.
func sized(id string, bytes int) string {
	frame := strings.TrimSuffix(frameOf(id), "}") + `,"padding":"`
	return frame + strings.Repeat("x", bytes-len(frame)-2) + `"}`
}

// A message that is not an event is reported as an error, or ignored if it has an event's fields and more; the feed goes
// on after it.
func TestFrames(t *testing.T) {
	const limit = 64 << 10
	bad, good := false, true
	for name, tc := range map[string]struct {
		frame string
		good  bool
		says  string
	}{
		"nothing":              {"", bad, "not JSON"},
		"blanks":               {" \n", bad, "not JSON"},
		"text":                 {"hello", bad, "not JSON"},
		"cut":                  {frameOf("a")[:50], bad, "not JSON"},
		"two":                  {frameOf("a") + frameOf("b"), bad, "not JSON"},
		"not UTF-8":            {"\xff\xfe", bad, "not JSON"},
		"null":                 {"null", bad, "id: is missing"},
		"a number":             {"7", bad, "object"},
		"a list of two":        {"[" + frameOf("a") + "," + frameOf("b") + "]", bad, "object"},
		"no ID":                {`{"type":"ApproveTransfer","status":"pending"}`, bad, "id: is missing"},
		"empty ID":             {frameOf(""), bad, "id: is missing"},
		"a wrong type":         {`{"id":"a","expireTime":"soon"}`, bad, "expireTime"},
		"a list for text":      {`{"id":["a","b"]}`, bad, "id"},
		"very deep":            {strings.Repeat(`{"a":`, 12_000), bad, "not JSON"},
		"too long by one":      {sized("a", limit+1), bad, "longer than 65536 bytes"},
		"far too long":         {sized("a", 3<<20), bad, "longer than 65536 bytes"},
		"as long as can be":    {sized("new", limit), good, ""},
		"unknown fields":       {`{"new":{"a":[1,2]},` + frameOf("new")[1:], good, ""},
		"snake case and text":  {`{"id":"new","core_client_id":"c","type":"ApproveTransfer","status":"pending","timestamp":"1","expire_time":"9000000000"}`, good, ""},
		"the tool's client ID": {strings.Replace(frameOf("new"), "coreClientID", "clientID", 1), good, ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := clienttest.ServeFeed(t, func(ctx context.Context, ws *websocket.Conn, _ int) {
				for _, frame := range []string{frameOf("first"), tc.frame, frameOf("last")} {
					_ = ws.Write(ctx, websocket.MessageText, []byte(frame))
				}
				<-ctx.Done()
			})
			f := clienttest.Follow(t, server.Actions)
			first := f.Next(t)
			require.Equal(t, qredo.ActionID("first"), first.ID)
			if tc.good {
				want := first
				want.ID = "new"
				require.Equal(t, want, f.Next(t))
			} else {
				err := f.Failure(t)
				require.ErrorIs(t, err, qredo.ErrBadAnswer)
				require.ErrorContains(t, err, tc.says)
				require.ErrorContains(t, err, "qredo: feed /coreclient/"+clienttest.CoreID+"/feed: ")
				require.Less(t, len(err.Error()), 500)
			}
			require.Equal(t, qredo.ActionID("last"), f.Next(t).ID)
			f.RequireQuiet(t)
			require.EqualValues(t, 1, server.Connections.Load(), "the connection was kept")
		})
	}
}

// Frames that are binary or come in parts are read as well.
func TestFramesInOtherForms(t *testing.T) {
	server := clienttest.ServeFeed(t, func(ctx context.Context, ws *websocket.Conn, _ int) {
		_ = ws.Write(ctx, websocket.MessageBinary, []byte(frameOf("binary")))
		w, err := ws.Writer(ctx, websocket.MessageText)
		if err != nil {
			return
		}
		for _, part := range strings.SplitAfter(frameOf("parts"), ",") {
			_, _ = w.Write([]byte(part))
		}
		_ = w.Close()
		<-ctx.Done()
	})
	f := clienttest.Follow(t, server.Actions)
	require.Equal(t, qredo.ActionID("binary"), f.Next(t).ID)
	require.Equal(t, qredo.ActionID("parts"), f.Next(t).ID)
	f.RequireQuiet(t)
}

// A server that ends the connection, politely or not, is connected to again.
func TestServerEndsConnections(t *testing.T) {
	server := clienttest.ServeFeed(t, func(ctx context.Context, ws *websocket.Conn, connection int) {
		_ = ws.Write(ctx, websocket.MessageText, []byte(frameOf(fmt.Sprint(connection))))
		switch connection {
		case 1:
			_ = ws.Close(websocket.StatusGoingAway, "restart")
		case 2:
			_ = ws.CloseNow()
		default:
			<-ctx.Done()
		}
	})
	f := clienttest.Follow(t, server.Actions)
	for i := 1; i <= 3; i++ {
		require.Equal(t, qredo.ActionID(fmt.Sprint(i)), f.Next(t).ID)
	}
	f.RequireQuiet(t)
}

// A refusal is reported each time, and retried. Temporary failures are not reported.
func TestRefusedUpgrades(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		told   bool
	}{
		"401": {401, true}, "403": {403, true}, "404": {404, true}, "redirect": {302, true}, "no feed": {200, true},
		"429": {429, false}, "500": {500, false}, "503": {503, false},
	} {
		t.Run(name, func(t *testing.T) {
			var refusals atomic.Int32
			server := clienttest.ServeFeed(t, func(ctx context.Context, ws *websocket.Conn, _ int) {
				_ = ws.Write(ctx, websocket.MessageText, []byte(frameOf("a")))
				<-ctx.Done()
			})
			inner := server.Server.Config.Handler
			server.Server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if strings.HasSuffix(req.URL.Path, "/feed") && refusals.Add(1) <= 3 {
					w.Header().Set("Location", "/elsewhere")
					w.WriteHeader(tc.status)
					fmt.Fprint(w, `{"code":1,"msg":"not you","detail":{"reason":"because"}}`)
					return
				}
				inner.ServeHTTP(w, req)
			})
			f := clienttest.Follow(t, server.Actions)
			if tc.told {
				for range 3 {
					e := clienttest.RequireError(t, f.Failure(t))
					require.Equal(t, tc.status, e.StatusCode)
					require.Equal(t, "/coreclient/"+clienttest.CoreID+"/feed", e.Path)
					if tc.status >= 300 {
						require.Equal(t, []string{"not you", "because"}, []string{e.Msg, e.Reason})
					}
				}
			}
			require.Equal(t, qredo.ActionID("a"), f.Next(t).ID)
			f.RequireQuiet(t)
		})
	}
}

// A feed that cannot be connected tries for ever, or for as long as it was told.
func TestGiveUp(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		start := time.Now()
		var dials []time.Time
		client := clienttest.NewQuickClient(t, clienttest.NotingDials(&dials, clienttest.Failing(clienttest.ErrRefused)))
		values := 0
		for event, err := range client.Swaps.Feed(t.Context(), qredo.WithGiveUp(10*time.Minute)) {
			values++
			require.Zero(t, event)
			require.ErrorIs(t, err, clienttest.ErrRefused)
			require.ErrorContains(t, err, "not connected for 10m0s")
		}
		assert.Equal(t, 1, values)
		assert.GreaterOrEqual(t, time.Since(start), 10*time.Minute)
		assert.LessOrEqual(t, time.Since(start), 10*time.Minute+30*time.Second, "at most a pause more")
		assert.Equal(t, time.Now(), dials[len(dials)-1])

		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Hour)
		defer cancel()
		require.NoError(t, clienttest.Drain(client.Swaps.Feed(ctx)))
		assert.Greater(t, dials[len(dials)-1].Sub(start), 49*time.Hour, "for ever")
	})
}

// Pauses double to their limit, and are drawn at random below.
func TestFeedBackoff(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		longest := [6]time.Duration{}
		for range 100 {
			var times []time.Time
			client := clienttest.NewQuickClient(t, clienttest.NotingDials(&times, clienttest.Failing(clienttest.ErrRefused)))
			require.Error(t, clienttest.Drain(client.Swaps.Feed(t.Context(), qredo.WithBackoff(time.Second, 10*time.Second), qredo.WithGiveUp(time.Minute))))
			for i, pause := range clienttest.Pauses(times)[:len(longest)] {
				longest[i] = max(longest[i], pause)
			}
		}
		for i, seconds := range []float64{1, 2, 4, 8, 10, 10} {
			assert.LessOrEqual(t, longest[i].Seconds(), seconds)
			assert.Greater(t, longest[i].Seconds(), seconds*0.9)
		}
	})
}

// A consumer that does not come back for a while gets everything all the same, over the same connection;
// meanwhile the program holds a small part of it.
func TestSlowConsumer(t *testing.T) {
	const frames, size = 6000, 4 << 10 // 24 MB: more than the network holds
	written := make(chan int, 100*frames)
	server := clienttest.ServeFeed(t, func(ctx context.Context, ws *websocket.Conn, _ int) {
		for i := range frames {
			if ws.Write(ctx, websocket.MessageText, []byte(sized(fmt.Sprint(i), size))) != nil {
				return
			}
			written <- i
		}
		<-ctx.Done()
	})
	lost := 0
	feed := server.Actions(clienttest.Within(t, time.Minute), qredo.WithPing(600*time.Millisecond), qredo.WithFeedState(func(s qredo.FeedState) {
		if s.Status == qredo.FeedLost {
			t.Log(s.Err)
			lost++
		}
	}))
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	next := 0
	for action, err := range feed {
		require.NoError(t, err)
		require.Equal(t, qredo.ActionID(fmt.Sprint(next)), action.ID)
		if next++; next == 1 {
			until := 0
			for stuck := false; !stuck; {
				select {
				case until = <-written:
				case <-time.After(2400 * time.Millisecond): // four periods of pings
					stuck = true
				}
			}
			require.Less(t, until, frames-1, "the server waits for the consumer")
			runtime.GC()
			runtime.ReadMemStats(&during)
			require.Less(t, int64(during.HeapAlloc)-int64(before.HeapAlloc), int64(4<<20))
		}
		if next == frames {
			break
		}
	}
	require.Equal(t, frames, next)
	require.Zero(t, lost)
	require.EqualValues(t, 1, server.Connections.Load())
}
