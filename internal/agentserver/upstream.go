package agentserver

import (
	"context"
	"log/slog"
	"sync"

	"github.com/qredo-go/qredo"
)

// upstream is the state of the connection to the service's feed.
type upstream struct {
	mu        sync.Mutex
	connected bool
	caughtUp  bool
	why       error // it is not connected
	connects  int64
	frames    int64
	unread    int64
}

// follow passes the service's frames to the hub until ctx ends. The feed reconnects for ever.
func (u *upstream) follow(ctx context.Context, agent Agent, hub *Hub, log *slog.Logger, opts ...qredo.FeedOption) {
	state := qredo.WithFeedState(func(s qredo.FeedState) {
		if s.Status == qredo.FeedConnected {
			hub.Reset() // the service sends everything pending again
		}
		u.set(s)
		if s.Err != nil {
			log.Warn("the service's feed is not connected; retrying for ever", "status", string(s.Status), "error", s.Err.Error())
			return
		}
		log.Info("the service's feed", "status", string(s.Status))
	})
	for frame, err := range agent.Frames(ctx, append(opts, state)...) {
		u.mu.Lock()
		if err != nil {
			u.unread++
		} else {
			u.frames++
		}
		u.mu.Unlock()
		if err != nil { // a message that is not JSON, or a refusal; the feed goes on
			log.Warn("the service's feed", "error", err.Error())
			continue
		}
		hub.Publish(frame)
	}
}

func (u *upstream) set(s qredo.FeedState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch s.Status {
	case qredo.FeedConnected:
		u.connected, u.why = true, nil
		u.connects++
	case qredo.FeedCaughtUp:
		u.caughtUp = true
	case qredo.FeedLost, qredo.FeedBehind:
		u.connected, u.caughtUp, u.why = false, false, s.Err
	}
}

// open reports whether the feed is connected, and has caught up.
func (u *upstream) open() (connected, caughtUp bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.connected, u.caughtUp
}
