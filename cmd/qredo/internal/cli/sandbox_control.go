package cli

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// withControl runs a control call.
func (a *app) withControl(run func(ctx context.Context, c *sandbox.Control, args []string) error) func(context.Context, []string) error {
	return with(a.control, run)
}

func (a *app) controlCommands() []*cobra.Command {
	return []*cobra.Command{
		a.controlDeposit(),
		a.controlUsers(),
		a.controlAccept(),
		a.controlCoreClient(),
		a.command(command{
			use: "pending USER", short: "List what waits for a user's approval",
			long:    "Lists what waits for a user's approval, oldest first. Give the user's e-mail or ID.",
			example: "qredo sandbox pending alice@example.com",
			run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
				pending, err := c.Pending(ctx, args[0])
				return a.list(found(pending, aboutUser(args[0], err)))
			}),
		}),
		a.controlVote("approve", "Have a user approve", (*sandbox.Control).Approve),
		a.controlVote("reject", "Have a user reject", (*sandbox.Control).Reject),
		a.controlChain(),
		a.command(command{
			use: "advance DURATION", short: "Move the sandbox's clock forward",
			long:    "Moves the sandbox's clock forward by whole seconds. Everything due by then expires. Only a reset moves the clock back.",
			example: "qredo sandbox advance 24h",
			run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
				by, err := time.ParseDuration(args[0])
				if err != nil || by < time.Second {
					return usagef("DURATION must be a second or more, such as 90m or 24h, not %q", args[0])
				}
				return a.done(c.Advance(ctx, by), "the clock was advanced by %s", by.Truncate(time.Second))
			}),
		}),
		a.controlFault(),
		a.controlFeeds(),
		a.controlExchange(),
		a.controlExport(),
		a.controlImport(),
		a.controlReset(),
		a.controlState(),
	}
}

// walletOverview is a wallet with its company and fund.
type walletOverview struct {
	Company qredo.CompanyID `json:"company"`
	Fund    qredo.FundID    `json:"fund"`
	sandbox.WalletState
}

// allWallets returns the wallets of all companies.
func allWallets(state sandbox.State) []walletOverview {
	var wallets []walletOverview
	for _, company := range state.Companies {
		for _, fund := range company.Funds {
			for _, w := range fund.Wallets {
				wallets = append(wallets, walletOverview{company.ID, fund.ID, w})
			}
		}
	}
	return wallets
}

func (a *app) controlDeposit() *cobra.Command {
	var amount, chainTx string
	var baseUnits bool
	return a.command(command{
		use: "deposit WALLET", short: "Credit a wallet as if by a deposit on its chain",
		long:    "Credits a wallet at once and without a fee. Give its deposit address, ID or short code.",
		example: "qredo sandbox deposit WALLET_ID --amount 1.5BTC-TESTNET\nqredo sandbox deposit ADDRESS --amount 150000000 --base-units",
		flags: func(f *flagSet) {
			f.StringVar(&amount, "amount", "", "amount with its asset, as in 1.5BTC-TESTNET")
			f.BoolVar(&baseUnits, "base-units", false, "the amount is a whole number of base units")
			f.StringVar(&chainTx, "chain-tx", "", "put the deposit into the same chain transaction as another one: that deposit's chain_tx_id")
			required(f, "amount")
		},
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
			state, err := c.State(ctx)
			if err != nil {
				return err
			}
			wallets := allWallets(state)
			i := slices.IndexFunc(wallets, func(w walletOverview) bool {
				return string(w.ID) == args[0] || w.Address == args[0] ||
					strings.EqualFold(w.ShortCode, strings.ReplaceAll(args[0], "-", " "))
			})
			if i < 0 {
				return notFoundf("no wallet has the address, ID or short code %s", plain(args[0]))
			}
			in, err := a.money(ctx, "amount", amount, baseUnits, wallets[i].Asset)
			if err != nil {
				return err
			}
			return a.show(c.DepositBy(ctx, chainTx, wallets[i].Address, in.Amount))
		}),
	})
}

func (a *app) controlUsers() *cobra.Command {
	var user sandbox.User
	return group("users", "Users of the app", "The users of the app, who approve.", `
		qredo sandbox users list
		qredo sandbox users add carol@example.com`,
		a.command(command{
			use: "add EMAIL", short: "Create a user of the app",
			long:    "Creates a user. A company can then invite them to its trusted network with \"qredo party add\".",
			example: "qredo sandbox users add carol@example.com --first-name Carol",
			flags: func(f *flagSet) {
				f.StringVar(&user.FirstName, "first-name", "", "first name")
				f.StringVar(&user.LastName, "last-name", "", "last name")
				f.StringVar(&user.Username, "username", "", "user name (default from the e-mail)")
			},
			run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
				user.Email = args[0]
				return a.show(c.CreateUser(ctx, user))
			}),
		}),
		a.command(command{
			use: "list", short: "List the users",
			long:    "Lists the users of the app.",
			example: "qredo sandbox users list",
			run: a.withControl(func(ctx context.Context, c *sandbox.Control, _ []string) error {
				state, err := c.State(ctx)
				return a.list(found(state.Users, err))
			}),
		}))
}

func (a *app) controlAccept() *cobra.Command {
	return a.command(command{
		use: "accept USER", short: "Have a user join a trusted network",
		long:    "Has a user accept the invitation of the company that --company names. Default: of all that invited them.",
		example: "qredo sandbox accept alice@example.com --company COMPANY_ID",
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
			err := c.Accept(ctx, args[0], qredo.CompanyID(a.settings.get(keyCompany).value))
			return a.done(aboutUser(args[0], err), "%s has joined", plain(args[0]))
		}),
	})
}

func (a *app) controlCoreClient() *cobra.Command {
	var c sandbox.CoreClient
	var id string
	return a.command(command{
		use: "core-client", short: "Create a core client with a given ID",
		long: `Creates a core client with a given ID, as if another account had created it, for programs that trust a particular core
client of the service. With --account default it belongs to the sandbox's own key, which can then vote for it.`,
		example: "qredo sandbox core-client --id CORE_CLIENT_ID --name 'Known Venue'",
		flags: func(f *flagSet) {
			f.StringVar(&id, "id", "", "ID")
			f.StringVar(&c.Name, "name", "", "name (default the ID)")
			f.StringVar(&c.Account, "account", "", "account whose keys can use it (default foreign, which has no keys)")
			required(f, "id")
		},
		run: a.withControl(func(ctx context.Context, control *sandbox.Control, _ []string) error {
			c.ID = qredo.CoreClientID(id)
			return a.show(control.CreateCoreClient(ctx, c))
		}),
	})
}

func (a *app) controlVote(verb, short string, vote func(*sandbox.Control, context.Context, string, string) error) *cobra.Command {
	return a.command(command{
		use: verb + " USER TX_ID", short: short,
		long:    short + " a transaction. Give its own ID or the action's.",
		example: "qredo sandbox " + verb + " alice@example.com TX_ID",
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
			return a.done(aboutVote(args[0], args[1], vote(c, ctx, args[0], args[1])), "%s: %s %s", plain(args[0]), verb, plain(args[1]))
		}),
	})
}

func (a *app) controlChain() *cobra.Command {
	return a.command(command{
		use: "reject-on-chain TX_ID", short: "Have the service's chain refuse a transaction",
		long: `Has the service's chain refuse a pending transaction. Give its own ID or an action's. Once everyone has approved it, it
ends as chain_rejected without moving anything.`,
		example: "qredo sandbox reject-on-chain TX_ID",
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
			err := c.RejectOnChain(ctx, args[0])
			switch reason := refusedFor(err); {
			case reason != "" && errors.Is(err, qredo.ErrConflict):
				err = conflictf("%s is no longer pending", plain(args[0]))
			case strings.Contains(reason, "no such transaction"):
				err = notFoundf("unknown transaction %s", plain(args[0]))
			}
			return a.done(err, "%s will be refused by the chain", plain(args[0]))
		}),
	})
}

// refusedFor is a sandbox's reason for refusing a call. It is empty if the sandbox did not refuse it.
func refusedFor(err error) string {
	var refused *sandbox.ControlError
	if errors.As(err, &refused) && refused.InOwnWords() {
		return refused.Reason
	}
	return ""
}

// aboutUser words the error about an unknown user.
func aboutUser(user string, err error) error {
	if strings.Contains(refusedFor(err), "no such user") {
		return notFoundf("unknown user %s; see qredo sandbox users list", plain(user))
	}
	return err
}

// aboutVote words the error if a user cannot vote.
func aboutVote(user, id string, err error) error {
	switch reason := refusedFor(err); {
	case strings.Contains(reason, "private key"): // it is pending, but cannot be signed
	case reason != "" && errors.Is(err, qredo.ErrConflict):
		return conflictf("%s: %s is no longer pending", plain(user), plain(id))
	case strings.Contains(reason, "no such action"):
		return notFoundf("%s: %s is not waiting for their approval; see qredo sandbox pending", plain(user), plain(id))
	}
	return aboutUser(user, err)
}

func (a *app) controlReset() *cobra.Command {
	var yes bool
	return a.command(command{
		use: "reset", short: "Delete everything except the keys",
		long:    "Deletes users, companies, funds, money and transactions. It asks for confirmation unless --yes is given.",
		example: "qredo sandbox reset --yes",
		flags:   func(f *flagSet) { f.BoolVarP(&yes, "yes", "y", false, "do not ask for confirmation") },
		check: func() error {
			return a.canAsk(yes, "deletes everything")
		},
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, _ []string) error {
			if !yes {
				if err := a.ask(ctx, "Delete everything except the keys?"); err != nil {
					return err
				}
			}
			return a.done(c.Reset(ctx), "everything except the keys was deleted")
		}),
	})
}

func (a *app) controlState() *cobra.Command {
	return a.command(command{
		use: "state", short: "Show the sandbox's state",
		long:    "Shows the wallets of all companies with their balances. --output json shows the whole state as one object.",
		example: "qredo sandbox state\nqredo sandbox state --output json",
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, _ []string) error {
			state, err := c.State(ctx)
			if err != nil {
				return err
			}
			if a.json() {
				return a.show(state, nil)
			}
			return a.list(found(allWallets(state), nil))
		}),
	})
}

func (a *app) controlExchange() *cobra.Command {
	var e qredo.Exchange
	var fields []string
	return a.command(command{
		use: "exchange CORE_CLIENT_ID", short: "Put a core client on the list of exchanges",
		long: `Puts a core client on the list of exchanges that wallets can be connected to. --field is something that it asks its
customers for.`,
		example: "qredo sandbox exchange CORE_CLIENT_ID --name 'Demo Venue' --url https://venue.example",
		flags: func(f *flagSet) {
			f.StringVar(&e.Name, "name", "", "name")
			f.StringVar(&e.URL, "url", "", "URL")
			listVar(f, &fields, "field", "something it asks customers for, as ID=NAME; repeat for several")
			required(f, "name")
		},
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
			e.ID = args[0]
			for _, text := range fields {
				id, name, found := strings.Cut(text, "=")
				if !found || id == "" {
					return usagef("--field must be ID=NAME, not %q", text)
				}
				e.Client.Fields = append(e.Client.Fields, qredo.ExchangeField{ID: id, Type: "string", Name: name})
			}
			return a.done(c.ListExchange(ctx, e), "%s is now an exchange", plain(strings.TrimSpace(e.Name)))
		}),
	})
}
