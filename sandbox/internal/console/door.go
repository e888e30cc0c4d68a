// Package console is the sandbox's web page for people, and its access control. Whoever opens the URL with the token that
// the sandbox printed gets a cookie, which lets the page make control calls. Nobody else can make them, and no other page
// can in their name.
package console

import (
	"crypto/rand"
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/qredo-go/qredo/internal/loopback"
	"github.com/qredo-go/qredo/sandbox/internal/control"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
)

// Path is the path below which the console is served.
const Path = "/console/"

// apiPath is the path, below [Path], of the control calls.
const apiPath = "api/"

// Config says where a console is served.
type Config struct {
	Address string   // the address it listens on, such as 127.0.0.1:8765
	Secure  bool     // with TLS
	Names   []string // more hosts under which it is reached, with any port that is not the scheme's default
	// Calls answers control calls with a valid session. The path is relative to the path of the calls.
	Calls func(w http.ResponseWriter, r *http.Request, path string)
}

// Door is a console with its access control.
type Door struct {
	token, session string // the URL's token and the cookie's value: neither can be derived from the other
	cookie         string // its name, which includes the port: browsers send a host's cookies to all its ports
	secure         bool
	hosts          []string // by which it is reached
	everywhere     bool     // it listens on all of the machine's addresses
	calls          func(w http.ResponseWriter, r *http.Request, path string)
	assets         map[string]asset
}

// New makes a console with a new token.
func New(c Config) *Door {
	host, port, _ := net.SplitHostPort(c.Address)
	d := &Door{
		token: rand.Text(), session: rand.Text(), cookie: "qredo-sandbox-" + port, secure: c.Secure, calls: c.Calls, assets: embedded(),
	}
	ip := net.ParseIP(host)
	d.everywhere = host == "" || ip != nil && ip.IsUnspecified()
	names := []string{host}
	if loopback.Host(host) {
		names = append(names, "localhost", "127.0.0.1", "::1")
	}
	for _, name := range names {
		d.hosts = append(d.hosts, d.shorten(net.JoinHostPort(name, port)))
	}
	for _, name := range c.Names {
		d.hosts = append(d.hosts, d.shorten(strings.ToLower(name)))
	}
	return d
}

func (d *Door) scheme() string {
	if d.secure {
		return "https"
	}
	return "http"
}

// shorten removes the scheme's default port from a host, as browsers do.
func (d *Door) shorten(host string) string {
	if d.secure {
		return strings.TrimSuffix(host, ":443")
	}
	return strings.TrimSuffix(host, ":80")
}

// Query is the query that gives access when [Path] is opened with it.
func (d *Door) Query() string { return "?token=" + d.token }

// ServeHTTP answers a request below [Path].
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	rest := strings.TrimPrefix(r.URL.EscapedPath(), Path)
	call, isCall := strings.CutPrefix(rest, apiPath)
	switch why := d.refuse(r, rest); {
	case why != "":
		d.deny(w, isCall, http.StatusForbidden, why)
	case isCall && !d.isIn(r):
		d.deny(w, isCall, http.StatusUnauthorized, "the console's session has ended: open the URL that the sandbox printed when it started")
	case isCall:
		w.Header().Set("Cache-Control", "no-store")
		d.calls(w, r, "/"+call)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		d.deny(w, isCall, http.StatusMethodNotAllowed, "this is read only")
	case rest == "":
		d.serveIndex(w, r)
	default:
		d.serveAsset(w, r, rest)
	}
}

// refuse returns why a request is refused whoever makes it, or "".
func (d *Door) refuse(r *http.Request, rest string) string {
	const otherPage = "requests from another page are refused"
	origins := r.Header.Values("Origin")
	fetchSite := r.Header.Get("Sec-Fetch-Site")
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case !d.isReachedBy(r):
		return "the console is not served under this host name: see WithPublicURL (--public-url)"
	case control.PassedOn(r):
		return "the console is not served through a proxy"
	case len(origins) > 1 || len(origins) == 1 && origins[0] != d.scheme()+"://"+r.Host:
		return otherPage
	case len(origins) == 1:
	case !reads && fetchSite != "same-origin":
		return otherPage
	case fetchSite == "" || fetchSite == "same-origin" || fetchSite == "none":
	case rest == "" && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document":
		// a link that somebody was sent leads here
	default:
		return otherPage
	}
	return ""
}

// isReachedBy reports whether a request's host is one under which the console is served: the author of another page could
// make their own host name resolve to this machine. If it listens everywhere, this machine's names with any port are
// accepted, since a container's port may be published as another, and the address that the connection came to.
func (d *Door) isReachedBy(r *http.Request) bool {
	host := strings.ToLower(r.Host)
	if slices.Contains(d.hosts, host) {
		return true
	}
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return d.everywhere && (loopback.Host(host) || local != nil && host == d.shorten(local.String()))
}

// isIn reports whether a request has the session's cookie.
func (d *Door) isIn(r *http.Request) bool {
	return slices.ContainsFunc(r.CookiesNamed(d.cookie), func(c *http.Cookie) bool { return same(c.Value, d.session) })
}

func same(given, secret string) bool {
	return subtle.ConstantTimeCompare([]byte(given), []byte(secret)) == 1
}

func (d *Door) deny(w http.ResponseWriter, isCall bool, status int, why string) {
	if isCall {
		serve.WriteFault(w, &serve.Fault{Status: status, Reason: why})
		return
	}
	http.Error(w, why, status)
}

// serveIndex serves the page to browsers with a session, opens a session for those with the token, and tells others how to
// get in.
func (d *Door) serveIndex(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	query, err := url.ParseQuery(r.URL.RawQuery)
	switch token := query.Get("token"); {
	case err == nil && token != "" && same(token, d.token):
		http.SetCookie(w, &http.Cookie{ //nolint:gosec // it is as secure as the connection: over plain HTTP a browser would drop a secure one
			Name: d.cookie, Value: d.session, Path: Path, HttpOnly: true, Secure: d.secure, SameSite: http.SameSiteStrictMode,
		})
		http.Redirect(w, r, Path, http.StatusSeeOther)
	case query.Has("token"):
		writePage(w, r, http.StatusForbidden, outside("The token in this address is not that of the running sandbox: it changes each time the sandbox starts."))
	case !d.isIn(r):
		writePage(w, r, http.StatusUnauthorized, outside("This browser has no session, or came here by a link from elsewhere."))
	default:
		d.serveAsset(w, r, indexFile)
	}
}
