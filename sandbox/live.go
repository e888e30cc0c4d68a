package sandbox

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/qredo-go/qredo/sandbox/internal/control"
	"github.com/qredo-go/qredo/sandbox/internal/live"
	"github.com/qredo-go/qredo/sandbox/internal/requestlog"
)

// The kinds of live messages: that the stream has started, a request with what is known of it, an event, and that something
// else has changed and should be read again.
const (
	liveBegun   = "live"
	liveRequest = "request"
	liveChange  = "change"
	liveFaults  = "faults"
	liveFeeds   = "feeds"
	liveClock   = "clock"
	liveReset   = "reset"
)

// How often a stream sends a sign of life, and how long it waits for a client that does not read.
const (
	liveEvery    = 15 * time.Second
	livePatience = 10 * time.Second
)

var callLive = control.Raw[*Sandbox]{Method: http.MethodGet, Path: "/live", Do: func(s *Sandbox, _ ids, w http.ResponseWriter, r *http.Request) error {
	if r.URL.RawQuery != "" {
		return &control.Refusal{Status: http.StatusBadRequest, Reason: "the query: this call has no parameters"}
	}
	s.serveLive(w, r, showLive)
	return nil
}}

// streams are the lists that can also be followed live, as event streams, and the kind of their messages.
var streams = map[string]string{"/requests": liveRequest, "/events": liveChange}

// serveStream streams additions to a list, if the request asks for that.
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

// showLive is the message about something that happened.
func showLive(m live.Message) any {
	if p, isRequest := m.Item.(*requestlog.Packed); isRequest {
		return describeRequest(p.Record())
	}
	return m.Item
}

// LiveMessage is something that has just happened.
type LiveMessage struct {
	// Kind is "live" for the first message: whatever happens after it is reported. After that it is "request", "change" for an
	// event, or "faults", "feeds", "clock" or "reset" if these have changed: ask for them again.
	Kind    string
	Request *RequestRecord // for "request"
	Event   *Event         // for "change"
}

// Live reports what happens, as it happens, until ctx ends; the last error is then that of ctx. The last error matches [io.EOF]
// if the sandbox was closed, or if you read so slowly that some messages are lost: ask for everything again.
func (s *Sandbox) Live(ctx context.Context) iter.Seq2[LiveMessage, error] {
	return func(yield func(LiveMessage, error) bool) {
		heard := s.live.Listen()
		defer heard.Leave()
		for m := (LiveMessage{Kind: liveBegun}); yield(m, nil); {
			select {
			case <-ctx.Done():
				yield(LiveMessage{}, ctx.Err())
				return
			case next, open := <-heard.C:
				if !open {
					yield(LiveMessage{}, io.EOF)
					return
				}
				m = LiveMessage{Kind: next.Kind}
				switch shown := showLive(next).(type) {
				case RequestRecord:
					m.Request = &shown
				case *Event:
					m.Event = shown
				}
			}
		}
	}
}

// Live reports what happens in the sandbox: see [Sandbox.Live]. A silently lost connection is not noticed until something is
// reported.
func (c *Control) Live(ctx context.Context) iter.Seq2[LiveMessage, error] {
	return func(yield func(LiveMessage, error) bool) {
		stream, err := callLive.Open(ctx, c.client(), "", nil)
		if err != nil {
			yield(LiveMessage{}, err)
			return
		}
		defer stream.Close()
		lines := bufio.NewReader(stream)
		for going := true; going; {
			var m LiveMessage
			if m, err = readLive(lines); err != nil && ctx.Err() != nil {
				err = ctx.Err()
			}
			going = yield(m, err) && err == nil
		}
	}
}

// readLive reads a message of a server-sent event stream.
func readLive(lines *bufio.Reader) (m LiveMessage, err error) {
	for {
		line, err := lines.ReadString('\n')
		if err != nil { // however the connection ends
			return LiveMessage{}, fmt.Errorf("sandbox: what is told live: %w: %w", io.EOF, err)
		}
		if line == ": "+liveBegun+"\n" {
			return LiveMessage{Kind: liveBegun}, nil
		}
		if kind, found := strings.CutPrefix(line, "event: "); found {
			m.Kind = strings.TrimSpace(kind)
		}
		data, found := strings.CutPrefix(line, "data: ")
		if !found {
			continue
		}
		switch m.Kind {
		case liveRequest:
			err = json.Unmarshal([]byte(data), &m.Request)
		case liveChange:
			err = json.Unmarshal([]byte(data), &m.Event)
		}
		if err != nil {
			return LiveMessage{}, fmt.Errorf("sandbox: a %s that is told live: %w", m.Kind, err)
		}
		return m, nil
	}
}
