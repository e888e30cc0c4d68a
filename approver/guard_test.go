package approver_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// first is a policy that does something about the first action that it is asked about, and approves all others.
func first(do func(ctx context.Context) (approver.Decision, error)) approver.PolicyFunc {
	var asked atomic.Bool
	return func(ctx context.Context, _ qredo.Action) (approver.Decision, error) {
		if !asked.Swap(true) {
			return do(ctx)
		}
		return approver.Decision{Verdict: approver.Approve}, nil
	}
}

type badError struct{}

func (badError) Error() string { panic("and again") }

// What a policy does, it does to one action only.
func TestAPolicyThatPanicsLeavesToHumans(t *testing.T) {
	type account struct{ Secret string }
	for name, c := range map[string]struct {
		do     func(context.Context) (approver.Decision, error)
		reason string
	}{
		"a text":   {func(context.Context) (approver.Decision, error) { panic("out of cheese") }, "panic: out of cheese (guard_test.go:"},
		"an error": {func(context.Context) (approver.Decision, error) { panic(errors.New("no cheese")) }, "panic: no cheese (guard_test.go:"},
		"the runtime's": {func(context.Context) (approver.Decision, error) {
			return make([]approver.Decision, 1)[len(t.Name())], nil
		}, "index out of range"},
		"a nil":             {func(context.Context) (approver.Decision, error) { panic(nil) }, "nil"}, //nolint:govet // that is what it is about
		"another value":     {func(context.Context) (approver.Decision, error) { panic(account{"hunter2"}) }, "a value of type approver_test.account"},
		"an error of which": {func(context.Context) (approver.Decision, error) { panic(badError{}) }, "whose text panics"},
		"an error's text":   {func(context.Context) (approver.Decision, error) { return approver.Decision{}, badError{} }, "and again"},
		"the goroutine": {func(context.Context) (approver.Decision, error) {
			runtime.Goexit()
			return approver.Decision{}, nil
		}, "ended its goroutine"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			stop := d.start(first(c.do))
			tx := d.transfer(1, "")
			decision := d.next(approver.EntryDecision)
			assert.Equal(t, approver.Leave, decision.Verdict)
			assert.Contains(t, decision.Reason, "the policy failed: ")
			assert.Contains(t, decision.Reason, c.reason)
			assert.Equal(t, approver.OutcomeLeft, d.next(approver.EntryResult).Outcome)
			assert.Equal(t, qredo.ApprovalPending, d.Action(t, tx).Status)
			d.transfer(1, "")
			assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome, "others go on")
			require.NoError(t, stop())
			assert.Contains(t, d.logged.String(), "level=ERROR")
			assert.NotContains(t, d.logged.String(), "hunter2")
		})
	}
}

// A policy that does not answer has failed, whether it heeds its context or not, and others do not wait for it.
func TestAPolicyHasALimitedTime(t *testing.T) {
	for name, heeds := range map[string]bool{"it heeds its context": true, "it does not": false} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			end := make(chan struct{})
			stop := d.start(first(func(ctx context.Context) (approver.Decision, error) {
				if heeds {
					<-ctx.Done()
					return approver.Decision{}, ctx.Err()
				}
				<-end
				return approver.Decision{Verdict: approver.Approve}, nil
			}), approver.WithPolicyTimeout(10*time.Millisecond), approver.WithConcurrency(1))
			tx := d.transfer(1, "")
			decision := d.next(approver.EntryDecision)
			assert.Equal(t, approver.Leave, decision.Verdict)
			assert.Equal(t, "the policy failed: it had not decided after 10ms", decision.Reason)
			d.next(approver.EntryResult)
			d.transfer(1, "")
			assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
			require.NoError(t, stop())
			close(end)
			assert.Equal(t, qredo.ApprovalPending, d.Action(t, tx).Status, "what it says later does not count")
		})
	}
}

// A policy has no longer than the action.
func TestAPolicyIsEndedWhenTheActionExpires(t *testing.T) {
	d := newDesk(t)
	d.transfer(1, "")
	d.clock.Forward(time.Hour - 10*time.Millisecond)
	d.start(approver.PolicyFunc(func(ctx context.Context, _ qredo.Action) (approver.Decision, error) {
		<-ctx.Done()
		d.clock.Forward(time.Second)
		return approver.Decision{}, ctx.Err()
	}))
	result := d.next(approver.EntryResult)
	assert.Equal(t, approver.OutcomeExpired, result.Outcome)
	assert.Empty(t, result.Verdict, "it was not decided")
}

// What waits for one action does not hold up another, with one worker only, nor the run's end.
func TestWhatIsSlowHoldsUpNothingElse(t *testing.T) {
	for name, plug := range map[string]func(d *desk, end chan struct{}) (approver.Policy, approver.Option){
		"the policy": func(_ *desk, end chan struct{}) (approver.Policy, approver.Option) {
			return first(func(context.Context) (approver.Decision, error) { <-end; return approver.Decision{}, nil }), approver.WithConcurrency(1)
		},
		"the claim": func(d *desk, end chan struct{}) (approver.Policy, approver.Option) {
			return rulesAt(t, approveAll, d.clock.Now), approver.WithCoordinator(&slowClaims{end: end})
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, end := newDesk(t), make(chan struct{})
			defer close(end)
			policy, opt := plug(d, end)
			stop := d.start(policy, approver.WithConcurrency(1), opt)
			d.transfer(1, "")
			d.transfer(1, "")
			assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
			require.NoError(t, stop(), "it ends all the same")
		})
	}
}

// An observer that waits, panics or ends its goroutine holds up nothing, and is told of all in order.
func TestAnObserverHoldsUpNothing(t *testing.T) {
	d, end := newDesk(t), make(chan struct{})
	var told []approver.Entry
	stop := d.start(rulesAt(t, approveAll, d.clock.Now), approver.WithObserver(func(e approver.Entry) {
		<-end
		switch told = append(told, e); len(told) {
		case 1:
			panic("an observer")
		case 2:
			runtime.Goexit()
		}
	}))
	txs := []qredo.TxID{d.transfer(1, ""), d.transfer(1, "")}
	require.Eventually(t, func() bool {
		return d.Action(t, txs[0]).Status == qredo.ApprovalApproved && d.Action(t, txs[1]).Status == qredo.ApprovalApproved
	}, time.Minute, time.Millisecond)
	close(end)
	require.NoError(t, stop())
	written := d.written()
	require.Len(t, told, len(written), "the run's end waits for it")
	assert.Contains(t, d.logged.String(), "panic: an observer")
}

// slowClaims lets the first claim wait, whatever its context says.
type slowClaims struct {
	asked atomic.Bool
	end   chan struct{}
}

func (s *slowClaims) Claim(ctx context.Context, _ qredo.ActionID) (context.Context, func(), error) {
	if !s.asked.Swap(true) {
		<-s.end
	}
	return ctx, func() {}, nil
}

// A claim that comes too late is given back, and asked for again.
func TestAClaimThatComesTooLateIsGivenBack(t *testing.T) {
	d := newDesk(t)
	end, back := make(chan struct{}), make(chan struct{})
	d.start(rulesAt(t, approveAll, d.clock.Now), approver.WithPolicyTimeout(10*time.Millisecond),
		approver.WithCoordinator(claims(func(ctx context.Context, attempt int64) (context.Context, func(), error) {
			switch attempt {
			case 1:
				<-end
				return ctx, func() { close(back) }, nil
			case 2:
				panic("no coordinator")
			}
			return ctx, func() {}, nil
		})))
	d.transfer(1, "")
	assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
	close(end)
	<-back
	assert.Contains(t, d.logged.String(), "not claimed within 10ms")
	assert.Contains(t, d.logged.String(), "panic: no coordinator")
}

func claims(f func(ctx context.Context, attempt int64) (context.Context, func(), error)) approver.Coordinator {
	return &countedClaims{f: f}
}

type countedClaims struct {
	n atomic.Int64
	f func(ctx context.Context, attempt int64) (context.Context, func(), error)
}

func (c *countedClaims) Claim(ctx context.Context, _ qredo.ActionID) (context.Context, func(), error) {
	return c.f(ctx, c.n.Add(1))
}

// panicky is a store that panics at the first decision.
type panicky struct {
	approver.Store
	done *atomic.Bool
}

func (p panicky) Reserve(ctx context.Context, rec approver.Record, spends []approver.Spend) (approver.Record, error) {
	if !p.done.Swap(true) {
		panic("no store")
	}
	return p.Store.Reserve(ctx, rec, spends)
}

// A store that panics is one that failed: the action is tried again, and Reload does not wait for what has ended so.
func TestAStoreThatPanicsIsAskedAgain(t *testing.T) {
	d := newDesk(t)
	a, _ := d.startOne(rulesAt(t, approveAll, d.clock.Now), approver.WithStore(panicky{d.store, new(atomic.Bool)}))
	d.transfer(1, "")
	assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
	assert.Contains(t, d.logged.String(), "panic: no store")
	require.NoError(t, d.reload(a, false, approveAll))
}
