package cli

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

// assetBook knows the assets' units and decimals. It asks for them once.
type assetBook struct {
	source func(ctx context.Context) ([]qredo.Asset, error)
	once   sync.Once
	list   []qredo.Asset
	err    error
}

var errUnknownAsset = errors.New("unknown asset")

func (b *assetBook) all(ctx context.Context) ([]qredo.Asset, error) {
	b.once.Do(func() {
		if b.source == nil {
			b.err = errUnknownAsset
			return
		}
		b.list, b.err = b.source(ctx)
	})
	return b.list, b.err
}

// find returns the asset with a code or unit.
func (b *assetBook) find(ctx context.Context, name qredo.AssetCode) (qredo.Asset, error) {
	assets, err := b.all(ctx)
	if err != nil {
		return qredo.Asset{}, err
	}
	for _, asset := range assets {
		if asset.Code == name {
			return asset, nil
		}
	}
	for _, asset := range assets {
		if strings.EqualFold(string(asset.Code), string(name)) || strings.EqualFold(asset.UnitCode, string(name)) {
			return asset, nil
		}
	}
	return qredo.Asset{}, errUnknownAsset
}

// partnerAssets asks the Partner API how assets are counted.
func (a *app) partnerAssets(ctx context.Context) ([]qredo.Asset, error) {
	client, err := a.connect()
	if err != nil {
		return nil, err
	}
	return client.Assets.List(ctx)
}

func (a *app) assetCommands() *cobra.Command {
	return group("asset", "Assets and their units", `Lists the assets, with their codes, units and decimals.`, `
		qredo asset list
		qredo asset get BTC-TESTNET`,
		a.command(command{
			use: "list", short: "List all assets",
			long:    "Lists all assets with their code, their unit, and how many base units one unit has.",
			example: "qredo asset list\nqredo asset list --output json",
			run: a.withClient(func(ctx context.Context, c partnerCall) error {
				return a.list(found(c.Assets.List(ctx)))
			}),
		}),
		a.command(command{
			use: "get CODE", short: "Show one asset",
			long:    "Shows the asset with a code.",
			example: "qredo asset get ETH",
			run: a.withClient(func(ctx context.Context, c partnerCall) error {
				return a.show(c.Assets.Find(ctx, qredo.AssetCode(c.args[0])))
			}),
		}),
	)
}

func (a *app) feeCommand() *cobra.Command {
	var kind, amount, asset string
	var baseUnits bool
	kinds := map[string]qredo.FeeType{
		"withdraw": qredo.FeeWithdraw, "transfer": qredo.FeeTransferOut, "transferOut": qredo.FeeTransferOut, "swap": qredo.FeeSwap,
	}
	return a.command(command{
		use: "fee", short: "Show what a movement would cost",
		long: `Asks for a quote: for an amount that should arrive, the fees and what leaves the wallet. --type is withdraw, transfer
or swap.`,
		example: "qredo fee --type withdraw --amount 0.25BTC\nqredo fee --type transfer --amount 25000000 --base-units --asset BTC",
		flags: func(f *flagSet) {
			f.StringVar(&kind, "type", "", "withdraw, transfer or swap")
			f.StringVar(&amount, "amount", "", "amount that should arrive, with its asset, as in 0.25BTC")
			f.BoolVar(&baseUnits, "base-units", false, "the amount is a whole number of base units")
			f.StringVar(&asset, "asset", "", "asset of an amount in base units")
			required(f, "type", "amount")
		},
		check: func() error {
			if kinds[kind] == "" {
				return oneOf("type", kind, "withdraw", "transfer", "swap")
			}
			if baseUnits && asset == "" {
				return usagef("--base-units needs --asset")
			}
			return nil
		},
		run: a.withClient(func(ctx context.Context, c partnerCall) error {
			send, err := a.money(ctx, "amount", amount, baseUnits, qredo.AssetCode(asset))
			if err != nil {
				return err
			}
			fees, err := c.Assets.GetFees(ctx, qredo.FeesRequest{Type: kinds[kind], Asset: send.Asset, Amount: send.Amount})
			if err != nil {
				return err
			}
			return a.show(feeAnswer{send.Asset, *fees}, nil)
		}),
	})
}

// feeAnswer is the cost of a movement, with its asset.
type feeAnswer struct {
	Asset qredo.AssetCode `json:"asset"`
	qredo.Fees
}
