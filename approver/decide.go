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

var errTooLate = errors.New("the action expired before it was dealt with")

// untilExpiry ends ctx when an action expires, by the client's clock.
func (a *Approver) untilExpiry(ctx context.Context, expires time.Time) (context.Context, context.CancelFunc) {
	if expires.IsZero() {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, a.client.Until(qredo.TimeOf(expires)), errTooLate)
}

// decide asks the policy and stores what it says, together with what that spends. Where another replica
// was first, its decision stands. Nothing is stored after the action has expired, or if something else is in force by then.
func (r *run) decide(ctx context.Context, t *task, action qredo.Action, holds basis) (Record, EntryKind, error) {
	in := t.in
	ctx, cancel := r.untilExpiry(ctx, action.Expires.Time)
	defer cancel()
	d, err := r.ask(ctx, in, action)
	switch {
	case ctx.Err() != nil: // the policy may have failed for this
		return Record{}, "", context.Cause(ctx)
	case connectionsIn(ctx).failure() != nil: // or decided without
		return Record{}, "", connectionsIn(ctx).failure()
	case err != nil:
		r.log.ErrorContext(ctx, "approver: the policy failed, the action is left to humans", "action", action.ID, "rule", d.Rule, "error", err)
	}
	if d, err = r.asPinned(ctx, in, action, d); err != nil {
		return Record{}, "", err
	}
	digest, err := holds.digest(d.Verdict)
	if err != nil {
		return Record{}, "", err
	}
	if t.denied = nil; d.Verdict != Approve {
		t.denied = &d
	}
	rec := Record{
		ActionID: action.ID, Digest: digest, PolicyHash: in.policyHash, Verdict: d.Verdict, Rule: d.Rule, Reason: d.Reason,
		Decided: r.now().UTC(), Expires: action.Expires.Time, Token: rand.Text(),
	}
	if rec.Expires.Year() > 9999 { // which JSON does not take for a time
		rec.Expires = time.Time{}
	}
	var stands Record
	err = r.while(in, func() (err error) {
		stands, err = in.store.Reserve(ctx, rec, d.Spends)
		if over := (*OverLimitError)(nil); errors.As(err, &over) {
			rec.Verdict, rec.Reason = d.OverLimit, over.Error()
			if rec.Digest, err = holds.digest(rec.Verdict); err != nil {
				return err
			}
			stands, err = in.store.Reserve(ctx, rec, nil)
		}
		return err
	})
	if d.Verdict == Approve && (rec.Verdict == Approve || stands.Token != rec.Token) { // the policy has approved, and no limit was in the way here
		t.confirmed = digest
	}
	switch {
	case err != nil:
		return Record{}, "", err
	case in.shadow:
		return stands, EntryShadow, nil
	case stands.Token != rec.Token, stands.Verdict != rec.Verdict: // another replica was first, or the store says something else than it was told
		return stands, EntryRepeat, nil
	}
	return stands, EntryDecision, nil
}

// ask returns the policy's decision. One that failed, and why is the error, has decided to leave the action
// to humans.
func (a *Approver) ask(ctx context.Context, in setup, action qredo.Action) (Decision, error) {
	if action.Details != nil {
		if err := contradiction(action); err != nil {
			return Decision{Verdict: Leave, Reason: err.Error()}, nil
		}
	} else if _, needsNone := in.policy.(interface{ NeedsNoDetails() }); !needsNone {
		return Decision{Verdict: Leave, Reason: "the service gave no details"}, nil
	}
	limited, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	d, err := guarded(limited, func() (Decision, error) {
		d, err := in.policy.Decide(limited, action)
		if err == nil {
			err = d.check()
		}
		if err != nil {
			err = fmt.Errorf("%w", err) // an error whose text panics has failed here, and nowhere else
		}
		return d, err
	}, nil)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("it had not decided after %s", a.timeout)
	}
	if err != nil {
		return failed(d.Rule, err), err
	}
	d.Verdict, d.OverLimit = cmp.Or(d.Verdict, Leave), cmp.Or(d.OverLimit, Leave)
	return asNamed(ctx, action, d), nil
}

// claim takes an action, in no more time than a policy has. A claim that comes later is given back.
func (a *Approver) claim(ctx context.Context, c Coordinator, t *task) (held context.Context, release func(), err error) {
	limit := a.timeout
	if !t.expires.IsZero() && !a.expired(t.expires) {
		limit = min(limit, a.client.Until(qredo.TimeOf(t.expires)))
	}
	// The claim's context lives as long as the claim: only what does not come is ended.
	claiming, cancel := context.WithCancelCause(ctx)
	slow := time.AfterFunc(limit, func() { cancel(fmt.Errorf("the action was not claimed within %s", limit)) })
	type claim struct {
		held    context.Context
		release func()
	}
	claimed, err := guarded(claiming, func() (claim, error) {
		held, release, err := c.Claim(claiming, t.id)
		return claim{held, release}, err
	}, func(late claim) { late.release() })
	if !slow.Stop() && err == nil { // just then
		claimed.release()
		err = context.Cause(claiming)
	}
	if err != nil {
		cancel(nil)
		return nil, nil, err
	}
	return claimed.held, func() { claimed.release(); cancel(nil) }, nil
}
