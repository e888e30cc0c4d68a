package agentserver

import (
	"context"
	"crypto/fips140"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
)

const (
	stuckTime    = 5 * time.Minute // a subscriber that reads nothing for this long is disconnected; it may come back
	farewellTime = 2 * time.Second // for subscribers that have to be told that the server ends
)

// serveFeed serves the service's frames to a subscriber. Without an upgrade it answers as the old program did.
func (s *Server) serveFeed(w http.ResponseWriter, r *http.Request) {
	connected, _ := s.upstream.open()
	switch upgrade := isUpgrade(r); {
	case !upgrade && connected:
		w.Header().Set("X-Content-Type-Options", "nosniff")
		http.Error(w, "Bad Request", http.StatusBadRequest)
		_, _ = io.WriteString(w, okBody)
		return
	case !upgrade:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = io.WriteString(w, okBody)
		return
	case r.Method != http.MethodGet:
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case r.Header.Get("Origin") != "" && !sameOrigin(r.Header.Get("Origin"), r.Host): // not even if other calls are allowed
		w.Header().Set("X-Content-Type-Options", "nosniff")
		http.Error(w, "Forbidden", http.StatusForbidden)
		return
	case !connected:
		w.Header().Set("Retry-After", "5")
		writeError(w, http.StatusServiceUnavailable, "the agent is not connected to the service's feed: try again")
		return
	}
	subscriber, ok := s.hub.Subscribe()
	if !ok {
		writeError(w, http.StatusServiceUnavailable, "there are too many feeds open")
		return
	}
	defer subscriber.Leave()
	if !s.enter() {
		writeError(w, http.StatusServiceUnavailable, "the agent is shutting down")
		return
	}
	defer s.feeds.Done()
	var ws *websocket.Conn
	var err error
	fips140.WithoutEnforcement(func() { // the handshake needs SHA-1, but not for security
		ws, err = websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // the origin was already checked
	})
	if err == nil { // otherwise it has answered
		s.serveSubscriber(ws, subscriber)
	}
}

// serveSubscriber writes frames to a subscriber until it disconnects, or the server ends. It answers pings, and ignores
// everything else.
func (s *Server) serveSubscriber(ws *websocket.Conn, subscriber *Subscriber) {
	ctx, cancel := context.WithCancel(s.running)
	ended := make(chan struct{})
	defer func() {
		cancel()
		close(ended)
		_ = ws.CloseNow()
	}()
	uncut := context.WithoutCancel(ctx) // if a context ends during a read or write, the connection is cut
	s.feeds.Go(func() {                 // answers pings and closes, notices a disconnected subscriber
		defer cancel()
		for {
			_, message, err := ws.Reader(uncut)
			if err == nil {
				_, err = io.Copy(io.Discard, message)
			}
			if err != nil {
				return
			}
		}
	})
	s.feeds.Go(func() { s.ping(ctx, ws) })
	s.feeds.Go(func() { // a subscriber that does not read must not hold up the server's end
		select {
		case <-s.running.Done():
		case <-ended:
			return
		}
		timer := time.NewTimer(farewellTime)
		defer timer.Stop()
		select {
		case <-timer.C:
			_ = ws.CloseNow()
		case <-ended:
		}
	})
	for {
		frame, err := subscriber.Next(ctx)
		if err != nil {
			break
		}
		writing, done := context.WithTimeout(uncut, stuckTime)
		err = ws.Write(writing, websocket.MessageText, frame)
		done()
		if err != nil {
			return
		}
	}
	if s.running.Err() != nil {
		_ = ws.Close(websocket.StatusGoingAway, "the agent is shutting down") // waits up to 5 s for the other's close
	}
}

// ping pings a subscriber. One that does not answer is slow, but not gone: that shows when writing fails.
func (s *Server) ping(ctx context.Context, ws *websocket.Conn) {
	period := time.Duration(s.config.Websocket.PingPeriodSec) * time.Second
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		patience, done := context.WithTimeout(context.WithoutCancel(ctx), period)
		_ = ws.Ping(patience)
		done()
	}
}

// isUpgrade reports whether a request asks for a WebSocket.
func isUpgrade(r *http.Request) bool {
	return hasToken(r.Header.Values("Connection"), "upgrade") && hasToken(r.Header.Values("Upgrade"), "websocket")
}

func hasToken(values []string, token string) bool {
	for _, value := range values {
		for one := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(one), token) {
				return true
			}
		}
	}
	return false
}
