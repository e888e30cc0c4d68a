package sandbox

import (
	"errors"
	"net/http"
	"strings"
)

const qapiPath = "/qapi/v1"

// qapiRoute is an operation of Qredo API v1, or its feed, and the permissions of which one is needed.
type qapiRoute struct {
	route
	feed        *feedRoute
	permissions []Permission
}

var (
	mayReadBalance = []Permission{PermissionBalance, PermissionRead}
	mayRead        = []Permission{PermissionRead}
	mayFollow      = []Permission{PermissionRead, PermissionWeb3}
	maySign        = []Permission{PermissionWeb3}
)

// qapiRoutes are the operations of Qredo API v1.
var qapiRoutes = []qapiRoute{
	{route: route{method: "GET", path: "/account", query: getAccount}, permissions: mayRead},
	{route: route{method: "GET", path: "/balance", query: getBalance}, permissions: mayReadBalance},
	{route: route{method: "GET", path: "/funds", query: listFunds}, permissions: mayRead},
	{route: route{method: "GET", path: "/funds/{fund_id}", query: getFundInfo}, permissions: mayRead},
	{route: route{method: "GET", path: "/funds/{fund_id}/ledger", query: getFundLedger}, permissions: mayRead},
	{route: route{method: "GET", path: "/trustedparties", query: listAllTrusted}, permissions: mayRead},
	{route: route{method: "GET", path: "/wallet/{wallet_id}/history", query: getWalletHistory}, permissions: mayRead},
	{route: route{method: "POST", path: "/transaction", command: createWeb3}, permissions: maySign},
	{
		route:       route{method: "GET", path: "/transactions/feed"},
		feed:        &feedRoute{path: "/transactions/feed", open: web3Feed},
		permissions: mayFollow,
	},
	{route: route{method: "GET", path: "/transactions/{tx_id}/approvals", query: getWeb3Approvals}, permissions: mayFollow},
	{route: route{method: "GET", path: "/transactions/{tx_id}/status", query: getWeb3Status}, permissions: mayFollow},
}

// matchQAPI finds the operation with a method and path.
func matchQAPI(method, path string) (*qapiRoute, map[string]string, error) {
	known := false
	for i := range qapiRoutes {
		ids, found := matchPath(strings.Split(qapiRoutes[i].path, "/"), strings.Split(path, "/"))
		if found && qapiRoutes[i].method == method {
			return &qapiRoutes[i], ids, nil
		}
		known = known || found
	}
	if known {
		return nil, nil, &fault{http.StatusMethodNotAllowed, "", "no operation has this method and path"}
	}
	return nil, nil, notFound("path")
}

// serveQAPI answers a request to Qredo API v1. Like the Partner API it looks at the signature before
// anything else.
func (s *Sandbox) serveQAPI(w http.ResponseWriter, r *http.Request, path string, body []byte) {
	route, ids, unknown := matchQAPI(r.Method, path)
	operation := r.Method + " " + qapiPath
	if route != nil {
		operation += route.path
	}
	rule := s.faults.pick(operation)
	if !rule.before(r.Context(), w, s.clock()) {
		return
	}
	key, err := s.hmac.verify(r.Header, r.Method, s.qapiURLs(requestURL(r)), body, s.clock())
	if err := errors.Join(err, unknown); err != nil {
		writeFault(w, err)
		return
	}
	if !key.may(route.permissions) {
		writeFault(w, &fault{http.StatusForbidden, "", "insufficient privileges"})
		return
	}
	req := &request{key: &key.apiKey, path: ids, query: r.URL.Query(), body: body, assets: s.assets}
	if route.feed != nil {
		s.serveFeed(w, r, req, route.feed)
		return
	}
	status, reply, err := s.answer(req, &route.route)
	w = rule.after(w)
	if err != nil {
		writeFault(w, err)
		return
	}
	writeJSON(w, status, reply)
}

// qapiURLs are the URLs that a client may have signed for a request, as those of [Sandbox.signedURLs].
func (s *Sandbox) qapiURLs(asked string) []string {
	urls := []string{asked}
	scheme, rest, _ := strings.Cut(asked, "://")
	_, path, _ := strings.Cut(rest, qapiPath)
	for _, u := range s.publicURLs {
		public := *u
		if strings.HasPrefix(scheme, "ws") {
			public.Scheme = "ws" + strings.TrimPrefix(public.Scheme, "http")
		}
		urls = append(urls, public.String()+path)
	}
	return urls
}
