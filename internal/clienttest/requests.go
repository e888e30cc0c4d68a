package clienttest

import (
	"strings"

	"github.com/qredo-go/qredo"

	"time"
)

// Acme is a company.
var Acme = qredo.CompanyRequest{Name: "ACME Corp", City: "Paris", Country: "FR", Domain: "acme.example", Ref: CompanyRef}

// HexOf is hexadecimal text for the given number of bytes.
func HexOf(bytes int) string { return strings.Repeat("ab", bytes) }

// GoodSweep is a sweep that nothing is wrong with.
func GoodSweep() qredo.SweepRequest {
	return qredo.SweepRequest{
		WalletID: WalletID, RecipientWalletID: OtherWalletID, Expires: InAnHour, Send: qredo.AssetAmount{Asset: "BTC", Amount: 1},
	}
}

// GoodAgent is a signing agent's registration that nothing is wrong with.
func GoodAgent() qredo.AgentRequest {
	return qredo.AgentRequest{Name: "approver-1", BLSPublicKey: HexOf(192), ECPublicKey: HexOf(65)}
}

// GoodSwap is a quote that nothing is wrong with.
func GoodSwap() qredo.SwapRequest {
	return qredo.SwapRequest{
		SendWalletID: WalletID, ReceiveWalletID: OtherWalletID, Reference: "quote 3", Expires: InAnHour,
		Send: qredo.AssetAmount{Asset: "BTC", Amount: 1}, Receive: qredo.AssetAmount{Asset: "ETH", Amount: 2},
	}
}

// GoodTake takes a quote, with nothing wrong.
func GoodTake() qredo.TakeRequest {
	return qredo.TakeRequest{SwapID: TransferID, SendWalletID: OtherWalletID, ReceiveWalletID: WalletID, Reference: "take 3"}
}

// InAnHour is an hour after Now.
var InAnHour = qredo.TimeOf(Now.Add(time.Hour))

// GoodTransfer is a transfer that nothing is wrong with.
func GoodTransfer() qredo.TransferRequest {
	return qredo.TransferRequest{
		WalletID: WalletID, Counterparty: OtherWalletID, Expires: InAnHour, Send: qredo.AssetAmount{Asset: "BTC", Amount: 1},
	}
}

// GoodWithdrawal is a withdrawal that nothing is wrong with.
func GoodWithdrawal() qredo.WithdrawalRequest {
	return qredo.WithdrawalRequest{
		WalletID: WalletID, Address: PayoutAddress, Expires: InAnHour, Send: qredo.AssetAmount{Asset: "BTC", Amount: 1},
	}
}

// GoodPolicy is a policy's update that nothing is wrong with.
func GoodPolicy() qredo.PolicyRequest {
	return qredo.PolicyRequest{
		PolicyID: PolicyTxID, Threshold: 2, Members: []qredo.TrustedEntityID{AliceID, CoreID}, Type: qredo.PolicyTx,
	}
}
