package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

func (a *app) fundCommands() *cobra.Command {
	return group("fund", "Funds, their wallets and whitelists",
		`A fund groups wallets under common rules: one custody group approves withdrawals, another approves transfers and swaps.`, `
		qredo fund create --name Clients --approver ID --wallet Treasury=BTC-TESTNET
		qredo fund get FUND_ID
		qredo fund whitelist add FUND_ID --asset BTC-TESTNET --address ADDRESS`,
		a.fundCreate(),
		a.command(command{
			use: "get FUND_ID", short: "Show a fund with its wallets and policies",
			long:    "Shows a fund: who approves, and its wallets with their balances.",
			example: "qredo fund get 2J4KcJ1FvXQZ7xpVxLq0hZmWvDA --output json",
			run: a.withFund(func(ctx context.Context, c partnerCall) error {
				return a.show(c.Funds.Get(ctx, c.company, c.fund))
			}),
		}),
		a.command(command{
			use: "list", short: "List a company's funds",
			long:    "Lists all funds of the company.",
			example: "qredo fund list",
			run: a.withCompany(func(ctx context.Context, c partnerCall) error {
				return a.list(found(c.Funds.List(ctx, c.company)))
			}),
		}),
		a.command(command{
			use: "search TEXT", short: "Find funds by name",
			long:    "Lists the company's funds whose name contains the text.",
			example: "qredo fund search client",
			run: a.withCompany(func(ctx context.Context, c partnerCall) error {
				return a.list(found(c.Funds.Search(ctx, c.company, c.args[0])))
			}),
		}),
		a.fundAddWallet(),
		a.command(command{
			use: "add-asset FUND_ID ASSET...", short: "Create a wallet for each asset",
			long:    "Creates an unnamed wallet for each asset, and prints the wallets' IDs.",
			example: "qredo fund add-asset 2J4KcJ1FvXQZ7xpVxLq0hZmWvDA ETH-TESTNET",
			run: a.withFund(func(ctx context.Context, c partnerCall) error {
				var assets []qredo.AssetCode
				for _, code := range c.args[1:] {
					assets = append(assets, qredo.AssetCode(code))
				}
				return a.listWallets(c.Funds.AddAssets(ctx, c.company, c.fund, assets))
			}),
		}),
		a.command(command{
			use: "deposits FUND_ID", short: "List where assets can be deposited",
			long:    "Lists the deposit address and balance of each wallet.",
			example: "qredo fund deposits 2J4KcJ1FvXQZ7xpVxLq0hZmWvDA",
			run: a.withFund(func(ctx context.Context, c partnerCall) error {
				return a.list(found(c.Funds.ListDepositAddresses(ctx, c.company, c.fund)))
			}),
		}),
		a.whitelistCommands(),
	)
}

// walletLine is a created wallet.
type walletLine struct {
	WalletID qredo.WalletID `json:"wallet_id"`
}

// listWallets prints the IDs of created wallets.
func (a *app) listWallets(ids []qredo.WalletID, err error) error {
	var lines []walletLine
	for _, id := range ids {
		lines = append(lines, walletLine{id})
	}
	return a.list(found(lines, err))
}

// custodyFlags describe who approves.
type custodyFlags struct {
	approvers, withdraw, tx                   []string
	threshold, withdrawThreshold, txThreshold int
}

func (c *custodyFlags) add(f *flagSet) {
	listVar(f, &c.approvers, "approver", "trusted party who approves withdrawals and transfers; repeat for several")
	f.IntVar(&c.threshold, "threshold", 0, "how many of them must approve (default all)")
	listVar(f, &c.withdraw, "withdraw-approver", "trusted party who approves withdrawals, instead of --approver")
	f.IntVar(&c.withdrawThreshold, "withdraw-threshold", 0, "how many must approve a withdrawal (default --threshold, or all)")
	listVar(f, &c.tx, "transfer-approver", "trusted party who approves transfers and swaps, instead of --approver")
	f.IntVar(&c.txThreshold, "transfer-threshold", 0, "how many must approve a transfer or swap (default --threshold, or all)")
}

// groups returns the custody groups for withdrawals and for transfers, or nil if nobody is named.
func (c *custodyFlags) groups(ctx context.Context, a *app, call partnerCall) (withdraw, tx *qredo.CustodyGroup, err error) {
	if withdraw, err = c.group(ctx, a, call, c.withdraw, c.withdrawThreshold); err != nil {
		return nil, nil, err
	}
	tx, err = c.group(ctx, a, call, c.tx, c.txThreshold)
	return withdraw, tx, err
}

func (c *custodyFlags) group(ctx context.Context, a *app, call partnerCall, members []string, threshold int) (*qredo.CustodyGroup, error) {
	if len(members) == 0 {
		members = c.approvers
	}
	if len(members) == 0 {
		return nil, nil
	}
	g := &qredo.CustodyGroup{Threshold: cmp.Or(threshold, c.threshold, len(members))}
	for _, text := range members {
		id, err := a.partyNamed(ctx, call, text)
		if err != nil {
			return nil, err
		}
		g.Members = append(g.Members, id)
	}
	return g, nil
}

func (a *app) fundCreate() *cobra.Command {
	var req qredo.FundRequest
	var custody custodyFlags
	var wallets []string
	return a.command(command{
		use: "create", short: "Create a fund",
		long: `Creates a fund and prints its IDs. Approvers are IDs from "qredo party list"; without thresholds, all of them must
approve. Without approvers, nobody can approve what should leave the fund: it waits until it expires, unless the wallet
has its own approvers. Give a wallet as NAME=ASSET.`,
		example: `qredo fund create --name Clients --approver ID1 --approver ID2 --transfer-threshold 1 --wallet Treasury=BTC-TESTNET`,
		flags: func(f *flagSet) {
			f.StringVar(&req.Name, "name", "", "name")
			f.StringVar(&req.Description, "description", "", "description")
			listVar(f, &wallets, "wallet", "wallet to create, as NAME=ASSET; repeat for several")
			required(f, "name")
			custody.add(f)
		},
		run: a.withCompany(func(ctx context.Context, c partnerCall) error {
			var err error
			if req.CustodyGroupWithdraw, req.CustodyGroupTx, err = custody.groups(ctx, a, c); err != nil {
				return err
			}
			for _, text := range wallets {
				name, asset, found := strings.Cut(text, "=")
				if !found || asset == "" {
					return usagef("--wallet must be NAME=ASSET, not %q", text)
				}
				req.Wallets = append(req.Wallets, qredo.WalletRequest{Name: name, Asset: qredo.AssetCode(asset)})
			}
			made, err := c.Funds.Create(ctx, c.company, req)
			if err == nil {
				a.warnWithoutGroups(req)
			}
			return a.show(made, err)
		}),
	})
}

// warnWithoutGroups warns about what cannot leave a new fund. The fund is created all the same.
func (a *app) warnWithoutGroups(req qredo.FundRequest) {
	what := ""
	switch {
	case req.CustodyGroupWithdraw == nil && req.CustodyGroupTx == nil:
		what = "anything that should leave it"
	case req.CustodyGroupWithdraw == nil:
		what = "withdrawals"
	case req.CustodyGroupTx == nil:
		what = "transfers and swaps"
	default:
		return
	}
	fmt.Fprintf(a.err, "warning: the fund has no approvers for %s: unless the wallet has its own, requests wait until they expire\n", what)
}

func (a *app) fundAddWallet() *cobra.Command {
	var req qredo.WalletRequest
	var custody custodyFlags
	var kind string
	var connect []string
	return a.command(command{
		use: "add-wallet FUND_ID", short: "Create a wallet in a fund",
		long: `Creates a wallet and prints its ID. Without approvers of its own, the fund's approve. --type is standard, dedicated
(connected to one counterparty, who also approves what leaves it) or multi (connected to several).`,
		example: "qredo fund add-wallet FUND_ID --name Trading --asset BTC-TESTNET\nqredo fund add-wallet FUND_ID --name AtExchange --asset BTC-TESTNET --type dedicated --connect CORE_CLIENT_ID",
		flags: func(f *flagSet) {
			f.StringVar(&req.Name, "name", "", "name")
			f.StringVar((*string)(&req.Asset), "asset", "", "asset")
			f.StringVar(&kind, "type", "standard", "standard, dedicated or multi")
			listVar(f, &connect, "connect", "counterparty to connect to, as COUNTERPARTY_ID or COUNTERPARTY_ID=YOUR_ID_THERE")
			required(f, "asset")
			custody.add(f)
		},
		check: func() error { return oneOf("type", kind, "standard", "dedicated", "multi") },
		run: a.withFund(func(ctx context.Context, c partnerCall) error {
			req.Type = map[string]qredo.WalletType{
				"standard": qredo.WalletStandard, "dedicated": qredo.WalletDedicated, "multi": qredo.WalletMultiCounterparty,
			}[kind]
			var err error
			if req.CustodyGroupWithdraw, req.CustodyGroupTx, err = custody.groups(ctx, a, c); err != nil {
				return err
			}
			for _, text := range connect {
				counterparty, own, _ := strings.Cut(text, "=")
				id, err := a.exchangeNamed(ctx, c, counterparty)
				if err != nil {
					return err
				}
				req.Connect = append(req.Connect, qredo.ConnectRequest{CounterpartyID: id, ClientID: own})
			}
			return a.listWallets(c.Funds.AddWallets(ctx, c.company, c.fund, []qredo.WalletRequest{req}))
		}),
	})
}

func (a *app) whitelistCommands() *cobra.Command {
	var options qredo.WhitelistOptions
	show := a.command(command{
		use: "list FUND_ID", short: "List where a fund may withdraw to",
		long:    "Lists the addresses that a fund may withdraw to.",
		example: "qredo fund whitelist list FUND_ID --asset BTC-TESTNET",
		flags: func(f *flagSet) {
			f.StringVar((*string)(&options.Asset), "asset", "", "only this asset")
			f.StringVar(&options.Address, "address", "", "only this address")
		},
		run: a.withFund(func(ctx context.Context, c partnerCall) error {
			return a.list(found(c.Funds.ListWhitelist(ctx, c.company, c.fund, options)))
		}),
	})
	var entry qredo.WhitelistEntry
	allow := a.command(command{
		use: "add FUND_ID", short: "Allow a fund to withdraw to an address",
		long:    "Allows a fund to withdraw an asset to an address on its chain.",
		example: "qredo fund whitelist add FUND_ID --asset BTC-TESTNET --address tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx --name 'Cold storage'",
		flags: func(f *flagSet) {
			f.StringVar((*string)(&entry.Asset), "asset", "", "asset")
			f.StringVar(&entry.Address, "address", "", "address")
			f.StringVar(&entry.Name, "name", "", "name of the address")
			required(f, "asset", "address")
		},
		run: a.withFund(func(ctx context.Context, c partnerCall) error {
			err := c.Funds.AddToWhitelist(ctx, c.company, c.fund, entry)
			return a.done(err, "%s is whitelisted for %s", plain(entry.Address), plain(string(entry.Asset)))
		}),
	})
	return group("whitelist", "Where a fund may withdraw to",
		"A fund can only withdraw to addresses on its whitelist.", `
		qredo fund whitelist list FUND_ID
		qredo fund whitelist add FUND_ID --asset BTC-TESTNET --address ADDRESS`, show, allow)
}
