package approver_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// voter is the core client's own calls, which a test counts and changes.
type voter struct {
	d        *desk
	calls    [4]atomic.Int32 // Feed, GetAction, Approve, Reject
	noDetail bool
	panics   atomic.Int32 // so often when it is to approve
}

func (v *voter) Feed(ctx context.Context, opts ...qredo.FeedOption) iter.Seq2[qredo.Action, error] {
	v.calls[0].Add(1)
	return v.d.Client.CoreClients.Feed(ctx, v.d.Core, opts...)
}

func (v *voter) GetAction(ctx context.Context, id qredo.ActionID, opts ...qredo.CallOption) (*qredo.Action, error) {
	v.calls[1].Add(1)
	a, err := v.d.Client.CoreClients.GetAction(ctx, v.d.Core, id, opts...)
	if err == nil && v.noDetail {
		a.Details = nil
	}
	return a, err
}

func (v *voter) Approve(ctx context.Context, id qredo.ActionID, opts ...qredo.CallOption) error {
	v.calls[2].Add(1)
	if v.panics.Add(-1) >= 0 {
		panic("of the voter")
	}
	return v.d.Client.CoreClients.Approve(ctx, v.d.Core, id, opts...)
}

func (v *voter) Reject(ctx context.Context, id qredo.ActionID, opts ...qredo.CallOption) error {
	v.calls[3].Add(1)
	return v.d.Client.CoreClients.Reject(ctx, v.d.Core, id, opts...)
}

func TestActionsComeFromTheVoterAndVotesGoThroughIt(t *testing.T) {
	d := newDesk(t)
	v := &voter{d: d}
	v.panics.Store(1)
	d.start(rulesAt(t, threeRules, d.clock.Now), approver.WithVoter(v))
	for i, amount := range []qredo.Amount{100, 4001 + 5000} {
		tx := d.transfer(amount, []string{"", "STOP"}[i])
		decision, result := d.next(approver.EntryDecision), d.next(approver.EntryResult)
		assert.Equal(t, approver.OutcomeSent, result.Outcome)
		digest, err := approver.Digest(d.Action(t, tx))
		require.NoError(t, err)
		assert.Equal(t, digest, decision.Digest, "a voter that binds nothing changes no digest")
	}
	assert.Equal(t, int32(1), v.calls[0].Load())
	assert.GreaterOrEqual(t, v.calls[1].Load(), int32(4), "each vote has a look before it, and after")
	assert.Equal(t, int32(2), v.calls[2].Load(), "one that panicked, and the next")
	assert.Equal(t, int32(1), v.calls[3].Load())
}

func TestAVoterMustBeGiven(t *testing.T) {
	d := newDesk(t)
	for _, none := range []approver.Voter{nil, (*voter)(nil)} {
		_, err := approver.New(d.Client, d.Core, rulesAt(t, threeRules, d.clock.Now), approver.WithVoter(none))
		require.ErrorAs(t, err, new(*qredo.ValidationError))
	}
}

// binding is a voter that signs something.
type binding struct {
	*voter
	bind  func(call int32, a qredo.Action) (string, error)
	n     atomic.Int32
	asked sync.Map // with which digests a vote was asked for
}

func (b *binding) ApproveBound(ctx context.Context, id qredo.ActionID, digest string, opts ...qredo.CallOption) error {
	b.asked.Store(digest, true)
	return b.Approve(ctx, id, opts...)
}

func (b *binding) Bind(_ context.Context, a qredo.Action) (string, error) {
	return b.bind(b.n.Add(1), a)
}

func TestADecisionHoldsForWhatIsSigned(t *testing.T) {
	away := errors.New("the messages cannot be read")
	for name, c := range map[string]struct {
		bind    func(call int32, a qredo.Action) (string, error)
		outcome approver.Outcome
		status  qredo.ApprovalStatus
		votes   int32
	}{
		"the same": {func(int32, qredo.Action) (string, error) { return "m", nil }, approver.OutcomeSent, qredo.ApprovalApproved, 1},
		"the same, after failures": {func(call int32, _ qredo.Action) (string, error) {
			if call < 4 {
				return "", away
			}
			return "m", nil
		}, approver.OutcomeSent, qredo.ApprovalApproved, 1},
		"another, after the decision": {func(call int32, _ qredo.Action) (string, error) { return fmt.Sprint(call), nil }, approver.OutcomeChanged, qredo.ApprovalPending, 1},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			v := &binding{voter: &voter{d: d}, bind: c.bind}
			if c.outcome == approver.OutcomeChanged {
				v.panics.Store(1) // the first vote does not get through, so that there is another look
			}
			d.start(rulesAt(t, threeRules, d.clock.Now), approver.WithVoter(v))
			tx := d.transfer(100, "")
			decision, result := d.next(approver.EntryDecision), d.next(approver.EntryResult)
			assert.Equal(t, c.outcome, result.Outcome)
			assert.Equal(t, c.status, d.Action(t, tx).Status)
			assert.Equal(t, c.votes, v.calls[2].Load())
			digest, err := approver.Digest(d.Action(t, tx))
			require.NoError(t, err)
			assert.NotEqual(t, digest, decision.Digest)
			assert.Len(t, decision.Digest, len(digest))
			bound := map[bool]string{true: "1", false: "m"}[c.outcome == approver.OutcomeChanged]
			sum := sha256.Sum256([]byte(digest + " " + bound))
			assert.Equal(t, hex.EncodeToString(sum[:]), decision.Digest, "as Record says")
			v.asked.Range(func(digest, _ any) bool { return assert.Equal(t, bound, digest, "what the decision was made on") })
		})
	}
}

// blind needs no details.
type blind struct{ approver.PolicyFunc }

func (blind) NeedsNoDetails() {}

func TestOnlyAPolicyThatNeedsNoDetailsDecidesWithoutThem(t *testing.T) {
	all := approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
		return approver.Decision{Verdict: approver.Approve, Sweep: true}, nil
	})
	for name, c := range map[string]struct {
		policy  approver.Policy
		outcome approver.Outcome
	}{"it needs none": {blind{all}, approver.OutcomeSent}, "it may need them": {all, approver.OutcomeLeft}} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.start(c.policy, approver.WithVoter(&voter{d: d, noDetail: true}))
			d.transfer(100, "")
			assert.Equal(t, c.outcome, d.next(approver.EntryResult).Outcome)
		})
	}
}

// undetailed is a voter that says that it gives no details.
type undetailed struct{ *voter }

func (undetailed) GivesDetails() bool { return false }

func TestAVoterWithoutDetailsTakesNeitherPinsNorAPolicyThatNeedsThem(t *testing.T) {
	p := newPinned(t)
	none := undetailed{&voter{d: p.desk, noDetail: true}}
	all := blind{approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
		return approver.Decision{Verdict: approver.Approve, Sweep: true}, nil
	})}
	refused := func(field string, err error) {
		invalid := (*qredo.ValidationError)(nil)
		require.ErrorAs(t, err, &invalid)
		require.Equal(t, field, invalid.Field)
	}
	_, err := approver.New(p.Client, p.Core, rulesAt(t, threeRules, p.clock.Now), approver.WithVoter(none))
	refused("policy", err)
	_, err = approver.New(p.Client, p.Core, all, approver.WithVoter(none), approver.WithPins(p.path, p.public))
	refused("pins", err)
	a, err := approver.New(p.Client, p.Core, all, approver.WithVoter(none))
	require.NoError(t, err)
	refused("policy", a.Reload(false, func() (approver.Policy, error) { return rulesAt(t, threeRules, p.clock.Now), nil }))
	require.NoError(t, a.Reload(false, func() (approver.Policy, error) { return all, nil }))
}

// A service may leave out details, whoever the voter is.
func TestWhatHasNoDetailsIsNotAsPinned(t *testing.T) {
	p := newPinned(t)
	all := blind{approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
		return approver.Decision{Verdict: approver.Approve, Sweep: true}, nil
	})}
	a, _ := p.startOne(all, approver.WithVoter(&voter{d: p.desk, noDetail: true}), approver.WithPins(p.path, p.public))
	tx := p.transfer(1, "")
	result := p.next(approver.EntryResult)
	assert.Equal(t, approver.OutcomeLeft, result.Outcome)
	e, err := a.Explain(t.Context(), p.Action(t, tx).ID)
	require.NoError(t, err)
	assert.Equal(t, approver.Leave, e.Decision.Verdict)
	assert.Contains(t, e.Decision.Reason, "no details")
}

// What is asked for without details and with them is not the same, and whose decision it was is to carry it out.
func TestADecisionWithoutDetailsIsLeftToWhoHasMadeIt(t *testing.T) {
	all := blind{approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
		return approver.Decision{Verdict: approver.Approve, Sweep: true}, nil
	})}
	for name, voters := range map[string]func(with *voter, without undetailed) (first, second approver.Voter){
		"without, then with": func(with *voter, without undetailed) (approver.Voter, approver.Voter) { return without, with },
		"with, then without": func(with *voter, without undetailed) (approver.Voter, approver.Voter) { return with, without },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			with, without := &voter{d: d}, undetailed{&voter{d: d, noDetail: true}}
			with.panics.Store(1 << 20) // votes do not get through
			without.panics.Store(1 << 20)
			first, second := voters(with, without)
			stop := d.start(all, approver.WithVoter(first))
			tx := d.transfer(100, "")
			decided := d.next(approver.EntryDecision)
			require.NoError(t, stop())
			stop = d.start(all, approver.WithVoter(second))
			result := d.next(approver.EntryResult)
			assert.Equal(t, approver.OutcomeUnknown, result.Outcome)
			assert.Contains(t, result.Reason, "must all have details or none")
			assert.Equal(t, qredo.ApprovalPending, d.Action(t, tx).Status)
			record, _, err := d.store.Lookup(t.Context(), decided.ActionID)
			require.NoError(t, err)
			assert.Empty(t, record.Outcome, "the store is left alone")
			require.NoError(t, stop())
		})
	}
}

// mistaken gives another action than it is asked for, or none.
type mistaken struct {
	*voter
	give atomic.Pointer[qredo.Action]
}

func (m *mistaken) GetAction(context.Context, qredo.ActionID, ...qredo.CallOption) (*qredo.Action, error) {
	return m.give.Load(), nil
}

func TestNothingIsDecidedOnAnotherActionThanAskedFor(t *testing.T) {
	d := newDesk(t)
	tx := d.transfer(6000, "")
	small, large := d.Action(t, d.transfer(100, "")), d.Action(t, tx)
	v := &mistaken{voter: &voter{d: d}}
	d.start(rulesAt(t, threeRules, d.clock.Now), approver.WithVoter(v))
	explainer, err := approver.New(d.Client, d.Core, rulesAt(t, threeRules, d.clock.Now), approver.WithVoter(v))
	require.NoError(t, err)
	for _, given := range []*qredo.Action{nil, &small} {
		v.give.Store(given)
		_, err = explainer.Explain(t.Context(), large.ID)
		require.ErrorContains(t, err, "gave another")
	}
	decision := d.next(approver.EntryDecision)
	assert.Equal(t, small.ID, decision.ActionID, "the other one is never decided")
	d.next(approver.EntryResult)
	assert.Equal(t, qredo.ApprovalPending, d.Action(t, tx).Status)
}
