package control

import (
	"net/http"

	"github.com/qredo-go/qredo/internal/loopback"
)

// Calls are the control calls on an S.
type Calls[S any] []interface {
	match(method, path string) (ids map[string]string, matches bool)
	carryOut(on S, ids map[string]string, query string, body []byte) (any, error)
}

// Refusal is why a control call is not carried out, as an HTTP status and in words.
type Refusal struct {
	Status int
	Reason string
}

func (r *Refusal) Error() string { return "control: " + r.Reason }

// Serve carries out the call that a request asks for by its path below where the calls are served, and returns what
// it answers.
func (c Calls[S]) Serve(on S, r *http.Request, path string, body []byte) (any, error) {
	if !fromThisMachine(r) {
		return nil, &Refusal{http.StatusForbidden, "control calls are taken from this machine's programs only"}
	}
	for _, call := range c {
		if ids, matches := call.match(r.Method, path); matches {
			return call.carryOut(on, ids, r.URL.RawQuery, body)
		}
	}
	return nil, &Refusal{http.StatusNotFound, "no such control call"}
}

// fromThisMachine reports whether a request comes over the loopback, and from a program: control calls
// are not signed, and a page in a browser on this machine can send requests here too. Such a request
// names its origin, or the host that the page's author made to resolve to this machine.
func fromThisMachine(r *http.Request) bool {
	return loopback.Host(r.RemoteAddr) && loopback.Host(r.Host) && r.Header.Get("Origin") == ""
}
