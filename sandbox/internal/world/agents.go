package world

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/agentcrypto"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// AgentKeys is what a signing agent registered with and was given. Its client secret is not kept: the master secret
// makes the same again.
type AgentKeys struct {
	ClientID     string // the bytes that it proves itself by, in hexadecimal
	Secret       string `json:",omitzero"` // only in stores of before, of proofs that are not taken any more
	BLSPublicKey string // in hexadecimal
	ECPublicKey  string // in hexadecimal
	Finished     bool
}

// NewAgent is what a signing agent registers with.
type NewAgent struct {
	Account      string
	Name         string
	BLSPublicKey []byte
	ECPublicKey  []byte
}

// Registration is a signing agent that was made, and what it is given once.
type Registration struct {
	*CoreClient
	ClientSecret *agentcrypto.ClientSecret
}

// RegisterAgent makes a core client that is a signing agent. It can act once its registration is finished.
func (u *Update) RegisterAgent(asked NewAgent) (Registration, error) {
	if err := named(asked.Name); err != nil {
		return Registration{}, err
	}
	if _, err := agentcrypto.ParsePublicKey(asked.BLSPublicKey); err != nil {
		return Registration{}, invalid("blsPublicKey %v", errors.Unwrap(err))
	}
	if !isECPublicKey(asked.ECPublicKey) {
		return Registration{}, invalid("ecPublicKey must be a point of secp256k1 in its uncompressed form of %d bytes", ecKeySize)
	}
	master, err := u.masterSecret()
	if err != nil {
		return Registration{}, err
	}
	id := u.ids.account()
	clientID := agentcrypto.ClientID(id, u.Now)
	made := u.makeCoreClient(coreClientCreated{
		ID: qredo.CoreClientID(id), Account: asked.Account, Name: asked.Name,
		Agent: &AgentKeys{
			ClientID:     hex.EncodeToString(clientID),
			BLSPublicKey: hex.EncodeToString(asked.BLSPublicKey), ECPublicKey: hex.EncodeToString(asked.ECPublicKey),
		},
	})
	return Registration{made, master.ClientSecret(clientID)}, nil
}

// ecKeySize is the size of a public key on secp256k1 that begins with 04.
const ecKeySize = 65

func isECPublicKey(data []byte) bool {
	if len(data) != ecKeySize || data[0] != secp256k1.PubKeyFormatUncompressed {
		return false
	}
	_, err := secp256k1.ParsePubKey(data)
	return err == nil
}

// masterDrawn is the seed of the secret from which client secrets are issued.
type masterDrawn struct{ Seed []byte }

func (e masterDrawn) apply(st *state, _ time.Time) {
	st.masterSeed = e.Seed
	st.master, _ = agentcrypto.NewMasterSecret(e.Seed) // the command has made it once already
}

// masterSecret returns the secret from which client secrets are issued. It is drawn for the first of them, from what no seed of
// the world tells: who knows that must not be able to pass for the agents.
func (u *Update) masterSecret() (*agentcrypto.MasterSecret, error) {
	if u.master != nil {
		return u.master, nil
	}
	seed := make([]byte, agentcrypto.SeedSize)
	_, _ = rand.Read(seed) // never fails
	master, err := agentcrypto.NewMasterSecret(seed)
	if err == nil {
		u.change(masterDrawn{seed})
	}
	return master, err
}

// MasterSecret is what the client secret for a client ID was issued from, nil if none was.
func (w *World) MasterSecret(clientID []byte) *agentcrypto.MasterSecret {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.state.agents[hex.EncodeToString(clientID)] == nil {
		return nil
	}
	return w.state.master
}

// Agent returns the signing agent with a client ID in hexadecimal, nil if there is none.
func (st *state) Agent(clientID string) *CoreClient { return st.agents[clientID] }

// agentFinished is a registration that its agent completed.
type agentFinished struct{ ID qredo.CoreClientID }

func (e agentFinished) apply(st *state, _ time.Time) {
	c := st.coreClients[e.ID]
	keys := *c.Agent
	keys.Finished = true
	c.Agent = &keys
}

// FinishAgent completes the registration of a signing agent by its signature over its ID document. It can be done again.
func (u *Update) FinishAgent(c *CoreClient, signature []byte) error {
	if err := c.verify(c.IDDocument(), signature); err != nil {
		return invalid("idDocSignatureHex is not the agent's signature of its ID document")
	}
	if !c.Agent.Finished {
		u.change(agentFinished{ID: c.ID})
	}
	return nil
}

// CheckAgentAction refuses an action that is not a signing agent's, and any of one whose registration is not finished.
func (st *state) CheckAgentAction(c *CoreClient, id qredo.ActionID) error {
	if !c.Agent.Finished {
		return &Error{Forbidden, "the registration is not finished"}
	}
	return st.CheckAction(id, string(c.ID))
}

// Messages is what an agent signs to approve an action: one digest of all that the transaction was made with, and of the
// action, so that it is no other's.
func (st *state) Messages(id qredo.ActionID) ([][]byte, error) {
	made, err := json.Marshal(change(st.Action(id).Tx.transactionCreated)) // as it is stored
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte(id+" "), made...))
	return [][]byte{sum[:]}, nil
}

// ApproveByAgent is a signing agent's approval: its signature of each of the action's messages, in their order.
func (u *Update) ApproveByAgent(c *CoreClient, id qredo.ActionID, signatures [][]byte) error {
	messages, err := u.Messages(id)
	if err != nil {
		return err
	}
	if len(signatures) != len(messages) {
		return invalid("signatures must be %d, one for each message", len(messages))
	}
	again, err := u.agentMayVote(id, custody.Approve)
	if err != nil {
		return err
	}
	for i, message := range messages {
		if c.verify(message, signatures[i]) != nil {
			return invalid("signatures[%d] is not the agent's of this action's message", i)
		}
	}
	if again {
		return nil
	}
	return u.vote(id, custody.Approve)
}

// RejectByAgent is a signing agent's refusal.
func (u *Update) RejectByAgent(id qredo.ActionID) error {
	again, err := u.agentMayVote(id, custody.Reject)
	if again || err != nil {
		return err
	}
	return u.vote(id, custody.Reject)
}

// agentMayVote tells whether a signing agent says what it said before, and refuses anything else on what is not pending.
func (u *Update) agentMayVote(id qredo.ActionID, choice custody.Choice) (again bool, err error) {
	if u.Action(id).Vote().Choice == choice {
		return true, nil
	}
	if err := u.mayVote(id, u.Now); err != nil {
		return false, conflict("%v", err)
	}
	return false, nil
}
