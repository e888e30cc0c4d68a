package sandbox

import (
	"io"
	"net/http"
	"strings"

	"github.com/qredo-go/qredo/sandbox/internal/access"
	"github.com/qredo-go/qredo/sandbox/internal/console"
	"github.com/qredo-go/qredo/sandbox/internal/partner"
	"github.com/qredo-go/qredo/sandbox/internal/qredoapi"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
)

const maxBody = 1 << 20 // bytes of a request

// api is one of the two APIs.
type api struct {
	*serve.API
	// authenticate sets who has made a request.
	authenticate func(sent access.Request, route *serve.Route, req *serve.Request) error
}

// apiOf finds the API that a path belongs to, and the base path and the rest that it is made of. What lies
// below no base path is the Partner API's to refuse, without a base.
func (s *Sandbox) apiOf(path string) (a api, base, rest string) {
	for _, a := range s.apis {
		for _, base := range a.Bases {
			if rest, below := strings.CutPrefix(path, base); below && (rest == "" || rest[0] == '/') {
				return a, base, rest
			}
		}
	}
	return s.apis[0], "", path
}

func (s *Sandbox) authenticatePartner(sent access.Request, route *serve.Route, req *serve.Request) (err error) {
	if route.Agent {
		req.Agent, err = access.Proved(sent, s.clock(), s.world.MasterSecret)
	} else {
		req.Key, err = s.keys.Signed(sent, s.clock(), route.Signed)
	}
	return err
}

func (s *Sandbox) authenticateHMAC(sent access.Request, _ *serve.Route, req *serve.Request) (err error) {
	req.Key, err = s.keys.SignedByHMAC(sent, s.clock())
	return err
}

// ServeHTTP answers a request to one of the APIs, a control call, or what the console asks for.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The date by which clients find out that their clock is wrong.
	w.Header().Set("Date", s.clock().UTC().Format(http.TimeFormat))
	if r.Body == nil { // a request that was made in this process and has come over no connection
		r.Body = http.NoBody
	}
	path := r.URL.EscapedPath()
	call, isCall := strings.CutPrefix(path, controlPath)
	switch {
	case isCall:
		if err := s.gate.Admit(r); err != nil && call != healthPath {
			writeRefused(w, err)
			return
		}
		s.serveControl(w, r, call)
	case s.console != nil && path+"/" == console.Path:
		http.Redirect(w, r, console.Path, http.StatusPermanentRedirect)
	case s.console != nil && strings.HasPrefix(path, console.Path):
		s.console.ServeHTTP(w, r)
	default:
		s.serveAPI(w, r, path)
	}
}

// serveAPI answers a request to one of the APIs.
func (s *Sandbox) serveAPI(w http.ResponseWriter, r *http.Request, path string) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		serve.WriteFault(w, serve.BadRequest("the body cannot be read, or is over %d bytes", maxBody))
		return
	}
	api, base, path := s.apiOf(path)
	route, ids, unknown := api.Match(r.Method, path)
	if base == "" {
		unknown = serve.NotFound("path: check that the base URL ends with " + partner.BasePath + ", or " + qredoapi.BasePath + " for Qredo API v1")
	}
	rule := s.faults.pick(route.Operation)
	if !rule.before(r.Context(), w, s.clock()) {
		return
	}
	// Stamps are held against the clock without what it was advanced by: that a test lets a day pass must not
	// lock out clients, whose clocks stay.
	target := access.RequestURL(r)
	host, _, _ := strings.Cut(target, base)
	req := &serve.Request{BaseURL: host + base, IDs: ids, Query: r.URL.Query(), Body: body}
	urls := access.SignedURLs(target, base, s.publicURLs)
	err = api.authenticate(access.Request{Method: r.Method, Header: r.Header, URLs: urls, Body: body}, route, req)
	if err == nil {
		err = unknown
	}
	if err == nil && len(route.Permissions) > 0 {
		err = req.Key.Demand(route.Permissions...)
	}
	if err != nil {
		serve.WriteFault(w, err)
		return
	}
	if route.Feed != nil {
		s.feeds.Serve(w, r, s.world, req, route.Feed)
		return
	}
	reply, err := route.Answer(s.world, req)
	w = rule.after(w)
	if err != nil {
		serve.WriteFault(w, err)
		return
	}
	serve.WriteJSON(w, max(route.Status, http.StatusOK), reply)
}
