package approver_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// restored is what a file was, opened from a copy.
func (d *desk) restored(before []byte) *approver.FileStore {
	d.t.Helper()
	path := filepath.Join(d.t.TempDir(), "restored")
	require.NoError(d.t, os.WriteFile(path, before, 0o600))
	return openStore(d.t, path, d.clock.Now)
}

func (d *desk) approved(tx qredo.TxID) bool {
	d.t.Helper()
	return d.Action(d.t, tx).Status == qredo.ApprovalApproved
}

// The last line of the log is a repeat of a decision that the backup has, and what was decided between is lost.
func TestARepeatDoesNotHideThatAStoreWasPutBack(t *testing.T) {
	d := newDesk(t)
	path := filepath.Join(t.TempDir(), "store")
	d.store = openStore(t, path, d.clock.Now)
	first := d.transfer(1, "")
	refused := string(d.Action(t, first).ID)
	var taken atomic.Bool
	d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, refused) && !taken.Load() {
			http.Error(w, "later", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
	stop := d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
	d.next(approver.EntryDecision)
	require.NoError(t, stop())
	backup, err := os.ReadFile(path)
	require.NoError(t, err)
	stop = d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
	d.transfer(2, "")
	d.next(approver.EntryResult)
	require.NoError(t, stop())
	taken.Store(true)
	stop = d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
	d.next(approver.EntryResult)
	require.NoError(t, stop())
	require.True(t, d.approved(first))
	entries := d.written()
	last := entries[len(entries)-2]
	require.Equal(t, [2]any{approver.EntryRepeat, int64(1)}, [2]any{last.Kind, last.StoreSeq})

	d.store = d.restored(backup)
	err = d.start(rulesAt(t, rulesFile("true"), d.clock.Now))()
	var lost *approver.LostError
	require.ErrorAs(t, err, &lost)
	assert.Equal(t, [2]int64{2, 1}, [2]int64{lost.Known, lost.Last})
}

// Limits have windows of up to a year: that a decision is a day old does not make it forgotten.
func TestAStoreThatIsPutBackIsNoticedAfterDays(t *testing.T) {
	d := newDesk(t)
	path := filepath.Join(t.TempDir(), "store")
	first := openStore(t, path, d.clock.Now)
	require.NoError(t, first.Close())
	backup, err := os.ReadFile(path)
	require.NoError(t, err)
	d.store = openStore(t, path, d.clock.Now)
	stop := d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
	d.transfer(1, "")
	d.next(approver.EntryResult)
	require.NoError(t, stop())
	d.clock.Forward(20 * 24 * time.Hour)
	require.NoError(t, d.start(rulesAt(t, rulesFile("true"), d.clock.Now))(), "nothing is lost")

	d.store = d.restored(backup)
	tx := d.transfer(1, "")
	for range 2 {
		err = d.start(rulesAt(t, rulesFile("true"), d.clock.Now))()
		var lost *approver.LostError
		require.ErrorAs(t, err, &lost)
		assert.EqualValues(t, 1, lost.Known)
	}
	require.ErrorContains(t, err, "the store has come to decision 0, and was at 1 before")
	assert.False(t, d.approved(tx))

	log, err := approver.OpenAuditLog(d.logPath, approver.WithClock(d.clock.Now))
	require.NoError(t, err)
	for _, lost := range []bool{true, false} {
		was, err := approver.AcceptLoss(t.Context(), log, d.store, "Bob: the disk broke")
		require.NoError(t, err)
		assert.Equal(t, lost, was)
	}
	require.NoError(t, log.Close())
	d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
	assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
	assert.True(t, d.approved(tx))
}

// switched is a store that another takes the place of, as when its server is put back.
type switched struct {
	now atomic.Pointer[approver.FileStore]
}

func (s *switched) Epoch() string { return s.now.Load().Epoch() }
func (s *switched) Lookup(ctx context.Context, id qredo.ActionID) (approver.Record, bool, error) {
	return s.now.Load().Lookup(ctx, id)
}

func (s *switched) Reserve(ctx context.Context, rec approver.Record, spends []approver.Spend) (approver.Record, error) {
	return s.now.Load().Reserve(ctx, rec, spends)
}
func (s *switched) LastSeq(ctx context.Context) (int64, error) { return s.now.Load().LastSeq(ctx) }
func (s *switched) Finish(ctx context.Context, id qredo.ActionID, outcome approver.Outcome) error {
	return s.now.Load().Finish(ctx, id, outcome)
}

func (s *switched) Usage(ctx context.Context, spends []approver.Spend) ([]approver.Usage, error) {
	return s.now.Load().Usage(ctx, spends)
}

// unnumbered is a store that gives no numbers.
type unnumbered struct{ approver.Store }

func (s unnumbered) Reserve(ctx context.Context, rec approver.Record, spends []approver.Spend) (approver.Record, error) {
	rec.Seq = 0
	rec, err := s.Store.Reserve(ctx, rec, spends)
	rec.Seq = 0
	return rec, err
}

// run runs an approver to its end, and returns why it has ended.
func (d *desk) run(policy approver.Policy, opts ...approver.Option) <-chan error {
	d.t.Helper()
	a, err := approver.New(d.Client, d.Core, policy, append([]approver.Option{
		approver.WithStore(d.store), approver.WithClock(d.clock.Now), approver.WithObserver(func(e approver.Entry) { d.entries <- e }),
	}, opts...)...)
	require.NoError(d.t, err)
	done := make(chan error, 1)
	go func() { done <- a.Run(d.t.Context()) }()
	return done
}

// A store is put back while it is in use, with what it had counted for a limit.
func TestAStoreThatIsPutBackUnderARunIsNoticed(t *testing.T) {
	d := newDesk(t)
	path := filepath.Join(t.TempDir(), "store")
	first := openStore(t, path, d.clock.Now)
	require.NoError(t, first.Close())
	backup, err := os.ReadFile(path)
	require.NoError(t, err)
	store := &switched{}
	store.now.Store(openStore(t, path, d.clock.Now))
	d.store = store
	done := d.run(approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
		return approver.Decision{Verdict: approver.Approve, Spends: []approver.Spend{{Counter: "c", Window: time.Hour, MaxCount: 1}}}, nil
	}))
	tx := d.transfer(1, "")
	d.next(approver.EntryResult)
	require.True(t, d.approved(tx))
	store.now.Store(d.restored(backup))
	tx = d.transfer(1, "")
	var lost *approver.LostError
	require.ErrorAs(t, <-done, &lost)
	assert.Equal(t, approver.LostError{Before: store.Epoch(), Now: store.Epoch(), Known: 1}, *lost)
	assert.False(t, d.approved(tx))
	last, err := store.LastSeq(t.Context())
	require.NoError(t, err)
	assert.Zero(t, last, "nothing is stored in it")
}

// A store that gives no numbers cannot show that it was put back.
func TestAStoreThatGivesNoNumbersIsNotTrusted(t *testing.T) {
	d := newDesk(t)
	d.store = unnumbered{d.store}
	tx := d.transfer(1, "")
	require.ErrorAs(t, <-d.run(rulesAt(t, rulesFile("true"), d.clock.Now)), new(*approver.LostError))
	assert.False(t, d.approved(tx))
}

// What was lost is decided again by a replica that knew nothing of it, and the numbers go on beyond where they were.
func TestADecisionWithAnotherNumberIsAnother(t *testing.T) {
	d := newDesk(t)
	store := openStore(t, filepath.Join(t.TempDir(), "store"), d.clock.Now)
	d.store = store
	stop := d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
	d.transfer(1, "")
	id := d.next(approver.EntryResult).ActionID
	require.NoError(t, stop())
	rec, _, err := store.Lookup(t.Context(), id)
	require.NoError(t, err)
	other := openStore(t, filepath.Join(t.TempDir(), "store"), d.clock.Now)
	_, err = other.Reserve(t.Context(), approver.Record{ActionID: "another"}, nil)
	require.NoError(t, err)
	rec.Seq = 0
	_, err = other.Reserve(t.Context(), rec, nil)
	require.NoError(t, err)
	d.store = renamed{other, store.Epoch()}
	err = d.start(rulesAt(t, rulesFile("true"), d.clock.Now))()
	var lost *approver.LostError
	require.ErrorAs(t, err, &lost)
	assert.Equal(t, id, lost.Missing)
}

// renamed has the epoch of another store.
type renamed struct {
	approver.Store
	epoch string
}

func (r renamed) Epoch() string { return r.epoch }

// A file of before decisions had numbers, and its log, go on, and have numbers from then on.
func TestAStoreWithoutNumbersBeginsToNumber(t *testing.T) {
	d := newDesk(t)
	path := filepath.Join(t.TempDir(), "store")
	store := openStore(t, path, d.clock.Now)
	old := approver.Record{ActionID: "old", Verdict: approver.Reject, Expires: noon.Add(time.Hour), Token: "t"}
	_, err := store.Reserve(t.Context(), old, nil)
	require.NoError(t, err)
	require.NoError(t, store.Close())
	db, err := bbolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		decisions := tx.Bucket([]byte("decisions"))
		data, err := json.Marshal(old)
		require.NoError(t, err)
		require.NotContains(t, string(data), "seq")
		require.NoError(t, decisions.Put([]byte("old"), data))
		return decisions.SetSequence(0)
	}))
	require.NoError(t, db.Close())

	d.store = openStore(t, path, d.clock.Now)
	kept, found, err := d.store.Lookup(t.Context(), "old")
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, old, kept)
	for n := range int64(2) {
		stop := d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
		d.transfer(1, "")
		assert.Equal(t, n+1, d.next(approver.EntryDecision).StoreSeq)
		d.next(approver.EntryResult)
		require.NoError(t, stop())
	}
}

// A backup is restored over the file of an approver that is at work, or takes its place.
func TestAStoreThatIsRestoredUnderARun(t *testing.T) {
	for name, restore := range map[string]func(path string, backup []byte) error{
		"in place": func(path string, backup []byte) error { return os.WriteFile(path, backup, 0o600) },
		"as another file": func(path string, backup []byte) error {
			if err := os.WriteFile(path+".new", backup, 0o600); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		},
		"where it was moved away": func(path string, backup []byte) error {
			if err := os.Rename(path, path+".old"); err != nil {
				return err
			}
			return os.WriteFile(path, backup, 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "store")
			s := openStore(t, path, time.Now)
			backup, err := os.ReadFile(path)
			require.NoError(t, err)
			spend := approver.Spend{Counter: "c", Window: time.Hour, MaxCount: 1}
			rec, err := s.Reserve(t.Context(), approver.Record{ActionID: "a"}, []approver.Spend{spend})
			require.NoError(t, err)
			require.NoError(t, restore(path, backup))
			for range 2 {
				_, err = s.Reserve(t.Context(), approver.Record{ActionID: "b", Seq: rec.Seq}, []approver.Spend{spend})
				require.ErrorContains(t, err, path)
				_, _, err = s.Lookup(t.Context(), "a")
				require.ErrorContains(t, err, path)
			}
		})
	}
}
