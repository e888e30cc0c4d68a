package signingagent_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/demofund"
	"github.com/qredo-go/qredo/sandbox"
	"github.com/qredo-go/qredo/signingagent"
)

// BenchmarkRegister is a registration from the seed to the stored identity, with a sandbox in place of the service.
func BenchmarkRegister(b *testing.B) {
	srv, err := sandbox.Start()
	require.NoError(b, err)
	defer srv.Close()
	for b.Loop() {
		store := signingagent.OpenOldStore(filepath.Join(b.TempDir(), "agent.db")) // no passphrase, which is slow by design
		_, err := signingagent.Register(b.Context(), srv.Client(), store, "agent")
		require.NoError(b, err)
	}
}

// BenchmarkApprove is one approval: reading the message, signing it, two proofs, and their checks by the sandbox. The transfer it is
// for is made outside.
func BenchmarkApprove(b *testing.B) {
	srv, err := sandbox.Start()
	require.NoError(b, err)
	defer srv.Close()
	client, ctx := srv.Client(), b.Context()
	agent, err := signingagent.Register(ctx, client, signingagent.OpenOldStore(filepath.Join(b.TempDir(), "agent.db")), "agent")
	require.NoError(b, err)
	fund, err := demofund.New(ctx, srv, "Acme", []string{string(agent.ID())},
		qredo.WalletRequest{Name: "from", Asset: "BTC"}, qredo.WalletRequest{Name: "to", Asset: "BTC"})
	require.NoError(b, err)
	from, to := fund.Wallets[0], fund.Wallets[1]
	_, err = srv.Deposit(from.Address, 1_000_000_000_000)
	require.NoError(b, err)
	for b.Loop() {
		b.StopTimer()
		tx, err := client.Transfers.Create(ctx, fund.Company, qredo.TransferRequest{
			WalletID: from.ID, Counterparty: string(to.ID), Expires: qredo.TimeOf(srv.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: "BTC", Amount: 100_000},
		})
		require.NoError(b, err)
		actions, err := client.CoreClients.ListActions(ctx, agent.ID())
		require.NoError(b, err)
		require.Len(b, actions, 1, tx)
		b.StartTimer()
		require.NoError(b, agent.Approve(ctx, actions[0].ID))
	}
}
