package signingagent_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/signingagent"
)

// alone is the agent without a client, whose requests do can answer.
func (d *desk) alone(do func(req *http.Request, next http.RoundTripper) (*http.Response, error)) *signingagent.Agent {
	d.t.Helper()
	transport := &http.Transport{}
	d.t.Cleanup(transport.CloseIdleConnections)
	agent, err := signingagent.Open(d.t.Context(), d.store, signingagent.WithClientOptions(qredo.WithBaseURL(d.Srv.BaseURL()), qredo.WithClock(d.now), qredo.WithHTTPClient(&http.Client{
		Transport: clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) { return do(req, transport) }),
	})))
	require.NoError(d.t, err)
	return agent
}

// shortLife is long enough for whatever a test does meanwhile, and less than stamps may be off.
const shortLife = time.Minute

// sendShort asks for a transfer that [desk.letExpire] lets expire.
func (d *desk) sendShort(reference string) qredo.TxID {
	d.t.Helper()
	sent, err := d.Client.Transfers.Create(d.t.Context(), d.Company, qredo.TransferRequest{
		WalletID: d.from, Counterparty: string(d.to), Expires: qredo.TimeOf(d.now().Add(shortLife)), Reference: reference, Send: qredo.AssetAmount{Asset: "BTC", Amount: 5},
	})
	require.NoError(d.t, err)
	return sent.TxID
}

func isAction(req *http.Request, method string) bool {
	return req.Method == method && strings.Contains(req.URL.Path, "/coreclient/action/")
}

// note tells the path of a request to who waits for one.
func note(paths chan<- string, req *http.Request) {
	select {
	case paths <- req.URL.Path:
	default:
	}
}

const (
	notHere  = `{"code":404,"msg":"Not Found","detail":{"reason":"no such action"}}`
	notValid = `{"code":400,"msg":"Bad Request","detail":{"reason":"the action is not pending"}}`
)

// The feed may report an action before its messages exist, and not every response is the service's.
func TestRefusedMessagesEndNoActionBeforeAVote(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
	}{
		"by something on the way": {404, "default backend - 404"}, "by the service": {404, notHere}, "as wrong": {400, notValid},
		"as decided, by something on the way": {409, "conflict"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			var reads atomic.Int64
			d.start(d.alone(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				if isAction(req, http.MethodGet) && reads.Add(1) <= 5 {
					return clienttest.Answer(req, c.status, c.body), nil
				}
				return next.RoundTrip(req)
			}), signingagent.ApproveAll)
			d.send(100, "")
			result := d.next()
			assert.Equal(t, approver.OutcomeSent, result.Outcome, result.Reason)
			assert.Equal(t, qredo.ApprovalApproved, d.status(result.ActionID))
		})
	}
}

// A service may refuse a vote it has already accepted in several ways. Nothing then shows that the action is pending.
func TestWithoutAClientAVoteThatMayHaveBeenTakenIsNotSaidToHaveExpired(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		body    string
		outcome approver.Outcome
	}{
		"refused as wrong":           {400, notValid, approver.OutcomeEnded},
		"refused as not there":       {404, notHere, approver.OutcomeEnded},
		"refused as decided":         {409, `{"code":409,"msg":"Conflict","detail":{"reason":"decided"}}`, approver.OutcomeEnded},
		"refused by a proxy":         {404, "default backend - 404", approver.OutcomeUnknown},
		"the service is away":        {502, "", approver.OutcomeUnknown},
		"the proof is too old since": {401, `{"code":401,"msg":"errPartnerAuth","detail":{"reason":"proof"}}`, approver.OutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			var votes atomic.Int64
			again := make(chan string, 1)
			d.start(d.alone(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				switch {
				case isAction(req, http.MethodPut) && votes.Add(1) == 1:
					return clienttest.LoseAnswer(req, next)
				case isAction(req, http.MethodPut):
					note(again, req)
					return clienttest.Answer(req, c.status, c.body), nil
				}
				return next.RoundTrip(req)
			}), signingagent.ApproveAll)
			d.sendShort("")
			clienttest.Receive(t, again, "a second vote")
			d.letExpire()
			result := d.next()
			assert.Equal(t, c.outcome, result.Outcome, result.Reason)
			assert.NotContains(t, result.Reason, "pending")
			assert.Equal(t, qredo.ApprovalApproved, d.status(result.ActionID), "it was taken")
		})
	}
}

// A vote that is known not to have been taken is not said to be unknown.
func TestWithoutAClientAVoteThatNeverArrivedHasExpired(t *testing.T) {
	d := newDesk(t)
	voted := make(chan string, 1)
	d.start(d.alone(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		if isAction(req, http.MethodPut) {
			note(voted, req)
			return nil, clienttest.ErrRefused
		}
		return next.RoundTrip(req)
	}), signingagent.ApproveAll)
	d.sendShort("")
	clienttest.Receive(t, voted, "a vote")
	d.letExpire()
	result := d.next()
	assert.Equal(t, approver.OutcomeExpired, result.Outcome)
	assert.Equal(t, "the action has expired", result.Reason)
}

// A rejection signs nothing: messages need not exist.
func TestARuleRejectsWhateverIsToBeSigned(t *testing.T) {
	for name, messages := range map[string]string{"none": `{"messages":[]}`, "empty": `{"messages":[""]}`, "no list": `{}`, "not hexadecimal": `{"messages":["x"]}`} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			looked := make(chan string, 1000)
			d.way.set(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				switch {
				case isAction(req, http.MethodGet):
					note(looked, req)
					return clienttest.Answer(req, http.StatusOK, messages), nil
				case req.Method == http.MethodDelete && d.way.count("DELETE", "") == 1: // the first one is lost
					return clienttest.LoseRequest(req, next)
				}
				return next.RoundTrip(req)
			})
			d.start(d.agent, d.rules())
			d.send(100, "STOP")
			result := d.next()
			assert.Equal(t, approver.OutcomeSent, result.Outcome, result.Reason)
			assert.Equal(t, qredo.ApprovalRejected, d.status(result.ActionID))
			if name != "empty" { // one of them waits for the expiry
				return
			}
			small := d.action(d.sendShort("what they approve is held back"))
			for !strings.HasSuffix(clienttest.Receive(t, looked, "a look at what is to be signed"), string(small.ID)) {
			}
			d.letExpire()
			result = d.next()
			assert.Equal(t, small.ID, result.ActionID)
			assert.Equal(t, approver.OutcomeExpired, result.Outcome)
			assert.Empty(t, result.Verdict, "nothing was decided")
			assert.Zero(t, d.way.count("PUT", string(small.ID)))
		})
	}
}

// A service may report an action again with another time.
func TestWithoutAClientADecisionHoldsForWhatTheFeedSaysOfTheAction(t *testing.T) {
	d := newDesk(t)
	var lose atomic.Bool
	lose.Store(true)
	agent := d.alone(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		if isAction(req, http.MethodPut) && lose.Load() {
			return clienttest.LoseRequest(req, next)
		}
		return next.RoundTrip(req)
	})
	stop := d.start(agent, signingagent.ApproveAll)
	action := d.action(d.send(100, ""))
	decision := clienttest.Receive(t, d.entries, "a decision")
	require.NoError(t, stop())
	told := qredo.Action{ID: action.ID, CoreClientID: d.agent.ID(), Type: action.Type, Expires: action.Expires}
	messages, err := d.agent.Client().SigningAgent.GetMessages(t.Context(), action.ID)
	require.NoError(t, err)
	details, err := approver.Digest(told)
	require.NoError(t, err)
	hash := func(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }
	require.Equal(t, "without details "+hash(details+" "+hash(strings.Join(messages, "\n")+"\n")), decision.Digest, "neither its time nor its status is in it")
	lose.Store(false)
	d.start(agent, signingagent.ApproveAll)
	assert.Equal(t, approver.OutcomeSent, d.next().Outcome)
}
