package signingagent

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"sync"

	"github.com/qredo-go/qredo"
)

// voter is an agent as the source and voter of one approver.
type voter struct {
	*Agent

	mu      sync.Mutex
	known   map[qredo.ActionID]known
	sweepAt int
}

// known is what an approver's decision on an action is based on, besides its details.
type known struct {
	told   qredo.Action // from the feed, for an agent that cannot be asked for it
	digest string       // of the messages that Bind last saw; empty if there were none
	voted  bool         // a vote of this agent was accepted, or may have been
	over   bool         // a vote was refused because the action is not pending
}

// ended is the status of an action whose messages are gone. How it ended is unknown.
const ended qredo.ApprovalStatus = "ended"

// errNotTold is why an action cannot be looked up if only the feed reports it.
var errNotTold = errors.New("signingagent: the feed has not reported the action yet")

// GivesDetails reports whether there is a client that knows details.
func (v *voter) GivesDetails() bool { return v.rsa != nil }

// Feed yields the agent's actions, and keeps what it says about them.
func (v *voter) Feed(ctx context.Context, opts ...qredo.FeedOption) iter.Seq2[qredo.Action, error] {
	return func(yield func(qredo.Action, error) bool) {
		for action, err := range v.Agent.Feed(ctx, opts...) {
			if err == nil && v.rsa == nil {
				v.keep(action.ID, func(k *known) {
					// Other fields, such as a time, may differ when the action is reported again.
					k.told = qredo.Action{ID: action.ID, CoreClientID: v.ID(), Type: action.Type, Status: action.Status, Expires: action.Expires}
					k.over = false
				})
			}
			if !yield(action, err) {
				return
			}
		}
	}
}

// GetAction returns an action with its details or, if nobody provides them, as the feed reported it.
func (v *voter) GetAction(ctx context.Context, id qredo.ActionID, opts ...qredo.CallOption) (*qredo.Action, error) {
	if v.rsa != nil {
		return v.Agent.GetAction(ctx, id, opts...)
	}
	_, err := v.messages(ctx, id, opts...)
	k := v.keep(id, func(*known) {})
	switch {
	// Before a vote, missing messages do not mean that an action has ended: they may come later, like its details.
	case k.over, k.voted && notPending(err), notPending(err) && errors.Is(err, qredo.ErrConflict):
		return &qredo.Action{ID: id, CoreClientID: v.ID(), Status: ended}, nil
	case err != nil && !errors.Is(err, ErrBadMessages): // with details it can be rejected
		return nil, err
	case k.told.ID == "":
		return nil, errNotTold
	}
	return &k.told, nil
}

// Bind returns the digest of the messages to be signed now. After a vote they may be gone while the action is still
// pending until others have voted: then it returns the earlier digest.
func (v *voter) Bind(ctx context.Context, a qredo.Action) (string, error) {
	messages, err := v.messages(ctx, a.ID)
	if err != nil {
		if before := v.keep(a.ID, func(*known) {}).digest; before != "" && notPending(err) {
			return before, nil
		}
		return "", err
	}
	return v.keep(a.ID, func(k *known) { k.digest, k.told.Expires = digestOf(messages), a.Expires }).digest, nil
}

// ApproveBound signs and sends the messages to be signed now, if their digest is the one that was decided on.
func (v *voter) ApproveBound(ctx context.Context, id qredo.ActionID, digest string, opts ...qredo.CallOption) error {
	messages, err := v.messages(ctx, id, opts...)
	if err != nil {
		return err
	}
	if digest != digestOf(messages) {
		return fmt.Errorf("%w: action %s", ErrMessagesChanged, id)
	}
	return v.noted(id, v.sign(ctx, id, messages, opts...))
}

// Reject rejects an action.
func (v *voter) Reject(ctx context.Context, id qredo.ActionID, opts ...qredo.CallOption) error {
	return v.noted(id, v.Agent.Reject(ctx, id, opts...))
}

// noted keeps what a vote has shown: that it may have been accepted, or that the action is not pending although there may
// still be messages. A service may refuse a vote it has already accepted in the same way as a wrong one.
func (v *voter) noted(id qredo.ActionID, err error) error {
	v.keep(id, func(k *known) {
		switch refused := notPending(err); {
		case refused && (k.voted || errors.Is(err, qredo.ErrConflict)):
			k.over = true
		case err == nil, errors.Is(err, qredo.ErrOutcomeUnknown) && !refused:
			k.voted = true
		}
	})
	return err
}

// keep changes what is known about an action, and returns it. If there is too much, expired actions are removed.
func (v *voter) keep(id qredo.ActionID, change func(*known)) known {
	v.mu.Lock()
	defer v.mu.Unlock()
	k := v.known[id]
	change(&k)
	v.known[id] = k
	const few = 8192
	if len(v.known) > max(v.sweepAt, few) {
		maps.DeleteFunc(v.known, func(other qredo.ActionID, k known) bool { return other != id && v.client.Expired(k.told.Expires) })
		v.sweepAt = 2 * len(v.known)
	}
	return k
}

// notPending reports whether the service itself refused because an action is not pending.
func notPending(err error) bool {
	if refusal := (*qredo.Error)(nil); !errors.As(err, &refusal) || !refusal.InOwnWords() {
		return false
	}
	return errors.Is(err, qredo.ErrNotFound) || errors.Is(err, qredo.ErrConflict) || errors.Is(err, qredo.ErrBadRequest)
}
