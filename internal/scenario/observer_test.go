package scenario_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox"
)

type contextKey struct{}

// An observer sees each attempt of a call and its end, by the operation's name and not by its IDs.
func TestObserver(t *testing.T) {
	const create = "POST /company/{company_id}/transfer"
	wrong := errors.New("connection lost")
	for name, tc := range map[string]struct {
		attempts []clienttest.RoundTrip
		call     func(ctx context.Context, c *qredo.Client) error
		want     []qredo.Attempt
	}{
		"lost and found": {
			[]clienttest.RoundTrip{clienttest.Failing(wrong), clienttest.AnswerWith(200, `{"tx_id":"t","status":"new"}`)}, transfer,
			[]qredo.Attempt{
				{Operation: create, Number: 1, Outcome: qredo.OutcomeUnknown}, {Operation: create, Number: 2, StatusCode: 200, Outcome: qredo.OutcomeDone},
				{Operation: create, Number: 2, StatusCode: 200, Outcome: qredo.OutcomeDone, Ended: true},
			},
		},
		"refused": {
			[]clienttest.RoundTrip{clienttest.FailingWith(403)}, transfer,
			[]qredo.Attempt{
				{Operation: create, Number: 1, StatusCode: 403, Outcome: qredo.OutcomeNotDone},
				{Operation: create, Number: 1, StatusCode: 403, Outcome: qredo.OutcomeNotDone, Ended: true},
			},
		},
		"a success that is none": {
			[]clienttest.RoundTrip{clienttest.AnswerWith(200, "<html>")}, transfer,
			[]qredo.Attempt{
				{Operation: create, Number: 1, StatusCode: 200, Outcome: qredo.OutcomeDone},
				{Operation: create, Number: 1, StatusCode: 200, Outcome: qredo.OutcomeUnknown, Ended: true},
			},
		},
		"a read": {
			[]clienttest.RoundTrip{clienttest.PageWith(403)},
			func(ctx context.Context, c *qredo.Client) error { _, err := c.Companies.Get(ctx, "c"); return err },
			[]qredo.Attempt{
				{Operation: "GET /company/{company_id}", Number: 1, StatusCode: 403, Outcome: qredo.OutcomeNotDone},
				{Operation: "GET /company/{company_id}", Number: 1, StatusCode: 403, Outcome: qredo.OutcomeNotDone, Ended: true},
			},
		},
		"any request": {
			[]clienttest.RoundTrip{clienttest.AnswerWith(200, `{}`)},
			func(ctx context.Context, c *qredo.Client) error {
				return c.Do(ctx, http.MethodGet, "/thing/7?x=1", nil, nil, qredo.WithOperation("GET /thing/{thing_id}"))
			},
			[]qredo.Attempt{
				{Operation: "GET /thing/{thing_id}", Number: 1, StatusCode: 200, Outcome: qredo.OutcomeDone},
				{Operation: "GET /thing/{thing_id}", Number: 1, StatusCode: 200, Outcome: qredo.OutcomeDone, Ended: true},
			},
		},
		"not sent": {
			nil, func(ctx context.Context, c *qredo.Client) error { _, err := c.Companies.Get(ctx, ""); return err }, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			clienttest.Bubble(t, func(t *testing.T) {
				var seen []qredo.Attempt
				sent := 0
				client := clienttest.NewQuickClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
					sent++
					clienttest.Elapse(req.Context(), time.Second)
					return tc.attempts[min(sent, len(tc.attempts))-1](req)
				}), qredo.WithRetry(qredo.RetryPolicy{MinBackoff: 1}), qredo.WithObserver(func(ctx context.Context, a qredo.Attempt) {
					assert.Equal(t, "mine", ctx.Value(contextKey{}))
					seen = append(seen, a)
				}))
				err := tc.call(context.WithValue(t.Context(), contextKey{}, "mine"), client)
				for i, a := range seen {
					if a.Ended {
						assert.Equal(t, err, errOf(a, err))
						assert.GreaterOrEqual(t, a.Took, time.Duration(sent)*time.Second)
					} else {
						assert.Equal(t, time.Second, a.Took)
					}
					seen[i].Took, seen[i].Err = 0, nil
				}
				assert.Equal(t, tc.want, seen)
				if e := (*qredo.Error)(nil); errors.As(err, &e) {
					assert.Equal(t, tc.want[0].Operation, e.Operation)
				}
			})
		})
	}
}

// errOf is the error of a call that an observer has seen, as the caller gets it: what wraps it comes after.
func errOf(a qredo.Attempt, err error) error {
	if errors.Is(err, a.Err) {
		return err
	}
	return a.Err
}

func transfer(ctx context.Context, c *qredo.Client) error {
	_, err := c.Transfers.Create(ctx, "c", clienttest.GoodTransfer())
	return err
}

func TestQAPIOperationsAreNamed(t *testing.T) {
	auth, err := qredo.NewHMACAuth("key", "c2VjcmV0IG9mIGEga2V5")
	require.NoError(t, err)
	client, err := qapi.NewClient(auth, qredo.WithBaseURL("http://127.0.0.1"), qredo.WithHTTPClient(&http.Client{Transport: clienttest.FailingWith(404)}))
	require.NoError(t, err)
	var resp qredo.Response
	_, err = client.Funds.Get(t.Context(), "f", qredo.WithResponse(&resp))
	require.Equal(t, "GET /funds/{fund_id}", clienttest.RequireError(t, err).Operation)
	require.Equal(t, "GET /funds/{fund_id}", resp.Operation)
}

// A prepared request is accepted by the service, whatever sends it.
func TestPreparedRequests(t *testing.T) {
	w := clienttest.NewWorld(t)
	req := w.Transfer(1000)
	req.PartnerTxID = "prepared-1"
	prepared, err := w.Client.Prepare(t.Context(), http.MethodPost, w.CompanyPath("/transfer"), &req)
	require.NoError(t, err)
	for how, text := range clienttest.Printings(t, *prepared) {
		if how != "JSON" { // in which it is carried elsewhere
			require.NotContains(t, text, prepared.Header.Get("X-Sign"), how)
			require.NotContains(t, text, prepared.Header.Get("X-Api-Key"), how)
		}
	}
	before := w.Transactions(t)
	for range 2 { // the second finds the first
		sent, err := http.NewRequestWithContext(t.Context(), prepared.Method, prepared.URL, nil)
		require.NoError(t, err)
		sent.Header, sent.Body, sent.ContentLength = prepared.Header, io.NopCloser(bytes.NewReader(prepared.Body)), int64(len(prepared.Body))
		answer, err := http.DefaultTransport.RoundTrip(sent)
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, 200, answer.StatusCode, "%s", body)
	}
	require.Equal(t, 1, w.Transactions(t)-before)

	req.Send.Amount = 0
	_, err = w.Client.Prepare(t.Context(), http.MethodPost, w.CompanyPath("/transfer"), &req)
	clienttest.RequireInvalid(t, err, "send.amount")
	_, err = w.Client.Prepare(t.Context(), http.MethodGet, "//elsewhere", nil)
	clienttest.RequireInvalid(t, err, "path")
}

// The headers of one request authenticate any other with the same URL and body, whatever its method: the signature does
// not cover that. With nonces, used headers are worthless. docs/security.md says both.
func TestHeadersOfALookAreAVote(t *testing.T) {
	said, err := os.ReadFile("../../docs/security.md")
	require.NoError(t, err)
	text := strings.Join(strings.Fields(string(said)), " ")
	require.Contains(t, text, "can send them as `PUT` for some minutes, and that is a vote")
	require.Contains(t, text, "For core clients use nonces (`WithNonce`)")
	for name, nonces := range map[string]bool{"timestamps": false, "nonces": true} {
		t.Run(name, func(t *testing.T) {
			w := clienttest.NewWorld(t, sandbox.WithKey(clienttest.APIKey, clienttest.PublicKey(t)))
			action := w.ActionOf(t, w.Send(t, 1000))
			auth := clienttest.NewAuth(t)
			if nonces {
				auth = clienttest.NewAuth(t, qredo.WithNonce(rand.Text))
			}
			var seen http.Header
			client, err := qredo.NewClient(auth, qredo.WithBaseURL(w.Srv.BaseURL()), qredo.WithHTTPClient(&http.Client{
				Transport: clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
					seen = req.Header
					return http.DefaultTransport.RoundTrip(req)
				}),
			}))
			require.NoError(t, err)
			_, err = client.CoreClients.GetAction(t.Context(), w.Robot.ID, action)
			require.NoError(t, err)
			vote, err := http.NewRequestWithContext(t.Context(), http.MethodPut, w.Srv.BaseURL()+"/coreclient/"+string(w.Robot.ID)+"/action/"+string(action), nil)
			require.NoError(t, err)
			vote.Header = seen
			answer, err := http.DefaultTransport.RoundTrip(vote)
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
			look, err := w.Client.CoreClients.GetAction(t.Context(), w.Robot.ID, action)
			require.NoError(t, err)
			if nonces {
				require.Equal(t, 401, answer.StatusCode)
				require.Equal(t, qredo.ApprovalPending, look.Status)
			} else {
				require.Equal(t, 200, answer.StatusCode, "whoever sees the headers can approve for some minutes: docs/security.md")
				require.Equal(t, qredo.ApprovalApproved, look.Status)
			}
		})
	}
}
