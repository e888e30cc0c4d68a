package agentserver_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/signingagent"
)

// The client of package signingagent works with this API: it receives actions, votes, and gets correct answers.
func TestClient(t *testing.T) {
	h := newHouse(t)
	h.config.AutoApproval.Enabled = true // as far as is reported
	r := h.start(h.backend(nil))
	client, err := signingagent.NewClient(r.base)
	require.NoError(t, err)
	r.waitFor("/readyz", "no agent is registered")
	_, err = client.Get(t.Context())
	require.ErrorIs(t, err, signingagent.ErrNoIdentity)
	require.ErrorIs(t, client.Approve(t.Context(), "a"), signingagent.ErrNoIdentity)
	require.ErrorIs(t, client.Reject(t.Context(), "a"), signingagent.ErrNoIdentity)
	h.register(r)
	_, err = client.Register(t.Context(), "Desk", clienttest.APIKey, clienttest.PrivateKey(t))
	require.ErrorIs(t, err, signingagent.ErrIdentityExists)
	require.NotErrorIs(t, err, qredo.ErrOutcomeUnknown)
	info, err := client.Get(t.Context())
	require.NoError(t, err)
	require.Equal(t, &signingagent.AgentInfo{ID: h.agent, Name: "Desk", FeedURL: "ws://127.0.0.1:8007/api/v1/client/feed"}, info)

	_, before := h.transfer(clienttest.Coin)
	f := clienttest.Follow(t, client.Feed)
	require.Equal(t, before, f.Next(t).ID)
	f.Reaches(t, qredo.FeedCaughtUp)
	_, action := h.transfer(clienttest.Coin)
	require.Equal(t, action, f.Next(t).ID)
	require.NoError(t, client.Approve(t.Context(), action))
	require.Equal(t, clienttest.Coin, h.arrived())
	err = client.Reject(t.Context(), action)
	require.ErrorIs(t, err, qredo.ErrConflict)
	require.NotErrorIs(t, err, qredo.ErrOutcomeUnknown)
	err = client.Approve(t.Context(), "unknown")
	require.ErrorIs(t, err, qredo.ErrNotFound)
	require.NotErrorIs(t, err, qredo.ErrOutcomeUnknown)

	looking, err := signingagent.NewClient(r.base, signingagent.WithServiceClient(h.Client))
	require.NoError(t, err)
	require.NoError(t, looking.Approve(t.Context(), action), "it is approved")
	var vote *signingagent.VoteError
	require.ErrorAs(t, looking.Reject(t.Context(), action), &vote)
	require.Equal(t, qredo.ApprovalApproved, vote.Found)
	require.NoError(t, looking.Reject(t.Context(), before))

	health, err := client.Health(t.Context())
	require.NoError(t, err)
	require.Equal(t, signingagent.ConnectionOpen, health.Connection.State)
	require.Equal(t, qredo.Version, health.Build.Version)
	require.Equal(t, h.config.Base.QredoAPI, health.Config.ServiceURL)
	require.True(t, health.Config.AutoApproval)
	f.RequireQuiet(t)
	h.Srv.DropFeeds()
}

// A server that asks for a token is asked with it.
func TestClientWithToken(t *testing.T) {
	h := newHouse(t)
	h.config.HTTP.TokenFile = filepath.Join(t.TempDir(), "token")
	r := h.start(h.backend(nil))
	token, err := os.ReadFile(h.config.HTTP.TokenFile)
	require.NoError(t, err)
	without, err := signingagent.NewClient(r.base)
	require.NoError(t, err)
	err = without.Approve(t.Context(), "a")
	require.ErrorIs(t, err, qredo.ErrUnauthorized)
	require.NotErrorIs(t, err, qredo.ErrOutcomeUnknown)
	require.ErrorIs(t, clienttest.Follow(t, without.Feed).Failure(t), qredo.ErrUnauthorized)
	client, err := signingagent.NewClient(r.base, signingagent.WithBearerToken(qredo.Secret(strings.TrimSpace(string(token)))))
	require.NoError(t, err)
	health, err := client.Health(t.Context())
	require.NoError(t, err)
	require.Equal(t, signingagent.ConnectionClosed, health.Connection.State, "no agent is registered")
}
