package agentserver

import (
	"errors"
	"net/http"
	"strings"

	"github.com/qredo-go/qredo"
)

// root is the prefix of the API's paths.
const root = "/api/v1"

// Handler serves the local API, /livez, /readyz and /metrics.
func (s *Server) Handler() http.Handler {
	return s.count(s.guard(http.HandlerFunc(s.route)))
}

// route finds the handler. Paths must match exactly; a wrong method is reported by the status alone, without a header.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	action, isAction := strings.CutPrefix(path, root+"/client/action/")
	isAction = isAction && action != "" && !strings.Contains(action, "/")
	methods := map[string]http.HandlerFunc{}
	switch {
	case path == root+"/register":
		methods[http.MethodPost] = s.answer(s.register)
	case path == root+"/client":
		methods[http.MethodGet] = s.answer(s.client)
	case path == root+"/client/feed":
		methods[http.MethodGet], methods[http.MethodPost] = s.serveFeed, s.serveFeed
	case isAction:
		vote := func(v vote) http.HandlerFunc {
			return s.answer(func(r *http.Request) (any, error) { return s.vote(r, v, action) })
		}
		methods[http.MethodPut], methods[http.MethodDelete] = vote(approve), vote(reject)
	case path == root+"/healthcheck/version":
		methods[http.MethodGet] = s.answer(s.version)
	case path == root+"/healthcheck/status":
		methods[http.MethodGet] = s.answer(s.status)
	case path == root+"/healthcheck/config":
		methods[http.MethodGet] = s.answer(func(*http.Request) (any, error) { return s.config, nil })
	case path == "/livez":
		methods[http.MethodGet] = s.livez
	case path == "/readyz":
		methods[http.MethodGet] = s.readyz
	case path == "/metrics":
		methods[http.MethodGet] = s.serveMetrics
	default:
		http.NotFound(w, r)
		return
	}
	if handle := methods[r.Method]; handle != nil {
		handle(w, r)
		return
	}
	w.WriteHeader(http.StatusMethodNotAllowed)
}

// answer turns a function that returns a response or an error into a handler.
func (s *Server) answer(of func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := of(r)
		if err == nil {
			writeJSON(w, http.StatusOK, body)
			return
		}
		status, detail := s.told(err)
		if status >= http.StatusInternalServerError {
			s.log.Warn("a request has failed", "method", r.Method, "path", r.URL.Path, "error", err.Error())
		}
		writeError(w, status, detail)
	}
}

// told is what callers learn about an error. Whatever the service answers becomes a 500, with its words.
func (s *Server) told(err error) (status int, detail string) {
	var (
		own     *apiError
		service *qredo.Error
		invalid *qredo.ValidationError
	)
	switch {
	case errors.As(err, &own):
		return own.status, own.detail
	case errors.Is(err, ErrHasAgent):
		return http.StatusBadRequest, hasAgent
	case errors.Is(err, ErrNoMessages):
		return http.StatusNotFound, "messages"
	case errors.Is(err, ErrBadSecret):
		return http.StatusInternalServerError, "extract pin: Invalid point"
	case errors.As(err, &service):
		return http.StatusInternalServerError, serviceText(s.config.Base.QredoAPI, service)
	case errors.As(err, &invalid):
		return http.StatusBadRequest, invalid.Error()
	}
	return http.StatusInternalServerError, "request error: " + strings.TrimPrefix(err.Error(), "qredo: ")
}

// clientBody is the body of GET /client. Programs written for the first release ignore the name.
type clientBody struct {
	AgentID   qredo.CoreClientID `json:"agentID"`
	AgentName string             `json:"agentName"`
	FeedURL   string             `json:"feedURL"`
}

func (s *Server) client(*http.Request) (any, error) {
	body := clientBody{FeedURL: s.feedURL()}
	switch agent := s.agent(); {
	case !s.opened():
		return nil, errNotOpened
	case agent != nil:
		body.AgentID, body.AgentName = agent.ID(), agent.Name()
	}
	return body, nil
}

// errNotOpened is the error before the store was read.
var errNotOpened = refuse(http.StatusServiceUnavailable, "the stored identity is not loaded yet")

// feedURL is the local feed's URL, by the address as configured.
func (s *Server) feedURL() string {
	scheme := "ws://"
	if s.config.HTTP.TLS.Enabled {
		scheme = "wss://"
	}
	return scheme + s.config.HTTP.Addr + root + "/client/feed"
}
