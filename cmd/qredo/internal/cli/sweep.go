package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/visible"
)

func (a *app) sweepCommands() *cobra.Command {
	return group("sweep", "Move assets out of connected wallets",
		`A core client can sweep wallets that are connected to it. That needs only its own approval.`, `
		qredo agent sweep create CLIENT_ID --from WALLET_ID --to WALLET_ID --amount 0.1BTC-TESTNET
		qredo agent sweep get CLIENT_ID TX_ID`,
		a.sweepCreate(),
		a.sweepWait(),
		a.command(command{
			use: "get CLIENT_ID TX_ID", short: "Show a sweep with its approval",
			long:    "Shows a sweep's status.",
			example: "qredo agent sweep get CLIENT_ID TX_ID",
			run: a.withAgent(func(ctx context.Context, c partnerCall) error {
				return a.show(c.CoreClients.GetSweep(ctx, c.agent, qredo.TxID(c.args[1])))
			}),
		}))
}

func (a *app) sweepWait() *cobra.Command {
	s := submission{app: a}
	return a.command(command{
		use: "wait CLIENT_ID TX_ID", short: "Follow a sweep to its end",
		long:    "Waits until a sweep has ended, and prints it.",
		example: "qredo agent sweep wait CLIENT_ID TX_ID",
		flags:   s.waitFlags,
		check:   s.checkWait,
		run: a.withAgent(func(ctx context.Context, c partnerCall) error {
			s.resume = "qredo agent sweep wait " + visible.Shell(string(c.agent))
			return follow(ctx, &s, qredo.TxID(c.args[1]), of(c.agent, c.CoreClients.WaitSweep))
		}),
	})
}

func (a *app) sweepCreate() *cobra.Command {
	m := movement{submission: submission{app: a}}
	return a.command(command{
		use: "create CLIENT_ID", short: "Request a sweep",
		long:    "Shows what will be swept, asks for confirmation, and requests it. The amount is what arrives; fees come on top.",
		example: "qredo agent sweep create CLIENT_ID --from WALLET_ID --to WALLET_ID --amount 0.1BTC-TESTNET --yes",
		flags:   func(f *flagSet) { m.add(f, "to", "ID, short code or name of the receiving wallet") },
		check:   m.check,
		run: a.withWallets(func(ctx context.Context, c partnerCall) error {
			id, err := a.agentNamed(ctx, c, c.args[0])
			if err != nil {
				return err
			}
			m.resume = "qredo agent sweep wait " + visible.Shell(string(id))
			to, err := a.walletNamed(ctx, c, m.to)
			if err != nil {
				return err
			}
			from, err := a.recipientNamed(ctx, c, m.from)
			if err != nil {
				return err
			}
			return m.run(ctx, c, outgoing{
				verb: "Sweep", from: from, to: to, most: qredo.MaxTransfer,
				about: func(p *proposal) { p.sweeper(ctx, id, from.ID) },
				prepare: func(key qredo.PartnerTxID, send qredo.AssetAmount) (any, func() (*qredo.Submission, error)) {
					request := qredo.SweepRequest{
						WalletID: from.ID, RecipientWalletID: to.ID, Reference: m.reference, PartnerTxID: key, Expires: m.until, Send: send,
					}
					return request, func() (*qredo.Submission, error) { return c.CoreClients.Sweep(ctx, id, request) }
				},
				wait: of(id, c.CoreClients.WaitSweep),
			})
		}),
	})
}
