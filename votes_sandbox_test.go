package qredo_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// Only what is pending can be decided, and listed. The action tells by its ID what became of it.
func TestVotesOnWhatIsNotPending(t *testing.T) {
	for name, repeated := range map[string]bool{"": false, "repeated votes are taken": true} {
		t.Run(name, func(t *testing.T) {
			var opts []sandbox.Option
			if repeated {
				opts = append(opts, sandbox.WithRepeatedVotes())
			}
			w := newWorld(t, opts...)
			ctx, core := t.Context(), w.client.CoreClients
			for status, vote := range map[qredo.ApprovalStatus][2]func(qredo.ActionID) error{
				qredo.ApprovalApproved: {
					func(id qredo.ActionID) error { return core.Approve(ctx, w.robot.ID, id) },
					func(id qredo.ActionID) error { return core.Reject(ctx, w.robot.ID, id) },
				},
				qredo.ApprovalRejected: {
					func(id qredo.ActionID) error { return core.Reject(ctx, w.robot.ID, id) },
					func(id qredo.ActionID) error { return core.Approve(ctx, w.robot.ID, id) },
				},
			} {
				tx := w.send(t, 1000)
				id := w.actionOf(t, tx)
				require.NoError(t, vote[0](id))
				if again := vote[0](id); repeated {
					require.NoError(t, again)
				} else {
					require.ErrorIs(t, again, qredo.ErrBadRequest)
				}
				require.ErrorIs(t, vote[1](id), qredo.ErrBadRequest)
				action, err := core.GetAction(ctx, w.robot.ID, id)
				require.NoError(t, err)
				assert.Equal(t, status, action.Status)
				listed, err := core.ListActions(ctx, w.robot.ID)
				require.NoError(t, err)
				assert.Empty(t, listed)
			}
			require.ErrorIs(t, core.Approve(ctx, w.robot.ID, "none"), qredo.ErrNotFound)
		})
	}
}

// A vote whose answer was lost has counted. Who sends it again is refused, and reads that it was taken.
func TestAVoteWhoseAnswerWasLost(t *testing.T) {
	w := newWorld(t)
	ctx, core := t.Context(), w.client.CoreClients
	tx := w.send(t, 1000)
	id := w.actionOf(t, tx)
	require.NoError(t, w.srv.SetFaults(1, sandbox.FaultRule{
		Kind: sandbox.FaultDropAnswer, Operation: "PUT /coreclient/{client_id}/action/{action_id}", Rate: 1, Times: 1,
	}))
	require.Error(t, core.Approve(ctx, w.robot.ID, id))
	require.ErrorIs(t, core.Approve(ctx, w.robot.ID, id), qredo.ErrBadRequest)
	action, err := core.GetAction(ctx, w.robot.ID, id)
	require.NoError(t, err)
	assert.Equal(t, qredo.ApprovalApproved, action.Status)
	got, err := w.client.Transfers.Get(ctx, w.company, tx)
	require.NoError(t, err)
	assert.Equal(t, []any{qredo.TxApproved, 1}, []any{got.Status, got.ApprovedCount})
}

// A signing agent's vote is no different.
func TestAgentVotesOnWhatIsNotPending(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	registration, err := w.client.CoreClients.Register(ctx, qredo.AgentRequest{Name: "vault", BLSPublicKey: hexOf(192), ECPublicKey: hexOf(65)})
	require.NoError(t, err)
	auth, err := sandbox.NewAgentAuth(registration)
	require.NoError(t, err)
	agent, err := qredo.NewClient(auth, qredo.WithBaseURL(w.srv.BaseURL()))
	require.NoError(t, err)
	_, err = agent.SigningAgent.Finish(ctx, "ab")
	require.NoError(t, err)
	member := qredo.TrustedEntityID(registration.ID)
	require.NoError(t, w.client.TrustedNetwork.Add(ctx, w.company, qredo.TrustedPartyRequest{Address: string(member)}))
	made, err := w.client.Funds.AddWallets(ctx, w.company, w.fund, []qredo.WalletRequest{{
		Name: "vault", Asset: "BTC", CustodyGroupTx: &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{member}},
	}})
	require.NoError(t, err)
	wallet, err := w.client.Wallets.Get(ctx, made[0])
	require.NoError(t, err)
	_, err = w.srv.Deposit(wallet.Address, coin)
	require.NoError(t, err)
	request := w.transfer(1000)
	request.WalletID = made[0]
	_, err = w.client.Transfers.Create(ctx, w.company, request)
	require.NoError(t, err)
	pending := w.pending(t, &qredo.CoreClient{ID: registration.ID})
	require.Len(t, pending, 1)
	require.NoError(t, agent.SigningAgent.Approve(ctx, pending[0].ID, []string{"ab"}))
	require.ErrorIs(t, agent.SigningAgent.Approve(ctx, pending[0].ID, []string{"ab"}), qredo.ErrBadRequest)
	require.ErrorIs(t, agent.SigningAgent.Reject(ctx, pending[0].ID), qredo.ErrBadRequest)
}
