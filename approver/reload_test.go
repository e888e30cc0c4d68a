package approver_test

import (
	"context"
	"net/http"
	"os"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

const (
	approveAll = "rules:\n  - {name: all, when: type == \"ApproveTransfer\", then: approve}\n"
	leaveAll   = "rules:\n  - {name: none, when: type == \"ApproveTransfer\", then: leave}\n"
)

// reload puts rules in force.
func (d *desk) reload(a *approver.Approver, shadow bool, rules string) error {
	return a.Reload(shadow, func() (approver.Policy, error) {
		loaded, err := approver.ParseRules("rules.yaml", []byte(rules), approver.WithClock(d.clock.Now))
		if err != nil {
			return nil, err
		}
		return loaded, nil
	})
}

func TestReload(t *testing.T) {
	d := newDesk(t)
	var feeds atomic.Int64
	d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Header.Get("Upgrade") != "" {
			feeds.Add(1)
		}
		next.ServeHTTP(w, r)
	})
	a, stop := d.startOne(rulesAt(t, leaveAll, d.clock.Now))
	left := d.transfer(1, "")
	assert.Equal(t, "none", d.next(approver.EntryResult).Rule)

	require.NoError(t, d.reload(a, false, approveAll))
	line := d.next(approver.EntryReload)
	assert.Equal(t, rulesAt(t, approveAll, d.clock.Now).Hash(), line.PolicyHash)
	assert.Equal(t, "in force from here on: live", line.Reason)
	approved := d.transfer(1, "")
	decision := d.next(approver.EntryDecision)
	assert.Equal(t, approver.Approve, decision.Verdict)
	assert.Equal(t, line.PolicyHash, decision.PolicyHash)
	d.next(approver.EntryResult)
	assert.Equal(t, qredo.ApprovalApproved, d.Action(t, approved).Status)
	assert.Equal(t, qredo.ApprovalPending, d.Action(t, left).Status, "what is decided stays so")

	// Rules that do not load change nothing, and there is a line that says so.
	for _, bad := range []string{"", "rules:\n  - {name: all, when: amout > 1, then: approve}\n"} {
		err := d.reload(a, false, bad)
		require.ErrorAs(t, err, new(*approver.RuleError))
		line := d.next(approver.EntryReload)
		assert.Contains(t, line.Reason, "not reloaded, what was in force stays so: rules.yaml")
		assert.Empty(t, line.PolicyHash)
	}
	require.Error(t, a.Reload(false, func() (approver.Policy, error) { return nil, nil })) //nolint:nilnil // that is what it is about
	d.next(approver.EntryReload)
	d.transfer(1, "")
	assert.Equal(t, approver.Approve, d.next(approver.EntryDecision).Verdict)
	d.next(approver.EntryResult)
	require.NoError(t, stop())
	assert.EqualValues(t, 1, feeds.Load(), "the feed is the same all the time")
	assert.Contains(t, d.logged.String(), `level=ERROR msg="approver: not reloaded, what was in force stays so"`)
	kinds := map[approver.EntryKind]int{}
	for _, e := range d.written() {
		kinds[e.Kind]++
	}
	assert.Equal(t, map[approver.EntryKind]int{approver.EntryDecision: 3, approver.EntryResult: 3, approver.EntryReload: 4}, kinds)
}

func TestReloadNeedsTheAuditLog(t *testing.T) {
	d := newDesk(t)
	log, err := approver.OpenAuditLog(d.logPath)
	require.NoError(t, err)
	a, err := approver.New(d.Client, d.Core, rulesAt(t, leaveAll, d.clock.Now), approver.WithAuditLog(log))
	require.NoError(t, err)
	require.NoError(t, log.Close())
	require.ErrorIs(t, d.reload(a, false, approveAll), os.ErrClosed, "what is in force is in the log, or not in force")
}

// From shadow to earnest: what was looked at and waits still is decided now. And back: nothing more is sent.
func TestShadowIsSwitched(t *testing.T) {
	d := newDesk(t)
	var votes atomic.Int64
	d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut {
			votes.Add(1)
		}
		next.ServeHTTP(w, r)
	})
	rules := threeRules
	a, stop := d.startOne(rulesAt(t, rules, d.clock.Now), approver.WithShadow(), approver.WithConcurrency(1))
	first := d.transfer(5000, "")
	assert.Equal(t, approver.Approve, d.next(approver.EntryShadow).Verdict)
	assert.Zero(t, votes.Load())

	require.NoError(t, d.reload(a, false, rules))
	assert.Equal(t, "in force from here on: live", d.next(approver.EntryReload).Reason)
	assert.Equal(t, approver.Approve, d.next(approver.EntryDecision).Verdict)
	assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
	assert.Equal(t, qredo.ApprovalApproved, d.Action(t, first).Status)
	assert.EqualValues(t, 1, votes.Load())

	require.NoError(t, d.reload(a, true, rules))
	assert.Equal(t, "in force from here on: shadow", d.next(approver.EntryReload).Reason)
	second := d.transfer(5000, "")
	assert.Equal(t, approver.Approve, d.next(approver.EntryShadow).Verdict, "limits begin anew in shadow")
	assert.Equal(t, qredo.ApprovalPending, d.Action(t, second).Status)

	require.NoError(t, d.reload(a, false, rules))
	assert.Equal(t, approver.Reject, d.next(approver.EntryDecision).Verdict, "and are as they were in earnest: of 9000, 5000 are used")
	d.next(approver.EntryResult)
	require.NoError(t, stop())
	assert.EqualValues(t, 1, votes.Load())
}

// A decision whose vote fails is not voted on in shadow, and is carried out after it.
func TestWhatIsDecidedWaitsForTheEndOfShadow(t *testing.T) {
	d := newDesk(t)
	var votes atomic.Int64
	down := make(chan struct{})
	d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		select {
		case <-down:
		default:
			if r.Method == http.MethodPut {
				votes.Add(1)
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
	a, _ := d.startOne(rulesAt(t, approveAll, d.clock.Now))
	tx := d.transfer(1, "")
	d.next(approver.EntryDecision)
	require.NoError(t, d.reload(a, true, approveAll))
	sent := votes.Load()
	close(down)
	assert.Equal(t, sent, votes.Load(), "nothing is sent once Reload has returned")
	require.NoError(t, d.reload(a, false, leaveAll))
	result := d.next(approver.EntryResult)
	assert.Equal(t, []any{approver.Approve, approver.OutcomeSent}, []any{result.Verdict, result.Outcome}, "what is decided stays so")
	assert.Equal(t, qredo.ApprovalApproved, d.Action(t, tx).Status)
}

// Reload into shadow waits for a vote that is on its way.
func TestReloadWaitsForAVote(t *testing.T) {
	d := newDesk(t)
	arrived, goOn := make(chan struct{}), make(chan struct{})
	d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut {
			arrived <- struct{}{}
			<-goOn
		}
		next.ServeHTTP(w, r)
	})
	a, _ := d.startOne(rulesAt(t, approveAll, d.clock.Now))
	tx := d.transfer(1, "")
	<-arrived
	reloaded := make(chan error, 1)
	go func() { reloaded <- d.reload(a, true, approveAll) }()
	assert.Equal(t, "in force from here on: shadow", d.next(approver.EntryReload).Reason)
	d.transfer(1, "")
	d.next(approver.EntryShadow) // shadow is in force
	assert.Empty(t, reloaded, "a vote is on its way")
	close(goOn)
	require.NoError(t, <-reloaded)
	assert.Equal(t, qredo.ApprovalApproved, d.Action(t, tx).Status)
}

// What the policy is asked about while another one is put in force is decided by that one: also by what is pinned, and in shadow.
func TestADecisionUnderWayIsDecidedAnew(t *testing.T) {
	for name, c := range map[string]struct {
		shadow bool
		kind   approver.EntryKind
	}{"in earnest": {false, approver.EntryDecision}, "in shadow": {true, approver.EntryShadow}} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			var votes atomic.Int64
			d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if r.Method == http.MethodPut {
					votes.Add(1)
				}
				next.ServeHTTP(w, r)
			})
			asked, goOn := make(chan struct{}), make(chan struct{})
			a, stop := d.startOne(approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
				close(asked)
				<-goOn
				return approver.Decision{Verdict: approver.Approve, Rule: "old"}, nil
			}))
			tx := d.transfer(1, "")
			<-asked
			require.NoError(t, d.reload(a, c.shadow, leaveAll))
			close(goOn)
			decision := d.next(c.kind)
			assert.Equal(t, []any{approver.Leave, "none"}, []any{decision.Verdict, decision.Rule})
			if !c.shadow {
				assert.Equal(t, approver.OutcomeLeft, d.next(approver.EntryResult).Outcome)
			}
			require.NoError(t, stop())
			assert.Zero(t, votes.Load())
			assert.Equal(t, qredo.ApprovalPending, d.Action(t, tx).Status)
			for _, e := range d.written() {
				assert.NotEqual(t, "old", e.Rule, "it is not stored, nor in the log")
			}
		})
	}
}

// stored tells when a decision is about to be stored, and waits.
type stored struct {
	approver.Store
	about, goOn chan struct{}
}

func (s stored) Reserve(ctx context.Context, rec approver.Record, spends []approver.Spend) (approver.Record, error) {
	s.about <- struct{}{}
	<-s.goOn
	return s.Store.Reserve(ctx, rec, spends)
}

func TestReloadWaitsForADecisionThatIsBeingStored(t *testing.T) {
	d := newDesk(t)
	store := stored{d.store, make(chan struct{}), make(chan struct{})}
	a, _ := d.startOne(rulesAt(t, approveAll, d.clock.Now), approver.WithStore(store))
	tx := d.transfer(1, "")
	<-store.about
	reloaded := make(chan error, 1)
	go func() { reloaded <- d.reload(a, false, leaveAll) }()
	d.next(approver.EntryReload)
	d.transfer(1, "")
	<-store.about // as what is in force now has decided
	assert.Empty(t, reloaded, "a decision is being stored")
	store.goOn <- struct{}{}
	store.goOn <- struct{}{}
	require.NoError(t, <-reloaded)
	_, decided, err := d.store.Lookup(t.Context(), d.Action(t, tx).ID)
	require.NoError(t, err)
	assert.True(t, decided)
	assert.ElementsMatch(t, []approver.Outcome{approver.OutcomeSent, approver.OutcomeLeft},
		[]approver.Outcome{d.next(approver.EntryResult).Outcome, d.next(approver.EntryResult).Outcome}, "what is stored is carried out")
}

// A load that panics changes nothing, and does not end the program.
func TestReloadSurvivesAPanic(t *testing.T) {
	d := newDesk(t)
	a, _ := d.startOne(rulesAt(t, approveAll, d.clock.Now))
	require.ErrorContains(t, a.Reload(false, func() (approver.Policy, error) { panic("no such file") }), "no such file")
	d.transfer(1, "")
	assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
}
