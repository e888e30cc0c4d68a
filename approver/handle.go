package approver

import (
	"context"
	"errors"

	"github.com/qredo-go/qredo"
)

// handle brings one action as far as it can: claim it, see whether it is decided, look at it, decide,
// write that down, carry it out, write that down. An error means that something is left to do.
//
// It can stop at any point, and another replica or the next run goes on from there. The order makes that
// safe: the decision and what it spends are stored in one step, which only the first replica can make,
// before the audit log is written, and that is on the disk before the vote is sent. Sending a vote again
// is harmless, since the service counts one.
func (r *run) handle(ctx context.Context, t *task) (err error) {
	defer func() {
		if p := recover(); p != nil { // of a store or a coordinator
			err = panicked(p)
		}
	}()
	for {
		if err := r.handleOnce(ctx, t); !errors.Is(err, errReloaded) {
			return err
		}
	}
}

// handleOnce is handle by what is in force at its beginning. If it is that no more when something is to be stored or sent,
// nothing is, and the error is errReloaded.
func (r *run) handleOnce(ctx context.Context, t *task) error {
	in := r.current()
	if t.in.shadow != in.shadow { // what an attempt has noted in the one does not count in the other
		*t = task{id: t.id, expires: t.expires, end: t.end}
	}
	t.in, t.undecided, t.denied = in, false, nil
	t.before, t.told = r.opened(t.id)
	if in.coordinator == nil {
		return r.proceed(ctx, t)
	}
	held, release, err := r.claim(ctx, in.coordinator, t)
	if err != nil {
		return err
	}
	defer release()
	return r.proceed(held, t)
}

// proceed is handle for an action that is claimed.
func (r *run) proceed(ctx context.Context, t *task) error {
	rec, decided, err := t.in.store.Lookup(ctx, t.id)
	if err != nil {
		return err
	}
	if t.undecided = !decided; decided {
		t.rec = rec
		if !rec.Expires.IsZero() {
			t.expires = rec.Expires
		}
	}
	if rec.Outcome.final() { // nothing is left to do, but to tell if this replica, or a run of it before this one, has begun
		if !t.logged && !t.told {
			return nil
		}
		return r.finish(ctx, t, rec.Outcome, "found out before, or by another replica")
	}
	action, err := r.look(ctx, t.id)
	if err != nil {
		return err
	}
	if t.connected == nil || t.connected.failure() != nil {
		t.connected = r.connections()
	}
	ctx = t.connected.known(ctx)
	t.expires, t.about = action.Expires.Time, aboutOf(action)
	t.about.Sweep = t.connected.found(*action)
	if outcome := r.over(action); outcome != "" {
		reason := "the action is " + string(action.Status)
		if outcome == OutcomeExpired && !r.givesDetails() { // its status is what it was when somebody told of it
			reason = "the action has expired"
		}
		return r.finish(ctx, t, outcome, reason)
	}
	holds, err := r.basis(ctx, *action, !decided || rec.Verdict == Approve)
	if err != nil {
		return err
	}
	kind := EntryRepeat
	if t.in.shadow { // no later run may take that for its own decision
		kind = EntryShadow
	}
	if !decided {
		if t.rec, kind, err = r.decide(ctx, t, *action, holds); err != nil {
			return err
		}
		t.about.Sweep = t.connected.found(*action)
	}
	t.own = t.own || kind == EntryDecision
	t.mayStand = t.mayStand || !t.own
	digest, err := holds.digest(t.rec.Verdict)
	if err != nil {
		return err
	}
	if !sameKind(t.rec.Digest, digest) {
		t.undecided = false
		return &hopelessError{errOtherKind}
	}
	if t.bound = holds.bound; t.rec.Digest != digest { // it was decided before, or by another replica
		return r.finish(ctx, t, OutcomeChanged, "the details are not those that were decided on; no vote is sent on them")
	}
	if decided || kind == EntryRepeat { // the pins may be others since, or what they are about; another replica may have others
		inTime, cancel := r.untilExpiry(ctx, action.Expires.Time)
		problem, err := r.unpinned(inTime, t.in, *action, t.rec.Verdict)
		cancel()
		if err != nil {
			return err
		}
		if problem != "" {
			return r.finish(ctx, t, OutcomeLeft, problem)
		}
		// The store is left alone: the replica that has made the decision carries it out.
		if problem, err = r.unconfirmed(ctx, t, *action); err != nil {
			return err
		}
		if problem != "" {
			return r.result(t, OutcomeLeft, problem)
		}
	}
	if !t.logged {
		if err := r.note(t.entry(kind), true); err != nil {
			return err
		}
		t.logged = true
	}
	if t.in.shadow {
		r.park(t)
		return nil
	}
	return r.carryOut(ctx, t)
}

// over tells whether it is too late to vote.
func (r *run) over(action *qredo.Action) (outcome Outcome) {
	switch {
	case action.Status == qredo.ApprovalExpired || action.Status == qredo.ApprovalPending && r.expired(action.Expires.Time):
		return OutcomeExpired
	case action.Status != qredo.ApprovalPending:
		return OutcomeEnded
	}
	return ""
}

// carryOut sends the vote, if there is one, and writes down what came of it. A vote that is refused says nothing for
// good: the action may have ended by a vote of this approver's whose answer was lost, or the vote may be taken the next
// time. The next attempt looks at the action.
//
// Nor does the first success, which names no action: it may be the answer to another request. The action is looked at, and
// if it is pending still, the vote is sent once more. Then it counts as sent, whatever the action says: a service may show
// it as pending until others have voted too, and refuse what it has taken.
func (r *run) carryOut(ctx context.Context, t *task) error {
	if t.rec.Verdict != Approve && t.rec.Verdict != Reject {
		return r.finish(ctx, t, OutcomeLeft, "")
	}
	if r.expired(t.rec.Expires) {
		return r.finish(ctx, t, OutcomeExpired, "the action has expired")
	}
	inTime, cancel := r.untilExpiry(ctx, t.rec.Expires)
	defer cancel()
	before := t.mayStand
	t.mayStand = true // also if the voter panics
	err := r.while(t.in, func() error { return r.vote(inTime, t) })
	if err != nil && !errors.Is(err, qredo.ErrOutcomeUnknown) {
		t.mayStand = before
	}
	switch {
	case errors.Is(err, errReloaded):
		return err
	case err == nil && !t.accepted:
		t.accepted = true
		return r.proceed(ctx, t)
	case err == nil, t.accepted && notPending(err):
		return r.finish(ctx, t, OutcomeSent, "")
	}
	t.refused = nil
	if errors.As(err, new(*qredo.Error)) && !errors.Is(err, qredo.ErrOutcomeUnknown) {
		t.refused = err
	}
	return err
}

// finish notes that nothing is left to do about an action. Where another replica has found out what became of it,
// that stands, and what this one found goes into its own log.
func (r *run) finish(ctx context.Context, t *task, outcome Outcome, reason string) error {
	switch {
	case t.accepted && outcome == OutcomeChanged:
		outcome, reason = OutcomeSent, "the details are not those any more that were voted on"
	case t.accepted:
		outcome = OutcomeSent
	case outcome == OutcomeExpired && t.mayStand && (t.rec.Verdict == Approve || t.rec.Verdict == Reject) && !r.givesDetails():
		// Nobody can look. The store is left alone, as in giveUp.
		return r.result(t, OutcomeUnknown, reason+"; a vote may have been taken before, and what became of it cannot be looked at")
	case outcome == OutcomeExpired && t.refused != nil:
		outcome, reason = OutcomeRefused, t.refused.Error()
	}
	if t.rec.Verdict != "" && !t.rec.Outcome.final() && t.rec.Outcome != outcome {
		if err := t.in.store.Finish(ctx, t.id, outcome); err != nil {
			return err
		}
	}
	return r.result(t, outcome, reason)
}

// giveUp notes why an action cannot be brought to its end. The store is left alone: it may be what fails, and another
// replica may know more.
func (r *run) giveUp(ctx context.Context, t *task, why error) {
	// An attempt before this one, here or by another replica, may have sent the vote and lost the answer.
	outcome, reason := OutcomeUnknown, "the action cannot be looked at, a vote may have been sent before: "
	switch {
	case t.accepted:
		outcome, reason = OutcomeSent, "the action cannot be looked at after the vote: "
	case t.rec.Verdict == "" && t.before.voted(): // by a run before this one, whose decision the store does not have any more
	case t.rec.Verdict == Leave, t.undecided && hopeless(why), errors.Is(why, ErrUnsealed) && !t.mayStand:
		outcome, reason = OutcomeLeft, "the action cannot be handled: "
	case t.undecided:
		outcome, reason = OutcomeExpired, "the action expired before it could be handled: "
	}
	r.log.ErrorContext(ctx, "approver: an action is given up", "action", t.id, "outcome", outcome, "error", why)
	if err := r.result(t, outcome, reason+why.Error()); err != nil {
		r.stop(err)
	}
}

// result writes down what became of an action.
func (r *run) result(t *task, outcome Outcome, reason string) error {
	e := t.entry(EntryResult)
	if t.in.shadow {
		e.Kind = EntryShadow
	}
	if before := t.before; e.Verdict == "" { // the log knows more than the store
		e.Digest, e.PolicyHash, e.Verdict, e.Rule = before.Digest, before.PolicyHash, before.Verdict, before.Rule
	}
	e.Outcome, e.Reason = outcome, reason
	t.outcome = outcome
	return t.end.reached(func() error { return r.note(e, false) })
}

func (t *task) entry(kind EntryKind) Entry {
	e := Entry{
		Kind: kind, ActionID: t.id, Digest: t.rec.Digest, PolicyHash: t.rec.PolicyHash, PinsHash: t.in.pins.Hash(),
		Verdict: t.rec.Verdict, Rule: t.rec.Rule, Reason: t.rec.Reason, About: t.about,
	}
	if kind == EntryDecision || kind == EntryRepeat {
		e.StoreSeq = t.rec.Seq
	}
	return e
}

// note writes an entry to the audit log. Without a log that can be written, nothing goes on.
func (a *Approver) note(e Entry, durable bool) error {
	e.Replica, e.Time = a.replica, a.now().UTC()
	if a.audit != nil {
		var err error
		if e, err = a.audit.append(e, durable); err != nil {
			return &stopError{err}
		}
	}
	a.log.Info("approver", "kind", e.Kind, "action", e.ActionID, "verdict", e.Verdict, "rule", e.Rule, "outcome", e.Outcome)
	a.observer.tell(e)
	return nil
}
