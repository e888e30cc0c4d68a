package approver_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/internal/trial"
)

var sealingKey = []byte("0123456789abcdef")

// plant returns an approval of a transfer that nobody has decided, as somebody makes it who knows what the transfer asks for.
func (d *desk) plant(tx qredo.TxID) approver.Record {
	d.t.Helper()
	action := d.Action(d.t, tx)
	digest, err := approver.Digest(action)
	require.NoError(d.t, err)
	return approver.Record{
		ActionID: action.ID, Digest: digest, Verdict: approver.Approve, Rule: "payouts", Reason: "because",
		Decided: d.clock.Now(), Expires: action.Expires.Time, Token: "mine",
	}
}

func decides(v approver.Verdict, asked *atomic.Int64) approver.PolicyFunc {
	return func(context.Context, qredo.Action) (approver.Decision, error) {
		asked.Add(1)
		return approver.Decision{Verdict: v, Spends: []approver.Spend{{Counter: "c", Amount: 1, Window: time.Hour, MaxAmount: 1}}}, nil
	}
}

// Somebody writes to the store that a transfer is approved, and the approver takes that for a decision that an earlier run, or another replica, has left.
// It asks the policy, and counts nothing for that.
func TestAPlantedApprovalNeedsThePolicy(t *testing.T) {
	for verdict, want := range map[approver.Verdict]struct {
		outcome approver.Outcome
		status  qredo.ApprovalStatus
	}{
		approver.Approve: {approver.OutcomeSent, qredo.ApprovalApproved}, // as it must be for decisions that another replica has made
		approver.Reject:  {approver.OutcomeLeft, qredo.ApprovalPending},
		approver.Leave:   {approver.OutcomeLeft, qredo.ApprovalPending},
	} {
		t.Run(string(verdict), func(t *testing.T) {
			d := newDesk(t)
			tx := d.transfer(1, "")
			_, err := d.store.Reserve(t.Context(), d.plant(tx), nil)
			require.NoError(t, err)
			var asked atomic.Int64
			policy := decides(verdict, &asked)
			d.start(policy)
			result := d.next(approver.EntryResult)
			assert.Equal(t, want.outcome, result.Outcome)
			assert.Equal(t, want.status, d.Action(t, tx).Status)
			assert.EqualValues(t, 1, asked.Load())
			if want.outcome == approver.OutcomeLeft {
				assert.Contains(t, result.Reason, "the store has an approval that the audit log does not")
			}
			used, err := d.store.Usage(t.Context(), []approver.Spend{{Counter: "c", Amount: 1, Window: time.Hour}})
			require.NoError(t, err)
			assert.Zero(t, used[0].Count)
		})
	}
}

// rewritten is a store in which somebody makes an approval of each decision, as soon as it is stored.
type rewritten struct{ approver.Store }

func (s rewritten) Lookup(ctx context.Context, id qredo.ActionID) (approver.Record, bool, error) {
	rec, found, err := s.Store.Lookup(ctx, id)
	rec.Verdict, rec.Outcome = approver.Approve, ""
	return rec, found, err
}

func (s rewritten) Reserve(ctx context.Context, rec approver.Record, spends []approver.Spend) (approver.Record, error) {
	rec, err := s.Store.Reserve(ctx, rec, spends)
	rec.Verdict = approver.Approve
	return rec, err
}

// What this approver has itself decided otherwise, in this run or before, or has found over a limit, is not approved because the store says so.
func TestAnApprovalThatWasRewrittenNeedsThePolicy(t *testing.T) {
	for name, policy := range map[string]approver.PolicyFunc{
		"left": func(context.Context, qredo.Action) (approver.Decision, error) { return approver.Decision{}, nil },
		"rejected": func(context.Context, qredo.Action) (approver.Decision, error) {
			return approver.Decision{Verdict: approver.Reject}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			count := d.failing(http.MethodPut)
			d.store = rewritten{d.store}
			stop := d.start(policy)
			tx := d.transfer(1, "")
			assert.Equal(t, approver.OutcomeLeft, d.next(approver.EntryResult).Outcome)
			require.NoError(t, stop())
			d.start(policy) // the record stands as an approval that nothing became of
			assert.Equal(t, approver.OutcomeLeft, d.next(approver.EntryResult).Outcome)
			assert.Equal(t, qredo.ApprovalPending, d.Action(t, tx).Status)
			assert.Zero(t, count.Load())
		})
	}
}

// An approval whose line is in the audit log is carried out after a restart, whatever the policy says by then.
func TestAnApprovalOfTheAuditLogNeedsNoPolicy(t *testing.T) {
	d := newDesk(t)
	var asked, none atomic.Int64
	voting := make(chan struct{}, 1)
	d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut { // the vote waits until the first run is over, and is lost
			voting <- struct{}{}
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	})
	stop := d.start(decides(approver.Approve, &asked))
	tx := d.transfer(1, "")
	<-voting
	require.NoError(t, stop())
	d.Intercept(nil)
	d.start(decides(approver.Reject, &none))
	assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
	assert.Equal(t, qredo.ApprovalApproved, d.Action(t, tx).Status)
	assert.Zero(t, none.Load())
}

// A policy that fails when it is asked again has not refused.
func TestAPolicyThatFailsForAStoredApprovalIsAskedAgain(t *testing.T) {
	d := newDesk(t)
	tx := d.transfer(1, "")
	_, err := d.store.Reserve(t.Context(), d.plant(tx), nil)
	require.NoError(t, err)
	var asked atomic.Int64
	d.start(approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
		if asked.Add(1) < 3 {
			return approver.Decision{}, context.DeadlineExceeded
		}
		return approver.Decision{Verdict: approver.Approve}, nil
	}))
	assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
	assert.EqualValues(t, 3, asked.Load())
}

// In a store with a key, the policy is not even asked about a planted approval; an honest one of another replica is carried out without it.
func TestAPlantedApprovalInASealedStore(t *testing.T) {
	for honest, want := range map[bool]approver.Outcome{false: approver.OutcomeLeft, true: approver.OutcomeSent} {
		d := newDesk(t)
		tx := d.transfer(1, "")
		path := filepath.Join(t.TempDir(), "store.db")
		store, err := approver.OpenStore(path, approver.WithClock(d.clock.Now), approver.WithSealingKey(sealingKey))
		require.NoError(t, err)
		rec := d.plant(tx)
		if honest {
			_, err := store.Reserve(t.Context(), rec, nil)
			require.NoError(t, err)
		} else {
			require.NoError(t, store.Close())
			data, err := json.Marshal(rec)
			require.NoError(t, err)
			(&filePlace{path}).Write(t, rec.ActionID, trial.Raw{Data: data})
			store, err = approver.OpenStore(path, approver.WithClock(d.clock.Now), approver.WithSealingKey(sealingKey))
			require.NoError(t, err)
		}
		d.store = store
		var asked atomic.Int64
		stop := d.start(decides(approver.Leave, &asked))
		result := d.next(approver.EntryResult)
		assert.Equal(t, want, result.Outcome)
		if !honest {
			assert.Contains(t, result.Reason, approver.ErrUnsealed.Error())
			assert.Equal(t, qredo.ApprovalPending, d.Action(t, tx).Status)
		}
		assert.Zero(t, asked.Load())
		require.NoError(t, stop())
		require.NoError(t, store.Close())
	}
}

// filePlace is the file of a store.
type filePlace struct{ path string }

func (p *filePlace) Open(t *testing.T, now func() time.Time, keys [][]byte, unsealed bool) (approver.Store, func(), error) {
	t.Helper()
	opts := []approver.FileOption{approver.WithClock(now)}
	if keys != nil {
		opts = append(opts, approver.WithSealingKey(keys[0], keys[1:]...))
	}
	if unsealed {
		opts = append(opts, approver.WithUnsealedAccepted())
	}
	s, err := approver.OpenStore(p.path, opts...)
	return s, func() { require.NoError(t, s.Close()) }, err
}

func (p *filePlace) update(t *testing.T, do func(tx *bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(p.path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(do))
	require.NoError(t, db.Close())
}

func (p *filePlace) Read(t *testing.T, id qredo.ActionID) (r trial.Raw) {
	t.Helper()
	p.update(t, func(tx *bbolt.Tx) error {
		r.Data = append([]byte(nil), tx.Bucket([]byte("decisions")).Get([]byte(id))...)
		return nil
	})
	return r
}

func (p *filePlace) Write(t *testing.T, id qredo.ActionID, r trial.Raw) {
	t.Helper()
	p.update(t, func(tx *bbolt.Tx) error { return tx.Bucket([]byte("decisions")).Put([]byte(id), r.Data) })
}

func (p *filePlace) Lower(t *testing.T, counter string) {
	t.Helper()
	key := counterKey(counter)
	p.update(t, func(tx *bbolt.Tx) error {
		last := append([]byte(nil), tx.Bucket([]byte("lasts")).Get(key)...)
		require.EqualValues(t, 60, last[39])
		require.EqualValues(t, 60, last[55])
		last[39], last[55] = 0, 0 // the amount, and the sum
		if err := tx.Bucket([]byte("lasts")).Put(key, last); err != nil {
			return err
		}
		return tx.Bucket([]byte("sums")).Put(last[:32], last[32:])
	})
}

func (p *filePlace) Unmark(t *testing.T) {
	t.Helper()
	p.update(t, func(tx *bbolt.Tx) error { return tx.Bucket([]byte("epoch")).Delete([]byte("seal")) })
}

func (p *filePlace) Move(t *testing.T, from, to string) {
	t.Helper()
	p.update(t, func(tx *bbolt.Tx) error {
		lasts, sums := tx.Bucket([]byte("lasts")), tx.Bucket([]byte("sums"))
		last, old := append([]byte(nil), lasts.Get(counterKey(from))...), append([]byte(nil), lasts.Get(counterKey(to))...)
		copy(last, counterKey(to))
		if err := sums.Delete(old[:32]); err != nil {
			return err
		}
		if err := sums.Put(last[:32], last[32:]); err != nil {
			return err
		}
		return lasts.Put(counterKey(to), last)
	})
}

func counterKey(name string) []byte {
	sum := sha256.Sum256([]byte(name))
	return sum[:16]
}

func TestSealedFile(t *testing.T) {
	trial.TestSeals(t, func(t *testing.T) trial.Place { t.Helper(); return &filePlace{filepath.Join(t.TempDir(), "store.db")} })
	trial.TestStore(t, func(t *testing.T, now func() time.Time) approver.Store {
		t.Helper()
		s, err := approver.OpenStore(filepath.Join(t.TempDir(), "store.db"), approver.WithClock(now), approver.WithSealingKey(sealingKey))
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, s.Close()) })
		return s
	})
}

// The last entry of a counter stands twice. Somebody puts another counter's, with its seal, in the place of one.
func TestTheLastEntryOfAnotherCounter(t *testing.T) {
	p := &filePlace{filepath.Join(t.TempDir(), "store.db")}
	s, end, err := p.Open(t, time.Now, [][]byte{sealingKey}, false)
	require.NoError(t, err)
	spend := func(counter string) []approver.Spend {
		return []approver.Spend{{Counter: counter, Amount: 5, Window: time.Hour, MaxAmount: 9}}
	}
	for id, counter := range map[qredo.ActionID]string{"a": "one", "b": "other"} {
		_, err := s.Reserve(t.Context(), approver.Record{ActionID: id}, spend(counter))
		require.NoError(t, err)
	}
	end()
	p.update(t, func(tx *bbolt.Tx) error {
		lasts := tx.Bucket([]byte("lasts"))
		return lasts.Put(counterKey("one"), append([]byte(nil), lasts.Get(counterKey("other"))...))
	})
	s, end, err = p.Open(t, time.Now, [][]byte{sealingKey}, false)
	require.NoError(t, err)
	defer end()
	_, err = s.Reserve(t.Context(), approver.Record{ActionID: "c"}, spend("one"))
	require.ErrorIs(t, err, approver.ErrUnsealed)
}

// A key of a store does nothing for rules and pins, and is refused there.
func TestRulesHaveNoSealingKey(t *testing.T) {
	_, err := approver.LoadRules("none.yaml", approver.WithSealingKey(sealingKey))
	require.ErrorAs(t, err, new(*qredo.ValidationError))
	_, err = approver.LoadPins("none.json", nil, approver.WithUnsealedAccepted())
	require.ErrorAs(t, err, new(*qredo.ValidationError))
}

// The last decision that the audit log knows was altered in the store: the run ends, until a person has accepted that.
func TestAnAlteredLastDecisionIsALoss(t *testing.T) {
	d := newDesk(t)
	p := &filePlace{filepath.Join(t.TempDir(), "store.db")}
	open := func() (end func()) {
		store, end, err := p.Open(t, d.clock.Now, [][]byte{sealingKey}, false)
		require.NoError(t, err)
		d.store = store
		return end
	}
	end, asked := open(), new(atomic.Int64)
	stop := d.start(decides(approver.Reject, asked))
	d.transfer(1, "")
	result := d.next(approver.EntryResult)
	require.NoError(t, stop())
	end()
	raw := p.Read(t, result.ActionID)
	p.Write(t, result.ActionID, trial.Raw{Data: bytes.Replace(raw.Data, []byte(`"reject"`), []byte(`"approve"`), 1)})

	defer open()()
	lost := (*approver.LostError)(nil)
	require.ErrorAs(t, d.start(decides(approver.Approve, asked))(), &lost)
	assert.Equal(t, result.ActionID, lost.Missing)
	log, err := approver.OpenAuditLog(d.logPath, approver.WithClock(d.clock.Now))
	require.NoError(t, err)
	accepted, err := approver.AcceptLoss(t.Context(), log, d.store, "Bob")
	require.NoError(t, err)
	assert.True(t, accepted)
	require.NoError(t, log.Close())
	stop = d.start(decides(approver.Approve, asked))
	require.NoError(t, stop())
	assert.EqualValues(t, 1, asked.Load())
}

// Two runs look at an action in shadow. Their lines are no decision: a planted approval needs the policy that is in force later.
func TestShadowConfirmsNothing(t *testing.T) {
	d := newDesk(t)
	var asked, live atomic.Int64
	tx := d.transfer(1, "")
	log, err := approver.OpenAuditLog(d.logPath, approver.WithClock(d.clock.Now))
	require.NoError(t, err)
	a, err := approver.New(d.Client, d.Core, decides(approver.Approve, &asked), approver.WithStore(d.store), approver.WithAuditLog(log), approver.WithShadow(),
		approver.WithClock(d.clock.Now), approver.WithObserver(func(e approver.Entry) { d.entries <- e }))
	require.NoError(t, err)
	run := func(do func()) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- a.Run(ctx) }()
		do()
		cancel()
		require.NoError(t, <-done)
	}
	run(func() { d.next(approver.EntryShadow) })
	run(func() {
		assert.Equal(t, approver.Approve, d.next(approver.EntryShadow).Verdict)
		_, err := d.store.Reserve(t.Context(), d.plant(tx), nil)
		require.NoError(t, err)
		require.NoError(t, a.Reload(false, func() (approver.Policy, error) { return decides(approver.Leave, &live), nil }))
		assert.Equal(t, approver.OutcomeLeft, d.next(approver.EntryResult).Outcome)
	})
	assert.EqualValues(t, 1, live.Load())
	assert.Equal(t, qredo.ApprovalPending, d.Action(t, tx).Status)
	require.NoError(t, log.Close())
}
