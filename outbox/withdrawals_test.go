package outbox_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/demofund"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/sandbox"
)

// A service that locks a wallet while a withdrawal from it waits refuses a second one, which ends its entry. It can
// be made under a new key when the first has ended.
func TestWithdrawalsFromALockedWallet(t *testing.T) {
	const address = "bc1qcoldstorage"
	srv, err := sandbox.Start(sandbox.WithWithdrawalLock())
	require.NoError(t, err)
	defer func() { require.NoError(t, srv.Close()) }()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	fund, err := demofund.New(ctx, srv, "Acme", []string{"alice@example.com"}, qredo.WalletRequest{Name: "hot", Asset: "BTC"})
	require.NoError(t, err)
	require.NoError(t, srv.Client().Funds.AddToWhitelist(ctx, fund.Company, fund.ID, qredo.WhitelistEntry{Asset: "BTC", Address: address}))
	_, err = srv.Deposit(fund.Wallets[0].Address, 1_000_000)
	require.NoError(t, err)
	store, err := outbox.OpenStore(filepath.Join(t.TempDir(), "payments.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	box, err := outbox.New(srv.Client(), store, outbox.WithPollInterval(time.Millisecond))
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- box.Run(ctx) }()

	pay := func(key string, until func(outbox.Entry) bool) outbox.Entry {
		t.Helper()
		_, err := box.Enqueue(ctx, key, outbox.Withdrawal{CompanyID: fund.Company, WithdrawalRequest: qredo.WithdrawalRequest{
			WalletID: fund.Wallets[0].ID, Address: address, Expires: qredo.TimeOf(srv.Now().Add(time.Hour)),
			Send: qredo.AssetAmount{Asset: "BTC", Amount: 1000},
		}})
		require.NoError(t, err)
		for entry, err := range box.Watch(ctx, key) {
			require.NoError(t, err)
			if until(entry) {
				return entry
			}
		}
		require.Fail(t, "it did not come that far")
		return outbox.Entry{}
	}
	sent := func(e outbox.Entry) bool { return e.State == outbox.StateSent }
	first := pay("first", sent)
	second := pay("second", func(e outbox.Entry) bool { return e.State.Ended() })
	assert.Equal(t, outbox.StateFailed, second.State)
	assert.Contains(t, second.Steps[len(second.Steps)-1].Note, "locked")
	require.NoError(t, srv.Approve("alice@example.com", string(first.TxID)))
	pay("second, later", sent)
	stop()
	require.NoError(t, <-ended)
}
