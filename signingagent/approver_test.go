package signingagent_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net/http"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/signingagent"
)

// rules approve up to 5000, 9000 in all, reject what says STOP, and leave the rest.
func (d *desk) rules() *approver.Rules {
	d.t.Helper()
	rules, err := approver.ParseRules("rules.yaml", fmt.Appendf(nil, `
rules:
  - {name: blocked, when: 'reference == "STOP" && wallet == %[1]q', then: reject}
  - name: small
    when: type == "ApproveTransfer" && wallet == %[1]q && asset == "BTC" && amount <= 5000
    then: approve
    limits: [{per: wallet, window: 24h, max_amount: 9000}]
    over_limit: leave
`, d.from))
	require.NoError(d.t, err)
	return rules
}

func TestAnAgentVotesByRules(t *testing.T) {
	d := newDesk(t, signingagent.WithPIN(42))
	d.start(d.agent, d.rules())
	for _, c := range []struct {
		amount    qredo.Amount
		reference string
		verdict   approver.Verdict
		outcome   approver.Outcome
		status    qredo.ApprovalStatus
	}{
		{5000, "a", approver.Approve, approver.OutcomeSent, qredo.ApprovalApproved},
		{5001, "for a person", approver.Leave, approver.OutcomeLeft, qredo.ApprovalPending},
		{100, "STOP", approver.Reject, approver.OutcomeSent, qredo.ApprovalRejected},
		{4001, "over the limit", approver.Leave, approver.OutcomeLeft, qredo.ApprovalPending},
		{4000, "b", approver.Approve, approver.OutcomeSent, qredo.ApprovalApproved},
	} {
		tx := d.send(c.amount, c.reference)
		result := d.next()
		assert.Equal(t, c.verdict, result.Verdict, c)
		assert.Equal(t, c.outcome, result.Outcome, c)
		assert.Equal(t, c.status, d.status(result.ActionID), c)
		assert.Equal(t, c.amount, *result.Amount, c)
		if c.outcome == approver.OutcomeLeft {
			person := d.action(tx)
			require.NoError(t, d.agent.Approve(t.Context(), person.ID), "a person approves it by the same agent")
			assert.Equal(t, qredo.ApprovalApproved, d.status(person.ID))
		}
	}
	assert.NotContains(t, d.logged.String(), "zkp")
}

// A restart keeps the agent's identity, its decisions and what was spent; the feed sends again what arrived in the
// meantime.
func TestAnAgentGoesOnAfterARestart(t *testing.T) {
	d := newDesk(t)
	dir := t.TempDir()
	store := signingagent.NewFileStore(filepath.Join(dir, "agent"), signingagent.QuickPassphrase("open sesame"))
	_, err := signingagent.Import(t.Context(), d.store, store)
	require.NoError(t, err)
	run := func(amount qredo.Amount) approver.Entry {
		agent, err := signingagent.Open(t.Context(), store, signingagent.WithClient(d.rsa))
		require.NoError(t, err)
		approvals, err := approver.OpenStore(filepath.Join(dir, "approver.db"))
		require.NoError(t, err)
		log, err := approver.OpenAuditLog(filepath.Join(dir, "audit.jsonl"))
		require.NoError(t, err)
		d.send(amount, "")
		stop := d.start(agent, d.rules(), approver.WithStore(approvals), approver.WithAuditLog(log))
		result := d.next()
		require.NoError(t, stop())
		require.NoError(t, approvals.Close())
		require.NoError(t, log.Close())
		return result
	}
	assert.Equal(t, approver.OutcomeSent, run(5000).Outcome)
	assert.Equal(t, approver.OutcomeSent, run(4000).Outcome)
	over := run(1)
	assert.Equal(t, approver.OutcomeLeft, over.Outcome)
	assert.Equal(t, approver.Leave, over.Verdict)
}

// After a lost connection, the feed sends what is pending again. An action that is done is not done again.
func TestAFeedThatBreaksLosesNothing(t *testing.T) {
	d := newDesk(t)
	d.start(d.agent, d.rules())
	d.send(1, "")
	assert.Equal(t, approver.OutcomeSent, d.next().Outcome)
	for i := range 3 {
		feeds := d.Srv.DropFeeds()
		assert.LessOrEqual(t, feeds, 1)
		tx := d.send(qredo.Amount(10+i), "")
		result := d.next()
		assert.Equal(t, approver.OutcomeSent, result.Outcome)
		assert.Equal(t, qredo.ApprovalApproved, d.status(result.ActionID))
		assert.NotEmpty(t, tx)
	}
	assert.Empty(t, d.entries)
}

// otherMessages has the service give other messages for each action from the nth time on that it is asked.
func (d *desk) otherMessages(from int64) {
	var asked atomic.Int64
	d.way.set(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		if req.Method == http.MethodGet && strings.Contains(req.URL.Path, "/coreclient/action/") && asked.Add(1) >= from {
			return clienttest.Answer(req, http.StatusOK, `{"messages":["aa"]}`), nil
		}
		return next.RoundTrip(req)
	})
}

func TestMessagesThatChangeAfterTheDecisionAreNotSigned(t *testing.T) {
	d := newDesk(t)
	d.otherMessages(2) // the decision is made on the first
	d.start(d.agent, d.rules())
	d.send(100, "")
	result := d.next()
	assert.Equal(t, approver.OutcomeChanged, result.Outcome)
	assert.Equal(t, qredo.ApprovalPending, d.status(result.ActionID))
	assert.Zero(t, d.way.count("PUT", string(result.ActionID)), "nothing was sent")
	assert.Contains(t, d.logged.String(), signingagent.ErrMessagesChanged.Error())
}

// What was decided on stands in the store, so that another run does not sign something else either.
func TestMessagesThatChangeBetweenTwoRunsAreNotSigned(t *testing.T) {
	d := newDesk(t)
	d.way.set(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		if req.Method == http.MethodPut { // the vote does not arrive
			return clienttest.LoseRequest(req, next)
		}
		return next.RoundTrip(req)
	})
	stop := d.start(d.agent, d.rules())
	action := d.action(d.send(100, ""))
	require.Equal(t, approver.EntryDecision, clienttest.Receive(t, d.entries, "a decision").Kind)
	require.NoError(t, stop())
	d.otherMessages(1)
	agent, err := signingagent.Open(t.Context(), d.store, signingagent.WithClient(d.rsa))
	require.NoError(t, err)
	sent := d.way.count("PUT", string(action.ID))
	d.start(agent, d.rules())
	assert.Equal(t, approver.OutcomeChanged, d.next().Outcome)
	assert.Equal(t, sent, d.way.count("PUT", string(action.ID)))
	assert.Equal(t, qredo.ApprovalPending, d.status(action.ID))
}

// Somebody has an action explained between decision and vote. Still, only what was decided on is signed.
func TestAnExplanationDoesNotChangeWhatIsSigned(t *testing.T) {
	d := newDesk(t)
	var asked, sent atomic.Int64
	var a *approver.Approver
	alone, err := signingagent.Open(t.Context(), d.store, signingagent.WithClientOptions(qredo.WithBaseURL(d.Srv.BaseURL()), qredo.WithHTTPClient(&http.Client{
		Transport: clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
			switch id := qredo.ActionID(path.Base(req.URL.Path)); {
			case req.Method == http.MethodPut:
				sent.Add(1)
			case strings.Contains(req.URL.Path, "/coreclient/action/") && asked.Add(1) >= 3: // after the look and the decision
				if asked.Load() == 3 {
					if _, err := a.Explain(req.Context(), id); err != nil {
						t.Error("it cannot be explained:", err)
					}
				}
				return clienttest.Answer(req, http.StatusOK, `{"messages":["aa"]}`), nil
			}
			return http.DefaultTransport.RoundTrip(req)
		}),
	})))
	require.NoError(t, err)
	a, err = alone.NewApprover(signingagent.ApproveAll, approver.WithStore(d.approvals), approver.WithObserver(func(e approver.Entry) { d.entries <- e }))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- a.Run(ctx) }()
	d.send(100, "")
	result := d.next()
	assert.Equal(t, approver.OutcomeChanged, result.Outcome)
	assert.Zero(t, sent.Load())
	assert.Greater(t, asked.Load(), int64(3))
	cancel()
	require.NoError(t, <-done)
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

// Changes after the vote was accepted are not what was voted on; the vote was sent.
func TestMessagesThatChangeAfterTheVote(t *testing.T) {
	d := newDesk(t)
	d.way.set(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		switch voted := d.way.count("PUT", "") > 0; {
		case !strings.Contains(req.URL.Path, "/coreclient/action/"):
		case req.Method == http.MethodPut:
			return clienttest.Answer(req, http.StatusOK, `{"code":200,"msg":"OK"}`), nil // it counts, and is not enough
		case voted && req.Method == http.MethodGet:
			return clienttest.Answer(req, http.StatusOK, `{"messages":["aa"]}`), nil
		}
		return next.RoundTrip(req)
	})
	d.start(d.agent, d.rules())
	d.send(100, "")
	result := d.next()
	assert.Equal(t, approver.OutcomeSent, result.Outcome)
	assert.Contains(t, result.Reason, "not those any more that were voted on")
}

// If others must vote too, the action stays pending after the vote, and its messages may be gone.
func TestAVoteIsSentWhereItsMessagesAreGoneAfterIt(t *testing.T) {
	d := newDesk(t)
	d.way.set(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		switch {
		case strings.Contains(req.URL.Path, "/coreclient/action/") && d.way.count("PUT", "") > 0 && req.Method == http.MethodGet:
			return clienttest.Answer(req, http.StatusNotFound, `{"code":404,"msg":"no such action"}`), nil
		case req.Method == http.MethodPut && strings.Contains(req.URL.Path, "/coreclient/action/"):
			return clienttest.Answer(req, http.StatusOK, `{"code":200,"msg":"OK"}`), nil // it counts, and is not enough
		}
		return next.RoundTrip(req)
	})
	d.start(d.agent, d.rules())
	d.send(100, "")
	assert.Equal(t, approver.OutcomeSent, d.next().Outcome)
}

func TestWithoutAClientAllOrNothing(t *testing.T) {
	d := newDesk(t)
	alone, err := signingagent.Open(t.Context(), d.store, signingagent.WithClientOptions(qredo.WithBaseURL(d.Srv.BaseURL())))
	require.NoError(t, err)
	_, err = alone.NewApprover(d.rules())
	clienttest.RequireInvalid(t, err, "policy")
	_, err = alone.NewApprover(approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
		return approver.Decision{Verdict: approver.Approve}, nil
	}))
	clienttest.RequireInvalid(t, err, "policy")
	pins := filepath.Join(t.TempDir(), "pins.json")
	_, err = alone.NewApprover(signingagent.ApproveAll, approver.WithPins(pins, make(ed25519.PublicKey, ed25519.PublicKeySize)))
	clienttest.RequireInvalid(t, err, "pins")

	stop := d.start(alone, signingagent.ApproveNone)
	left := d.action(d.send(100, ""))
	result := d.next()
	assert.Equal(t, approver.OutcomeLeft, result.Outcome)
	assert.Equal(t, qredo.ApprovalPending, d.status(left.ID))
	require.NoError(t, stop())
	assert.Contains(t, d.logged.String(), "the agent approves nothing")
	require.NoError(t, d.agent.Reject(t.Context(), left.ID))

	stop = d.start(alone, signingagent.ApproveAll)
	for range 2 {
		d.send(6*clienttest.Coin/4, "STOP")
		result = d.next()
		assert.Equal(t, approver.OutcomeSent, result.Outcome)
		assert.Equal(t, approver.Approve, result.Verdict)
		assert.Equal(t, "approve all", result.PolicyHash)
		assert.Equal(t, qredo.ApprovalApproved, d.status(result.ActionID))
	}
	require.NoError(t, stop())
	assert.Contains(t, d.logged.String(), "the agent approves everything")
}

// An agent that knows no details notices by the refusal that others have decided.
func TestWithoutAClientAnActionThatOthersHaveEndedIsEnded(t *testing.T) {
	d := newDesk(t)
	alone, err := signingagent.Open(t.Context(), d.store, signingagent.WithClientOptions(qredo.WithBaseURL(d.Srv.BaseURL()), qredo.WithHTTPClient(&http.Client{
		Transport: clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
			if req.Method == http.MethodPut { // somebody rejects it just before
				id := req.URL.Path[strings.LastIndex(req.URL.Path, "/")+1:]
				_ = d.agent.Reject(req.Context(), qredo.ActionID(id))
			}
			return http.DefaultTransport.RoundTrip(req)
		}),
	})))
	require.NoError(t, err)
	d.start(alone, signingagent.ApproveAll)
	d.send(100, "")
	result := d.next()
	assert.Equal(t, approver.OutcomeEnded, result.Outcome)
	assert.Equal(t, qredo.ApprovalRejected, d.status(result.ActionID))
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

// Everything is approved, but what contradicts itself.
func TestApproveAllWithAClient(t *testing.T) {
	d := newDesk(t)
	d.start(d.agent, signingagent.ApproveAll)
	d.send(100, "STOP")
	assert.Equal(t, approver.OutcomeSent, d.next().Outcome)
	d.way.rewrite("GET", "", func(body string) string { return strings.Replace(body, `"transferOut"`, `"withdraw"`, 1) })
	d.send(100, "")
	result := d.next()
	assert.Equal(t, approver.OutcomeLeft, result.Outcome)
	assert.Equal(t, qredo.ApprovalPending, d.status(result.ActionID))
}

func TestAValueThatIsNoPolicyApprovesNothing(t *testing.T) {
	decision, err := signingagent.WithoutDetails("approve every").Decide(t.Context(), qredo.Action{})
	require.NoError(t, err)
	assert.Equal(t, approver.Leave, decision.Verdict)
}
