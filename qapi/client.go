package qapi

import (
	"context"
	"fmt"

	"github.com/google/go-querystring/query"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/path"
	"github.com/qredo-go/qredo/internal/wire"
)

// The environments that the service ran, for [qredo.WithEnvironment]. Both are retired. Sandbox had testnet
// assets only.
const (
	Production qredo.Environment = "https://api.qredo.network/qapi/v1"
	Sandbox    qredo.Environment = "https://sandbox-api.qredo.network/qapi/v1"
)

// Client calls Qredo API v1. Its services group the operations. A Client is safe for concurrent use and
// should be made once.
type Client struct {
	Account        *AccountService
	Balance        *BalanceService
	Funds          *FundsService
	TrustedParties *TrustedPartiesService
	Wallets        *WalletsService
	Transactions   *TransactionsService

	core *qredo.Client
}

// NewClient returns a client that authenticates with auth. The options are those of [qredo.NewClient];
// without one that says otherwise it calls [Production]. A wrong option is a [*qredo.ValidationError].
func NewClient(auth *qredo.HMACAuth, opts ...qredo.Option) (*Client, error) {
	if auth == nil {
		return nil, invalid("auth", "must not be nil: see qredo.NewHMACAuth")
	}
	core, err := qredo.NewClient(auth, append([]qredo.Option{qredo.WithEnvironment(Production)}, opts...)...)
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

// Do sends any request as the services' methods do: for endpoints this package does not know. See
// [qredo.Client.Do].
func (c *Client) Do(ctx context.Context, method, path string, body, out any, opts ...qredo.CallOption) error {
	return c.core.Do(ctx, method, path, body, out, opts...)
}

// operation is one call of a service method, before it becomes a request.
type operation struct {
	method string
	path   string   // with the placeholders of the service's own documents
	ids    []string // what replaces them, in order
	query  any      // a struct for go-querystring, or nil
	body   any
}

// call makes a request and returns its answer as a T.
func call[T any](ctx context.Context, c *Client, op operation, opts []qredo.CallOption) (*T, error) {
	target, problem := path.Expand(op.path, op.ids)
	if problem != nil {
		return nil, invalid(problem.Field, "%s", problem.Rule)
	}
	if op.query != nil {
		values, err := query.Values(op.query)
		if err != nil {
			return nil, fmt.Errorf("qapi: query: %w", err)
		}
		if text := values.Encode(); text != "" {
			target += "?" + text
		}
	}
	var out answer[T]
	if err := c.core.Do(ctx, op.method, target, op.body, &out, opts...); err != nil {
		return nil, err
	}
	if !out.read {
		return nil, fmt.Errorf("qapi: %s %s: %w: the body is null", op.method, op.path, qredo.ErrBadAnswer)
	}
	return &out.value, nil
}

// answer reads a T and demands what it is useless without.
type answer[T any] struct {
	value T
	read  bool
}

// required is an answer that is useless without one of its fields.
type required interface {
	// missing names the field, or is empty when the answer has it.
	missing() string
}

func (a *answer[T]) UnmarshalJSON(data []byte) error {
	if err := wire.Unmarshal(data, &a.value); err != nil {
		return err
	}
	a.read = true
	if r, ok := any(&a.value).(required); ok && r.missing() != "" {
		return &wire.FieldError{Field: r.missing(), Problem: "is missing"}
	}
	return nil
}

func missingIfEmpty[T ~string](field string, id T) string {
	if id == "" {
		return field
	}
	return ""
}

func invalid(field, rule string, args ...any) error {
	return &qredo.ValidationError{Field: field, Rule: fmt.Sprintf(rule, args...)}
}
