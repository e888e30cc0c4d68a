package qredo_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// withKey are all requests that take a PartnerTxID, sent with one.
var withKey = map[string]func(context.Context, *qredo.Client, qredo.PartnerTxID, ...qredo.CallOption) error{
	"transfer": func(ctx context.Context, c *qredo.Client, key qredo.PartnerTxID, opts ...qredo.CallOption) error {
		req := clienttest.GoodTransfer()
		req.PartnerTxID = key
		_, err := c.Transfers.Create(ctx, clienttest.CompanyID, req, opts...)
		return err
	},
	"withdrawal": func(ctx context.Context, c *qredo.Client, key qredo.PartnerTxID, opts ...qredo.CallOption) error {
		req := clienttest.GoodWithdrawal()
		req.PartnerTxID = key
		_, err := c.Transfers.Withdraw(ctx, clienttest.CompanyID, req, opts...)
		return err
	},
	"sweep": func(ctx context.Context, c *qredo.Client, key qredo.PartnerTxID, opts ...qredo.CallOption) error {
		req := clienttest.GoodSweep()
		req.PartnerTxID = key
		_, err := c.CoreClients.Sweep(ctx, "agent", req, opts...)
		return err
	},
	"swap": func(ctx context.Context, c *qredo.Client, key qredo.PartnerTxID, opts ...qredo.CallOption) error {
		req := clienttest.GoodSwap()
		req.PartnerTxID = key
		_, err := c.Swaps.Make(ctx, clienttest.CompanyID, req, opts...)
		return err
	},
	"take": func(ctx context.Context, c *qredo.Client, key qredo.PartnerTxID, opts ...qredo.CallOption) error {
		req := clienttest.GoodTake()
		req.PartnerTxID = key
		_, err := c.Swaps.Take(ctx, clienttest.CompanyID, req, opts...)
		return err
	},
}

// A key that a service may cut, or that cannot be seen whole, would stand for two payments: the second would be taken
// for the first. It is refused before anything is sent, for every request that takes one.
func TestPartnerTxIDsThatStandForSeveral(t *testing.T) {
	for name, send := range withKey {
		for _, key := range []qredo.PartnerTxID{
			" ", "\t", "  \n", "\u00a0", "\u3000", " a", "a ", "a\n", "\u2003a", "a\x00", "a\tb", "a\nb", "a\x7f", "a\u0085b", "a\u200bb", "a\u2028b", "a\u2029b",
			"\ufeffa", "a\u202eb", "\u200b", "\xff", "a\xc3",
		} {
			err := send(t.Context(), clienttest.NewClient(t, clienttest.RefuseAll(t)), key)
			require.Error(t, err, "%s %q", name, key)
			clienttest.RequireInvalid(t, err, "partner_txID")
			err = send(t.Context(), clienttest.NewClient(t, clienttest.RefuseAll(t)), key, qredo.WithoutPartnerTxID(), qredo.WithoutExpiryCheck())
			clienttest.RequireInvalid(t, err, "partner_txID")
		}
		for _, key := range []qredo.PartnerTxID{"", "payment 7", "Zahlung-№ 7/é", "€", "日本"} {
			require.NoError(t, send(t.Context(), clienttest.NewClient(t, clienttest.AnswerWith(200, `{"tx_id":"t"}`)), key), "%s %q", name, key)
		}
	}
	bad := clienttest.GoodTransfer()
	bad.PartnerTxID = " "
	clienttest.RequireInvalid(t, bad.Validate(clienttest.Now), "partner_txID")
}

// A number of milliseconds lies so far ahead that nothing would ever be found, or ever expire. The end of the year 9999
// may be meant, by somebody who means never.
func TestTimesInMilliseconds(t *testing.T) {
	milliseconds := qredo.Unix(clienttest.Now.UnixMilli())
	never := qredo.TimeOf(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC))
	refusing := clienttest.NewClient(t, clienttest.RefuseAll(t))

	transfer, withdrawal := clienttest.GoodTransfer(), clienttest.GoodWithdrawal()
	transfer.Expires, withdrawal.Expires = qredo.Unix(clienttest.InAnHour.UnixMilli()), milliseconds
	_, err := refusing.Transfers.Create(t.Context(), clienttest.CompanyID, transfer)
	require.Contains(t, clienttest.RequireInvalid(t, err, "expires"), "milliseconds")
	_, err = refusing.Transfers.Withdraw(t.Context(), clienttest.CompanyID, withdrawal)
	clienttest.RequireInvalid(t, err, "expires")
	sweep, swap := clienttest.GoodSweep(), clienttest.GoodSwap()
	sweep.Expires, swap.Expires = milliseconds, milliseconds
	_, err = refusing.CoreClients.Sweep(t.Context(), "agent", sweep)
	clienttest.RequireInvalid(t, err, "expires")
	_, err = refusing.Swaps.Make(t.Context(), clienttest.CompanyID, swap)
	clienttest.RequireInvalid(t, err, "expires")
	_, err = refusing.Swaps.Make(t.Context(), clienttest.CompanyID, swap, qredo.WithoutExpiryCheck())
	clienttest.RequireInvalid(t, err, "expires")
	_, err = refusing.Wallets.ListHistory(t.Context(), clienttest.WalletID, qredo.HistoryOptions{Since: milliseconds})
	clienttest.RequireInvalid(t, err, "since")
	for _, opt := range []qredo.FeedOption{qredo.WithSince(milliseconds), qredo.WithWallets(clienttest.WalletID, "a/b")} {
		var problems []error
		for _, err := range refusing.Wallets.Feed(t.Context(), opt) {
			problems = append(problems, err)
		}
		require.Len(t, problems, 1, "the feed ends")
		var refused *qredo.ValidationError
		require.ErrorAs(t, problems[0], &refused)
	}

	taking := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"tx_id":"t","history":[]}`))
	swap.Expires = never
	_, err = taking.Swaps.Make(t.Context(), clienttest.CompanyID, swap)
	require.NoError(t, err)
	_, err = taking.Wallets.ListHistory(t.Context(), clienttest.WalletID, qredo.HistoryOptions{Since: never})
	require.NoError(t, err)
}
