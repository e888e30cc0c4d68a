package sandbox

import (
	"net/http"
	"strings"
	"time"

	"github.com/qredo-go/qredo/sandbox/internal/control"
	"github.com/qredo-go/qredo/sandbox/internal/live"
	"github.com/qredo-go/qredo/sandbox/internal/requestlog"
)

// What is told live, by kind: a request with what is known of it, an event, and that something else is to be read anew.
const (
	liveRequest = "request"
	liveChange  = "change"
	liveFaults  = "faults"
	liveFeeds   = "feeds"
	liveClock   = "clock"
	liveReset   = "reset"
)

// A stream gives a sign of life, and has patience with a client that does not read, for so long.
const (
	liveEvery    = 15 * time.Second
	livePatience = 10 * time.Second
)

var callLive = control.Raw[*Sandbox]{Method: http.MethodGet, Path: "/live", Do: func(s *Sandbox, _ ids, w http.ResponseWriter, r *http.Request) error {
	if r.URL.RawQuery != "" {
		return &control.Refusal{Status: http.StatusBadRequest, Reason: "the query: there is nothing to ask for here"}
	}
	s.serveLive(w, r, showLive)
	return nil
}}

// streams are the lists that are told live too, to who asks for an event stream, and what is told of each.
var streams = map[string]string{"/requests": liveRequest, "/events": liveChange}

// serveStream tells what is added to a list, if that is asked for.
func (s *Sandbox) serveStream(w http.ResponseWriter, r *http.Request, path string) bool {
	kind := streams[path]
	if kind == "" || r.Method != http.MethodGet || !strings.Contains(r.Header.Get("Accept"), "text/event-stream") || r.URL.RawQuery != "" {
		return false
	}
	s.serveLive(w, r, func(m live.Message) any {
		if m.Kind != kind {
			return nil
		}
		return showLive(m)
	})
	return true
}

func (s *Sandbox) serveLive(w http.ResponseWriter, r *http.Request, show func(live.Message) any) {
	s.live.Serve(w, r, live.Stream{Every: liveEvery, Patience: livePatience, Show: show})
}

// showLive is what is sent of something that happened.
func showLive(m live.Message) any {
	if p, isRequest := m.Item.(*requestlog.Packed); isRequest {
		return describeRequest(p.Record())
	}
	return m.Item
}
