package approver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/backoff"
)

// waitForStore checks the epoch as soon as the store can be asked: its server may be away for a while, as later in a run. It
// returns nil when ctx ends.
func (a *Approver) waitForStore(ctx context.Context) error {
	var pause time.Duration
	for failed := 1; failed == 1 || backoff.Wait(ctx, pause) == nil; failed++ { // it is asked once in any case
		err := a.checkEpoch(ctx)
		if err == nil || errors.As(err, new(*LostError)) || errors.As(err, new(*stopError)) || hopeless(err) {
			return err
		}
		pause = a.pause(failed, err)
		a.log.Error("approver: the store cannot be asked what it remembers; nothing is decided until it can", "error", err, "pause", pause)
	}
	return nil
}

// checkEpoch holds the store against the audit log, and has the log note the store's epoch if it knows none yet.
func (a *Approver) checkEpoch(ctx context.Context) error {
	if a.audit == nil {
		return nil
	}
	lost, err := compare(ctx, a.audit, a.store)
	switch {
	case err != nil:
		return fmt.Errorf("approver: %w", err)
	case lost != nil && lost.Before != "":
		return fmt.Errorf("approver: %w", lost)
	case lost != nil:
		last, err := a.store.LastSeq(ctx)
		if err != nil {
			return fmt.Errorf("approver: %w", err)
		}
		if err := a.note(Entry{Kind: EntryEpoch, Epoch: lost.Now, StoreSeq: last, Reason: "the first that this log knows"}, true); err != nil {
			return err
		}
	}
	return a.store.begin(ctx)
}

// compare tells what a store has lost of what an audit log knows, or nil.
func compare(ctx context.Context, log *AuditLog, store Store) (*LostError, error) {
	log.mu.Lock()
	epoch, last := log.last.Epoch, log.last.Decided
	log.mu.Unlock()
	now := store.Epoch()
	switch {
	case epoch != now:
		return &LostError{Before: epoch, Now: now}, nil
	case last == decided{} || now == "":
		return nil, nil
	}
	lost := &LostError{Before: epoch, Now: epoch, Missing: last.ActionID}
	reached, err := store.LastSeq(ctx)
	switch {
	case err != nil:
		return nil, err
	case reached < last.Seq:
		lost.Known, lost.Last = last.Seq, reached
		return lost, nil
	case last.ActionID == "", log.now().Sub(last.Time) >= keepRecord: // the record may be gone
		return nil, nil
	}
	rec, found, err := store.Lookup(ctx, last.ActionID)
	if errors.Is(err, ErrUnsealed) { // what stands there is not what was decided
		return lost, nil
	}
	if err != nil || found && (rec.Seq == last.Seq || last.Seq == 0) { // else it was decided again since it was lost
		return nil, err
	}
	return lost, nil
}

// decided is the decision with the largest number that a log knows of an epoch, or of those without numbers the last.
type decided struct {
	ActionID qredo.ActionID `json:"action_id"` // empty if the log knows the number only: what the store had come to with the line of its epoch
	Time     time.Time      `json:"time"`      // of the line
	Seq      int64          `json:"seq,omitzero"`
}

// watchedStore holds a store against the largest number of a decision that this program knows, so that one that is put back to
// an earlier state while it is in use decides nothing more.
type watchedStore struct {
	Store
	known atomic.Int64
}

// begin takes the store for what it is now.
func (s *watchedStore) begin(ctx context.Context) error {
	s.known.Store(0)
	last, err := s.LastSeq(ctx)
	if err != nil {
		return fmt.Errorf("approver: %w", err)
	}
	s.learn(last)
	return nil
}

func (s *watchedStore) learn(seq int64) {
	for known := s.known.Load(); seq > known && !s.known.CompareAndSwap(known, seq); {
		known = s.known.Load()
	}
}

func (s *watchedStore) Lookup(ctx context.Context, id qredo.ActionID) (Record, bool, error) {
	rec, found, err := s.Store.Lookup(ctx, id)
	s.learn(rec.Seq)
	return rec, found, err
}

func (s *watchedStore) Reserve(ctx context.Context, rec Record, spends []Spend) (Record, error) {
	rec.Seq = s.known.Load()
	stands, err := s.Store.Reserve(ctx, rec, spends)
	switch {
	case err != nil:
		return Record{}, err
	case stands.Token == rec.Token && stands.Seq <= rec.Seq: // a store that does not look itself
		return Record{}, &LostError{Before: s.Epoch(), Now: s.Epoch(), Known: rec.Seq, Last: stands.Seq}
	}
	s.learn(stands.Seq)
	return stands, nil
}

// AcceptLoss records in an audit log that a person has accepted a store's loss of data: approvers with that log and store work
// again, and limits count from what the store contains. The line has the number of the store's last decision, so if the store
// is restored to an earlier state again, that is noticed. reason should say who has accepted it, and why. If nothing was lost,
// because the store is the one that the log knows, AcceptLoss returns false and writes nothing.
//
// If a server's epoch is gone, open its store with the option WithLossAccepted of its package, which gives it a new one.
func AcceptLoss(ctx context.Context, log *AuditLog, store Store, reason string) (lost bool, err error) {
	err = cmp.Or(check(log != nil, "audit log", "must not be nil"), check(given(store), "store", "must not be nil"),
		check(reason != "", "reason", "must say who has accepted the loss"))
	if err != nil {
		return false, err
	}
	loss, err := compare(ctx, log, store)
	if err != nil || loss == nil {
		return false, err
	}
	last, err := store.LastSeq(ctx)
	if err != nil {
		return false, fmt.Errorf("approver: %w", err)
	}
	_, err = log.append(Entry{Kind: EntryEpoch, Epoch: store.Epoch(), StoreSeq: last, Reason: reason}, true)
	return true, err
}

// Epoch returns the epoch of the store that belongs to the log, or an empty string if it knows none. See [Store].
func (l *AuditLog) Epoch() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last.Epoch
}
