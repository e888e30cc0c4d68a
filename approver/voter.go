package approver

import (
	"context"
	"errors"
	"iter"
	"strings"

	"github.com/qredo-go/qredo"
)

// Voter is where the actions of an [Approver] come from, and how its votes are sent. It is called by several goroutines at once.
//
// Each method does what that of [qredo.CoreClientsService] of its name does for one core client, with the same errors: by these the
// approver tells a vote that is too late from one that may have been taken. A method that panics has failed for the moment.
//
// A voter that signs messages, of which an action's details tell nothing, is a [Binder] too. One that never gives details has a method
//
//	GivesDetails() bool
//
// that returns false. Then [New] and [Approver.Reload] refuse pins, and a policy that needs details. What it has decided no
// approver with details votes on, nor the reverse, although they share a store. What became of a vote that may have been taken, and that nobody
// can look at, is unknown then.
type Voter interface {
	// Feed gives the actions that are pending, then new ones as they come.
	Feed(ctx context.Context, opts ...qredo.FeedOption) iter.Seq2[qredo.Action, error]
	// GetAction returns an action with its details, in whatever status it is. Details may be nil: only a policy that needs none
	// decides about it ([Policy]).
	GetAction(ctx context.Context, id qredo.ActionID, opts ...qredo.CallOption) (*qredo.Action, error)
	// Approve votes for an action.
	Approve(ctx context.Context, id qredo.ActionID, opts ...qredo.CallOption) error
	// Reject votes against an action.
	Reject(ctx context.Context, id qredo.ActionID, opts ...qredo.CallOption) error
}

// Binder is a [Voter] whose approval signs something. The decision to approve holds for an action's details and for that together.
type Binder interface {
	Voter
	// Bind returns a digest of what a vote for the action would sign now. It is called after each GetAction whose action is
	// pending and not decided, or to be approved. If it is another than the decision was made on, no vote is sent; while it fails, nothing is
	// approved.
	Bind(ctx context.Context, a qredo.Action) (digest string, err error)
	// ApproveBound is called in place of Approve, with the digest that the decision was made on. It votes if that is still the digest of
	// what there is to sign, and else it is an error.
	ApproveBound(ctx context.Context, id qredo.ActionID, digest string, opts ...qredo.CallOption) error
}

// WithVoter takes actions from v and votes through it. The client that [New] is given asks for the rest: pins, sweeps, and
// when an action has expired. Unless given, actions and votes are the core client's own, through that client.
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
