package qapitest

import (
	"context"
	"embed"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/qredotest"
	"github.com/qredo-go/qredo/qredotest/internal/wirefile"
)

//go:embed fixtures/*.json
var fixtureFiles embed.FS

// The identifiers in the fixtures. They belong to nobody.
const (
	FundID        qredo.FundID   = "F1"
	WalletID      qredo.WalletID = "W1"
	TransactionID qredo.TxID     = "2r5yHUig43kiJfahqSIjOugM1yT"
)

var files = sync.OnceValue(func() []wirefile.File { return wirefile.Read(fixtureFiles, "fixtures") })

// Fixtures returns a fixture for each operation of Qredo API v1 and for its feed, in the order of their calls.
func Fixtures() []qredotest.Fixture {
	all := make([]qredotest.Fixture, len(files()))
	for i, file := range files() {
		all[i] = newFixture(file)
	}
	return all
}

// FixtureOf returns the fixture of an operation, such as "GET /transactions/{tx_id}/status", or of a call, such as
// "Transactions.Get". It panics if there is none, because that is a mistake in the test.
func FixtureOf(operation string) qredotest.Fixture {
	for _, file := range files() {
		if file.Operation == operation || file.Call(names()) == operation {
			return newFixture(file)
		}
	}
	panic("qapitest: there is no fixture of " + operation + ": Fixtures lists all")
}

// ValueOf returns what the client makes of the answer in a fixture, as a T:
//
//	tx := qapitest.ValueOf[*qapi.Transaction]("Transactions.Get")
//
// It panics if there is no such fixture, or its value is not a T, because that is a mistake in the test.
func ValueOf[T any](operation string) T {
	f := FixtureOf(operation)
	value, ok := f.Value.(T)
	if !ok {
		panic(fmt.Sprintf("qapitest: %s returns %T, not %T", f.Call, f.Value, value))
	}
	return value
}

// Service answers requests of Qredo API v1 by their operation, as [qredotest.Service] does for the Partner API.
type Service struct {
	*qredotest.Service

	t qredotest.TestingT
}

// NewService returns a service without answers: see [qredotest.Service.On].
func NewService(t qredotest.TestingT) *Service {
	return &Service{Service: qredotest.NewServiceAt(t, "/qapi/v1"), t: t}
}

// Client returns a client of the service, whose key is made up and whose clock stands still at [qredotest.FixtureTime]. A wrong
// option ends the test.
func (s *Service) Client(opts ...qredo.Option) *qapi.Client {
	s.t.Helper()
	client, err := newClient(s, opts...)
	if err != nil {
		s.t.Errorf("qapitest: %v", err)
		s.t.FailNow()
	}
	return client
}

func newClient(transport http.RoundTripper, opts ...qredo.Option) (*qapi.Client, error) {
	auth, err := qredo.NewHMACAuth("key-of-a-test", "c2VjcmV0IG9mIGEgdGVzdA==")
	if err != nil {
		return nil, err
	}
	return qapi.NewClient(auth, append([]qredo.Option{
		qredo.WithBaseURL("https://qredo.invalid/qapi/v1"), qredo.WithHTTPClient(&http.Client{Transport: transport}),
		qredo.WithClock(func() time.Time { return qredotest.FixtureTime() }),
	}, opts...)...)
}

func newFixture(file wirefile.File) qredotest.Fixture {
	f := qredotest.Fixture{
		Operation: file.Operation, Call: file.Call(names()), Method: file.Method(), Path: file.Path, Query: file.Query,
		Request: slices.Clone(file.Request), Status: file.Status, Response: slices.Clone(file.Response),
	}
	value, err := valueOf(f)
	if err != nil {
		panic("qapitest: " + file.Name + ": " + err.Error())
	}
	f.Value = value
	return f
}

const feed = "Transactions.Feed"

// valueOf is the client's value for the answer.
func valueOf(f qredotest.Fixture) (any, error) {
	if f.Call == feed {
		event := qapi.TransactionEvent{}
		if err := qredo.Unmarshal(f.Response, &event.Transaction); err != nil {
			return nil, err
		}
		event.StatusUpdate = event.Transaction.Events[0]
		return event, nil
	}
	client, err := newClient(f.Answer())
	if err != nil {
		return nil, err
	}
	return calls[f.Call](context.Background(), client, f)
}

func names() []string { return append(slices.Collect(maps.Keys(calls)), feed) }

// calls make the call of each fixture, by the method's name.
var calls = map[string]func(ctx context.Context, c *qapi.Client, f qredotest.Fixture) (any, error){
	"Account.Get": func(ctx context.Context, c *qapi.Client, _ qredotest.Fixture) (any, error) { return c.Account.Get(ctx) },
	"Balance.Get": func(ctx context.Context, c *qapi.Client, _ qredotest.Fixture) (any, error) { return c.Balance.Get(ctx) },
	"Funds.List": func(ctx context.Context, c *qapi.Client, _ qredotest.Fixture) (any, error) {
		return c.Funds.List(ctx, qapi.FundsOptions{Archived: true})
	},
	"Funds.Get": func(ctx context.Context, c *qapi.Client, _ qredotest.Fixture) (any, error) {
		return c.Funds.Get(ctx, FundID)
	},
	"Funds.ListLedger": func(ctx context.Context, c *qapi.Client, _ qredotest.Fixture) (any, error) {
		return c.Funds.ListLedger(ctx, FundID)
	},
	"Transactions.Create": func(ctx context.Context, c *qapi.Client, f qredotest.Fixture) (any, error) {
		var req qapi.TransactionRequest
		if err := qredo.Unmarshal(f.Request, &req); err != nil {
			return nil, err
		}
		return c.Transactions.Create(ctx, req)
	},
	"Transactions.Get": func(ctx context.Context, c *qapi.Client, _ qredotest.Fixture) (any, error) {
		return c.Transactions.Get(ctx, TransactionID)
	},
	"Transactions.ListApprovals": func(ctx context.Context, c *qapi.Client, _ qredotest.Fixture) (any, error) {
		return c.Transactions.ListApprovals(ctx, TransactionID)
	},
	"TrustedParties.List": func(ctx context.Context, c *qapi.Client, _ qredotest.Fixture) (any, error) {
		return c.TrustedParties.List(ctx)
	},
	"Wallets.ListHistory": func(ctx context.Context, c *qapi.Client, _ qredotest.Fixture) (any, error) {
		return c.Wallets.ListHistory(ctx, WalletID)
	},
}
