package approver_test

import (
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// Shadow is the emergency brake: a load that hangs, as one that asks a service which does not answer, must not hold it up, nor end it.
func TestShadowWaitsForNoLoad(t *testing.T) {
	d := newDesk(t)
	a, stop := d.startOne(rulesAt(t, approveAll, d.clock.Now))
	loading, goOn := make(chan struct{}), make(chan struct{})
	reloaded, rules := make(chan error, 1), rulesAt(t, approveAll, d.clock.Now)
	go func() {
		reloaded <- a.Reload(false, func() (approver.Policy, error) {
			close(loading)
			<-goOn
			return rules, nil
		})
	}()
	<-loading
	require.NoError(t, a.Shadow())
	line := d.next(approver.EntryReload)
	assert.Equal(t, "in force from here on: shadow", line.Reason)
	assert.Equal(t, rulesAt(t, approveAll, d.clock.Now).Hash(), line.PolicyHash, "the rules are those that are in force")
	tx := d.transfer(1, "")
	assert.Equal(t, approver.Approve, d.next(approver.EntryShadow).Verdict)
	require.NoError(t, a.Shadow(), "it is in shadow already")

	close(goOn)
	require.ErrorContains(t, <-reloaded, "shadow was asked for meanwhile")
	assert.Contains(t, d.next(approver.EntryReload).Reason, "not reloaded, what was in force stays so: shadow was asked for meanwhile")
	d.transfer(1, "")
	d.next(approver.EntryShadow)
	assert.Equal(t, qredo.ApprovalPending, d.Action(t, tx).Status)

	require.NoError(t, d.reload(a, false, approveAll))
	assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
	assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
	assert.Equal(t, qredo.ApprovalApproved, d.Action(t, tx).Status, "what waits still is decided by who comes after it")
	require.NoError(t, stop())
	reasons := []string(nil)
	for _, e := range d.written() {
		if e.Kind == approver.EntryReload {
			reasons = append(reasons, e.Reason)
		}
	}
	assert.Equal(t, []string{
		"in force from here on: shadow", "not reloaded, what was in force stays so: shadow was asked for meanwhile", "in force from here on: live",
	}, reasons)
}

// What was asked for in shadow is not ended by an earlier wish to end it.
func TestShadowThatIsAskedForInShadowStays(t *testing.T) {
	d := newDesk(t)
	a, _ := d.startOne(rulesAt(t, approveAll, d.clock.Now), approver.WithShadow())
	require.ErrorContains(t, a.Reload(false, func() (approver.Policy, error) {
		require.NoError(t, a.Shadow())
		return rulesAt(t, approveAll, d.clock.Now), nil
	}), "shadow was asked for meanwhile")
	d.transfer(1, "")
	d.next(approver.EntryShadow)
	require.NoError(t, a.Reload(true, func() (approver.Policy, error) {
		require.NoError(t, a.Shadow())
		return rulesAt(t, leaveAll, d.clock.Now), nil
	}), "both want shadow")
	d.transfer(1, "")
	assert.Equal(t, "none", d.next(approver.EntryShadow).Rule)
}

// Whoever asks for shadow is told of it once the vote has arrived that was on its way, also who asks second, or reloads.
func TestShadowWaitsForAVote(t *testing.T) {
	d := newDesk(t)
	arrived, goOn := make(chan struct{}), make(chan struct{})
	var votes atomic.Int64
	d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut {
			if votes.Add(1) == 1 {
				close(arrived)
			}
			<-goOn
		}
		next.ServeHTTP(w, r)
	})
	a, _ := d.startOne(rulesAt(t, approveAll, d.clock.Now))
	tx := d.transfer(1, "")
	<-arrived
	done := make(chan error, 3)
	go func() { done <- a.Shadow() }()
	assert.Equal(t, "in force from here on: shadow", d.next(approver.EntryReload).Reason)
	go func() { done <- a.Shadow() }()
	go func() { done <- d.reload(a, true, approveAll) }()
	assert.Equal(t, "in force from here on: shadow", d.next(approver.EntryReload).Reason, "that of Reload")
	d.transfer(1, "")
	d.next(approver.EntryShadow) // shadow is in force
	assert.Empty(t, done, "a vote is on its way")
	close(goOn)
	for range 3 {
		require.NoError(t, <-done)
	}
	assert.Equal(t, qredo.ApprovalApproved, d.Action(t, tx).Status)
	assert.EqualValues(t, 1, votes.Load())
}

// An audit log that takes nothing more does not keep the approver from going into shadow.
func TestShadowDoesNotNeedTheAuditLog(t *testing.T) {
	d := newDesk(t)
	log, err := approver.OpenAuditLog(d.logPath)
	require.NoError(t, err)
	a, err := approver.New(d.Client, d.Core, rulesAt(t, approveAll, d.clock.Now), approver.WithAuditLog(log), approver.WithStore(d.store))
	require.NoError(t, err)
	require.NoError(t, log.Close())
	require.ErrorIs(t, a.Shadow(), os.ErrClosed)
	tx := d.transfer(1, "")
	require.ErrorIs(t, a.Run(t.Context()), os.ErrClosed)
	_, decided, err := d.store.Lookup(t.Context(), d.Action(t, tx).ID)
	require.NoError(t, err)
	assert.False(t, decided, "in shadow the store is left alone")
}

// The brake is pulled while a reload has its line written: that line is not the last word.
func TestShadowThatIsAskedForWhileAReloadIsNotedStays(t *testing.T) {
	d := newDesk(t)
	var a *approver.Approver
	var brake atomic.Bool
	a, _ = d.startOne(rulesAt(t, approveAll, d.clock.Now), approver.WithClock(func() time.Time {
		if brake.CompareAndSwap(true, false) {
			assert.NoError(t, a.Shadow())
		}
		return d.clock.Now()
	}))
	rules := rulesAt(t, approveAll, d.clock.Now)
	err := a.Reload(false, func() (approver.Policy, error) {
		brake.Store(true)
		return rules, nil
	})
	require.ErrorContains(t, err, "shadow was asked for meanwhile")
	tx := d.transfer(1, "")
	d.next(approver.EntryShadow)
	assert.Equal(t, qredo.ApprovalPending, d.Action(t, tx).Status)
}
