package approver_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
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
			{"many", []fail{500, 429, cut, 503, 500, 500, cut, 429}, 9, approver.OutcomeSent},
			{"400", []fail{400}, 1, approver.OutcomeRefused},
			{"401", []fail{401}, 1, approver.OutcomeRefused},
			{"403", []fail{403}, 1, approver.OutcomeRefused},
			{"404", []fail{404}, 1, approver.OutcomeRefused},
			{"409", []fail{409}, 1, approver.OutcomeRefused},
			{"410", []fail{410}, 1, approver.OutcomeRefused},
			{"422", []fail{422}, 1, approver.OutcomeRefused},
			{"a redirect", []fail{302}, 1, approver.OutcomeRefused},
			{"503 and then 409", []fail{503, 409}, 2, approver.OutcomeRefused},
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
				want := status
				if c.outcome == approver.OutcomeRefused {
					want = qredo.ApprovalPending
					assert.NotEmpty(t, result.Reason)
				}
				assert.Equal(t, want, d.Action(t, tx).Status)
				assert.Len(t, d.written(), 2, "the decision is logged once")
			})
		}
	}
}

func TestDetailsAreAskedForAgainByKindOfError(t *testing.T) {
	t.Run("that passes", func(t *testing.T) {
		d := newDesk(t)
		d.failing(http.MethodGet, 500, 503, 429, cut, 500, 500, 500, 500, 500, 500)
		d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
		tx := d.transfer(1, "")
		assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
		assert.Equal(t, qredo.ApprovalApproved, d.Action(t, tx).Status)
	})
	t.Run("that does not", func(t *testing.T) {
		d := newDesk(t)
		d.failing(http.MethodGet, 404)
		d.start(rulesAt(t, rulesFile("true"), d.clock.Now), approver.WithConcurrency(1))
		first, second := d.transfer(1, ""), d.transfer(1, "")
		d.next(approver.EntryResult)
		assert.Equal(t, qredo.ApprovalPending, d.Action(t, first).Status)
		assert.Equal(t, qredo.ApprovalApproved, d.Action(t, second).Status)
	})
}

// The service has the vote and refuses it all the same, as it does with one that it has taken already: the action
// tells which.
func TestARefusedVoteThatWasTakenHasEnded(t *testing.T) {
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
				reason  string
			}{
				"taken":                                    {true, nil, approver.OutcomeEnded, "the action is " + string(status)},
				"taken, and no look at it for a while":     {true, []fail{503, cut}, approver.OutcomeEnded, "the action is " + string(status)},
				"taken, and the action is not shown":       {true, []fail{404}, approver.OutcomeUnknown, "a vote may have been sent before"},
				"not taken":                                {false, nil, approver.OutcomeRefused, "as told"},
				"not taken, and no look at it for a while": {false, []fail{503, 429, cut}, approver.OutcomeRefused, "as told"},
			} {
				t.Run(fmt.Sprint(verdict, " ", int(refusal), " ", name), func(t *testing.T) {
					d := newDesk(t)
					var votes, looks atomic.Int64
					d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
						action := strings.Contains(r.URL.Path, "/action/")
						switch {
						case r.Method == method && action:
							votes.Add(1)
							if c.taken {
								next.ServeHTTP(discard{w}, r)
							}
							refusal.answer(w, r, next)
							return
						case action && votes.Load() > 0:
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
					result := d.next(approver.EntryResult)
					assert.Equal(t, c.outcome, result.Outcome)
					assert.Contains(t, result.Reason, c.reason)
					assert.EqualValues(t, 1, votes.Load(), "after a refusal no vote is sent again")
					assert.Len(t, d.written(), 2)
					d.Intercept(nil)
					want := qredo.ApprovalPending
					if c.taken {
						want = status
					}
					assert.Equal(t, want, d.Action(t, tx).Status)
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
	var voted atomic.Bool
	d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		switch {
		case r.Method == http.MethodPut:
			voted.Store(true)
			lost.answer(w, r, next)
		case voted.Load() && r.Header.Get("Upgrade") == "":
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

func TestNothingIsSentAfterExpiry(t *testing.T) {
	t.Run("while the service fails", func(t *testing.T) {
		d := newDesk(t)
		var sent atomic.Int64
		var expire sync.Once
		d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Method != http.MethodPut {
				next.ServeHTTP(w, r)
				return
			}
			sent.Add(1)
			if sent.Load() == 3 {
				expire.Do(func() { d.clock.Forward(time.Hour) }) // to the very moment
			}
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
		d.transfer(1, "")
		assert.Equal(t, approver.OutcomeExpired, d.next(approver.EntryResult).Outcome)
		assert.EqualValues(t, 3, sent.Load())
	})
	t.Run("while all of it is away", func(t *testing.T) { // whether the one vote arrived, nobody knows
		d := newDesk(t)
		var sent atomic.Int64
		d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			switch {
			case r.Method == http.MethodPut:
				sent.Add(1)
				d.clock.Forward(time.Hour)
			case sent.Load() == 0:
				next.ServeHTTP(w, r)
				return
			}
			panic(http.ErrAbortHandler)
		})
		d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
		d.transfer(1, "")
		result := d.next(approver.EntryResult)
		assert.Equal(t, approver.OutcomeUnknown, result.Outcome)
		assert.Contains(t, result.Reason, "a vote may have been sent before")
		assert.EqualValues(t, 1, sent.Load())
	})
	t.Run("when the decision took too long", func(t *testing.T) {
		d := newDesk(t)
		count := d.failing(http.MethodPut)
		d.start(approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
			d.clock.Forward(time.Hour)
			return approver.Decision{Verdict: approver.Approve}, nil
		}))
		d.transfer(1, "")
		assert.Equal(t, approver.OutcomeExpired, d.next(approver.EntryResult).Outcome)
		assert.Zero(t, count.Load())
	})
	t.Run("when the decision took too long, and the service goes away", func(t *testing.T) { // no vote was sent: that is known
		d := newDesk(t)
		var votes atomic.Int64
		d.start(approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
			d.clock.Forward(time.Hour)
			d.Intercept(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
				if r.Method == http.MethodPut {
					votes.Add(1)
				}
				panic(http.ErrAbortHandler)
			})
			return approver.Decision{Verdict: approver.Approve}, nil
		}))
		d.transfer(1, "")
		assert.Equal(t, approver.OutcomeExpired, d.next(approver.EntryResult).Outcome)
		assert.Zero(t, votes.Load())
	})
}
