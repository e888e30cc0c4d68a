package approver_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// changing is a store in which an action was decided when its details were others.
type changing struct{ approver.Store }

func (changing) Lookup(_ context.Context, id qredo.ActionID) (approver.Record, bool, error) {
	return approver.Record{ActionID: id, Digest: "of others", Verdict: approver.Approve}, true, nil
}

func (changing) Finish(context.Context, qredo.ActionID, approver.Outcome) error { return nil }

// altered is a store in which a verdict is none.
type altered struct{ approver.Store }

func (s altered) Reserve(ctx context.Context, rec approver.Record, spends []approver.Spend) (approver.Record, error) {
	rec.Verdict = "Reject" // which is written in lower case
	return s.Store.Reserve(ctx, rec, spends)
}

func TestAStoredVerdictThatIsNoneIsLeftToHumans(t *testing.T) {
	d := newDesk(t)
	count := d.failing(http.MethodPut)
	d.store = altered{d.store}
	d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
	d.transfer(1, "")
	assert.Equal(t, approver.OutcomeLeft, d.next(approver.EntryResult).Outcome)
	assert.Zero(t, count.Load())
}

func TestDetailsThatChangedHoldTheVoteBack(t *testing.T) {
	d := newDesk(t)
	count := d.failing(http.MethodPut)
	d.store = changing{d.store}
	d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
	d.transfer(1, "")
	assert.Equal(t, approver.OutcomeChanged, d.next(approver.EntryResult).Outcome)
	assert.Zero(t, count.Load())
}

// flaky is a store that fails every second time.
type flaky struct {
	approver.Store
	calls atomic.Int64
}

func (f *flaky) fails() error {
	if f.calls.Add(1)%2 == 1 {
		return fmt.Errorf("call %d fails", f.calls.Load())
	}
	return nil
}

func (f *flaky) Lookup(ctx context.Context, id qredo.ActionID) (approver.Record, bool, error) {
	if err := f.fails(); err != nil {
		return approver.Record{}, false, err
	}
	return f.Store.Lookup(ctx, id)
}

// Reserve stores and fails then, as when the answer of a server is lost.
func (f *flaky) Reserve(ctx context.Context, rec approver.Record, spends []approver.Spend) (approver.Record, error) {
	stands, err := f.Store.Reserve(ctx, rec, spends)
	if failed := f.fails(); failed != nil {
		return approver.Record{}, failed
	}
	return stands, err
}

func TestAStoreThatFailsIsAskedAgain(t *testing.T) {
	d := newDesk(t)
	spend := approver.Spend{Counter: "c", Amount: 1, Window: time.Hour, MaxAmount: 1}
	d.store = &flaky{Store: d.store}
	d.start(approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
		return approver.Decision{Verdict: approver.Approve, Spends: []approver.Spend{spend}}, nil
	}))
	tx := d.transfer(1, "")
	assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
	assert.Equal(t, qredo.ApprovalApproved, d.Action(t, tx).Status)
	used, err := d.store.Usage(t.Context(), []approver.Spend{spend})
	require.NoError(t, err)
	assert.Equal(t, []approver.Usage{{Amount: 1, Count: 1}}, used, "spent once")
}

// overtaken is a store in which another replica is always the first to decide.
type overtaken struct {
	approver.Store
	first approver.Verdict
}

func (s overtaken) Reserve(ctx context.Context, rec approver.Record, spends []approver.Spend) (approver.Record, error) {
	other := rec
	other.Verdict, other.Token = s.first, "of another"
	if _, err := s.Store.Reserve(ctx, other, nil); err != nil {
		return approver.Record{}, err
	}
	return s.Store.Reserve(ctx, rec, spends)
}

// Two replicas decide otherwise, since the rules of one are newer, or a limit was used up between them. The first
// decision is the one that is carried out: what was rejected, or left to humans, is not approved by the second.
func TestTheDecisionOfTheFirstReplicaIsCarriedOut(t *testing.T) {
	for _, c := range []struct {
		first, own approver.Verdict
		outcome    approver.Outcome
		status     qredo.ApprovalStatus
	}{
		{approver.Reject, approver.Approve, approver.OutcomeSent, qredo.ApprovalRejected},
		{approver.Leave, approver.Approve, approver.OutcomeLeft, qredo.ApprovalPending},
		{approver.Approve, approver.Reject, approver.OutcomeSent, qredo.ApprovalApproved},
	} {
		t.Run(fmt.Sprintf("%s, not %s", c.first, c.own), func(t *testing.T) {
			d := newDesk(t)
			d.store = overtaken{d.store, c.first}
			d.start(approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
				return approver.Decision{Verdict: c.own}, nil
			}))
			tx := d.transfer(1, "")
			assert.Equal(t, c.first, d.next(approver.EntryRepeat).Verdict)
			result := d.next(approver.EntryResult)
			assert.Equal(t, c.outcome, result.Outcome)
			assert.Equal(t, c.first, result.Verdict)
			assert.Equal(t, c.status, d.Action(t, tx).Status)
		})
	}
}
