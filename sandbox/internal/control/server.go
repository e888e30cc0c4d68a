package control

import (
	"net/http"
	"strings"

	"github.com/qredo-go/qredo/internal/path"
)

const maxBody = 1 << 20 // bytes that a call with a body of JSON reads

// Served is a control call on an S as it is served: a [Call], or a [Raw] one.
type Served[S any] interface {
	match(method, path string) (ids map[string]string, matches bool)
	carryOut(on S, ids map[string]string, w http.ResponseWriter, r *http.Request) (answer any, err error)
}

// Calls are the control calls on an S.
type Calls[S any] []Served[S]

// Raw is a control call that reads what it is sent, and writes its answer, itself: a file, or a stream. With an error it
// has written nothing.
type Raw[S any] struct {
	Method, Path string
	Do           func(on S, ids map[string]string, w http.ResponseWriter, r *http.Request) error
}

func (c Raw[S]) match(method, asked string) (ids map[string]string, matches bool) {
	return at(c.Method, c.Path, method, asked)
}

func (c Raw[S]) carryOut(on S, ids map[string]string, w http.ResponseWriter, r *http.Request) (any, error) { //nolint:unparam // as a call has it
	return nil, c.Do(on, ids, w, r)
}

// at returns what stands at the placeholders of a call's path if a request asks for the call.
func at(method, callPath, askedMethod, asked string) (ids map[string]string, matches bool) {
	if askedMethod != method {
		return nil, false
	}
	return path.Match(strings.Split(callPath, "/"), strings.Split(asked, "/"))
}

// Refusal is why a control call is not carried out, as an HTTP status and in words.
type Refusal struct {
	Status int
	Reason string
}

func (r *Refusal) Error() string { return "control: " + r.Reason }

// Serve carries out the call that a request asks for by its path below where the calls are served, and returns what
// it answers: nil where it has answered itself. Whether who asks may do so is for the caller to find out before.
func (c Calls[S]) Serve(on S, w http.ResponseWriter, r *http.Request, path string) (any, error) {
	for _, call := range c {
		if ids, matches := call.match(r.Method, path); matches {
			return call.carryOut(on, ids, w, r)
		}
	}
	return nil, &Refusal{http.StatusNotFound, "no such control call"}
}
