package signingagent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/agentcrypto"
)

// Errors that keep an agent from voting.
var (
	// ErrBadMessages means that what the service gave to sign cannot be signed: nothing at all, an empty message, one that is
	// not hexadecimal or is larger than 1 MiB, or more than 1,000 messages. It comes with [qredo.ErrBadAnswer].
	ErrBadMessages = errors.New("signingagent: the messages cannot be signed")
	// ErrMessagesChanged means that what is to be signed now is not what it was when the action was decided.
	ErrMessagesChanged = errors.New("signingagent: the messages to be signed have changed since the decision")
	// ErrNoClient means that an agent without [WithClient] was asked something that only the Partner API can answer.
	ErrNoClient = errors.New("signingagent: the agent has no client that reads actions: see WithClient")
)

// Agent is a signing agent. It is safe for concurrent use.
type Agent struct {
	identity *Identity
	key      *agentcrypto.Key
	client   *qredo.Client
	rsa      *qredo.Client // nil without WithClient
}

// Open returns the agent whose identity is in a store, or [ErrNoIdentity]. If the service has answered the registration but it
// is not finished, Open finishes it. If it was only inferred that it is finished (see [Register]), Open asks the service once;
// getting no answer is not an error. It makes no other calls: whether the PIN is right shows with the first one.
func Open(ctx context.Context, store Store, opts ...Option) (*Agent, error) {
	s, err := newSettings(opts)
	if err != nil {
		return nil, err
	}
	if store == nil {
		return nil, &qredo.ValidationError{Field: "store", Rule: "must not be nil"}
	}
	id, err := store.Load(ctx)
	if err != nil {
		return nil, err
	}
	if err := id.check(); err != nil {
		return nil, err
	}
	if id.kept().ID == "" {
		return nil, fmt.Errorf("%w: a registration has begun, but the service's answer is missing: call Register again", ErrNoIdentity)
	}
	return open(ctx, store, id, s)
}

func open(ctx context.Context, store Store, id *Identity, s settings) (*Agent, error) {
	key, err := agentcrypto.NewKey(id.kept().Seed)
	if err != nil {
		return nil, err
	}
	token, err := agentcrypto.ParseToken(id.kept().Token)
	if err != nil {
		return nil, err
	}
	prover, err := agentcrypto.NewProver(id.kept().ZKPID, token, s.pin)
	if err != nil {
		return nil, err
	}
	auth, err := qredo.NewProofAuth(func(_, _ string, _ []byte, now time.Time) (string, error) { return prover.Header(now), nil })
	if err != nil {
		return nil, err
	}
	a := &Agent{identity: id, key: key, rsa: s.rsa}
	if s.rsa != nil {
		a.client, err = s.rsa.As(auth, s.client...)
	} else {
		a.client, err = qredo.NewClient(auth, s.client...)
	}
	if err != nil {
		return nil, err
	}
	if !id.kept().Finished || id.kept().Inferred && a.refusalOfNone(ctx) == http.StatusForbidden {
		return a, a.finish(ctx, store)
	}
	return a, nil
}

// Format prints the ID and the name, whatever the verb.
func (a *Agent) Format(f fmt.State, verb rune) { a.identity.Format(f, verb) }

// ID returns the core client's ID: see [Identity.ID].
func (a *Agent) ID() qredo.CoreClientID { return a.identity.ID() }

// Name returns the name that the agent registered with.
func (a *Agent) Name() string { return a.identity.Name() }

// Client returns the agent's own client, which authenticates with x-api-zkp. Only the calls of its SigningAgent service are for
// agents.
func (a *Agent) Client() *qredo.Client { return a.client }

// Feed returns the actions that the agent is asked to approve, as [qredo.SigningAgentService.Feed] does.
//
// API: GET /coreclient/feed
func (a *Agent) Feed(ctx context.Context, opts ...qredo.FeedOption) iter.Seq2[qredo.Action, error] {
	return a.client.SigningAgent.Feed(ctx, opts...)
}

// GetAction returns an action with its details, whatever its status, through the client of [WithClient]. Without that option it
// returns [ErrNoClient].
//
// API: GET /coreclient/{client_id}/action/{action_id}
func (a *Agent) GetAction(ctx context.Context, id qredo.ActionID, opts ...qredo.CallOption) (*qredo.Action, error) {
	if a.rsa == nil {
		return nil, ErrNoClient
	}
	return a.rsa.CoreClients.GetAction(ctx, a.ID(), id, opts...)
}

// Approve approves an action, whatever it is: it reads the messages to be signed, signs each, and sends the signatures with a
// fresh proof. If there are no messages, or one is empty, not hexadecimal or too large, it sends nothing and returns
// [ErrBadMessages]. Refusals by the service are as for [qredo.SigningAgentService.Approve]. To decide by rules, use
// [Agent.NewApprover].
//
// API: GET /coreclient/action/{action_id}, PUT /coreclient/action/{action_id}
func (a *Agent) Approve(ctx context.Context, id qredo.ActionID, opts ...qredo.CallOption) error {
	messages, err := a.messages(ctx, id, opts...)
	if err != nil {
		return err
	}
	return a.sign(ctx, id, messages, opts...)
}

// Reject rejects an action. That needs no signature. Refusals by the service are as for [qredo.SigningAgentService.Reject].
//
// API: DELETE /coreclient/action/{action_id}
func (a *Agent) Reject(ctx context.Context, id qredo.ActionID, opts ...qredo.CallOption) error {
	return a.client.SigningAgent.Reject(ctx, id, opts...)
}

// The most that is signed for one action. Each signature takes about two milliseconds.
const (
	mostMessages   = 1000
	longestMessage = 1 << 20 // bytes
)

// messages reads what is to be signed now.
func (a *Agent) messages(ctx context.Context, id qredo.ActionID, opts ...qredo.CallOption) (messages [][]byte, err error) {
	texts, err := a.client.SigningAgent.GetMessages(ctx, id, opts...)
	if err != nil {
		return nil, err
	}
	switch {
	case len(texts) == 0:
		return nil, badMessages(id, "there is none")
	case len(texts) > mostMessages:
		return nil, badMessages(id, "there are %d, more than %d", len(texts), mostMessages)
	}
	for i, text := range texts {
		if len(text) > 2*longestMessage {
			return nil, badMessages(id, "message %d of %d has more than %d bytes", i+1, len(texts), longestMessage)
		}
		message, err := hex.DecodeString(text)
		switch {
		case err != nil:
			return nil, badMessages(id, "message %d of %d is not hexadecimal", i+1, len(texts))
		case len(message) == 0:
			return nil, badMessages(id, "message %d of %d is empty", i+1, len(texts))
		}
		messages = append(messages, message)
	}
	return messages, nil
}

func badMessages(id qredo.ActionID, problem string, args ...any) error {
	return fmt.Errorf("%w: action %s: "+problem+": %w", append(append([]any{ErrBadMessages, id}, args...), qredo.ErrBadAnswer)...)
}

// sign sends the signatures of messages.
func (a *Agent) sign(ctx context.Context, id qredo.ActionID, messages [][]byte, opts ...qredo.CallOption) error {
	signatures := make([]string, 0, len(messages))
	for _, message := range messages {
		if err := ctx.Err(); err != nil { // nobody waits for the others
			return err
		}
		signatures = append(signatures, hex.EncodeToString(a.key.Sign(message)))
	}
	return a.client.SigningAgent.Approve(ctx, id, signatures, opts...)
}

// digestOf identifies messages by a digest.
func digestOf(messages [][]byte) string {
	var all strings.Builder
	for _, message := range messages {
		all.WriteString(hex.EncodeToString(message) + "\n")
	}
	sum := sha256.Sum256([]byte(all.String()))
	return hex.EncodeToString(sum[:])
}

// NewApprover returns an approver that votes as the agent, by a policy, with everything that package approver offers: rules
// with limits, stores, audit logs and replicas.
//
// With [WithClient] a policy decides on an action's details, which are read through that client. A vote is sent only if the
// details, and the messages to be signed, are still what they were when it was decided: the messages are read once more
// immediately before they are signed. Both come from the service, by the action's ID. Nothing can check that a message says
// what the details say, because its format is not public: a service that lies about one of them goes undetected.
//
// Without a client there are no details, and the policy must need none, like [ApproveAll] and [ApproveNone]. Any other policy
// is a [*qredo.ValidationError], also from [approver.Approver.Reload], and so are pins. An action is decided by its messages
// and what the feed says about it. Replicas that share a store, and successive runs, must either all have a client or all have
// none: no vote is sent on a decision made in the other way; the log says why, and the store keeps it for the one that made it.
func (a *Agent) NewApprover(policy approver.Policy, opts ...approver.Option) (*approver.Approver, error) {
	client := a.rsa
	if client == nil {
		client = a.client
	}
	opts = append(opts[:len(opts):len(opts)], approver.WithVoter(&voter{Agent: a, known: map[qredo.ActionID]known{}}))
	return approver.New(client, a.ID(), policy, opts...)
}
