package world

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/qredo-go/qredo"
)

// AgentKeys is what a signing agent registered with and was given.
type AgentKeys struct {
	ClientID     string
	Secret       string
	BLSPublicKey string
	ECPublicKey  string
	Finished     bool
}

// NewAgent is what a signing agent registers with.
type NewAgent struct {
	Account      string
	Name         string
	BLSPublicKey string // in hexadecimal
	ECPublicKey  string // in hexadecimal
}

// The sizes of a signing agent's public keys, in bytes.
const (
	blsKeySize = 192
	ecKeySize  = 65
)

// RegisterAgent makes a core client that is a signing agent. It can act once its registration is finished.
func (u *Update) RegisterAgent(asked NewAgent) (*CoreClient, error) {
	if err := named(asked.Name); err != nil {
		return nil, err
	}
	for _, key := range []struct {
		field, text string
		size        int
	}{{"blsPublicKey", asked.BLSPublicKey, blsKeySize}, {"ecPublicKey", asked.ECPublicKey, ecKeySize}} {
		if raw, err := hex.DecodeString(key.text); err != nil || len(raw) != key.size {
			return nil, invalid("%s must be %d bytes in hexadecimal", key.field, key.size)
		}
	}
	return u.makeCoreClient(coreClientCreated{
		ID: qredo.CoreClientID(u.ids.account()), Account: asked.Account, Name: asked.Name, Seed: u.ids.bytes(ed25519.SeedSize),
		Agent: &AgentKeys{
			ClientID: hex.EncodeToString(u.ids.bytes(16)), Secret: hex.EncodeToString(u.ids.bytes(32)),
			BLSPublicKey: asked.BLSPublicKey, ECPublicKey: asked.ECPublicKey,
		},
	}), nil
}

// IDDocument is what an agent signs to complete its registration.
func (c *CoreClient) IDDocument() []byte {
	sum := sha256.Sum256([]byte(string(c.ID) + c.Name + c.Agent.BLSPublicKey + c.Agent.ECPublicKey))
	return sum[:]
}

// agentFinished is a registration that its agent completed.
type agentFinished struct{ ID qredo.CoreClientID }

func (e agentFinished) apply(st *state, _ time.Time) {
	c := st.coreClients[e.ID]
	keys := *c.Agent
	keys.Finished = true
	c.Agent = &keys
}

// FinishAgent completes the registration of a signing agent.
func (u *Update) FinishAgent(c *CoreClient) { u.change(agentFinished{ID: c.ID}) }

// Agent returns the signing agent with a client ID, nil if there is none.
func (st *state) Agent(clientID string) *CoreClient { return st.agents[clientID] }

// AgentSecret is what the signing agent with a client ID makes its proofs with, empty if there is no such agent.
func (w *World) AgentSecret(clientID string) string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if c := w.state.agents[clientID]; c != nil {
		return c.Agent.Secret
	}
	return ""
}

// CheckAgentAction refuses an action that is not a signing agent's, and any of one whose registration is not finished.
func (st *state) CheckAgentAction(c *CoreClient, id qredo.ActionID) error {
	if !c.Agent.Finished {
		return &Error{Forbidden, "the registration is not finished"}
	}
	return st.CheckAction(id, string(c.ID))
}

// Messages is what an agent signs to approve: the digest of the transaction.
func (st *state) Messages(id qredo.ActionID) []string {
	tx := st.actions[id].Tx
	text := fmt.Sprintf("%s %s %s %s %s%s %s %d", id, tx.Kind, tx.ID, tx.From, tx.To, tx.Address, tx.Asset, tx.Amount)
	sum := sha256.Sum256([]byte(text))
	return []string{hex.EncodeToString(sum[:])}
}
