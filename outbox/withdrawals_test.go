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

// A service that locks a wallet while a withdrawal from it waits refuses a second one, which is made when the first has ended.
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
	box, err := outbox.New(srv.Client(), store, outbox.WithPollInterval(time.Millisecond), outbox.WithBackoff(time.Millisecond, 10*time.Millisecond))
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- box.Run(ctx) }()

	pay := func(key string) {
		t.Helper()
		_, err := box.Enqueue(ctx, key, outbox.Withdrawal{CompanyID: fund.Company, WithdrawalRequest: qredo.WithdrawalRequest{
			WalletID: fund.Wallets[0].ID, Address: address, Expires: qredo.TimeOf(srv.Now().Add(time.Hour)),
			Send: qredo.AssetAmount{Asset: "BTC", Amount: 1000},
		}})
		require.NoError(t, err)
	}
	until := func(key string, wanted func(outbox.Entry) bool) outbox.Entry {
		t.Helper()
		for entry, err := range box.Watch(ctx, key) {
			require.NoError(t, err)
			if wanted(entry) {
				return entry
			}
		}
		require.Fail(t, "it did not come that far")
		return outbox.Entry{}
	}
	sent := func(e outbox.Entry) bool { return e.State == outbox.StateSent }
	pay("first")
	first := until("first", sent)
	pay("second")
	second := until("second", func(e outbox.Entry) bool { return e.Attempts > 1 && len(e.Steps) > 1 })
	assert.Equal(t, outbox.StatePending, second.State)
	assert.False(t, second.Unknown, "the service has said that it made none")
	assert.Contains(t, second.Steps[1].Note, "locked")
	require.NoError(t, srv.Approve("alice@example.com", string(first.TxID)))
	until("second", sent)
	stop()
	require.NoError(t, <-ended)
}
