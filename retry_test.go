package qredo_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
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
		req := goodTransfer()
		req.PartnerTxID = "order-1"
		_, err := c.Transfers.Create(ctx, companyID, req, opts...)
		return err
	}},
	"POST of money, PartnerTxID made": {repeatable, func(ctx context.Context, c *qredo.Client, opts ...qredo.CallOption) error {
		_, err := c.Transfers.Withdraw(ctx, companyID, goodWithdrawal(), opts...)
		return err
	}},
	"POST of money, no PartnerTxID": {writing, func(ctx context.Context, c *qredo.Client, opts ...qredo.CallOption) error {
		_, err := c.Transfers.Create(ctx, companyID, goodTransfer(), append(opts, qredo.WithoutPartnerTxID())...)
		return err
	}},
	"POST": {writing, func(ctx context.Context, c *qredo.Client, opts ...qredo.CallOption) error {
		_, err := c.Companies.Create(ctx, acme, opts...)
		return err
	}},
	"PUT": {writing, func(ctx context.Context, c *qredo.Client, opts ...qredo.CallOption) error {
		return c.CoreClients.Approve(ctx, coreID, coreActionID, opts...)
	}},
	"DELETE": {writing, func(ctx context.Context, c *qredo.Client, opts ...qredo.CallOption) error {
		return c.TrustedNetwork.Remove(ctx, companyID, aliceID, opts...)
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

// failing is a transport that fails, or gives an answer without a body that says so.
func failing(err error) roundTrip {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// failingWith answers with a status and headers.
func failingWith(status int, headers ...string) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		resp := answer(req, status, `{"code":`+quoted(http.StatusText(status))+`}`)
		for i := 0; i < len(headers); i += 2 {
			resp.Header.Set(headers[i], headers[i+1])
		}
		return resp, nil
	}
}

// cutAfter answers with a body that does not come to its end.
func cutAfter(status int, start string) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		resp := answer(req, status, "")
		resp.ContentLength = 1000
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(start), failedReader{io.ErrUnexpectedEOF}))
		return resp, nil
	}
}

type failedReader struct{ err error }

func (r failedReader) Read([]byte) (int, error) { return 0, r.err }

// timeout is an error of the transport that took too long.
type timeout struct{}

func (timeout) Error() string   { return "i/o timeout" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

var (
	errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	errNoName  = &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "sandbox-api.qredo.network", IsNotFound: true}}
	errTLS     = &tls.CertificateVerificationError{Err: errors.New("unknown authority")}
	errTimeout = &url.Error{Op: "Post", URL: testBase, Err: timeout{}}
	errReset   = &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer")}
)

// How often what fails is sent, of four attempts at most: by everything, by what is repeatable and by the
// rest.
func TestAttempts(t *testing.T) {
	all, some, none := [2]int{4, 4}, [2]int{4, 1}, [2]int{1, 1}
	for name, failure := range map[string]struct {
		transport     roundTrip
		attempts      [2]int // repeatable, writing
		okWithoutBody bool   // it is a success for calls that need no body
	}{
		"connection refused":  {failing(errRefused), all, false},
		"no such host":        {failing(errNoName), all, false},
		"certificate refused": {failing(errTLS), all, false},
		"timeout":             {failing(errTimeout), some, false},
		"connection reset":    {failing(errReset), some, false},
		"connection ended":    {failing(io.EOF), some, false},
		"cut success":         {cutAfter(200, `{"assets":[`), some, false},
		"cut failure":         {cutAfter(503, `{`), some, false},
		"408":                 {failingWith(408), some, false},
		"500":                 {failingWith(500), some, false},
		"501":                 {failingWith(501), none, false},
		"502":                 {failingWith(502), some, false},
		"503":                 {failingWith(503), some, false},
		"503, with a time":    {failingWith(503, "Retry-After", "3"), some, false},
		"504":                 {failingWith(504), some, false},
		"505":                 {failingWith(505), none, false},
		"429":                 {failingWith(429), all, false},
		"429, with a time":    {failingWith(429, "Retry-After", "7"), all, false},
		"400":                 {failingWith(400), none, false},
		"401":                 {failingWith(401), none, false},
		"403":                 {failingWith(403), none, false},
		"404":                 {failingWith(404), none, false},
		"409":                 {failingWith(409), none, false},
		"302":                 {failingWith(302, "Location", "/elsewhere"), none, false},
		"200, empty":          {answerWith(200, ""), none, true},
		"200, HTML":           {answerWith(200, "<html>"), none, false},
	} {
		for kind, k := range kindsOfCalls {
			t.Run(name+"/"+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					sent := 0
					client := newQuickClient(t, roundTrip(func(req *http.Request) (*http.Response, error) {
						sent++
						return failure.transport(req)
					}), qredo.WithRetry(qredo.RetryPolicy{}))
					var resp qredo.Response
					err := k.call(t.Context(), client, qredo.WithResponse(&resp))
					want := failure.attempts[1]
					if k.repeatable {
						want = failure.attempts[0]
					}
					assert.Equal(t, want, sent)
					if failure.okWithoutBody && (kind == "PUT" || kind == "DELETE") {
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
			client := newClient(t, roundTrip(func(*http.Request) (*http.Response, error) {
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
			synctest.Test(t, func(t *testing.T) {
				stamps, bodies, partners := map[string]bool{}, map[string]bool{}, map[string]bool{}
				client := newClient(t, roundTrip(func(req *http.Request) (*http.Response, error) {
					body := []byte{}
					if req.Body != nil {
						body, _ = io.ReadAll(req.Body)
					}
					stamp := req.Header.Get("x-timestamp")
					verifySignature(t, req.Header.Get("x-sign"), stamp, req.URL.String(), body)
					stamps[stamp], bodies[string(body)] = true, true
					var fields struct {
						ID string `json:"partner_txID"`
					}
					_ = json.Unmarshal(body, &fields)
					partners[fields.ID] = true
					return failingWith(429, "Retry-After", "5")(req)
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
	client := newClient(t, recordBodies(&bodies, `{"tx_id":"t"}`))
	req := goodTransfer()
	first, err := client.Transfers.Create(t.Context(), companyID, req)
	require.NoError(t, err)
	second, err := client.Transfers.Create(t.Context(), companyID, req)
	require.NoError(t, err)
	require.Empty(t, req.PartnerTxID)
	require.NotEqual(t, first.PartnerTxID, second.PartnerTxID)
	for i, made := range []qredo.PartnerTxID{first.PartnerTxID, second.PartnerTxID} {
		require.GreaterOrEqual(t, len(made), 20, "nobody else makes the same")
		require.Contains(t, bodies[i], `"partner_txID":"`+string(made)+`"`)
	}
}
