package sandbox

import "github.com/qredo-go/qredo"

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

// fee is a thousandth, rounded up.
func fee(amount int64) int64 {
	const part = 1000
	if amount%part == 0 {
		return amount / part
	}
	return amount/part + 1
}

// feesOf tells what becomes of an amount that is sent.
func feesOf(amount qredo.Amount) qredo.Fees {
	charged := qredo.Amount(fee(int64(amount)))
	return qredo.Fees{NetAmount: amount - charged, AmountToSend: amount, Fees: charged}
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
	return feesOf(req.Amount), nil
}
