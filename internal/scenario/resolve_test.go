package scenario_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/sandbox"
)

// worldCalls are the five requests for a transaction, as the sandbox can carry them out. The quote is one
// that can be taken.
func worldCalls(w *clienttest.World, quote qredo.TxID) map[string]func(context.Context, *qredo.Client, qredo.PartnerTxID, ...qredo.CallOption) (*qredo.Submission, error) {
	return map[string]func(context.Context, *qredo.Client, qredo.PartnerTxID, ...qredo.CallOption) (*qredo.Submission, error){
		"transfer": func(ctx context.Context, c *qredo.Client, id qredo.PartnerTxID, opts ...qredo.CallOption) (*qredo.Submission, error) {
			req := w.Transfer(1000)
			req.PartnerTxID = id
			return c.Transfers.Create(ctx, w.Company, req, opts...)
		},
		"withdraw": func(ctx context.Context, c *qredo.Client, id qredo.PartnerTxID, opts ...qredo.CallOption) (*qredo.Submission, error) {
			req := w.Withdrawal(1000)
			req.PartnerTxID = id
			return c.Transfers.Withdraw(ctx, w.Company, req, opts...)
		},
		"sweep": func(ctx context.Context, c *qredo.Client, id qredo.PartnerTxID, opts ...qredo.CallOption) (*qredo.Submission, error) {
			req := w.Sweep(1000)
			req.PartnerTxID = id
			return c.CoreClients.Sweep(ctx, w.Desk.ID, req, opts...)
		},
		"swap make": func(ctx context.Context, c *qredo.Client, id qredo.PartnerTxID, opts ...qredo.CallOption) (*qredo.Submission, error) {
			req := w.Swap()
			req.PartnerTxID = id
			made, err := c.Swaps.Make(ctx, w.Company, req, opts...)
			if err != nil {
				return nil, err
			}
			return &made.Submission, nil
		},
		"swap take": func(ctx context.Context, c *qredo.Client, id qredo.PartnerTxID, opts ...qredo.CallOption) (*qredo.Submission, error) {
			req := w.Take(quote)
			req.PartnerTxID = id
			return c.Swaps.Take(ctx, w.Company, req, opts...)
		},
	}
}

type between = func(*http.Request, http.RoundTripper) (*http.Response, error)

// An outcome that is unknown is found out by sending the request again with the same PartnerTxID, whether
// the first one arrived or not, and either way there is one transaction.
func TestUnknownOutcomesAreResolved(t *testing.T) {
	w := clienttest.NewWorld(t)
	for name, lost := range map[string]struct {
		between between
		made    int
		status  qredo.SubmissionStatus
	}{
		"answer lost":  {clienttest.LoseAnswer, 1, qredo.SubmissionExisting},
		"request lost": {clienttest.LoseRequest, 0, qredo.SubmissionNew},
	} {
		for operation, call := range worldCalls(w, w.Offer(t)) {
			t.Run(name+"/"+operation, func(t *testing.T) {
				before := w.Transactions(t)
				sent, err := call(t.Context(), w.Through(lost.between), "", qredo.WithoutRetry())
				var unknown *qredo.UnknownOutcomeError
				require.ErrorAs(t, err, &unknown)
				require.Nil(t, sent)
				require.NotEmpty(t, unknown.PartnerTxID)
				assert.Equal(t, lost.made, w.Transactions(t)-before)

				found, err := call(t.Context(), w.Client, unknown.PartnerTxID)
				require.NoError(t, err)
				assert.Equal(t, lost.status, found.Status)
				assert.Equal(t, unknown.PartnerTxID, found.PartnerTxID)
				assert.Equal(t, 1, w.Transactions(t)-before)
				again, err := call(t.Context(), w.Client, unknown.PartnerTxID)
				require.NoError(t, err)
				assert.Equal(t, found.TxID, again.TxID)
				assert.Equal(t, 1, w.Transactions(t)-before)
			})
		}
	}
}

// The client finds out by itself where it may send again.
func TestLostAnswersAreAskedForAgain(t *testing.T) {
	w := clienttest.NewWorld(t)
	for operation, call := range worldCalls(w, w.Offer(t)) {
		t.Run(operation, func(t *testing.T) {
			before, lost := w.Transactions(t), 0
			client := w.Through(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				if lost < 2 {
					lost++
					return clienttest.LoseAnswer(req, next)
				}
				return next.RoundTrip(req)
			}, qredo.WithRetry(qredo.RetryPolicy{MinBackoff: 1}))
			var resp qredo.Response
			sent, err := call(t.Context(), client, "", qredo.WithResponse(&resp))
			require.NoError(t, err)
			assert.Equal(t, qredo.SubmissionNew, sent.Status, "nobody else has used a key that was made for it")
			assert.Equal(t, 3, resp.Attempts)
			assert.Equal(t, 1, w.Transactions(t)-before)
		})
	}
}

// deliverTwice sends a request twice, as something on the way may, and gives the answer to the second.
func deliverTwice(req *http.Request, next http.RoundTripper) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	deliver := func() (*http.Response, error) {
		copied := req.Clone(req.Context())
		copied.Body = io.NopCloser(bytes.NewReader(body))
		return next.RoundTrip(copied)
	}
	first, err := deliver()
	if err != nil {
		return nil, err
	}
	_ = first.Body.Close()
	return deliver()
}

// The second of two deliveries is refused for its nonce, which the first has taken. That does not say that nothing was
// made: it is asked again where that does no harm, and the outcome is unknown where it would.
func TestRequestsThatAreDeliveredTwice(t *testing.T) {
	w := clienttest.NewWorld(t, sandbox.WithKey(clienttest.APIKey, clienttest.PublicKey(t)))
	for name, tc := range map[string]struct {
		id     qredo.PartnerTxID
		opts   []qredo.CallOption
		status qredo.SubmissionStatus // or the outcome is unknown
	}{
		"own key":         {"order-", nil, qredo.SubmissionExisting},
		"key made":        {"", nil, qredo.SubmissionNew},
		"no key":          {"", []qredo.CallOption{qredo.WithoutPartnerTxID()}, ""},
		"asked just once": {"once-", []qredo.CallOption{qredo.WithoutRetry()}, ""},
	} {
		for operation, call := range worldCalls(w, w.Offer(t)) {
			t.Run(name+"/"+operation, func(t *testing.T) {
				sent := 0
				client, err := qredo.NewClient(clienttest.NewAuth(t, qredo.WithNonce(rand.Text)), qredo.WithBaseURL(w.Srv.BaseURL()),
					qredo.WithRetry(qredo.RetryPolicy{MinBackoff: 1}), qredo.WithHTTPClient(&http.Client{
						Transport: clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
							if sent++; sent == 1 {
								return deliverTwice(req, http.DefaultTransport)
							}
							return http.DefaultTransport.RoundTrip(req)
						}),
					}))
				require.NoError(t, err)
				before, id := w.Transactions(t), tc.id
				if id != "" {
					id += qredo.PartnerTxID(operation)
				}
				got, err := call(t.Context(), client, id, tc.opts...)
				assert.Equal(t, 1, w.Transactions(t)-before)
				if tc.status == "" {
					require.ErrorIs(t, err, qredo.ErrOutcomeUnknown)
					require.Equal(t, 1, sent)
					return
				}
				require.NoError(t, err)
				assert.Equal(t, tc.status, got.Status)
				assert.Equal(t, 2, sent)
			})
		}
	}
}

// After its expiry a request can no longer make anything, but finds what it made.
func TestWithoutExpiryCheck(t *testing.T) {
	w := clienttest.NewWorld(t)
	ctx, req := t.Context(), w.Transfer(1000)
	req.PartnerTxID = "order-1"
	made, err := w.Client.Transfers.Create(ctx, w.Company, req)
	require.NoError(t, err)
	require.NoError(t, w.Srv.Advance(2*time.Hour))
	client := w.Srv.Client(qredo.WithClock(w.Srv.Now))
	_, err = client.Transfers.Create(ctx, w.Company, req)
	clienttest.RequireInvalid(t, err, "expires")

	again, err := client.Transfers.Create(ctx, w.Company, req, qredo.WithoutExpiryCheck())
	require.NoError(t, err)
	require.Equal(t, qredo.SubmissionExisting, again.Status)
	require.Equal(t, made.TxID, again.TxID)

	req.PartnerTxID = "order-2"
	_, err = client.Transfers.Create(ctx, w.Company, req, qredo.WithoutExpiryCheck())
	require.ErrorIs(t, err, qredo.ErrBadRequest, "the service refuses it")
	req.Send.Amount = 0
	_, err = client.Transfers.Create(ctx, w.Company, req, qredo.WithoutExpiryCheck())
	clienttest.RequireInvalid(t, err, "send.amount")
}
