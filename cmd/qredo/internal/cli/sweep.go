package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

func (a *app) sweepCommands() *cobra.Command {
	return group("sweep", "Move assets out of connected wallets",
		`A core client can sweep wallets that are connected to it. That needs its own approval only.`, `
		qredo agent sweep create CLIENT_ID --from WALLET_ID --to WALLET_ID --amount 0.1BTC-TESTNET
		qredo agent sweep get CLIENT_ID TX_ID`,
		a.sweepCreate(),
		a.sweepWait(),
		a.command(command{
			use: "get CLIENT_ID TX_ID", short: "Show a sweep with its approval",
			long:    "Shows how far a sweep is.",
			example: "qredo agent sweep get CLIENT_ID TX_ID",
			run: a.withClient(func(ctx context.Context, client *qredo.Client, args []string) error {
				return a.show(client.CoreClients.GetSweep(ctx, qredo.CoreClientID(args[0]), qredo.TxID(args[1])))
			}),
		}))
}

func (a *app) sweepWait() *cobra.Command {
	s := submission{app: a}
	return a.command(command{
		use: "wait CLIENT_ID TX_ID", short: "Follow a sweep to its end",
		long:    "Waits until a sweep is done, and prints it.",
		example: "qredo agent sweep wait CLIENT_ID TX_ID",
		flags:   s.waitFlags,
		check:   s.checkWait,
		run: a.withClient(func(ctx context.Context, client *qredo.Client, args []string) error {
			s.resume = "qredo agent sweep wait " + args[0]
			return follow(ctx, &s, qredo.TxID(args[1]), of(qredo.CoreClientID(args[0]), client.CoreClients.WaitSweep))
		}),
	})
}

func (a *app) sweepCreate() *cobra.Command {
	m := movement{submission: submission{app: a}}
	return a.command(command{
		use: "create CLIENT_ID", short: "Ask for a sweep",
		long:    "Shows what will be swept, asks, and then asks the service for it.",
		example: "qredo agent sweep create CLIENT_ID --from WALLET_ID --to WALLET_ID --amount 0.1BTC-TESTNET --yes",
		flags:   func(f *flagSet) { m.add(f, "to", "ID of the wallet it goes to") },
		needs:   []string{"from", "to", "amount"}, check: m.check,
		run: a.withClient(func(ctx context.Context, client *qredo.Client, args []string) error {
			id := qredo.CoreClientID(args[0])
			m.resume = "qredo agent sweep wait " + args[0]
			return m.run(ctx, client, outgoing{
				verb: "Sweep", wallet: m.to, wait: of(id, client.CoreClients.WaitSweep),
				send: func(key qredo.PartnerTxID, send qredo.AssetAmount) (*qredo.Submission, error) {
					return client.CoreClients.Sweep(ctx, id, qredo.SweepRequest{
						WalletID: qredo.WalletID(m.from), RecipientWalletID: qredo.WalletID(m.to), Reference: m.reference,
						PartnerTxID: key, Expires: m.until, Send: send,
					})
				},
			})
		}),
	})
}
