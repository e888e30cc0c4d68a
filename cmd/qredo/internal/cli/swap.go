package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

func (a *app) swapCommands() *cobra.Command {
	return group("swap", "Swap assets between two parties",
		`A swap is offered (made) by one side and taken by the other. Each side's custody group approves it; then both
sides are settled in one step.`, `
		qredo swap make --from WALLET_ID --send 0.1BTC-TESTNET --to WALLET_ID --receive 2ETH-TESTNET --reference quote-1
		qredo swap take SWAP_ID --from WALLET_ID --to WALLET_ID --reference quote-1
		qredo swap cancel SWAP_ID`,
		a.swapMake(),
		a.txGet("swap get", "Show it with its approvals", func(c *qredo.Client) txMethod { return c.Swaps.GetMake }),
		a.txWait("swap wait", "Follow it to its end", func(c *qredo.Client) txMethod { return c.Swaps.WaitMake }),
		a.swapTake(),
		a.txGet("swap get-take", "Show the taker's side of a swap", func(c *qredo.Client) txMethod { return c.Swaps.GetTake }),
		a.txWait("swap wait-take", "Follow the taker's side to its end", func(c *qredo.Client) txMethod { return c.Swaps.WaitTake }),
		a.command(command{
			use: "cancel SWAP_ID", short: "Withdraw an offer that nobody has taken",
			long:    "Withdraws an offered swap that nobody has taken. Its amount is free again.",
			example: "qredo swap cancel SWAP_ID",
			run: a.withCompany(func(ctx context.Context, c partnerCall) error {
				return a.done(c.Swaps.CancelMake(ctx, c.company, qredo.TxID(c.args[0])), "%s is cancelled", plain(c.args[0]))
			}),
		}),
	)
}

// swapSide is one side of a swap.
type swapSide struct {
	submission
	from, to, reference string
}

func (s *swapSide) add(f *flagSet, expires string) {
	f.StringVar(&s.from, "from", "", "ID or short code of the wallet that sends (required)")
	f.StringVar(&s.to, "to", "", "ID or short code of the wallet that receives (required)")
	f.StringVar(&s.reference, "reference", "", "text for the ledger (required)")
	s.submission.add(f, expires)
}

// wallets reads both wallets, and says how they stand in the plan.
func (s *swapSide) wallets(ctx context.Context, client *qredo.Client) (from, to *qredo.Wallet, plan []planned, err error) {
	if from, err = s.app.wallet(ctx, client, s.from); err != nil {
		return nil, nil, nil, err
	}
	if to, err = s.app.wallet(ctx, client, s.to); err != nil {
		return nil, nil, nil, err
	}
	return from, to, []planned{{"from", s.app.named(from)}, {"to", s.app.named(to)}, {"reference", s.reference}}, nil
}

func (a *app) swapMake() *cobra.Command {
	var send, receive string
	var baseUnits, hub bool
	s := swapSide{submission: submission{app: a, resume: "qredo swap wait"}}
	return a.command(command{
		use: "make", short: "Offer a swap",
		long: `Shows what will be offered, asks, and offers it. When your custody group has approved the offer it can be taken
until it expires or is cancelled. --wait follows it until it is taken and settled. Each side gets the amount that the
offer says, and pays the fee on what it sends besides.`,
		example: "qredo swap make --from WALLET_ID --send 0.1BTC-TESTNET --to WALLET_ID --receive 2ETH-TESTNET --reference quote-1 --hub",
		flags: func(f *flagSet) {
			f.StringVar(&send, "send", "", "what the taker is to get, as in 0.1BTC; fees come on top (required)")
			f.StringVar(&receive, "receive", "", "what you are to get, as in 2ETH (required)")
			f.BoolVar(&baseUnits, "base-units", false, "both amounts are whole numbers of base units")
			f.BoolVar(&hub, "hub", false, "list it on the liquidity hub as soon as it is approved")
			s.add(f, "24h")
		},
		check: s.check,
		run: a.withCompany(func(ctx context.Context, c partnerCall) error {
			from, to, plan, err := s.wallets(ctx, c.Client)
			if err != nil {
				return err
			}
			out, err := a.money(ctx, "send", send, baseUnits, from.Asset)
			if err != nil {
				return err
			}
			in, err := a.money(ctx, "receive", receive, baseUnits, to.Asset)
			if err != nil {
				return err
			}
			plan = append(plan, a.feePlan(ctx, c.Client, qredo.FeeSwap, out)...)
			title := fmt.Sprintf("Offer %s for %s", a.figure(out.Amount, out.Asset), a.figure(in.Amount, in.Asset))
			key, err := s.confirm(ctx, title, append(plan, planned{"expires", s.expiry()})...)
			if err != nil {
				return err
			}
			sent, err := c.Swaps.Make(ctx, c.company, qredo.SwapRequest{
				SendWalletID: from.ID, ReceiveWalletID: to.ID, Reference: s.reference, PartnerTxID: key, Expires: s.until,
				Send: out, Receive: in, AddToLiquidityHub: hub,
			})
			if err != nil {
				return err
			}
			return s.finish(ctx, sent, &sent.Submission, of(c.company, c.Swaps.WaitMake))
		}),
	})
}

func (a *app) swapTake() *cobra.Command {
	s := swapSide{submission: submission{app: a, resume: "qredo swap wait-take"}}
	return a.command(command{
		use: "take SWAP_ID", short: "Take an offered swap",
		long: `Shows which wallets the swap will use, asks, and takes it. When your custody group has approved, both sides are
settled. What is sent and received is what the quote says: see "qredo hub list".`,
		example: "qredo swap take SWAP_ID --from WALLET_ID --to WALLET_ID --reference quote-1 --wait",
		flags:   func(f *flagSet) { s.add(f, "") },
		check:   s.check,
		run: a.withCompany(func(ctx context.Context, c partnerCall) error {
			from, to, plan, err := s.wallets(ctx, c.Client)
			if err != nil {
				return err
			}
			plan = append(plan, a.quotePlan(ctx, c.Client, qredo.TxID(c.args[0]))...)
			key, err := s.confirm(ctx, "Take swap "+plain(c.args[0]), plan...)
			if err != nil {
				return err
			}
			sent, err := c.Swaps.Take(ctx, c.company, qredo.TakeRequest{
				SwapID: qredo.TxID(c.args[0]), SendWalletID: from.ID, ReceiveWalletID: to.ID, Reference: s.reference, PartnerTxID: key,
			})
			if err != nil {
				return err
			}
			return s.finish(ctx, sent, sent, of(c.company, c.Swaps.WaitTake))
		}),
	})
}

// quotePlan says what a quote on the hub asks for. A quote that is not listed there is not known before it is taken.
func (a *app) quotePlan(ctx context.Context, client *qredo.Client, swap qredo.TxID) []planned {
	quotes, err := client.Swaps.ListHubAll(ctx)
	if err == nil {
		for _, q := range quotes {
			if q.TxID == swap {
				plan := []planned{{"receive", a.figure(q.SendAmount, q.SendAsset)}, {"send", a.figure(q.ReceiveAmount, q.ReceiveAsset)}}
				return append(plan, a.feePlan(ctx, client, qredo.FeeSwap, qredo.AssetAmount{Asset: q.ReceiveAsset, Amount: q.ReceiveAmount})...)
			}
		}
	}
	return []planned{{"amounts", "as the offer says, which is not on the hub: make sure that you know them"}}
}

func (a *app) hubCommands() *cobra.Command {
	var all bool
	var count int
	return group("hub", "The liquidity hub, where swaps are offered",
		"Quotes on the hub are swaps that anybody of the account can take.", `
		qredo hub list
		qredo hub publish SWAP_ID`,
		a.command(command{
			use: "list", short: "List the quotes on the liquidity hub",
			long:    "Lists the quotes on the liquidity hub as the company sees them, or with --all every one that the API key can see.",
			example: "qredo hub list --all",
			flags:   func(f *flagSet) { f.BoolVar(&all, "all", false, "not only as one company sees them") },
			run: a.withClient(func(ctx context.Context, c partnerCall) error {
				columns := []string{"TxID", "SendAmount", "ReceiveAmount", "Owner", "Expires"}
				if all {
					return a.list(found(c.Swaps.ListHubAll(ctx)), columns...)
				}
				company, err := a.company()
				if err != nil {
					return err
				}
				return a.list(found(c.Swaps.ListHub(ctx, company)), columns...)
			}),
		}),
		a.command(command{
			use: "feed", short: "Print what happens on the liquidity hub, as it happens",
			long:    "Prints each change of a quote, first those that are listed, until it is interrupted.",
			example: "qredo hub feed --output json",
			flags:   func(f *flagSet) { f.IntVar(&count, "count", 0, "end after this many changes; no end if 0") },
			run: a.withClient(func(ctx context.Context, c partnerCall) error {
				return printFeed(ctx, a, c.Swaps.Feed(ctx), count, "TxID", "Status")
			}),
		}),
		a.command(command{
			use: "publish SWAP_ID", short: "List an approved quote on the hub",
			long:    "Lists a quote of the company's own on the hub. It must be approved.",
			example: "qredo hub publish SWAP_ID",
			run: a.withCompany(func(ctx context.Context, c partnerCall) error {
				return a.done(c.Swaps.Publish(ctx, c.company, qredo.TxID(c.args[0])), "%s is on the hub", plain(c.args[0]))
			}),
		}),
	)
}
