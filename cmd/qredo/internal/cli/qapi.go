package cli

import (
	"context"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
)

// withQAPI runs a command of Qredo API v1. Its assets' decimals come from the balance.
func (a *app) withQAPI(run func(context.Context, *qapi.Client, []string) error) func(context.Context, []string) error {
	return with(a.connectQAPI, func(ctx context.Context, client *qapi.Client, args []string) error {
		a.assets.source = func(ctx context.Context) ([]qredo.Asset, error) { return assetsOf(client.Balance.Get(ctx)) }
		return run(ctx, client, args)
	})
}

func assetsOf(balances qapi.Balances, err error) ([]qredo.Asset, error) {
	var assets []qredo.Asset
	for code, b := range balances {
		assets = append(assets, b.Asset(code))
	}
	return assets, err
}

func (a *app) qapiCommands() *cobra.Command {
	var archived bool
	return group("qapi", "Qredo API v1: reports, and Web3 transactions",
		`The second API. It has its own keys: an API key and a shared secret. --qapi-base-url sets its base URL. Default: beside the
Partner API's.`, `
		qredo qapi balance
		qredo qapi ledger FUND_ID
		qredo qapi tx create --from 0x… --to 0x… --value 0.5ETH --gas-limit 21000 --gas-price 20gwei`,
		a.command(command{
			use: "account", short: "Show the key's account", long: "Shows the account that the key belongs to.", example: "qredo qapi account",
			run: a.withQAPI(func(ctx context.Context, client *qapi.Client, _ []string) error {
				return a.show(client.Account.Get(ctx))
			}),
		}),
		a.qapiBalance(),
		a.command(command{
			use: "funds", short: "List the funds", long: "Lists the account's funds; with --archived, archived ones too.",
			example: "qredo qapi funds\nqredo qapi funds --archived",
			flags:   func(f *flagSet) { f.BoolVar(&archived, "archived", false, "include archived funds") },
			run: a.withQAPI(func(ctx context.Context, client *qapi.Client, _ []string) error {
				return a.list(found(client.Funds.List(ctx, qapi.FundsOptions{Archived: archived})))
			}),
		}),
		a.command(command{
			use: "fund FUND_ID", short: "Show a fund with its wallets", long: "Shows a fund, its approvers and its wallets.",
			example: "qredo qapi fund FUND_ID",
			run: a.withQAPI(func(ctx context.Context, client *qapi.Client, args []string) error {
				id, err := a.qapiFundNamed(ctx, client, args[0])
				if err != nil {
					return err
				}
				return a.show(client.Funds.Get(ctx, id))
			}),
		}),
		a.qapiLedger(),
		a.command(command{
			use: "parties", short: "List a personal account's trusted parties",
			long:    "Lists the parties that a personal account trusts or has invited. An organization's key is refused.",
			example: "qredo qapi parties",
			run: a.withQAPI(func(ctx context.Context, client *qapi.Client, _ []string) error {
				return a.list(found(client.TrustedParties.List(ctx)))
			}),
		}),
		a.qapiHistory(),
		a.web3Commands(),
		a.qapiFeed(),
	)
}

// balanceLine is the balance of one asset.
type balanceLine struct {
	Asset qredo.AssetCode `json:"asset"`
	qapi.AssetBalance
}

func (a *app) qapiBalance() *cobra.Command {
	return a.command(command{
		use: "balance", short: "List the balance of each asset", long: "Lists the balances of all funds together, by asset.",
		example: "qredo qapi balance",
		run: a.withQAPI(func(ctx context.Context, client *qapi.Client, _ []string) error {
			balances, err := client.Balance.Get(ctx)
			if err != nil {
				return err
			}
			a.assets.source = func(context.Context) ([]qredo.Asset, error) { return assetsOf(balances, nil) }
			var lines []balanceLine
			for _, code := range slices.Sorted(maps.Keys(balances)) {
				lines = append(lines, balanceLine{code, balances[code]})
			}
			return a.list(found(lines, nil))
		}),
	})
}

func (a *app) qapiFeed() *cobra.Command {
	var count int
	var follows []string
	return a.command(command{
		use: "feed", short: "Follow changes of Web3 transactions",
		long:    "Prints each change of the account's Web3 transactions until it is interrupted. --tx prints an existing one from its start.",
		example: "qredo qapi feed --output json\nqredo qapi feed --tx TX_ID --count 2",
		flags: func(f *flagSet) {
			f.IntVar(&count, "count", 0, "stop after this many changes; 0 for no limit")
			listVar(f, &follows, "tx", "transaction to print from its start; repeat for several")
		},
		run: a.withQAPI(func(ctx context.Context, client *qapi.Client, _ []string) error {
			for _, id := range follows {
				if _, err := client.Transactions.Get(ctx, qredo.TxID(id)); err != nil {
					return err
				}
			}
			return printFeed(ctx, a, client.Transactions.Feed(ctx), count, "timestamp transaction.txID status message")
		}),
	})
}
