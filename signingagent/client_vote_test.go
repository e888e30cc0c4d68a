package signingagent_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/signingagent"
)

// said is an agent's error with a text.
func said(status int, detail string) string {
	text, err := json.Marshal(detail)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"Code":%d,"Detail":%s}`, status, text)
}

// service is the text by which an agent passes on the service's response.
func service(method, path string, status int, body string) string {
	return fmt.Sprintf("%s https://play-api.qredo.network/api/v1/p%s Status %d (%d %s) with body: %s", method, path, status, status, http.StatusText(status), body)
}

const refusedProof = `{"code":401,"msg":"errPartnerAuth","detail":{"reason":"proof"}}`

// How to recognise an unsuccessful vote: the errors that it matches, and whether certainly nothing was done.
func TestVotesThatFail(t *testing.T) {
	action := "/coreclient/action/action-1"
	for name, tc := range map[string]struct {
		status int
		body   string
		is     error
		done   bool // it may have been
	}{
		"no agent":                         {404, said(404, "agentID"), signingagent.ErrNoIdentity, false},
		"no agent, when rejecting":         {500, said(500, "get zkp token: can not get system agent ID from the store."), signingagent.ErrNoIdentity, false},
		"nothing to sign":                  {404, said(404, "messages"), qredo.ErrNotFound, false},
		"no ID":                            {400, said(400, "empty actionID"), qredo.ErrBadRequest, false},
		"no token":                         {401, said(401, "token"), qredo.ErrUnauthorized, false},
		"not permitted":                    {403, said(403, "not for you"), qredo.ErrForbidden, false},
		"too many":                         {429, said(429, "slow down"), qredo.ErrRateLimited, false},
		"a fault of the agent":             {500, said(500, "store: disk full"), qredo.ErrServer, true},
		"the service is away":              {500, said(500, "request error: connection refused"), qredo.ErrServer, true},
		"ours is not connected":            {503, said(503, "not connected"), qredo.ErrServer, true},
		"the service refuses the proof":    {500, said(500, service("GET", action, 401, refusedProof)), qredo.ErrUnauthorized, false},
		"not that of the service":          {500, said(500, service("PUT", action, 401, "<html>go away</html>")), qredo.ErrUnauthorized, true},
		"the service forbids":              {500, said(500, service("PUT", action, 403, `{"code":403,"msg":"not finished"}`)), qredo.ErrForbidden, false},
		"the service has too many":         {500, said(500, service("PUT", action, 429, `{"code":429,"msg":"slow down"}`)), qredo.ErrRateLimited, false},
		"the service does not know it":     {500, said(500, service("GET", action, 404, `{"code":404,"msg":"not found"}`)), qredo.ErrNotFound, false},
		"the service says it is over":      {500, said(500, service("PUT", action, 409, `{"code":409,"msg":"not pending"}`)), qredo.ErrConflict, false},
		"the service finds it wrong":       {500, said(500, service("PUT", action, 400, `{"code":400,"msg":"signature"}`)), qredo.ErrBadRequest, true},
		"a fault of the service":           {500, said(500, service("PUT", action, 502, "<html>bad gateway</html>")), qredo.ErrServer, true},
		"cut":                              {500, said(500, service("PUT", action, 409, strings.Repeat("x", 6000))), qredo.ErrConflict, true},
		"a page of a proxy":                {502, clienttest.HTML502, qredo.ErrServer, true},
		"a page that forbids":              {403, "<html>forbidden</html>", qredo.ErrForbidden, true},
		"another status than it says":      {403, said(500, "agentID"), qredo.ErrForbidden, true},
		"a redirect":                       {302, "", nil, true},
		"an empty success":                 {200, "", qredo.ErrBadAnswer, true},
		"a success that says nothing":      {200, `{"Code":200,"Msg":"OK"}`, qredo.ErrBadAnswer, true},
		"a page for a success":             {200, "<html>welcome</html>", qredo.ErrBadAnswer, true},
		"a success about another action":   {200, `{"actionID":"action-2","status":"approved"}`, qredo.ErrBadAnswer, true},
		"the other vote":                   {200, `{"actionID":"action-1","status":"rejected"}`, qredo.ErrBadAnswer, true},
		"a success without an action":      {200, `{"status":"approved"}`, qredo.ErrBadAnswer, true},
		"a success that has not come true": {200, `{"actionID":"action-1","status":"pending"}`, qredo.ErrBadAnswer, true},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			client := through(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
				asked++
				return clienttest.Answer(req, tc.status, tc.body), nil
			}), signingagent.WithLogger(slog.New(slog.DiscardHandler)))
			err := client.Approve(t.Context(), "action-1", qredo.WithoutRetry())
			var answer *signingagent.AgentError
			require.ErrorAs(t, err, &answer)
			require.Equal(t, tc.status, answer.StatusCode)
			require.Equal(t, "PUT /client/action/{action_id}", answer.Operation)
			require.Equal(t, tc.done, errors.Is(err, qredo.ErrOutcomeUnknown))
			for _, kind := range []error{
				qredo.ErrBadRequest, qredo.ErrUnauthorized, qredo.ErrForbidden, qredo.ErrNotFound, qredo.ErrConflict, qredo.ErrRateLimited,
				qredo.ErrServer, qredo.ErrBadAnswer, signingagent.ErrNoIdentity, signingagent.ErrIdentityExists,
			} {
				if errors.Is(kind, qredo.ErrServer) && errors.Is(tc.is, signingagent.ErrNoIdentity) {
					continue // it may be one
				}
				require.Equal(t, errors.Is(tc.is, kind), errors.Is(err, kind), "%v: %v", err, kind)
			}
			require.NotContains(t, err.Error(), "\n")
			require.Equal(t, 1, asked)
		})
	}
}

// What the service said to the agent can be looked at.
func TestAgentErrorTellsOfTheService(t *testing.T) {
	client := through(t, clienttest.AnswerWith(500, said(500, service("GET", "/coreclient/action/a", 401, refusedProof))))
	err := client.Approve(t.Context(), "a")
	var answer *qredo.Error
	require.ErrorAs(t, err, &answer)
	require.Equal(t, &qredo.Error{
		StatusCode: 401, Code: 401, Msg: "errPartnerAuth", Reason: "proof", Operation: "GET /api/v1/p/coreclient/action/a", Method: "GET",
		Path: "/api/v1/p/coreclient/action/a", Attempts: 1, Body: []byte(refusedProof),
	}, answer)
	require.ErrorContains(t, err, "401 Unauthorized: errPartnerAuth (proof)")
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("vote", "error", err)
	require.Contains(t, log.String(), "error.status=500")
	require.Contains(t, log.String(), "error.service.reason=proof")
	log.Reset()
	slog.New(slog.NewTextHandler(&log, nil)).Info("vote", "error", through(t, clienttest.AnswerWith(404, said(404, "agentID"))).Approve(t.Context(), "a"))
	require.Contains(t, log.String(), "error.unknown=false error.detail=agentID")
}

// A vote whose answer is lost is not sent again, and may have been cast. One that cannot have arrived is sent again.
func TestVotesWithoutAnAnswer(t *testing.T) {
	old := newOldProgram(t, december)
	old.name = "agent"
	err := old.serve(t).Reject(t.Context(), "closed")
	require.ErrorIs(t, err, qredo.ErrOutcomeUnknown)
	require.ErrorIs(t, err, io.EOF)
	old.set(func() { require.Equal(t, []string{"DELETE /client/action/closed"}, old.asked) })

	asked := 0
	client := through(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
		if asked++; asked == 1 {
			return nil, clienttest.ErrRefused
		}
		return clienttest.Answer(req, 200, `{"actionID":"a","status":"approved"}`), nil
	}))
	require.NoError(t, client.Approve(t.Context(), "a"))
	require.Equal(t, 2, asked)
	away := through(t, clienttest.Failing(clienttest.ErrRefused))
	require.NotErrorIs(t, away.Approve(t.Context(), "a", qredo.WithoutRetry()), qredo.ErrOutcomeUnknown)
}

// What a registration that failed has left is not said to be nothing.
func TestRegistrationsThatFail(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
		done   bool // it may have been
	}{
		"refused by init":     {500, said(500, service("POST", "/coreclient/init", 401, refusedProof)), false},
		"forbidden by init":   {500, said(500, service("POST", "/coreclient/init", 403, `{"code":403,"msg":"no"}`)), false},
		"refused by finish":   {500, said(500, service("POST", "/coreclient/finish", 401, refusedProof)), true},
		"a wrong secret":      {500, said(500, "extract pin: Invalid point"), true},
		"a name that is long": {400, said(400, "name"), false},
		"not JSON":            {400, said(400, "invalid json"), false},
		"an answer of no use": {200, `{"feedURL":"ws://x"}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := through(t, clienttest.AnswerWith(tc.status, tc.body)).Register(t.Context(), "agent", "api key", clienttest.PrivateKey(t))
			require.ErrorAs(t, err, new(*signingagent.AgentError))
			require.Equal(t, tc.done, errors.Is(err, qredo.ErrOutcomeUnknown), "%v", err)
		})
	}
}

// With a client of the service, what the agent says is compared with what the service has.
func TestVotesAreLookedAt(t *testing.T) {
	yes, lost := clienttest.AnswerWith(200, `{"actionID":"a","status":"approved"}`), clienttest.Failing(io.ErrUnexpectedEOF)
	refused := clienttest.AnswerWith(500, said(500, service("PUT", "/coreclient/action/a", 401, refusedProof)))
	over := clienttest.AnswerWith(500, said(500, service("PUT", "/coreclient/action/a", 409, `{"code":409,"msg":"not pending"}`)))
	gone := clienttest.AnswerWith(500, said(500, service("PUT", "/coreclient/action/a", 404, `{"code":404,"msg":"not found"}`)))
	nothing := clienttest.AnswerWith(404, said(404, "messages"))
	for name, tc := range map[string]struct {
		agent  http.RoundTripper
		status qredo.ApprovalStatus // that the service has; empty: it does not answer
		is     error                // nil: it is as it should be
	}{
		"true":                                 {yes, qredo.ApprovalApproved, nil},
		"a lie: nothing was done":              {yes, qredo.ApprovalPending, qredo.ErrOutcomeUnknown},
		"a lie: it was rejected":               {yes, qredo.ApprovalRejected, qredo.ErrConflict},
		"too late":                             {yes, qredo.ApprovalExpired, qredo.ErrConflict},
		"the service is away":                  {yes, "", qredo.ErrOutcomeUnknown},
		"a lost answer, done":                  {lost, qredo.ApprovalApproved, nil},
		"a lost answer, not done yet":          {lost, qredo.ApprovalPending, qredo.ErrOutcomeUnknown},
		"a lost answer, the other way":         {lost, qredo.ApprovalRejected, qredo.ErrConflict},
		"a lost answer, and no service":        {lost, "", qredo.ErrOutcomeUnknown},
		"it was approved before":               {over, qredo.ApprovalApproved, nil},
		"it was rejected before":               {over, qredo.ApprovalRejected, qredo.ErrConflict},
		"it is pending, says the service now":  {over, qredo.ApprovalPending, qredo.ErrOutcomeUnknown},
		"it is not gone, but pending":          {gone, qredo.ApprovalPending, qredo.ErrOutcomeUnknown},
		"it is not gone, but rejected":         {gone, qredo.ApprovalRejected, qredo.ErrConflict},
		"it is not gone, but approved":         {gone, qredo.ApprovalApproved, nil},
		"a lost answer, too late":              {lost, qredo.ApprovalExpired, qredo.ErrConflict},
		"nothing to sign":                      {nothing, qredo.ApprovalPending, qredo.ErrNotFound},
		"nothing to sign, rejected":            {nothing, qredo.ApprovalRejected, qredo.ErrNotFound},
		"what is refused for sure, is refused": {refused, qredo.ApprovalApproved, qredo.ErrUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			agent := clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
				if req.Method == http.MethodGet {
					return clienttest.Answer(req, 200, `{"agentID":"`+oldID+`","feedURL":"ws://x"}`), nil
				}
				return tc.agent.RoundTrip(req)
			})
			client := through(t, agent, signingagent.WithServiceClient(clienttest.NewQuickClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
				require.True(t, strings.HasSuffix(req.URL.Path, "/coreclient/"+oldID+"/action/a"), "%s", req.URL)
				if tc.status == "" {
					return nil, io.ErrUnexpectedEOF
				}
				return clienttest.Answer(req, 200, pendingFrame("a", string(tc.status))), nil
			}), qredo.WithRetry(clienttest.Once))))
			err := client.Approve(t.Context(), "a")
			if tc.is == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, tc.is)
			var vote *signingagent.VoteError
			if errors.As(err, &vote) {
				require.Equal(t, []any{qredo.ActionID("a"), qredo.ApprovalApproved, tc.status}, []any{vote.ActionID, vote.Wanted, vote.Found})
				require.Contains(t, err.Error(), "action a")
			}
			for _, kind := range []error{qredo.ErrConflict, qredo.ErrOutcomeUnknown, qredo.ErrNotFound, qredo.ErrUnauthorized} {
				require.Equal(t, errors.Is(tc.is, kind), errors.Is(err, kind), "%v: %v", err, kind)
			}
			require.Equal(t, errors.Is(tc.is, qredo.ErrConflict), vote != nil && tc.status != qredo.ApprovalPending && tc.status != "", "what is decided otherwise is told as that")
		})
	}
}

// Without a client of the service the agent's word is all there is.
func TestVotesThatAreNotLookedAt(t *testing.T) {
	old := newOldProgram(t, august)
	old.name = "agent"
	client := old.serve(t)
	require.NoError(t, client.Approve(t.Context(), "rejected-by-another-agent"))
	old.set(func() { require.Len(t, old.asked, 1) })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NotErrorIs(t, client.Approve(ctx, "a"), qredo.ErrOutcomeUnknown, "it was not sent")
}

func FuzzAgentAnswers(f *testing.F) {
	f.Add(500, []byte(said(500, service("PUT", "/coreclient/action/a", 409, `{"code":409,"msg":"not pending"}`))))
	f.Add(200, []byte(`{"actionID":"a","status":"approved"}`))
	f.Add(404, []byte(said(404, "agentID")))
	f.Add(500, []byte(`{"Code":"500","Detail":["PUT %zz Status 999 () with body: "]}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		status = 200 + max(status, -status)%400
		client := through(t, clienttest.AnswerWith(status, string(body)))
		err := client.Approve(t.Context(), "a", qredo.WithoutRetry())
		if err == nil {
			var vote struct{ ActionID, Status string }
			require.Equal(t, 200, status/100*100)
			require.NoError(t, qredo.Unmarshal(body, &vote))
			require.Equal(t, "a approved", strings.Trim(vote.ActionID, ", \t\r\n")+" "+vote.Status)
			return
		}
		require.NotContains(t, err.Error(), "\n")
		require.Less(t, len(err.Error()), 3000)
		if status >= 500 && !errors.Is(err, signingagent.ErrNoIdentity) && !errors.As(err, new(*qredo.Error)) {
			require.ErrorIs(t, err, qredo.ErrOutcomeUnknown)
		}
	})
}
