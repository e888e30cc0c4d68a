package agentserver

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/qredo-go/qredo"
)

type versionBody struct {
	BuildVersion string `json:"buildVersion"`
	BuildType    string `json:"buildType"`
	BuildDate    string `json:"buildDate"`
}

func (s *Server) version(*http.Request) (any, error) {
	return versionBody{BuildVersion: qredo.Version, BuildType: "dev"}, nil
}

type statusBody struct {
	Websocket websocketBody `json:"websocket"`
}

type websocketBody struct {
	ReadyState       string `json:"readyState"`
	RemoteFeedURL    string `json:"remoteFeedURL"`
	LocalFeedURL     string `json:"localFeedURL"`
	ConnectedClients int    `json:"connectedClients"`
}

// status describes the feed: OPEN, CONNECTING while it keeps trying, without end, or CLOSED while there is no agent.
func (s *Server) status(*http.Request) (any, error) {
	body := websocketBody{
		ReadyState: "CLOSED", RemoteFeedURL: s.config.Websocket.QredoWebsocket, LocalFeedURL: s.feedURL(), ConnectedClients: s.hub.figures().subscribers,
	}
	switch connected, _ := s.upstream.open(); {
	case connected:
		body.ReadyState = "OPEN"
	case s.agent() != nil:
		body.ReadyState = "CONNECTING"
	}
	return statusBody{body}, nil
}

// livez reports that the program runs.
func (s *Server) livez(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "ok\n")
}

const partOK = "ok"

// readiness is what the agent needs to do its work. Anybody may read the reasons, so they name no place; the log has the
// errors.
type readiness struct {
	Ready    bool   `json:"ready"`
	Identity string `json:"identity"`
	Feed     string `json:"feed"`
	Store    string `json:"store"`
}

func (s *Server) readiness(ctx context.Context) readiness {
	r := readiness{Identity: partOK, Feed: partOK, Store: partOK}
	switch {
	case s.agent() != nil:
	case s.opened():
		r.Identity = "no agent is registered"
	default:
		r.Identity = "the stored identity is not loaded yet"
	}
	switch connected, caughtUp := s.upstream.open(); {
	case !connected:
		r.Feed = "not connected to the service"
	case !caughtUp:
		r.Feed = "has not caught up yet"
	}
	if err := s.store.look(ctx, s.now(), s.backend.CheckStore); err != nil {
		r.Store = "cannot be written, or what is shared cannot be reached"
	}
	r.Ready = r.Identity == partOK && r.Feed == partOK && r.Store == partOK
	return r
}

func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	now := s.readiness(r.Context())
	status := http.StatusOK
	if !now.Ready {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, now)
}

// storeCheck looks at the store at intervals, however often it is asked.
type storeCheck struct {
	mu  sync.Mutex
	at  time.Time
	err error
}

const storeCheckEvery = 5 * time.Second

func (c *storeCheck) look(ctx context.Context, now time.Time, check func(context.Context) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if age := now.Sub(c.at); c.at.IsZero() || age < 0 || age >= storeCheckEvery {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		c.at, c.err = now, check(ctx)
	}
	return c.err
}
