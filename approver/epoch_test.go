package approver_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// requireLost demands that an approver does not run, and that nothing was approved.
func (d *desk) requireLost(store approver.Store, tx qredo.TxID, before string) {
	d.t.Helper()
	d.store = store
	err := d.start(rulesAt(d.t, rulesFile("true"), d.clock.Now))()
	var lost *approver.LostError
	require.ErrorAs(d.t, err, &lost)
	assert.Equal(d.t, approver.LostError{Before: before, Now: store.Epoch()}, *lost)
	require.ErrorContains(d.t, err, "qredo agent accept-loss")
	assert.Equal(d.t, qredo.ApprovalPending, d.Action(d.t, tx).Status)
}

// A store is gone while its audit log is kept. Version 4e8818f began all limits anew, without a word.
func TestAStoreThatIsGoneIsNoticed(t *testing.T) {
	d := newDesk(t)
	path := filepath.Join(t.TempDir(), "store")
	store := openStore(t, path, d.clock.Now)
	d.store = store
	stop := d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
	d.transfer(1, "")
	assert.Equal(t, store.Epoch(), d.next(approver.EntryEpoch).Epoch, "observers are told too")
	d.next(approver.EntryResult)
	require.NoError(t, stop())
	require.NotEmpty(t, store.Epoch())
	require.NoError(t, store.Close())
	again := openStore(t, path, d.clock.Now)
	assert.Equal(t, store.Epoch(), again.Epoch(), "it stays the same")
	d.store = again
	require.NoError(t, d.start(rulesAt(t, rulesFile("true"), d.clock.Now))())
	lines := len(d.written())
	require.NoError(t, again.Close())

	require.NoError(t, os.Remove(path))
	tx := d.transfer(1, "")
	made := openStore(t, path, d.clock.Now)
	for range 2 { // and it does not get better
		d.requireLost(made, tx, store.Epoch())
	}
	d.requireLost(approver.NewMemoryStore(), tx, store.Epoch())
	assert.Len(t, d.written(), lines, "nothing else is written")

	log, err := approver.OpenAuditLog(d.logPath, approver.WithClock(d.clock.Now))
	require.NoError(t, err)
	_, err = approver.AcceptLoss(t.Context(), log, made, "")
	require.ErrorContains(t, err, "who has accepted")
	for _, lost := range []bool{true, false} {
		was, err := approver.AcceptLoss(t.Context(), log, made, "Bob: the disk broke")
		require.NoError(t, err)
		assert.Equal(t, lost, was)
	}
	require.NoError(t, log.Close())
	line := d.written()[lines]
	assert.Equal(t, [3]string{string(approver.EntryEpoch), made.Epoch(), "Bob: the disk broke"}, [3]string{string(line.Kind), line.Epoch, line.Reason})
	d.store = made
	d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
	assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
	assert.Equal(t, qredo.ApprovalApproved, d.Action(t, tx).Status)
}

// A store is put back to what it was before a decision, as from a backup.
func TestAStoreThatIsPutBackIsNoticed(t *testing.T) {
	d := newDesk(t)
	path := filepath.Join(t.TempDir(), "store")
	first := openStore(t, path, d.clock.Now)
	require.NoError(t, first.Close())
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	store := openStore(t, path, d.clock.Now)
	d.store = store
	stop := d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
	tx := d.transfer(1, "")
	d.next(approver.EntryResult)
	require.NoError(t, stop())
	require.NoError(t, d.start(rulesAt(t, rulesFile("true"), d.clock.Now))(), "nothing is lost")
	require.NoError(t, store.Close())

	require.NoError(t, os.WriteFile(path, before, 0o600))
	store = openStore(t, path, d.clock.Now)
	d.store = store
	err = d.start(rulesAt(t, rulesFile("true"), d.clock.Now))()
	var lost *approver.LostError
	require.ErrorAs(t, err, &lost)
	assert.Equal(t, approver.LostError{Before: store.Epoch(), Now: store.Epoch(), Missing: d.Action(t, tx).ID, Known: 1}, *lost)
	require.ErrorContains(t, err, "put back to an earlier state")

	log, err := approver.OpenAuditLog(d.logPath, approver.WithClock(d.clock.Now))
	require.NoError(t, err)
	for _, lost := range []bool{true, false} {
		was, err := approver.AcceptLoss(t.Context(), log, store, "Bob: the disk broke")
		require.NoError(t, err)
		assert.Equal(t, lost, was)
	}
	require.NoError(t, log.Close())
	require.NoError(t, d.start(rulesAt(t, rulesFile("true"), d.clock.Now))())
}

// A shadow neither reads nor changes the store, and may share the log of one that does.
func TestAShadowHasNoEpoch(t *testing.T) {
	d := newDesk(t)
	d.store = openStore(t, filepath.Join(t.TempDir(), "store"), d.clock.Now)
	require.NoError(t, d.start(rulesAt(t, rulesFile("true"), d.clock.Now))())
	lines := len(d.written())
	d.start(rulesAt(t, rulesFile("true"), d.clock.Now), approver.WithShadow())
	d.transfer(1, "")
	d.next(approver.EntryShadow)
	for _, e := range d.written()[lines:] {
		assert.Equal(t, approver.EntryShadow, e.Kind)
	}
}

// Shadow ends, and the store that is to count from then on is not the one of before.
func TestShadowDoesNotEndOnAStoreThatIsGone(t *testing.T) {
	d := newDesk(t)
	first := openStore(t, filepath.Join(t.TempDir(), "store"), d.clock.Now)
	d.store = first
	require.NoError(t, d.start(rulesAt(t, rulesFile("true"), d.clock.Now))())
	d.store = openStore(t, filepath.Join(t.TempDir(), "store"), d.clock.Now)
	a, _ := d.startOne(rulesAt(t, rulesFile("true"), d.clock.Now), approver.WithShadow())
	tx := d.transfer(1, "")
	d.next(approver.EntryShadow)
	live := func() (approver.Policy, error) { return rulesAt(t, rulesFile("true"), d.clock.Now), nil }
	err := a.Reload(false, live)
	var lost *approver.LostError
	require.ErrorAs(t, err, &lost)
	assert.Equal(t, first.Epoch(), lost.Before)
	assert.Contains(t, d.next(approver.EntryReload).Reason, "not reloaded")
	assert.Equal(t, qredo.ApprovalPending, d.Action(t, tx).Status)
}

// losing is a store that has lost its memory while it was in use.
type losing struct{ approver.Store }

func (losing) Reserve(context.Context, approver.Record, []approver.Spend) (approver.Record, error) {
	return approver.Record{}, fmt.Errorf("deep inside: %w", &approver.LostError{Before: "one"})
}

func TestALossEndsTheRun(t *testing.T) {
	d := newDesk(t)
	tx := d.transfer(1, "")
	a, err := approver.New(d.Client, d.Core, rulesAt(t, rulesFile("true"), d.clock.Now), approver.WithStore(losing{d.store}), approver.WithClock(d.clock.Now))
	require.NoError(t, err)
	err = a.Run(t.Context())
	require.ErrorAs(t, err, new(*approver.LostError))
	assert.Equal(t, qredo.ApprovalPending, d.Action(t, tx).Status)
}

// late is a store whose server is away at first.
type late struct {
	approver.Store
	asked atomic.Int64
}

func (a *late) LastSeq(ctx context.Context) (int64, error) {
	if n := a.asked.Add(1); n <= 3 {
		return 0, fmt.Errorf("call %d: connection refused", n)
	}
	return a.Store.LastSeq(ctx)
}

func TestAStoreThatIsAwayAtTheStartIsWaitedFor(t *testing.T) {
	d := newDesk(t)
	store := &late{Store: d.store}
	d.store = store
	d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
	d.transfer(1, "")
	assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
	assert.GreaterOrEqual(t, store.asked.Load(), int64(4))
}
