package control

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/qredo-go/qredo/internal/loopback"
)

// Gate decides who may make control calls: this machine's programs and, if there is a control token, whoever has it. The
// zero Gate has no token.
type Gate struct {
	hasToken bool
	digest   [sha256.Size]byte
}

// NewGate makes a gate that accepts a token. Default: none, if it is empty.
func NewGate(token string) Gate { return Gate{token != "", sha256.Sum256([]byte(token))} }

// Admit refuses requests that may not make control calls. Web pages are refused even with the token: control calls are for
// programs.
func (g Gate) Admit(r *http.Request) error {
	given, isGiven := bearer(r)
	switch {
	case !g.hasToken && fromThisMachine(r):
		return nil
	case !g.hasToken:
		return &Refusal{http.StatusForbidden, "control calls are accepted only from this machine's programs, because the sandbox has no control token"}
	case byBrowser(r):
		return &Refusal{http.StatusForbidden, "control calls from a browser are refused"}
	case isGiven:
		if digest := sha256.Sum256([]byte(given)); subtle.ConstantTimeCompare(digest[:], g.digest[:]) != 1 {
			return &Refusal{http.StatusUnauthorized, "the control token is not this sandbox's"}
		}
		return nil
	case fromThisMachine(r):
		return nil
	}
	return &Refusal{http.StatusUnauthorized, "control calls from elsewhere need the control token: Authorization: Bearer TOKEN"}
}

// bearer returns what a request gives as its token.
func bearer(r *http.Request) (token string, isGiven bool) {
	header := r.Header.Get("Authorization")
	scheme, token, _ := strings.Cut(header, " ")
	return strings.TrimSpace(token), strings.EqualFold(scheme, "Bearer")
}

// fromThisMachine reports whether a request comes from a program over the loopback, under a loopback name. A web page on this
// machine can send requests here too, perhaps under a host name that its author made resolve to this machine; and a request
// through a proxy can come from anywhere.
func fromThisMachine(r *http.Request) bool {
	return loopback.Host(r.RemoteAddr) && loopback.Host(r.Host) && !byBrowser(r) && !PassedOn(r)
}

// byBrowser reports whether a request says that a browser sent it.
func byBrowser(r *http.Request) bool {
	return r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != ""
}

// PassedOn reports whether a request came through a proxy, according to its headers.
func PassedOn(r *http.Request) bool {
	for name := range r.Header {
		if name == "Forwarded" || name == "Via" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded") {
			return true
		}
	}
	return false
}
