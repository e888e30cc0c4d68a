package qapi

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/google/go-querystring/query"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/path"
	"github.com/qredo-go/qredo/internal/wire"
)

// The environments that the service ran, for [qredo.WithEnvironment]. Both have been shut down. EnvironmentSandbox had only
// testnet assets.
const (
	EnvironmentProduction qredo.Environment = "https://api.qredo.network/qapi/v1"
	EnvironmentSandbox    qredo.Environment = "https://sandbox-api.qredo.network/qapi/v1"
)

// Client calls Qredo API v1. Its services group the operations. A Client is safe for concurrent use; create one and reuse it.
type Client struct {
	Account        *AccountService
	Balance        *BalanceService
	Funds          *FundsService
	TrustedParties *TrustedPartiesService
	Wallets        *WalletsService
	Transactions   *TransactionsService

	core *qredo.Client
}

// NewClient returns a client that authenticates with auth. The options are those of [qredo.NewClient], and you must say which
// service to call here too. A wrong option is a [*qredo.ValidationError].
func NewClient(auth *qredo.HMACAuth, opts ...qredo.Option) (*Client, error) {
	if auth == nil {
		return nil, invalid("auth", "must not be nil: see qredo.NewHMACAuth and qredo.HMACAuthFromEnv")
	}
	core, err := qredo.NewClient(auth, opts...)
	if err != nil {
		return nil, err
	}
	c := &Client{core: core}
	c.Account = &AccountService{c}
	c.Balance = &BalanceService{c}
	c.Funds = &FundsService{c}
	c.TrustedParties = &TrustedPartiesService{c}
	c.Wallets = &WalletsService{c}
	c.Transactions = &TransactionsService{client: c}
	return c, nil
}

// ClientFromEnv returns a client configured from the environment: the keys as [qredo.HMACAuthFromEnv] reads them, and the base
// URL from QREDO_QAPI_BASE_URL, which an option may override. It returns a [*qredo.ValidationError] that names the variable if
// one is missing.
func ClientFromEnv(opts ...qredo.Option) (*Client, error) {
	auth, err := qredo.HMACAuthFromEnv()
	if err != nil {
		return nil, err
	}
	if base := os.Getenv("QREDO_QAPI_BASE_URL"); base != "" {
		opts = append([]qredo.Option{qredo.WithBaseURL(base)}, opts...)
	}
	return NewClient(auth, opts...)
}

// Do sends any request in the same way as the services' methods, for endpoints that this package does not know. See
// [qredo.Client.Do].
func (c *Client) Do(ctx context.Context, method, path string, body, out any, opts ...qredo.CallOption) error {
	return c.core.Do(ctx, method, path, body, out, opts...)
}

// request is a body or query that can be checked before it is sent.
type request interface{ validate() error }

// operation is one call of a service method, before it becomes a request.
type operation struct {
	method, path string   // with the placeholders of the service's own documentation
	ids          []string // what replaces them, in order
	query, body  request
}

// api is an operation of the service as the service's documentation writes it: "GET /funds/{fund_id}". The IDs replace
// the placeholders, in order.
func api(endpoint string, ids ...string) operation {
	method, path, _ := strings.Cut(endpoint, " ")
	return operation{method: method, path: path, ids: ids}
}

func (op operation) with(body request) operation   { op.body = body; return op }
func (op operation) where(query request) operation { op.query = query; return op }

// target is the path of the request, with its query.
func (op operation) target() (string, error) {
	target, problem := path.Expand(op.path, op.ids)
	switch {
	case problem != nil:
		return "", invalid(problem.Field, "%s", problem.Rule)
	case op.query == nil:
		return target, nil
	}
	values, err := query.Values(op.query)
	if err != nil {
		return "", fmt.Errorf("qapi: query: %w", err)
	}
	if len(values) > 0 {
		target += "?" + values.Encode()
	}
	return target, nil
}

// part makes a request and returns the part of its response, an A, that the caller has asked for. If there is nothing,
// the service answers null, for that part or for the whole response.
func part[A, T any](ctx context.Context, c *Client, op operation, opts []qredo.CallOption, of func(*A) T) (T, error) {
	found, err := call[nullable[A]](ctx, c, op, opts)
	if err != nil {
		return *new(T), err
	}
	return of(&found.is), nil
}

// nullable is a response that may be null.
type nullable[A any] struct{ is A }

// UnmarshalJSONContext decodes anything but null as the response.
func (n *nullable[A]) UnmarshalJSONContext(ctx context.Context, data []byte) error {
	if string(bytes.TrimSpace(data)) == "null" {
		return nil
	}
	return wire.UnmarshalAnswerContext(ctx, data, &n.is)
}

func (n *nullable[A]) isAbout(op operation) error {
	if read, ok := any(&n.is).(identified); ok {
		return read.isAbout(op)
	}
	return nil
}

// answer is a response of this API, which must be about what was asked for.
type answer[T any] struct {
	is *T
	to operation
}

// UnmarshalJSONContext decodes the response.
func (a *answer[T]) UnmarshalJSONContext(ctx context.Context, data []byte) error {
	if err := wire.UnmarshalAnswerContext(ctx, data, a.is); err != nil {
		return err
	}
	if read, ok := any(a.is).(identified); ok {
		return read.isAbout(a.to)
	}
	return nil
}

// call makes a request and decodes its response as a T.
func call[T any](ctx context.Context, c *Client, op operation, opts []qredo.CallOption) (*T, error) {
	for _, part := range [...]request{op.body, op.query} {
		if part == nil {
			continue
		}
		if err := part.validate(); err != nil {
			return nil, err
		}
	}
	target, err := op.target()
	if err != nil {
		return nil, err
	}
	out := new(T)
	named := append([]qredo.CallOption{qredo.WithOperation(op.method + " " + op.path)}, opts...)
	if err := c.core.Do(ctx, op.method, target, op.body, &answer[T]{out, op}, named...); err != nil {
		return nil, err
	}
	return out, nil
}

func invalid(field, rule string, args ...any) error {
	return &qredo.ValidationError{Field: field, Rule: fmt.Sprintf(rule, args...)}
}
