package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

func (a *app) swapCommands() *cobra.Command {
	makeGet := a.txGet("swap", func(ctx context.Context, c *qredo.Client, company qredo.CompanyID, tx qredo.TxID) (*qredo.Transaction, error) {
		return c.Swaps.GetMake(ctx, company, tx)
	})
	makeWait := a.txWait("swap", func(c *qredo.Client, company qredo.CompanyID) look {
		return func(ctx context.Context, tx qredo.TxID, opts ...qredo.CallOption) (*qredo.Transaction, error) {
			return c.Swaps.WaitMake(ctx, company, tx, opts...)
		}
	})
	takeGet := a.txGet("swap", func(ctx context.Context, c *qredo.Client, company qredo.CompanyID, tx qredo.TxID) (*qredo.Transaction, error) {
		return c.Swaps.GetTake(ctx, company, tx)
	})
	takeGet.Use, takeGet.Short, takeGet.Example = "get-take TX_ID", "Show the taker's side of a swap", "  qredo swap get-take TX_ID"
	takeWait := a.txWait("swap", func(c *qredo.Client, company qredo.CompanyID) look {
		return func(ctx context.Context, tx qredo.TxID, opts ...qredo.CallOption) (*qredo.Transaction, error) {
			return c.Swaps.WaitTake(ctx, company, tx, opts...)
		}
	})
	takeWait.Use, takeWait.Short, takeWait.Example = "wait-take TX_ID", "Follow the taker's side to its end", "  qredo swap wait-take TX_ID"
	return group("swap", "Swap assets between two parties",
		`A swap is offered (made) by one side and taken by the other. Each side's custody group approves it; then both
sides are settled in one step.`, `
		qredo swap make --from WALLET_ID --send 0.1BTC-TESTNET --into WALLET_ID --receive 2ETH-TESTNET --reference quote-1
		qredo swap take SWAP_ID --from WALLET_ID --into WALLET_ID --reference quote-1
		qredo swap cancel SWAP_ID`,
		a.swapMake(), makeGet, makeWait, a.swapTake(), takeGet, takeWait,
		a.command(command{
			use: "cancel SWAP_ID", short: "Withdraw an offer that nobody has taken",
			long:    "Withdraws an offered swap that nobody has taken. Its amount is free again.",
			example: "qredo swap cancel SWAP_ID",
			run: func(ctx context.Context, args []string) error {
				client, company, err := a.forCompany(nil)
				if err != nil {
					return err
				}
				if err := client.Swaps.CancelMake(ctx, company, qredo.TxID(args[0])); err != nil {
					return err
				}
				return a.done("%s is cancelled", plain(args[0]))
			},
		}),
	)
}

// swapSides are the wallets of one side of a swap.
type swapSides struct {
	submission
	from, into, reference string
}

func (s *swapSides) add(cmd *cobra.Command, expires string) {
	cmd.Flags().StringVar(&s.from, "from", "", "ID of the wallet that sends (required)")
	cmd.Flags().StringVar(&s.into, "into", "", "ID of the wallet that receives (required)")
	cmd.Flags().StringVar(&s.reference, "reference", "", "text for the ledger (required)")
	s.submission.add(cmd, expires)
}

// wallets reads both wallets.
func (s *swapSides) wallets(ctx context.Context, client *qredo.Client) (from, into *qredo.Wallet, err error) {
	if from, err = client.Wallets.Get(ctx, qredo.WalletID(s.from)); err == nil {
		into, err = client.Wallets.Get(ctx, qredo.WalletID(s.into))
	}
	return from, into, err
}

func (a *app) swapMake() *cobra.Command {
	var send, receive string
	var baseUnits, hub bool
	s := swapSides{submission: submission{app: a}}
	cmd := a.command(command{
		use: "make", short: "Offer a swap",
		long: `Shows what will be offered, asks, and offers it. When your custody group has approved the offer it can be taken
until it expires or is cancelled. --wait follows it until it is taken and settled.`,
		example: "qredo swap make --from WALLET_ID --send 0.1BTC-TESTNET --into WALLET_ID --receive 2ETH-TESTNET --reference quote-1 --hub",
		run: func(ctx context.Context, _ []string) error {
			if err := required("from", s.from, "send", send, "into", s.into, "receive", receive, "reference", s.reference); err != nil {
				return err
			}
			if err := s.check(); err != nil {
				return err
			}
			expires, err := s.until()
			if err != nil {
				return err
			}
			client, company, err := a.forCompany(nil)
			if err != nil {
				return err
			}
			from, into, err := s.wallets(ctx, client)
			if err != nil {
				return err
			}
			out, err := a.money(ctx, "send", send, baseUnits, from.Asset)
			if err != nil {
				return err
			}
			in, err := a.money(ctx, "receive", receive, baseUnits, into.Asset)
			if err != nil {
				return err
			}
			key, err := s.confirm(ctx, fmt.Sprintf("Offer %s for %s", a.figure(out.Amount, out.Asset), a.figure(in.Amount, in.Asset)),
				planned{"from", named(from)}, planned{"into", named(into)}, planned{"reference", s.reference},
				planned{"expires", expires.UTC().Format(time.RFC3339)})
			if err != nil {
				return err
			}
			sent, err := client.Swaps.Make(ctx, company, qredo.SwapRequest{
				SendWalletID: from.ID, ReceiveWalletID: into.ID, Reference: s.reference, PartnerTxID: key, Expires: expires,
				Send: out, Receive: in, AddToLiquidityHub: hub,
			})
			if err != nil {
				return err
			}
			return s.finish(ctx, sent, sent.Submission, func(ctx context.Context, tx qredo.TxID, opts ...qredo.CallOption) (*qredo.Transaction, error) {
				return client.Swaps.WaitMake(ctx, company, tx, opts...)
			})
		},
	})
	cmd.Flags().StringVar(&send, "send", "", "amount that is sent, as in 0.1BTC (required)")
	cmd.Flags().StringVar(&receive, "receive", "", "amount that is received, as in 2ETH (required)")
	cmd.Flags().BoolVar(&baseUnits, "base-units", false, "both amounts are whole numbers of base units")
	cmd.Flags().BoolVar(&hub, "hub", false, "list it on the liquidity hub as soon as it is approved")
	s.add(cmd, "24h")
	return cmd
}

func (a *app) swapTake() *cobra.Command {
	s := swapSides{submission: submission{app: a}}
	cmd := a.command(command{
		use: "take SWAP_ID", short: "Take an offered swap",
		long: `Shows which wallets the swap will use, asks, and takes it. When your custody group has approved, both sides are
settled. What is sent and received is what the quote says: see "qredo hub list".`,
		example: "qredo swap take SWAP_ID --from WALLET_ID --into WALLET_ID --reference quote-1 --wait",
		run: func(ctx context.Context, args []string) error {
			if err := required("from", s.from, "into", s.into, "reference", s.reference); err != nil {
				return err
			}
			if err := s.check(); err != nil {
				return err
			}
			client, company, err := a.forCompany(nil)
			if err != nil {
				return err
			}
			from, into, err := s.wallets(ctx, client)
			if err != nil {
				return err
			}
			plan := []planned{{"from", named(from)}, {"into", named(into)}, {"reference", s.reference}}
			key, err := s.confirm(ctx, "Take swap "+plain(args[0]), append(plan, a.quotePlan(ctx, client, qredo.TxID(args[0]))...)...)
			if err != nil {
				return err
			}
			sent, err := client.Swaps.Take(ctx, company, qredo.TakeRequest{
				SwapID: qredo.TxID(args[0]), SendWalletID: from.ID, ReceiveWalletID: into.ID, Reference: s.reference, PartnerTxID: key,
			})
			if err != nil {
				return err
			}
			return s.finish(ctx, sent, *sent, func(ctx context.Context, tx qredo.TxID, opts ...qredo.CallOption) (*qredo.Transaction, error) {
				return client.Swaps.WaitTake(ctx, company, tx, opts...)
			})
		},
	})
	s.add(cmd, "")
	return cmd
}

// quotePlan says what a quote on the hub asks for. A quote that is not listed there is not known before it is taken.
func (a *app) quotePlan(ctx context.Context, client *qredo.Client, swap qredo.TxID) []planned {
	quotes, err := client.Swaps.HubAll(ctx)
	if err == nil {
		for _, q := range quotes {
			if q.TxID == swap {
				return []planned{{"send", a.figure(q.ReceiveAmount, q.ReceiveAsset)}, {"receive", a.figure(q.SendAmount, q.SendAsset)}}
			}
		}
	}
	return []planned{{"amounts", "as the offer says, which is not on the hub: make sure that you know them"}}
}

func (a *app) hubCommands() *cobra.Command {
	var all bool
	show := a.command(command{
		use: "list", short: "List the quotes on the liquidity hub",
		long:    "Lists the quotes on the liquidity hub as the company sees them, or with --all every one that the API key can see.",
		example: "qredo hub list --all",
		run: func(ctx context.Context, _ []string) error {
			client, err := a.connect()
			if err != nil {
				return err
			}
			var quotes []qredo.HubQuote
			if all {
				quotes, err = client.Swaps.HubAll(ctx)
			} else {
				var company qredo.CompanyID
				if company, err = a.company(); err == nil {
					quotes, err = client.Swaps.Hub(ctx, company)
				}
			}
			if err != nil {
				return err
			}
			return list(a, quotes, "TxID", "SendAmount", "ReceiveAmount", "Owner", "Expires")
		},
	})
	show.Flags().BoolVar(&all, "all", false, "not only as one company sees them")
	var count int
	feed := a.command(command{
		use: "feed", short: "Print what happens on the liquidity hub, as it happens",
		long:    "Prints each change of a quote, first those that are listed, until it is interrupted.",
		example: "qredo hub feed --output json",
		run: func(ctx context.Context, _ []string) error {
			client, err := a.connect()
			if err != nil {
				return err
			}
			return follow(ctx, a, client.Swaps.Feed(ctx), count, "TxID", "Status")
		},
	})
	feed.Flags().IntVar(&count, "count", 0, "end after this many changes; no end if 0")
	return group("hub", "The liquidity hub, where swaps are offered",
		"Quotes on the hub are swaps that anybody of the account can take.", `
		qredo hub list
		qredo hub publish SWAP_ID`,
		show, feed,
		a.command(command{
			use: "publish SWAP_ID", short: "List an approved quote on the hub",
			long:    "Lists a quote of the company's own on the hub. It must be approved.",
			example: "qredo hub publish SWAP_ID",
			run: func(ctx context.Context, args []string) error {
				client, company, err := a.forCompany(nil)
				if err != nil {
					return err
				}
				if err := client.Swaps.Publish(ctx, company, qredo.TxID(args[0])); err != nil {
					return err
				}
				return a.done("%s is on the hub", plain(args[0]))
			},
		}),
	)
}
