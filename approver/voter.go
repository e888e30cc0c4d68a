package approver

import (
	"context"
	"iter"

	"github.com/qredo-go/qredo"
)

// Voter is where the actions of an [Approver] come from, and how its votes are sent. It is called by several goroutines at once.
//
// Each method does what that of [qredo.CoreClientsService] of its name does for one core client, with the same errors: by these the
// approver tells a vote that is too late from one that may have been taken. A method that panics has failed for the moment.
//
// A voter that signs messages, of which an action's details tell nothing, has a method
//
//	Bind(ctx context.Context, a qredo.Action) (string, error)
//
// beside these. It returns a digest of what a vote for the action would sign now. A decision holds for the details and that
// digest together: if either is another later, no vote is sent. Bind is called after each GetAction whose action is
// pending; that Approve signs what Bind has seen last is the voter's matter.
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

// digest is that of what a decision on an action holds for.
func (a *Approver) digest(ctx context.Context, action qredo.Action) (string, error) {
	digest, err := Digest(action)
	if err != nil {
		return "", &hopelessError{err}
	}
	binder, ok := a.voter.(interface {
		Bind(ctx context.Context, a qredo.Action) (string, error)
	})
	if !ok {
		return digest, nil
	}
	bound, err := binder.Bind(ctx, action)
	if err != nil {
		return "", err
	}
	return hashOf([]byte(digest + " " + bound)), nil
}
