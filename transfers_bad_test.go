package qredo_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// badOutgoing are the mistakes that transfers and withdrawals share.
var badOutgoing = map[string]struct {
	field  string
	wallet qredo.WalletID
	send   qredo.AssetAmount
	at     qredo.Time
}{
	"no wallet":           {"wallet_id", "", qredo.AssetAmount{Asset: "BTC", Amount: 1}, inAnHour},
	"wallet with a slash": {"wallet_id", "a/b", qredo.AssetAmount{Asset: "BTC", Amount: 1}, inAnHour},
	"no asset":            {"send.symbol", walletID, qredo.AssetAmount{Amount: 1}, inAnHour},
	"nothing":             {"send.amount", walletID, qredo.AssetAmount{Asset: "BTC"}, inAnHour},
	"less than nothing":   {"send.amount", walletID, qredo.AssetAmount{Asset: "BTC", Amount: -1}, inAnHour},
	"least amount":        {"send.amount", walletID, qredo.AssetAmount{Asset: "BTC", Amount: math.MinInt64}, inAnHour},
	"no expiry":           {"expires", walletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.Time{}},
	"expiry of zero":      {"expires", walletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.Unix(0)},
	"expired":             {"expires", walletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.TimeOf(testNow.Add(-time.Second))},
	"expires now":         {"expires", walletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.TimeOf(testNow)},
	"expires on the wire": {"expires", walletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.TimeOf(testNow.Add(999 * time.Millisecond))},
	"expired long ago":    {"expires", walletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.Unix(-5)},
	"in 1970":             {"expires", walletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.Unix(1700000)},
}

func TestTransfersBadRequests(t *testing.T) {
	for name, tc := range badOutgoing {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, refuseAll(t))
			_, err := client.Transfers.Create(t.Context(), companyID, qredo.TransferRequest{
				WalletID: tc.wallet, Counterparty: otherWalletID, Expires: tc.at, Send: tc.send,
			})
			requireInvalid(t, err, tc.field)
			_, err = client.Transfers.Withdraw(t.Context(), companyID, qredo.WithdrawalRequest{
				WalletID: tc.wallet, Address: payoutAddress, Expires: tc.at, Send: tc.send,
			})
			requireInvalid(t, err, tc.field)
		})
	}
	client := newClient(t, refuseAll(t))
	for _, blank := range []string{"", " \n"} {
		transfer, withdrawal := goodTransfer(), goodWithdrawal()
		transfer.Counterparty, withdrawal.Address = blank, blank
		_, err := client.Transfers.Create(t.Context(), companyID, transfer)
		requireInvalid(t, err, "counterparty_wallet_address")
		_, err = client.Transfers.Withdraw(t.Context(), companyID, withdrawal)
		requireInvalid(t, err, "address")
	}
}

// The expiry is judged by the client's clock, not the machine's.
func TestTransfersExpiryFollowsTheClock(t *testing.T) {
	client := newClient(t, answerWith(200, `{"tx_id":"t"}`))
	req := goodTransfer()
	req.Expires = qredo.TimeOf(testNow.Add(time.Second)) // years ago by the machine's
	_, err := client.Transfers.Create(t.Context(), companyID, req)
	require.NoError(t, err)
}

// A success that names no transaction leaves the outcome unknown: it must not look like a success.
func TestSubmissionWithoutID(t *testing.T) {
	for _, body := range []string{``, ` `, `{}`, `null`, `{"code":200,"msg":"OK"}`, `{"tx_id":""}`, `{"tx_id":","}`, `[]`} {
		client := newClient(t, answerWith(200, body))
		got, err := client.Transfers.Create(t.Context(), companyID, goodTransfer())
		require.ErrorIs(t, err, qredo.ErrBadAnswer, body)
		require.Nil(t, got)
		var unknown *qredo.UnknownOutcomeError
		require.ErrorAs(t, err, &unknown)
		require.NotEmpty(t, unknown.PartnerTxID, "with it the request can be sent again")
		got, err = client.Transfers.Withdraw(t.Context(), companyID, goodWithdrawal())
		require.ErrorIs(t, err, qredo.ErrBadAnswer, body)
		require.Nil(t, got)
	}
}
