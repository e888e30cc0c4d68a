package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
)

// withQAPI runs a command of Qredo API v1. Its amounts are counted as the balance says.
func (a *app) withQAPI(f func(context.Context, *qapi.Client, []string) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		client, err := a.connectQAPI()
		if err != nil {
			return err
		}
		a.assets.source = func(ctx context.Context) ([]qredo.Asset, error) {
			balances, err := client.Balance.Get(ctx)
			if err != nil {
				return nil, err
			}
			var assets []qredo.Asset
			for code, b := range balances {
				assets = append(assets, b.Asset(code))
			}
			return assets, nil
		}
		return f(ctx, client, args)
	}
}

func (a *app) qapiCommands() *cobra.Command {
	var archived bool
	funds := a.command(command{
		use: "funds", short: "List the funds", long: "Lists the account's funds, or with --archived those that are archived.",
		example: "qredo qapi funds\nqredo qapi funds --archived",
		run: a.withQAPI(func(ctx context.Context, client *qapi.Client, _ []string) error {
			found, err := client.Funds.List(ctx, qapi.FundsOptions{Archived: archived})
			if err != nil {
				return err
			}
			return list(a, found, "ID", "Name")
		}),
	})
	funds.Flags().BoolVar(&archived, "archived", false, "those that are archived")
	return group("qapi", "Qredo API v1: reports, and Web3 transactions",
		`The second API. It has keys of its own: an API key and a shared secret. Its base URL is beside that of the Partner
API unless --qapi-base-url says otherwise.`, `
		qredo qapi balance
		qredo qapi ledger FUND_ID
		qredo qapi tx create --from 0x… --to 0x… --value 0.5ETH --gas-limit 21000 --gas-price 20gwei`,
		a.command(command{
			use: "account", short: "Show whose key it is", long: "Shows the account that the key belongs to.", example: "qredo qapi account",
			run: a.withQAPI(func(ctx context.Context, client *qapi.Client, _ []string) error {
				account, err := client.Account.Get(ctx)
				if err != nil {
					return err
				}
				return a.show(account)
			}),
		}),
		a.qapiBalance(),
		funds,
		a.command(command{
			use: "fund FUND_ID", short: "Show a fund with its wallets", long: "Shows a fund, who approves for it, and its wallets.",
			example: "qredo qapi fund FUND_ID",
			run: a.withQAPI(func(ctx context.Context, client *qapi.Client, args []string) error {
				fund, err := client.Funds.Get(ctx, qredo.FundID(args[0]))
				if err != nil {
					return err
				}
				return a.show(fund)
			}),
		}),
		a.command(command{
			use: "ledger FUND_ID", short: "List what moved in a fund", long: "Lists all movements of a fund. This API does not page them.",
			example: "qredo qapi ledger FUND_ID --output json",
			run: a.withQAPI(func(ctx context.Context, client *qapi.Client, args []string) error {
				ledger, err := client.Funds.Ledger(ctx, qredo.FundID(args[0]))
				if err != nil {
					return err
				}
				return list(a, ledger.Entries, "Time", "Type", "Amount", "Fees", "WalletID", "TxID", "Reference")
			}),
		}),
		a.command(command{
			use: "parties", short: "List whom the account trusts", long: "Lists those whom the account trusts, or has asked to join.",
			example: "qredo qapi parties",
			run: a.withQAPI(func(ctx context.Context, client *qapi.Client, _ []string) error {
				parties, err := client.TrustedParties.List(ctx)
				if err != nil {
					return err
				}
				return list(a, parties, "UserID", "Email", "FirstName", "LastName", "Internal", "Pending")
			}),
		}),
		a.command(command{
			use: "history WALLET_ID", short: "List what moved in a wallet", long: "Lists the movements of a wallet.",
			example: "qredo qapi history WALLET_ID",
			run: a.withQAPI(func(ctx context.Context, client *qapi.Client, args []string) error {
				entries, err := client.Wallets.History(ctx, qredo.WalletID(args[0]))
				if err != nil {
					return err
				}
				return list(a, entries, "Time", "Amount", "Fees", "NetAmount", "Status", "TxID")
			}),
		}),
		a.web3Commands(),
		a.qapiFeed(),
	)
}

// balanceLine is the balance of one asset.
type balanceLine struct {
	Asset qredo.AssetCode
	qapi.AssetBalance
}

func (a *app) qapiBalance() *cobra.Command {
	return a.command(command{
		use: "balance", short: "List how much there is of each asset", long: "Lists the balances of all funds together, by asset.",
		example: "qredo qapi balance",
		run: a.withQAPI(func(ctx context.Context, client *qapi.Client, _ []string) error {
			balances, err := client.Balance.Get(ctx)
			if err != nil {
				return err
			}
			a.assets.source = func(context.Context) ([]qredo.Asset, error) {
				var assets []qredo.Asset
				for code, b := range balances {
					assets = append(assets, b.Asset(code))
				}
				return assets, nil
			}
			lines := []balanceLine{}
			for _, code := range sortedKeys(balances) {
				lines = append(lines, balanceLine{code, balances[code]})
			}
			return list(a, lines, "Asset", "Total", "Available", "PendingIn", "PendingOut")
		}),
	})
}

func (a *app) qapiFeed() *cobra.Command {
	var count int
	var follows []string
	cmd := a.command(command{
		use: "feed", short: "Print how Web3 transactions change, as it happens",
		long:    "Prints each change of the account's Web3 transactions, until it is interrupted. --tx follows one that exists from its beginning.",
		example: "qredo qapi feed --output json\nqredo qapi feed --tx TX_ID --count 2",
		run: a.withQAPI(func(ctx context.Context, client *qapi.Client, _ []string) error {
			for _, id := range follows {
				if _, err := client.Transactions.Status(ctx, qredo.TxID(id)); err != nil {
					return err
				}
			}
			return follow(ctx, a, client.Transactions.Feed(ctx), count, "Time", "Transaction.ID", "Status", "Message")
		}),
	})
	cmd.Flags().IntVar(&count, "count", 0, "end after this many changes; no end if 0")
	cmd.Flags().StringSliceVar(&follows, "tx", nil, "transaction to follow from its beginning; repeat for several")
	return cmd
}
