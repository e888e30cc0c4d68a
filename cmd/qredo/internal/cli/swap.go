package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

func (a *app) swapCommands() *cobra.Command {
	return group("swap", "Swap assets between two parties",
		`One side offers (makes) a swap and the other takes it. Each side's custody group approves it; then both sides are settled
in one step.`, `
		qredo swap make --from WALLET_ID --send 0.1BTC-TESTNET --to WALLET_ID --receive 2ETH-TESTNET --reference quote-1
		qredo swap take SWAP_ID --from WALLET_ID --to WALLET_ID --reference quote-1
		qredo swap cancel SWAP_ID`,
		a.swapMake(),
		a.txGet("swap get", "Show a swap with its approvals", func(c *qredo.Client) txMethod { return c.Swaps.GetMake }),
		a.txWait("swap wait", "Follow a swap to its end", func(c *qredo.Client) txMethod { return c.Swaps.WaitMake }),
		a.swapTake(),
		a.txGet("swap get-take", "Show the taker's side of a swap", func(c *qredo.Client) txMethod { return c.Swaps.GetTake }),
		a.txWait("swap wait-take", "Follow the taker's side to its end", func(c *qredo.Client) txMethod { return c.Swaps.WaitTake }),
		a.swapCancel(),
	)
}

func (a *app) swapCancel() *cobra.Command {
	s := submission{app: a}
	return a.command(command{
		use: "cancel SWAP_ID", short: "Cancel an offer that nobody has taken",
		long:    "Shows the offer, asks for confirmation, and cancels it if nobody has taken it. Its amount is then free again.",
		example: "qredo swap cancel SWAP_ID",
		flags:   s.yesFlag,
		check:   func() error { return a.canAsk(s.yes, "cancels an offer") },
		run: a.withCompany(func(ctx context.Context, c partnerCall) error {
			if err := s.ask(ctx, a.offered(ctx, c, "Cancel swap", "nobody can take it any more, and its amount is free again")); err != nil {
				return err
			}
			return a.done(c.Swaps.CancelMake(ctx, c.company, qredo.TxID(c.args[0])), "%s is cancelled", plain(c.args[0]))
		}),
	})
}

func (a *app) hubPublish() *cobra.Command {
	s := submission{app: a}
	return a.command(command{
		use: "publish SWAP_ID", short: "List an approved quote on the hub",
		long:    "Shows one of the company's own quotes, asks for confirmation, and lists it on the hub. It must be approved already.",
		example: "qredo hub publish SWAP_ID",
		flags:   s.yesFlag,
		check:   func() error { return a.canAsk(s.yes, "offers assets") },
		run: a.withCompany(func(ctx context.Context, c partnerCall) error {
			if err := s.ask(ctx, a.offered(ctx, c, "Publish swap", "anybody who sees the hub can take it")); err != nil {
				return err
			}
			return a.done(c.Swaps.Publish(ctx, c.company, qredo.TxID(c.args[0])), "%s is on the hub", plain(c.args[0]))
		}),
	})
}

// swapSide is one side of a swap.
type swapSide struct {
	submission
	from, to, reference string
}

func (s *swapSide) add(f *flagSet, expires string) {
	f.StringVar(&s.from, "from", "", "ID, short code or name of the wallet that sends")
	f.StringVar(&s.to, "to", "", "ID, short code or name of the wallet that receives")
	f.StringVar(&s.reference, "reference", "", "text for the ledger")
	required(f, "from", "to", "reference")
	s.submission.add(f, expires)
}

// propose reads both wallets, and begins the proposal.
func (s *swapSide) propose(ctx context.Context, c partnerCall) (from, to *qredo.Wallet, p *proposal, err error) {
	if from, err = s.app.walletNamed(ctx, c, s.from); err != nil {
		return nil, nil, nil, err
	}
	if to, err = s.app.walletNamed(ctx, c, s.to); err != nil {
		return nil, nil, nil, err
	}
	p = &proposal{app: s.app, c: c, gets: "they receive"}
	p.places(ctx, from, to)
	p.line("reference", "%s", s.reference)
	return from, to, p, nil
}

func (a *app) swapMake() *cobra.Command {
	var send, receive string
	var baseUnits, hub bool
	s := swapSide{submission: submission{app: a, resume: "qredo swap wait"}}
	return a.command(command{
		use: "make", short: "Offer a swap",
		long: `Shows the offer, asks for confirmation, and makes it. Once your custody group has approved it, it can be taken until it
expires or is cancelled. --wait follows it until it is taken and settled. Each side receives the amount in the offer, and
pays the fee on what it sends on top.`,
		example: "qredo swap make --from WALLET_ID --send 0.1BTC-TESTNET --to WALLET_ID --receive 2ETH-TESTNET --reference quote-1 --hub",
		flags: func(f *flagSet) {
			f.StringVar(&send, "send", "", "what the taker receives, as in 0.1BTC; fees come on top")
			f.StringVar(&receive, "receive", "", "what you receive, as in 2ETH")
			f.BoolVar(&baseUnits, "base-units", false, "both amounts are whole numbers of base units")
			f.BoolVar(&hub, "hub", false, "list it on the liquidity hub as soon as it is approved")
			required(f, "send", "receive")
			s.add(f, "24h")
		},
		check: s.check,
		run: a.withCompany(func(ctx context.Context, c partnerCall) error {
			from, to, p, err := s.propose(ctx, c)
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
			request := qredo.SwapRequest{
				SendWalletID: from.ID, ReceiveWalletID: to.ID, Reference: s.reference, PartnerTxID: s.fixKey(), Expires: s.until,
				Send: out, Receive: in, AddToLiquidityHub: hub,
			}
			p.title = fmt.Sprintf("Offer %s for %s", a.figure(out.Amount, out.Asset), a.figure(in.Amount, in.Asset))
			p.line("you receive", "%s", a.exact(in.Amount, in.Asset))
			p.sent(ctx, from, out, qredo.FeeSwap, qredo.MaxSwap)
			p.approvers(from, false)
			p.expires(s.until)
			if hub {
				p.line("then", "it is listed on the liquidity hub as soon as it is approved, for others to take")
			}
			if err := s.confirm(ctx, p, request); err != nil {
				return err
			}
			sent, err := c.Swaps.Make(ctx, c.company, request)
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
		long: `Shows what the swap will send and receive, asks for confirmation, and takes it. Once your custody group has approved it, both
sides are settled. The quote says what is sent and received: see "qredo hub list".`,
		example: "qredo swap take SWAP_ID --from WALLET_ID --to WALLET_ID --reference quote-1 --wait",
		flags:   func(f *flagSet) { s.add(f, "") },
		check:   s.check,
		run: a.withCompany(func(ctx context.Context, c partnerCall) error {
			from, to, p, err := s.propose(ctx, c)
			if err != nil {
				return err
			}
			id := qredo.TxID(c.args[0])
			request := qredo.TakeRequest{SwapID: id, SendWalletID: from.ID, ReceiveWalletID: to.ID, Reference: s.reference, PartnerTxID: s.fixKey()}
			p.title = "Take swap " + c.args[0]
			if err := p.quote(ctx, id, from, to); err != nil {
				return err
			}
			p.approvers(from, false)
			if err := s.confirm(ctx, p, request); err != nil {
				return err
			}
			sent, err := c.Swaps.Take(ctx, c.company, request)
			if err != nil {
				return err
			}
			return s.finish(ctx, sent, sent, of(c.company, c.Swaps.WaitTake))
		}),
	})
}

// quote adds the amounts of a quote on the hub. Those of an unlisted quote are not known before it is taken.
func (p *proposal) quote(ctx context.Context, id qredo.TxID, from, to *qredo.Wallet) error {
	quotes, err := p.c.Swaps.ListHubAll(ctx)
	i := slices.IndexFunc(quotes, func(q qredo.HubQuote) bool { return q.TxID == id })
	switch {
	case err != nil:
		p.unknown("amounts", err)
		p.warn("take it only if you know what it sends and receives")
	case i < 0:
		p.line("amounts", "not known: the offer is not on the hub")
		p.warn("make sure that you know the offer's amounts before you take it")
	default:
		q := quotes[i]
		for wallet, asset := range map[*qredo.Wallet]qredo.AssetCode{from: q.ReceiveAsset, to: q.SendAsset} {
			if wallet.Asset != "" && wallet.Asset != asset {
				return usagef("the offer is %s for %s, but wallet %s holds %s: name a wallet of %s", q.SendAsset, q.ReceiveAsset, wallet.ID, wallet.Asset, asset)
			}
		}
		p.line("you receive", "%s", p.app.exact(q.SendAmount, q.SendAsset))
		p.sent(ctx, from, qredo.AssetAmount{Asset: q.ReceiveAsset, Amount: q.ReceiveAmount}, qredo.FeeSwap, qredo.MaxSwap)
		if q.Owner {
			p.line("offered by", "this account")
		}
		p.expires(q.Expires)
		return nil
	}
	p.unknown("fees", errors.New("the amounts are not"))
	p.available(ctx, from, qredo.AssetAmount{Asset: from.Asset}, -1, qredo.MaxSwap)
	return nil
}

// offered is a proposal about an existing offer, which is looked up.
func (a *app) offered(ctx context.Context, c partnerCall, title, then string) *proposal {
	p := &proposal{app: a, c: c, title: title + " " + c.args[0]}
	tx, err := c.Swaps.GetMake(ctx, c.company, qredo.TxID(c.args[0]))
	if err != nil {
		p.unknown("offer", err)
	} else {
		p.line("it sends", "%s, fees included", a.exact(tx.Details.Amount, tx.Details.Asset))
		p.line("reference", "%s", cmp.Or(tx.Reference, "none"))
		p.line("status", "%s", cmp.Or(string(tx.Status), "not known"))
		if tx.Status.Failed() || tx.Status.Done() {
			p.warn("it has ended")
		}
	}
	p.line("then", "%s", then)
	return p
}

func (a *app) hubCommands() *cobra.Command {
	var all bool
	var count int
	return group("hub", "The liquidity hub, where swaps are offered",
		"Quotes on the hub are swaps that anybody in the account can take.", `
		qredo hub list
		qredo hub publish SWAP_ID`,
		a.command(command{
			use: "list", short: "List the quotes on the liquidity hub",
			long:    "Lists the quotes on the liquidity hub that the company sees, or with --all every one that the API key can see.",
			example: "qredo hub list --all",
			flags:   func(f *flagSet) { f.BoolVar(&all, "all", false, "list all that the API key can see") },
			run: a.withClient(func(ctx context.Context, c partnerCall) error {
				if all {
					return a.list(found(c.Swaps.ListHubAll(ctx)))
				}
				company, err := a.company(ctx, c)
				if err != nil {
					return err
				}
				return a.list(found(c.Swaps.ListHub(ctx, company)))
			}),
		}),
		a.command(command{
			use: "feed", short: "Follow changes on the liquidity hub",
			long:    "Prints the listed quotes, and then each change of a quote, until it is interrupted.",
			example: "qredo hub feed --output json",
			flags:   func(f *flagSet) { f.IntVar(&count, "count", 0, "stop after this many changes; 0 for no limit") },
			run: a.withClient(func(ctx context.Context, c partnerCall) error {
				return printFeed(ctx, a, c.Swaps.Feed(ctx), count, "txID status")
			}),
		}),
		a.hubPublish(),
	)
}
