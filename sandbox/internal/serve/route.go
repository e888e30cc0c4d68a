package serve

import (
	"net/http"
	"strings"

	"github.com/qredo-go/qredo/internal/path"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// Route is one operation: a query, a command or a feed.
type Route struct {
	Method, Path string
	Query        Query
	Command      Command
	Feed         OpenFeed
	Status       int      // of success, 200 if zero
	Agent        bool     // authenticated by a signing agent's proof
	Signed       bool     // must be signed, also where others need not
	Permissions  []string // of which the key needs one

	Operation string   // its name: method and path
	segments  []string // of the path
}

// Query answers from the world as it is.
type Query func(r *Request, v *world.View) (any, error)

// Command changes the world: all that it asks for or, if it ends with an error, nothing.
type Command func(r *Request, u *world.Update) (any, error)

// OpenFeed opens a feed at the place where the world is.
type OpenFeed func(r *Request, v *world.View) (Feed, error)

// Find finds what the path of a request names.
type Find[T any] func(r *Request, v *world.View) (T, error)

// looking is what queries look at the world by, or commands.
type looking interface {
	*world.View | *world.Update
	Look() *world.View
}

// With makes an operation of one that is about what the path names.
func With[W looking, T, A any](find Find[T], operation func(*Request, W, T) (A, error)) func(*Request, W) (A, error) {
	return func(r *Request, w W) (answer A, err error) {
		found, err := find(r, w.Look())
		if err != nil {
			return answer, err
		}
		return operation(r, w, found)
	}
}

// Reading makes an operation of one that is given what the body says.
func Reading[W looking, B any](operation func(*Request, W, B) (any, error)) func(*Request, W) (any, error) {
	return func(r *Request, w W) (any, error) {
		var body B
		if err := r.read(&body); err != nil {
			return nil, err
		}
		return operation(r, w, body)
	}
}

// WithBody makes an operation of one that is about what the path names, and is given what the body says.
func WithBody[W looking, T, B any](find Find[T], operation func(*Request, W, T, B) (any, error)) func(*Request, W) (any, error) {
	return With(find, func(r *Request, w W, found T) (any, error) {
		return Reading(func(r *Request, w W, body B) (any, error) { return operation(r, w, found, body) })(r, w)
	})
}

// API is one of the two APIs: what is served below its base paths.
type API struct {
	Bases  []string
	Routes []Route
}

// NewAPI makes an API of its routes. The paths in the names of operations begin with a prefix.
func NewAPI(prefix string, bases []string, routes []Route) *API {
	for i := range routes {
		r := &routes[i]
		r.Operation, r.segments = r.Method+" "+prefix+r.Path, strings.Split(r.Path, "/")
	}
	return &API{bases, routes}
}

// Match finds the route for a method and a path below a base. A slash at its end makes no difference. With
// an error it is an empty route.
func (a *API) Match(method, asked string) (*Route, map[string]string, error) {
	segments := strings.Split(strings.TrimSuffix(asked, "/"), "/")
	known := false // by another method
	for i := range a.Routes {
		if len(a.Routes[i].segments) != len(segments) {
			continue
		}
		ids, found := path.Match(a.Routes[i].segments, segments)
		if !found {
			continue
		}
		if a.Routes[i].Method == method {
			return &a.Routes[i], ids, nil
		}
		known = true
	}
	if known {
		return &Route{}, nil, &Fault{http.StatusMethodNotAllowed, "", "no operation has this method and path"}
	}
	return &Route{}, nil, NotFound("path")
}

// Answer runs the query or command of a route.
func (rt *Route) Answer(w *world.World, r *Request) (answer any, err error) {
	if rt.Query != nil {
		err = w.View(func(v *world.View) (err error) {
			answer, err = rt.Query(r, v)
			return err
		})
		return answer, err
	}
	err = w.Update(func(u *world.Update) (err error) {
		answer, err = rt.Command(r, u)
		return err
	})
	return answer, err
}
