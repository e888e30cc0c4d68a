package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

func (a *app) fundCommands() *cobra.Command {
	return group("fund", "Funds, their wallets and whitelists",
		`A fund groups wallets under common rules: one custody group approves withdrawals, another transfers and swaps.`, `
		qredo fund create --name Clients --approver ID --wallet Treasury=BTC-TESTNET
		qredo fund get FUND_ID
		qredo fund whitelist add FUND_ID --asset BTC-TESTNET --address ADDRESS`,
		a.fundCreate(),
		a.command(command{
			use: "get FUND_ID", short: "Show a fund with its wallets and policies",
			long:    "Shows a fund: who approves, and its wallets with their balances.",
			example: "qredo fund get 2J4KcJ1FvXQZ7xpVxLq0hZmWvDA --output json",
			run: a.withFund(func(ctx context.Context, client *qredo.Client, company qredo.CompanyID, fund qredo.FundID) error {
				found, err := client.Funds.Get(ctx, company, fund)
				if err != nil {
					return err
				}
				return a.show(found)
			}),
		}),
		a.command(command{
			use: "search TEXT", short: "Find funds by name",
			long:    "Lists the company's funds whose name matches text of three letters or more.",
			example: "qredo fund search client",
			run: func(ctx context.Context, args []string) error {
				client, company, err := a.forCompany(nil)
				if err != nil {
					return err
				}
				found, err := client.Funds.Search(ctx, company, args[0])
				if err != nil {
					return err
				}
				return list(a, found, "ID", "Name")
			},
		}),
		a.fundAddWallet(),
		a.command(command{
			use: "add-asset FUND_ID ASSET...", short: "Make a wallet for each asset",
			long:    "Makes a wallet without a name for each asset, and prints the wallets' IDs.",
			example: "qredo fund add-asset 2J4KcJ1FvXQZ7xpVxLq0hZmWvDA ETH-TESTNET",
			run: func(ctx context.Context, args []string) error {
				client, company, err := a.forCompany(nil)
				if err != nil {
					return err
				}
				assets := make([]qredo.AssetCode, len(args)-1)
				for i, code := range args[1:] {
					assets[i] = qredo.AssetCode(code)
				}
				ids, err := client.Funds.AddAssets(ctx, company, qredo.FundID(args[0]), assets)
				if err != nil {
					return err
				}
				return list(a, walletLines(ids), "WalletID")
			},
		}),
		a.command(command{
			use: "deposits FUND_ID", short: "List where assets can be deposited",
			long:    "Lists the deposit address of each wallet, and what is there.",
			example: "qredo fund deposits 2J4KcJ1FvXQZ7xpVxLq0hZmWvDA",
			run: a.withFund(func(ctx context.Context, client *qredo.Client, company qredo.CompanyID, fund qredo.FundID) error {
				addresses, err := client.Funds.DepositAddresses(ctx, company, fund)
				if err != nil {
					return err
				}
				return list(a, addresses, "Asset", "Address", "Balance")
			}),
		}),
		a.whitelistCommands(),
	)
}

// withFund runs a command whose argument is a fund.
func (a *app) withFund(f func(context.Context, *qredo.Client, qredo.CompanyID, qredo.FundID) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		client, company, err := a.forCompany(nil)
		if err != nil {
			return err
		}
		return f(ctx, client, company, qredo.FundID(args[0]))
	}
}

type walletLine struct{ WalletID qredo.WalletID }

func walletLines(ids []qredo.WalletID) []walletLine {
	lines := make([]walletLine, len(ids))
	for i, id := range ids {
		lines[i] = walletLine{id}
	}
	return lines
}

// custodyFlags describe who approves.
type custodyFlags struct {
	approvers, withdraw, tx                   []string
	threshold, withdrawThreshold, txThreshold int
}

func (c *custodyFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&c.approvers, "approver", nil, "trusted party who approves withdrawals and transfers; repeat for several")
	flags.IntVar(&c.threshold, "threshold", 0, "how many of them must approve (default all)")
	flags.StringSliceVar(&c.withdraw, "withdraw-approver", nil, "who approves withdrawals, in place of --approver")
	flags.IntVar(&c.withdrawThreshold, "withdraw-threshold", 0, "how many must approve a withdrawal (default --threshold, else all)")
	flags.StringSliceVar(&c.tx, "transfer-approver", nil, "who approves transfers and swaps, in place of --approver")
	flags.IntVar(&c.txThreshold, "transfer-threshold", 0, "how many must approve a transfer or swap (default --threshold, else all)")
}

// groups returns the custody groups for withdrawals and for transfers, or nil where nobody is named.
func (c *custodyFlags) groups() (withdraw, tx *qredo.CustodyGroup) {
	return c.group(c.withdraw, c.withdrawThreshold), c.group(c.tx, c.txThreshold)
}

func (c *custodyFlags) group(members []string, threshold int) *qredo.CustodyGroup {
	if len(members) == 0 {
		members = c.approvers
	}
	if len(members) == 0 {
		return nil
	}
	for _, candidate := range []int{threshold, c.threshold, len(members)} {
		if candidate != 0 {
			threshold = candidate
			break
		}
	}
	g := &qredo.CustodyGroup{Threshold: threshold}
	for _, m := range members {
		g.Members = append(g.Members, qredo.TrustedEntityID(m))
	}
	return g
}

func (a *app) fundCreate() *cobra.Command {
	var req qredo.FundRequest
	var custody custodyFlags
	var wallets []string
	cmd := a.command(command{
		use: "create", short: "Make a fund",
		long: `Makes a fund and prints its IDs. Approvers are IDs from "qredo party list"; without thresholds all of them
must approve. A wallet is given as NAME=ASSET.`,
		example: `qredo fund create --name Clients --approver ID1 --approver ID2 --transfer-threshold 1 --wallet Treasury=BTC-TESTNET`,
		run: func(ctx context.Context, _ []string) error {
			if err := required("name", req.Name); err != nil {
				return err
			}
			req.CustodyGroupWithdraw, req.CustodyGroupTx = custody.groups()
			for _, text := range wallets {
				name, asset, found := strings.Cut(text, "=")
				if !found || asset == "" {
					return usagef("--wallet must be NAME=ASSET, is %q", text)
				}
				req.Wallets = append(req.Wallets, qredo.WalletRequest{Name: name, Asset: qredo.AssetCode(asset)})
			}
			client, company, err := a.forCompany(nil)
			if err != nil {
				return err
			}
			made, err := client.Funds.Create(ctx, company, req)
			if err != nil {
				return err
			}
			return a.show(made)
		},
	})
	cmd.Flags().StringVar(&req.Name, "name", "", "name (required)")
	cmd.Flags().StringVar(&req.Description, "description", "", "description")
	cmd.Flags().StringSliceVar(&wallets, "wallet", nil, "wallet to make, as NAME=ASSET; repeat for several")
	custody.add(cmd)
	return cmd
}

func (a *app) fundAddWallet() *cobra.Command {
	var req qredo.WalletRequest
	var custody custodyFlags
	var asset, kind string
	var connect []string
	cmd := a.command(command{
		use: "add-wallet FUND_ID", short: "Make a wallet in a fund",
		long: `Makes a wallet and prints its ID. Without approvers of its own, those of the fund approve. --type is standard,
dedicated (connected to one counterparty, who also approves what leaves it) or multi (connected to several).`,
		example: "qredo fund add-wallet FUND_ID --name Trading --asset BTC-TESTNET\nqredo fund add-wallet FUND_ID --name AtExchange --asset BTC-TESTNET --type dedicated --connect CORE_CLIENT_ID",
		run: func(ctx context.Context, args []string) error {
			kinds := map[string]qredo.WalletType{
				"standard": qredo.WalletStandard, "dedicated": qredo.WalletDedicated, "multi": qredo.WalletMultiCounterparty,
			}
			if err := required("asset", asset); err != nil {
				return err
			}
			if err := oneOf("type", kind, "standard", "dedicated", "multi"); err != nil {
				return err
			}
			req.Asset, req.Type = qredo.AssetCode(asset), kinds[kind]
			req.CustodyGroupWithdraw, req.CustodyGroupTx = custody.groups()
			for _, text := range connect {
				counterparty, own, _ := strings.Cut(text, "=")
				req.Connect = append(req.Connect, qredo.ConnectRequest{CounterpartyID: counterparty, ClientID: own})
			}
			client, company, err := a.forCompany(nil)
			if err != nil {
				return err
			}
			ids, err := client.Funds.AddWallets(ctx, company, qredo.FundID(args[0]), []qredo.WalletRequest{req})
			if err != nil {
				return err
			}
			return list(a, walletLines(ids), "WalletID")
		},
	})
	cmd.Flags().StringVar(&req.Name, "name", "", "name")
	cmd.Flags().StringVar(&asset, "asset", "", "asset (required)")
	cmd.Flags().StringVar(&kind, "type", "standard", "standard, dedicated or multi")
	cmd.Flags().StringSliceVar(&connect, "connect", nil, "counterparty to connect to, as COUNTERPARTY_ID or COUNTERPARTY_ID=YOUR_ID_THERE")
	custody.add(cmd)
	return cmd
}

func (a *app) whitelistCommands() *cobra.Command {
	var options qredo.WhitelistOptions
	show := a.command(command{
		use: "list FUND_ID", short: "List where a fund may withdraw to",
		long:    "Lists the addresses that a fund may withdraw to.",
		example: "qredo fund whitelist list FUND_ID --asset BTC-TESTNET",
		run: a.withFund(func(ctx context.Context, client *qredo.Client, company qredo.CompanyID, fund qredo.FundID) error {
			entries, err := client.Funds.Whitelist(ctx, company, fund, options)
			if err != nil {
				return err
			}
			return list(a, entries, "Asset", "Address", "Name")
		}),
	})
	show.Flags().StringVar((*string)(&options.Asset), "asset", "", "only of this asset")
	show.Flags().StringVar(&options.Address, "address", "", "only this address")
	var entry qredo.WhitelistEntry
	allow := a.command(command{
		use: "add FUND_ID", short: "Allow a fund to withdraw to an address",
		long:    "Allows a fund to withdraw an asset to an address on its chain.",
		example: "qredo fund whitelist add FUND_ID --asset BTC-TESTNET --address tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx --name 'Cold storage'",
		run: a.withFund(func(ctx context.Context, client *qredo.Client, company qredo.CompanyID, fund qredo.FundID) error {
			if err := required("asset", string(entry.Asset), "address", entry.Address); err != nil {
				return err
			}
			if err := client.Funds.AddToWhitelist(ctx, company, fund, entry); err != nil {
				return err
			}
			return a.done("%s is whitelisted for %s", plain(entry.Address), plain(string(entry.Asset)))
		}),
	})
	allow.Flags().StringVar((*string)(&entry.Asset), "asset", "", "asset (required)")
	allow.Flags().StringVar(&entry.Address, "address", "", "address (required)")
	allow.Flags().StringVar(&entry.Name, "name", "", "name of the address")
	return group("whitelist", "Where a fund may withdraw to",
		"A fund can withdraw to addresses on its whitelist only.", `
		qredo fund whitelist list FUND_ID
		qredo fund whitelist add FUND_ID --asset BTC-TESTNET --address ADDRESS`, show, allow)
}
