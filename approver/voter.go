package approver

import (
	"context"
	"errors"
	"iter"
	"strings"

	"github.com/qredo-go/qredo"
)

// Voter is the source of an [Approver]'s actions, and sends its votes. It is called by several goroutines at once.
//
// Each method does what the method of [qredo.CoreClientsService] with the same name does for one core client, and returns the
// same errors: by these the approver distinguishes a vote that is too late from one that may have been accepted. If a method
// panics, that counts as a temporary failure.
//
// A voter that signs messages, which an action's details do not show, is also a [Binder]. One that never returns details has a
// method
//
//	GivesDetails() bool
//
// that returns false. [New] and [Approver.Reload] then refuse pins, and any policy that needs details. An approver with details
// does not vote on decisions made without them, or the reverse, even if they share a store. If a vote may have been accepted
// and nobody can read the action, its outcome is unknown.
type Voter interface {
	// Feed returns the actions that are pending, then new ones as they arrive.
	Feed(ctx context.Context, opts ...qredo.FeedOption) iter.Seq2[qredo.Action, error]
	// GetAction returns an action with its details, whatever its status. Details may be nil: then only a policy that needs none
	// decides about it ([Policy]).
	GetAction(ctx context.Context, id qredo.ActionID, opts ...qredo.CallOption) (*qredo.Action, error)
	// Approve votes for an action.
	Approve(ctx context.Context, id qredo.ActionID, opts ...qredo.CallOption) error
	// Reject votes against an action.
	Reject(ctx context.Context, id qredo.ActionID, opts ...qredo.CallOption) error
}

// Binder is a [Voter] whose approval signs something. A decision to approve applies to the action's details and the signed
// content together.
type Binder interface {
	Voter
	// Bind returns a digest of what a vote for the action would sign now. It is called after each GetAction whose action is
	// pending and either not decided or to be approved. If it differs from the digest that the decision is based on, no vote is
	// sent; while it fails, nothing is approved.
	Bind(ctx context.Context, a qredo.Action) (digest string, err error)
	// ApproveBound is called instead of Approve, with the digest that the decision is based on. It votes if that is still the
	// digest of what there is to sign, and otherwise returns an error.
	ApproveBound(ctx context.Context, id qredo.ActionID, digest string, opts ...qredo.CallOption) error
}

// WithVoter takes actions from v and votes through it. The client passed to [New] is used for everything else: pins, sweeps,
// and whether an action has expired. Default: the core client's own actions and votes, through that client.
func WithVoter(v Voter) Option {
	return option(func(a *Approver) error { a.voter = v; return check(given(v), "voter", "must not be nil") })
}

// coreVoter is the core client's own calls.
type coreVoter struct {
	calls *qredo.CoreClientsService
	id    qredo.CoreClientID
}

func (v coreVoter) Feed(ctx context.Context, opts ...qredo.FeedOption) iter.Seq2[qredo.Action, error] {
	return v.calls.Feed(ctx, v.id, opts...)
}

func (v coreVoter) GetAction(ctx context.Context, id qredo.ActionID, opts ...qredo.CallOption) (*qredo.Action, error) {
	return v.calls.GetAction(ctx, v.id, id, opts...)
}

func (v coreVoter) Approve(ctx context.Context, id qredo.ActionID, opts ...qredo.CallOption) error {
	return v.calls.Approve(ctx, v.id, id, opts...)
}

func (v coreVoter) Reject(ctx context.Context, id qredo.ActionID, opts ...qredo.CallOption) error {
	return v.calls.Reject(ctx, v.id, id, opts...)
}

// withoutDetails marks the digests of those who know no details: such a decision and one with details hold for different things.
const withoutDetails = "without details "

// errOtherKind is why a decision is not carried out here. It is left to who has made it.
var errOtherKind = errors.New("it was decided with details, and here there are none, or the reverse: approvers that share a store, and runs that " +
	"follow each other, must all have details or none (signingagent.WithClient)")

// look asks the voter for an action. What is answered about another one is an error.
func (a *Approver) look(ctx context.Context, id qredo.ActionID) (*qredo.Action, error) {
	action, err := a.voter.GetAction(ctx, id)
	if err == nil && (action == nil || action.ID != id) {
		return nil, errOtherAction
	}
	return action, err
}

var errOtherAction = errors.New("the voter was asked for an action, and gave another one or none")

// basis is what decisions on an action hold for.
type basis struct {
	kind    string // withoutDetails, or empty
	details string // the digest of the action
	binds   bool   // an approval signs something
	bound   string // what that is
	err     error  // why that is not known
}

// basis looks at what an approval would sign too, if that is asked for.
func (a *Approver) basis(ctx context.Context, action qredo.Action, signs bool) (b basis, err error) {
	if b.details, err = Digest(action); err != nil {
		return b, &hopelessError{err}
	}
	if !a.givesDetails() {
		b.kind = withoutDetails
	}
	binder, binds := a.voter.(Binder)
	if b.binds = binds; binds && signs {
		b.bound, b.err = binder.Bind(ctx, action)
	}
	return b, nil
}

// digest is that of what a decision with this verdict holds for. An approval holds for what it signs too, and cannot be where that is
// not known. Nothing else signs anything.
func (b basis) digest(v Verdict) (string, error) {
	switch {
	case !b.binds || v != Approve:
		return b.kind + b.details, nil
	case b.err != nil:
		return "", b.err
	}
	return b.kind + hashOf([]byte(b.details+" "+b.bound)), nil
}

// sameKind reports whether two digests are of decisions that were both made with details, or both without.
func sameKind(digest, other string) bool {
	return strings.HasPrefix(digest, withoutDetails) == strings.HasPrefix(other, withoutDetails)
}

// givesDetails reports whether the voter may give details.
func (a *Approver) givesDetails() bool {
	says, ok := a.voter.(interface{ GivesDetails() bool })
	return !ok || says.GivesDetails()
}

// vote sends a vote; of one that signs something, what was bound.
func (a *Approver) vote(ctx context.Context, t *task) error {
	if t.rec.Verdict == Reject {
		return a.voter.Reject(ctx, t.id, qredo.WithoutRetry())
	}
	if binder, binds := a.voter.(Binder); binds {
		return binder.ApproveBound(ctx, t.id, t.bound, qredo.WithoutRetry())
	}
	return a.voter.Approve(ctx, t.id, qredo.WithoutRetry())
}
