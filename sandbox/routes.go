package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/wire"
)

const (
	basePath = "/api/v1/p"
	maxBody  = 1 << 20 // bytes of a request
)

// request is an authenticated call of an operation.
type request struct {
	key     *apiKey
	agent   string            // the client ID of the signing agent whose proof it carries; then key is nil
	baseURL string            // as the client sees it
	path    map[string]string // what stands at the path's placeholders
	query   url.Values
	body    []byte

	st     *state
	now    time.Time
	ids    *idSource // of commands only
	assets []qredo.Asset
}

// A query answers from the state. A command also says what changes.
type (
	query   func(r *request) (any, error)
	command func(r *request) ([]change, any, error)
)

// route is one operation: a query or a command.
type route struct {
	method, path string
	segments     []string // of the path
	query        query
	command      command
	status       int  // of success, 200 if zero
	agent        bool // authenticated by a signing agent's proof
	signed       bool // must be signed, also where others need not
}

// routes are the operations of the Partner API.
var routes = withSegments([]route{
	{method: "GET", path: "/assets", query: listAssets},
	{method: "POST", path: "/fees", query: quoteFees},

	{method: "POST", path: "/company", command: createCompany},
	{method: "GET", path: "/company/search", query: searchCompanies},
	{method: "GET", path: "/company/{company_id}", query: getCompany},
	{method: "PUT", path: "/company/{company_id}", command: updateCompany},
	{method: "GET", path: "/company/{company_id}/holding", query: listHoldings},

	{method: "GET", path: "/company/{company_id}/trustedparty", query: listTrustedParties},
	{method: "POST", path: "/company/{company_id}/trustedparty", command: addTrustedParty},
	{method: "DELETE", path: "/company/{company_id}/trustedparty/{trustedparty_id}", command: removeTrustedParty, status: http.StatusAccepted},

	{method: "POST", path: "/company/{company_id}/fund", command: createFund},
	{method: "GET", path: "/company/{company_id}/fund/search", query: searchFunds},
	{method: "GET", path: "/company/{company_id}/fund/{fund_id}", query: getFund},
	{method: "POST", path: "/company/{company_id}/fund/{fund_id}/wallet", command: addWallets},
	{method: "POST", path: "/company/{company_id}/fund/{fund_id}/asset", command: addAssets},
	{method: "GET", path: "/company/{company_id}/fund/{fund_id}/deposit", query: listDepositAddresses},
	{method: "GET", path: "/company/{company_id}/fund/{fund_id}/whitelist", query: listWhitelist},
	{method: "POST", path: "/company/{company_id}/fund/{fund_id}/whitelist", command: addToWhitelist},
	{method: "GET", path: "/company/{company_id}/fund/{fund_id}/ledger", query: listLedger},

	{method: "GET", path: "/wallet/{wallet_id}", query: getWallet},
	{method: "GET", path: "/wallet/{wallet_id}/history", query: listHistory},
	{method: "GET", path: "/wallet/{wallet_id}/max", query: getMaxAmount},
	{method: "PUT", path: "/company/{company_id}/fund/{fund_id}/wallet/{wallet_id}/policy", command: updatePolicy},
	{method: "GET", path: "/exchanges", query: listExchanges},

	{method: "POST", path: "/company/{company_id}/transfer", command: createTransfer},
	{method: "GET", path: "/company/{company_id}/transfer/{tx_id}", query: getTransfer},
	{method: "POST", path: "/company/{company_id}/withdraw", command: createWithdrawal},
	{method: "GET", path: "/company/{company_id}/withdraw/{tx_id}", query: getWithdrawal},

	{method: "POST", path: "/company/{company_id}/atomicswap/make", command: makeSwap},
	{method: "GET", path: "/company/{company_id}/atomicswap/make/{tx_id}", query: getMake},
	{method: "DELETE", path: "/company/{company_id}/atomicswap/make/{tx_id}", command: cancelMake, status: http.StatusAccepted},
	{method: "POST", path: "/company/{company_id}/atomicswap/take", command: takeSwap},
	{method: "GET", path: "/company/{company_id}/atomicswap/take/{tx_id}", query: getTake},
	{method: "GET", path: "/company/{company_id}/liquidityhub", query: listCompanyHub},
	{method: "POST", path: "/company/{company_id}/liquidityhub", command: listOnHub},
	{method: "GET", path: "/liquidityhub", query: listHub},

	{method: "POST", path: "/coreclient/init", command: registerAgent, signed: true},
	{method: "POST", path: "/coreclient/finish", command: finishAgent, agent: true},
	{method: "GET", path: "/coreclient/action/{action_id}", query: getMessages, agent: true},
	{method: "PUT", path: "/coreclient/action/{action_id}", command: submitSignatures, agent: true},
	{method: "DELETE", path: "/coreclient/action/{action_id}", command: refuseToSign, agent: true},

	{method: "POST", path: "/coreclient", command: createCoreClient},
	{method: "GET", path: "/coreclient", query: listCoreClients},
	{method: "POST", path: "/coreclient/verify", query: verifySignature},
	{method: "GET", path: "/coreclient/{client_id}/actions", query: listActions},
	{method: "GET", path: "/coreclient/{client_id}/action/{action_id}", query: getAction},
	{method: "PUT", path: "/coreclient/{client_id}/action/{action_id}", command: approveAction},
	{method: "DELETE", path: "/coreclient/{client_id}/action/{action_id}", command: rejectAction},
	{method: "GET", path: "/coreclient/{client_id}/wallets", query: listConnectedWallets},
	{method: "POST", path: "/coreclient/{client_id}/sweep", command: createSweep},
	{method: "GET", path: "/coreclient/{client_id}/sweep/{tx_id}", query: getSweep},
	{method: "POST", path: "/coreclient/{client_id}/sign", query: sign},
})

func (r *route) operation() string { return r.method + " " + r.path }

// operationPath is the path, with placeholders, of the operation or feed that a request is for.
func operationPath(route *route, feed *feedRoute) string {
	switch {
	case route != nil:
		return route.path
	case feed != nil:
		return feed.path
	}
	return ""
}

func withSegments(routes []route) []route {
	for i := range routes {
		routes[i].segments = strings.Split(routes[i].path, "/")
	}
	return routes
}

// match finds the route for a path below the base path. A path without placeholders is listed before
// the one with them that would match it too.
func match(method, path string) (*route, map[string]string, error) {
	segments := strings.Split(path, "/")
	known := false
	for i := range routes {
		ids, ok := matchPath(routes[i].segments, segments)
		if !ok {
			continue
		}
		if routes[i].method == method {
			return &routes[i], ids, nil
		}
		known = true
	}
	if known {
		return nil, nil, &fault{http.StatusMethodNotAllowed, "", "no operation has this method and path"}
	}
	return nil, nil, notFound("path")
}

func matchPath(pattern, segments []string) (map[string]string, bool) {
	if len(pattern) != len(segments) {
		return nil, false
	}
	for i, p := range pattern {
		if p != segments[i] && (!strings.HasPrefix(p, "{") || segments[i] == "") {
			return nil, false
		}
	}
	ids := map[string]string{}
	for i, p := range pattern {
		if name, ok := strings.CutPrefix(p, "{"); ok {
			id, err := url.PathUnescape(segments[i])
			if err != nil {
				return nil, false
			}
			ids[strings.TrimSuffix(name, "}")] = id
		}
	}
	return ids, true
}

func (s *Sandbox) serve(w http.ResponseWriter, r *http.Request) {
	content := r.Body
	if content == nil { // a request that was made in this process and has come over no connection
		content = http.NoBody
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, content, maxBody))
	if err != nil {
		writeFault(w, badRequest("the body cannot be read, or is over %d bytes", maxBody))
		return
	}
	if path, ok := strings.CutPrefix(r.URL.EscapedPath(), controlPath); ok {
		s.serveControl(w, r, path, body)
		return
	}
	if path, ok := strings.CutPrefix(r.URL.EscapedPath(), qapiPath); ok {
		s.serveQAPI(w, r, path, body)
		return
	}
	path, found := strings.CutPrefix(r.URL.EscapedPath(), basePath)
	var route *route
	feed, ids := matchFeed(r.Method, path)
	if feed == nil {
		route, ids, err = match(r.Method, path)
	}
	if !found {
		err = notFound("path")
	}
	rule := s.faults.pick(r.Method + " " + operationPath(route, feed))
	if !rule.before(r.Context(), w, s.clock()) {
		return
	}
	agent := feed != nil && feed.agent || route != nil && route.agent
	req, denied := s.authenticate(r, body, agent, route != nil && route.signed)
	if err := errors.Join(denied, err); err != nil {
		writeFault(w, err)
		return
	}
	req.path = ids
	if feed != nil {
		s.serveFeed(w, r, req, feed)
		return
	}
	status, reply, err := s.answer(req, route)
	w = rule.after(w)
	if err != nil {
		writeFault(w, err)
		return
	}
	writeJSON(w, status, reply)
}

// authenticate returns a request that carries a valid signature or, for a signing agent, proof. Stamps are
// held against the clock without what it was advanced by: that a test lets a day pass must not lock out
// clients, whose clocks stay.
func (s *Sandbox) authenticate(r *http.Request, body []byte, agent, mustSign bool) (*request, error) {
	target := requestURL(r)
	req := &request{query: r.URL.Query(), body: body, assets: s.assets}
	req.baseURL, _, _ = strings.Cut(target, basePath)
	req.baseURL += basePath
	var err error
	if agent {
		req.agent, err = s.verifyProof(r, s.signedURLs(target), body, s.clock())
	} else {
		req.key, err = s.verifier.verify(r.Header, s.signedURLs(target), body, s.clock(), mustSign)
	}
	return req, err
}

// answer runs the operation of an authenticated request.
func (s *Sandbox) answer(req *request, route *route) (status int, reply any, err error) {
	if route.query != nil {
		err = s.view(func(st *state, now time.Time) (err error) {
			req.st, req.now = st, now
			reply, err = route.query(req)
			return err
		})
	} else {
		err = s.update(func(st *state, now time.Time) (changes []change, err error) {
			req.st, req.now, req.ids = st, now, s.ids
			changes, reply, err = route.command(req)
			return changes, err
		})
	}
	return max(route.status, http.StatusOK), reply, err
}

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

// ok is the body of a success that has nothing to say.
type okReply struct {
	Code int    `json:"code"`
	Msg  string `json:"msg"`
}

var ok = okReply{http.StatusOK, "OK"}

// fault is an answer that is not a success, in the service's form.
type fault struct {
	status      int
	msg, reason string
}

func (f *fault) Error() string {
	return fmt.Sprintf("sandbox: %d %s: %s", f.status, http.StatusText(f.status), f.reason)
}

// Is lets callers of the control methods tell faults apart as they do those of the service.
func (f *fault) Is(target error) bool { return (&qredo.Error{StatusCode: f.status}).Is(target) }

func badRequest(reason string, args ...any) error {
	return &fault{http.StatusBadRequest, "", fmt.Sprintf(reason, args...)}
}

func notFound(what string) error {
	return &fault{http.StatusNotFound, "", "no such " + what}
}

func conflict(reason string, args ...any) error {
	return &fault{http.StatusConflict, "", fmt.Sprintf(reason, args...)}
}

func writeFault(w http.ResponseWriter, err error) {
	var f *fault
	if !errors.As(err, &f) {
		f = &fault{http.StatusInternalServerError, "", err.Error()}
	}
	type detail struct {
		Reason string `json:"reason"`
	}
	msg := f.msg
	if msg == "" {
		msg = http.StatusText(f.status)
	}
	writeJSON(w, f.status, struct {
		Code   int    `json:"code"`
		Msg    string `json:"msg"`
		Detail detail `json:"detail"`
	}{f.status, msg, detail{f.reason}})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"code":500,"msg":"Internal Server Error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	_, _ = w.Write(data) // a client that has gone needs no answer
}
