package agentserver

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/backoff"
)

// callTime is how long a call of the API may take at the service.
const callTime = time.Minute

// vote is an approval or a rejection.
type vote struct {
	done string // as in the response
	send func(Agent, context.Context, qredo.ActionID) error
}

var (
	approve = vote{"approved", Agent.Approve}
	reject  = vote{"rejected", Agent.Reject}
)

type voteBody struct {
	ActionID string `json:"actionID"`
	Status   string `json:"status"`
}

// vote sends a vote. It succeeds only if the service has said so: the service accepts the same vote again like the first,
// and refuses the opposite vote, whichever of several agents has sent the first.
func (s *Server) vote(r *http.Request, v vote, path string) (any, error) {
	id := qredo.ActionID(strings.TrimSpace(path))
	if id == "" {
		return nil, refuse(http.StatusBadRequest, "empty actionID")
	}
	agent := s.agent()
	if agent == nil && !s.opened() {
		return nil, errNotOpened
	}
	if agent == nil {
		return nil, refuse(http.StatusNotFound, "agentID")
	}
	// The caller may disconnect: a vote that is on its way is followed to its end.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), callTime)
	defer cancel()
	ctx, release, err := s.claim(ctx, id)
	if err != nil {
		return nil, err
	}
	defer release()
	err = v.send(agent, ctx, id)
	s.metrics.voted(v.done, err)
	if err != nil {
		return nil, err
	}
	s.hub.Decided(id)
	s.log.Info("voted by hand", "action", string(id), "vote", v.done)
	return voteBody{string(id), v.done}, nil
}

// claimTime is how long a vote by hand waits for the server that agents share.
const claimTime = time.Second

// claim makes this agent the only one to handle an action, if several share a server. It only saves work: which of two
// votes counts is decided by the service. So a server that answers late or not at all blocks nobody.
func (s *Server) claim(ctx context.Context, id qredo.ActionID) (held context.Context, release func(), err error) {
	if s.coordinator == nil {
		return ctx, func() {}, nil
	}
	for {
		held, release, err = s.claimSoon(ctx, id)
		claimed := (*approver.ClaimedError)(nil)
		switch {
		case err == nil:
			return held, release, nil
		case errors.As(err, &claimed):
			err = backoff.Wait(ctx, min(max(claimed.RetryAfter, 10*time.Millisecond), time.Second))
			if err != nil {
				return ctx, nil, refuse(http.StatusInternalServerError, "another agent is handling this action: nothing was sent")
			}
		default:
			s.log.Warn("agents do not coordinate their work", "action", string(id), "error", err.Error())
			return ctx, func() {}, nil
		}
	}
}

var errClaimSlow = errors.New("the shared server does not answer")

// claimSoon claims an action, if that does not take long. A claim that succeeds later is released.
func (s *Server) claimSoon(ctx context.Context, id qredo.ActionID) (context.Context, func(), error) {
	type claimed struct {
		held    context.Context //nolint:containedctx // on its way from the goroutine that made it
		release func()
		err     error
	}
	came, left := make(chan claimed), make(chan struct{})
	go func() {
		held, release, err := s.coordinator.Claim(ctx, id)
		select {
		case came <- claimed{held, release, err}:
		case <-left:
			if err == nil {
				release()
			}
		}
	}()
	timer := time.NewTimer(claimTime)
	defer timer.Stop()
	select {
	case c := <-came:
		return c.held, c.release, c.err
	case <-timer.C:
		close(left)
		return nil, nil, errClaimSlow
	}
}
