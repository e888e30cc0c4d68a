package approver_test

import (
	"cmp"
	"context"
	"errors"
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

// unreadable is a store that cannot be read, and unwritable one that cannot be written.
type (
	unreadable struct {
		approver.Store
		fail func() error
	}
	unwritable struct {
		approver.Store
		fail func() error
	}
)

func (s unreadable) Lookup(context.Context, qredo.ActionID) (approver.Record, bool, error) {
	return approver.Record{}, false, s.fail()
}

func (s unwritable) Reserve(context.Context, approver.Record, []approver.Spend) (approver.Record, error) {
	return approver.Record{}, s.fail()
}

func TestWhatAStoreKeepsFromBeingHandledIsInTheAuditLog(t *testing.T) {
	gone, wrong := errors.New("the disk is gone"), &qredo.ValidationError{Field: "action", Rule: "is none"}
	for name, c := range map[string]struct {
		store   func(s approver.Store, fail func() error) approver.Store
		err     error
		asked   int64
		outcome approver.Outcome
	}{
		"not read until it expires":    {func(s approver.Store, fail func() error) approver.Store { return unreadable{s, fail} }, gone, 4, approver.OutcomeUnknown},
		"not written until it expires": {func(s approver.Store, fail func() error) approver.Store { return unwritable{s, fail} }, gone, 3, approver.OutcomeExpired},
		"not written for good":         {func(s approver.Store, fail func() error) approver.Store { return unwritable{s, fail} }, wrong, 1, approver.OutcomeLeft},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			var asked atomic.Int64
			d.store = c.store(d.store, func() error {
				if asked.Add(1) == 3 {
					d.clock.Forward(time.Hour)
				}
				return c.err
			})
			d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
			d.transfer(1, "")
			result := d.next(approver.EntryResult)
			assert.Equal(t, c.outcome, result.Outcome)
			written := d.written()
			if !hopeless(c.err) {
				assert.Equal(t, approver.EntrySeen, written[0].Kind, "which the next run would have gone on from")
				written = written[1:]
			}
			if !assert.Len(t, written, 1) {
				return
			}
			if c.outcome != approver.OutcomeExpired { // else the last look has shown it
				assert.Contains(t, result.Reason, c.err.Error())
			}
			assert.Equal(t, c.asked, asked.Load())
		})
	}
}

func hopeless(err error) bool { return errors.As(err, new(*qredo.ValidationError)) }

// forgetful is a store that notes what became of a decision, and fails then.
type forgetful struct{ approver.Store }

func (s forgetful) Finish(ctx context.Context, id qredo.ActionID, outcome approver.Outcome) error {
	return errors.Join(s.Store.Finish(ctx, id, outcome), errors.New("the answer is lost"))
}

func TestAResultWhoseStorageWasLostIsInTheAuditLog(t *testing.T) {
	d := newDesk(t)
	d.store = forgetful{d.store}
	d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
	d.transfer(1, "")
	assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
	assert.Len(t, d.written(), 2)
}

// overtaken is a store in which another replica is always the first to decide.
type overtaken struct {
	approver.Store
	first  approver.Verdict
	digest string // of what the other has decided on, where that is something else
}

func (s overtaken) Reserve(ctx context.Context, rec approver.Record, spends []approver.Spend) (approver.Record, error) {
	other := rec
	other.Verdict, other.Token, other.Digest = s.first, "of another", cmp.Or(s.digest, rec.Digest)
	if _, err := s.Store.Reserve(ctx, other, nil); err != nil {
		return approver.Record{}, err
	}
	return s.Store.Reserve(ctx, rec, spends)
}

// sealed is a store that returns only what was stored by those who have its key.
type sealed struct{ approver.Store }

func (sealed) Sealed() bool { return true }

// Two replicas decide otherwise, since the rules of one are newer, or a limit was used up between them. The first
// decision is the one that is carried out: what was rejected, or left to humans, is not approved by the second. Nor does
// the second carry out an approval that its own policy does not give, unless the store is sealed: anybody could have put it there.
func TestTheDecisionOfTheFirstReplicaIsCarriedOut(t *testing.T) {
	for _, c := range []struct {
		first, own approver.Verdict
		sealed     bool
		outcome    approver.Outcome
		status     qredo.ApprovalStatus
	}{
		{approver.Reject, approver.Approve, false, approver.OutcomeSent, qredo.ApprovalRejected},
		{approver.Leave, approver.Approve, false, approver.OutcomeLeft, qredo.ApprovalPending},
		{approver.Approve, approver.Reject, false, approver.OutcomeLeft, qredo.ApprovalPending},
		{approver.Approve, approver.Reject, true, approver.OutcomeSent, qredo.ApprovalApproved},
	} {
		t.Run(fmt.Sprintf("%s, not %s, sealed %t", c.first, c.own, c.sealed), func(t *testing.T) {
			d := newDesk(t)
			d.store = overtaken{d.store, c.first, ""}
			if c.sealed {
				d.store = sealed{d.store}
			}
			d.start(approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
				return approver.Decision{Verdict: c.own}, nil
			}))
			tx := d.transfer(1, "")
			if c.first != approver.Approve || c.sealed {
				assert.Equal(t, c.first, d.next(approver.EntryRepeat).Verdict)
			}
			result := d.next(approver.EntryResult)
			assert.Equal(t, c.outcome, result.Outcome)
			assert.Equal(t, c.first, result.Verdict)
			assert.Equal(t, c.status, d.Action(t, tx).Status)
		})
	}
}

func TestADecisionOfAnotherReplicaOnOtherDetailsIsNotCarriedOut(t *testing.T) {
	d := newDesk(t)
	count := d.failing(http.MethodPut)
	d.store = overtaken{d.store, approver.Approve, "of others"}
	d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
	d.transfer(1, "")
	assert.Equal(t, approver.OutcomeChanged, d.next(approver.EntryResult).Outcome)
	assert.Zero(t, count.Load())
}
