package sandbox

import (
	"fmt"
	"math"
	"net/http"

	"github.com/qredo-go/qredo"
)

// knownAssets are those the contract names. Where it does not give a scale, RULES.md says what stands
// here and that it is inferred.
func knownAssets() []qredo.Asset {
	const satoshi, gwei, micro = 100_000_000, 1_000_000_000, 1_000_000
	asset := func(code qredo.AssetCode, name, unit string, scale int64, test bool) qredo.Asset {
		return qredo.Asset{Code: code, Name: name, UnitCode: unit, Scale: scale, Enabled: true, TestAsset: test}
	}
	return []qredo.Asset{
		asset("BTC", "Bitcoin", "BTC", satoshi, false),
		asset("BTC-TESTNET", "Bitcoin Testnet", "BTC-TEST", satoshi, true),
		asset("ETH", "Ethereum", "ETH", gwei, false),
		asset("ETH-TESTNET", "Ethereum Testnet", "ETH-TEST", gwei, true),
		asset("ETH-GOERLI", "Ethereum Goerli", "ETH-GOERLI", gwei, true),
		asset("USDT", "Tether", "USDT", micro, false),
		asset("USDC", "USD Coin", "USDC", micro, false),
		asset("QRDO", "Qredo Token", "QRDO", satoshi, false),
	}
}

// asset returns the asset with a code, if it is offered.
func (r *request) asset(code qredo.AssetCode) (qredo.Asset, error) {
	for _, a := range r.assets {
		if a.Code == code {
			return a, nil
		}
	}
	return qredo.Asset{}, badRequest("asset %q is not offered", code)
}

func listAssets(r *request) (any, error) {
	return map[string]any{"assets": r.assets}, nil
}

// feesOf tells what it takes to send what is to arrive: the fee comes on top.
func (c choices) feesOf(kind qredo.FeeType, asset qredo.AssetCode, net qredo.Amount) (qredo.Fees, error) {
	charged := c.fees(kind, asset, net)
	switch {
	case charged < 0:
		return qredo.Fees{}, &fault{http.StatusInternalServerError, "", fmt.Sprintf("the schedule of WithFees answers a negative fee, %d", charged)}
	case charged > math.MaxInt64-net:
		return qredo.Fees{}, badRequest("the amount and its fee are more than fits in 64 bits")
	}
	return qredo.Fees{NetAmount: net, AmountToSend: net + charged, Fees: charged}, nil
}

// most tells how much can arrive of what a wallet has. A fee that rises with the amount can leave a rest that
// is too little to send.
func (c choices) most(kind qredo.FeeType, asset qredo.AssetCode, available qredo.Amount) qredo.Fees {
	most := qredo.Fees{} // nothing is sent, which costs nothing
	for low, high := qredo.Amount(0), available; low < high; {
		net := high - (high-low)/2
		fees, err := c.feesOf(kind, asset, net)
		if err != nil || fees.AmountToSend > available {
			high = net - 1
			continue
		}
		most, low = fees, net
	}
	return most
}

func quoteFees(r *request, req qredo.FeesRequest) (any, error) {
	if _, err := r.asset(req.Asset); err != nil {
		return nil, err
	}
	switch req.Type {
	case qredo.FeeWithdraw, qredo.FeeTransferOut, qredo.FeeSwap:
	default:
		return nil, badRequest("type must be withdraw, transferOut or swap")
	}
	if req.Amount <= 0 {
		return nil, badRequest("amount must be more than zero")
	}
	return r.choices.feesOf(req.Type, req.Asset, req.Amount)
}
