package agentserver_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/agentserver"
	"github.com/qredo-go/qredo/internal/clienttest"
)

func agentID(i int) qredo.ActionID { return qredo.ActionID(fmt.Sprint(i)) }

var inAnHour = time.Now().Add(time.Hour).Unix()

// lasting is a frame of an action that is pending for long.
func lasting(id string) string {
	return fmt.Sprintf(`{"id":"%s", "coreClientID" : "c","type":"ApproveTransfer","status":"pending","timestamp":1,"expireTime":%d}`, id, inAnHour)
}

// Frames arrive as they were sent; later subscribers get what is pending; after the connection to the service was lost,
// all get everything pending again, on their existing feeds.
func TestLocalFeed(t *testing.T) {
	a, service := newAgent(t, lasting("a"))
	r := start(t, agentserver.Default(), &backend{stored: a})
	r.open()
	first := r.subscribe()
	require.Equal(t, lasting("a"), next(t, first))
	odd := `{"id":"odd","a":1,"a":2,"n":1.50,"t":"\u0041<&>"}`
	service.frames <- odd
	require.Equal(t, odd, next(t, first))
	service.frames <- lasting("b")
	require.Equal(t, lasting("b"), next(t, first))
	second := r.subscribe()
	require.Equal(t, lasting("a"), next(t, second))
	require.Equal(t, lasting("b"), next(t, second))
	r.waitFor("/api/v1/healthcheck/status", `"connectedClients":2`)

	require.Equal(t, 200, r.call("PUT", "/api/v1/client/action/b", "").status)
	third := r.subscribe()
	require.Equal(t, lasting("a"), next(t, third))

	service.frames <- lasting("gone")
	for _, ws := range []*websocket.Conn{first, second, third} {
		require.Equal(t, lasting("gone"), next(t, ws))
	}
	service.cut <- struct{}{}
	for _, ws := range []*websocket.Conn{first, second, third} { // b was sent to two of them, and is no longer pending
		require.Equal(t, lasting("a"), next(t, ws))
	}
	fourth := r.subscribe()
	require.Equal(t, lasting("a"), next(t, fourth), "and nothing that has ended meanwhile")
	service.frames <- "7"
	require.Equal(t, "7", next(t, third))
	require.Equal(t, "7", next(t, fourth))
	require.NoError(t, fourth.CloseNow())

	// A subscriber that goes is noticed.
	require.NoError(t, second.CloseNow())
	r.waitFor("/api/v1/healthcheck/status", `"connectedClients":2`)
	require.NoError(t, third.Close(websocket.StatusNormalClosure, ""))
	r.waitFor("/api/v1/healthcheck/status", `"connectedClients":1`)

	// Subscribers learn that the agent shuts down.
	go func() { assert.NoError(t, r.stop()) }()
	for {
		_, _, err := first.Read(clienttest.Within(t, 20*time.Second))
		if err != nil {
			require.Equal(t, websocket.StatusGoingAway, websocket.CloseStatus(err))
			break
		}
	}
	require.NoError(t, r.stop())
}

// A client's pings are answered, and it is pinged. Other frames from it have no effect.
func TestPings(t *testing.T) {
	t.Parallel()
	a, service := newAgent(t)
	c := agentserver.Default()
	c.Websocket.PingPeriodSec = 1
	r := start(t, c, &backend{stored: a})
	r.open()
	pinged := make(chan struct{}, 10)
	ws, answer, err := clienttest.DialWebSocket(t.Context(), "ws"+strings.TrimPrefix(r.base, "http")+"/api/v1/client/feed", &websocket.DialOptions{
		OnPingReceived: func(context.Context, []byte) bool { pinged <- struct{}{}; return true },
	})
	require.NoError(t, err)
	if answer.Body != nil {
		_ = answer.Body.Close()
	}
	defer func() { _ = ws.CloseNow() }()
	frames := make(chan string, 1)
	go func() {
		_, data, _ := ws.Read(context.WithoutCancel(t.Context()))
		frames <- string(data)
	}()
	require.NoError(t, ws.Ping(clienttest.Within(t, 10*time.Second)))
	require.NoError(t, ws.Write(t.Context(), websocket.MessageText, []byte("hello")))
	require.NoError(t, ws.Write(t.Context(), websocket.MessageBinary, []byte{1}))
	clienttest.Receive(t, pinged, "a ping")
	clienttest.Receive(t, pinged, "another")
	service.frames <- "1"
	require.Equal(t, "1", clienttest.Receive(t, frames, "the frame"))
}

// A subscriber that reads nothing does not hold up another, nor the end of the server.
func TestStuckSubscriber(t *testing.T) {
	t.Parallel()
	a, service := newAgent(t)
	r := start(t, agentserver.Default(), &backend{stored: a})
	r.open()
	stuck, reads := r.subscribe(), r.subscribe()
	reads.SetReadLimit(-1)
	long := `{"more":"` + strings.Repeat("x", 50<<10) + `"}`
	for range 480 { // more than the network holds, and than may be queued
		service.frames <- long
		require.Equal(t, long, next(t, reads))
	}
	r.waitFor("/metrics", "qredo_signing_agent_subscribers_behind_total 1\n")
	service.frames <- lasting("a")
	require.Equal(t, lasting("a"), next(t, reads))
	stuck.SetReadLimit(-1)
	for got := ""; got != lasting("a"); { // it is not dropped, and misses nothing that is pending
		got = next(t, stuck)
	}
	began := time.Now()
	require.NoError(t, r.stop())
	require.Less(t, time.Since(began), 15*time.Second)
}

// While the service is away the agent serves, and says so; it goes on when the service is back.
func TestServiceIsAway(t *testing.T) {
	t.Parallel()
	a, service := newAgent(t)
	inner := service.Server.Config.Handler
	away := make(chan struct{})
	service.Server.Config.Handler = awayUntil(away, inner)
	c := agentserver.Default()
	c.Websocket.ReconnectIntervalSec = 1
	r := start(t, c, &backend{stored: a, opens: []error{clienttest.RequireError(t, func() error {
		_, err := clienttest.NewClient(t, clienttest.FailingWith(503)).Companies.Get(t.Context(), "C")
		return err
	}())}})
	for _, call := range [][2]string{{"POST", "/register"}, {"GET", "/client"}, {"PUT", "/client/action/a"}, {"DELETE", "/client/action/a"}} {
		requireRefused(t, r.call(call[0], "/api/v1"+call[1], "{}"), 503, "the stored identity is not loaded yet") // it is not known whether there is an agent
	}
	r.waitFor("/api/v1/healthcheck/status", `"CONNECTING"`)
	requireRefused(t, r.call("GET", "/api/v1/client/feed", "", "Connection", "keep-alive, upgrade", "Upgrade", "WebSocket"), 503, "the agent is not connected")
	require.Contains(t, r.call("GET", "/readyz", "").body, `"feed":"not connected to the service"`)
	close(away)
	r.open()
	r.waitFor("/readyz", `"ready":true`)
}
