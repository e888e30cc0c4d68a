package qredo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-querystring/query"

	"github.com/qredo-go/qredo/internal/path"
	"github.com/qredo-go/qredo/internal/wire"
)

// operation is one call of a service method, before it becomes a request.
type operation struct {
	method string
	path   string   // with the placeholders of the service's own documents
	ids    []string // what replaces them, in order
	query  any
	body   any

	repeatable bool // it changes nothing, or nothing more when it is repeated
	known      bool // an operation of this package
	secret     bool // the answer has a secret
}

// api is an operation of the service, as the service's documents write it: "GET /company/{company_id}".
// The IDs take the places of the placeholders, in order.
func api(endpoint string, ids ...string) operation {
	method, path, _ := strings.Cut(endpoint, " ")
	return operation{method: method, path: path, ids: ids, known: true, repeatable: method == http.MethodGet}
}

func (op operation) with(body any) operation   { op.body = body; return op }
func (op operation) where(query any) operation { op.query = query; return op }
func (op operation) repeated() operation       { op.repeatable = true; return op }
func (op operation) withSecret() operation     { op.secret = true; return op }

// call makes a request and returns its answer as a T.
func call[T any](ctx context.Context, c *Client, op operation, opts []CallOption) (*T, error) {
	out := new(T)
	if err := c.run(ctx, op, out, opts); err != nil {
		return nil, err
	}
	return out, nil
}

// list makes a request whose answer, an A, holds a list, and returns that.
func list[A, T any](ctx context.Context, c *Client, op operation, opts []CallOption, in func(*A) []T) ([]T, error) {
	answer, err := call[A](ctx, c, op, opts)
	if err != nil {
		return nil, err
	}
	return in(answer), nil
}

// run makes a request and reads its answer into out; nil is for answers that say nothing but that the
// request was carried out.
func (c *Client) run(ctx context.Context, op operation, out any, opts []CallOption) error {
	x, err := c.perform(ctx, op, out, newCallOptions(opts))
	if err != nil && x != nil && !x.repeatable && x.mayBeDone(err) {
		return fmt.Errorf("%w; it may have been carried out all the same: look before sending it again", err)
	}
	return err
}

// perform makes a request and reads its answer into out. The exchange is nil if nothing was tried.
func (c *Client) perform(ctx context.Context, op operation, out any, opts callOptions) (*exchange, error) {
	if opts.problem != nil {
		return nil, opts.problem
	}
	for _, part := range [...]any{op.body, op.query} {
		if v, ok := part.(validated); ok && op.known {
			if err := v.validate(c.clock.now()); err != nil {
				return nil, err
			}
		}
	}
	path, err := expandPath(op.path, op.ids)
	if err != nil {
		return nil, err
	}
	rawQuery, err := encodeQuery(op.query)
	if err != nil {
		return nil, err
	}
	payload, err := encodeBody(op.body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, op.method, c.baseURL+path, nil)
	if err != nil {
		return nil, fmt.Errorf("qredo: %w", err)
	}
	req.URL.RawQuery = rawQuery
	if opts.header != nil {
		req.Header = opts.header
	}
	setDefault(req.Header, "Accept", jsonOnly)
	setDefault(req.Header, "Content-Type", jsonOnly)
	setDefault(req.Header, "User-Agent", c.userAgent)

	x := &exchange{req: req, path: path, body: payload, repeatable: op.repeatable, secret: op.secret, noRetry: opts.noRetry}
	resp, err := c.chain.handle(x)
	if resp != nil && opts.response != nil {
		*opts.response = *resp
	}
	if err != nil {
		return x, err
	}
	if err := op.decode(resp.Body, out); err != nil {
		return x, newError(x, resp, err)
	}
	return x, nil
}

// decode reads an answer into out. One to an operation of this package must be what was asked for: a
// service or proxy that says OK and nothing else has not told that a list is empty.
func (op operation) decode(body []byte, out any) error {
	switch o := out.(type) {
	case nil:
		if op.known {
			return checkOK(body)
		}
		return nil
	case *[]byte:
		*o = body
		return nil
	case *json.RawMessage:
		*o = body
		return nil
	}
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		return errors.New("the body is empty")
	case !op.known:
		return wire.Unmarshal(body, out)
	}
	if err := wire.UnmarshalAnswer(body, out); err != nil {
		return err
	}
	if answer, ok := out.(identified); ok && len(op.ids) > 0 {
		if id, about := op.ids[len(op.ids)-1], answer.about(); !slices.Contains(about, id) {
			return fmt.Errorf("asked for %s, the answer is about %s", id, oneLine(about[0]))
		}
	}
	return nil
}

// identified is an answer about what the last ID of the path names, by one of its IDs, the main one first. One about
// something else must not be taken for it: on the word of such an answer a payment is thought to be made.
type identified interface{ about() []string }

func (a *Action) about() []string { return []string{string(a.ID)} }

// about has the IDs of the actions too: the service found a transaction by them.
func (t *Transaction) about() []string {
	ids := []string{string(t.ID)}
	for _, a := range t.Approvals {
		if a.ActionID != "" {
			ids = append(ids, string(a.ActionID))
		}
	}
	return ids
}

// jsonOnly is a header's value. All requests share it; none changes it.
var jsonOnly = []string{"application/json"}

// setDefault sets a header, by its canonical name, that the caller has not set.
func setDefault(h http.Header, key string, value []string) {
	if len(h[key]) == 0 {
		h[key] = value
	}
}

// encodeQuery writes a query: a struct for go-querystring, or one that is encoded already.
func encodeQuery(q any) (string, error) {
	switch q := q.(type) {
	case nil:
		return "", nil
	case string:
		return q, nil
	}
	values, err := query.Values(q)
	if err != nil {
		return "", fmt.Errorf("qredo: query: %w", err)
	}
	return values.Encode(), nil
}

func encodeBody(body any) ([]byte, error) {
	switch b := body.(type) {
	case nil:
		return nil, nil
	case []byte:
		return b, nil
	case json.RawMessage:
		return b, nil
	}
	data, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("qredo: request body: %w", err)
	}
	return data, nil
}

// checkOK reads a success that has nothing to say: no body, or an object whose code, if it has one, is a
// success too. A page that a proxy sends in the service's place is not taken for it.
func checkOK(body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	reply := struct {
		Code int `json:"code"`
	}{Code: http.StatusOK}
	if err := wire.Unmarshal(body, &reply); err != nil {
		return err
	}
	if reply.Code < 200 || reply.Code > 299 {
		return fmt.Errorf("the body says %d", reply.Code)
	}
	return nil
}

// expandPath puts IDs into the placeholders of a path, each escaped on its own.
func expandPath(template string, ids []string) (string, error) {
	if len(ids) == 0 {
		return template, nil
	}
	expanded, problem := path.Expand(template, ids)
	if problem != nil {
		return "", invalid(problem.Field, "%s", problem.Rule)
	}
	return expanded, nil
}
