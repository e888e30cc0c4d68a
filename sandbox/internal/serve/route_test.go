package serve_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

func TestMatch(t *testing.T) {
	api := serve.NewAPI("/base", []string{"/base"}, []serve.Route{
		{Method: "GET", Path: "/funds/search"}, {Method: "GET", Path: "/funds/{fund_id}"}, {Method: "POST", Path: "/funds/{fund_id}"},
	})
	for path, want := range map[string]string{
		"/funds/search": "GET /base/funds/search", "/funds/f": "GET /base/funds/{fund_id}", "/funds/f/": "GET /base/funds/{fund_id}",
	} {
		route, _, err := api.Match("GET", path)
		require.NoError(t, err, path)
		assert.Equal(t, want, route.Operation)
	}
	_, ids, err := api.Match("POST", "/funds/a%2Fb")
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"fund_id": "a/b"}, ids)
	for _, path := range []string{"/funds", "/funds/f/wallets", ""} {
		route, _, err := api.Match("GET", path)
		require.EqualError(t, err, "sandbox: 404 Not Found: no such path")
		assert.Empty(t, route.Operation)
	}
	_, _, err = api.Match("DELETE", "/funds/f")
	require.EqualError(t, err, "sandbox: 405 Method Not Allowed: no operation has this method and path")
}

func newWorld(t *testing.T) *world.World {
	t.Helper()
	w, err := world.New(world.Config{Clock: time.Now, Changed: func(world.Changes) {}})
	require.NoError(t, err)
	return w
}

type named struct {
	Name string `json:"name"`
}

// What the path names is looked for before the body is read.
func TestWithBodyFindsBeforeItReads(t *testing.T) {
	missing := errors.New("missing")
	find := func(r *serve.Request, _ *world.View) (string, error) {
		if r.IDs["id"] == "" {
			return "", missing
		}
		return r.IDs["id"], nil
	}
	route := serve.Route{Query: serve.WithBody(find, func(_ *serve.Request, _ *world.View, found string, body named) (any, error) {
		return found + " " + body.Name, nil
	})}
	for _, test := range []struct{ id, body, answer, err string }{
		{"", "", "", "missing"},
		{"x", "", "", "sandbox: 400 Bad Request: the body is empty"},
		{"x", "{", "", "sandbox: 400 Bad Request: not JSON at byte 1: unexpected end of JSON input"},
		{"x", `{"NAME":"y"}`, "x y", ""},
	} {
		answer, err := route.Answer(newWorld(t), &serve.Request{IDs: map[string]string{"id": test.id}, Body: []byte(test.body)})
		if test.err != "" {
			require.EqualError(t, err, test.err)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, test.answer, answer)
	}
}

// A command that ends with an error has changed nothing.
func TestCommand(t *testing.T) {
	w := newWorld(t)
	refused := errors.New("refused")
	var end error
	route := serve.Route{Command: serve.Reading(func(_ *serve.Request, u *world.Update, body named) (any, error) {
		if _, err := u.CreateUser(world.Person{Email: body.Name}); err != nil {
			return nil, err
		}
		return serve.Done(end)
	})}
	users := func() (n int) {
		require.NoError(t, w.View(func(v *world.View) error { n = len(v.Users()); return nil }))
		return n
	}
	end = refused
	req := &serve.Request{Body: []byte(`{"name":"alice@example.com"}`)}
	_, err := route.Answer(w, req)
	require.ErrorIs(t, err, refused)
	assert.Zero(t, users())
	end = nil
	answer, err := route.Answer(w, req)
	require.NoError(t, err)
	assert.Equal(t, serve.OK, answer)
	assert.Equal(t, 1, users())
	_, err = route.Answer(w, req)
	require.ErrorIs(t, serve.AsFault(err), qredo.ErrConflict)
}
