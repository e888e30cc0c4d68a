package approver_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/sandbox"
)

// fail is how a request goes wrong: a status, or cut, or lost.
type fail int

const (
	cut  fail = -1 // the connection ends before the sandbox sees the request
	lost fail = -2 // the sandbox does it, and the connection ends before the answer
	page fail = -3 // a proxy refuses it, in its own words

	// Successes of something on the way, without the sandbox.
	nothing fail = -4 // an empty one that ends with the connection
	portal  fail = -5 // one in other words than the service's
	stale   fail = -6 // one to another request
	old     fail = -7 // the answer to an earlier request, once more
)

func (f fail) answer(w http.ResponseWriter, r *http.Request, next http.Handler) {
	switch f {
	case lost:
		next.ServeHTTP(discard{w}, r)
		panic(http.ErrAbortHandler)
	case cut:
		panic(http.ErrAbortHandler)
	case page:
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, "<html>Sign in to the network</html>")
	case nothing:
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
			_ = conn.Close()
		}
	case portal:
		fmt.Fprint(w, `{"some":"portal"}`)
	case stale:
		fmt.Fprint(w, `{"code":200}`)
	case old:
		fmt.Fprint(w, `{"code":200,"msg":"OK"}`)
	default:
		w.Header().Set("Location", "/elsewhere")
		w.Header().Set("Retry-After", "0") // else a client waits for a second after 429
		w.WriteHeader(int(f))
		fmt.Fprintf(w, `{"code":%d,"msg":"as told"}`, int(f))
	}
}

// discard drops an answer.
type discard struct{ http.ResponseWriter }

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

// failing lets the first requests with a method go wrong in the given ways, and counts all.
func (d *desk) failing(method string, ways ...fail) *atomic.Int64 {
	var count atomic.Int64
	d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		n := 0
		if r.Method == method && r.Header.Get("Upgrade") == "" && len(r.URL.Path) > len("/api/v1/p/coreclient/")+60 {
			n = int(count.Add(1))
		}
		if n > 0 && n <= len(ways) {
			ways[n-1].answer(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
	return &count
}

func TestVotesAreSentAgainByKindOfError(t *testing.T) {
	for _, verdict := range []approver.Verdict{approver.Approve, approver.Reject} {
		method, status := http.MethodPut, qredo.ApprovalApproved
		if verdict == approver.Reject {
			method, status = http.MethodDelete, qredo.ApprovalRejected
		}
		for _, c := range []struct {
			name    string
			ways    []fail
			sent    int64
			outcome approver.Outcome
		}{
			{"accepted", nil, 1, approver.OutcomeSent},
			{"500", []fail{500}, 2, approver.OutcomeSent},
			{"502, 503, 504", []fail{502, 503, 504}, 4, approver.OutcomeSent},
			{"429", []fail{429, 429}, 3, approver.OutcomeSent},
			{"408", []fail{408}, 2, approver.OutcomeSent},
			{"425", []fail{425}, 2, approver.OutcomeSent},
			{"a connection that is cut", []fail{cut, cut}, 3, approver.OutcomeSent},
			{"an answer that is lost", []fail{lost}, 1, approver.OutcomeEnded}, // the next look shows that it arrived
			{"a proxy's page", []fail{page, page}, 3, approver.OutcomeSent},
			{"an empty success", []fail{nothing}, 2, approver.OutcomeSent},
			{"a portal's success", []fail{portal}, 2, approver.OutcomeSent},
			{"another's success", []fail{stale}, 2, approver.OutcomeSent},
			{"many", []fail{500, 429, cut, 503, 500, 500, cut, 429}, 9, approver.OutcomeSent},
			{"400", []fail{400}, 2, approver.OutcomeSent},
			{"401", []fail{401}, 2, approver.OutcomeSent},
			{"403", []fail{403}, 2, approver.OutcomeSent},
			{"404", []fail{404}, 2, approver.OutcomeSent},
			{"409", []fail{409}, 2, approver.OutcomeSent},
			{"410", []fail{410}, 2, approver.OutcomeSent},
			{"422", []fail{422}, 2, approver.OutcomeSent},
			{"a redirect", []fail{302}, 2, approver.OutcomeSent},
			{"an old success", []fail{old}, 2, approver.OutcomeSent},
			{"an old success, and then faults", []fail{old, 503, 403, cut, page}, 6, approver.OutcomeSent},
			{"an old success, and an answer that is lost", []fail{old, lost}, 2, approver.OutcomeSent},
			{"all refusals", []fail{401, 403, 404, 409, 400, 422}, 7, approver.OutcomeSent},
		} {
			t.Run(string(verdict)+" "+c.name, func(t *testing.T) {
				d := newDesk(t)
				count := d.failing(method, c.ways...)
				d.start(approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
					return approver.Decision{Verdict: verdict}, nil
				}))
				tx := d.transfer(1, "")
				result := d.next(approver.EntryResult)
				assert.Equal(t, c.outcome, result.Outcome)
				assert.Equal(t, c.sent, count.Load())
				assert.Equal(t, status, d.Action(t, tx).Status)
				assert.Len(t, d.written(), 2, "the decision is logged once")
			})
		}
	}
}

// After a success the action is looked at, and if it is pending still, there is one more vote: no third.
func TestHowOftenAVoteIsSentAfterASuccess(t *testing.T) {
	for name, c := range map[string]struct {
		opts   []sandbox.Option
		votes  []fail // how votes go wrong
		looks  []fail // how looks go wrong after the first vote
		hidden bool   // a vote is not shown until all have voted
		sent   int64
		status qredo.ApprovalStatus
		reason string
	}{
		"a success":                        {sent: 1, status: qredo.ApprovalApproved, reason: "the action is approved"},
		"no look at it for a while":        {looks: []fail{503, 403, 404, cut, page}, sent: 1, status: qredo.ApprovalApproved, reason: "the action is approved"},
		"an old one, and the same later":   {votes: []fail{old}, looks: []fail{503, 403, 404, cut, page}, sent: 2, status: qredo.ApprovalApproved},
		"it is shown as pending":           {hidden: true, sent: 2, status: qredo.ApprovalApproved},
		"it is, and may be given twice":    {opts: []sandbox.Option{sandbox.WithRepeatedVotes()}, hidden: true, sent: 2, status: qredo.ApprovalApproved},
		"two old ones, of which none came": {votes: []fail{old, old}, sent: 2, status: qredo.ApprovalPending},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, c.opts...)
			var votes, looks atomic.Int64
			d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				action := strings.Contains(r.URL.Path, "/action/")
				switch {
				case action && r.Method == http.MethodPut:
					if n := int(votes.Add(1)); n <= len(c.votes) {
						c.votes[n-1].answer(w, r, next)
						return
					}
				case action && votes.Load() > 0:
					if n := int(looks.Add(1)); n <= len(c.looks) {
						c.looks[n-1].answer(w, r, next)
						return
					}
					if c.hidden {
						shown := httptest.NewRecorder()
						next.ServeHTTP(shown, r)
						fmt.Fprint(w, strings.Replace(shown.Body.String(), `"approved"`, `"pending"`, 1))
						return
					}
				}
				next.ServeHTTP(w, r)
			})
			d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
			tx := d.transfer(1, "")
			result := d.next(approver.EntryResult)
			assert.Equal(t, approver.OutcomeSent, result.Outcome)
			assert.Equal(t, c.reason, result.Reason)
			assert.Equal(t, c.sent, votes.Load())
			d.Intercept(nil)
			assert.Equal(t, c.status, d.Action(t, tx).Status)
		})
	}
}

func TestDetailsAreAskedForAgain(t *testing.T) {
	for name, ways := range map[string][]fail{
		"after faults":   {500, 503, 429, cut, 500, 500, 500, 500, 500, 500},
		"after refusals": {401, 403, 404, 409, 400, 410, 425, page},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.failing(http.MethodGet, ways...)
			d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
			tx := d.transfer(1, "")
			assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
			assert.Equal(t, qredo.ApprovalApproved, d.Action(t, tx).Status)
		})
	}
}

// The service has the vote and refuses it all the same, as it does with one that it has taken already: the action
// tells which.
func TestARefusedVoteIsFollowedByALook(t *testing.T) {
	for _, verdict := range []approver.Verdict{approver.Approve, approver.Reject} {
		method, status := http.MethodPut, qredo.ApprovalApproved
		if verdict == approver.Reject {
			method, status = http.MethodDelete, qredo.ApprovalRejected
		}
		for _, refusal := range []fail{400, 404, 409, 422} {
			for name, c := range map[string]struct {
				taken   bool
				looks   []fail // how looking at the action goes wrong after that
				outcome approver.Outcome
				votes   int64
			}{
				"taken":                                {true, nil, approver.OutcomeEnded, 1},
				"taken, and no look at it for a while": {true, []fail{503, cut, 403, 404}, approver.OutcomeEnded, 1},
				"not taken":                            {false, nil, approver.OutcomeSent, 2},
				"not taken, and no look at it for a while": {false, []fail{503, 429, cut, 404}, approver.OutcomeSent, 2},
			} {
				t.Run(fmt.Sprint(verdict, " ", int(refusal), " ", name), func(t *testing.T) {
					d := newDesk(t)
					var votes, looks atomic.Int64
					d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
						action := strings.Contains(r.URL.Path, "/action/")
						switch {
						case r.Method == method && action && votes.Add(1) == 1:
							if c.taken {
								next.ServeHTTP(discard{w}, r)
							}
							refusal.answer(w, r, next)
							return
						case r.Method == http.MethodGet && action && votes.Load() > 0:
							if n := int(looks.Add(1)); n <= len(c.looks) {
								c.looks[n-1].answer(w, r, next)
								return
							}
						}
						next.ServeHTTP(w, r)
					})
					d.start(approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
						return approver.Decision{Verdict: verdict}, nil
					}))
					tx := d.transfer(1, "")
					assert.Equal(t, c.outcome, d.next(approver.EntryResult).Outcome)
					assert.Equal(t, c.votes, votes.Load())
					assert.Len(t, d.written(), 2)
					assert.Equal(t, status, d.Action(t, tx).Status)
				})
			}
		}
	}
}

// Answers of votes are lost. Each vote counts once, and the audit log says what became of it.
func TestAnswersOfVotesAreLost(t *testing.T) {
	for name, opts := range map[string][]sandbox.Option{"": nil, "repeated votes are taken": {sandbox.WithRepeatedVotes()}} {
		t.Run(name, func(t *testing.T) {
			const transfers = 40
			d := newDesk(t, opts...)
			vote := "/coreclient/{client_id}/action/{action_id}"
			require.NoError(t, d.Sandbox.SetFaults(7,
				sandbox.FaultRule{Kind: sandbox.FaultDropAnswer, Operation: "PUT " + vote, Rate: 0.5},
				sandbox.FaultRule{Kind: sandbox.FaultDropAnswer, Operation: "DELETE " + vote, Rate: 0.5},
				sandbox.FaultRule{Kind: sandbox.FaultDropAnswer, Operation: "GET " + vote, Rate: 0.3}))
			stop := d.start(rulesAt(t, `
rules:
  - {name: good, when: reference == "good", then: approve}
  - {name: bad, when: reference == "bad", then: reject}
`, d.clock.Now))
			for i := range transfers {
				d.transfer(1000, []string{"good", "bad"}[i%2])
			}
			for range transfers {
				d.next(approver.EntryResult)
			}
			require.NoError(t, stop())
			require.NoError(t, d.Sandbox.SetFaults(0))

			results := map[qredo.ActionID]approver.Entry{}
			outcomes := map[approver.Outcome]int{}
			for _, e := range d.written() {
				if e.Kind == approver.EntryResult {
					require.NotContains(t, results, e.ActionID, "one result each")
					results[e.ActionID] = e
					outcomes[e.Outcome]++
				}
			}
			approved := 0
			for _, a := range d.Actions(t) {
				want := map[approver.Verdict]qredo.ApprovalStatus{approver.Approve: qredo.ApprovalApproved, approver.Reject: qredo.ApprovalRejected}
				assert.Equal(t, want[results[a.ID].Verdict], a.Status)
				if a.Status == qredo.ApprovalApproved {
					approved++
				}
			}
			assert.Equal(t, transfers/2, approved)
			assert.Equal(t, transfers, outcomes[approver.OutcomeSent]+outcomes[approver.OutcomeEnded], outcomes)
			assert.NotZero(t, outcomes[approver.OutcomeSent])
			assert.NotZero(t, outcomes[approver.OutcomeEnded], "no answer was lost")
			open, err := d.Client.CoreClients.ListActions(t.Context(), d.Core)
			require.NoError(t, err)
			assert.Empty(t, open)
		})
	}
}

// The vote arrives, its answer is lost, and then the service does not show the action any more.
func TestAVoteOfWhichNobodyKnowsIsNotCalledRefused(t *testing.T) {
	d := newDesk(t)
	var looks atomic.Int64
	d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		switch {
		case r.Method == http.MethodPut:
			looks.Add(1)
			lost.answer(w, r, next)
		case looks.Load() > 0 && r.Header.Get("Upgrade") == "":
			if looks.Add(1) == 5 {
				d.clock.Forward(time.Hour)
			}
			fail(http.StatusForbidden).answer(w, r, next)
		default:
			next.ServeHTTP(w, r)
		}
	})
	d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
	d.transfer(1, "")
	result := d.next(approver.EntryResult)
	assert.Equal(t, approver.OutcomeUnknown, result.Outcome)
	assert.Contains(t, result.Reason, "a vote may have been sent before")
}
