package scenario_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/sandbox"
)

// withFakeTime runs a test of an exchange in a bubble whose time passes when all wait. The client reaches
// the sandbox without a network, which would not be in the bubble.
func withFakeTime(t *testing.T, threshold int, test func(t *testing.T, x *exchange)) {
	t.Helper()
	clienttest.Bubble(t, func(t *testing.T) {
		service, err := sandbox.New()
		require.NoError(t, err)
		client, err := qredo.NewClient(service.Auth(), qredo.WithBaseURL("http://127.0.0.1/api/v1/p"),
			qredo.WithHTTPClient(&http.Client{Transport: inProcess{service}}))
		require.NoError(t, err)
		test(t, newExchange(t, client, service, threshold))
	})
}

func TestWaitEndsWhenEnoughHaveApproved(t *testing.T) {
	withFakeTime(t, 2, func(t *testing.T, x *exchange) {
		tx := x.transfer(1000)
		began := time.Now()
		time.AfterFunc(time.Minute, func() { assert.NoError(t, x.service.Approve(bob, string(tx))) })
		time.AfterFunc(3*time.Minute, func() { assert.NoError(t, x.service.Approve(alice, string(tx))) })
		got, err := x.client.Transfers.Wait(t.Context(), x.company, tx)
		require.NoError(t, err)
		assert.Equal(t, qredo.TxApproved, got.Status)
		assert.InDelta(t, 3*time.Minute, time.Since(began), float64(2*time.Second), "a poll's interval at most")
		assert.Equal(t, [2]qredo.Amount{998_999, 1000}, x.balances())
	})
}

func TestWaitEndsWhenEnoughHaveRejected(t *testing.T) {
	withFakeTime(t, 2, func(t *testing.T, x *exchange) {
		tx := x.withdrawal(1000)
		time.AfterFunc(time.Minute, func() { assert.NoError(t, x.service.Reject(bob, string(tx))) })
		time.AfterFunc(2*time.Minute, func() { assert.NoError(t, x.service.Reject(alice, string(tx))) })
		_, err := x.client.Transfers.WaitWithdrawal(t.Context(), x.company, tx)
		var failed *qredo.TxError
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, qredo.TxError{TxID: tx, Status: qredo.TxCustodyRejected}, *failed)
		assert.Equal(t, [2]qredo.Amount{1_000_000, 0}, x.balances())
	})
}

func TestWaitEndsWhenTheTransactionExpires(t *testing.T) {
	withFakeTime(t, 3, func(t *testing.T, x *exchange) {
		tx := x.transfer(1000)
		began := time.Now()
		require.NoError(t, x.service.Approve(bob, string(tx)))
		_, err := x.client.Transfers.Wait(t.Context(), x.company, tx, qredo.WithPollInterval(time.Second))
		var failed *qredo.TxError
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, qredo.TxExpired, failed.Status)
		assert.Equal(t, 10*time.Minute, time.Since(began), "at the moment of expiry")
		require.Error(t, x.service.Approve(alice, string(tx)))
		all := x.transfer(999_000) // what was held is available again
		assert.NotEmpty(t, all)
	})
}

func TestWaitEndsWithItsContextAndLeavesTheTransaction(t *testing.T) {
	withFakeTime(t, 1, func(t *testing.T, x *exchange) {
		tx := x.transfer(1000)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := x.client.Transfers.Wait(ctx, x.company, tx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, x.service.Approve(alice, string(tx)))
		got, err := x.client.Transfers.Wait(t.Context(), x.company, tx)
		require.NoError(t, err)
		assert.Equal(t, qredo.TxApproved, got.Status)
	})
}

func TestLedgerAllWalksAllPages(t *testing.T) {
	t.Run("newest first", func(t *testing.T) { walksAllPages(t, sandbox.NewestFirst) })
	t.Run("oldest first", func(t *testing.T) { walksAllPages(t, sandbox.OldestFirst) })
}

func walksAllPages(t *testing.T, order sandbox.LedgerOrder) {
	ctx := t.Context()
	srv := start(t, sandbox.WithLedgerOrder(order))
	x := newExchange(t, srv.Client(), srv.Sandbox, 1)
	for range 24 {
		_, err := srv.Deposit(x.trading.Address, 10)
		require.NoError(t, err)
	}
	for range 5 {
		require.NoError(t, srv.Approve(alice, string(x.transfer(1000))))
	}
	whole, err := x.client.Funds.ListLedger(ctx, x.company, x.fund, qredo.LedgerOptions{})
	require.NoError(t, err)
	require.Equal(t, 35, whole.Total, "25 deposits, and both sides of 5 transfers")
	for name, test := range map[string]struct {
		options qredo.LedgerOptions
		want    int
	}{
		"pages of one":         {qredo.LedgerOptions{Limit: 1}, 35},
		"pages that divide":    {qredo.LedgerOptions{Limit: 7}, 35},
		"a last page of a few": {qredo.LedgerOptions{Limit: 8}, 35},
		"one page":             {qredo.LedgerOptions{}, 35},
		"from the middle":      {qredo.LedgerOptions{Offset: 20, Limit: 4}, 15},
		"what went out":        {qredo.LedgerOptions{Direction: qredo.DirectionOut, Limit: 2}, 5},
		"of one wallet":        {qredo.LedgerOptions{WalletID: x.trading.ID, Limit: 3}, 29},
		"of no asset it has":   {qredo.LedgerOptions{Asset: "BTC", Limit: 3}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var got []qredo.LedgerEntry
			for entry, err := range x.client.Funds.LedgerAll(ctx, x.company, x.fund, test.options) {
				require.NoError(t, err)
				got = append(got, entry)
			}
			require.Len(t, got, test.want)
			if test.want == 35 {
				assert.Equal(t, whole.Entries, got)
			}
		})
	}
	t.Run("while entries come", func(t *testing.T) {
		seen, before := map[string]int{}, map[string]bool{}
		key := func(e qredo.LedgerEntry) string { return e.ChainTxID + string(e.TxID) + string(e.Type) }
		for _, e := range whole.Entries {
			before[key(e)] = true
		}
		for entry, err := range x.client.Funds.LedgerAll(ctx, x.company, x.fund, qredo.LedgerOptions{Limit: 10}) {
			require.NoError(t, err)
			if seen[key(entry)]++; len(seen) == 15 {
				_, err := srv.Deposit(x.trading.Address, 10)
				require.NoError(t, err)
				require.NoError(t, srv.Approve(alice, string(x.transfer(1000))))
			}
			delete(before, key(entry))
		}
		assert.Empty(t, before, "each that was there at the start is given")
		for key, times := range seen {
			assert.Equal(t, 1, times, key)
		}
	})
	t.Run("an end that the caller chooses", func(t *testing.T) {
		n := 0
		for _, err := range x.client.Funds.LedgerAll(ctx, x.company, x.fund, qredo.LedgerOptions{Limit: 2}) {
			require.NoError(t, err)
			if n++; n == 3 {
				break
			}
		}
		assert.Equal(t, 3, n)
	})
}
