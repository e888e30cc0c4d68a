package qredo_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/fieldcheck"
)

func goodSwap() qredo.SwapRequest {
	return qredo.SwapRequest{
		SendWalletID: walletID, ReceiveWalletID: otherWalletID, Reference: "quote 3", Expires: inAnHour,
		Send: qredo.AssetAmount{Asset: "BTC", Amount: 1}, Receive: qredo.AssetAmount{Asset: "ETH", Amount: 2},
	}
}

func goodTake() qredo.TakeRequest {
	return qredo.TakeRequest{SwapID: transferID, SendWalletID: otherWalletID, ReceiveWalletID: walletID, Reference: "take 3"}
}

func TestSwapsMake(t *testing.T) {
	got, err := serveFixture(t, "swaps_make").Swaps.Make(t.Context(), companyID, qredo.SwapRequest{
		SendWalletID: walletID, ReceiveWalletID: otherWalletID, Reference: "quote 3", PartnerTxID: "order-0003",
		Expires: inAnHour, Send: qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: 100_000},
		Receive: qredo.AssetAmount{Asset: "ETH-TESTNET", Amount: 1_500_000_000}, AddToLiquidityHub: true,
	})
	require.NoError(t, err)
	want := &qredo.SwapSubmission{
		Submission: qredo.Submission{TxID: transferID, Status: qredo.SubmissionNew, PartnerTxID: "order-0003"},
		URL:        "https://qredo.network/aswp" + transferID,
	}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

func TestSwapsTake(t *testing.T) {
	got, err := serveFixture(t, "swaps_take").Swaps.Take(t.Context(), companyID, qredo.TakeRequest{
		SwapID: transferID, SendWalletID: otherWalletID, ReceiveWalletID: walletID, Reference: "take 3", PartnerTxID: "order-0004",
	})
	require.NoError(t, err)
	require.Equal(t, &qredo.Submission{TxID: withdrawalID, Status: qredo.SubmissionNew, PartnerTxID: "order-0004"}, got)
}

func TestSwapsGetMake(t *testing.T) {
	got, err := serveFixture(t, "swaps_get_make").Swaps.GetMake(t.Context(), companyID, transferID)
	require.NoError(t, err)
	require.Equal(t, transaction(transferID, qredo.TxTakerPending, otherWalletID), got)
}

func TestSwapsGetTake(t *testing.T) {
	got, err := serveFixture(t, "swaps_get_take").Swaps.GetTake(t.Context(), companyID, withdrawalID)
	require.NoError(t, err)
	require.Equal(t, transaction(withdrawalID, qredo.TxTakerApproved, otherWalletID), got)
}

func TestSwapsCancelMake(t *testing.T) {
	require.NoError(t, serveFixture(t, "swaps_cancel_make").Swaps.CancelMake(t.Context(), companyID, transferID))
}

func TestSwapsPublish(t *testing.T) {
	require.NoError(t, serveFixture(t, "swaps_publish").Swaps.Publish(t.Context(), companyID, transferID))
}

// hubQuotes are what both fixtures of the hub hold.
var hubQuotes = []qredo.HubQuote{
	{
		TxID: transferID, SendAsset: "BTC-TESTNET", SendAmount: 100_000, ReceiveAsset: "ETH-TESTNET",
		ReceiveAmount: 1_500_000_000, Owner: true, Added: qredo.Unix(1700000200), Expires: qredo.Unix(1700003600),
	},
	{
		TxID: withdrawalID, SendAsset: "ETH", SendAmount: math.MaxInt64, ReceiveAsset: "BTC", ReceiveAmount: 1,
		Added: qredo.Unix(1700000300),
	},
}

func TestSwapsHub(t *testing.T) {
	fieldcheck.RequireAllSet(t, hubQuotes)
	for name, hub := range map[string]func(*qredo.Client) ([]qredo.HubQuote, error){
		"swaps_list_hub":     func(c *qredo.Client) ([]qredo.HubQuote, error) { return c.Swaps.ListHub(t.Context(), companyID) },
		"swaps_list_hub_all": func(c *qredo.Client) ([]qredo.HubQuote, error) { return c.Swaps.ListHubAll(t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			got, err := hub(serveFixture(t, name))
			require.NoError(t, err)
			require.Equal(t, hubQuotes, got)
		})
	}
}

// What cannot be a swap is refused before anything is sent.
func TestSwapsRefused(t *testing.T) {
	client := newClient(t, refuseAll(t))
	for field, spoil := range map[string]func(*qredo.SwapRequest){
		"send_wallet_id":    func(r *qredo.SwapRequest) { r.SendWalletID = "" },
		"receive_wallet_id": func(r *qredo.SwapRequest) { r.ReceiveWalletID = "a/b" },
		"reference":         func(r *qredo.SwapRequest) { r.Reference = " " },
		"send.symbol":       func(r *qredo.SwapRequest) { r.Send.Asset = "" },
		"send.amount":       func(r *qredo.SwapRequest) { r.Send.Amount = 0 },
		"receive.symbol":    func(r *qredo.SwapRequest) { r.Receive.Asset = "" },
		"receive.amount":    func(r *qredo.SwapRequest) { r.Receive.Amount = -1 },
		"expires":           func(r *qredo.SwapRequest) { r.Expires = qredo.TimeOf(testNow) },
	} {
		req := goodSwap()
		spoil(&req)
		_, err := client.Swaps.Make(t.Context(), companyID, req)
		requireInvalid(t, err, field)
	}
	endless := goodSwap()
	endless.Expires = qredo.Time{}
	_, err := client.Swaps.Make(t.Context(), companyID, endless)
	requireInvalid(t, err, "expires") // the guides require it
	for field, spoil := range map[string]func(*qredo.TakeRequest){
		"swap_id":           func(r *qredo.TakeRequest) { r.SwapID = "" },
		"send_wallet_id":    func(r *qredo.TakeRequest) { r.SendWalletID = "" },
		"receive_wallet_id": func(r *qredo.TakeRequest) { r.ReceiveWalletID = ".." },
		"reference":         func(r *qredo.TakeRequest) { r.Reference = "" },
	} {
		req := goodTake()
		spoil(&req)
		_, err := client.Swaps.Take(t.Context(), companyID, req)
		requireInvalid(t, err, field)
	}
	requireInvalid(t, client.Swaps.Publish(t.Context(), companyID, ""), "tx_id")
}
