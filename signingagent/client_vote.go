package signingagent

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/path"
)

// Approve has the agent approve an action, once: a vote is sent again only if the agent cannot have received it.
//
// Without [WithServiceClient], nil is only the agent's word. If several old programs share one Redis, they may say that they
// have approved although nothing was done: when a vote on this action has failed within the last six seconds, at this agent or
// another, and when another agent has rejected it within that time. The old program also says so for an action that has nothing
// to sign. If it matters, read the action ([qredo.CoreClientsService.GetAction]).
//
// With [WithServiceClient], the action is read after each vote that was accepted or may have been, and nil means that the
// service has it as approved, perhaps by another's vote if replicas of the agent decide too. Anything else is a [*VoteError].
//
// Errors of the service reach the client with status 500; [*AgentError] distinguishes them. A vote whose answer was lost
// matches [qredo.ErrOutcomeUnknown]. A vote that the service refuses does not, since the service accepts the same vote again as
// it did the first time: [qredo.ErrNotFound] means that there is no such action, and [qredo.ErrConflict] that it was decided
// otherwise, or has ended.
//
// API: PUT /client/action/{action_id}
func (c *Client) Approve(ctx context.Context, id qredo.ActionID, opts ...qredo.CallOption) error {
	return c.vote(ctx, http.MethodPut, id, qredo.ApprovalApproved, opts)
}

// Reject has the agent reject an action. The meaning of nil, and the errors, are as for [Client.Approve]: the old program says
// that it has rejected what another agent has approved within the last six seconds.
//
// API: DELETE /client/action/{action_id}
func (c *Client) Reject(ctx context.Context, id qredo.ActionID, opts ...qredo.CallOption) error {
	return c.vote(ctx, http.MethodDelete, id, qredo.ApprovalRejected, opts)
}

// VoteError means that a vote was cast, according to the agent, or may have been, but the service does not show the action as
// decided that way. If the service shows it decided otherwise, [errors.Is] finds [qredo.ErrConflict]. If it is pending, or
// cannot be read, it finds [qredo.ErrOutcomeUnknown]: the vote may be on its way, may be one of several that are needed, or was
// never cast. Look again before you vote again; with the old program that only helps after six seconds. It never finds both:
// once the service has been asked, what the agent said earlier is only in Err and in the text.
type VoteError struct {
	ActionID qredo.ActionID
	Wanted   qredo.ApprovalStatus // approved or rejected
	Found    qredo.ApprovalStatus // the service's status; empty if it could not be asked
	Err      error                // why the vote failed, if it did, or why the service could not be asked
}

// Error gives the wanted and the actual status.
func (e *VoteError) Error() string {
	text := fmt.Sprintf("signingagent: action %s should be %s, and the service has it as %s", e.ActionID, e.Wanted, e.Found)
	if e.Found == "" {
		text = fmt.Sprintf("signingagent: the agent says that action %s is %s, and asking the service failed", e.ActionID, e.Wanted)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Is reports whether target is [qredo.ErrConflict], if the action is decided otherwise, or [qredo.ErrOutcomeUnknown], if it is
// not decided as far as is known, or matches the reason why the service could not be asked.
func (e *VoteError) Is(target error) bool {
	open := e.Found == "" || e.Found == qredo.ApprovalPending
	switch target {
	case qredo.ErrOutcomeUnknown:
		return open
	case qredo.ErrConflict:
		return !open
	}
	return e.Found == "" && errors.Is(e.Err, target)
}

// As finds the reason why the service could not be asked.
func (e *VoteError) As(target any) bool { return e.Found == "" && errors.As(e.Err, target) }

func (c *Client) vote(ctx context.Context, method string, id qredo.ActionID, wanted qredo.ApprovalStatus, opts []qredo.CallOption) error {
	const template = "/client/action/{action_id}"
	expanded, problem := path.Expand(template, []string{string(id)})
	if problem != nil {
		return invalid(problem.Field, "%s", problem.Rule)
	}
	var said struct {
		ActionID qredo.ActionID       `json:"actionID" required:"true"`
		Status   qredo.ApprovalStatus `json:"status" required:"true"`
	}
	err := c.call(ctx, local{method: method, name: template, path: expanded, check: func() error {
		if said.ActionID != id || said.Status != wanted {
			return fmt.Errorf("asked for %s to be %s, the answer is that %s is %s", id, wanted, oneLine(string(said.ActionID)), oneLine(string(said.Status)))
		}
		return nil
	}}, &said, opts)
	var refused *qredo.Error // according to the service
	over := errors.As(err, &refused) && (errors.Is(refused, qredo.ErrConflict) || errors.Is(refused, qredo.ErrNotFound))
	if c.service == nil || err != nil && !isUnknown(err) && !over {
		return err
	}
	return c.look(ctx, id, wanted, err)
}
