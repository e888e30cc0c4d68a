package qredo

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/qredo-go/qredo/internal/feed"
	"github.com/qredo-go/qredo/internal/wire"
)

// A signing agent is an approver that a customer runs: a core client that holds its own keys. A client that signs with
// RSA registers it; from then on it authenticates itself by a proof.

// Secret is text that must not get into a log: it prints as [redacted]. Convert it to string to get the text. Do not keep one
// in an unexported field of another struct: package fmt cannot call its methods there.
type Secret string

const redacted = "[redacted]"

// String returns "[redacted]".
func (Secret) String() string { return redacted }

// Format prints "[redacted]" whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue returns "[redacted]".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON writes "[redacted]".
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// UnmarshalJSON reads the text. It returns an error for the output of MarshalJSON, which does not contain the secret.
func (s *Secret) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	text, err := wire.Text(data)
	switch {
	case err != nil:
		return err
	case text == redacted:
		return errors.New("was written without the secret")
	}
	*s = Secret(text)
	return nil
}

// AgentRequest registers a signing agent with the public halves of its keys.
type AgentRequest struct {
	Name         string `json:"name"`
	BLSPublicKey string `json:"blsPublicKey"` // a point of G2 of BLS12-381 in hexadecimal, 192 bytes: x.c0, x.c1, y.c0, y.c1
	ECPublicKey  string `json:"ecPublicKey"`  // a point of secp256k1 in hexadecimal, 65 bytes: 04, x, y
}

func (r AgentRequest) validate(time.Time) error {
	return cmp.Or(checkText("name", r.Name), checkHex("blsPublicKey", r.BLSPublicKey), checkHex("ecPublicKey", r.ECPublicKey))
}

// AgentRegistration is what a signing agent is given once, and has to keep. Its JSON does not contain the secret, unless it is
// written by [AgentRegistration.MarshalJSONWithSecret].
type AgentRegistration struct {
	ID           CoreClientID `json:"id" required:"true"`
	ClientID     string       `json:"clientID"`     // the ID in its proofs, in hexadecimal
	ClientSecret Secret       `json:"clientSecret"` // what its proofs are made with: a point in hexadecimal, 97 bytes
	AccountCode  string       `json:"accountCode"`  // the same as ID
	IDDocument   string       `json:"idDoc"`        // in hexadecimal; sign its bytes for [SigningAgentService.Finish]
	Created      Time         `json:"timestamp"`
}

// MarshalJSONWithSecret writes the registration as JSON with its secret, for the place where the agent keeps it, which nobody
// else must be able to read. [Unmarshal] and encoding/json read it.
func (r AgentRegistration) MarshalJSONWithSecret() ([]byte, error) {
	type others AgentRegistration
	return json.Marshal(struct { //nolint:gosec // its name says so
		others
		ClientSecret string `json:"clientSecret"`
	}{others(r), string(r.ClientSecret)})
}

// Register registers a signing agent. It needs a client with [RSAAuth], even with services that accept other calls unsigned.
// [SigningAgentService.Finish] completes the registration. It returns [ErrBadRequest] if a key is not a point of its group.
//
// API: POST /coreclient/init
func (s *CoreClientsService) Register(ctx context.Context, req AgentRequest, opts ...CallOption) (*AgentRegistration, error) {
	return call[AgentRegistration](ctx, s.client, api("POST /coreclient/init").with(req).withSecret(), opts)
}

// SigningAgentService has the calls that a signing agent makes with its own client, one with [ProofAuth].
type SigningAgentService struct{ client *Client }

// Finish completes the registration with the agent's signature over the bytes of its ID document (49 bytes in hexadecimal), and
// returns the URL of its feed. It returns [ErrBadRequest] if the signature is wrong; you can then send the right one. Until the
// registration is complete, calls about actions return [ErrForbidden].
//
// API: POST /coreclient/finish
func (s *SigningAgentService) Finish(ctx context.Context, idDocSignatureHex string, opts ...CallOption) (feed string, err error) {
	answer, err := call[agentFeed](ctx, s.client, api("POST /coreclient/finish").with(agentFinish{idDocSignatureHex}), opts)
	if err != nil {
		return "", err
	}
	return answer.Feed, nil
}

// agentFinish and agentSignatures are the wire forms of the requests of Finish and Approve.
type (
	agentFinish struct {
		Signature string `json:"idDocSignatureHex"`
	}
	agentSignatures struct {
		Signatures []string `json:"signatures"`
	}
)

func (f agentFinish) validate(time.Time) error { return checkHex("idDocSignatureHex", f.Signature) }

func (s agentSignatures) validate(time.Time) error {
	if len(s.Signatures) == 0 {
		return invalid("signatures", "must not be empty")
	}
	for i, signature := range s.Signatures {
		if err := checkHex(fmt.Sprintf("signatures[%d]", i), signature); err != nil {
			return err
		}
	}
	return nil
}

type agentFeed struct {
	Feed string `json:"feed"`
}

type agentMessages struct {
	Messages []string `json:"messages"`
}

// GetMessages returns what a signing agent has to sign to approve an action: messages, each in hexadecimal. Do not sign an
// empty one: that would approve something unknown.
//
// API: GET /coreclient/action/{action_id}
func (s *SigningAgentService) GetMessages(ctx context.Context, actionID ActionID, opts ...CallOption) ([]string, error) {
	return list(ctx, s.client, api("GET /coreclient/action/{action_id}", string(actionID)), opts, func(a *agentMessages) []string { return a.Messages })
}

// Approve approves an action with the agent's signatures, one for each of its messages and in their order, each 49 bytes in
// hexadecimal. If one is wrong, it returns [ErrBadRequest], and the action stays pending. If the action is no longer pending,
// it returns [ErrBadRequest], [ErrNotFound] or [ErrConflict], which all mean the same, as for [CoreClientsService.Approve].
// When a vote is sent again, the sandbox answers as it did the first time; the service may have refused it. Any success is
// accepted, with a JSON object or without a body, unless the object has a code of its own that says otherwise.
//
// API: PUT /coreclient/action/{action_id}
func (s *SigningAgentService) Approve(ctx context.Context, actionID ActionID, signatures []string, opts ...CallOption) error {
	return s.client.run(ctx, api("PUT /coreclient/action/{action_id}", string(actionID)).with(agentSignatures{signatures}).deciding(), &done{vote: actionID, mute: true}, opts)
}

// Reject rejects an action. Errors for an action that is not pending are as for [SigningAgentService.Approve].
//
// API: DELETE /coreclient/action/{action_id}
func (s *SigningAgentService) Reject(ctx context.Context, actionID ActionID, opts ...CallOption) error {
	return s.client.run(ctx, api("DELETE /coreclient/action/{action_id}", string(actionID)).deciding(), &done{vote: actionID, mute: true}, opts)
}

// Feed returns the actions that the agent is asked to approve, as [CoreClientsService.Feed] does for a core client. Pending
// actions come only from the feed, which sends them again after each connection; so a connection that has brought nothing for a
// while ([WithFillEvery]) is considered lost and replaced.
//
// API: GET /coreclient/feed
func (s *SigningAgentService) Feed(ctx context.Context, opts ...FeedOption) iter.Seq2[Action, error] {
	return events(ctx, s.client, "/coreclient/feed", nil, opts, feedUses{known: isStatusKey}, func(f *feed.Feed[Action], options feedOptions) {
		f.Renew = true
		f.Fresh = freshAction(&feed.Open[ActionID, ApprovalStatus]{Now: s.client.clock.Now}, options.known...)
	})
}
