// Package serve has what serving the two APIs has in common: requests that somebody has been found to have made,
// the routes by which they reach an operation, answers and refusals in the service's form, and feeds.
package serve

import (
	"net/url"

	"github.com/qredo-go/qredo/internal/wire"
	"github.com/qredo-go/qredo/sandbox/internal/access"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// Request is a call of an operation, once it is known who makes it.
type Request struct {
	Key     *access.Key
	Agent   string            // the client ID of the signing agent whose proof it carries; then Key is nil
	BaseURL string            // as the client sees it
	IDs     map[string]string // what stands at the path's placeholders
	Query   url.Values
	Body    []byte
}

// Account is whose companies the request can see.
func (r *Request) Account() string { return r.Key.Account }

// told is the account that a feed tells of what happens to it: for a signing agent, its own.
func (r *Request) told(v *world.View) string {
	if r.Key != nil {
		return r.Key.Account
	}
	if c := v.Agent(r.Agent); c != nil {
		return c.Account
	}
	return ""
}

// Caller is who asks, where a transaction is asked for.
func (r *Request) Caller() world.Caller {
	return world.Caller{Account: r.Key.Account, Key: r.Key.ID}
}

// ParseQuery reads the query of a URL. One that can be read in two ways, or not at all, is refused: what is meant cannot be
// told.
func ParseQuery(query string) (url.Values, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, BadRequest("the query: %v", err)
	}
	for name, texts := range values {
		if len(texts) > 1 {
			return nil, BadRequest("the query: duplicate %s", name)
		}
	}
	return values, nil
}

// read fills v from the body, in any of the forms that clients send.
func (r *Request) read(v any) error {
	if len(r.Body) == 0 {
		return BadRequest("the body is empty")
	}
	if err := wire.Unmarshal(r.Body, v); err != nil {
		return BadRequest("%v", err)
	}
	return nil
}
