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
			long:    "Lists what waits for a user's approval, oldest first. A user is named by e-mail or ID.",
			example: "qredo sandbox pending alice@example.com",
			run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
				pending, err := c.Pending(ctx, args[0])
				return a.list(found(pending, aboutUser(args[0], err)))
			}),
		}),
		a.controlVote("approve", "Let a user approve", (*sandbox.Control).Approve),
		a.controlVote("reject", "Let a user reject", (*sandbox.Control).Reject),
		a.controlChain(),
		a.command(command{
			use: "advance DURATION", short: "Move the sandbox's clock forward",
			long:    "Moves the sandbox's clock forward by whole seconds. What expires until then does so. It never goes back, but by a reset.",
			example: "qredo sandbox advance 24h",
			run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
				by, err := time.ParseDuration(args[0])
				if err != nil || by < time.Second {
					return usagef("DURATION must be a second or more, such as 90m or 24h, is %q", args[0])
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

// walletOverview is a wallet with where it is.
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
		use: "deposit WALLET", short: "Credit a wallet as if it had come over a chain",
		long:    "Credits a wallet, named by its deposit address, ID or short code, at once and without a fee.",
		example: "qredo sandbox deposit WALLET_ID --amount 1.5BTC-TESTNET\nqredo sandbox deposit ADDRESS --amount 150000000 --base-units",
		flags: func(f *flagSet) {
			f.StringVar(&amount, "amount", "", "amount with its asset, as in 1.5BTC-TESTNET")
			f.BoolVar(&baseUnits, "base-units", false, "the amount is a whole number of base units")
			f.StringVar(&chainTx, "chain-tx", "", "by this transaction of the chain, which may pay others too: the chain_tx_id of another deposit")
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
	return group("users", "The people with the app", "The users of the app, who approve.", `
		qredo sandbox users list
		qredo sandbox users add carol@example.com`,
		a.command(command{
			use: "add EMAIL", short: "Make a user of the app",
			long:    "Makes a user: a company can ask them then to join its trusted network, with \"qredo party add\".",
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
		use: "accept USER", short: "Let a user join a trusted network",
		long:    "Lets a user accept the request of the company that --company names, or of all that have asked.",
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
		use: "core-client", short: "Make a core client with a known ID",
		long: `Makes a core client with a given ID, as if another account had made it: for programs that trust a certain one of the
service's. With --account default it belongs to the sandbox's own key, which can then vote for it.`,
		example: "qredo sandbox core-client --id CORE_CLIENT_ID --name 'Known Venue'",
		flags: func(f *flagSet) {
			f.StringVar(&id, "id", "", "ID")
			f.StringVar(&c.Name, "name", "", "name (default the ID)")
			f.StringVar(&c.Account, "account", "", "account whose keys can use it (default foreign, which has no key)")
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
		long:    short + " a transaction, named by its own ID or by the action's.",
		example: "qredo sandbox " + verb + " alice@example.com TX_ID",
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
			return a.done(aboutVote(args[0], args[1], vote(c, ctx, args[0], args[1])), "%s: %s %s", plain(args[0]), verb, plain(args[1]))
		}),
	})
}

func (a *app) controlChain() *cobra.Command {
	return a.command(command{
		use: "reject-on-chain TX_ID", short: "Let the service's chain refuse a transaction",
		long: `Lets the service's chain refuse a transaction that waits, named by its own ID or by an action's. Once all have
approved it, it ends as chain_rejected and has moved nothing.`,
		example: "qredo sandbox reject-on-chain TX_ID",
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
			err := c.RejectOnChain(ctx, args[0])
			switch reason := refusedFor(err); {
			case reason != "" && errors.Is(err, qredo.ErrConflict):
				err = conflictf("%s is no longer pending", plain(args[0]))
			case strings.Contains(reason, "no such transaction"):
				err = notFoundf("no transaction %s", plain(args[0]))
			}
			return a.done(err, "%s will be refused by the chain", plain(args[0]))
		}),
	})
}

// refusedFor is why a sandbox has refused a call, empty if it has not, or something else has.
func refusedFor(err error) string {
	var refused *sandbox.ControlError
	if errors.As(err, &refused) && refused.InOwnWords() {
		return refused.Reason
	}
	return ""
}

// aboutUser says so if there is no such user.
func aboutUser(user string, err error) error {
	if strings.Contains(refusedFor(err), "no such user") {
		return notFoundf("no user %s; see qredo sandbox users list", plain(user))
	}
	return err
}

// aboutVote says why a user cannot vote.
func aboutVote(user, id string, err error) error {
	switch reason := refusedFor(err); {
	case strings.Contains(reason, "private key"): // it waits, and cannot be signed
	case reason != "" && errors.Is(err, qredo.ErrConflict):
		return conflictf("%s: %s is no longer pending", plain(user), plain(id))
	case strings.Contains(reason, "no such action"):
		return notFoundf("%s: %s does not wait for their approval; see qredo sandbox pending", plain(user), plain(id))
	}
	return aboutUser(user, err)
}

func (a *app) controlReset() *cobra.Command {
	var yes bool
	return a.command(command{
		use: "reset", short: "Forget everything but the keys",
		long:    "Forgets users, companies, funds, money and transactions. It asks before, unless --yes is given.",
		example: "qredo sandbox reset --yes",
		flags:   func(f *flagSet) { f.BoolVarP(&yes, "yes", "y", false, "do not ask") },
		check: func() error {
			return a.canAsk(yes, "forgets everything")
		},
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, _ []string) error {
			if !yes {
				if err := a.ask(ctx, "Forget everything but the keys?"); err != nil {
					return err
				}
			}
			return a.done(c.Reset(ctx), "everything but the keys is forgotten")
		}),
	})
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
		long: `Puts a core client on the list of exchanges that wallets can be connected to. A field is what it wants to know of
a customer, as ID=NAME.`,
		example: "qredo sandbox exchange CORE_CLIENT_ID --name 'Demo Venue' --url https://venue.example",
		flags: func(f *flagSet) {
			f.StringVar(&e.Name, "name", "", "name")
			f.StringVar(&e.URL, "url", "", "URL")
			listVar(f, &fields, "field", "what it asks a customer, as ID=NAME; repeat for several")
			required(f, "name")
		},
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
			e.ID = args[0]
			for _, text := range fields {
				id, name, found := strings.Cut(text, "=")
				if !found || id == "" {
					return usagef("--field must be ID=NAME, is %q", text)
				}
				e.Client.Fields = append(e.Client.Fields, qredo.ExchangeField{ID: id, Type: "string", Name: name})
			}
			return a.done(c.ListExchange(ctx, e), "%s is an exchange", plain(strings.TrimSpace(e.Name)))
		}),
	})
}
