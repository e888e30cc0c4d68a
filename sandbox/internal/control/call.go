// Package control takes control calls over HTTP, from programs of this machine only, and makes them. What calls there
// are, and what carries them out, is its caller's matter: server and client hold to the same [Call].
package control

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/qredo-go/qredo/internal/path"
	"github.com/qredo-go/qredo/internal/wire"
)

// Call is a control call on an S: what it is over HTTP, and what carries it out. Bodies and answers are JSON.
type Call[S, In, Out any] struct {
	method, path string
	do           Do[S, In, Out]
	exact        bool
}

// Do carries out a call. It is given what stands at the path's placeholders, by name, and what the body says or, for one
// that tells something, the query.
type Do[S, In, Out any] func(on S, ids map[string]string, in In) (Out, error)

// Post is a call that does something.
func Post[S, In, Out any](path string, do Do[S, In, Out]) Call[S, In, Out] {
	return Call[S, In, Out]{method: http.MethodPost, path: path, do: do}
}

// Get is a call that tells something. In is filled from the query, by the JSON names of its fields; any other key is
// refused.
func Get[S, In, Out any](path string, do Do[S, In, Out]) Call[S, In, Out] {
	return Call[S, In, Out]{method: http.MethodGet, path: path, do: do}
}

// Exactly is the call with a body that must be there, and is read as it stands. Others are read in any of the forms
// that clients of the service send, and one that is empty says nothing.
func (c Call[S, In, Out]) Exactly() Call[S, In, Out] {
	c.exact = true
	return c
}

// None is the body, or the query, of a call that has none. A body that is sent all the same is not looked at.
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
	if method != c.method {
		return nil, false
	}
	return path.Match(strings.Split(c.path, "/"), strings.Split(asked, "/"))
}

// carryOut does what a request asks for.
func (c Call[S, In, Out]) carryOut(on S, ids map[string]string, query string, body []byte) (any, error) {
	in, err := c.read(query, body)
	if err != nil {
		return nil, &Refusal{http.StatusBadRequest, err.Error()}
	}
	return c.do(on, ids, in)
}

func (c Call[S, In, Out]) read(query string, body []byte) (in In, err error) {
	_, none := any(in).(None)
	switch {
	case c.method == http.MethodGet:
		err = readQuery(query, &in)
	case c.exact:
		err = json.Unmarshal(body, &in)
	case len(body) > 0 && !none:
		err = wire.Unmarshal(body, &in)
	}
	return in, err
}
