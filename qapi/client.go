package qapi

import (
	"context"
	"fmt"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/core"
	"github.com/qredo-go/qredo/internal/wire"
)

// The environments that the service ran, for [qredo.WithEnvironment]. Both are retired. EnvironmentSandbox had testnet
// assets only.
const (
	EnvironmentProduction qredo.Environment = "https://api.qredo.network/qapi/v1"
	EnvironmentSandbox    qredo.Environment = "https://sandbox-api.qredo.network/qapi/v1"
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

// AuthFromEnv builds an authenticator from the environment: the API key from QREDO_QAPI_KEY, or from the file
// that QREDO_QAPI_KEY_FILE names; its secret from QREDO_QAPI_SECRET, or from the file that
// QREDO_QAPI_SECRET_FILE names. A value that is set in both ways or in neither is a [*qredo.ValidationError]
// that names the variables.
func AuthFromEnv() (*qredo.HMACAuth, error) {
	apiKey, err := core.FromEnv("QREDO_QAPI_KEY")
	if err != nil {
		return nil, err
	}
	secret, err := core.FromEnv("QREDO_QAPI_SECRET")
	if err != nil {
		return nil, err
	}
	return qredo.NewHMACAuth(apiKey, secret)
}

// NewClient returns a client that authenticates with auth. The options are those of [qredo.NewClient];
// without one that says otherwise it calls [EnvironmentProduction]. A wrong option is a [*qredo.ValidationError].
func NewClient(auth *qredo.HMACAuth, opts ...qredo.Option) (*Client, error) {
	if auth == nil {
		return nil, invalid("auth", "must not be nil: see qredo.NewHMACAuth and AuthFromEnv")
	}
	core, err := qredo.NewClient(auth, append([]qredo.Option{qredo.WithEnvironment(EnvironmentProduction)}, opts...)...)
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
type operation core.Request

// api is an operation of the service, as the service's documents write it: "GET /funds/{fund_id}". The IDs
// take the places of the placeholders, in order.
func api(endpoint string, ids ...string) operation { return operation{Endpoint: endpoint, IDs: ids} }

func (op operation) with(body any) operation   { op.Body = body; return op }
func (op operation) where(query any) operation { op.Query = query; return op }

// part makes a request and returns the part of its answer, an A, that the caller has asked for. Where there is
// nothing, the service answers null, for the part or for all of the answer.
func part[A, T any](ctx context.Context, c *Client, op operation, opts []qredo.CallOption, of func(*A) T) (T, error) {
	answer, err := call[nullable[A]](ctx, c, op, opts)
	if err != nil {
		return *new(T), err
	}
	return of(&answer.is), nil
}

// nullable is an answer in whose place null may stand.
type nullable[A any] struct{ is A }

// UnmarshalJSON reads anything but null, which does not come here, as the answer itself.
func (n *nullable[A]) UnmarshalJSON(data []byte) error { return wire.UnmarshalAnswer(data, &n.is) }

// call makes a request and returns its answer as a T.
func call[T any](ctx context.Context, c *Client, op operation, opts []qredo.CallOption) (*T, error) {
	out := new(T)
	if err := core.Call(ctx, c.core, core.Request(op), out, opts); err != nil {
		return nil, err
	}
	return out, nil
}

func invalid(field, rule string, args ...any) error {
	return &qredo.ValidationError{Field: field, Rule: fmt.Sprintf(rule, args...)}
}
