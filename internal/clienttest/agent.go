package clienttest

import (
	"crypto/rand"
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/agentcrypto"
)

// Agent is a signing agent, with the client that proves itself as it.
type Agent struct {
	*qredo.Client
	ID  qredo.CoreClientID
	Key *agentcrypto.Key
}

// RegisterAgent registers a signing agent without a PIN, and finishes that. Its own client is made with opts, which say
// where the service is.
func RegisterAgent(t testing.TB, client *qredo.Client, opts ...qredo.Option) *Agent {
	t.Helper()
	key := NewAgentKey(t)
	registration, err := client.CoreClients.Register(t.Context(), AgentRequest(key))
	require.NoError(t, err)
	a := &Agent{Client: AgentClient(t, registration, opts...), ID: registration.ID, Key: key}
	_, err = a.SigningAgent.Finish(t.Context(), a.Sign(t, registration.IDDocument)[0])
	require.NoError(t, err)
	return a
}

// NewAgentKey makes a key of a random seed.
func NewAgentKey(t testing.TB) *agentcrypto.Key {
	t.Helper()
	seed := make([]byte, agentcrypto.SeedSize)
	_, _ = rand.Read(seed) // never fails
	key, err := agentcrypto.NewKey(seed)
	require.NoError(t, err)
	return key
}

// AgentRequest registers a key.
func AgentRequest(key *agentcrypto.Key) qredo.AgentRequest {
	return qredo.AgentRequest{
		Name: "agent", BLSPublicKey: hex.EncodeToString(key.PublicKey().Bytes()), ECPublicKey: hex.EncodeToString(key.ECPublicKey()),
	}
}

// AgentClient returns a client that proves itself by a registration.
func AgentClient(t testing.TB, registration *qredo.AgentRegistration, opts ...qredo.Option) *qredo.Client {
	t.Helper()
	id, err := hex.DecodeString(registration.ClientID)
	require.NoError(t, err)
	given, err := hex.DecodeString(string(registration.ClientSecret))
	require.NoError(t, err)
	secret, err := agentcrypto.ParseClientSecret(given)
	require.NoError(t, err)
	token, err := secret.Token(id, 0)
	require.NoError(t, err)
	prover, err := agentcrypto.NewProver(id, token, 0)
	require.NoError(t, err)
	auth, err := qredo.NewProofAuth(func(_, _ string, _ []byte, now time.Time) (string, error) { return prover.Header(now), nil })
	require.NoError(t, err)
	client, err := qredo.NewClient(auth, opts...)
	require.NoError(t, err)
	return client
}

// Sign returns the agent's signatures of messages. All are in hexadecimal.
func (a *Agent) Sign(t testing.TB, messages ...string) []string {
	t.Helper()
	signatures := make([]string, len(messages))
	for i, text := range messages {
		message, err := hex.DecodeString(text)
		require.NoError(t, err)
		signatures[i] = hex.EncodeToString(a.Key.Sign(message))
	}
	return signatures
}

// Approve signs an action's messages.
func (a *Agent) Approve(t testing.TB, id qredo.ActionID) error {
	t.Helper()
	messages, err := a.SigningAgent.GetMessages(t.Context(), id)
	require.NoError(t, err)
	require.NotEmpty(t, messages)
	return a.SigningAgent.Approve(t.Context(), id, a.Sign(t, messages...))
}
