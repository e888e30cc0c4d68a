package sandbox

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/path"
	"github.com/qredo-go/qredo/internal/wire"
	"github.com/qredo-go/qredo/sandbox/internal/access"
)

const maxBody = 1 << 20 // bytes of a request

// request is an authenticated call of an operation.
type request struct {
	key     *access.Key
	agent   string            // the client ID of the signing agent whose proof it carries; then key is nil
	baseURL string            // as the client sees it
	path    map[string]string // what stands at the path's placeholders
	query   url.Values
	body    []byte

	st      *state
	now     time.Time
	assets  []qredo.Asset
	choices choices
	ids     *idSource // of commands only
	changes []change  // what a command wants changed
}

// change notes what a command changes: all of it or, if the command ends with an error, nothing.
func (r *request) change(changes ...change) { r.changes = append(r.changes, changes...) }

// read fills v from the body, in any of the forms that clients send.
func (r *request) read(v any) error {
	if len(r.body) == 0 {
		return badRequest("the body is empty")
	}
	if err := wire.Unmarshal(r.body, v); err != nil {
		return badRequest("%v", err)
	}
	return nil
}

// api is one of the two APIs: what is served below its base paths.
type api struct {
	bases  []string
	routes []route
	// authenticate sets who has made a request.
	authenticate func(s *Sandbox, sent access.Request, route *route, req *request) error
}

const (
	basePath  = "/api/v1/p"
	otherPath = qapiPath + "/p" // where the hosted sandbox had the Partner API too
	qapiPath  = "/qapi/v1"
)

var (
	partnerAPI = &api{[]string{basePath, otherPath}, partnerRoutes, (*Sandbox).authenticatePartner}
	qredoAPI   = &api{[]string{qapiPath}, qapiRoutes, (*Sandbox).authenticateHMAC}
)

// apiOf finds the API that a path belongs to, and the base path and the rest that it is made of. What lies
// below no base path is the Partner API's to refuse, without a base.
func apiOf(path string) (a *api, base, rest string) {
	for _, a := range []*api{partnerAPI, qredoAPI} {
		for _, base := range a.bases {
			if rest, below := strings.CutPrefix(path, base); below && (rest == "" || rest[0] == '/') {
				return a, base, rest
			}
		}
	}
	return partnerAPI, "", path
}

func (s *Sandbox) authenticatePartner(sent access.Request, route *route, req *request) (err error) {
	if route.agent {
		req.agent, err = access.Proved(sent, s.clock(), s.agentSecret)
	} else {
		req.key, err = s.keys.Signed(sent, s.clock(), route.signed)
	}
	return err
}

func (s *Sandbox) authenticateHMAC(sent access.Request, _ *route, req *request) (err error) {
	req.key, err = s.keys.SignedByHMAC(sent, s.clock())
	return err
}

// match finds the route for a method and a path below a base. A slash at its end makes no difference. With
// an error it is an empty route.
func (a *api) match(method, asked string) (*route, map[string]string, error) {
	segments := strings.Split(strings.TrimSuffix(asked, "/"), "/")
	unknown := notFound("path")
	for i := range a.routes {
		ids, found := path.Match(a.routes[i].segments, segments)
		if !found {
			continue
		}
		if a.routes[i].method == method {
			return &a.routes[i], ids, nil
		}
		unknown = &fault{http.StatusMethodNotAllowed, "", "no operation has this method and path"}
	}
	return &route{}, nil, unknown
}

// ServeHTTP answers a request to one of the APIs or a control call.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The date by which clients find out that their clock is wrong.
	w.Header().Set("Date", s.clock().UTC().Format(http.TimeFormat))
	content := r.Body
	if content == nil { // a request that was made in this process and has come over no connection
		content = http.NoBody
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, content, maxBody))
	if err != nil {
		writeFault(w, badRequest("the body cannot be read, or is over %d bytes", maxBody))
		return
	}
	path := r.URL.EscapedPath()
	if call, found := strings.CutPrefix(path, controlPath); found {
		s.serveControl(w, r, call, body)
		return
	}
	api, base, path := apiOf(path)
	route, ids, unknown := api.match(r.Method, path)
	if base == "" {
		unknown = notFound("path: check that the base URL ends with " + basePath + ", or " + qapiPath + " for Qredo API v1")
	}
	rule := s.faults.pick(route.operation)
	if !rule.before(r.Context(), w, s.clock()) {
		return
	}
	// Stamps are held against the clock without what it was advanced by: that a test lets a day pass must not
	// lock out clients, whose clocks stay.
	target := access.RequestURL(r)
	host, _, _ := strings.Cut(target, base)
	req := &request{baseURL: host + base, path: ids, query: r.URL.Query(), body: body, assets: s.assets, choices: s.choices}
	urls := access.SignedURLs(target, base, s.publicURLs)
	err = api.authenticate(s, access.Request{Method: r.Method, Header: r.Header, URLs: urls, Body: body}, route, req)
	if err == nil {
		err = unknown
	}
	if err == nil && len(route.permissions) > 0 {
		err = req.key.Demand(route.permissions...)
	}
	if err != nil {
		writeFault(w, err)
		return
	}
	if route.feed != nil {
		s.serveFeed(w, r, req, route.feed)
		return
	}
	reply, err := s.answer(req, route)
	w = rule.after(w)
	if err != nil {
		writeFault(w, err)
		return
	}
	writeJSON(w, max(route.status, http.StatusOK), reply)
}

// answer runs the query or command of an authenticated request.
func (s *Sandbox) answer(req *request, route *route) (reply any, err error) {
	if route.query != nil {
		err = s.view(func(st *state, now time.Time) (err error) {
			req.st, req.now = st, now
			reply, err = route.query(req)
			return err
		})
		return reply, err
	}
	err = s.update(func(st *state, now time.Time) (_ []change, err error) {
		req.st, req.now, req.ids = st, now, s.ids
		reply, err = route.command(req)
		return req.changes, err
	})
	return reply, err
}
