package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

// partnerAssets asks the Partner API how assets are counted.
func (a *app) partnerAssets(ctx context.Context) ([]qredo.Asset, error) {
	client, err := a.connect()
	if err != nil {
		return nil, err
	}
	return client.Assets.List(ctx)
}

func (a *app) assetCommands() *cobra.Command {
	columns := []string{"Code", "Name", "UnitCode", "Scale", "Enabled", "TestAsset"}
	return group("asset", "What can be kept", `Tells which assets there are and how they are counted.`, `
		qredo asset list
		qredo asset get BTC-TESTNET`,
		a.command(command{
			use: "list", short: "List all assets",
			long:    "Lists all assets with their code, their unit, and how many base units one unit has.",
			example: "qredo asset list\nqredo asset list --output json",
			run: func(ctx context.Context, _ []string) error {
				assets, err := a.partnerAssets(ctx)
				if err != nil {
					return err
				}
				return list(a, assets, columns...)
			},
		}),
		a.command(command{
			use: "get CODE", short: "Show one asset",
			long:    "Shows the asset with a code.",
			example: "qredo asset get ETH",
			run: func(ctx context.Context, args []string) error {
				client, err := a.connect()
				if err != nil {
					return err
				}
				asset, err := client.Assets.Find(ctx, qredo.AssetCode(args[0]))
				if err != nil {
					return err
				}
				return a.show(asset)
			},
		}),
	)
}

func (a *app) feeCommand() *cobra.Command {
	var kind, amount, asset string
	var baseUnits bool
	cmd := a.command(command{
		use: "fee", short: "What a movement would cost",
		long: `Asks what it would cost to move an amount: what leaves the wallet, what the fees are, and what arrives.
--type is withdraw, transfer or swap.`,
		example: "qredo fee --type withdraw --amount 0.25BTC\nqredo fee --type transfer --amount 25000000 --base-units --asset BTC",
		run: func(ctx context.Context, _ []string) error {
			kinds := map[string]qredo.FeeType{
				"withdraw": qredo.FeeWithdraw, "transfer": qredo.FeeTransferOut, "transferOut": qredo.FeeTransferOut, "swap": qredo.FeeSwap,
			}
			if err := required("type", kind, "amount", amount); err != nil {
				return err
			}
			if kinds[kind] == "" {
				return oneOf("type", kind, "withdraw", "transfer", "swap")
			}
			if baseUnits && asset == "" {
				return usagef("--base-units needs --asset")
			}
			client, err := a.connect()
			if err != nil {
				return err
			}
			send, err := a.money(ctx, "amount", amount, baseUnits, qredo.AssetCode(asset))
			if err != nil {
				return err
			}
			fees, err := client.Assets.Fees(ctx, qredo.FeesRequest{Type: kinds[kind], Asset: send.Asset, Amount: send.Amount})
			if err != nil {
				return err
			}
			return a.show(feeAnswer{send.Asset, *fees})
		},
	})
	cmd.Flags().StringVar(&kind, "type", "", "withdraw, transfer or swap (required)")
	cmd.Flags().StringVar(&amount, "amount", "", "amount with its asset, as in 0.25BTC (required)")
	cmd.Flags().BoolVar(&baseUnits, "base-units", false, "the amount is a whole number of base units")
	cmd.Flags().StringVar(&asset, "asset", "", "asset of an amount in base units")
	return cmd
}

// feeAnswer is what a movement costs, with the asset that is counted.
type feeAnswer struct {
	Asset qredo.AssetCode
	qredo.Fees
}
