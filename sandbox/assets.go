package sandbox

import (
	"slices"

	"github.com/qredo-go/qredo"
)

// knownAssets are the assets in the service's documents. RULES.md says which scales are inferred.
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

// Assets returns the assets that the sandbox offers. The scale of each says how many base units make one whole unit.
func (s *Sandbox) Assets() []qredo.Asset { return slices.Clone(s.assets) }
