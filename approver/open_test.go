package approver_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// results are the result lines about an action.
func (d *desk) results(id qredo.ActionID) (results []approver.Entry) {
	d.t.Helper()
	for _, e := range d.written() {
		if e.Kind == approver.EntryResult && e.ActionID == id {
			results = append(results, e)
		}
	}
	return results
}

// A run ends between a vote and its line, and the action is over when the next one begins: that one writes the line, once.
func TestTheNextRunTellsWhatBecameOfAVote(t *testing.T) {
	d := newDesk(t)
	voted := make(chan struct{})
	var once atomic.Bool
	d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut && !once.Swap(true) {
			next.ServeHTTP(discard{w}, r) // the vote arrives, and its answer does not
			close(voted)
			<-r.Context().Done()
			return
		}
		next.ServeHTTP(w, r)
	})
	stop := d.start(rulesAt(t, approveAll, d.clock.Now))
	id := d.Action(t, d.transfer(1, "")).ID
	<-voted
	require.NoError(t, stop())
	require.Empty(t, d.results(id))

	for range 2 {
		stop = d.start(rulesAt(t, leaveAll, d.clock.Now))
		if once.Swap(false) {
			result := d.next(approver.EntryResult)
			assert.Equal(t, []any{id, approver.OutcomeEnded, approver.Approve, "all"}, []any{result.ActionID, result.Outcome, result.Verdict, result.Rule})
			assert.Equal(t, "the action is approved", result.Reason, "that it was this vote is not known")
		}
		require.NoError(t, stop())
		assert.Len(t, d.results(id), 1)
	}
	rec, _, err := d.store.Lookup(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, approver.OutcomeEnded, rec.Outcome)
}

// The store has what became of an action, and the run ended before the log had it.
func TestWhatTheStoreKnowsIsToldByTheNextRun(t *testing.T) {
	d := newDesk(t)
	d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut {
			fail(503).answer(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
	stop := d.start(rulesAt(t, approveAll, d.clock.Now))
	id := d.Action(t, d.transfer(1, "")).ID
	d.next(approver.EntryDecision)
	require.NoError(t, stop())
	require.NoError(t, d.store.Finish(t.Context(), id, approver.OutcomeSent))
	stop = d.start(rulesAt(t, approveAll, d.clock.Now))
	assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
	require.NoError(t, stop())
	assert.Len(t, d.results(id), 1)
}

// An action that a run was told of, and did not decide, is over when the next one begins.
func TestWhatARunWasToldOfHasALine(t *testing.T) {
	for name, c := range map[string]struct {
		policy func(asked chan struct{}) approver.PolicyFunc
		wait   bool // until the line is there, as for a program that is killed
	}{
		"the run ends while the policy is asked": {func(asked chan struct{}) approver.PolicyFunc {
			return func(ctx context.Context, _ qredo.Action) (approver.Decision, error) {
				close(asked)
				<-ctx.Done()
				return approver.Decision{}, ctx.Err()
			}
		}, false},
		"the policy takes long": {func(asked chan struct{}) approver.PolicyFunc {
			return func(ctx context.Context, _ qredo.Action) (approver.Decision, error) {
				close(asked)
				<-ctx.Done()
				return approver.Decision{}, ctx.Err()
			}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			d, asked := newDesk(t), make(chan struct{})
			stop := d.start(c.policy(asked))
			id := d.Action(t, d.transfer(1, "")).ID
			<-asked
			if c.wait {
				seen := d.next(approver.EntrySeen)
				assert.Equal(t, id, seen.ActionID)
				assert.False(t, seen.Expires.IsZero())
			}
			require.NoError(t, stop())
			require.NoError(t, d.Client.CoreClients.Reject(t.Context(), d.Core, id))
			stop = d.start(rulesAt(t, approveAll, d.clock.Now))
			result := d.next(approver.EntryResult)
			assert.Equal(t, []any{id, approver.OutcomeEnded, approver.Verdict("")}, []any{result.ActionID, result.Outcome, result.Verdict})
			require.NoError(t, stop())
			assert.Len(t, d.results(id), 1)
		})
	}
}

// What fails for the moment is seen once, is pending when the next run begins, and is decided by that, once.
func TestWhatIsOpenAndPendingIsDecidedOnce(t *testing.T) {
	d := newDesk(t)
	d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.Contains(r.URL.Path, "/action/") {
			fail(503).answer(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
	stop := d.start(rulesAt(t, approveAll, d.clock.Now))
	tx := d.transfer(1, "")
	d.next(approver.EntrySeen)
	require.NoError(t, stop())
	d.Intercept(nil)
	stop = d.start(rulesAt(t, approveAll, d.clock.Now))
	assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
	require.NoError(t, stop())
	assert.Equal(t, qredo.ApprovalApproved, d.Action(t, tx).Status)
	assert.Len(t, d.results(d.Action(t, tx).ID), 1)
	assert.Len(t, d.written(), 3)
}

// The service shows an action no more, of which the vote may have been taken, or which expired long ago: nobody knows.
func TestWhatCannotBeKnownIsUnknown(t *testing.T) {
	d := newDesk(t)
	d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut {
			fail(503).answer(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
	stop := d.start(rulesAt(t, approveAll, d.clock.Now))
	d.transfer(1, "")
	d.next(approver.EntryDecision)
	require.NoError(t, stop())
	d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.Contains(r.URL.Path, "/action/") {
			fail(404).answer(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
	d.clock.Forward(48 * time.Hour)
	d.store = approver.NewMemoryStore(approver.WithClock(d.clock.Now)) // which has forgotten it
	d.start(rulesAt(t, leaveAll, d.clock.Now))
	result := d.next(approver.EntryResult)
	assert.Equal(t, []any{approver.OutcomeUnknown, approver.Approve}, []any{result.Outcome, result.Verdict})
}

// What was decided in earnest is not ended by a run in shadow, and waits for one in earnest.
func TestShadowLeavesWhatIsOpen(t *testing.T) {
	d := newDesk(t)
	refuse := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut {
			fail(503).answer(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	}
	d.Intercept(refuse)
	stop := d.start(rulesAt(t, approveAll, d.clock.Now))
	id := d.Action(t, d.transfer(1, "")).ID
	d.next(approver.EntryDecision)
	require.NoError(t, stop())
	a, stop := d.startOne(rulesAt(t, approveAll, d.clock.Now), approver.WithShadow())
	d.next(approver.EntryShadow)
	assert.Empty(t, d.results(id))
	d.Intercept(nil) // only now: a vote of the first run's may have been on its way still
	require.NoError(t, d.reload(a, false, approveAll))
	assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
	require.NoError(t, stop())
	assert.Len(t, d.results(id), 1)
}

var errAway = errors.New("away")

// away is a store that cannot be asked.
type away struct{ approver.Store }

func (away) Lookup(context.Context, qredo.ActionID) (approver.Record, bool, error) {
	return approver.Record{}, false, errAway
}

func TestAStoreThatIsAwayLeavesALine(t *testing.T) {
	d := newDesk(t)
	stop := d.start(rulesAt(t, approveAll, d.clock.Now), approver.WithStore(away{d.store}))
	id := d.Action(t, d.transfer(1, "")).ID
	assert.Equal(t, id, d.next(approver.EntrySeen).ActionID)
	require.NoError(t, stop())
	require.NoError(t, d.Client.CoreClients.Approve(t.Context(), d.Core, id))
	d.start(rulesAt(t, approveAll, d.clock.Now))
	assert.Equal(t, approver.OutcomeEnded, d.next(approver.EntryResult).Outcome)
}
