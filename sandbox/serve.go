package sandbox

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/qredo-go/qredo/sandbox/internal/access"
	"github.com/qredo-go/qredo/sandbox/internal/console"
	"github.com/qredo-go/qredo/sandbox/internal/partner"
	"github.com/qredo-go/qredo/sandbox/internal/qredoapi"
	"github.com/qredo-go/qredo/sandbox/internal/requestlog"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
)

const maxBody = 1 << 20 // bytes of a request

// api is one of the two APIs.
type api struct {
	*serve.API
	qapi bool
	// authenticate identifies the sender of a request.
	authenticate func(sent access.Request, route *serve.Route, req *serve.Request) error
}

// apiOf finds the API that a path belongs to, and splits the path into its base and the rest. A path below no base path
// is refused by the Partner API, with an empty base.
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

// ServeHTTP answers a request to one of the APIs, a control call, or a request from the console.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Clients use this date to notice that their clock is wrong.
	w.Header().Set("Date", s.clock().UTC().Format(http.TimeFormat))
	if r.Body == nil { // a request from within this process, without a connection
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
		s.serveAPI(w, r, 0)
	}
}

// serveAPI answers a request to one of the APIs and logs it, with the ID of the original if it was resent.
func (s *Sandbox) serveAPI(answer http.ResponseWriter, r *http.Request, resentFrom uint64) {
	rec, w := s.record(answer, r, resentFrom)
	held := false
	defer func() { // also where a fault cuts the connection
		rec.end()
		if !held {
			rec.release()
		}
	}()
	var body []byte
	var err error
	if r.Body != http.NoBody {
		body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	}
	rec.Record.Body = requestlog.KeepBody(body)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		serve.WriteFault(w, &serve.Fault{Status: http.StatusRequestTimeout, Reason: "the body did not arrive in time"})
		return
	}
	if err != nil {
		serve.WriteFault(w, serve.BadRequest("the body cannot be read, or is over %d bytes", maxBody))
		return
	}
	api, base, path := s.apiOf(r.URL.EscapedPath())
	route, ids, unknown := api.Match(r.Method, path)
	if base == "" {
		unknown = serve.NotFound("path: check that the base URL ends with " + partner.BasePath + ", or " + qredoapi.BasePath + " for Qredo API v1")
	}
	rec.Record.QAPI, rec.Record.Operation, rec.Record.IDs = api.qapi, route.Operation, ids
	rec.rule = s.faults.pick(route.Operation)
	if !rec.rule.before(r.Context(), w, s.clock()) {
		return
	}
	// Timestamps are compared with the clock without its advance: a test that lets a day pass must not lock out clients, whose
	// clocks do not move.
	target := rec.Record.URL
	host, _, _ := strings.Cut(target, base)
	req := &serve.Request{BaseURL: host + base, IDs: ids, Body: body}
	urls := access.SignedURLs(target, base, s.publicURLs)
	err = api.authenticate(access.Request{Method: r.Method, Header: r.Header, URLs: urls, Body: body}, route, req)
	if err == nil {
		err = unknown
	}
	if err == nil && len(route.Permissions) > 0 {
		err = req.Key.Demand(route.Permissions...)
	}
	if err == nil {
		req.Query, err = serve.ParseQuery(r.URL.RawQuery)
	}
	if err != nil {
		serve.WriteFault(w, err)
		return
	}
	if route.Feed != nil {
		// A hijacked connection keeps its writer.
		held = true
		s.feeds.Serve(w, r, s.world, req, route.Feed, serve.FeedInfo{URL: rec.Record.RedactURL(), Key: rec.Record.Key()}, func() {
			rec.Record.Status = http.StatusSwitchingProtocols
			rec.end()
		})
		return
	}
	reply, err := route.Answer(s.world, req)
	status := max(route.Status, http.StatusOK)
	rec.handled(status, reply, err)
	w = rec.rule.after(w)
	if err != nil {
		serve.WriteFault(w, err)
		return
	}
	serve.WriteJSON(w, status, reply)
}
