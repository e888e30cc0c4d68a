package signingagent

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/feed"
	"github.com/qredo-go/qredo/internal/wire"
)

// look reads an action through the service's client after a vote with an unknown outcome.
func (c *Client) look(ctx context.Context, id qredo.ActionID, wanted qredo.ApprovalStatus, vote error) error {
	action, err := c.read(ctx, id)
	switch {
	case err != nil && vote != nil:
		return vote // the error already says that nothing is known
	case err != nil:
		return &VoteError{ActionID: id, Wanted: wanted, Err: err}
	case action.Status == wanted:
		return nil
	}
	return &VoteError{ActionID: id, Wanted: wanted, Found: action.Status, Err: vote}
}

func (c *Client) read(ctx context.Context, id qredo.ActionID) (*qredo.Action, error) {
	agent, err := c.Get(ctx)
	if err != nil {
		return nil, err
	}
	return c.service.CoreClients.GetAction(ctx, agent.ID, id)
}

// Feed returns the actions that the agent is asked to approve, each once for each of its statuses, until ctx ends. An action is
// not repeated if the agent sends pending ones again, as the old program does whenever it or this client reconnects. Feed
// events have no details.
//
// After a lost connection the feed reconnects, indefinitely unless you set [qredo.WithGiveUp]. The old program answers no
// pings, but its own, every five seconds, count as signs of life. For an agent that pings less often than every 20 seconds, set
// a longer [qredo.WithPing] than the default.
//
// With [WithServiceClient], actions that were missed while the feed was disconnected are read from the service's list of pending
// actions.
// Otherwise it depends on the agent: qredo signing-agent serve always sends it again; the old program of August 2023 does
// unless it approves by itself; earlier releases do not. The state ([qredo.WithFeedState]) is [qredo.FeedCaughtUp] once it has
// arrived, and [qredo.FeedBehind] with [ErrFeedGap] if some of it may be missing. [qredo.FeedLost] and [qredo.FeedBehind] with
// [ErrNotConnected] mean that the agent itself is not connected to the service; once the old program has given up, it never is
// again. All of these are repeated about once a minute while they last.
//
// The feed yields an error for a message that was not understood ([qredo.ErrBadAnswer]), or if the agent refuses the feed, for
// example because of its token ([*AgentError]). It continues afterwards, for as long as you range over it.
//
// API: GET /client/feed
func (c *Client) Feed(ctx context.Context, opts ...qredo.FeedOption) iter.Seq2[qredo.Action, error] {
	return func(yield func(qredo.Action, error) bool) {
		known := feed.Open[qredo.ActionID, qredo.ApprovalStatus]{Now: time.Now}
		fresh := func(id qredo.ActionID, status qredo.ApprovalStatus, until time.Time) bool {
			if status == qredo.ApprovalPending {
				return known.Opened(id, until)
			}
			return known.Ended(id, status)
		}
		for _, key := range qredo.KnownKeys(opts...) {
			at := strings.LastIndexByte(key, ':')
			if at <= 0 || at == len(key)-1 {
				yield(qredo.Action{}, invalid("known", "must be keys of this feed's events, one is %.100q", key))
				return
			}
			fresh(qredo.ActionID(key[:at]), qredo.ApprovalStatus(key[at+1:]), time.Time{})
		}
		for m, err := range qredo.Feed(ctx, c.core, "/client/feed", c.missed, opts...) {
			if answer, ok := err.(*qredo.Error); ok { //nolint:errorlint // an error that wraps one is of another kind: the end of the feed, or the service's
				err = c.problem(local{method: http.MethodGet, name: "/client/feed"}, answer)
			}
			switch {
			case err != nil:
				if !yield(qredo.Action{}, err) {
					return
				}
			case fresh(m.ID, m.Status, m.Expires.Time):
				if !yield(m.Action, nil) {
					return
				}
			}
		}
	}
}

// message is an item of the feed.
type message struct{ qredo.Action }

// Key is empty: Feed itself keeps track of what is known, because it may get an action more than once.
func (message) Key() string { return "" }

// UnmarshalJSON decodes an action.
func (m *message) UnmarshalJSON(data []byte) error { return wire.UnmarshalAnswer(data, &m.Action) }

// missed returns what the feed may not have delivered, and an error if that may be incomplete.
func (c *Client) missed(ctx context.Context) ([]message, error) {
	connection, err := c.connection(ctx)
	if err == nil && connection.State != ConnectionOpen {
		err = fmt.Errorf("signingagent: %w: it says %s", ErrNotConnected, oneLine(string(connection.State)))
	}
	switch {
	case c.service != nil:
		pending, unread := c.pending(ctx)
		return pending, errors.Join(unread, err)
	case err != nil:
		return nil, err
	}
	agent, err := c.Get(ctx)
	if err != nil {
		return nil, err
	}
	configured, err := c.config(ctx)
	switch {
	case err != nil:
		return nil, err
	case agent.Name == "":
		return nil, fmt.Errorf("signingagent: %w: this release of the agent does not send again what is pending", ErrFeedGap)
	case !configured.sendsAgain():
		return nil, fmt.Errorf("signingagent: %w: an agent that approves by itself does not send again what is pending", ErrFeedGap)
	}
	return nil, nil
}

// pending returns the actions that the service lists as pending for the agent.
func (c *Client) pending(ctx context.Context) ([]message, error) {
	agent, err := c.Get(ctx)
	if err != nil {
		return nil, err
	}
	actions, err := c.service.CoreClients.ListActions(ctx, agent.ID)
	if err != nil {
		return nil, err
	}
	found := make([]message, 0, len(actions))
	for _, a := range actions {
		if a.Status == qredo.ApprovalPending {
			found = append(found, message{a})
		}
	}
	return found, nil
}
