package qredo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/google/go-querystring/query"

	"github.com/qredo-go/qredo/internal/path"
	"github.com/qredo-go/qredo/internal/transport"
	"github.com/qredo-go/qredo/internal/wire"
)

// Response is how the service answered a call: what [WithResponse] fills.
type Response struct {
	Operation  string // as in [Error]
	StatusCode int
	Header     http.Header
	Body       []byte // the whole body as it came
	Attempts   int    // how often the request was sent
}

// Unmarshal reads JSON of the service into the value that v points to, with the tolerance that answers are read with:
// keys in any of the service's spellings, whole numbers and booleans that come as text, one object where a list is
// expected. Use it for JSON that you have as bytes, such as [Response].Body, or a response that your program has stored. In a map or any,
// numbers become [json.Number], so that none is rounded. A figure that is not whole or does not fit, and a
// duplicate key with conflicting values, are errors that name the field. After an error, do not use v.
func Unmarshal(data []byte, v any) error {
	if err := wire.Unmarshal(data, v); err != nil {
		return fmt.Errorf("qredo: %w", err)
	}
	return nil
}

// CallOption changes one call. Every method takes them last.
type CallOption func(*callOptions)

type callOptions struct {
	header        http.Header
	response      *Response
	pollInterval  time.Duration
	noRetry       bool
	noPartnerTxID bool
	noExpiryCheck bool
	operation     string
	problem       error // with one of the options
}

// WithHeader adds a header to one call. The headers that authenticate it cannot be set, nor can an
// Idempotency-Key: the service knows a PartnerTxID only, and net/http would send the request again by
// itself. A header that cannot be sent is a [*ValidationError].
func WithHeader(key, value string) CallOption {
	return func(o *callOptions) {
		switch name := strings.ToLower(key); {
		case name == "idempotency-key" || name == "x-idempotency-key":
			o.problem = invalid("header "+key, "must not be set: a request is made safe to repeat by its PartnerTxID")
		case name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" || strings.ContainsFunc(value, unicode.IsControl):
			o.problem = invalid("header", "must have a name of letters, digits and hyphens and a value in one line, the name is %q", clip(key, 100))
		}
		if o.header == nil {
			o.header = http.Header{}
		}
		o.header.Add(key, value)
	}
}

// WithResponse fills r with how the service answered, also when the call returns an error. A call that
// got no answer leaves r as it is.
func WithResponse(r *Response) CallOption {
	return func(o *callOptions) { o.response = r }
}

// WithoutRetry makes one attempt, whatever happens.
func WithoutRetry() CallOption {
	return func(o *callOptions) { o.noRetry = true }
}

// WithoutPartnerTxID sends a request for a transaction without a PartnerTxID if it has none. Then it is
// not sent again, and if its answer is lost nothing can tell whether it was carried out.
func WithoutPartnerTxID() CallOption {
	return func(o *callOptions) { o.noPartnerTxID = true }
}

// WithoutExpiryCheck sends a request for a transaction although its Expires has passed, to find out what became of
// it when it was sent before: if it was made, the answer is that transaction. If it was not, the service refuses the
// request, and cannot make it any more.
func WithoutExpiryCheck() CallOption {
	return func(o *callOptions) { o.noExpiryCheck = true }
}

// WithOperation names a request of [Client.Do] in errors, logs and to observers, such as "GET /thing/{thing_id}". Default:
// its method and path.
func WithOperation(name string) CallOption {
	return func(o *callOptions) { o.operation = name }
}

// WithPollInterval sets how long the Wait methods pause between two looks. Default: 2 s.
func WithPollInterval(d time.Duration) CallOption {
	return func(o *callOptions) { o.pollInterval = d }
}

func newCallOptions(opts []CallOption) callOptions {
	if len(opts) == 0 { // otherwise it is on the heap
		return callOptions{pollInterval: defaultPollInterval}
	}
	o := callOptions{pollInterval: defaultPollInterval}
	for _, opt := range opts {
		if opt != nil {
			opt(&o)
		}
	}
	return o
}

// Do sends any request through the same chain as the services' methods: for endpoints this package does
// not know. path is below the base URL and may have a query: "/company/search?query=big". body is sent
// as JSON; a []byte or [json.RawMessage] is sent as it is, and nil sends none. The answer is read into
// out with the tolerance of the rest of the package; a *[]byte or *json.RawMessage gets it as it came,
// and nil ignores it. In a map or any, numbers become [json.Number], so that none is rounded. A call ends with ctx also while
// its answer is read, and out is then not to be used; a type that reads its own JSON is waited for.
func (c *Client) Do(ctx context.Context, method, path string, body, out any, opts ...CallOption) error {
	op, err := anyOperation(method, path, body)
	if err != nil {
		return err
	}
	return c.run(ctx, op, out, opts)
}

// anyOperation is an operation unknown to this package.
func anyOperation(method, path string, body any) (operation, error) {
	target, err := below(path)
	if err != nil {
		return operation{}, err
	}
	method = strings.ToUpper(method)
	data, err := encode(body)
	return operation{
		method: method, path: target.EscapedPath(), rawQuery: target.RawQuery, rawBody: data, unknown: true,
		repeatable: method == http.MethodGet || method == http.MethodHead,
	}, err
}

// below parses a path, optionally with a query, that the caller gives. It must stay below the base URL, because the
// credentials are sent there.
func below(path string) (*url.URL, error) {
	rel, err := url.Parse(path)
	if err != nil || !strings.HasPrefix(path, "/") || rel.Host != "" || rel.Fragment != "" {
		return nil, invalid("path", "must begin with one / and be below the base URL, is %q", clip(path, 200))
	}
	if strings.ContainsFunc(rel.RawQuery, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, invalid("path", "must have its query encoded (see url.Values), is %q", clip(path, 200))
	}
	for segment := range strings.SplitSeq(strings.TrimPrefix(rel.Path, "/"), "/") {
		if segment == "" || segment == "." || segment == ".." {
			return nil, invalid("path", "must have no empty, . or .. element, is %q", clip(path, 200))
		}
	}
	return rel, nil
}

// encode encodes a body as JSON, unless it is JSON already.
func encode(body any) ([]byte, error) {
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

// request is a body or query that can be checked before it is sent. Where several things are wrong, validate reports
// the first: see [cmp.Or].
type request interface{ validate(now time.Time) error }

// operation is one call of a service method, before it becomes a request.
type operation struct {
	name   string // method and path
	method string
	path   string   // with the placeholders of the service's own documentation
	ids    []string // what replaces them, in order
	query  request
	body   request

	repeatable bool // safe to repeat: it changes nothing, or nothing more the second time
	secret     bool // the response contains a secret
	decides    bool // once done, it may be refused the second time
	shorten    transport.Shorten

	unknown  bool // not an operation of this package: sent and read as is
	rawQuery string
	rawBody  []byte
}

// api is an operation of the service as the service's documentation writes it: "GET /company/{company_id}". The IDs
// replace the placeholders, in order.
func api(endpoint string, ids ...string) operation {
	method, path, _ := strings.Cut(endpoint, " ")
	return operation{name: endpoint, method: method, path: path, ids: ids, repeatable: method == http.MethodGet}
}

func (op operation) with(body request) operation   { op.body = body; return op }
func (op operation) where(query request) operation { op.query = query; return op }
func (op operation) repeated() operation           { op.repeatable = true; return op }
func (op operation) withSecret() operation         { op.secret = true; return op }
func (op operation) deciding() operation           { op.decides = true; return op }

// call makes a request and decodes its response as a T.
func call[T any](ctx context.Context, c *Client, op operation, opts []CallOption) (*T, error) {
	out := new(T)
	if err := c.run(ctx, op, out, opts); err != nil {
		return nil, err
	}
	return out, nil
}

// list makes a request whose response, an A, contains a list, and returns the list.
func list[A, T any](ctx context.Context, c *Client, op operation, opts []CallOption, in func(*A) []T) ([]T, error) {
	answer, err := call[A](ctx, c, op, opts)
	if err != nil {
		return nil, err
	}
	return in(answer), nil
}

// run makes a request and decodes its response into out. An out of type done is for responses that only confirm that
// the request was carried out.
func (c *Client) run(ctx context.Context, op operation, out any, opts []CallOption) error {
	maybeDone, err := c.perform(ctx, op, out, newCallOptions(opts))
	if maybeDone && !op.repeatable {
		return &maybeDoneError{err}
	}
	return err
}

// perform makes a request and decodes its response into out. On failure it also reports whether the request may have
// been carried out.
func (c *Client) perform(ctx context.Context, op operation, out any, options callOptions) (maybeDone bool, err error) {
	req, err := c.prepare(ctx, op, options)
	if err != nil {
		return false, err
	}
	end := c.begin(req)
	res := c.requests.Send(req)
	if end != nil {
		defer func() { end(res, maybeDone, err) }()
	}
	if options.response != nil && res.Answer != nil {
		*options.response = Response{
			Operation: req.Operation, StatusCode: res.Answer.StatusCode, Header: res.Answer.Header, Body: res.Answer.Body, Attempts: res.Attempts,
		}
	}
	if !res.OK {
		return res.MaybeDone, failure(req, res, op.secret)
	}
	if err := op.decode(ctx, res.Answer.StatusCode, res.Answer.Body, out); err != nil {
		if res.Err = err; ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			res.Answer = nil // no error
		}
		return true, failure(req, res, op.secret)
	}
	return false, nil
}

// prepare builds the request of an operation, or returns what is wrong with it.
func (c *Client) prepare(ctx context.Context, op operation, options callOptions) (*transport.Request, error) {
	if options.problem != nil {
		return nil, options.problem
	}
	now := c.clock.Earliest() // late means late by both clocks
	if options.noExpiryCheck {
		now = time.Time{}
	}
	address, problem := path.Below(c.baseURL, op.path, op.ids)
	body, rawQuery := op.rawBody, op.rawQuery
	for _, part := range [...]request{op.body, op.query} {
		if part == nil {
			continue
		}
		if err := part.validate(now); err != nil {
			return nil, err
		}
	}
	switch {
	case problem != nil:
		return nil, invalid(problem.Field, "%s", problem.Rule)
	case op.query != nil:
		values, err := query.Values(op.query)
		if err != nil {
			return nil, fmt.Errorf("qredo: query: %w", err)
		}
		rawQuery = values.Encode()
	}
	if op.body != nil {
		var err error
		if body, err = json.Marshal(op.body); err != nil {
			return nil, fmt.Errorf("qredo: request body: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, op.method, address, nil)
	if err != nil {
		return nil, fmt.Errorf("qredo: %w", err)
	}
	req.URL.RawQuery = rawQuery
	req.Header = c.header // shared by all requests; no redirect changes it
	if options.header != nil {
		req.Header = maps.Clone(c.header)
		maps.Copy(req.Header, options.header)
	}
	name, template := op.named(options.operation)
	return &transport.Request{
		HTTP: req, Operation: name, Template: template, Path: address[len(c.baseURL):], Body: body, Repeatable: op.repeatable, Decides: op.decides, Once: options.noRetry, Shorten: op.shorten,
	}, nil
}

// decode reads a response into out. For an operation of this package it must be the expected response: a bare OK from
// the service or a proxy does not mean that a list is empty. It stops when ctx ends.
func (op operation) decode(ctx context.Context, status int, body []byte, out any) error {
	switch o := out.(type) {
	case nil:
		return nil // a caller of Do does not care
	case *done:
		return o.read(ctx, op, status, body)
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
	case op.unknown:
		return wire.UnmarshalContext(ctx, body, out)
	}
	if err := wire.UnmarshalAnswerContext(ctx, body, out); err != nil {
		return err
	}
	if answer, ok := out.(identified); ok {
		return answer.isAbout(op)
	}
	return nil
}

// done decodes a success that carries no data: nothing, or an object with a message and a code that is also a success.
// A page, or any other object that an intermediary sends in the service's place, is not accepted.
type done struct {
	vote ActionID // for a decision on an action, which may be answered with the action, but never with an empty body
	mute bool     // unless a signing agent sent it: agents written for the original service read only the status, so servers did not need a body
}

func (d *done) read(ctx context.Context, op operation, status int, body []byte) error {
	switch string(bytes.TrimSpace(body)) {
	case "", "null", "{}":
		documented := status == http.StatusOK || status == http.StatusAccepted && op.method == http.MethodDelete
		if !d.mute && (d.vote != "" || !documented) {
			return errors.New("the body is empty")
		}
		return nil
	}
	var reply struct {
		ID   ActionID        `json:"id"`
		Code json.RawMessage `json:"code"`
		Msg  string          `json:"msg"`
	}
	if err := wire.UnmarshalContext(ctx, body, &reply); err != nil {
		return err
	}
	if d.vote != "" && reply.ID != "" {
		return sameID(string(d.vote), reply.ID)
	}
	code, err := wire.ParseInt(reply.Code)
	switch {
	case d.mute && reply.Code == nil:
		return nil
	case err != nil || reply.Msg == "":
		return errors.New("the body does not say that it was done")
	case code < 200 || code > 299:
		return fmt.Errorf("the body says %d", code)
	}
	return nil
}
