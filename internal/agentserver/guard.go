package agentserver

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/qredo-go/qredo/internal/loopback"
)

// guard admits only requests of permitted callers.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		probe := r.URL.Path == "/livez" || r.URL.Path == "/readyz" // they reveal nothing useful
		origin := r.Header.Get("Origin")
		allowed := slices.Contains(s.origins, origin)
		switch {
		case len(s.tokenHash) == 0 && !probe && !s.hostIsOurs(r.Host):
			writeError(w, http.StatusForbidden, "the Host does not belong to this agent: name it in http.allowHosts")
			return
		case origin != "" && !allowed && !sameOrigin(origin, r.Host):
			w.Header().Set("X-Content-Type-Options", "nosniff")
			http.Error(w, "Forbidden", http.StatusForbidden)
			return
		}
		if allowed {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Access-Control-Allow-Credentials", "true")
			w.Header().Add("Vary", "Origin")
			if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
				preflight(w, r)
				return
			}
		}
		if !probe && !s.knows(r) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			writeError(w, http.StatusUnauthorized, "this agent requires a bearer token: Authorization: Bearer …, with the content of its http.tokenFile")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// preflight answers a browser that asks whether a page may make a request.
func preflight(w http.ResponseWriter, r *http.Request) {
	methods := []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodHead}
	if !slices.Contains(methods, r.Header.Get("Access-Control-Request-Method")) {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Access-Control-Allow-Methods", strings.Join(methods, ","))
	w.Header().Set("Access-Control-Allow-Headers", "Content-Type,X-Requested-With,Authorization")
	w.WriteHeader(http.StatusOK)
}

// knows reports whether a request has the token, if one is needed.
func (s *Server) knows(r *http.Request) bool {
	if len(s.tokenHash) == 0 {
		return true
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(sum[:], s.tokenHash) == 1
}

// hostIsOurs reports whether a Host is this machine, an address, a configured name, or missing, which browsers never do.
// Any other name may point here because somebody set up a malicious page for a browser (DNS rebinding).
func (s *Server) hostIsOurs(host string) bool {
	name := host
	if only, _, err := net.SplitHostPort(host); err == nil {
		name = only
	}
	if host == "" || loopback.Host(host) || net.ParseIP(strings.Trim(name, "[]")) != nil {
		return true
	}
	return slices.ContainsFunc(s.hosts, func(ours string) bool { return ours != "" && strings.EqualFold(ours, name) })
}

// sameOrigin reports whether an origin's host is that of the request.
func sameOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}
