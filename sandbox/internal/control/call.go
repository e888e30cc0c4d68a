// Package control serves control calls over HTTP, and makes them. Its user defines the calls: server and client share the
// same [Call].
package control

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/qredo-go/qredo/internal/wire"
)

// Call is a control call on an S: what it is over HTTP, and what carries it out. Bodies and answers are JSON; what a call
// that tells something is asked for stands in its query.
type Call[S, In, Out any] struct {
	method, path string
	do           Do[S, In, Out]
	exact, asks  bool
}

// Do carries out a call. It is given what stands at the path's placeholders, by name, and what the body or query says.
type Do[S, In, Out any] func(on S, ids map[string]string, in In) (Out, error)

// Post is a call that does something.
func Post[S, In, Out any](path string, do Do[S, In, Out]) Call[S, In, Out] {
	return Call[S, In, Out]{method: http.MethodPost, path: path, do: do}
}

// Get is a call that tells something. The names of its query are those of In in JSON.
func Get[S, In, Out any](path string, do Do[S, In, Out]) Call[S, In, Out] {
	return Call[S, In, Out]{method: http.MethodGet, path: path, do: do}
}

// Exactly is the call with a body that must be there, and is read as it stands. Others are read in any of the forms
// that clients of the service send, and one that is empty says nothing.
func (c Call[S, In, Out]) Exactly() Call[S, In, Out] {
	c.exact = true
	return c
}

// Asking is the call where it only asks, and is sent as others that do something because of the length of what is asked.
func (c Call[S, In, Out]) Asking() Call[S, In, Out] {
	c.asks = true
	return c
}

// None is what a call says that says nothing. Whatever body is sent is not looked at; a query is refused.
type None struct{}

// OK is the answer of a call that has nothing to say.
type OK struct {
	Code int    `json:"code"`
	Msg  string `json:"msg"`
}

// Done makes the answer of what has nothing to say but whether it could be done.
func Done(err error) (OK, error) { return OK{Code: http.StatusOK, Msg: "OK"}, err }

// match returns what stands at the placeholders if a request is for this call.
func (c Call[S, In, Out]) match(method, asked string) (ids map[string]string, matches bool) {
	return at(c.method, c.path, method, asked)
}

// carryOut does what a request asks for.
func (c Call[S, In, Out]) carryOut(on S, ids map[string]string, w http.ResponseWriter, r *http.Request) (any, error) {
	in, err := c.read(w, r)
	if err != nil {
		return nil, &Refusal{http.StatusBadRequest, err.Error()}
	}
	return c.do(on, ids, in)
}

func (c Call[S, In, Out]) read(w http.ResponseWriter, r *http.Request) (in In, err error) {
	if c.method == http.MethodGet {
		err = readQuery(r.URL.RawQuery, &in)
		return in, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return in, fmt.Errorf("the body cannot be read, or is over %d bytes", maxBody)
	}
	_, none := any(in).(None)
	switch {
	case c.exact:
		err = json.Unmarshal(body, &in)
	case len(body) > 0 && !none:
		err = wire.Unmarshal(body, &in)
	}
	return in, err
}
