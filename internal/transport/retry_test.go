package transport_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// repeatable is what may be sent again whatever happened, writing what may be only if it never arrived.
const (
	repeatable = true
	writing    = false
)

// kindsOfCalls are calls of every kind that retrying tells apart.
var kindsOfCalls = map[string]struct {
	repeatable bool
	call       func(ctx context.Context, c *qredo.Client, opts ...qredo.CallOption) error
}{
	"GET": {repeatable, func(ctx context.Context, c *qredo.Client, opts ...qredo.CallOption) error {
		_, err := c.Assets.List(ctx, opts...)
		return err
	}},
	"POST of a question": {repeatable, func(ctx context.Context, c *qredo.Client, opts ...qredo.CallOption) error {
		_, err := c.Assets.GetFees(ctx, qredo.FeesRequest{Type: qredo.FeeSwap, Asset: "BTC", Amount: 1}, opts...)
		return err
	}},
	"POST of money, own PartnerTxID": {repeatable, func(ctx context.Context, c *qredo.Client, opts ...qredo.CallOption) error {
		req := clienttest.GoodTransfer()
		req.PartnerTxID = "order-1"
		_, err := c.Transfers.Create(ctx, clienttest.CompanyID, req, opts...)
		return err
	}},
	"POST of money, PartnerTxID made": {repeatable, func(ctx context.Context, c *qredo.Client, opts ...qredo.CallOption) error {
		_, err := c.Transfers.Withdraw(ctx, clienttest.CompanyID, clienttest.GoodWithdrawal(), opts...)
		return err
	}},
	"POST of money, no PartnerTxID": {writing, func(ctx context.Context, c *qredo.Client, opts ...qredo.CallOption) error {
		_, err := c.Transfers.Create(ctx, clienttest.CompanyID, clienttest.GoodTransfer(), append(opts, qredo.WithoutPartnerTxID())...)
		return err
	}},
	"POST": {writing, func(ctx context.Context, c *qredo.Client, opts ...qredo.CallOption) error {
		_, err := c.Companies.Create(ctx, clienttest.Acme, opts...)
		return err
	}},
	"PUT": {writing, func(ctx context.Context, c *qredo.Client, opts ...qredo.CallOption) error {
		return c.CoreClients.Approve(ctx, clienttest.CoreID, clienttest.CoreActionID, opts...)
	}},
	"DELETE": {writing, func(ctx context.Context, c *qredo.Client, opts ...qredo.CallOption) error {
		return c.TrustedNetwork.Remove(ctx, clienttest.CompanyID, clienttest.AliceID, opts...)
	}},
	"Do GET": {repeatable, func(ctx context.Context, c *qredo.Client, opts ...qredo.CallOption) error {
		var out map[string]any
		return c.Do(ctx, http.MethodGet, "/new", nil, &out, opts...)
	}},
	"Do POST": {writing, func(ctx context.Context, c *qredo.Client, opts ...qredo.CallOption) error {
		var out map[string]any
		return c.Do(ctx, http.MethodPost, "/new", map[string]int{"a": 1}, &out, opts...)
	}},
}

// How many times a failing request is sent, of at most four attempts: for everything, for repeatable requests and for the
// others.
func TestAttempts(t *testing.T) {
	all, some, none := [2]int{4, 4}, [2]int{4, 1}, [2]int{1, 1}
	for name, failure := range map[string]struct {
		transport     clienttest.RoundTrip
		attempts      [2]int // repeatable, writing
		okWithoutBody bool   // it is a success for calls that need no body
		refusesReads  bool   // a read is not asked again, since nothing has become of it
	}{
		"connection refused":        {clienttest.Failing(clienttest.ErrRefused), all, false, false},
		"no such host":              {clienttest.Failing(clienttest.ErrNoName), all, false, false},
		"certificate refused":       {clienttest.Failing(clienttest.ErrTLS), all, false, false},
		"timeout":                   {clienttest.Failing(clienttest.ErrTimeout), some, false, false},
		"connection reset":          {clienttest.Failing(clienttest.ErrReset), some, false, false},
		"broken while writing":      {clienttest.Failing(clienttest.ErrWriting), some, false, false},
		"a proxy that is not there": {clienttest.Failing(clienttest.ErrProxy), some, false, false},
		"connection ended":          {clienttest.Failing(io.EOF), some, false, false},
		"cut success":               {clienttest.CutAfter(200, `{"assets":[`), some, false, false},
		"cut failure":               {clienttest.CutAfter(503, `{`), some, false, false},
		"408":                       {clienttest.FailingWith(408), some, false, false},
		"500":                       {clienttest.FailingWith(500), some, false, false},
		"501":                       {clienttest.FailingWith(501), none, false, false},
		"502":                       {clienttest.FailingWith(502), some, false, false},
		"503":                       {clienttest.FailingWith(503), some, false, false},
		"503, with a time":          {clienttest.FailingWith(503, "Retry-After", "3"), some, false, false},
		"504":                       {clienttest.FailingWith(504), some, false, false},
		"505":                       {clienttest.FailingWith(505), none, false, false},
		"429":                       {clienttest.FailingWith(429), all, false, false},
		"429, with a time":          {clienttest.FailingWith(429, "Retry-After", "7"), all, false, false},
		"400":                       {clienttest.FailingWith(400), none, false, false},
		"401":                       {clienttest.FailingWith(401), none, false, false},
		"403":                       {clienttest.FailingWith(403), none, false, false},
		"404":                       {clienttest.FailingWith(404), none, false, false},
		"409":                       {clienttest.FailingWith(409), none, false, false},
		"302":                       {clienttest.FailingWith(302, "Location", "/elsewhere"), none, false, false},
		"200, empty":                {clienttest.AnswerWith(200, ""), none, true, false},
		"403, a page":               {clienttest.PageWith(403), some, false, true},
		"404, a page":               {clienttest.PageWith(404), some, false, true},
		"429, a page":               {clienttest.PageWith(429), some, false, false},
		"302, a page":               {clienttest.PageWith(302), some, false, true},
		"200, HTML":                 {clienttest.AnswerWith(200, "<html>"), none, false, false},
	} {
		for kind, k := range kindsOfCalls {
			t.Run(name+"/"+kind, func(t *testing.T) {
				clienttest.Bubble(t, func(t *testing.T) {
					sent := 0
					client := clienttest.NewQuickClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
						sent++
						return failure.transport(req)
					}), qredo.WithRetry(qredo.RetryPolicy{}))
					var resp qredo.Response
					err := k.call(t.Context(), client, qredo.WithResponse(&resp))
					want := failure.attempts[1]
					if k.repeatable {
						want = failure.attempts[0]
					}
					if failure.refusesReads && strings.HasSuffix(kind, "GET") {
						want = 1
					}
					assert.Equal(t, want, sent)
					if failure.okWithoutBody && kind == "DELETE" {
						require.NoError(t, err)
						return
					}
					require.Error(t, err)
					var e *qredo.Error
					if errors.As(err, &e) {
						assert.Equal(t, want, e.Attempts)
						assert.Equal(t, want, resp.Attempts)
					}

					sent = 0
					require.Error(t, k.call(t.Context(), client, qredo.WithoutRetry()))
					assert.Equal(t, 1, sent, "WithoutRetry")
				})
			})
		}
	}
}

// A call that ends because its context does is not sent again.
func TestNoAttemptAfterTheContext(t *testing.T) {
	for kind, k := range kindsOfCalls {
		t.Run(kind, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			sent := 0
			client := clienttest.NewClient(t, clienttest.RoundTrip(func(*http.Request) (*http.Response, error) {
				sent++
				cancel()
				return nil, context.Canceled
			}), qredo.WithRetry(qredo.RetryPolicy{}))
			require.ErrorIs(t, k.call(ctx, client), context.Canceled)
			assert.Equal(t, 1, sent)
			require.ErrorIs(t, k.call(ctx, client), context.Canceled, "one that has ended before")
			assert.Equal(t, 1, sent)
		})
	}
}

// What is sent again is the same request with a stamp and signature of its own.
func TestEachAttemptIsSigned(t *testing.T) {
	for kind, k := range kindsOfCalls {
		t.Run(kind, func(t *testing.T) {
			clienttest.Bubble(t, func(t *testing.T) {
				stamps, bodies, partners := map[string]bool{}, map[string]bool{}, map[string]bool{}
				client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
					body := []byte{}
					if req.Body != nil {
						body, _ = io.ReadAll(req.Body)
					}
					stamp := req.Header.Get("x-timestamp")
					clienttest.VerifySignature(t, req.Header.Get("x-sign"), stamp, req.URL.String(), body)
					stamps[stamp], bodies[string(body)] = true, true
					var fields struct {
						ID string `json:"partner_txID"`
					}
					_ = json.Unmarshal(body, &fields)
					partners[fields.ID] = true
					return clienttest.FailingWith(429, "Retry-After", "5")(req)
				}), qredo.WithRetry(qredo.RetryPolicy{}), qredo.WithClock(time.Now))
				// The clock of a bubble begins in 2000; the requests expire in 2023.
				require.ErrorIs(t, k.call(t.Context(), client), qredo.ErrRateLimited)
				assert.Len(t, stamps, 4)
				assert.Len(t, bodies, 1)
				assert.Len(t, partners, 1)
				if strings.Contains(kind, "made") {
					assert.NotContains(t, partners, "")
				}
			})
		})
	}
}

// Two requests get two IDs, and the caller's requests stay as they are.
func TestPartnerTxIDsMade(t *testing.T) {
	var bodies []string
	client := clienttest.NewClient(t, clienttest.RecordBodies(&bodies, `{"tx_id":"t"}`))
	req := clienttest.GoodTransfer()
	first, err := client.Transfers.Create(t.Context(), clienttest.CompanyID, req)
	require.NoError(t, err)
	second, err := client.Transfers.Create(t.Context(), clienttest.CompanyID, req)
	require.NoError(t, err)
	require.Empty(t, req.PartnerTxID)
	require.NotEqual(t, first.PartnerTxID, second.PartnerTxID)
	for i, made := range []qredo.PartnerTxID{first.PartnerTxID, second.PartnerTxID} {
		require.GreaterOrEqual(t, len(made), 20, "nobody else makes the same")
		require.Contains(t, bodies[i], `"partner_txID":"`+string(made)+`"`)
	}
}
