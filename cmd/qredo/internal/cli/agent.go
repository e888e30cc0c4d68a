package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

func (a *app) agentCommands() *cobra.Command {
	return group("agent", "Programs that approve: core clients",
		`A core client is a program that approves. Its ID serves as a trusted party's address and as an approver. "run"
approves by the rules of a policy file.`, `
		qredo agent create Payouts
		qredo agent actions CLIENT_ID
		qredo agent run CLIENT_ID --policy policy.yaml --shadow`,
		a.command(command{
			use: "list", short: "List the core clients",
			long:    "Lists all core clients of the API key.",
			example: "qredo agent list",
			run: func(ctx context.Context, _ []string) error {
				client, err := a.connect()
				if err != nil {
					return err
				}
				clients, err := client.CoreClients.List(ctx)
				if err != nil {
					return err
				}
				return list(a, clients, "ID", "Name", "Created")
			},
		}),
		a.command(command{
			use: "create NAME", short: "Make a core client",
			long:    "Makes a core client and prints its ID.",
			example: "qredo agent create Payouts",
			run: a.withAgent(func(ctx context.Context, client *qredo.Client, args []string) error {
				made, err := client.CoreClients.Create(ctx, args[0])
				if err != nil {
					return err
				}
				return a.show(made)
			}),
		}),
		a.agentActions(),
		a.command(command{
			use: "action CLIENT_ID ACTION_ID", short: "Show what would be approved",
			long:    "Shows an action with its details: what moves, from where and to whom.",
			example: "qredo agent action CLIENT_ID ACTION_ID",
			run: a.withAgent(func(ctx context.Context, client *qredo.Client, args []string) error {
				action, err := client.CoreClients.Action(ctx, qredo.CoreClientID(args[0]), qredo.ActionID(args[1]))
				if err != nil {
					return err
				}
				return a.show(action)
			}),
		}),
		a.agentVote("approve", "Approve an action", (*qredo.CoreClientsService).Approve),
		a.agentVote("reject", "Reject an action", (*qredo.CoreClientsService).Reject),
		a.command(command{
			use: "wallets CLIENT_ID", short: "List the wallets that are connected to a core client",
			long:    "Lists the wallets that are connected to a core client, or ask to be.",
			example: "qredo agent wallets CLIENT_ID",
			run: a.withAgent(func(ctx context.Context, client *qredo.Client, args []string) error {
				wallets, err := client.CoreClients.Wallets(ctx, qredo.CoreClientID(args[0]))
				if err != nil {
					return err
				}
				return list(a, wallets, "WalletID", "Status", "ActionID", "Expires")
			}),
		}),
		a.agentFeed(),
		a.sweepCommands(),
		a.command(command{
			use: "sign CLIENT_ID HASH_HEX", short: "Have a hash signed with a core client's key",
			long:    "Has the service sign a hash, in hexadecimal, with a core client's key.",
			example: "qredo agent sign CLIENT_ID 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
			run: a.withAgent(func(ctx context.Context, client *qredo.Client, args []string) error {
				signature, err := client.CoreClients.Sign(ctx, qredo.CoreClientID(args[0]), args[1])
				if err != nil {
					return err
				}
				return a.show(signature)
			}),
		}),
		a.command(command{
			use: "verify SIGNER_ID HASH_HEX SIGNATURE_HEX", short: "Check a core client's signature",
			long:    "Asks whether a signature is a core client's over a hash. One that is not is refused.",
			example: "qredo agent verify CLIENT_ID HASH_HEX SIGNATURE_HEX",
			run: a.withAgent(func(ctx context.Context, client *qredo.Client, args []string) error {
				err := client.CoreClients.Verify(ctx, qredo.VerifyRequest{
					SignerID: qredo.CoreClientID(args[0]), MessageHashHex: args[1], SignatureHex: args[2],
				})
				if err != nil {
					return err
				}
				return a.done("the signature is right")
			}),
		}),
		a.agentRun(), a.agentExplain(), a.agentVerifyLog(), a.signerCommands(),
	)
}

// withAgent runs a command that needs the client.
func (a *app) withAgent(f func(context.Context, *qredo.Client, []string) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		client, err := a.connect()
		if err != nil {
			return err
		}
		return f(ctx, client, args)
	}
}

func (a *app) agentActions() *cobra.Command {
	var status string
	cmd := a.command(command{
		use: "actions CLIENT_ID", short: "List what a core client was asked to approve",
		long:    "Lists the actions of a core client, oldest first. --status pending shows those that wait.",
		example: "qredo agent actions CLIENT_ID --status pending",
		run: a.withAgent(func(ctx context.Context, client *qredo.Client, args []string) error {
			actions, err := client.CoreClients.Actions(ctx, qredo.CoreClientID(args[0]))
			if err != nil {
				return err
			}
			selected := []qredo.Action{}
			for _, action := range actions {
				if status == "" || string(action.Status) == status {
					selected = append(selected, action)
				}
			}
			return list(a, selected, "ID", "Type", "Status", "Created", "Expires")
		}),
	})
	cmd.Flags().StringVar(&status, "status", "", "only those that are pending, approved, rejected or expired")
	return cmd
}

type voteFunc func(*qredo.CoreClientsService, context.Context, qredo.CoreClientID, qredo.ActionID, ...qredo.CallOption) error

func (a *app) agentVote(verb, short string, vote voteFunc) *cobra.Command {
	return a.command(command{
		use: verb + " CLIENT_ID ACTION_ID", short: short,
		long:    short + " as a core client. What it is about is shown on standard error.",
		example: "qredo agent " + verb + " CLIENT_ID ACTION_ID",
		run: a.withAgent(func(ctx context.Context, client *qredo.Client, args []string) error {
			id, actionID := qredo.CoreClientID(args[0]), qredo.ActionID(args[1])
			action, err := client.CoreClients.Action(ctx, id, actionID)
			if err != nil {
				return err
			}
			fmt.Fprintln(a.err, a.about(action))
			if err := vote(client.CoreClients, ctx, id, actionID); err != nil {
				return err
			}
			return a.done("%s: %s", verb, plain(args[1]))
		}),
	})
}

// about says in a line what an action would let happen.
func (a *app) about(action *qredo.Action) string {
	d := action.Details
	if d == nil {
		return plain(fmt.Sprintf("%s %s, %s", action.Type, action.ID, action.Status))
	}
	to := or(d.RecipientAddress, d.RecipientID)
	return plain(fmt.Sprintf("%s: %s from wallet %s to %s, %s, %s", action.Type, a.figure(d.Amount, d.Asset), d.WalletID, to, d.Reference, action.Status))
}

func (a *app) agentFeed() *cobra.Command {
	var count int
	cmd := a.command(command{
		use: "feed CLIENT_ID", short: "Print what a core client is asked to approve, as it comes",
		long:    "Prints the actions of a core client, first those that are pending, each once, until it is interrupted.",
		example: "qredo agent feed CLIENT_ID --output json",
		run: a.withAgent(func(ctx context.Context, client *qredo.Client, args []string) error {
			return follow(ctx, a, client.CoreClients.Feed(ctx, qredo.CoreClientID(args[0])), count, "Created", "Type", "Status", "ID", "Expires")
		}),
	})
	cmd.Flags().IntVar(&count, "count", 0, "end after this many actions; no end if 0")
	return cmd
}

func (a *app) sweepCommands() *cobra.Command {
	s := submission{app: a}
	wait := a.command(command{
		use: "wait CLIENT_ID TX_ID", short: "Follow a sweep to its end",
		long:    "Waits until a sweep is done, and prints it.",
		example: "qredo agent sweep wait CLIENT_ID TX_ID",
		run: a.withAgent(func(ctx context.Context, client *qredo.Client, args []string) error {
			return s.follow(ctx, qredo.TxID(args[1]), sweepLook(client, qredo.CoreClientID(args[0])))
		}),
	})
	s.waitFlags(wait)
	return group("sweep", "Move assets out of connected wallets",
		`A core client can sweep wallets that are connected to it. That needs its own approval only.`, `
		qredo agent sweep create CLIENT_ID --from WALLET_ID --to WALLET_ID --amount 0.1BTC-TESTNET
		qredo agent sweep get CLIENT_ID TX_ID`,
		a.sweepCreate(), wait,
		a.command(command{
			use: "get CLIENT_ID TX_ID", short: "Show a sweep with its approval",
			long:    "Shows how far a sweep is.",
			example: "qredo agent sweep get CLIENT_ID TX_ID",
			run: a.withAgent(func(ctx context.Context, client *qredo.Client, args []string) error {
				tx, err := client.CoreClients.GetSweep(ctx, qredo.CoreClientID(args[0]), qredo.TxID(args[1]))
				if err != nil {
					return err
				}
				return a.show(tx)
			}),
		}))
}

func sweepLook(client *qredo.Client, id qredo.CoreClientID) look {
	return func(ctx context.Context, tx qredo.TxID, opts ...qredo.CallOption) (*qredo.Transaction, error) {
		return client.CoreClients.WaitSweep(ctx, id, tx, opts...)
	}
}

func (a *app) sweepCreate() *cobra.Command {
	var to string
	m := movement{submission: submission{app: a}}
	cmd := a.command(command{
		use: "create CLIENT_ID", short: "Ask for a sweep",
		long:    "Shows what will be swept, asks, and then asks the service for it.",
		example: "qredo agent sweep create CLIENT_ID --from WALLET_ID --to WALLET_ID --amount 0.1BTC-TESTNET --yes",
		run: a.withAgent(func(ctx context.Context, client *qredo.Client, args []string) error {
			if err := required("from", m.from, "to", to, "amount", m.amount); err != nil {
				return err
			}
			if err := m.check(); err != nil {
				return err
			}
			expires, err := m.until()
			if err != nil {
				return err
			}
			target, err := client.Wallets.Get(ctx, qredo.WalletID(to))
			if err != nil {
				return err
			}
			send, err := a.money(ctx, "amount", m.amount, m.baseUnits, target.Asset)
			if err != nil {
				return err
			}
			key, err := m.confirm(ctx, fmt.Sprintf("Sweep %s (%d base units)", a.figure(send.Amount, send.Asset), send.Amount),
				planned{"from", m.from}, planned{"to", named(target)}, planned{"reference", m.reference})
			if err != nil {
				return err
			}
			id := qredo.CoreClientID(args[0])
			sent, err := client.CoreClients.Sweep(ctx, id, qredo.SweepRequest{
				WalletID: qredo.WalletID(m.from), RecipientWalletID: target.ID, Reference: m.reference, PartnerTxID: key,
				Expires: expires, Send: send,
			})
			if err != nil {
				return err
			}
			return m.finish(ctx, sent, *sent, sweepLook(client, id))
		}),
	})
	flags := cmd.Flags()
	flags.StringVar(&m.from, "from", "", "ID of the wallet that is swept (required)")
	flags.StringVar(&to, "to", "", "ID of the wallet it goes to (required)")
	flags.StringVar(&m.amount, "amount", "", "amount with its asset, fees included, as in 0.1BTC (required)")
	flags.BoolVar(&m.baseUnits, "base-units", false, "the amount is a whole number of base units")
	flags.StringVar(&m.reference, "reference", "", "text for the ledger")
	m.submission.add(cmd, "24h")
	return cmd
}
