package agentserver

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"iter"

	"github.com/qredo-go/qredo"
)

// Errors of a [Backend].
var (
	ErrNoAgent    = errors.New("no agent is registered")
	ErrHasAgent   = errors.New("an agent is registered already")
	ErrNoMessages = errors.New("the service has no messages to sign for the action")
	ErrBadSecret  = errors.New("the client secret is not a point")
)

// Backend is where the agent comes from.
type Backend interface {
	// Open returns the agent whose identity is stored. If there is none, that is ErrNoAgent.
	Open(ctx context.Context) (Agent, error)
	// Register makes an agent and stores its identity. If there is one, that is ErrHasAgent.
	Register(ctx context.Context, r Registration) (Agent, error)
	// CheckStore tells why the identity could not be stored, or what is shared cannot be reached.
	CheckStore(ctx context.Context) error
}

// Registration is what an agent is registered with.
type Registration struct {
	Name, APIKey string
	Key          *rsa.PrivateKey
}

// Agent is a signing agent.
type Agent interface {
	ID() qredo.CoreClientID
	Name() string
	// Approve signs an action's messages and sends the signatures. Without messages that is ErrNoMessages.
	Approve(ctx context.Context, id qredo.ActionID) error
	Reject(ctx context.Context, id qredo.ActionID) error
	// Frames are the messages of the service's feed as they come, for ever.
	Frames(ctx context.Context, opts ...qredo.FeedOption) iter.Seq2[json.RawMessage, error]
	// Decide votes by a policy until ctx ends, and then returns nil. Without a policy it only waits.
	Decide(ctx context.Context, decided func(qredo.ActionID)) error
}
