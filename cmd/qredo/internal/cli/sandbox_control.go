package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// withControl runs a control call.
func (a *app) withControl(f func(ctx context.Context, c *sandbox.Control, args []string) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		control, err := a.control()
		if err != nil {
			return err
		}
		return f(ctx, control, args)
	}
}

func (a *app) controlCommands() []*cobra.Command {
	return []*cobra.Command{
		a.controlDeposit(),
		a.controlUsers(),
		a.controlAccept(),
		a.command(command{
			use: "pending USER", short: "List what waits for a user's approval",
			long:    "Lists what waits for a user's approval, oldest first. A user is named by e-mail or ID.",
			example: "qredo sandbox pending alice@example.com",
			run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
				pending, err := c.Pending(ctx, args[0])
				if err != nil {
					return err
				}
				return list(a, pending, "TxID", "Type", "Amount", "Recipient", "Reference", "Expires")
			}),
		}),
		a.controlVote("approve", "Let a user approve", (*sandbox.Control).Approve),
		a.controlVote("reject", "Let a user reject", (*sandbox.Control).Reject),
		a.command(command{
			use: "advance DURATION", short: "Move the sandbox's clock forward",
			long:    "Moves the sandbox's clock forward by whole seconds. What expires until then does so. It never goes back, but by a reset.",
			example: "qredo sandbox advance 24h",
			run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
				by, err := time.ParseDuration(args[0])
				if err != nil || by < time.Second {
					return usagef("DURATION must be a second or more, such as 90m or 24h, is %q", args[0])
				}
				if err := c.Advance(ctx, by); err != nil {
					return err
				}
				return a.done("the clock was advanced by %s", by.Truncate(time.Second))
			}),
		}),
		a.controlFault(),
		a.controlFeeds(),
		a.controlExchange(),
		a.controlReset(),
		a.controlState(),
	}
}

// walletAt finds a wallet by its ID, short code or deposit address.
func walletAt(state sandbox.State, name string) (sandbox.WalletState, bool) {
	for _, c := range state.Companies {
		for _, f := range c.Funds {
			for _, w := range f.Wallets {
				if string(w.ID) == name || w.Address == name || w.ShortCode == name {
					return w, true
				}
			}
		}
	}
	return sandbox.WalletState{}, false
}

func (a *app) controlDeposit() *cobra.Command {
	var amount string
	var baseUnits bool
	cmd := a.command(command{
		use: "deposit WALLET", short: "Credit a wallet as if it had come over a chain",
		long:    "Credits a wallet, named by its deposit address, ID or short code, at once and without a fee.",
		example: "qredo sandbox deposit WALLET_ID --amount 1.5BTC-TESTNET\nqredo sandbox deposit ADDRESS --amount 150000000 --base-units",
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
			if err := required("amount", amount); err != nil {
				return err
			}
			state, err := c.State(ctx)
			if err != nil {
				return err
			}
			wallet, found := walletAt(state, args[0])
			if !found {
				return foundError{"no wallet has the address, ID or short code " + plain(args[0])}
			}
			in, err := a.money(ctx, "amount", amount, baseUnits, wallet.Asset)
			if err != nil {
				return err
			}
			made, err := c.Deposit(ctx, wallet.Address, in.Amount)
			if err != nil {
				return err
			}
			return a.show(made)
		}),
	})
	cmd.Flags().StringVar(&amount, "amount", "", "amount with its asset, as in 1.5BTC-TESTNET (required)")
	cmd.Flags().BoolVar(&baseUnits, "base-units", false, "the amount is a whole number of base units")
	return cmd
}

func (a *app) controlUsers() *cobra.Command {
	var user sandbox.User
	add := a.command(command{
		use: "add EMAIL", short: "Make a user of the app",
		long:    "Makes a user. An e-mail that was invited to a trusted network keeps the ID it got then.",
		example: "qredo sandbox users add carol@example.com --first-name Carol",
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
			user.Email = args[0]
			made, err := c.CreateUser(ctx, user)
			if err != nil {
				return err
			}
			return a.show(made)
		}),
	})
	add.Flags().StringVar(&user.FirstName, "first-name", "", "first name")
	add.Flags().StringVar(&user.LastName, "last-name", "", "last name")
	add.Flags().StringVar(&user.Username, "username", "", "user name (default from the e-mail)")
	return group("users", "The people with the app", "The users of the app, who approve.", `
		qredo sandbox users list
		qredo sandbox users add carol@example.com`,
		add,
		a.command(command{
			use: "list", short: "List the users",
			long:    "Lists the users of the app.",
			example: "qredo sandbox users list",
			run: a.withControl(func(ctx context.Context, c *sandbox.Control, _ []string) error {
				state, err := c.State(ctx)
				if err != nil {
					return err
				}
				return list(a, state.Users, "Email", "ID", "Username", "FirstName", "LastName")
			}),
		}))
}

func (a *app) controlAccept() *cobra.Command {
	return a.command(command{
		use: "accept USER", short: "Let a user join a trusted network",
		long:    "Lets a user accept the request of the company that --company names, or of all that have asked.",
		example: "qredo sandbox accept alice@example.com --company COMPANY_ID",
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
			if err := c.Accept(ctx, args[0], qredo.CompanyID(a.settings.get(keyCompany).value)); err != nil {
				return err
			}
			return a.done("%s has joined", plain(args[0]))
		}),
	})
}

func (a *app) controlVote(verb, short string, vote func(*sandbox.Control, context.Context, string, string) error) *cobra.Command {
	return a.command(command{
		use: verb + " USER TX_ID", short: short,
		long:    short + " a transaction, named by its own ID or by the action's.",
		example: "qredo sandbox " + verb + " alice@example.com TX_ID",
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
			if err := vote(c, ctx, args[0], args[1]); err != nil {
				return err
			}
			return a.done("%s: %s %s", plain(args[0]), verb, plain(args[1]))
		}),
	})
}

func (a *app) controlReset() *cobra.Command {
	var yes bool
	cmd := a.command(command{
		use: "reset", short: "Forget everything but the keys",
		long:    "Forgets users, companies, funds, money and transactions. It asks before, unless --yes is given.",
		example: "qredo sandbox reset --yes",
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, _ []string) error {
			if !yes {
				s := submission{app: a}
				if err := s.check(); err != nil {
					return usagef("this forgets everything and there is no terminal to ask at: give --yes")
				}
				if err := s.ask(ctx, "Forget everything but the keys"); err != nil {
					return err
				}
			}
			if err := c.Reset(ctx); err != nil {
				return err
			}
			return a.done("everything but the keys is forgotten")
		}),
	})
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

// walletOverview is a wallet with where it is.
type walletOverview struct {
	Company qredo.CompanyID
	Fund    qredo.FundID
	sandbox.WalletState
}

func (a *app) controlState() *cobra.Command {
	return a.command(command{
		use: "state", short: "Show what the sandbox knows",
		long:    "Shows the wallets of all companies with their balances. --output json shows all there is, as one object.",
		example: "qredo sandbox state\nqredo sandbox state --output json",
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, _ []string) error {
			state, err := c.State(ctx)
			if err != nil {
				return err
			}
			if a.json() {
				return a.jsonLine(state)
			}
			wallets := []walletOverview{}
			for _, company := range state.Companies {
				for _, fund := range company.Funds {
					for _, w := range fund.Wallets {
						wallets = append(wallets, walletOverview{company.ID, fund.ID, w})
					}
				}
			}
			return list(a, wallets, "Company", "Fund", "ID", "Name", "Balance", "Held")
		}),
	})
}

func (a *app) controlExchange() *cobra.Command {
	var e qredo.Exchange
	cmd := a.command(command{
		use: "exchange CORE_CLIENT_ID", short: "Put a core client on the list of exchanges",
		long:    "Puts a core client on the list of exchanges that wallets can be connected to.",
		example: "qredo sandbox exchange CORE_CLIENT_ID --name 'Demo Venue' --url https://venue.example",
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
			if err := required("name", e.Name); err != nil {
				return err
			}
			e.ID = args[0]
			if err := c.ListExchange(ctx, e); err != nil {
				return err
			}
			return a.done("%s is an exchange", plain(strings.TrimSpace(e.Name)))
		}),
	})
	cmd.Flags().StringVar(&e.Name, "name", "", "name (required)")
	cmd.Flags().StringVar(&e.URL, "url", "", "URL")
	return cmd
}
