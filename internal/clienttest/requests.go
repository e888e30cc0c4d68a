package clienttest

import (
	"strings"

	"github.com/qredo-go/qredo"

	"time"
)

var Acme = qredo.CompanyRequest{Name: "ACME Corp", City: "Paris", Country: "FR", Domain: "acme.example", Ref: CompanyRef}

// HexOf is a text of so many bytes in hexadecimal.
func HexOf(bytes int) string { return strings.Repeat("ab", bytes) }

func GoodSweep() qredo.SweepRequest {
	return qredo.SweepRequest{
		WalletID: WalletID, RecipientWalletID: OtherWalletID, Expires: InAnHour, Send: qredo.AssetAmount{Asset: "BTC", Amount: 1},
	}
}

func GoodAgent() qredo.AgentRequest {
	return qredo.AgentRequest{Name: "approver-1", BLSPublicKey: HexOf(192), ECPublicKey: HexOf(65)}
}

func GoodSwap() qredo.SwapRequest {
	return qredo.SwapRequest{
		SendWalletID: WalletID, ReceiveWalletID: OtherWalletID, Reference: "quote 3", Expires: InAnHour,
		Send: qredo.AssetAmount{Asset: "BTC", Amount: 1}, Receive: qredo.AssetAmount{Asset: "ETH", Amount: 2},
	}
}

func GoodTake() qredo.TakeRequest {
	return qredo.TakeRequest{SwapID: TransferID, SendWalletID: OtherWalletID, ReceiveWalletID: WalletID, Reference: "take 3"}
}

var InAnHour = qredo.TimeOf(Now.Add(time.Hour))

func GoodTransfer() qredo.TransferRequest {
	return qredo.TransferRequest{
		WalletID: WalletID, Counterparty: OtherWalletID, Expires: InAnHour, Send: qredo.AssetAmount{Asset: "BTC", Amount: 1},
	}
}

func GoodWithdrawal() qredo.WithdrawalRequest {
	return qredo.WithdrawalRequest{
		WalletID: WalletID, Address: PayoutAddress, Expires: InAnHour, Send: qredo.AssetAmount{Asset: "BTC", Amount: 1},
	}
}

func GoodPolicy() qredo.PolicyRequest {
	return qredo.PolicyRequest{
		PolicyID: PolicyTxID, Threshold: 2, Members: []qredo.TrustedEntityID{AliceID, CoreID}, Type: qredo.PolicyTx,
	}
}
