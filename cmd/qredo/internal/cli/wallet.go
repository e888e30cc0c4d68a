package cli

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

func (a *app) walletCommands() *cobra.Command {
	return group("wallet", "Wallets, their balances and histories",
		`A wallet holds one asset. Deposits arrive at its address; transfers go to and from its ID or short code.`, `
		qredo wallet get WALLET_ID
		qredo wallet history WALLET_ID --since 24h
		qredo wallet feed --wallet WALLET_ID`,
		a.command(command{
			use: "get WALLET_ID", short: "Show a wallet with its balance and policies",
			long:    "Shows a wallet. The balance includes what is held for transactions that wait for approval.",
			example: "qredo wallet get WALLET_ID",
			run:     a.withWallet(func(_ context.Context, c partnerCall) error { return a.show(c.wallet, nil) }),
		}),
		a.walletHistory(),
		a.walletMax(),
		a.walletPolicy(),
		a.command(command{
			use: "exchanges", short: "List the exchanges that wallets can be connected to",
			long:    "Lists the counterparties that dedicated and multi-counterparty wallets can be connected to: see \"qredo fund add-wallet\".",
			example: "qredo wallet exchanges",
			run: a.withClient(func(ctx context.Context, c partnerCall) error {
				return a.list(found(c.Wallets.ListExchanges(ctx)))
			}),
		}),
		a.walletFeed(),
	)
}

func (a *app) walletHistory() *cobra.Command {
	var since string
	return a.command(command{
		use: "history WALLET_ID", short: "List what moved in a wallet",
		long:    "Lists a wallet's completed movements. What left it is negative.",
		example: "qredo wallet history WALLET_ID --since 24h\nqredo wallet history WALLET_ID --since 2026-01-31T00:00:00Z",
		flags: func(f *flagSet) {
			f.StringVar(&since, "since", "", "from this moment on: a time, or a duration before now")
		},
		run: a.withWallets(func(ctx context.Context, c partnerCall) error {
			from, err := a.since(since)
			if err != nil {
				return err
			}
			id, err := a.walletIDNamed(ctx, c, c.args[0])
			if err != nil {
				return err
			}
			entries := found(c.historySince(ctx, id, from))
			return a.list(entries)
		}),
	})
}

// historySince returns a wallet's history from a moment on. The service may leave out the requested second itself.
func (c partnerCall) historySince(ctx context.Context, id qredo.WalletID, from qredo.Time) ([]qredo.HistoryEntry, error) {
	options := qredo.HistoryOptions{}
	if !from.IsZero() {
		options.Since = qredo.TimeOf(from.Add(-time.Second))
	}
	history, err := c.Wallets.ListHistory(ctx, id, options)
	return slices.DeleteFunc(history, func(h qredo.HistoryEntry) bool { return h.Time.Unix() < from.Unix() }), err
}

func (a *app) walletMax() *cobra.Command {
	var kind string
	var pending bool
	return a.command(command{
		use: "max WALLET_ID", short: "Show the most that can be sent from a wallet now",
		long: `Shows the most that can be sent from a wallet now, what that costs, and what leaves the wallet. --type is transfer,
withdraw or swap. The service's documents do not say whether --pending makes the result smaller or larger: run it both
ways and use the smaller result.`,
		example: "qredo wallet max WALLET_ID --type withdraw\nqredo wallet max WALLET_ID --pending",
		flags: func(f *flagSet) {
			f.StringVar(&kind, "type", "", "transfer, withdraw or swap")
			f.BoolVar(&pending, "pending", false, "count in what waits for approval")
		},
		check: func() error {
			if kind == "" {
				return nil
			}
			return oneOf("type", kind, "transfer", "withdraw", "swap")
		},
		run: a.withWallet(func(ctx context.Context, c partnerCall) error {
			most, err := c.Wallets.GetMaxAmount(ctx, c.wallet.ID, qredo.MaxAmountOptions{Type: qredo.MaxType(kind), Pending: pending})
			if err != nil {
				return err
			}
			return a.show(feeAnswer{c.wallet.Asset, *most}, nil)
		}),
	})
}

func (a *app) walletPolicy() *cobra.Command {
	var fund, kind string
	var custody custodyFlags
	return a.command(command{
		use: "policy WALLET_ID", short: "Request other approvers for a wallet",
		long: `Requests another custody group for a wallet that has one of its own. The current group must approve the change. --type is
transfer (also for swaps) or withdraw.`,
		example: "qredo wallet policy WALLET_ID --fund FUND_ID --type withdraw --approver ID1 --approver ID2 --threshold 2",
		flags: func(f *flagSet) {
			f.StringVar(&fund, "fund", "", "fund of the wallet")
			f.StringVar(&kind, "type", "", "transfer or withdraw")
			listVar(f, &custody.approvers, "approver", "trusted party who should approve; repeat for several")
			f.IntVar(&custody.threshold, "threshold", 0, "how many of them must approve (default all)")
			required(f, "fund", "type", "approver")
		},
		check: func() error { return oneOf("type", kind, "transfer", "withdraw") },
		run: a.withCompany(func(ctx context.Context, c partnerCall) error {
			fundID, err := a.fundNamed(ctx, c, fund)
			if err != nil {
				return err
			}
			wallet, err := a.walletNamed(ctx, c, c.args[0])
			if err != nil {
				return err
			}
			group, err := custody.group(ctx, a, c, nil, 0)
			if err != nil {
				return err
			}
			req := qredo.PolicyRequest{
				PolicyID: wallet.CustodyGroupTx, Type: qredo.PolicyTx, Threshold: group.Threshold, Members: group.Members,
			}
			if kind == "withdraw" {
				req.PolicyID, req.Type = wallet.CustodyGroupWithdraw, qredo.PolicyWithdraw
			}
			err = c.Wallets.UpdatePolicy(ctx, c.company, fundID, wallet.ID, req)
			return a.done(err, "the change waits for approval")
		}),
	})
}

func (a *app) walletFeed() *cobra.Command {
	var count int
	var since string
	var wallets []string
	return a.command(command{
		use: "feed", short: "Follow movements in connected wallets",
		long: `Prints each movement, in and out, of the dedicated wallets that are connected to your core clients, until it is
interrupted. This feed is made for exchanges: it does not report movements in your own wallets. For those, run "qredo
ledger list" or "qredo wallet history --since" regularly.

If the connection is lost, it reconnects and fills the gap from the wallets' histories, including those of --wallet, which
need not be connected.`,
		example: "qredo wallet feed --output json\nqredo wallet feed --wallet WALLET_ID --since 1h --count 10",
		flags: func(f *flagSet) {
			f.IntVar(&count, "count", 0, "stop after this many movements; 0 for no limit")
			f.StringVar(&since, "since", "", "start in the past: a time, or a duration before now")
			listVar(f, &wallets, "wallet", "also read the history of this wallet; repeat for several")
		},
		run: a.withWallets(func(ctx context.Context, c partnerCall) error {
			from, err := a.since(since)
			if err != nil {
				return err
			}
			opts := []qredo.FeedOption{}
			for _, text := range wallets {
				id, err := a.walletIDNamed(ctx, c, text)
				if err != nil {
					return err
				}
				opts = append(opts, qredo.WithWallets(id))
			}
			if !from.IsZero() {
				opts = append(opts, qredo.WithSince(from))
			}
			return printFeed(ctx, a, c.Wallets.Feed(ctx, opts...), count, "timestamp Status wallet_id amount tx_id")
		}),
	})
}
