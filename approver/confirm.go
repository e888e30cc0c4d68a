package approver

import (
	"context"

	"github.com/qredo-go/qredo"
)

// unconfirmed returns why a stored approval is not carried out, or "". Whoever can write to the store could have put it there. So
// this approver must have made it, in this run or by its audit log; or its store must have a seal on it; or the policy must approve
// now. Nothing is counted for that: the spends were, in the same step that stored the decision.
//
// A policy that fails here has not refused: the action is tried again, as long as it can be.
func (r *run) unconfirmed(ctx context.Context, t *task, action qredo.Action) (problem string, err error) {
	switch {
	case t.rec.Verdict != Approve, t.in.shadow, t.confirmed == t.rec.Digest, isSealed(t.in.store):
		return "", nil
	case t.before.Verdict == Approve && t.before.Digest == t.rec.Digest: // the audit log has it
		return "", nil
	}
	d := t.denied
	if d == nil {
		if d, err = r.askAgain(ctx, t, action); err != nil {
			return "", err
		}
	}
	if d.Verdict == Approve {
		t.confirmed = t.rec.Digest
		return "", nil
	}
	problem = "the store has an approval that the audit log does not, and the policy does not approve now"
	if d.Reason != "" {
		problem += ": " + d.Reason
	}
	return problem, nil
}

// askAgain returns what the policy says about an action that is decided. An error means that it has not said anything.
func (r *run) askAgain(ctx context.Context, t *task, action qredo.Action) (*Decision, error) {
	ctx, cancel := r.untilExpiry(ctx, action.Expires.Time)
	defer cancel()
	d, err := r.ask(ctx, t.in, action)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case connectionsIn(ctx).failure() != nil:
		return nil, connectionsIn(ctx).failure()
	}
	return &d, err
}

// isSealed reports whether a store returns only decisions that a program with its sealing key has stored.
func isSealed(s Store) bool {
	if watched, ok := s.(*watchedStore); ok {
		s = watched.Store
	}
	sealed, ok := s.(interface{ Sealed() bool })
	return ok && sealed.Sealed()
}
