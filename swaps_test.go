package qredo_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/internal/fieldcheck"
)

func TestSwapsMake(t *testing.T) {
	got, err := clienttest.ServeFixture(t, "swaps_make").Swaps.Make(t.Context(), clienttest.CompanyID, qredo.SwapRequest{
		SendWalletID: clienttest.WalletID, ReceiveWalletID: clienttest.OtherWalletID, Reference: "quote 3", PartnerTxID: "order-0003",
		Expires: clienttest.InAnHour, Send: qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: 100_000},
		Receive: qredo.AssetAmount{Asset: "ETH-TESTNET", Amount: 1_500_000_000}, AddToLiquidityHub: true,
	})
	require.NoError(t, err)
	want := &qredo.SwapSubmission{
		Submission: qredo.Submission{TxID: clienttest.TransferID, Status: qredo.SubmissionNew, PartnerTxID: "order-0003"},
		URL:        "https://qredo.network/aswp" + clienttest.TransferID,
	}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

func TestSwapsTake(t *testing.T) {
	got, err := clienttest.ServeFixture(t, "swaps_take").Swaps.Take(t.Context(), clienttest.CompanyID, qredo.TakeRequest{
		SwapID: clienttest.TransferID, SendWalletID: clienttest.OtherWalletID, ReceiveWalletID: clienttest.WalletID, Reference: "take 3", PartnerTxID: "order-0004",
	})
	require.NoError(t, err)
	require.Equal(t, &qredo.Submission{TxID: clienttest.WithdrawalID, Status: qredo.SubmissionNew, PartnerTxID: "order-0004"}, got)
}

func TestSwapsGetMake(t *testing.T) {
	got, err := clienttest.ServeFixture(t, "swaps_get_make").Swaps.GetMake(t.Context(), clienttest.CompanyID, clienttest.TransferID)
	require.NoError(t, err)
	require.Equal(t, transaction(clienttest.TransferID, qredo.TxTakerPending, clienttest.OtherWalletID), got)
}

func TestSwapsGetTake(t *testing.T) {
	got, err := clienttest.ServeFixture(t, "swaps_get_take").Swaps.GetTake(t.Context(), clienttest.CompanyID, clienttest.WithdrawalID)
	require.NoError(t, err)
	require.Equal(t, transaction(clienttest.WithdrawalID, qredo.TxTakerApproved, clienttest.OtherWalletID), got)
}

func TestSwapsCancelMake(t *testing.T) {
	require.NoError(t, clienttest.ServeFixture(t, "swaps_cancel_make").Swaps.CancelMake(t.Context(), clienttest.CompanyID, clienttest.TransferID))
}

func TestSwapsPublish(t *testing.T) {
	require.NoError(t, clienttest.ServeFixture(t, "swaps_publish").Swaps.Publish(t.Context(), clienttest.CompanyID, clienttest.TransferID))
}

// hubQuotes are what both fixtures of the hub hold.
var hubQuotes = []qredo.HubQuote{
	{
		TxID: clienttest.TransferID, SendAsset: "BTC-TESTNET", SendAmount: 100_000, ReceiveAsset: "ETH-TESTNET",
		ReceiveAmount: 1_500_000_000, Owner: true, Added: qredo.Unix(1700000200), Expires: qredo.Unix(1700003600),
	},
	{
		TxID: clienttest.WithdrawalID, SendAsset: "ETH", SendAmount: math.MaxInt64, ReceiveAsset: "BTC", ReceiveAmount: 1,
		Added: qredo.Unix(1700000300),
	},
}

func TestSwapsHub(t *testing.T) {
	fieldcheck.RequireAllSet(t, hubQuotes)
	for name, hub := range map[string]func(*qredo.Client) ([]qredo.HubQuote, error){
		"swaps_list_hub": func(c *qredo.Client) ([]qredo.HubQuote, error) {
			return c.Swaps.ListHub(t.Context(), clienttest.CompanyID)
		},
		"swaps_list_hub_all": func(c *qredo.Client) ([]qredo.HubQuote, error) { return c.Swaps.ListHubAll(t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			got, err := hub(clienttest.ServeFixture(t, name))
			require.NoError(t, err)
			require.Equal(t, hubQuotes, got)
		})
	}
}

// What cannot be a swap is refused before anything is sent.
func TestSwapsRefused(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.RefuseAll(t))
	for field, spoil := range map[string]func(*qredo.SwapRequest){
		"send_wallet_id":    func(r *qredo.SwapRequest) { r.SendWalletID = "" },
		"receive_wallet_id": func(r *qredo.SwapRequest) { r.ReceiveWalletID = "a/b" },
		"reference":         func(r *qredo.SwapRequest) { r.Reference = " " },
		"send.symbol":       func(r *qredo.SwapRequest) { r.Send.Asset = "" },
		"send.amount":       func(r *qredo.SwapRequest) { r.Send.Amount = 0 },
		"receive.symbol":    func(r *qredo.SwapRequest) { r.Receive.Asset = "" },
		"receive.amount":    func(r *qredo.SwapRequest) { r.Receive.Amount = -1 },
		"expires":           func(r *qredo.SwapRequest) { r.Expires = qredo.TimeOf(clienttest.Now) },
	} {
		req := clienttest.GoodSwap()
		spoil(&req)
		_, err := client.Swaps.Make(t.Context(), clienttest.CompanyID, req)
		clienttest.RequireInvalid(t, err, field)
	}
	endless := clienttest.GoodSwap()
	endless.Expires = qredo.Time{}
	_, err := client.Swaps.Make(t.Context(), clienttest.CompanyID, endless)
	clienttest.RequireInvalid(t, err, "expires") // the guides require it
	for field, spoil := range map[string]func(*qredo.TakeRequest){
		"swap_id":           func(r *qredo.TakeRequest) { r.SwapID = "" },
		"send_wallet_id":    func(r *qredo.TakeRequest) { r.SendWalletID = "" },
		"receive_wallet_id": func(r *qredo.TakeRequest) { r.ReceiveWalletID = ".." },
		"reference":         func(r *qredo.TakeRequest) { r.Reference = "" },
	} {
		req := clienttest.GoodTake()
		spoil(&req)
		_, err := client.Swaps.Take(t.Context(), clienttest.CompanyID, req)
		clienttest.RequireInvalid(t, err, field)
	}
	clienttest.RequireInvalid(t, client.Swaps.Publish(t.Context(), clienttest.CompanyID, ""), "tx_id")
}
