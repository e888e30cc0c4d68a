package approver

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/qredo-go/qredo"
)

// handle brings one action as far as it can: claim it, see whether it is decided, look at it, decide,
// write that down, carry it out, write that down. An error means that something is left to do.
//
// It can stop at any point, and another replica or the next run goes on from there. The order makes that
// safe: the decision and what it spends are stored in one step, which only the first replica can make,
// before the audit log is written, and that is on the disk before the vote is sent. Sending a vote again
// is harmless, since the service counts one.
func (r *run) handle(ctx context.Context, t *task) error {
	if r.coordinator == nil {
		return r.proceed(ctx, t)
	}
	held, release, err := r.coordinator.Claim(ctx, t.id)
	if err != nil {
		return err
	}
	defer release()
	return r.proceed(held, t)
}

// proceed is handle for an action that is claimed.
func (r *run) proceed(ctx context.Context, t *task) error {
	rec, decided, err := r.store.Lookup(ctx, t.id)
	if err != nil {
		return err
	}
	if rec.Outcome != "" && t.refused == nil { // nothing is left to do
		return nil
	}
	action, err := r.client.CoreClients.GetAction(ctx, r.id, t.id)
	gone := err != nil && decided && (hopeless(err) || expired(rec.Expires, r.now()))
	switch {
	case gone && rec.Verdict == Leave: // no vote was ever sent
		return r.finish(ctx, rec, OutcomeLeft, err.Error())
	case gone:
		// An attempt before this one, here or by another replica, may have sent the vote and lost the answer.
		return r.finish(ctx, rec, OutcomeUnknown, "the action cannot be looked at, a vote may have been sent before: "+err.Error())
	case err != nil:
		return err
	}
	if action.ID != t.id {
		return &hopelessError{fmt.Errorf("asked for action %s, the service gave %s", t.id, action.ID)}
	}
	t.expires = action.Expires.Time
	if outcome := r.over(action); outcome != "" {
		if !decided {
			return nil // nobody needs a decision any more
		}
		return r.finish(ctx, rec, outcome, "the action is "+string(action.Status))
	}
	if t.refused != nil {
		r.log.ErrorContext(ctx, "approver: the service refuses the vote", "action", rec.ActionID, "verdict", rec.Verdict, "error", t.refused)
		return r.finish(ctx, rec, OutcomeRefused, t.refused.Error())
	}
	digest, err := Digest(*action)
	if err != nil {
		return &hopelessError{err}
	}
	if decided && digest != rec.Digest {
		return r.finish(ctx, rec, OutcomeChanged, "the details are not those that were decided on; the vote is held back")
	}
	kind := EntryRepeat
	if !decided {
		if rec, kind, err = r.decide(ctx, *action, digest); err != nil {
			return err
		}
	}
	if !t.logged {
		if err := r.note(entryOf(kind, rec), true); err != nil {
			return err
		}
		t.logged = true
	}
	if r.shadow {
		return nil
	}
	return r.carryOut(ctx, t, rec)
}

// over tells whether it is too late to vote.
func (r *run) over(action *qredo.Action) (outcome Outcome) {
	switch {
	case action.Status == qredo.ApprovalExpired || action.Status == qredo.ApprovalPending && expired(action.Expires.Time, r.now()):
		return OutcomeExpired
	case action.Status != qredo.ApprovalPending:
		return OutcomeEnded
	}
	return ""
}

// decide asks the policy and stores what it says, together with what that spends. Where another replica
// was first, its decision stands.
func (r *run) decide(ctx context.Context, action qredo.Action, digest string) (Record, EntryKind, error) {
	d, err := r.ask(ctx, action)
	switch {
	case ctx.Err() != nil: // the policy may have failed for this
		return Record{}, "", ctx.Err()
	case err != nil:
		r.log.ErrorContext(ctx, "approver: the policy failed, the action is left to humans", "action", action.ID, "rule", d.Rule, "error", err)
	}
	rec := Record{
		ActionID: action.ID, Digest: digest, PolicyHash: r.policyHash, Verdict: d.Verdict, Rule: d.Rule, Reason: d.Reason,
		Decided: r.now().UTC(), Expires: action.Expires.Time, Token: rand.Text(),
	}
	if rec.Expires.Year() > 9999 { // which JSON does not take for a time
		rec.Expires = time.Time{}
	}
	stands, err := r.store.Reserve(ctx, rec, d.Spends)
	if over := (*OverLimitError)(nil); errors.As(err, &over) {
		rec.Verdict, rec.Reason = d.OverLimit, over.Error()
		stands, err = r.store.Reserve(ctx, rec, nil)
	}
	switch {
	case err != nil:
		return Record{}, "", err
	case r.shadow:
		return stands, EntryShadow, nil
	case stands.Token != rec.Token:
		return stands, EntryRepeat, nil
	}
	return stands, EntryDecision, nil
}

// ask returns the policy's decision. One that failed, and why is the error, has decided to leave the action
// to humans.
func (a *Approver) ask(ctx context.Context, action qredo.Action) (Decision, error) {
	if action.Details == nil {
		return Decision{Verdict: Leave, Reason: "the service gave no details"}, nil
	}
	d, err := a.policy.Decide(ctx, action)
	if err == nil {
		err = d.check()
	}
	if err != nil {
		return failed(d.Rule, err), err
	}
	d.Verdict, d.OverLimit = cmp.Or(d.Verdict, Leave), cmp.Or(d.OverLimit, Leave)
	return d, nil
}

// carryOut sends the vote, if there is one, and writes down what came of it. A vote that is refused says nothing
// yet: the action may have ended between the look at it and the vote, by a vote of this approver's whose answer was
// lost. It is looked at once more.
func (r *run) carryOut(ctx context.Context, t *task, rec Record) error {
	send := map[Verdict]func(context.Context, qredo.CoreClientID, qredo.ActionID, ...qredo.CallOption) error{
		Approve: r.client.CoreClients.Approve, Reject: r.client.CoreClients.Reject,
	}[rec.Verdict]
	if send == nil {
		return r.finish(ctx, rec, OutcomeLeft, "")
	}
	if expired(rec.Expires, r.now()) {
		return r.finish(ctx, rec, OutcomeExpired, "")
	}
	inTime := ctx
	if !rec.Expires.IsZero() {
		var cancel context.CancelFunc
		inTime, cancel = context.WithTimeout(ctx, rec.Expires.Sub(r.now()))
		defer cancel()
	}
	err := send(inTime, r.id, rec.ActionID, qredo.WithoutRetry())
	switch {
	case err == nil:
		return r.finish(ctx, rec, OutcomeSent, "")
	case hopeless(err):
		t.refused = err
		return r.proceed(ctx, t)
	}
	return err
}

// finish notes that nothing is left to do about a decision. Where another replica has found out what became of it,
// that stands, and what this one found goes into its own log.
func (r *run) finish(ctx context.Context, rec Record, outcome Outcome, reason string) error {
	if rec.Outcome == "" {
		if err := r.store.Finish(ctx, rec.ActionID, outcome); err != nil {
			return err
		}
	}
	e := entryOf(EntryResult, rec)
	e.Outcome, e.Reason = outcome, reason
	return r.note(e, false)
}

func entryOf(kind EntryKind, rec Record) Entry {
	return Entry{
		Kind: kind, ActionID: rec.ActionID, Digest: rec.Digest, PolicyHash: rec.PolicyHash,
		Verdict: rec.Verdict, Rule: rec.Rule, Reason: rec.Reason,
	}
}

// note writes an entry to the audit log. Without a log that can be written, nothing goes on.
func (r *run) note(e Entry, durable bool) error {
	e.Replica, e.Time = r.replica, r.now().UTC()
	if r.audit != nil {
		var err error
		if e, err = r.audit.append(e, durable); err != nil {
			return &stopError{err}
		}
	}
	r.log.Info("approver", "kind", e.Kind, "action", e.ActionID, "verdict", e.Verdict, "rule", e.Rule, "outcome", e.Outcome)
	r.observe(e)
	return nil
}
