package cli

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

func (a *app) walletCommands() *cobra.Command {
	return group("wallet", "Wallets, what they hold and did",
		`A wallet holds one asset. Deposits come to its address; transfers go from and to its ID or short code.`, `
		qredo wallet get WALLET_ID
		qredo wallet history WALLET_ID --since 24h
		qredo wallet feed --wallet WALLET_ID`,
		a.command(command{
			use: "get WALLET_ID", short: "Show a wallet with its balance and policies",
			long:    "Shows a wallet. The balance includes what is held for transactions that wait for approval.",
			example: "qredo wallet get WALLET_ID",
			run: a.withWallet(func(ctx context.Context, client *qredo.Client, id qredo.WalletID) error {
				wallet, err := client.Wallets.Get(ctx, id)
				if err != nil {
					return err
				}
				return a.show(wallet)
			}),
		}),
		a.walletHistory(),
		a.walletMax(),
		a.walletPolicy(),
		a.command(command{
			use: "exchanges", short: "List whom wallets can be connected to",
			long:    "Lists the counterparties that dedicated and multi-counterparty wallets can be connected to.",
			example: "qredo wallet exchanges",
			run: func(ctx context.Context, _ []string) error {
				client, err := a.connect()
				if err != nil {
					return err
				}
				exchanges, err := client.Wallets.Exchanges(ctx)
				if err != nil {
					return err
				}
				return list(a, exchanges, "ID", "Name", "URL")
			},
		}),
		a.walletFeed(),
	)
}

// withWallet runs a command whose argument is a wallet.
func (a *app) withWallet(f func(context.Context, *qredo.Client, qredo.WalletID) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		client, err := a.connect()
		if err != nil {
			return err
		}
		return f(ctx, client, qredo.WalletID(args[0]))
	}
}

// moment reads a time as RFC 3339, or as a duration before now.
func (a *app) moment(flag, text string) (qredo.Time, error) {
	if text == "" {
		return qredo.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return qredo.TimeOf(a.now().Add(-ago)), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return qredo.Time{}, usagef("--%s must be a time such as 2026-01-31T15:04:05Z, or how long ago, such as 24h; is %q", flag, text)
	}
	return qredo.TimeOf(at), nil
}

func (a *app) walletHistory() *cobra.Command {
	var since string
	cmd := a.command(command{
		use: "history WALLET_ID", short: "List what moved in a wallet",
		long:    "Lists the movements of a wallet that are done. What left it is negative.",
		example: "qredo wallet history WALLET_ID --since 24h\nqredo wallet history WALLET_ID --since 2026-01-31T00:00:00Z",
		run: a.withWallet(func(ctx context.Context, client *qredo.Client, id qredo.WalletID) error {
			from, err := a.moment("since", since)
			if err != nil {
				return err
			}
			entries, err := client.Wallets.History(ctx, id, qredo.HistoryOptions{Since: from})
			if err != nil {
				return err
			}
			return list(a, entries, "Time", "Amount", "Fees", "NetAmount", "TxID", "ChainTxID")
		}),
	})
	cmd.Flags().StringVar(&since, "since", "", "from this moment on: a time, or how long ago")
	return cmd
}

func (a *app) walletMax() *cobra.Command {
	var kind, pending string
	var baseUnits bool
	cmd := a.command(command{
		use: "max WALLET_ID", short: "Show the most that can leave a wallet now",
		long:    "Shows the most that can leave a wallet now, and what that would cost. --type is transfer, withdraw or swap.",
		example: "qredo wallet max WALLET_ID --type withdraw\nqredo wallet max WALLET_ID --pending 0.5BTC-TESTNET",
		run: a.withWallet(func(ctx context.Context, client *qredo.Client, id qredo.WalletID) error {
			if kind != "" {
				if err := oneOf("type", kind, "transfer", "withdraw", "swap"); err != nil {
					return err
				}
			}
			wallet, err := client.Wallets.Get(ctx, id)
			if err != nil {
				return err
			}
			options := qredo.MaxAmountOptions{Type: qredo.MaxType(kind)}
			if pending != "" {
				besides, err := a.money(ctx, "pending", pending, baseUnits, wallet.Asset)
				if err != nil {
					return err
				}
				options.Pending = besides.Amount
			}
			most, err := client.Wallets.MaxAmount(ctx, id, options)
			if err != nil {
				return err
			}
			return a.show(feeAnswer{wallet.Asset, *most})
		}),
	})
	cmd.Flags().StringVar(&kind, "type", "", "transfer, withdraw or swap")
	cmd.Flags().StringVar(&pending, "pending", "", "amount that is to leave the wallet besides")
	cmd.Flags().BoolVar(&baseUnits, "base-units", false, "the amount is a whole number of base units")
	return cmd
}

func (a *app) walletPolicy() *cobra.Command {
	var fund, kind string
	var approvers []string
	var threshold int
	cmd := a.command(command{
		use: "policy WALLET_ID", short: "Ask for other approvers of a wallet",
		long: `Asks for another custody group of a wallet that has one of its own. The update waits for the approval of the
group as it is. --type is transfer (also for swaps) or withdraw.`,
		example: "qredo wallet policy WALLET_ID --fund FUND_ID --type withdraw --approver ID1 --approver ID2 --threshold 2",
		run: a.withWallet(func(ctx context.Context, client *qredo.Client, id qredo.WalletID) error {
			if err := required("fund", fund, "type", kind); err != nil {
				return err
			}
			if err := oneOf("type", kind, "transfer", "withdraw"); err != nil {
				return err
			}
			company, err := a.company()
			if err != nil {
				return err
			}
			wallet, err := client.Wallets.Get(ctx, id)
			if err != nil {
				return err
			}
			group := (&custodyFlags{approvers: approvers, threshold: threshold}).group(nil, 0)
			if group == nil {
				return usagef("--approver must be given")
			}
			req := qredo.PolicyRequest{
				PolicyID: wallet.CustodyGroupTx, Type: qredo.PolicyTx, Threshold: group.Threshold, Members: group.Members,
			}
			if kind == "withdraw" {
				req.PolicyID, req.Type = wallet.CustodyGroupWithdraw, qredo.PolicyWithdraw
			}
			if err := client.Wallets.UpdatePolicy(ctx, company, qredo.FundID(fund), id, req); err != nil {
				return err
			}
			return a.done("the update waits for approval")
		}),
	})
	cmd.Flags().StringVar(&fund, "fund", "", "fund of the wallet (required)")
	cmd.Flags().StringVar(&kind, "type", "", "transfer or withdraw (required)")
	cmd.Flags().StringSliceVar(&approvers, "approver", nil, "trusted party who is to approve; repeat for several")
	cmd.Flags().IntVar(&threshold, "threshold", 0, "how many of them must approve (default all)")
	return cmd
}

// follow prints what a feed gives, a line each, and ends after count of them if that is not zero.
func follow[E any](ctx context.Context, a *app, feed iter.Seq2[E, error], count int, columns ...string) error {
	seen := 0
	for event, err := range feed {
		if err != nil {
			return err
		}
		if a.json() {
			if err := a.jsonLine(event); err != nil {
				return err
			}
		} else {
			a.feedLine(event, columns)
			if err := a.out.Flush(); err != nil {
				return err
			}
		}
		if seen++; seen == count {
			return nil
		}
	}
	if count > 0 {
		return fmt.Errorf("the feed ended after %d of %d: %w", seen, count, ctx.Err())
	}
	return nil
}

func (a *app) walletFeed() *cobra.Command {
	var count int
	var since string
	var wallets []string
	cmd := a.command(command{
		use: "feed", short: "Print what moves in the wallets, as it happens",
		long: `Prints each movement of the wallets once it is done, until it is interrupted. A lost connection is made again,
and what was missed in the meantime is filled in: from the beginning for wallets that --wallet names.`,
		example: "qredo wallet feed --output json\nqredo wallet feed --wallet WALLET_ID --since 1h --count 10",
		run: func(ctx context.Context, _ []string) error {
			client, err := a.connect()
			if err != nil {
				return err
			}
			from, err := a.moment("since", since)
			if err != nil {
				return err
			}
			opts := []qredo.FeedOption{}
			for _, w := range wallets {
				opts = append(opts, qredo.WithWallets(qredo.WalletID(w)))
			}
			if !from.IsZero() {
				if len(wallets) == 0 {
					return usagef("--since needs --wallet: the service has no list of all wallets")
				}
				opts = append(opts, qredo.WithSince(from))
			}
			return follow(ctx, a, client.Wallets.Feed(ctx, opts...), count, "Time", "Status", "WalletID", "Amount", "TxID")
		},
	})
	cmd.Flags().IntVar(&count, "count", 0, "end after this many movements; no end if 0")
	cmd.Flags().StringVar(&since, "since", "", "begin in the past: a time, or how long ago")
	cmd.Flags().StringSliceVar(&wallets, "wallet", nil, "wallet whose gaps are filled from the beginning; repeat for several")
	return cmd
}
