package sandbox

import (
	"net/http"
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
	s.live.Serve(w, r, live.Stream{Every: liveEvery, Patience: livePatience, Show: showLive})
	return nil
}}

// showLive is what is sent of something that happened.
func showLive(m live.Message) any {
	if p, isRequest := m.Item.(*requestlog.Packed); isRequest {
		return describeRequest(p.Record())
	}
	return m.Item
}
