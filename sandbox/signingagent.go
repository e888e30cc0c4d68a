package sandbox

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/access"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// agentKeys is what a signing agent registered with and was given.
type agentKeys struct {
	ClientID     string
	Secret       string
	BLSPublicKey string
	ECPublicKey  string
	Finished     bool
}

// agentFinished is a registration that its agent completed.
type agentFinished struct{ ID qredo.CoreClientID }

func (e agentFinished) apply(st *state, _ time.Time) {
	c := st.coreClients[e.ID]
	keys := *c.Agent
	keys.Finished = true
	c.Agent = &keys
}

// The sizes of a signing agent's public keys, in bytes.
const (
	blsKeySize = 192
	ecKeySize  = 65
)

func registerAgent(r *request, req qredo.AgentRequest) (any, error) {
	if err := named(req.Name); err != nil {
		return nil, err
	}
	for _, key := range []struct {
		field, text string
		size        int
	}{{"blsPublicKey", req.BLSPublicKey, blsKeySize}, {"ecPublicKey", req.ECPublicKey, ecKeySize}} {
		if raw, err := decodeHex(key.field, key.text); err != nil || len(raw) != key.size {
			return nil, badRequest("%s must be %d bytes in hexadecimal", key.field, key.size)
		}
	}
	made := coreClientCreated{
		ID: qredo.CoreClientID(r.ids.account()), Account: r.key.Account, Name: req.Name, Seed: r.ids.bytes(ed25519.SeedSize),
		Agent: &agentKeys{
			ClientID: hex.EncodeToString(r.ids.bytes(16)), Secret: hex.EncodeToString(r.ids.bytes(32)),
			BLSPublicKey: req.BLSPublicKey, ECPublicKey: req.ECPublicKey,
		},
	}
	r.change(made)
	// Not qredo.AgentRegistration, whose secret does not let itself be written.
	return map[string]any{
		"id": made.ID, "clientID": made.Agent.ClientID, "clientSecret": made.Agent.Secret, "accountCode": made.ID,
		"idDoc": hex.EncodeToString(idDocument(made)), "timestamp": wireTime(r.now),
	}, nil
}

// idDocument is what an agent signs to complete its registration.
func idDocument(c coreClientCreated) []byte {
	sum := sha256.Sum256([]byte(string(c.ID) + c.Name + c.Agent.BLSPublicKey + c.Agent.ECPublicKey))
	return sum[:]
}

// caller returns the signing agent whose proof the request carries.
func (r *request) caller() (*coreClient, error) {
	c := r.st.agents[r.agent]
	if c == nil {
		return nil, access.ErrProof
	}
	return c, nil
}

type finishRequest struct {
	Signature string `json:"idDocSignatureHex"`
}

func finishAgent(r *request, c *coreClient, req finishRequest) (any, error) {
	if _, err := decodeHex("idDocSignatureHex", req.Signature); err != nil {
		return nil, err
	}
	r.change(agentFinished{ID: c.ID})
	return map[string]any{"feed": feedURL(r.baseURL) + "/coreclient/feed"}, nil
}

// agentAction returns the action that the path names, of the signing agent that asks.
func (r *request) agentAction() (qredo.ActionID, error) {
	c, err := r.caller()
	if err != nil {
		return "", err
	}
	if !c.Agent.Finished {
		return "", &fault{http.StatusForbidden, "", "the registration is not finished"}
	}
	id := qredo.ActionID(r.path["action_id"])
	return id, r.st.checkAction(id, string(c.ID))
}

// messages is what an agent signs to approve: the digest of the transaction.
func messages(id qredo.ActionID, tx *transaction) []string {
	text := fmt.Sprintf("%s %s %s %s %s%s %s %d", id, tx.Kind, tx.ID, tx.From, tx.To, tx.Address, tx.Asset, tx.Amount)
	sum := sha256.Sum256([]byte(text))
	return []string{hex.EncodeToString(sum[:])}
}

func getMessages(r *request, id qredo.ActionID) (any, error) {
	return map[string]any{"messages": messages(id, r.st.actions[id].tx)}, nil
}

type signaturesRequest struct {
	Signatures []string `json:"signatures"`
}

func submitSignatures(r *request, id qredo.ActionID, req signaturesRequest) (any, error) {
	if want := len(messages(id, r.st.actions[id].tx)); len(req.Signatures) != want {
		return nil, badRequest("signatures must be %d, one for each message", want)
	}
	for _, signature := range req.Signatures {
		if _, err := decodeHex("signatures", signature); err != nil {
			return nil, err
		}
	}
	return r.programVote(id, custody.Approve)
}

// NewAgentAuth returns the authenticator with which a signing agent calls the sandbox. The service's own
// agents used another scheme. A registration without client ID and secret is a [*qredo.ValidationError].
func NewAgentAuth(registration *qredo.AgentRegistration) (*qredo.ProofAuth, error) {
	if registration == nil || registration.ClientID == "" || registration.ClientSecret == "" {
		return nil, invalid("registration", "must have the agent's client ID and secret")
	}
	return access.NewProofAuth(registration.ClientID, string(registration.ClientSecret))
}

// agentSecret is the secret of a signing agent, empty if there is none with this client ID.
func (s *Sandbox) agentSecret(clientID string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if c := s.state.agents[clientID]; c != nil {
		return c.Agent.Secret
	}
	return ""
}
