package scenario_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/sandbox"
)

// Only pending actions can be decided, and are listed. The action's ID leads to its outcome.
func TestVotesOnWhatIsNotPending(t *testing.T) {
	for name, repeated := range map[string]bool{"": false, "repeated votes are taken": true} {
		t.Run(name, func(t *testing.T) {
			var opts []sandbox.Option
			if repeated {
				opts = append(opts, sandbox.WithRepeatedVotes())
			}
			w := clienttest.NewWorld(t, opts...)
			ctx, core := t.Context(), w.Client.CoreClients
			for status, vote := range map[qredo.ApprovalStatus][2]func(qredo.ActionID) error{
				qredo.ApprovalApproved: {
					func(id qredo.ActionID) error { return core.Approve(ctx, w.Robot.ID, id) },
					func(id qredo.ActionID) error { return core.Reject(ctx, w.Robot.ID, id) },
				},
				qredo.ApprovalRejected: {
					func(id qredo.ActionID) error { return core.Reject(ctx, w.Robot.ID, id) },
					func(id qredo.ActionID) error { return core.Approve(ctx, w.Robot.ID, id) },
				},
			} {
				tx := w.Send(t, 1000)
				id := w.ActionOf(t, tx)
				require.NoError(t, vote[0](id))
				if again := vote[0](id); repeated {
					require.NoError(t, again)
				} else {
					require.ErrorIs(t, again, qredo.ErrBadRequest)
				}
				require.ErrorIs(t, vote[1](id), qredo.ErrBadRequest)
				action, err := core.GetAction(ctx, w.Robot.ID, id)
				require.NoError(t, err)
				assert.Equal(t, status, action.Status)
				listed, err := core.ListActions(ctx, w.Robot.ID)
				require.NoError(t, err)
				assert.Empty(t, listed)
			}
			require.ErrorIs(t, core.Approve(ctx, w.Robot.ID, "none"), qredo.ErrNotFound)
		})
	}
}

// A vote whose answer was lost has counted. Sending it again is refused, with an error that says it was accepted.
func TestAVoteWhoseAnswerWasLost(t *testing.T) {
	w := clienttest.NewWorld(t)
	ctx, core := t.Context(), w.Client.CoreClients
	tx := w.Send(t, 1000)
	id := w.ActionOf(t, tx)
	require.NoError(t, w.Srv.SetFaults(1, sandbox.FaultRule{
		Kind: sandbox.FaultDropAnswer, Operation: "PUT /coreclient/{client_id}/action/{action_id}", Rate: 1, Times: 1,
	}))
	require.Error(t, core.Approve(ctx, w.Robot.ID, id))
	require.ErrorIs(t, core.Approve(ctx, w.Robot.ID, id), qredo.ErrBadRequest)
	action, err := core.GetAction(ctx, w.Robot.ID, id)
	require.NoError(t, err)
	assert.Equal(t, qredo.ApprovalApproved, action.Status)
	got, err := w.Client.Transfers.Get(ctx, w.Company, tx)
	require.NoError(t, err)
	assert.Equal(t, []any{qredo.TxApproved, 1}, []any{got.Status, got.ApprovedCount})
}

// A signing agent may say the same again, and nothing else.
func TestAgentVotesOnWhatIsNotPending(t *testing.T) {
	w := clienttest.NewWorld(t)
	ctx := t.Context()
	agent := clienttest.RegisterAgent(t, w.Client, qredo.WithBaseURL(w.Srv.BaseURL()))
	member := qredo.TrustedEntityID(agent.ID)
	require.NoError(t, w.Client.TrustedNetwork.Add(ctx, w.Company, qredo.TrustedPartyRequest{Address: string(member)}))
	made, err := w.Client.Funds.AddWallets(ctx, w.Company, w.Fund, []qredo.WalletRequest{{
		Name: "vault", Asset: "BTC", CustodyGroupTx: &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{member}},
	}})
	require.NoError(t, err)
	wallet, err := w.Client.Wallets.Get(ctx, made[0])
	require.NoError(t, err)
	_, err = w.Srv.Deposit(wallet.Address, clienttest.Coin)
	require.NoError(t, err)
	request := w.Transfer(1000)
	request.WalletID = made[0]
	_, err = w.Client.Transfers.Create(ctx, w.Company, request)
	require.NoError(t, err)
	pending := w.Pending(t, &qredo.CoreClient{ID: agent.ID})
	require.Len(t, pending, 1)
	require.NoError(t, agent.Approve(t, pending[0].ID))
	require.NoError(t, agent.Approve(t, pending[0].ID), "the same again is answered as the first time")
	require.ErrorIs(t, agent.SigningAgent.Reject(ctx, pending[0].ID), qredo.ErrConflict)
}
